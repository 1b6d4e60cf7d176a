//! What the account holds and what is wanted: read once, before anything changes.
//!
//! In four readings, each of which builds on what the one before has found.

mod around;
mod base;
mod login;
mod using;

use std::collections::BTreeMap;

use self::around::Around;
use self::base::Base;
use self::login::LoginBasis;
use self::using::Using;
use crate::cloud::Password;
use crate::cloud::ec2::{Group, Subnet, Vpc};
use crate::cloud::iam::Role;
use crate::cloud::lambda::{Variables, Version};
use crate::cloud::logs::LogGroup;
use crate::cloud::rds::TaggedProxy;
use crate::cloud::sts::Identity;
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal};
use crate::discover::dead::{self, Dead};
use crate::discover::functions::Chosen;
use crate::discover::given::GivenRole;
use crate::discover::grants::Grants;
use crate::discover::hidden::Hidden;
use crate::discover::hosts::{HostKind, KnownHost};
use crate::discover::network::Subnets;
use crate::discover::others::Others;
use crate::discover::parameters::{self, Plugin};
use crate::discover::releases::{self, Frozen};
use crate::discover::secrets::Secrets;
use crate::discover::{Database, FunctionUse, Login, Problem};
use crate::engine::{Observed, Timeouts};
use crate::handover;
use crate::names::Names;
use crate::resources::attach::Rights;
use crate::resources::reader_endpoint::OwnedEndpoint;
use crate::resources::secret_access::Access;
use crate::resources::target::Registered;
use crate::spec::Spec;

/// Everything that was found, and what is wanted.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The settings.
    pub spec: Spec,
    /// The limits.
    pub timeouts: Timeouts,
    /// The region.
    pub region: String,
    /// The caller.
    pub identity: Identity,
    /// The names of all resources.
    pub names: Names,
    /// Ownership.
    pub owner: Owner,
    /// The database.
    pub database: Database,
    /// What a person should know before anything changes, one sentence each.
    pub warnings: Vec<String>,
    /// The functions that use it.
    pub functions: Vec<FunctionUse>,
    /// Variables that hold a host of the database in a form that is not changed.
    pub hidden: Vec<Hidden>,
    /// Variables that hold the host of a proxy that does not exist.
    pub dead: Vec<Dead>,
    /// Whether the proxy gets a read-only endpoint.
    pub wants_reader: bool,
    /// The aliases that call a version with the database's host.
    pub frozen: Vec<Frozen>,
    /// How they log in.
    pub login: Login,
    /// The secrets.
    pub secrets: Secrets,
    /// As whom the functions may log in with IAM tokens.
    pub grants: Grants,
    /// Passwords of secrets to be made, by user; AWS generates those that are not given.
    pub passwords: BTreeMap<String, Password>,
    /// The subnets for a new proxy.
    pub subnets: Option<Subnets>,
    /// How users of the database send passwords by default.
    pub plugin: Plugin,
    /// Whether the proxy is one that someone else made.
    pub adopted: bool,
    /// The role of the proxy, where an administrator created it.
    pub given: Option<GivenRole>,
    /// What checks need of the network and of other proxies, where it was read along.
    pub(crate) ground: Ground,
    pub(crate) seen: Readings,
}

/// What was read along for the checks, where a proxy is to be created; `None` where it was not asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ground {
    /// The database's VPC.
    pub(crate) vpc: Option<Answer<Option<Vpc>>>,
    /// The subnets of that VPC.
    pub(crate) subnets: Option<Answer<Vec<Subnet>>>,
    /// How many proxies the region has.
    pub(crate) proxies: Option<Answer<usize>>,
    /// Other proxies that serve the database.
    pub(crate) others: Option<Others>,
    /// The parameters that someone set, where they decide something.
    pub(crate) parameters: Option<Answer<parameters::Set>>,
}

/// What was seen of each step.
#[derive(Debug, Clone)]
pub(crate) struct Readings {
    pub(crate) role: Observed<Role>,
    pub(crate) access: Observed<Access>,
    pub(crate) groups: Vec<Group>,
    pub(crate) proxy: Observed<TaggedProxy>,
    pub(crate) reader: Observed<OwnedEndpoint>,
    pub(crate) log_group: Observed<LogGroup>,
    pub(crate) rights: Rights,
    pub(crate) registered: Observed<Registered>,
}

/// A read that is denied does not hide the other steps.
fn visible<T>(read: Result<Observed<T>, Refusal>, doing: &str) -> Result<Observed<T>, Problem> {
    match read {
        Err(refusal) if refusal.kind == Kind::Denied => Ok(Observed::Unknown(refusal.to_string())),
        read => read.map_err(Problem::refused(doing)),
    }
}

fn reader_host(name: String) -> KnownHost {
    KnownHost { name, kind: HostKind::ReaderProxy }
}

fn proxy_host(name: String) -> KnownHost {
    KnownHost { name, kind: HostKind::Proxy }
}

impl Survey {
    /// Reads the account: everything that a plan needs, nothing twice, nothing changed.
    ///
    /// # Errors
    /// When a person must decide or fix something first.
    pub async fn read(cloud: &Cloud, spec: &Spec, timeouts: Timeouts) -> Result<Self, Problem> {
        let mut base = Box::pin(Base::read(cloud, spec)).await?;
        let listed = std::mem::take(&mut base.listed);
        let using = Using::read(cloud, &base, listed).await?;
        let basis = LoginBasis::read(cloud, &base, &using).await?;
        let around = Box::pin(Around::read(cloud, &base, &using, &basis, timeouts)).await?;

        let versions = base.versions.take();
        let mut survey = Self::of(base, using, basis, around, (cloud.region.clone(), timeouts));
        let (rights, frozen) =
            tokio::join!(survey.look_for_rights(cloud), survey.look_for_releases(cloud, versions.as_ref()));
        survey.seen.rights = rights?;
        survey.frozen = frozen?;
        Ok(survey)
    }

