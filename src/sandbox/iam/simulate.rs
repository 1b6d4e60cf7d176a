//! `SimulatePrincipalPolicy`: what a role's policies would say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, Need, World};
use super::super::input;
use super::super::policy::{self, Decision};
use super::text::{self, missing};

pub(super) fn simulate(world: &World, call: &Call) -> Result<Value, AwsError> {
    let source = text::required(&call.input, "PolicySourceArn")?;
    let actions = input::texts(&call.input, "ActionNames");
    if actions.is_empty() {
        return Err(text::invalid(
            "1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: Member must not be null",
        ));
    }
    if let Some(action) = actions.iter().find(|action| !action.contains(':')) {
        return Err(AwsError::new(
            400,
            "InvalidInput",
            format!("Invalid Entity Arn: action {action} has no service prefix"),
        ));
    }
    let documents = documents(world, call, source)?;
    let context = context(&call.input);
    let mut resources = input::texts(&call.input, "ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }

    let mut results = Vec::new();
    for action in &actions {
        for resource in &resources {
            let need = Need { action: action.clone(), resource: resource.clone(), context: context.clone() };
            let decision = match policy::evaluate(&documents, &need) {
                Decision::Allowed => "allowed",
                Decision::ImplicitDeny => "implicitDeny",
                Decision::ExplicitDeny => "explicitDeny",
            };
            let shown = json!({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision,
                "MatchedStatements": [],
                "MissingContextValues": [],
            });
            results.push((format!("{:06}", results.len()), shown));
        }
    }
    super::paged(results, call, "EvaluationResults")
}

/// The policies of the role as IAM has them (the simulator knows no delay), and those that the caller adds.
fn documents(world: &World, call: &Call, source: &str) -> Result<Vec<Value>, AwsError> {
    let own = if let Some(role) = super::role(world, source) {
        let inline = role.inline.values().map(String::as_str);
        let attached = role.attached.iter().filter_map(|arn| world.iam.policies.get(arn)?.document());
        inline.chain(attached).filter_map(|document| serde_json::from_str(document).ok()).collect()
    } else if let Some(principal) = world.principals.values().find(|principal| principal.arn == source) {
        principal
            .policies
            .clone()
            .unwrap_or_else(|| vec![json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})])
    } else {
        return Err(missing(format!("The principal {source} cannot be found.")));
    };
    let added = input::texts(&call.input, "PolicyInputList");
    Ok(own.into_iter().chain(added.iter().filter_map(|document| serde_json::from_str(document).ok())).collect())
}

fn context(given: &Value) -> BTreeMap<String, Vec<String>> {
    let entries = input::list(given, "ContextEntries").iter();
    entries
        .filter_map(|entry| {
            Some((input::text(entry, "ContextKeyName")?.to_owned(), input::texts(entry, "ContextKeyValues")))
        })
        .collect()
}
