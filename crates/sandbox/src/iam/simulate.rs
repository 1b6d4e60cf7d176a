//! `SimulatePrincipalPolicy`: what a role's policies would say.
//!
//! As botocore's model of IAM has it: the row of an action is named by a template and holds the most restrictive
//! decision; `ResourceSpecificResults` holds each resource's own. Service control policies are evaluated with the
//! context that the caller sends and nothing else, and the keys that they ask for are never among the missing ones
//! (<https://github.com/aws/aws-sdk/issues/102>, <https://github.com/aws/aws-cli/issues/10525>): where
//! `aws:RequestedRegion` is not sent, a policy that denies other regions denies every region.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, Need, World};
use super::super::input;
use super::super::policy::{self, Decision};
use super::InForce;
use super::limits::{self, Simulator, together};
use super::text::{self, missing};

/// The documents that a simulation judges by.
struct Policies {
    own: Vec<Value>,
    boundary: Option<Vec<Value>>,
}

/// What they say of one resource.
struct Ruling {
    resource: String,
    decision: Decision,
    boundary: Option<bool>,
    organization: bool,
    missing: BTreeSet<String>,
}

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
    let policies = policies(world, call, source)?;
    let context = context(&call.input);
    let mut resources = input::texts(&call.input, "ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }

    let mut results = Vec::new();
    for action in &actions {
        let rulings: Vec<Ruling> =
            resources.iter().map(|resource| policies.rule(world, action, resource, &context)).collect();
        let rows = match world.simulator {
            Simulator::Rows => rulings.iter().map(|ruling| alone(world, action, ruling)).collect(),
            Simulator::ByResource => vec![row(world, action, &rulings)],
        };
        results.extend(rows);
    }
    let results = results.into_iter().enumerate().map(|(at, row)| (format!("{at:06}"), row));
    super::paged(results.collect(), call, "EvaluationResults")
}

impl Policies {
    fn rule(&self, world: &World, action: &str, resource: &str, context: &BTreeMap<String, Vec<String>>) -> Ruling {
        let need = Need { action: action.to_owned(), resource: resource.to_owned(), context: context.clone() };
        let own = policy::evaluate(&self.own, &need);
        let boundary = self.boundary.as_ref().map(|documents| policy::evaluate(documents, &need));
        let organization = limits::organization(world, &need);
        let all: Vec<Decision> = [Some(own), boundary].into_iter().flatten().collect();
        let decision = match organization {
            Decision::Allowed => together(&all),
            // As it was seen, whatever kind of denial the organization's is.
            _ if own != Decision::ExplicitDeny => Decision::ImplicitDeny,
            _ => Decision::ExplicitDeny,
        };
        let documents = self.own.iter().chain(self.boundary.iter().flatten());
        Ruling {
            resource: resource.to_owned(),
            decision,
            boundary: boundary.map(|boundary| boundary == Decision::Allowed),
            organization: organization == Decision::Allowed,
            missing: documents.flat_map(|document| policy::missing_keys(document, &need)).collect(),
        }
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "allowed",
        Decision::ImplicitDeny => "implicitDeny",
        Decision::ExplicitDeny => "explicitDeny",
    }
}

/// The most restrictive of these.
fn worst(rulings: &[Ruling]) -> Decision {
    let decisions: Vec<Decision> = rulings.iter().map(|ruling| ruling.decision).collect();
    together(&decisions)
}

/// What limits say, as a row reports it.
fn details(world: &World, rulings: &[&Ruling], row: &mut Value) {
    if world.organization.is_some() {
        let allowed = rulings.iter().all(|ruling| ruling.organization);
        row["OrganizationsDecisionDetail"] = json!({"AllowedByOrganizations": allowed});
    }
    let bounds: Vec<bool> = rulings.iter().filter_map(|ruling| ruling.boundary).collect();
    if !bounds.is_empty() {
        let allowed = bounds.iter().all(|allowed| *allowed);
        row["PermissionsBoundaryDecisionDetail"] = json!({"AllowedByPermissionsBoundary": allowed});
    }
}

