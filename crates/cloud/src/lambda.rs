//! AWS Lambda: functions, their variables and tags.

mod load;
mod probe;
mod versions;

use std::collections::BTreeMap;
use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::types::{
    Architecture, Environment, EnvironmentResponse, FunctionConfiguration, FunctionVersion, LastUpdateStatus,
    VpcConfigResponse,
};

use super::Tags;
use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};
use super::pages::capped;

pub use load::{Concurrency, Mapping};
pub use probe::{Invoked, NewFunction, Published, State};
pub use versions::{Alias, LATEST, Split, Version};

/// The Lambda client.
#[derive(Debug, Clone)]
pub struct Lambda {
    client: Client,
}

/// A function's environment variables. Their values are never shown: `Debug` prints names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(pub BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Where a function's last configuration change stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Live.
    Successful,
    /// Under way.
    InProgress,
    /// It failed; the former configuration is live. The reason, in AWS's words.
    Failed(String),
    /// AWS did not say (lists do not).
    Unknown,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The execution role's ARN.
    pub role: String,
    /// The VPC, if it is in one.
    pub vpc: Option<String>,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Whether it may use IPv6 in dual-stack subnets.
    pub ipv6: bool,
    /// After how many seconds it is stopped; `None` where AWS does not say.
    pub timeout: Option<u64>,
    /// Invocations that share an environment, on Lambda Managed Instances.
    pub per_environment: Option<u64>,
    /// Its memory in MiB; `None` where AWS does not say.
    pub memory_mib: Option<u64>,
    /// Whether it runs on Graviton.
    pub arm: bool,
    /// Where it logs.
    pub log_group: Option<String>,
    /// Whether it can be called.
    pub state: State,
    /// The variables of `$LATEST`.
    pub variables: Variables,
    /// Why AWS does not show the variables, if it does not: then nothing may be written.
    pub hidden: Option<String>,
    /// The revision, for compare-and-set.
    pub revision: Option<String>,
    /// The last update.
    pub update: Update,
    /// The customer KMS key of the environment.
    pub kms_key: Option<String>,
    /// The tags; `None` where they are not known: lists do not give them, and `GetFunction` only to callers that may
    /// list them.
    pub tags: Option<Tags>,
    /// Why AWS does not show the tags, where it was asked for them.
    pub unread_tags: Option<String>,
}

/// Every function of a region.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// They, by `$LATEST`.
    pub functions: Vec<Function>,
    /// What each has published, `$LATEST` first; `None` where that would have taken too many pages.
    pub versions: Option<BTreeMap<String, Vec<Version>>>,
}

impl Lambda {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Lists every function of the region, without tags and update status.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn list(&self) -> Answer<Vec<Function>> {
        const CALL: &str = "lambda:ListFunctions";
        let mut functions = Vec::new();
        let mut pages = capped(self.client.list_functions().into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(CALL, &error))?;
            functions.extend(page.functions.unwrap_or_default().into_iter().filter_map(|found| plain(found, None)));
        }
        Ok(functions)
    }

    /// Lists every function of the region with all versions, or without them where a few functions have published so
    /// much that asking for the versions of single functions is cheaper.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn list_with_versions(&self) -> Answer<Listed> {
        const CALL: &str = "lambda:ListFunctions";
        let mut listed = Listed::default();
        let mut versions: BTreeMap<String, Vec<Version>> = BTreeMap::new();
        let (mut rows, mut marker) = (0, None);
        loop {
            let call = self.client.list_functions().function_version(FunctionVersion::All).set_marker(marker);
            let page = call.send().await.map_err(|error| refuse(CALL, &error))?;
            for mut found in page.functions.unwrap_or_default() {
                rows += 1;
                let number = found.version.get_or_insert_with(|| LATEST.to_owned()).clone();
                let Some(name) = found.function_name.clone() else { continue };
                versions.entry(name).or_default().extend(versions::version(found.clone()));
                if number == LATEST {
                    let arn = found.function_arn.take();
                    found.function_arn = arn.map(|arn| arn.trim_end_matches(":$LATEST").to_owned());
                    listed.functions.extend(plain(found, None));
                }
            }
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(Listed { versions: Some(versions), ..listed });
            }
            if rows > 2 * listed.functions.len() {
                return Ok(Listed { functions: self.list().await?, versions: None });
            }
        }
    }

    /// Reads one function with tags and update status, by name or ARN.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn get(&self, name: &str) -> Answer<Option<Function>> {
        const CALL: &str = "lambda:GetFunction";
        let answer = match self.client.get_function().function_name(name).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refusal = refuse(CALL, &error);
                return if refusal.kind == Kind::NotFound { Ok(None) } else { Err(refusal) };
            }
        };
        // Tags that are not shown are unknown, not none
        // (<https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html#API_GetFunction_ResponseSyntax>).
        let unread = answer.tags_error.map(|error| format!("{}: {}", error.error_code, error.message));
        let tags = match &unread {
            Some(_) => None,
            None => Some(answer.tags.unwrap_or_default().into_iter().collect()),
        };
        let found = answer.configuration.ok_or_else(|| Refusal::incomplete(CALL, "the configuration"))?;
        let found = plain(found, tags).ok_or_else(|| Refusal::incomplete(CALL, "the function's name or role"))?;
        Ok(Some(Function { unread_tags: unread, ..found }))
    }

    /// Replaces the variables of `$LATEST`, if the function is still at `revision`.
    ///
    /// # Errors
    /// [`Kind::Stale`] when it is not, [`Kind::NotYet`] while an update is under way, or when AWS refuses otherwise.
    pub async fn set_variables(&self, function: &Function, variables: &Variables) -> Answer<Function> {
        const CALL: &str = "lambda:UpdateFunctionConfiguration";
        let environment = Environment::builder().set_variables(Some(variables.0.clone().into_iter().collect())).build();
        let answer = self
            .client
            .update_function_configuration()
            .function_name(&function.name)
            .environment(environment)
            .set_revision_id(function.revision.clone())
            .send()
            .await
            .map_err(|error| discreet(refuse(CALL, &error), variables))?;
        Ok(Function {
            variables: variables.clone(),
            revision: answer.revision_id,
            update: update(answer.last_update_status.as_ref(), answer.last_update_status_reason),
            ..function.clone()
        })
    }

    /// Adds tags.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tag(&self, arn: &str, tags: &Tags) -> Answer<()> {
        let tags = tags.clone().into_iter().collect();
        let call = self.client.tag_resource().resource(arn).set_tags(Some(tags)).send();
        call.await.map(drop).map_err(|error| refuse("lambda:TagResource", &error))
    }

    /// Removes tags.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn untag(&self, arn: &str, keys: Vec<String>) -> Answer<()> {
        let call = self.client.untag_resource().resource(arn).set_tag_keys(Some(keys)).send();
        call.await.map(drop).map_err(|error| refuse("lambda:UntagResource", &error))
    }
}

