//! First: who asks, and what stands under the stack's names.

use std::collections::BTreeMap;

use super::visible;
use crate::cloud::iam::Role;
use crate::cloud::lambda::Version;
use crate::cloud::rds::TaggedProxy;
use crate::cloud::sts::Identity;
use crate::cloud::{Answer, Cloud, Owner, tags};
use crate::discover::functions::ByName;
use crate::discover::others::Others;
use crate::discover::{Database, Problem, functions, given, remembered};
use crate::engine::Observed;
use crate::names::Names;
use crate::ownership;
use crate::resources::proxy;
use crate::spec::{DatabaseAuth, Spec};

/// Who asks, and what stands under the stack's names.
pub(super) struct Base<'a> {
    /// The caller.
    pub(super) identity: Identity,
    /// The names of all resources.
    pub(super) names: Names,
    /// Ownership.
    pub(super) owner: Owner,
    /// The database.
    pub(super) database: Database,
    /// The proxy.
    pub(super) proxy: Observed<TaggedProxy>,
    /// The proxy's role, where this stack makes it.
    pub(super) role: Observed<Role>,
    /// The functions of the region, or those that were named.
    pub(super) listed: ByName,
    /// What they have published, where that came along.
    pub(super) versions: Option<BTreeMap<String, Vec<Version>>>,
    /// How many proxies the region has.
    pub(super) proxies: Answer<usize>,
    /// Other proxies that serve the database, where this stack has none yet.
    pub(super) others: Option<Others>,
    /// The settings as the caller gave them.
    pub(super) asked: &'a Spec,
    /// The same, with what the proxy's tags remember of earlier runs.
    pub(super) spec: Spec,
    /// Whether the proxy is one that someone else made.
    pub(super) adopted: bool,
    /// Whether the proxy logs in with IAM at the database.
    pub(super) end_to_end: bool,
}

impl<'a> Base<'a> {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, asked: &'a Spec) -> Result<Self, Problem> {
        // Alone and first: without credentials or a way to AWS, everything below would fail at once.
        let identity = cloud.sts.identity().await.map_err(Problem::refused("asking AWS who is calling"))?;
        given::in_this_account(asked, &identity)?;
        Database::in_this_account(&asked.database, &identity.account)?;
        let names = Names::new(&asked.stack, &cloud.region);
        let owner =
            Owner { stack: asked.stack.clone(), database: asked.database.id.clone(), extra: asked.tags.clone() };

        let (database, listed, proxies, role) = tokio::join!(
            Database::find(cloud, &asked.database),
            functions::read(cloud, &asked.functions),
            proxy::among_all(cloud, &names.stack),
            cloud.iam.role(&names.role),
        );
        let database = database?;
        let (proxy, all, proxies) = match proxies {
            Ok((proxy, all)) => (Ok(proxy), all.clone(), Ok(all.len())),
            Err(refusal) => (Err(refusal.clone()), Vec::new(), Err(refusal)),
        };
        let (listed, versions) = listed.map_err(Problem::refused("listing the functions"))?;
        let proxy = visible(proxy, "looking for the proxy")?;
        let role: Observed<Role> = visible(role.map(Observed::from), "looking for the proxy's role")?;
        // Where the proxy is there, what others do is a question for doctor: this costs a call for each of them.
        let others = if proxy.is_absent() { Some(Others::find(cloud, &all, &names, &database).await) } else { None };
        if let Some(others) = others.as_ref().filter(|_| asked.adopt) {
            return Err(others.nothing_to_adopt(&names.stack, &database.id, &cloud.region));
        }
        let recalled = proxy.present().map(|found| remembered::recall(asked, &found.tags, &found.proxy)).transpose()?;
        let spec = recalled.unwrap_or_else(|| asked.clone());
        let (adopted, end_to_end) = (adopted(&spec, &owner, &names, &proxy), end_to_end(&spec, &proxy));
        if adopted && asked.log_retention.is_some() {
            return Err(Problem::unfit(
                format!("planning the log group ({}): someone else made this proxy, and keeps its logs", names.stack),
                ["Leave --log-retention out, and set it by hand: aws logs put-retention-policy."],
            ));
        }
        Ok(Self {
            identity,
            names,
            owner,
            database,
            proxy,
            role,
            listed,
            versions,
            proxies,
            others,
            asked,
            spec,
            adopted,
            end_to_end,
        })
    }

    /// The proxy's own description.
    pub(super) fn described(&self) -> Option<&crate::cloud::rds::Proxy> {
        self.proxy.present().map(|found| &found.proxy)
    }
}

/// Whether the proxy logs in with IAM: as it is asked to, or else as it does.
fn end_to_end(spec: &Spec, proxy: &Observed<TaggedProxy>) -> bool {
    let as_it_is = || proxy.present().is_some_and(|found| found.proxy.iam_to_database);
    spec.database_auth.map_or_else(as_it_is, |wanted| wanted == DatabaseAuth::Iam)
}

/// Whether the proxy is one that someone else made, and that was taken over or may be.
fn adopted(spec: &Spec, owner: &Owner, names: &Names, proxy: &Observed<TaggedProxy>) -> bool {
    proxy.present().is_some_and(|found| {
        let foreign = !found.tags.contains_key(tags::STACK);
        // One with our role is ours, whatever its tags say.
        ownership::adopted(owner, names, found, &[]) || (spec.adopt && foreign)
    })
}
