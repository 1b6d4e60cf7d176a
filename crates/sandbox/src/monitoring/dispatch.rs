//! CloudWatch's operations, and which function answers each.

use super::{alarms, dashboards, data, list, statistics, tags};
use crate::account::{AwsError, Call, Outcome, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "GetMetricData" => data::get(world, call),
        "GetMetricStatistics" => statistics::get(world, call),
        "ListMetrics" => list::list(world, call),
        "PutMetricAlarm" => alarms::put(world, call),
        "DescribeAlarms" => alarms::describe(world, call),
        "DeleteAlarms" => alarms::delete(world, call),
        "PutDashboard" => dashboards::put(world, call),
        "GetDashboard" => dashboards::get(world, call),
        "ListDashboards" => dashboards::list(world, call),
        "DeleteDashboards" => dashboards::delete(world, call),
        "ListTagsForResource" => tags::list(world, call),
        "TagResource" => tags::tag(world, call),
        "UntagResource" => tags::untag(world, call),
        action => Err(AwsError::new(400, "InvalidAction", format!("Could not find operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(action: &str) -> bool {
    !["Get", "List", "Describe"].iter().any(|verb| action.starts_with(verb))
}
