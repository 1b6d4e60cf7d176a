//! Who calls, log groups, alarms, dashboards and quotas.

use std::time::Duration;

use sandbox::Moment;
use sandbox::parts::{Alarm, Dashboard, LogGroup};
use serde_json::{Map, Value};

use super::Build;
use crate::facts::{Kind, Thing};
use crate::read::{flag, number, real, string, text};

/// What AWS puts before the name of a proxy's log group.
const OF_PROXIES: &str = "/aws/rds/proxy/";

/// Lambda's quota of concurrent executions.
const CONCURRENCY: &str = "L-B99A9384";

/// What an alarm shows that is no part of what it was set to.
const SHOWN: [&str; 9] = [
    "AlarmName",
    "AlarmArn",
    "AlarmConfigurationUpdatedTimestamp",
    "StateValue",
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "EvaluationState",
];

/// When the rehearsal begins: what was there has been there for a day.
pub(super) fn now() -> Moment {
    Moment::default() + Duration::from_hours(24)
}

/// Sets account, partition and clock, and answers the caller's ARN.
pub(super) fn caller(build: &mut Build<'_>) -> String {
    let found = build.facts.one(Kind::Caller, "");
    let arn = found.and_then(|found| text(found, "Arn")).map(str::to_owned);
    let world = &mut build.world;
    world.now = now();
    match arn.as_deref().and_then(|arn| arn.split(':').nth(1)) {
        Some(partition) => partition.clone_into(&mut world.partition),
        None if world.region.starts_with("cn-") => "aws-cn".clone_into(&mut world.partition),
        None if world.region.starts_with("us-gov-") => "aws-us-gov".clone_into(&mut world.partition),
        None => {}
    }
    if let Some(account) = found.and_then(|found| text(found, "Account")) {
        account.clone_into(&mut world.account);
    }
    arn.unwrap_or_else(|| format!("arn:{}:iam::{}:user/administrator", world.partition, world.account))
}

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (name, thing) in facts.all(Kind::LogGroup) {
        log_group(build, name, thing);
    }
    for (name, thing) in facts.all(Kind::Alarm) {
        let alarm = alarm(build, name, thing);
        build.world.monitoring.alarms.insert(name.to_owned(), alarm);
    }
    for (name, thing) in facts.all(Kind::Dashboard) {
        let dashboard = Dashboard { body: string(thing, "DashboardBody"), modified: Moment::default() };
        build.world.monitoring.dashboards.insert(name.to_owned(), dashboard);
    }
    for kind in [Kind::DefaultQuota, Kind::Quota] {
        for (code, thing) in facts.all(kind) {
            let Some(value) = thing.get("Value").and_then(real) else { continue };
            if code == CONCURRENCY {
                build.world.lambda.concurrency = count(value);
            } else {
                build.world.quotas.insert(code.to_owned(), value);
            }
        }
    }
}

fn count(value: f64) -> u32 {
    let text = format!("{:.0}", value.clamp(0.0, f64::from(u32::MAX)));
    text.parse().unwrap_or(u32::MAX)
}

fn log_group(build: &mut Build<'_>, name: &str, thing: &Thing) {
    let tags = build.facts.one(Kind::LogTags, name).and_then(|tags| tags.get("tags"));
    let group = LogGroup {
        created: Moment::default(),
        retention: number(thing, "retentionInDays"),
        kms_key: text(thing, "kmsKeyId").map(str::to_owned),
        class: text(thing, "logGroupClass").unwrap_or("STANDARD").to_owned(),
        protected: flag(thing, "deletionProtectionEnabled") == Some(true),
        tags: build.tags(tags),
    };
    let untouched = LogGroup { class: "STANDARD".to_owned(), ..LogGroup::default() };
    let logs = &mut build.world.logs;
    // As the service that writes there made it.
    let place =
        if name.starts_with(OF_PROXIES) && group == untouched { &mut logs.by_services } else { &mut logs.groups };
    place.insert(name.to_owned(), group);
}

fn alarm(build: &mut Build<'_>, name: &str, thing: &Thing) -> Alarm {
    let mut configuration: Map<String, Value> = thing
        .iter()
        .filter(|(member, value)| !SHOWN.contains(&member.as_str()) && !is_empty(value))
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    if let Some(description) = build.described(thing, "AlarmDescription") {
        configuration.insert("AlarmDescription".to_owned(), Value::String(description));
    }
    let tags = build.facts.one(Kind::AlarmTags, name).and_then(|tags| tags.get("Tags"));
    Alarm {
        configuration: Value::Object(configuration),
        tags: build.tags(tags),
        created: Moment::default(),
        updated: Moment::default(),
        state: text(thing, "StateValue").unwrap_or("INSUFFICIENT_DATA").to_owned(),
        since: Moment::default(),
        reason: string(thing, "StateReason"),
    }
}

/// The lists that every alarm shows, and those of XML.
fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("")
}

/// Says what no copy has, whatever was read.
pub(super) fn simplified(build: &mut Build<'_>) {
    let always = [
        ("metrics and log events", "are not copied; the copy has none"),
        ("the caller's permissions", "are not copied; in the copy only what AWS refused is refused"),
        ("service control policies", "are not copied; the copy belongs to no organization"),
        ("what functions do", "is not copied; nothing calls them, and their code does not run"),
        ("how long changes take", "is what AWS usually takes; it does not depend on the account"),
        ("tags and descriptions", "have only their keys and lengths, unless this tool wrote or reads them"),
        ("when things were created or changed", "is not copied; everything has been there for a day"),
    ];
    for (what, why) in always {
        build.gap(what, why);
    }
}
