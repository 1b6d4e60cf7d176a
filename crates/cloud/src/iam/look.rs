//! What a diagnosis looks at, and nothing else does: what a role may do.

use std::fmt;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};

use super::Iam;
use crate::error::{Answer, Refusal, refuse};
use crate::pages::capped;

const CALL: &str = "iam:SimulatePrincipalPolicy";

/// What IAM's policy simulator says of one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The action.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// `allowed`, `implicitDeny`, `explicitDeny`.
    pub decision: String,
    /// Why a denial may not be AWS's own answer to the real request.
    pub doubt: Option<Doubt>,
}

/// Why a simulated denial proves nothing: the real request carries more than a simulation is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// A service control policy of the organization denies it. The simulator evaluates their conditions without saying
    /// which keys it lacks (<https://github.com/aws/aws-cli/issues/10525>).
    Organization,
    /// The role's permissions boundary denies it.
    Boundary,
    /// The policies ask for condition keys that nobody here knows.
    Context(Vec<String>),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization => write!(
                f,
                "a service control policy of the organization denies it in IAM's simulator, which does not know all conditions of a real request"
            ),
            Self::Boundary => write!(f, "the role's permissions boundary denies it in IAM's simulator"),
            Self::Context(keys) => write!(f, "its policies have conditions on {}, which is not known", keys.join(", ")),
        }
    }
}

impl Judgement {
    /// Whether the action is allowed.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.decision == "allowed"
    }

    /// Whether it is denied for sure: by the role's own policies, and with every condition known.
    #[must_use]
    pub fn denied(&self) -> bool {
        !self.allowed() && self.doubt.is_none()
    }

    /// What cannot be judged, as a sentence's second half.
    #[must_use]
    pub fn doubted(&self) -> Option<String> {
        let doubt = self.doubt.as_ref().filter(|_| !self.allowed())?;
        Some(format!("{} on {}: {doubt}", self.action, self.resource))
    }
}

/// What is known of the request that a simulation stands for.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The region whose endpoint gets it.
    pub region: &'a str,
    /// The account that the role belongs to.
    pub account: &'a str,
    /// One key of the service's own, with its value.
    pub further: Option<(&'a str, &'a str)>,
}

impl Known<'_> {
    /// Every request has these keys
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).
    fn entries(&self, role: &str) -> Vec<ContextEntry> {
        let entry = |(key, value): (&str, &str)| {
            ContextEntry::builder()
                .context_key_name(key)
                .context_key_values(value)
                .context_key_type(ContextKeyTypeEnum::String)
                .build()
        };
        let keys =
            [("aws:RequestedRegion", self.region), ("aws:PrincipalArn", role), ("aws:PrincipalAccount", self.account)];
        keys.into_iter().chain(self.further).map(entry).collect()
    }
}

impl Iam {
    /// Asks the policy simulator what a role may do; service control policies and a boundary count.
    ///
    /// # Errors
    /// When AWS refuses, or says nothing about one of the resources.
    pub async fn simulate(
        &self,
        role: &str,
        action: &str,
        resources: &[String],
        known: Known<'_>,
    ) -> Answer<Vec<Judgement>> {
        let call = self.client.simulate_principal_policy().policy_source_arn(role).action_names(action);
        let call = call.set_resource_arns(Some(resources.to_vec())).set_context_entries(Some(known.entries(role)));
        let mut pages = capped(call.into_paginator().send());
        let mut judged = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(CALL, &error))?;
            for row in page.evaluation_results.unwrap_or_default() {
                judged.extend(by_resource(row, resources));
            }
        }
        let silent = resources.iter().find(|resource| !judged.iter().any(|found| found.resource == **resource));
        match silent {
            Some(resource) => Err(Refusal::incomplete(CALL, &format!("a decision on {resource}"))),
            None => Ok(judged),
        }
    }
}

/// The decisions of a row, one a resource.
///
/// A row without them speaks of the resource that it names, or of all where its name is a template of an ARN.
fn by_resource(row: EvaluationResult, asked: &[String]) -> Vec<Judgement> {
    let action = row.eval_action_name;
    // Resources have no such detail of their own: a denial of the organization's on one of them stands for all.
    let organization = row.organizations_decision_detail.is_some_and(|detail| !detail.allowed_by_organizations);
    let boundary = row.permissions_boundary_decision_detail.map(|detail| detail.allowed_by_permissions_boundary);
    let judge =
        |resource: String, decision: &PolicyEvaluationDecisionType, boundary: Option<bool>, missing: Vec<String>| {
            let doubt = match (organization, boundary) {
                (true, _) => Some(Doubt::Organization),
                (false, Some(false)) => Some(Doubt::Boundary),
                _ if !missing.is_empty() => Some(Doubt::Context(missing)),
                _ => None,
            };
            Judgement { action: action.clone(), resource, decision: decision.as_str().to_owned(), doubt }
        };
    let specific = row.resource_specific_results.unwrap_or_default();
    if specific.is_empty() {
        let named: Vec<String> = row.eval_resource_name.filter(|name| asked.contains(name)).into_iter().collect();
        let resources = if named.is_empty() { asked.to_vec() } else { named };
        let missing = row.missing_context_values.unwrap_or_default();
        return resources
            .into_iter()
            .map(|resource| judge(resource, &row.eval_decision, boundary, missing.clone()))
            .collect();
    }
    let of_resource = |found: aws_sdk_iam::types::ResourceSpecificResult| {
        let boundary = found.permissions_boundary_decision_detail.map(|detail| detail.allowed_by_permissions_boundary);
        judge(
            found.eval_resource_name,
            &found.eval_resource_decision,
            boundary,
            found.missing_context_values.unwrap_or_default(),
        )
    };
    specific.into_iter().map(of_resource).collect()
}
