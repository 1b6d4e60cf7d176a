//! What limits every principal of the account: permissions boundaries and an organization's service control policies.
//!
//! A request is allowed where all of them allow it
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::account::{Moment, Need, World};
use super::super::policy::{self, Decision};
use super::{documents, role};

/// The organization that the account is a member of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Organization {
    /// `o-…`.
    pub id: String,
    /// The service control policies that are attached to the account; what none of them allows is denied.
    pub policies: Vec<Value>,
}

/// How the policy simulator answers: its answers have changed over the years.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Simulator {
    /// As botocore's model of 2026 has it: one row an action, whose name is a template of an ARN, and under it the
    /// resources.
    #[default]
    ByResource,
    /// As people saw it before (<https://github.com/aws-containers/amazon-ecs-exec-checker/issues/70>): one row a resource.
    Rows,
}

/// What several kinds of policies come to together.
pub(in super::super) fn together(decisions: &[Decision]) -> Decision {
    if decisions.contains(&Decision::ExplicitDeny) {
        return Decision::ExplicitDeny;
    }
    if decisions.iter().all(|decision| *decision == Decision::Allowed) {
        Decision::Allowed
    } else {
        Decision::ImplicitDeny
    }
}

/// What the organization says; everything is allowed to an account of none.
pub(in super::super) fn organization(world: &World, need: &Need) -> Decision {
    world.organization.as_ref().map_or(Decision::Allowed, |found| policy::evaluate(&found.policies, need))
}

/// The boundary's document; one that is gone allows nothing.
pub(super) fn boundary(world: &World, arn: &str) -> Value {
    let document = world.iam.policies.get(arn).and_then(|policy| policy.document());
    document.and_then(|document| serde_json::from_str(document).ok()).unwrap_or_default()
}

/// What boundary and organization leave to a role that acts in the account's region.
pub(in super::super) fn ceiling(world: &World, role_arn: &str, need: &Need) -> Decision {
    let Some(role) = role(world, role_arn) else { return Decision::ImplicitDeny };
    let mut need = need.clone();
    known(world, &mut need.context, &world.region, role_arn);
    let own = role.boundary.as_ref().map(|arn| policy::evaluate(&[boundary(world, arn)], &need));
    // Service-linked roles are beyond the organization.
    let linked = role.path.starts_with("/aws-service-role/");
    let over = if linked { Decision::Allowed } else { organization(world, &need) };
    together(&[own.unwrap_or(Decision::Allowed), over])
}

/// What a role may do now, by all policies of all kinds.
pub(in super::super) fn decide(world: &World, role_arn: &str, need: &Need, now: Moment) -> Decision {
    together(&[policy::evaluate(&documents(world, role_arn, now), need), ceiling(world, role_arn, need)])
}

/// Adds what AWS knows of every request
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).
pub(in super::super) fn known(
    world: &World,
    context: &mut BTreeMap<String, Vec<String>>,
    region: &str,
    principal: &str,
) {
    let mut keys = vec![
        ("aws:RequestedRegion", region),
        ("aws:PrincipalArn", principal),
        ("aws:PrincipalAccount", world.account.as_str()),
        ("aws:ResourceAccount", world.account.as_str()),
    ];
    if let Some(found) = &world.organization {
        keys.extend([("aws:PrincipalOrgID", found.id.as_str()), ("aws:ResourceOrgID", found.id.as_str())]);
    }
    for (key, value) in keys {
        context.entry(key.to_owned()).or_insert_with(|| vec![value.to_owned()]);
    }
}
