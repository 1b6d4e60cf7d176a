//! Published versions, the aliases that point at them, and what else is bound to one.

use std::collections::HashMap;
use std::fmt;

use aws_sdk_lambda::types::builders::AliasRoutingConfigurationBuilder;
use aws_sdk_lambda::types::{
    AliasConfiguration, AliasRoutingConfiguration, FunctionConfiguration, ProvisionedConcurrencyConfigListItem, State,
};

use super::{Lambda, Variables};
use crate::error::{Answer, Kind, Refusal, refuse};
use crate::pages::capped;

/// `$LATEST`, or a published version: frozen code and configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// `$LATEST`, or its number.
    pub number: String,
    /// The digest of its code.
    pub code: String,
    /// Its variables.
    pub variables: Variables,
    /// Whether AWS hides the variables.
    pub hidden: bool,
    /// Everything else of its configuration that a release would change, for comparison.
    pub rest: String,
    /// Its security groups.
    pub groups: Vec<String>,
    /// The description that its publisher wrote.
    pub description: String,
    /// Whether it can be invoked already.
    pub ready: bool,
    /// Why it never will be, in AWS's words.
    pub failed: Option<String>,
}

/// A name that points at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// The version that it points at.
    pub version: String,
    /// The other version that gets a share of its calls.
    pub split: Option<Split>,
    /// The revision, for compare-and-set.
    pub revision: Option<String>,
}

/// A share of an alias's calls that another version gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The other version; empty for several, which AWS does not allow today: it could be any.
    pub version: String,
    /// Its share, in thousandths.
    pub thousandths: u32,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenths) = (self.thousandths / 10, self.thousandths % 10);
        if tenths == 0 { write!(f, "{whole} % of its calls") } else { write!(f, "{whole}.{tenths} % of its calls") }
    }
}

/// The number that `$LATEST` stands under in lists.
pub const LATEST: &str = "$LATEST";

const PROVISIONED: &str = "lambda:ListProvisionedConcurrencyConfigs";

impl Lambda {
    /// Lists `$LATEST` and all published versions of a function.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn versions(&self, function: &str) -> Answer<Vec<Version>> {
        const CALL: &str = "lambda:ListVersionsByFunction";
        let mut versions = Vec::new();
        let mut pages = capped(self.client.list_versions_by_function().function_name(function).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(CALL, &error))?;
            versions.extend(page.versions.unwrap_or_default().into_iter().filter_map(version));
        }
        Ok(versions)
    }

    /// Reads one version, with its state.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn version(&self, function: &str, number: &str) -> Answer<Option<Version>> {
        const CALL: &str = "lambda:GetFunction";
        match self.client.get_function().function_name(function).qualifier(number).send().await {
            Ok(answer) => Ok(answer.configuration.and_then(version)),
            Err(error) => {
                let refusal = refuse(CALL, &error);
                if refusal.kind == Kind::NotFound { Ok(None) } else { Err(refusal) }
            }
        }
    }

    /// Lists a function's aliases.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn aliases(&self, function: &str) -> Answer<Vec<Alias>> {
        const CALL: &str = "lambda:ListAliases";
        let mut aliases = Vec::new();
        let mut pages = capped(self.client.list_aliases().function_name(function).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(CALL, &error))?;
            aliases.extend(page.aliases.unwrap_or_default().into_iter().filter_map(alias));
        }
        Ok(aliases)
    }

    /// Lists the ARNs of functions that event sources of this region call, qualifiers included.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn event_targets(&self) -> Answer<Vec<String>> {
        const CALL: &str = "lambda:ListEventSourceMappings";
        let mut targets = Vec::new();
        let mut pages = capped(self.client.list_event_source_mappings().into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(CALL, &error))?;
            let mappings = page.event_source_mappings.unwrap_or_default();
            targets.extend(mappings.into_iter().filter_map(|mapping| mapping.function_arn));
        }
        Ok(targets)
    }

    /// Lists the ARNs, qualifiers included, that a function has provisioned concurrency for.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn provisioned(&self, function: &str) -> Answer<Vec<String>> {
        let configs = self.provisioned_configs(function).await?;
        Ok(configs.into_iter().filter_map(|config| config.function_arn).collect())
    }

    /// The provisioned concurrency of a function, over all of its versions and aliases.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn provisioned_total(&self, function: &str) -> Answer<u64> {
        let configs = self.provisioned_configs(function).await?;
        configs.into_iter().try_fold(0_u64, |total, config| {
            let count = config.requested_provisioned_concurrent_executions;
            let count = count.and_then(|count| u64::try_from(count).ok());
            let count = count.ok_or_else(|| Refusal::incomplete(PROVISIONED, "the concurrency"))?;
            Ok(total.saturating_add(count))
        })
    }

    async fn provisioned_configs(&self, function: &str) -> Answer<Vec<ProvisionedConcurrencyConfigListItem>> {
        let mut configs = Vec::new();
        let mut pages =
            capped(self.client.list_provisioned_concurrency_configs().function_name(function).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(PROVISIONED, &error))?;
            configs.extend(page.provisioned_concurrency_configs.unwrap_or_default());
        }
        Ok(configs)
    }

    /// Publishes `$LATEST`, if its code is still `code`; answers the last version where nothing has changed since.
    ///
    /// # Errors
    /// When the code is another by now, an update is under way, or AWS refuses otherwise.
    pub async fn publish(&self, function: &str, code: &str, description: &str) -> Answer<Version> {
        const CALL: &str = "lambda:PublishVersion";
        let call = self.client.publish_version().function_name(function).code_sha256(code).description(description);
        let answer = call.send().await.map_err(|error| refuse(CALL, &error))?;
        let missing = || Refusal::incomplete(CALL, "the version");
        let variables = answer.environment.and_then(|environment| environment.variables).unwrap_or_default();
        Ok(Version {
            number: answer.version.ok_or_else(missing)?,
            code: answer.code_sha256.unwrap_or_default(),
            variables: Variables(variables.into_iter().collect()),
            hidden: false,
            rest: String::new(),
            groups: Vec::new(),
            description: answer.description.unwrap_or_default(),
            ready: answer.state.is_none_or(|state| state == State::Active),
            failed: None,
        })
    }

    /// Points an alias at a version, with all of its calls, if the alias is still at its revision.
    ///
    /// # Errors
    /// [`Kind::Stale`] when it is not, or when AWS refuses otherwise.
    pub async fn move_alias(&self, function: &str, found: &Alias, version: &str) -> Answer<()> {
        // Weights stay where nothing is said of them, and those of the version that the alias points at are refused.
        let whole = found.split.is_some().then(HashMap::new);
        self.update_alias(function, found, Some(version), whole).await.map(drop)
    }

    /// Sends a share of an alias's calls to another version, if the alias is still at its revision. Both must be
    /// published, and have the same role and the same dead-letter queue
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html>).
    ///
    /// # Errors
    /// As [`Self::move_alias`].
    pub async fn split_alias(&self, function: &str, found: &Alias, split: &Split) -> Answer<Alias> {
        let weights = HashMap::from([(split.version.clone(), f64::from(split.thousandths) / 1000.0)]);
        self.update_alias(function, found, None, Some(weights)).await
    }

    async fn update_alias(
        &self,
        function: &str,
        found: &Alias,
        version: Option<&str>,
        weights: Option<HashMap<String, f64>>,
    ) -> Answer<Alias> {
        const CALL: &str = "lambda:UpdateAlias";
        let routing =
            weights.map(|weights| AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights)));
        let call = self.client.update_alias().function_name(function).name(&found.name);
        let call = call
            .set_function_version(version.map(str::to_owned))
            .set_routing_config(routing.map(AliasRoutingConfigurationBuilder::build));
        let call = call.set_revision_id(found.revision.clone());
        let answer = call.send().await.map_err(|error| refuse(CALL, &error))?;
        let version = answer.function_version.ok_or_else(|| Refusal::incomplete(CALL, "the alias's version"))?;
        let split = split(answer.routing_config);
        Ok(Alias { name: found.name.clone(), version, split, revision: answer.revision_id })
    }

    /// Deletes one published version; that it is gone already is fine.
    ///
    /// # Errors
    /// When an alias points at it, or AWS refuses otherwise.
    pub async fn delete_version(&self, function: &str, number: &str) -> Answer<()> {
        const CALL: &str = "lambda:DeleteFunction";
        match self.client.delete_function().function_name(function).qualifier(number).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let refusal = refuse(CALL, &error);
                if refusal.kind == Kind::NotFound { Ok(()) } else { Err(refusal) }
            }
        }
    }
}

