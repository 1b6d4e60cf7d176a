//! What RDS looks at before it makes or changes a proxy.

use std::collections::BTreeSet;

use serde_json::Value;

use super::state::Auth;
use crate::account::{AwsError, Moment, World};
use crate::{iam, input};

/// Zones in which RDS Proxy is not offered; their subnets are dropped without a word.
const UNSUPPORTED_ZONES: &[&str] = &["use1-az3", "usw1-az2"];

/// How many secrets a proxy takes.
const SECRETS_QUOTA: usize = 200;

/// `InvalidParameterValue`.
pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterValue", message)
}

/// `InvalidParameterCombination`.
pub(super) fn combination(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterCombination", message)
}

/// A letter, then letters, digits and single hyphens, 63 in all.
pub(super) fn name(name: &str, member: &str) -> Result<(), AwsError> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if letters && starts && !name.ends_with('-') && !name.contains("--") && name.len() <= 63 {
        return Ok(());
    }
    Err(invalid(format!(
        "The parameter {member} is not a valid identifier. Identifiers must begin with a letter; must contain only \
         ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
    )))
}

/// One of an enumeration's values, or the default.
pub(super) fn one_of(input: &Value, member: &str, values: &[&str], default: &str) -> Result<String, AwsError> {
    match input::text(input, member) {
        None => Ok(default.to_owned()),
        Some(value) if values.contains(&value) => Ok(value.to_owned()),
        Some(value) => Err(invalid(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            values.join(", ")
        ))),
    }
}

/// A number in a range, if it is given.
pub(super) fn in_range(input: &Value, member: &str, from: i64, to: i64) -> Result<Option<i64>, AwsError> {
    match input.get(member).filter(|value| value.as_str() != Some("")) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => match input::number(input, member) {
            Some(number) if (from..=to).contains(&number) => Ok(Some(number)),
            _ => Err(invalid(format!("{member} must be a number between {from} and {to}."))),
        },
    }
}

/// How clients send passwords where nothing is said: what RDS shows of such an entry
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_UserAuthConfig.html>).
pub(super) fn default_client_password(family: &str) -> &'static str {
    match family {
        "MYSQL" => "MYSQL_CACHING_SHA2_PASSWORD",
        "POSTGRESQL" => "POSTGRES_SCRAM_SHA_256",
        _ => "SQL_SERVER_AUTHENTICATION",
    }
}

/// How the proxy signs in.
pub(super) fn auth(input: &Value, family: &str, default_scheme: &str) -> Result<Vec<Auth>, AwsError> {
    let entries = input::list(input, "Auth");
    if entries.is_empty() && default_scheme != "IAM_AUTH" {
        return Err(combination("Auth must be provided unless DefaultAuthScheme is IAM_AUTH."));
    }
    if entries.len() > SECRETS_QUOTA {
        return Err(invalid(format!("A DB proxy can have at most {SECRETS_QUOTA} Auth entries.")));
    }
    entries.iter().map(|entry| auth_entry(entry, family)).collect()
}

fn auth_entry(entry: &Value, family: &str) -> Result<Auth, AwsError> {
    if input::text(entry, "UserName").is_some() {
        return Err(invalid("Username must not be provided in UserAuthConfig"));
    }
    let scheme = one_of(entry, "AuthScheme", &["SECRETS"], "SECRETS")?;
    let iam_auth = one_of(entry, "IAMAuth", &["DISABLED", "REQUIRED", "ENABLED"], "DISABLED")?;
    if iam_auth == "ENABLED" && family != "SQLSERVER" {
        return Err(combination("IAMAuth ENABLED is supported for SQL Server only."));
    }
    let kinds: &[&str] = match family {
        "MYSQL" => &["MYSQL_NATIVE_PASSWORD", "MYSQL_CACHING_SHA2_PASSWORD"],
        "POSTGRESQL" => &["POSTGRES_SCRAM_SHA_256", "POSTGRES_MD5"],
        _ => &["SQL_SERVER_AUTHENTICATION"],
    };
    let client_password = match input::text(entry, "ClientPasswordAuthType") {
        // AWS fills the default in, so that naming it is the same as leaving it out.
        None => None,
        Some(kind) if kind == default_client_password(family) => None,
        Some(kind) if kinds.contains(&kind) => Some(kind.to_owned()),
        Some(kind) => {
            return Err(combination(format!("ClientPasswordAuthType {kind} is not valid for engine family {family}.")));
        }
    };
    let secret_arn = input::text(entry, "SecretArn").unwrap_or_default();
    let shape: Vec<&str> = secret_arn.splitn(7, ':').collect();
    if !matches!(shape.as_slice(), ["arn", _, "secretsmanager", _, _, "secret", name] if !name.is_empty()) {
        return Err(invalid(format!("SecretArn '{secret_arn}' is not a valid ARN of a Secrets Manager secret.")));
    }
    Ok(Auth {
        description: input::text(entry, "Description").map(str::to_owned),
        scheme,
        secret_arn: secret_arn.to_owned(),
        iam_auth,
        client_password,
    })
}

