//! The permissions that IAM's calls need.

use super::{Policy, Role, roles};
use crate::account::{Call, Moment, Need, World};
use crate::conditions::{self, Context};
use crate::input;

/// The permissions that the call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let (resource, mut context) = resource(world, call);
    if let Some(arn) = input::text(&call.input, "PolicyArn").filter(|_| action.ends_with("RolePolicy")) {
        context.insert("iam:PolicyARN".to_owned(), vec![arn.to_owned()]);
    }
    // The boundary that is given, or the one that the role has, where the action knows the key
    // (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>).
    let has = input::text(&call.input, "RoleName").and_then(|name| world.iam.roles.get(name)?.boundary.as_deref());
    let bounded = ["PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy"].contains(&action)
        || action.ends_with("RolePermissionsBoundary");
    let given = input::text(&call.input, "PermissionsBoundary");
    if let Some(boundary) = given.or_else(|| has.filter(|_| bounded)) {
        context.insert("iam:PermissionsBoundary".to_owned(), vec![boundary.to_owned()]);
    }
    if let Some(service) = input::text(&call.input, "AWSServiceName") {
        context.insert("iam:AWSServiceName".to_owned(), vec![service.to_owned()]);
    }
    let asked = conditions::of_request(&input::tags(&call.input, "Tags"), input::texts(&call.input, "TagKeys"));
    let tagged_at_creation = !asked.is_empty() && action.starts_with("Create");
    context.extend(asked);
    let mut needs =
        vec![Need { action: format!("iam:{action}"), resource: resource.clone(), context: context.clone() }];
    if tagged_at_creation {
        // Tags in a create call are a permission of their own.
        let tagging = if action == "CreateRole" { "iam:TagRole" } else { "iam:TagPolicy" };
        needs.push(Need { action: tagging.to_owned(), resource, context });
    }
    needs
}

/// The resource that the call is about, and the condition keys that its tags are.
fn resource(world: &World, call: &Call) -> (String, Context) {
    let arn = |kind: &str, path: &str, name: &str| {
        format!("arn:{}:iam::{}:{kind}{path}{name}", world.partition, world.account)
    };
    // What was there from the beginning has been there for ever.
    let counts = |created: Moment| created == Moment::default() || call.now >= created + world.profile.tag_conditions;
    let path = input::text(&call.input, "Path").unwrap_or("/");
    if let Some(service) = input::text(&call.input, "AWSServiceName") {
        let name = roles::service_linked_name(service).unwrap_or_default();
        return (arn("role", &format!("/aws-service-role/{service}/"), name), Context::new());
    }
    if let Some(name) = input::text(&call.input, "RoleName") {
        return match world.iam.roles.get(name) {
            Some(Role { arn, created, .. }) if !counts(*created) => (arn.clone(), Context::new()),
            Some(Role { arn, tags, .. }) => {
                (arn.clone(), conditions::of_tags(tags, &["aws:ResourceTag", "iam:ResourceTag"]))
            }
            None => (arn("role", path, name), Context::new()),
        };
    }
    if let Some(given) = input::text(&call.input, "PolicyArn") {
        // Policies have no `iam:ResourceTag`, which roles have.
        let found = world.iam.policies.get(given).filter(|policy| counts(policy.created));
        let tags = found.map(|Policy { tags, .. }| conditions::of_tags(tags, &["aws:ResourceTag"]));
        return (given.to_owned(), tags.unwrap_or_default());
    }
    if let Some(source) = input::text(&call.input, "PolicySourceArn") {
        return (source.to_owned(), Context::new());
    }
    if let Some(name) = input::text(&call.input, "PolicyName") {
        return (arn("policy", path, name), Context::new());
    }
    ("*".to_owned(), Context::new())
}