    /// What the four readings say together.
    fn of(
        base: Base<'_>,
        using: Using,
        basis: LoginBasis,
        around: Around,
        (region, timeouts): (String, Timeouts),
    ) -> Self {
        let mut database = base.database;
        database.warnings.extend(around.warnings);
        let told = [&database.warnings, &basis.login.warnings, &using.warnings];
        let mut warnings: Vec<String> = told.into_iter().flatten().cloned().collect();
        warnings.extend(around.subnets.iter().flat_map(|chosen| chosen.warnings.clone()));
        warnings.extend(Chosen::indirect(&using.others, &around.secrets.found));
        Self {
            spec: base.spec,
            timeouts,
            region,
            names: base.names,
            owner: base.owner,
            warnings,
            functions: around.functions,
            hidden: using.hidden,
            dead: using.dead,
            wants_reader: using.wants_reader,
            frozen: Vec::new(),
            login: basis.login,
            secrets: around.secrets,
            grants: around.grants,
            passwords: BTreeMap::new(),
            adopted: base.adopted,
            given: basis.given,
            subnets: around.subnets,
            plugin: around.plugin,
            ground: around.ground,
            seen: Readings {
                role: base.role,
                access: around.access,
                groups: around.groups,
                proxy: base.proxy,
                reader: using.reader,
                log_group: around.log_group,
                rights: Rights::none(),
                registered: around.registered,
            },
            identity: base.identity,
            database,
        }
    }

    async fn look_for_releases(
        &self,
        cloud: &Cloud,
        versions: Option<&BTreeMap<String, Vec<Version>>>,
    ) -> Result<Vec<Frozen>, Problem> {
        let (endpoint, reader) = self.hosts();
        let known = self.known(Some(&endpoint), reader.as_deref());
        let step = self.repoint(&known, &endpoint, reader.as_deref());
        let repointed = |function: &str, variables: &Variables| step.there(function, variables).changed.variables;
        let (mark, pending) = (self.names.version_mark(), self.spec.publish_pending);
        releases::find(cloud, &self.functions, versions, &mark, pending, repointed).await
    }

    pub(crate) fn group(&self) -> Observed<Group> {
        self.proxy_group().among(&self.seen.groups)
    }

    pub(crate) fn proxy_id(&self) -> Option<&str> {
        self.seen.proxy.present().and_then(|found| found.proxy.id())
    }

    pub(crate) fn policy_arn(&self) -> String {
        let own = || self.names.policy_arn(&self.identity.partition, &self.identity.account);
        self.spec.connect_policy_arn.clone().unwrap_or_else(own)
    }

    /// The ARN of the role that the proxy is to assume, once it exists.
    pub(crate) fn role_arn<'a>(&'a self, own: &'a Observed<Role>) -> Option<&'a str> {
        let given = self.given.as_ref().map(|given| given.arn.as_str());
        given.or_else(|| own.present().map(|role| role.arn.as_str()))
    }

    /// The proxy's endpoint, if there is a proxy.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.seen.proxy.present().and_then(|found| found.proxy.endpoint.as_deref())
    }

    /// Whether the stack was handed over.
    #[must_use]
    pub fn handed_over(&self) -> bool {
        let found = self.seen.proxy.present();
        found.is_some_and(|found| self.owner.owns(&found.tags) && handover::marked(&found.tags))
    }

    /// The read-only endpoint's host, if there is one.
    #[must_use]
    pub fn reader_host(&self) -> Option<String> {
        self.seen.reader.present().and_then(|found| found.endpoint.host.clone())
    }

    /// Whether the proxy requires TLS, or will.
    #[must_use]
    pub fn requires_tls(&self) -> bool {
        let found = self.seen.proxy.present().map(|found| found.proxy.require_tls);
        self.spec.require_tls.or(found).unwrap_or(self.login.iam)
    }

    /// The hosts of the proxy's endpoints, or such as will be as long; no reader where there is to be none.
    pub(crate) fn hosts(&self) -> (String, Option<String>) {
        let endpoint = self.endpoint().map_or_else(|| self.names.endpoint_like(&self.region), str::to_owned);
        let found = self.reader_host();
        let reader = self.wants_reader.then(|| found.unwrap_or_else(|| self.names.reader_host_like(&self.region)));
        (endpoint, reader)
    }

    /// Every host that variables are searched for: the database's, its proxy's, and those of proxies that do not exist.
    pub(crate) fn every_host(&self) -> Vec<KnownHost> {
        let mut known = self.known(self.endpoint(), self.reader_host().as_deref());
        let dead = self.dead.iter().map(|found| KnownHost { name: found.host.clone(), kind: HostKind::Dead });
        known.extend(dead.collect::<Vec<_>>());
        known.sort_by(|a, b| a.name.cmp(&b.name));
        known.dedup_by(|a, b| a.name == b.name);
        known
    }

    pub(crate) fn known(&self, endpoint: Option<&str>, reader: Option<&str>) -> Vec<KnownHost> {
        let mut known = self.database.hosts.clone();
        known.extend(endpoint.map(|name| proxy_host(name.to_owned())));
        known.extend(reader.map(|name| reader_host(name.to_owned())));
        let dead = dead::hosts(&self.dead).into_iter();
        // One that comes back under its former host is not dead any more.
        let gone = dead.filter(|host| !known.iter().any(|known| known.name.eq_ignore_ascii_case(&host.name)));
        let gone: Vec<KnownHost> = gone.collect();
        known.extend(gone);
        known
    }
}