pub(super) fn version(found: FunctionConfiguration) -> Option<Version> {
    // Whatever a release would bring along besides code and variables. `Debug` serves for comparison alone; what AWS
    // keeps as sets comes in any order.
    let sorted = |list: Option<&Vec<String>>| {
        let mut list = list.cloned().unwrap_or_default();
        list.sort();
        list
    };
    let groups = sorted(found.vpc_config.as_ref().and_then(|network| network.security_group_ids.as_ref()));
    let network = found.vpc_config.as_ref().map(|network| {
        let (subnets, groups) = (sorted(network.subnet_ids.as_ref()), sorted(network.security_group_ids.as_ref()));
        (subnets, groups, network.ipv6_allowed_for_dual_stack)
    });
    let mut mounts: Vec<String> =
        found.file_system_configs.iter().flatten().map(|mounted| format!("{mounted:?}")).collect();
    mounts.sort();
    let rest = format!(
        "{:?}",
        (
            (&found.runtime, &found.role, &found.handler, &found.timeout, &found.memory_size, network),
            (&found.layers, &found.architectures, &found.ephemeral_storage, &found.kms_key_arn, &found.tracing_config),
            (&found.dead_letter_config, mounts, &found.package_type, &found.image_config_response),
        )
    );
    let (variables, hidden) = match found.environment {
        Some(environment) => (environment.variables.unwrap_or_default(), environment.error.is_some()),
        None => (HashMap::new(), false),
    };
    Some(Version {
        number: found.version?,
        code: found.code_sha256.unwrap_or_default(),
        variables: Variables(variables.into_iter().collect()),
        hidden,
        rest,
        groups,
        description: found.description.unwrap_or_default(),
        ready: found.state.as_ref().is_none_or(|state| *state == State::Active),
        failed: (found.state == Some(State::Failed)).then(|| found.state_reason.unwrap_or_default()),
    })
}

fn alias(found: AliasConfiguration) -> Option<Alias> {
    let split = split(found.routing_config);
    Some(Alias { name: found.name?, version: found.function_version?, split, revision: found.revision_id })
}

/// Who else gets calls of an alias.
fn split(routing: Option<AliasRoutingConfiguration>) -> Option<Split> {
    let weights = routing.and_then(|routing| routing.additional_version_weights).unwrap_or_default();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and a share is 0 to 1"
    )]
    let thousandths = (weights.values().sum::<f64>() * 1000.0).round() as u32;
    let version = match weights.keys().collect::<Vec<_>>().as_slice() {
        [] => return None,
        [one] => (*one).clone(),
        _ => String::new(),
    };
    Some(Split { version, thousandths })
}
