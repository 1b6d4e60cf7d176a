//! What an administrator gave: a role and a policy that are named by flags, checked and never changed.

use serde_json::Value;

use super::Problem;
use super::matching::{acts, covers, list, texts};
use crate::cloud::iam::Role;
use crate::cloud::rds::TaggedProxy;
use crate::cloud::sts::Identity;
use crate::cloud::{Cloud, Kind, Owner};
use crate::engine::Observed;
use crate::names::{Names, last_of_path};
use crate::spec::{self, Spec, SpecError};

/// A role for the proxy that someone else created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRole {
    /// Its ARN.
    pub arn: String,
    /// The role, as far as it could be read.
    pub role: Observed<Role>,
}

impl GivenRole {
    /// Its name, without the path.
    #[must_use]
    pub fn name(&self) -> &str {
        last_of_path(&self.arn)
    }
}

/// Holds the ARNs of flags to the account and partition of the credentials.
///
/// # Errors
/// When one is of another.
pub fn in_this_account(spec: &Spec, who: &Identity) -> Result<(), Problem> {
    let flags = [
        ("--permissions-boundary", &spec.permissions_boundary),
        ("--role-arn", &spec.role_arn),
        ("--connect-policy-arn", &spec.connect_policy_arn),
    ];
    for (flag, arn) in flags {
        if let Some(arn) = arn {
            let unfit = |error: SpecError| Problem::unfit(error.to_string(), [error.fix]);
            spec::foreign(flag, arn, &who.partition, &who.account).map_err(unfit)?;
        }
    }
    Ok(())
}

/// The role that was given: by the flag, or by an earlier run's, which the proxy itself shows.
///
/// Without the flag, a role of another name counts only where our own proxy uses it and our own role does not exist.
/// That leaves things as they are; nothing is ever granted by it.
///
/// # Errors
/// When the role that the flag names cannot serve the proxy, or a secret is to be created that it would have to read.
pub async fn role(
    cloud: &Cloud,
    spec: &Spec,
    who: &Identity,
    own: (&Names, &Owner, &Observed<Role>),
    proxy: &Observed<TaggedProxy>,
) -> Result<Option<GivenRole>, Problem> {
    let found = find(cloud, spec, who, own, proxy).await?;
    match found.as_ref().filter(|_| spec.create_secret.is_some()) {
        None => Ok(found),
        Some(given) => Err(Problem::unfit(
            format!("planning the secret (--create-secret): the role {} is an administrator's", given.name()),
            ["Create the secret yourself, let the role read it, and name it with --secret."],
        )),
    }
}

async fn find(
    cloud: &Cloud,
    spec: &Spec,
    who: &Identity,
    own: (&Names, &Owner, &Observed<Role>),
    proxy: &Observed<TaggedProxy>,
) -> Result<Option<GivenRole>, Problem> {
    let (names, owner, own_role) = own;
    if let Some(arn) = &spec.role_arn {
        let found = look(cloud, arn).await;
        let doing = format!("checking the proxy's role (--role-arn {arn})");
        let role = match found {
            Ok(Some(role)) => role,
            Ok(None) => {
                return Err(Problem::unfit(
                    format!("{doing}: there is no such role"),
                    ["Give the ARN of an existing role, with its path: aws iam list-roles."],
                ));
            }
            Err(refusal) if refusal.kind == Kind::Denied => {
                return Ok(Some(GivenRole { arn: arn.clone(), role: Observed::Unknown(refusal.to_string()) }));
            }
            Err(refusal) => return Err(Problem::Refused { doing, refusal }),
        };
        if !trusts_rds(&role.trust) {
            return Err(Problem::unfit(
                format!("{doing}: its trust policy does not let rds.amazonaws.com assume it"),
                [format!("Have its trust policy set to: {}", crate::templates::proxy_trust())],
            ));
        }
        return Ok(Some(GivenRole { arn: arn.clone(), role: Observed::Present(role) }));
    }
    let Some(found) = proxy.present().filter(|found| owner.owns(&found.tags) && own_role.is_absent()) else {
        return Ok(None);
    };
    let arn = &found.proxy.role;
    if *arn == names.role_arn(&who.partition, &who.account) || arn.is_empty() {
        return Ok(None);
    }
    match look(cloud, arn).await {
        Ok(Some(role)) => Ok(Some(GivenRole { arn: arn.clone(), role: Observed::Present(role) })),
        // A role that is gone serves nobody: then one of our own is wanted.
        Ok(None) => Ok(None),
        Err(refusal) if refusal.kind == Kind::Denied => {
            Ok(Some(GivenRole { arn: arn.clone(), role: Observed::Unknown(refusal.to_string()) }))
        }
        Err(refusal) => Err(Problem::Refused { doing: format!("looking at the proxy's role ({arn})"), refusal }),
    }
}