/// One row for all resources of an action.
fn row(world: &World, action: &str, rulings: &[Ruling]) -> Value {
    let missing: BTreeSet<&String> = rulings.iter().flat_map(|ruling| &ruling.missing).collect();
    let mut row = json!({
        "EvalActionName": action,
        "EvalResourceName": template(action),
        "EvalDecision": word(worst(rulings)),
        "MatchedStatements": [],
        "MissingContextValues": missing,
    });
    let all: Vec<&Ruling> = rulings.iter().collect();
    details(world, &all, &mut row);
    let specific = rulings.iter().filter(|ruling| ruling.resource != "*").map(|ruling| {
        let mut shown = json!({
            "EvalResourceName": ruling.resource,
            "EvalResourceDecision": word(ruling.decision),
            "MatchedStatements": [],
            "MissingContextValues": ruling.missing,
        });
        if let Some(allowed) = ruling.boundary {
            shown["PermissionsBoundaryDecisionDetail"] = json!({"AllowedByPermissionsBoundary": allowed});
        }
        shown
    });
    let specific: Vec<Value> = specific.collect();
    if !specific.is_empty() {
        row["ResourceSpecificResults"] = json!(specific);
    }
    row
}

/// A row of its own for a resource.
fn alone(world: &World, action: &str, ruling: &Ruling) -> Value {
    let mut row = json!({
        "EvalActionName": action,
        "EvalResourceName": ruling.resource,
        "EvalDecision": word(ruling.decision),
        "MatchedStatements": [],
        "MissingContextValues": ruling.missing,
    });
    details(world, &[ruling], &mut row);
    row
}

/// The template of the ARNs that an action is about.
fn template(action: &str) -> &'static str {
    match action {
        "rds-db:connect" => "arn:${Partition}:rds-db:${Region}:${Account}:dbuser:${DbiResourceId}/${DbUserName}",
        "secretsmanager:GetSecretValue" => "arn:${Partition}:secretsmanager:${Region}:${Account}:secret:${SecretId}",
        "kms:Decrypt" | "kms:CreateGrant" | "kms:Encrypt" | "kms:GenerateDataKey" => {
            "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}"
        }
        _ => "*",
    }
}

/// The policies of the role as IAM has them (the simulator knows no delay), and those that the caller adds.
fn policies(world: &World, call: &Call, source: &str) -> Result<Policies, AwsError> {
    let given = |member: &str| -> Vec<Value> {
        input::texts(&call.input, member).iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    };
    let mut boundary = None;
    let own: Vec<Value> = if let Some(role) = super::role(world, source) {
        boundary = role.boundary.as_ref().map(|arn| vec![limits::boundary(world, arn)]);
        let inline = role.inline.values().map(String::as_str);
        let attached = role.attached.iter().filter_map(|arn| world.iam.policies.get(arn)?.document());
        let unseen = role.force.iter().filter(|entry| entry.source == InForce::UNSEEN);
        let unseen = unseen.map(|entry| entry.document.as_str());
        inline.chain(attached).chain(unseen).filter_map(|document| serde_json::from_str(document).ok()).collect()
    } else if let Some(principal) = world.principals.values().find(|principal| principal.arn == source) {
        principal
            .policies
            .clone()
            .unwrap_or_else(|| vec![json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})])
    } else if !world.known_keys_only
        && source == format!("arn:{}:iam::{}:user/administrator", world.partition, world.account)
    {
        // Anyone who calls without a principal of their own.
        vec![json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})]
    } else {
        return Err(missing(format!("The principal {source} cannot be found.")));
    };
    let instead = given("PermissionsBoundaryPolicyInputList");
    if !instead.is_empty() {
        boundary = Some(instead);
    }
    Ok(Policies { own: own.into_iter().chain(given("PolicyInputList")).collect(), boundary })
}

fn context(given: &Value) -> BTreeMap<String, Vec<String>> {
    let entries = input::list(given, "ContextEntries").iter();
    entries
        .filter_map(|entry| {
            Some((input::text(entry, "ContextKeyName")?.to_owned(), input::texts(entry, "ContextKeyValues")))
        })
        .collect()
}
