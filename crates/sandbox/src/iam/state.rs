//! What IAM remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text;
use crate::account::{AwsError, Moment, World};

/// IAM's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Iam {
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Customer-managed and AWS-managed policies by ARN.
    pub policies: BTreeMap<String, Policy>,
}

/// A role.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Role {
    /// Its name, unique whatever the path.
    pub name: String,
    /// `/` or `/service-role/`.
    pub path: String,
    /// `arn:aws:iam::123456789012:role/service-role/name`.
    pub arn: String,
    /// `AROA…`.
    pub id: String,
    /// When it was created.
    pub created: Moment,
    /// The trust policy as it was written.
    pub trust: String,
    /// The trust policy before its last change, and when that change happened.
    #[serde(rename = "~former_trust")]
    pub former_trust: Option<(String, Moment)>,
    /// Words for people.
    pub description: Option<String>,
    /// Seconds; AWS's default is an hour.
    pub max_session: u32,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Inline policies by name.
    pub inline: BTreeMap<String, String>,
    /// ARNs of the attached managed policies, in the order of attachment.
    pub attached: Vec<String>,
    /// What holds for it and from when to when.
    #[serde(rename = "~force")]
    pub force: Vec<InForce>,
}

/// One policy document of a role, and the time during which services go by it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InForce {
    /// `inline:NAME`, the managed policy's ARN, or [`InForce::UNSEEN`].
    pub source: String,
    /// The document as it was written.
    pub document: String,
    /// From when.
    pub from: Moment,
    /// Until when, once it was deleted or replaced.
    pub until: Option<Moment>,
}

/// A managed policy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Policy {
    /// Its name, unique whatever the path.
    pub name: String,
    /// `/` or `/service-role/`.
    pub path: String,
    /// `arn:aws:iam::123456789012:policy/name`; AWS's own have `aws` for the account.
    pub arn: String,
    /// `ANPA…`.
    pub id: String,
    /// When it was created.
    pub created: Moment,
    /// When a version was last made, removed or set as default.
    pub updated: Moment,
    /// Words for people.
    pub description: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Versions, oldest first.
    pub versions: Vec<Version>,
    /// The number of the default version.
    pub default: u32,
    /// The number that the next version gets; numbers are never used again.
    #[serde(rename = "~next")]
    pub next: u32,
}

/// One version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// 1 for `v1`.
    pub number: u32,
    /// The document as it was written.
    pub document: String,
    /// When it was created.
    pub created: Moment,
}

impl InForce {
    /// The source of what a role may do by policies that this account does not have, as where it is a copy of another
    /// one: no change of the role's policies touches it, and IAM's simulator knows it too.
    pub const UNSEEN: &'static str = "unseen";

    /// Such a document, which has been there for ever.
    #[must_use]
    pub fn unseen(document: &Value) -> Self {
        Self { source: Self::UNSEEN.to_owned(), document: document.to_string(), from: Moment::default(), until: None }
    }
}

impl Role {
    /// A role that has been there for long: everything of it has taken effect.
    pub(crate) fn settled(account: &str, partition: &str, path: &str, name: &str, trust: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            arn: format!("arn:{partition}:iam::{account}:role{path}{name}"),
            trust: trust.to_owned(),
            max_session: 3600,
            ..Self::default()
        }
    }

    /// A role with rights, for those who set an account up by hand.
    #[must_use]
    pub fn by_hand(account: &str, partition: &str, path: &str, name: &str, trust: &Value, rights: &Value) -> Self {
        Self::settled(account, partition, path, name, &trust.to_string()).with_inline("rights", &rights.to_string())
    }

    /// Adds an inline policy that has been there for ever.
    #[must_use]
    pub(crate) fn with_inline(mut self, name: &str, document: &str) -> Self {
        self.inline.insert(name.to_owned(), document.to_owned());
        self.force.push(InForce {
            source: format!("inline:{name}"),
            document: document.to_owned(),
            from: Moment::default(),
            until: None,
        });
        self
    }

    /// Adds an attached managed policy that has been there for ever.
    #[must_use]
    pub fn with_attached(mut self, policy: &Policy) -> Self {
        self.attached.push(policy.arn.clone());
        if let Some(document) = policy.document() {
            self.force.push(InForce {
                source: policy.arn.clone(),
                document: document.to_owned(),
                from: Moment::default(),
                until: None,
            });
        }
        self
    }

    /// Whether a service of AWS may assume it now.
    ///
    /// False for a role that was created or trusts the service only since a moment ago.
    pub(crate) fn assumable_by(&self, world: &World, service: &str, now: Moment) -> bool {
        if now < self.created + world.profile.role_assumable && self.created != Moment::default() {
            return false;
        }
        text::trusts(self.trust_in_force(world, now), service)
    }

    /// Whether its trust policy lets RDS in on a request without any condition key, as the proxy makes it.
    pub(crate) fn trusts_proxy(&self, world: &World, now: Moment) -> bool {
        text::trusts_without_context(self.trust_in_force(world, now), "rds.amazonaws.com")
    }

    pub(super) fn trust_in_force(&self, world: &World, now: Moment) -> &str {
        match &self.former_trust {
            Some((former, changed)) if now < *changed + world.profile.iam_propagation => former,
            _ => &self.trust,
        }
    }
}

impl Policy {
    /// A policy of one version that has been there for ever.
    pub(crate) fn settled(account: &str, partition: &str, path: &str, name: &str, document: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            arn: format!("arn:{partition}:iam::{account}:policy{path}{name}"),
            versions: vec![Version { number: 1, document: document.to_owned(), created: Moment::default() }],
            default: 1,
            next: 2,
            ..Self::default()
        }
    }

    /// A customer's policy, for those who set an account up by hand.
    #[must_use]
    pub fn customer_managed(account: &str, partition: &str, path: &str, name: &str, document: &Value) -> Self {
        Self::settled(account, partition, path, name, &document.to_string())
    }

    /// Whether it is one of AWS's own.
    pub(crate) fn is_aws_managed(&self) -> bool {
        self.arn.contains(":iam::aws:policy/")
    }

    /// The document that has taken effect.
    pub(crate) fn document(&self) -> Option<&str> {
        self.versions.iter().find(|version| version.number == self.default).map(|version| version.document.as_str())
    }
}

/// The role of that name or ARN.
pub(crate) fn role<'world>(world: &'world World, name_or_arn: &str) -> Option<&'world Role> {
    if name_or_arn.starts_with("arn:") {
        let name = name_or_arn.rsplit('/').next()?;
        // The path is part of the ARN: an ARN with another path names nothing.
        return world.iam.roles.get(name).filter(|role| role.arn == name_or_arn);
    }
    world.iam.roles.get(name_or_arn)
}

/// Adds tags to those that are there, within the limit.
pub(super) fn add_tags(tags: &mut BTreeMap<String, String>, added: BTreeMap<String, String>) -> Result<(), AwsError> {
    let fresh = added.keys().filter(|key| !tags.contains_key(*key)).count();
    if tags.len() + fresh > 50 {
        return Err(text::limit("The number of tags has reached the maximum limit of 50."));
    }
    tags.extend(added);
    Ok(())
}
