//! The permissions that Lambda's calls need.

use std::collections::BTreeMap;

use super::{KeyGrants, split};
use crate::account::{Call, Need, World};
use crate::{conditions, input, kms};

/// The permissions that the call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let given = input::text(&call.input, "FunctionName").or_else(|| input::text(&call.input, "Resource"));
    let found = given.and_then(|given| split(world, given));
    let function = found.and_then(|(name, _)| world.lambda.functions.get(name));
    // Actions of mappings are not about the function that they name; the newest reference gives them its ARN as a key.
    let mapping = action.contains("EventSourceMapping");
    let own = function.filter(|_| !mapping).map(|function| &function.tags).into_iter().flatten();
    let mut context = conditions::of_tags(own, &["aws:ResourceTag"]);
    let tags = input::map(&call.input, "Tags");
    context.extend(conditions::of_request(&tags, input::texts(&call.input, "TagKeys")));
    let resource = match (found, given) {
        _ if mapping => match input::text(&call.input, "UUID") {
            Some(id) => world.arn("lambda", &format!("event-source-mapping:{id}")),
            None => "*".to_owned(),
        },
        _ if action == "ListFunctions" => "*".to_owned(),
        (Some((name, inner)), _) => {
            // Reads of a version or alias are reads of that ARN.
            let qualifier = input::text(&call.input, "Qualifier").or(inner).map(|qualifier| format!(":{qualifier}"));
            world.arn("lambda", &format!("function:{name}{}", qualifier.unwrap_or_default()))
        }
        (None, Some(arn)) => arn.to_owned(),
        (None, None) => "*".to_owned(),
    };
    let tagging = context.clone();
    if let Some(vpc) = call.input.get("VpcConfig") {
        context.insert("lambda:SubnetIds".to_owned(), input::texts(vpc, "SubnetIds"));
        context.insert("lambda:SecurityGroupIds".to_owned(), input::texts(vpc, "SecurityGroupIds"));
    }
    // The one action that is not called as its operation is.
    let name = if action == "Invoke" { "InvokeFunction" } else { action };
    let mut needs = vec![Need { action: format!("lambda:{name}"), resource: resource.clone(), context }];
    if action == "CreateFunction" && input::given(&call.input, "Tags") {
        needs.push(Need { action: "lambda:TagResource".to_owned(), resource, context: tagging });
    }
    needs.extend(dependent(world, call));
    needs
}

/// The permissions of other services that a write of a configuration needs.
fn dependent(world: &World, call: &Call) -> Vec<Need> {
    if !matches!(call.action.as_str(), "CreateFunction" | "UpdateFunctionConfiguration") {
        return Vec::new();
    }
    let mut needs = Vec::new();
    if let Some(role) = input::text(&call.input, "Role") {
        let context = BTreeMap::from([("iam:PassedToService".to_owned(), vec!["lambda.amazonaws.com".to_owned()])]);
        needs.push(Need { action: "iam:PassRole".to_owned(), resource: role.to_owned(), context });
    }
    let vpc = call.input.get("VpcConfig");
    if vpc.is_some_and(|vpc| !input::texts(vpc, "SubnetIds").is_empty()) {
        for action in ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"] {
            needs.push(Need { action: action.to_owned(), resource: "*".to_owned(), context: BTreeMap::new() });
        }
    }
    // Variables under a customer key are encrypted with the caller's permissions.
    let name = input::text(&call.input, "FunctionName").and_then(|given| split(world, given)).map(|(name, _)| name);
    let present =
        name.and_then(|name| world.lambda.functions.get(name)).and_then(|function| function.latest.kms_key.as_deref());
    let key = input::text(&call.input, "KMSKeyArn").or(present);
    if let Some(key) = key
        .and_then(|key| kms::find(world, key))
        .filter(|key| !key.aws_managed && input::given(&call.input, "Environment"))
    {
        needs.push(kms::need_via(world, "kms:Encrypt", &key.arn, "lambda"));
        if world.lambda.key_grants == KeyGrants::Denied {
            needs.push(kms::need_via(world, "kms:CreateGrant", &key.arn, "lambda"));
        }
    }
    needs
}
