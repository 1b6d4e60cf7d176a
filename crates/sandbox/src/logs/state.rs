//! What CloudWatch Logs remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::account::{AwsError, Moment, World};
use crate::rds::Status;

/// What AWS puts before the name of a proxy (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
pub(super) const OF_PROXIES: &str = "/aws/rds/proxy/";

/// CloudWatch Logs' state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Logs {
    /// Log groups by name that a caller made or changed.
    pub groups: BTreeMap<String, LogGroup>,
    /// Log groups that a service made for itself and nobody has changed since. They are no part of a dump: what a
    /// caller did to the account is not in them.
    #[serde(default, rename = "~by_services", skip_serializing_if = "BTreeMap::is_empty")]
    pub by_services: BTreeMap<String, LogGroup>,
    /// When a group that a service writes to was deleted.
    #[serde(default, rename = "~deleted", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) deleted: BTreeMap<String, Moment>,
    /// Lines that were put into groups, besides those that follow from the functions' load.
    #[serde(default, rename = "~lines", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) written: BTreeMap<String, Vec<(Moment, String)>>,
}

/// A log group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroup {
    /// When it was created.
    pub created: Moment,
    /// Days after which a line is deleted; none for never.
    pub retention: Option<i64>,
    /// The key that encrypts it, where that is a customer's.
    pub kms_key: Option<String>,
    /// `STANDARD`, `INFREQUENT_ACCESS`, `DELIVERY`.
    pub class: String,
    /// Whether it cannot be deleted.
    pub protected: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Logs {
    /// Writes a line into a group.
    pub fn write(&mut self, group: &str, at: Moment, line: &str) {
        self.written.entry(group.to_owned()).or_default().push((at, line.to_owned()));
    }

    /// The group of that name, no matter who made it.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&LogGroup> {
        self.groups.get(name).or_else(|| self.by_services.get(name))
    }

    /// Every group by its name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &LogGroup)> {
        self.groups.iter().chain(&self.by_services)
    }

    /// The group of that name, to be changed by a caller.
    pub(super) fn change(&mut self, name: &str) -> Result<&mut LogGroup, AwsError> {
        if let Some(group) = self.by_services.remove(name) {
            self.groups.insert(name.to_owned(), group);
        }
        self.groups.get_mut(name).ok_or_else(absent)
    }
}

/// Lets time pass: a proxy that has something to log makes a group where there is none, without retention.
///
/// The group outlives its proxy, and one that is deleted under a database that still logs comes back: aws-cdk#23720,
/// terraform-provider-aws#5348 and #42858.
pub(crate) fn tick(world: &mut World, now: Moment) {
    let delay = world.profile.proxy_log;
    for (name, proxy) in &world.rds.proxies {
        let name = format!("{OF_PROXIES}{name}");
        if matches!(proxy.status, Status::Creating(..)) || world.logs.group(&name).is_some() {
            continue;
        }
        let since = world.logs.deleted.get(&name).map_or(proxy.ready, |deleted| proxy.ready.max(*deleted));
        let first = since + delay;
        if first <= now {
            let group = LogGroup { created: first, class: "STANDARD".to_owned(), ..LogGroup::default() };
            world.logs.by_services.insert(name, group);
        }
    }
}

pub(super) fn absent() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified log group does not exist.")
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterException", message)
}

/// A member that breaks the model, in the words that every service with this protocol has.
pub(super) fn constraint(value: &str, member: &str, rule: &str) -> AwsError {
    invalid(format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"))
}
