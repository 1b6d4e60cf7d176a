//! CloudWatch Logs: log groups, how long they keep what is in them, and the groups and lines that RDS Proxy writes.
//!
//! Shapes, lengths and patterns are those of botocore's model of CloudWatch Logs.

mod events;
mod groups;
mod lines;
mod tags;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{AwsError, Call, Moment, Need, Outcome, World};
use super::input;
use super::rds::Status;

/// What AWS puts before the name of a proxy (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
const OF_PROXIES: &str = "/aws/rds/proxy/";

/// CloudWatch Logs' state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Logs {
    /// Log groups by name that a caller made or changed.
    pub groups: BTreeMap<String, LogGroup>,
    /// Log groups that a service made for itself and nobody has changed since. They are no part of a dump: what a caller
    /// did to the account is not in them.
    #[serde(default, rename = "~by_services", skip_serializing_if = "BTreeMap::is_empty")]
    pub by_services: BTreeMap<String, LogGroup>,
    /// When a group that a service writes to was deleted.
    #[serde(default, rename = "~deleted", skip_serializing_if = "BTreeMap::is_empty")]
    deleted: BTreeMap<String, Moment>,
    /// Lines that were put into groups, besides those that follow from the functions' load.
    #[serde(default, rename = "~lines", skip_serializing_if = "BTreeMap::is_empty")]
    written: BTreeMap<String, Vec<(Moment, String)>>,
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
    fn all(&self) -> impl Iterator<Item = (&String, &LogGroup)> {
        self.groups.iter().chain(&self.by_services)
    }

    /// The group of that name, to be changed by a caller.
    fn change(&mut self, name: &str) -> Result<&mut LogGroup, AwsError> {
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
pub(super) fn tick(world: &mut World, now: Moment) {
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

/// Acts and answers.
pub(super) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "DescribeLogGroups" => groups::describe(world, call),
        "CreateLogGroup" => groups::create(world, call),
        "DeleteLogGroup" => groups::delete(world, call),
        "PutRetentionPolicy" => groups::put_retention(world, call),
        "DeleteRetentionPolicy" => groups::delete_retention(world, call),
        "FilterLogEvents" => events::filter(world, call),
        "ListTagsForResource" => tags::list(world, call),
        "TagResource" => tags::tag(world, call),
        "UntagResource" => tags::untag(world, call),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(super) fn mutating(action: &str) -> bool {
    !["List", "Describe", "Filter"].iter().any(|verb| action.starts_with(verb))
}

/// The permissions that the call needs.
///
/// `DescribeLogGroups` has no resource type in the Service Authorization Reference, and a policy for one group is refused even
/// with that group as the prefix (maxbanton/cwh#83): only `*` is sure to match. The others need the ARN of the group with `:*`
/// at its end, but for the three of tags, which need it without (`arn` and `logGroupArn` of
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html>). Tags at creation need
/// `logs:TagResource` too (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>).
pub(super) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let mut context = BTreeMap::new();
    let tags = input::map(&call.input, "tags");
    let mut keys: Vec<String> = tags.keys().cloned().collect();
    keys.extend(input::texts(&call.input, "tagKeys"));
    for (key, value) in tags {
        context.insert(format!("aws:RequestTag/{key}"), vec![value]);
    }
    let tagged = !keys.is_empty();
    if tagged {
        context.insert("aws:TagKeys".to_owned(), keys);
    }
    let given = input::text(&call.input, "logGroupName").map(str::to_owned);
    let arn = input::text(&call.input, "resourceArn").map(str::to_owned);
    let name = given.clone().or_else(|| tags::named(world, arn.as_deref()?).map(str::to_owned));
    let of_group = |name: &str| world.arn("logs", &format!("log-group:{name}"));
    for (key, value) in name.iter().filter_map(|name| world.logs.group(name)).flat_map(|group| &group.tags) {
        context.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
    }
    let resource = match (&given, arn) {
        _ if action == "DescribeLogGroups" => "*".to_owned(),
        (Some(name), _) => format!("{}:*", of_group(name)),
        (None, Some(arn)) => arn,
        (None, None) => "*".to_owned(),
    };
    let mut needs = vec![Need { action: format!("logs:{action}"), resource, context: context.clone() }];
    if let (true, "CreateLogGroup", Some(name)) = (tagged, action, &given) {
        needs.push(Need { action: "logs:TagResource".to_owned(), resource: of_group(name), context });
    }
    needs
}

fn absent() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified log group does not exist.")
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterException", message)
}

/// A member that breaks the model, in the words that every service with this protocol has.
fn constraint(value: &str, member: &str, rule: &str) -> AwsError {
    invalid(format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"))
}

#[cfg(test)]
mod tests;
