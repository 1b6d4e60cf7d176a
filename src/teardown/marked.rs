//! First: what carries the stack's names and tags, and whether it proves to be the stack's.

use super::served::{Wanted, served, told};
use crate::cloud::ec2::{Group, Rule};
use crate::cloud::lambda::Listed;
use crate::cloud::{Cloud, Kind, Owner, tags};
use crate::discover::evidence::takes;
use crate::discover::home::Home;
use crate::discover::hosts::KnownHost;
use crate::discover::{Database, Problem};
use crate::names::{Names, secret_prefix};
use crate::probe::left_over;
use crate::resources::alarms::{AlarmsFound, AlarmsRemoval};
use crate::resources::connect_policy::PolicyRemoval;
use crate::resources::direct_rules::Doors;
use crate::resources::ingress::RulesRemoval;
use crate::resources::log_group::{LogGroupFound, LogGroupRemoval};
use crate::resources::proxy::{self, ProxyRemoval};
use crate::resources::proxy_group::GroupRemoval;
use crate::resources::proxy_role::RoleRemoval;
use crate::resources::secret_access::{IamAuthRemoval, SecretRemoval};
use crate::spec::DatabaseRef;

/// What carries the stack's names and tags.
pub(super) struct Marked {
    /// The stack's names.
    pub(super) names: Names,
    /// What stands under our names but is not ours.
    pub(super) foreign: Vec<String>,
    /// Functions of a probe that was killed.
    pub(super) probes: Vec<String>,
    /// Whether there was a proxy of our name, whether this stack made it or not.
    pub(super) was_there: bool,
    /// The proxy.
    pub(super) proxy: Option<ProxyRemoval>,
    /// The proxy's log group.
    pub(super) log_group: LogGroupFound,
    /// The alarms and the dashboard.
    pub(super) alarms: AlarmsFound,
    /// The connect policies.
    pub(super) policies: Vec<PolicyRemoval>,
    /// The rules.
    pub(super) rules: Vec<Rule>,
    /// The secrets.
    pub(super) secrets: Vec<SecretRemoval>,
    /// IAM authentication, where this stack turned it on.
    pub(super) iam_auth: Option<IamAuthRemoval>,
    /// The proxy's role.
    pub(super) role: Option<RoleRemoval>,
    /// The proxy's groups.
    pub(super) groups: Vec<Group>,
    /// The database that the stack serves.
    pub(super) served: Option<String>,
    /// Its hosts as they are now.
    pub(super) home: Option<Home>,
    /// Every host that is known to mean it.
    pub(super) known: Vec<KnownHost>,
    /// Its groups and its port; the functions' groups are found later.
    pub(super) doors: Doors,
    /// All functions of the region.
    pub(super) listed: Listed,
}

