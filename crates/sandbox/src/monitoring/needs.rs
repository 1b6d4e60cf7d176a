//! The permissions that CloudWatch's calls need.

use super::dashboards;
use crate::account::{Call, Need, World};
use crate::conditions::{self, Context};
use crate::input;

/// The permissions that the call needs.
///
/// Reads of metrics have no resource type in the Service Authorization Reference. Alarms have one; a list of all is of
/// every alarm. Tags at creation need `cloudwatch:TagResource` too
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>).
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let context = conditions::of_request(&input::tags(&call.input, "Tags"), input::texts(&call.input, "TagKeys"));
    let tagged = !context.is_empty();
    let of_alarm = |name: &str| world.arn("cloudwatch", &format!("alarm:{name}"));
    let need = |action: &str, resource: String, context: &Context| {
        let mut context = context.clone();
        let named = resource.strip_prefix(&of_alarm("")).and_then(|name| world.monitoring.alarms.get(name));
        context.extend(conditions::of_tags(named.iter().flat_map(|alarm| &alarm.tags), &["aws:ResourceTag"]));
        Need { action: format!("cloudwatch:{action}"), resource, context }
    };
    match action {
        "PutMetricAlarm" => {
            let resource = of_alarm(input::text(&call.input, "AlarmName").unwrap_or("*"));
            let mut own = context.clone();
            let actions = input::texts(&call.input, "AlarmActions");
            if !actions.is_empty() {
                own.insert("cloudwatch:AlarmActions".to_owned(), actions);
            }
            let mut needs = vec![need(action, resource.clone(), &own)];
            if tagged {
                needs.push(need("TagResource", resource, &context));
            }
            needs
        }
        "DeleteAlarms" => {
            let names = input::texts(&call.input, "AlarmNames");
            names.iter().map(|name| need(action, of_alarm(name), &context)).collect()
        }
        "DescribeAlarms" => vec![need(action, of_alarm("*"), &context)],
        "PutDashboard" | "GetDashboard" => {
            let name = input::text(&call.input, "DashboardName").unwrap_or("*");
            vec![need(action, dashboards::arn(world, name), &context)]
        }
        "DeleteDashboards" => {
            let names = input::texts(&call.input, "DashboardNames");
            names.iter().map(|name| need(action, dashboards::arn(world, name), &context)).collect()
        }
        "TagResource" | "UntagResource" | "ListTagsForResource" => {
            vec![need(action, input::text(&call.input, "ResourceARN").unwrap_or("*").to_owned(), &context)]
        }
        _ => vec![need(action, "*".to_owned(), &context)],
    }
}