/// A refusal without the variables' values: of an environment that is too large, AWS quotes all of it.
fn discreet(mut refusal: Refusal, variables: &Variables) -> Refusal {
    if let Some((said, _)) = refusal.message.split_once('{') {
        refusal.message = format!("{} (the rest, which may quote variables, is left out)", said.trim_end());
    }
    for value in variables.0.values().filter(|value| value.len() > 3) {
        refusal.message = refusal.message.replace(value.as_str(), "…");
    }
    refusal
}

fn plain(found: FunctionConfiguration, tags: Option<Tags>) -> Option<Function> {
    let network = found.vpc_config.unwrap_or_else(|| VpcConfigResponse::builder().build());
    let (variables, hidden) = match found.environment {
        Some(EnvironmentResponse { variables, error, .. }) => (
            variables.unwrap_or_default().into_iter().collect(),
            error.map(|error| error.message.or(error.error_code).unwrap_or_else(|| "AWS gave no reason".to_owned())),
        ),
        None => (BTreeMap::new(), None),
    };
    Some(Function {
        name: found.function_name?,
        arn: found.function_arn?,
        role: found.role?,
        vpc: network.vpc_id.filter(|id| !id.is_empty()),
        subnets: network.subnet_ids.unwrap_or_default(),
        security_groups: network.security_group_ids.unwrap_or_default(),
        ipv6: network.ipv6_allowed_for_dual_stack.unwrap_or(false),
        per_environment: found
            .capacity_provider_config
            .and_then(|config| config.lambda_managed_instances_capacity_provider_config)
            .and_then(|config| config.per_execution_environment_max_concurrency)
            .and_then(|count| u64::try_from(count).ok()),
        timeout: found.timeout.and_then(|seconds| u64::try_from(seconds).ok()),
        memory_mib: found.memory_size.and_then(|size| u64::try_from(size).ok()),
        arm: found.architectures.unwrap_or_default().contains(&Architecture::Arm64),
        log_group: found.logging_config.and_then(|logging| logging.log_group),
        state: probe::state(found.state.as_ref(), found.state_reason),
        variables: Variables(variables),
        hidden,
        revision: found.revision_id,
        update: update(found.last_update_status.as_ref(), found.last_update_status_reason),
        kms_key: found.kms_key_arn,
        tags,
        unread_tags: None,
    })
}

fn update(status: Option<&LastUpdateStatus>, reason: Option<String>) -> Update {
    match status {
        Some(LastUpdateStatus::Successful) => Update::Successful,
        Some(LastUpdateStatus::InProgress) => Update::InProgress,
        Some(LastUpdateStatus::Failed) => Update::Failed(reason.unwrap_or_else(|| "AWS gave no reason".to_owned())),
        _ => Update::Unknown,
    }
}
