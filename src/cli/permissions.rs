//! The flags of `permissions`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::permissions::Feature;
use crate::plain::is_unseen;

/// `permissions`.
#[derive(Debug, Args)]
pub struct Permissions {
    /// For which command.
    #[arg(long = "for", value_enum, default_value_t = For::All)]
    pub verb: For,
    /// Only as far as this database needs it.
    #[arg(long, value_name = "ID|ARN")]
    pub db: Option<String>,
    /// The proxy's name, where up was given one.
    #[arg(long, value_name = "NAME", requires = "db")]
    pub name: Option<String>,
    /// The account's twelve digits; without them, any account.
    #[arg(long, value_name = "ACCOUNT", value_parser = super::account)]
    pub account: Option<String>,
    /// Include what these features need; separate several by commas. [default: none]
    #[arg(long = "with", value_name = "FEATURE", value_enum, value_delimiter = ',')]
    pub features: Vec<Feature>,
    /// Only this function; repeat for several. [default: any]
    #[arg(long = "function", value_name = "NAME", value_parser = function)]
    pub functions: Vec<String>,
    /// Only this role of a function; repeat for several. [default: any]
    #[arg(long = "function-role", value_name = "ARN", value_parser = role)]
    pub function_roles: Vec<String>,
    /// Of secrets that this tool did not create, only this one; repeat for several. [default: any]
    #[arg(long = "secret", value_name = "ARN", value_parser = secret)]
    pub secrets: Vec<String>,
    /// The proxy's role, where an administrator created it: the policy holds no right to write to it.
    #[arg(long, value_name = "ARN", value_parser = role)]
    pub role_arn: Option<String>,
    /// The connect policy, where an administrator created it: the policy holds no right to write or attach one.
    #[arg(long, value_name = "ARN", value_parser = policy)]
    pub connect_policy_arn: Option<String>,
    /// Allow roles to be created, and given rights, only with this permissions boundary.
    #[arg(long, value_name = "ARN", value_parser = policy, conflicts_with = "role_arn")]
    pub permissions_boundary: Option<String>,
    /// With --for administrator, a database user that functions log in as with IAM; repeat for several. [default: none, passwords]
    #[arg(long = "db-user", value_name = "NAME")]
    pub db_users: Vec<String>,
    /// With --for administrator, a customer key of the secrets; repeat for several. [default: none]
    #[arg(long = "kms-key", value_name = "ARN", value_parser = key)]
    pub kms_keys: Vec<String>,
    /// Print JSON documents, or one CloudFormation template or Terraform configuration (.tf.json).
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t = Form::Json)]
    pub form: Form,
    /// Write each policy to a file of its own in this folder; a file that holds something else is never overwritten.
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}

/// For which command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// up
    Up,
    /// status, and up --dry-run
    Status,
    /// teardown
    Teardown,
    /// doctor
    Doctor,
    /// verify --probe, and up --verify probe besides what up needs
    Verify,
    /// All of them.
    All,
    /// What an administrator creates once, for up --role-arn and --connect-policy-arn.
    Administrator,
}

/// The form in which policies are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// IAM's policy documents.
    Json,
    /// A CloudFormation template.
    Cloudformation,
    /// A Terraform configuration in its JSON syntax.
    Terraform,
}

/// A name that stands for itself in an ARN: a wildcard would widen what it is to narrow.
fn function(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err("a function is given by its name".to_owned())
}

fn role(text: &str) -> Result<String, String> {
    arn(text, "iam", "role/")
}

fn policy(text: &str) -> Result<String, String> {
    arn(text, "iam", "policy/")
}

fn key(text: &str) -> Result<String, String> {
    arn(text, "kms", "key/")
}

fn secret(text: &str) -> Result<String, String> {
    arn(text, "secretsmanager", "secret:")
}

/// A whole ARN without wildcards and variables.
fn arn(text: &str, service: &str, kind: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let fits = matches!(parts.as_slice(), ["arn", _, given, _, _, rest]
        if *given == service && rest.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
    if fits && !text.contains(['*', '?', '$']) && !text.chars().any(|c| is_unseen(c) || c.is_whitespace()) {
        return Ok(text.to_owned());
    }
    Err(format!("an ARN of this form is needed: arn:aws:{service}:…:{kind}NAME"))
}
