//! The flags of `permissions`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::permissions::Feature;
use crate::plain::is_unseen;
use crate::spec::ClientAuth;

/// `permissions`.
#[derive(Debug, Args)]
pub struct Permissions {
    /// The command: up, status, teardown, advise, …
    ///
    /// The command to print permissions for: up, status, restore, teardown, close-direct, rehearse, advise, export,
    /// watch, alarms, doctor or verify. all is for all of them. administrator prints what an administrator creates
    /// once, for up --role-arn and --connect-policy-arn. [default: all]
    #[arg(long = "for", value_enum, default_value_t = For::All, value_name = "COMMAND", hide_possible_values = true,
          hide_default_value = true)]
    pub verb: For,
    /// Only for this database [default: any]
    #[arg(long, value_name = "ID|ARN")]
    pub db: Option<String>,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME", requires = "db")]
    pub name: Option<String>,
    /// The account ID [default: any]
    #[arg(long, value_name = "ACCOUNT", value_parser = super::account)]
    pub account: Option<String>,
    /// Read the account, and allow only what is in use
    ///
    /// Finds the functions that use the database, their roles, the secrets, security groups and keys, as up does, and
    /// prints policies for exactly those. Needs what status needs. Without this flag, no AWS calls are made.
    #[arg(long, requires = "db", conflicts_with = "account")]
    pub discover: bool,
    /// With --discover: a function to leave out; repeatable
    #[arg(long = "exclude-function", value_name = "NAME", value_parser = function, requires = "discover",
          conflicts_with = "functions", hide_short_help = true)]
    pub excluded_functions: Vec<String>,
    /// With --discover: auto, iam or password, as for up
    ///
    /// [default: auto]
    #[arg(long, value_enum, default_value_t = ClientAuth::Auto, value_name = "HOW", requires = "discover",
          hide_possible_values = true, hide_default_value = true, hide_short_help = true)]
    pub client_auth: ClientAuth,
    /// Features to include, separated by commas [default: none]
    #[arg(long = "with", hide_short_help = true, value_name = "FEATURE", value_enum, value_delimiter = ',')]
    pub features: Vec<Feature>,
    /// Only this function; repeatable [default: any]
    #[arg(long = "function", value_name = "NAME", value_parser = function)]
    pub functions: Vec<String>,
    /// Only this role of a function; repeatable [default: any]
    #[arg(long = "function-role", hide_short_help = true, value_name = "ARN", value_parser = role)]
    pub function_roles: Vec<String>,
    /// Only this existing secret; repeatable [default: any]
    #[arg(long = "secret", hide_short_help = true, value_name = "ARN", value_parser = secret)]
    pub secrets: Vec<String>,
    /// The proxy's role, created by an administrator
    ///
    /// The policy then holds no permission to change it.
    #[arg(long, value_name = "ARN", value_parser = role, hide_short_help = true)]
    pub role_arn: Option<String>,
    /// The connect policy, created by an administrator
    ///
    /// The policy then holds no permission to change or attach one.
    #[arg(long, value_name = "ARN", value_parser = policy, hide_short_help = true)]
    pub connect_policy_arn: Option<String>,
    /// Require this permissions boundary on roles that are created
    #[arg(long, value_name = "ARN", value_parser = policy, conflicts_with = "role_arn", hide_short_help = true)]
    pub permissions_boundary: Option<String>,
    /// With --for administrator or --discover: a database user; repeatable
    ///
    /// A user that functions log in as with IAM tokens. [default: none, functions use passwords]
    #[arg(long = "db-user", hide_short_help = true, value_name = "NAME")]
    pub db_users: Vec<String>,
    /// With --for administrator or --discover: a KMS key of the secrets; repeatable
    #[arg(long = "kms-key", hide_short_help = true, value_name = "ARN", value_parser = key)]
    pub kms_keys: Vec<String>,
    /// json, cloudformation or terraform
    ///
    /// json prints IAM policy documents; cloudformation a template; terraform a configuration in JSON syntax
    /// (.tf.json). [default: json]
    #[arg(long = "as", value_name = "FORMAT", value_enum, default_value_t = Form::Json, hide_possible_values = true,
          hide_default_value = true)]
    pub form: Form,
    /// Write each policy to its own file in this folder
    ///
    /// A file that holds something else is never overwritten.
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
    /// restore
    Restore,
    /// close-direct
    CloseDirect,
    /// rehearse, which only reads
    Rehearse,
    /// advise
    Advise,
    /// export
    Export,
    /// watch
    Watch,
    /// alarms
    Alarms,
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
