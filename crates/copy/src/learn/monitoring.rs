//! Alarms, their tags, and dashboards.

use super::Said;
use crate::facts::{Facts, Kind};
use crate::read::text;

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    match said.action {
        "DescribeAlarms" => said.each(facts, "MetricAlarms", Kind::Alarm, "AlarmName"),
        "ListTagsForResource" => {
            if let Some((_, name)) = text(said.input, "ResourceARN").and_then(|arn| arn.split_once(":alarm:")) {
                facts.note(Kind::AlarmTags, name, &said.whole());
            }
        }
        "GetDashboard" => {
            let name = text(said.answer, "DashboardName").or_else(|| text(said.input, "DashboardName"));
            if let Some(name) = name {
                facts.note(Kind::Dashboard, name, &said.whole());
            }
        }
        _ => {}
    }
}