/// The role of exactly that ARN: a role of the same name under another path is another one.
async fn look(cloud: &Cloud, arn: &str) -> crate::cloud::Answer<Option<Role>> {
    let name = last_of_path(arn);
    Ok(cloud.iam.role(name).await?.filter(|role| role.arn == arn))
}

/// Whether a trust policy lets RDS assume the role, whatever its conditions say.
fn trusts_rds(trust: &Value) -> bool {
    list(&trust["Statement"]).iter().any(|statement| {
        let service = texts(&statement["Principal"]["Service"]).any(|service| service == "rds.amazonaws.com");
        statement["Effect"] == "Allow" && service && acts(statement, "sts:assumerole")
    })
}

/// What a policy document lacks to allow an action on these resources, one sentence each.
#[must_use]
pub fn lacks(document: &Value, action: &str, resources: &[String]) -> Vec<String> {
    let about = |statement: &Value, effect: &str, resource: &str| {
        let on = texts(&statement["Resource"]).any(|known| covers(known, resource));
        statement["Effect"] == effect && acts(statement, action) && on
    };
    let mut found = Vec::new();
    for resource in resources {
        let statements = list(&document["Statement"]);
        if statements.iter().any(|statement| about(statement, "Deny", resource)) {
            found.push(format!("it denies {action} on {resource}"));
            continue;
        }
        let allowing: Vec<&Value> = statements.iter().filter(|statement| about(statement, "Allow", resource)).collect();
        match allowing.iter().find(|statement| statement.get("Condition").is_some()) {
            _ if allowing.is_empty() => found.push(format!("it does not allow {action} on {resource}")),
            Some(only) if allowing.len() == 1 => found.push(format!(
                "it allows {action} on {resource} only on a condition ({}), which cannot be judged",
                only["Condition"]
            )),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trust_policy_is_read_in_every_spelling() {
        for service in [json!("rds.amazonaws.com"), json!(["ec2.amazonaws.com", "rds.amazonaws.com"])] {
            for action in [json!("sts:AssumeRole"), json!(["sts:TagSession", "sts:*"]), json!("*")] {
                let one = json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": action});
                assert!(trusts_rds(&json!({"Statement": one})), "{one}");
                assert!(trusts_rds(&json!({"Statement": [one]})), "{one}");
            }
        }
        let lambda =
            json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
        assert!(!trusts_rds(&json!({"Statement": lambda})));
        assert!(!trusts_rds(&Value::Null));
    }

    #[test]
    fn a_document_is_held_to_each_resource() {
        let user = |name: &str| format!("arn:aws:rds-db:eu-west-1:1:dbuser:prx-0a/{name}");
        let allow = |resource: &str| json!({"Effect": "Allow", "Action": "rds-db:*", "Resource": resource});
        let document = json!({"Statement": [allow("arn:aws:rds-db:*:*:dbuser:prx-*/app")]});
        assert!(lacks(&document, "rds-db:connect", &[user("app")]).is_empty());
        assert_eq!(lacks(&document, "rds-db:connect", &[user("app"), user("admin")]).len(), 1);
        let mut narrowed = allow("*");
        narrowed["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
        assert!(
            lacks(&json!({"Statement": narrowed}), "rds-db:connect", &[user("app")])[0].contains("SecureTransport")
        );
        let denied =
            json!({"Statement": [allow("*"), {"Effect": "Deny", "Action": "rds-db:connect", "Resource": "*"}]});
        assert!(lacks(&denied, "rds-db:connect", &[user("app")])[0].contains("denies"));
    }
}