impl Marked {
    /// Reads and judges it.
    pub(super) async fn read(cloud: &Cloud, stack: &str, wanted: Wanted<'_>) -> Result<Self, Problem> {
        let database = wanted.database();
        let identity = cloud.sts.identity().await.map_err(Problem::refused("asking AWS who is calling"))?;
        let names = Names::new(stack, &cloud.region);
        let owner = Owner { stack: stack.to_owned(), database: String::new(), extra: tags::Tags::new() };
        let arn = names.policy_arn(&identity.partition, &identity.account);
        let prefix = secret_prefix(stack);
        let (proxy, role, groups, rules, listed, secrets, hosts, log_group, alarms) = tokio::join!(
            proxy::observe(cloud, stack, None),
            RoleRemoval::find(cloud, &owner, &names),
            cloud.ec2.groups_tagged_with(tags::STACK, stack),
            cloud.ec2.rules_tagged_with(tags::STACK, stack),
            cloud.lambda.list_with_versions(),
            cloud.secrets.beginning_with(&prefix),
            of_database(cloud, database.as_ref(), &identity.account, stack),
            LogGroupRemoval::find(cloud, &owner, stack),
            AlarmsRemoval::find(cloud, &owner),
        );
        let doing = "looking for what belongs to the stack";
        let secrets = secrets.map_err(Problem::refused(doing))?;
        let mut foreign = Vec::new();
        let proxy = proxy.map_err(Problem::refused(doing))?.present().cloned();
        let was_there = proxy.is_some();
        let alarms = alarms.map_err(Problem::refused("looking for the proxy's alarms"))?;
        if let AlarmsFound::Known(found) = &alarms {
            foreign.extend(found.foreign());
        }
        let set = proxy.as_ref().is_some_and(|found| found.tags.contains_key(tags::LOG_RETENTION));
        let log_group = match log_group {
            // Nothing else of the stack needs its events; only what this stack set is missed.
            Err(refusal) if refusal.kind == Kind::Denied && !set => LogGroupFound::Unknown,
            // Where the proxy is there, it has to remember it as well: one right alone writes only one of the two tags.
            found => found
                .map(|found| if was_there && !set { found.of_others() } else { found })
                .map_err(Problem::refused("looking for the proxy's log group"))?,
        };
        // Also of one that was handed back already: its rules may still be there.
        let proxy_groups = proxy.as_ref().map(|found| found.proxy.security_groups.clone()).unwrap_or_default();
        let role = role.map_err(Problem::refused(doing))?.ours(&mut foreign);
        let OfDatabase { iam_auth, home, known, doors } = hosts?;
        let iam_auth = IamAuthRemoval::judge(iam_auth, role.as_ref().map(|found| &found.role)).ours(&mut foreign);
        // A proxy that takes passwords alone, or has an administrator's policy, came to need none.
        let needs_none = proxy
            .as_ref()
            .is_some_and(|found| found.tags.contains_key(tags::CONNECT_POLICY) || takes(&found.proxy) == Some(false));
        let policies = PolicyRemoval::find(cloud, &owner, &names, &arn, needs_none).await;
        let policies = policies.map_err(Problem::refused(doing))?.into_iter();
        let policies: Vec<PolicyRemoval> = policies.filter_map(|found| found.ours(&mut foreign)).collect();
        let groups = groups.map_err(Problem::refused(doing))?;
        let groups: Vec<Group> = groups
            .into_iter()
            .filter_map(|group| GroupRemoval::judge(&owner, &names, group).ours(&mut foreign))
            .collect();
        let own_groups: Vec<String> = groups.iter().map(|group| group.id.clone()).collect();
        let proxy = ProxyRemoval::judge(&owner, &names, proxy, &own_groups).ours(&mut foreign);
        let role_tags = role.as_ref().map(|found| &found.role.tags);
        let tags = told(proxy.as_ref(), groups.first().map(|group| &group.tags), role_tags);
        let served = served(cloud, stack, wanted, proxy.as_ref(), tags).await?;
        let secrets = SecretRemoval::find(cloud, &owner, secrets, proxy.as_ref()).await?;
        let rules = rules.map_err(Problem::refused(doing))?;
        let proxy_groups: Vec<String> = own_groups.into_iter().chain(proxy_groups).collect();
        let rules: Vec<Rule> = rules
            .into_iter()
            .filter_map(|rule| RulesRemoval::judge(&owner, rule, &proxy_groups).ours(&mut foreign))
            .collect();
        let listed = listed.map_err(Problem::refused("listing the functions"))?;
        let probes =
            left_over(cloud, &owner, &listed.functions).await.map_err(Problem::refused("looking for probes"))?;

        let proxy = match proxy {
            Some(found) => {
                Some(ProxyRemoval::with_endpoints(cloud, &owner, found).await.map_err(Problem::refused(doing))?)
            }
            None => None,
        };
        Ok(Self {
            names,
            foreign,
            probes,
            was_there,
            proxy,
            log_group,
            alarms,
            policies,
            rules,
            secrets,
            iam_auth,
            role,
            groups,
            served,
            home,
            known,
            doors,
            listed,
        })
    }
}

/// What the database itself says.
#[derive(Default)]
struct OfDatabase {
    /// Its IAM authentication, where this stack turned it on.
    iam_auth: Option<IamAuthRemoval>,
    /// Its hosts as they are now.
    home: Option<Home>,
    /// Every host that means it.
    known: Vec<KnownHost>,
    /// Its groups and its port.
    doors: Doors,
}

/// Reads the database; nothing is known of one that is gone.
async fn of_database(
    cloud: &Cloud,
    database: Option<&DatabaseRef>,
    account: &str,
    stack: &str,
) -> Result<OfDatabase, Problem> {
    let Some(database) = database else { return Ok(OfDatabase::default()) };
    let found = match Database::in_this_account(database, account) {
        Ok(()) => Database::find(cloud, database).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok(found) => Ok(OfDatabase {
            iam_auth: IamAuthRemoval::of(&found, stack),
            home: Home::of(&found),
            doors: Doors {
                groups: found.security_groups.clone(),
                port: Some(found.port),
                sources: std::collections::BTreeSet::new(),
            },
            known: found.hosts,
        }),
        Err(problem @ Problem::Refused { .. }) => Err(problem),
        // A database that is gone does not prevent the deletion of its proxy.
        Err(Problem::Unfit { .. }) => Ok(OfDatabase::default()),
    }
}
