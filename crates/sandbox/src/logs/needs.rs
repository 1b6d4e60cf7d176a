//! The permissions that CloudWatch Logs's calls need.

use super::tags;
use crate::account::{Call, Need, World};
use crate::{conditions, input};

/// The permissions that the call needs.
///
/// `DescribeLogGroups` has no resource type in the Service Authorization Reference, and a policy for one group is
/// refused even with that group as the prefix (maxbanton/cwh#83): only `*` is sure to match. The others need the ARN of
/// the group with `:*` at its end, but for the three of tags, which need it without (`arn` and `logGroupArn` of
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html>). Tags at creation need
/// `logs:TagResource` too (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>).
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let mut context = conditions::of_request(&input::map(&call.input, "tags"), input::texts(&call.input, "tagKeys"));
    let tagged = !context.is_empty();
    let given = input::text(&call.input, "logGroupName").map(str::to_owned);
    let arn = input::text(&call.input, "resourceArn").map(str::to_owned);
    let name = given.clone().or_else(|| tags::named(world, arn.as_deref()?).map(str::to_owned));
    let of_group = |name: &str| world.arn("logs", &format!("log-group:{name}"));
    let own = name.iter().filter_map(|name| world.logs.group(name)).flat_map(|group| &group.tags);
    context.extend(conditions::of_tags(own, &["aws:ResourceTag"]));
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
