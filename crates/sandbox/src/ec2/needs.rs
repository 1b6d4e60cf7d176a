//! The permissions that EC2 calls need.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::account::{Call, Need, World};
use crate::conditions::{self, Context};
use crate::input;

/// What a call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let mut needs = Vec::new();
    match action {
        "CreateSecurityGroup" => {
            let tags = request_tags(&call.input);
            // Made where nothing is yet: the ARN ends in a star.
            needs.push(need(action, world.arn("ec2", "security-group/*"), tags.clone()));
            if let Some(vpc) = input::text(&call.input, "VpcId") {
                let tags = world.ec2.vpcs.get(vpc).map(|vpc| &vpc.tags);
                needs.push(need(action, world.arn("ec2", &format!("vpc/{vpc}")), resource_tags(tags)));
            }
            push_tagging(&mut needs, world, "security-group/*", action, tags);
        }
        "DeleteSecurityGroup"
        | "AuthorizeSecurityGroupIngress"
        | "AuthorizeSecurityGroupEgress"
        | "RevokeSecurityGroupIngress"
        | "RevokeSecurityGroupEgress" => {
            let id = input::text(&call.input, "GroupId").unwrap_or("*");
            let tags = world.ec2.groups.get(id).map(|group| &group.tags);
            needs.push(need(action, world.arn("ec2", &format!("security-group/{id}")), resource_tags(tags)));
            let tags = request_tags(&call.input);
            if !tags.is_empty() {
                // Rules that are tagged as they are made are resources of the call itself too: the service
                // authorization reference gives the request's tags to the rule, not to the group.
                needs.push(need(action, world.arn("ec2", "security-group-rule/*"), tags.clone()));
            }
            push_tagging(&mut needs, world, "security-group-rule/*", action, tags);
        }
        "CreateTags" | "DeleteTags" => {
            for id in input::texts(&call.input, "Resources") {
                let (kind, own) = resource(world, &id);
                let mut context = resource_tags(own);
                context.extend(conditions::of_request(&input::tags(&call.input, "Tags"), Vec::new()));
                needs.push(need(action, world.arn("ec2", &format!("{kind}/{id}")), context));
            }
        }
        _ => needs.push(need(action, "*".to_owned(), BTreeMap::new())),
    }
    needs
}

fn resource<'a>(world: &'a World, id: &str) -> (&'static str, Option<&'a BTreeMap<String, String>>) {
    if id.starts_with("sgr-") {
        let rule = world.ec2.groups.values().find_map(|group| group.rules.get(id));
        return ("security-group-rule", rule.map(|rule| &rule.tags));
    }
    if id.starts_with("subnet-") {
        return ("subnet", world.ec2.subnets.get(id).map(|subnet| &subnet.tags));
    }
    if id.starts_with("vpc-") {
        return ("vpc", world.ec2.vpcs.get(id).map(|vpc| &vpc.tags));
    }
    ("security-group", world.ec2.groups.get(id).map(|group| &group.tags))
}

/// Tags in a create call need `ec2:CreateTags` too, which policies distinguish by `ec2:CreateAction`.
fn push_tagging(needs: &mut Vec<Need>, world: &World, resource: &str, action: &str, mut context: Context) {
    if context.is_empty() {
        return;
    }
    context.insert("ec2:CreateAction".to_owned(), vec![action.to_owned()]);
    needs.push(need("CreateTags", world.arn("ec2", resource), context));
}

fn need(action: &str, resource: String, context: Context) -> Need {
    Need { action: format!("ec2:{action}"), resource, context }
}

fn request_tags(input: &Value) -> Context {
    let mut tags = BTreeMap::new();
    for specification in input::list(input, "TagSpecifications") {
        tags.extend(input::tags(specification, "Tags"));
    }
    conditions::of_request(&tags, Vec::new())
}

fn resource_tags(tags: Option<&BTreeMap<String, String>>) -> Context {
    conditions::of_tags(tags.into_iter().flatten(), &["aws:ResourceTag", "ec2:ResourceTag"])
}
