//! What `permissions` prints.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Version;

/// The IAM policies that a command needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Permissions {
    /// The version of this document.
    pub schema: Version,
    /// The policies, of which all are needed; with `--as`, the one template.
    pub documents: Vec<Foreign>,
    /// What was read of the account, with `--discover`; else null.
    pub discovered: Option<Discovered>,
    /// The files that were written, with `--output-dir`; else null.
    pub files: Option<Vec<String>>,
}

/// An IAM policy, a CloudFormation template or a Terraform configuration, as AWS or Terraform defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign(pub Map<String, Value>);

impl JsonSchema for Foreign {
    fn schema_name() -> Cow<'static, str> {
        "Foreign".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An IAM policy, a CloudFormation template or a Terraform configuration, as AWS or Terraform defines it.",
            "type": "object",
            "additionalProperties": true,
        })
    }
}

/// What was read of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discovered {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The database; null where none is named.
    pub database: Option<String>,
    /// The proxy's name.
    pub proxy: String,
    /// The functions.
    pub functions: Vec<String>,
    /// The functions' roles.
    pub function_roles: Vec<String>,
    /// The secrets, by their ARNs.
    pub secrets: Vec<String>,
    /// The VPC.
    pub vpc: String,
    /// The security groups.
    pub security_groups: Vec<String>,
    /// The keys of AWS KMS that customers manage.
    pub keys: Vec<String>,
}
