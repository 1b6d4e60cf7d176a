//! What a diagnosis looks at, and nothing else does: what a role may do.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult};

use super::Iam;
use crate::cloud::error::{Answer, refuse};

/// What IAM's policy simulator says of one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The action.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// `allowed`, `implicitDeny`, `explicitDeny`.
    pub decision: String,
}

impl Judgement {
    /// Whether the action is allowed.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.decision == "allowed"
    }
}

impl Iam {
    /// Asks the policy simulator what a role may do; service control policies and a boundary count.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn simulate(
        &self,
        role: &str,
        action: &str,
        resources: &[String],
        context: Option<(&str, &str)>,
    ) -> Answer<Vec<Judgement>> {
        let entry = context.map(|(key, value)| {
            ContextEntry::builder()
                .context_key_name(key)
                .context_key_values(value)
                .context_key_type(ContextKeyTypeEnum::String)
                .build()
        });
        let call = self.client.simulate_principal_policy().policy_source_arn(role).action_names(action);
        let call = call.set_resource_arns(Some(resources.to_vec())).set_context_entries(entry.map(|entry| vec![entry]));
        let mut pages = call.into_paginator().send();
        let mut judged = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("iam:SimulatePrincipalPolicy", &error))?;
            judged.extend(page.evaluation_results.unwrap_or_default().into_iter().map(plain));
        }
        Ok(judged)
    }
}

fn plain(result: EvaluationResult) -> Judgement {
    Judgement {
        action: result.eval_action_name,
        resource: result.eval_resource_name.unwrap_or_default(),
        decision: result.eval_decision.as_str().to_owned(),
    }
}