/// The role must be there, trust RDS, and be old enough for the service to assume it.
pub(super) fn role(world: &World, arn: &str, now: Moment) -> Result<(), AwsError> {
    let role = iam::role(world, arn).filter(|role| role.arn == arn);
    let Some(role) = role else {
        return Err(invalid(format!("The IAM role {arn} does not exist or cannot be assumed by RDS.")));
    };
    if role.assumable_by(world, "rds.amazonaws.com", now) {
        return Ok(());
    }
    Err(invalid(format!(
        "RDS is not authorized to assume the IAM role {arn}. Check that its trust policy names rds.amazonaws.com."
    )))
}

/// RDS works in the account through its service-linked role.
pub(super) fn service_linked_role(world: &World) -> Result<(), AwsError> {
    if iam::role(world, "AWSServiceRoleForRDS").is_some() {
        return Ok(());
    }
    let message = format!(
        "RDS is not authorized to assume service-linked role \
         arn:{}:iam::{}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS. \
         Check your RDS service-linked role and try again.",
        world.partition, world.account
    );
    Err(AwsError::new(403, "AccessDenied", message))
}

/// The subnets that are kept and their VPC.
pub(super) fn subnets(world: &World, ids: &[String]) -> Result<(Vec<String>, String), AwsError> {
    let refused = |message: String| AwsError::new(400, "InvalidSubnet", message);
    let mut vpcs = BTreeSet::new();
    let mut zones = BTreeSet::new();
    let mut kept: Vec<String> = Vec::new();
    for id in ids {
        let subnet = world.ec2.subnets.get(id).ok_or_else(|| {
            refused(format!("The requested subnet {id} is invalid, or not all of the subnets are in the same VPC."))
        })?;
        vpcs.insert(subnet.vpc_id.as_str());
        if UNSUPPORTED_ZONES.contains(&subnet.zone_id.as_str()) || kept.contains(id) {
            continue;
        }
        zones.insert(subnet.zone_id.as_str());
        kept.push(id.clone());
    }
    if vpcs.len() > 1 {
        return Err(refused(format!("Not all of the subnets are in the same VPC: {}.", ids.join(", "))));
    }
    if zones.len() < 2 {
        return Err(refused("A DB proxy needs subnets in at least two supported Availability Zones.".to_owned()));
    }
    let vpc_id = vpcs.pop_first().unwrap_or_default().to_owned();
    if world.ec2.vpcs.get(&vpc_id).is_some_and(|vpc| vpc.tenancy == "dedicated") {
        return Err(AwsError::new(
            400,
            "InvalidVPCNetworkStateFault",
            format!("RDS Proxy cannot be used in {vpc_id}: its tenancy is dedicated."),
        ));
    }
    Ok((kept, vpc_id))
}

/// The groups asked for, or the VPC's default one.
pub(super) fn groups(world: &World, ids: Vec<String>, vpc_id: &str) -> Result<Vec<String>, AwsError> {
    if ids.is_empty() {
        let default = world.ec2.groups.iter().find(|(_, group)| group.vpc_id == vpc_id && group.name == "default");
        return Ok(default.map(|(id, _)| id.clone()).into_iter().collect());
    }
    if ids.len() > 5 {
        return Err(invalid("At most 5 security groups can be given."));
    }
    for id in &ids {
        match world.ec2.groups.get(id) {
            None => return Err(invalid(format!("The security group {id} does not exist."))),
            Some(group) if group.vpc_id != vpc_id => {
                return Err(invalid(format!("The security group {id} is not in the VPC {vpc_id}.")));
            }
            Some(_) => {}
        }
    }
    Ok(ids)
}
