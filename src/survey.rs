//! What the account holds and what is wanted: read once, before anything changes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cloud::ec2::{Group, Subnet, Vpc};
use crate::cloud::iam::Role;
use crate::cloud::lambda::{Variables, Version};
use crate::cloud::rds::{EngineFamily, TaggedProxy, Target as Row};
use crate::cloud::sts::Identity;
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal, tags};
use crate::discover::dead::{self, Dead};
use crate::discover::evidence::Evidence;
use crate::discover::functions::Chosen;
use crate::discover::given::{self, GivenRole};
use crate::discover::grants::{self, Grants};
use crate::discover::hidden::Hidden;
use crate::discover::hosts::{HostKind, KnownHost, proxies_of};
use crate::discover::network::{self, Subnets};
use crate::discover::others::Others;
use crate::discover::parameters::Plugin;
use crate::discover::releases::{self, Frozen};
use crate::discover::secrets::Secrets;
use crate::discover::{
    Database, FunctionUse, Login, Problem, acls, auth, functions, keys, parameters, remembered, secrets, variable_keys,
};
use crate::engine::{Patience, Seen, Step};
use crate::names::{DATABASE_POLICY, Names, SECRET_POLICY};
use crate::ownership;
use crate::password::Password;
use crate::resources::attach::Rights;
use crate::resources::proxy;
use crate::resources::reader_endpoint::{self, OwnedEndpoint};
use crate::resources::secret_access::Access;
use crate::resources::target::{Registered, Target};
use crate::spec::{ClientAuth, DatabaseAuth, ReaderEndpoint, Spec};

/// Everything that was found, and what is wanted.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The settings.
    pub spec: Spec,
    /// The limits.
    pub patience: Patience,
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
    /// What judges need of the network and of other proxies, where it was read along.
    pub(crate) ground: Ground,
    pub(crate) seen: Observed,
}

/// What was read along for the judges, where a proxy is to be created; `None` where it was not asked for.
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
pub(crate) struct Observed {
    pub(crate) role: Seen<Role>,
    pub(crate) access: Seen<Access>,
    pub(crate) groups: Vec<Group>,
    pub(crate) proxy: Seen<TaggedProxy>,
    pub(crate) reader: Seen<OwnedEndpoint>,
    pub(crate) rights: Rights,
    pub(crate) registered: Seen<Registered>,
}

/// What the proxy logs in with, as far as it is there.
fn granted(policy: Seen<Value>, secrets: &Secrets, database: &Database) -> Seen<Access> {
    let document = match policy {
        Seen::Unknown(why) => return Seen::Unknown(why),
        Seen::Absent => None,
        Seen::Present(document) => Some(document),
    };
    Seen::Present(Access { document, secrets: secrets.found.clone(), iam: database.iam_authentication })
}

/// Whether the proxy logs in with IAM: as it is asked to, or else as it does.
fn end_to_end(spec: &Spec, proxy: &Seen<TaggedProxy>) -> bool {
    let as_it_is = || proxy.present().is_some_and(|found| found.proxy.iam_to_database);
    spec.database_auth.map_or_else(as_it_is, |wanted| wanted == DatabaseAuth::Iam)
}

/// Whether the proxy is one that someone else made, and that was taken over or may be.
fn adopted(spec: &Spec, owner: &Owner, names: &Names, proxy: &Seen<TaggedProxy>) -> bool {
    proxy.present().is_some_and(|found| {
        let foreign = !found.tags.contains_key(tags::STACK);
        // One with our role is ours, whatever its tags say.
        ownership::adopted(owner, names, found, &[]) || (spec.adopt && foreign)
    })
}

/// What a person should know of network ACLs: asked for subnets that the user named, and where the target is unhealthy.
async fn walls(
    cloud: &Cloud,
    database: &Database,
    spec: &Spec,
    proxy: &Seen<TaggedProxy>,
    registered: &Seen<Registered>,
) -> Vec<String> {
    let rows = registered.present().map(|found| found.rows.as_slice()).unwrap_or_default();
    let unreachable = |row: &Row| row.reason.as_deref() == Some("UNREACHABLE");
    let subnets = match proxy.present() {
        Some(found) if rows.iter().any(unreachable) => &found.proxy.subnets,
        None => &spec.subnets,
        Some(_) => return Vec::new(),
    };
    if subnets.is_empty() { Vec::new() } else { acls::warnings(cloud, database, subnets).await }
}

/// What a person should know of the secrets and their keys.
async fn about(cloud: &Cloud, secrets: &Secrets, who: &Identity, role: &str) -> Vec<String> {
    let mut warnings = secrets.warnings.clone();
    warnings.extend(keys::closed(cloud, &secrets.found, &who.account, role).await);
    warnings
}

/// What a person should know of a role that was given: that it could not be read, or that ours stands idle beside it.
fn unread(given: &GivenRole, own: &Seen<Role>) -> Option<String> {
    match (&given.role, own) {
        (Seen::Unknown(why), _) => Some(format!("The role {} could not be looked at: {why}.", given.name())),
        (_, Seen::Present(own)) => Some(format!("The role {} is not used any more; teardown deletes it.", own.name)),
        _ => None,
    }
}

/// The target, if there is a proxy that could have one.
async fn registered(
    cloud: &Cloud,
    names: &Names,
    database: &Database,
    spec: &Spec,
    patience: Patience,
    proxy: &Seen<TaggedProxy>,
) -> Result<Seen<Registered>, Refusal> {
    let (id, cluster) = (database.id.as_str(), database.cluster);
    let (proxy_available, pool) = (true.into(), &spec.pool);
    let target = Target { proxy: &names.stack, database: id, cluster, pool, proxy_available, patience };
    match proxy {
        Seen::Present(_) => target.observe(cloud).await,
        _ => Ok(Seen::Absent),
    }
}

/// A read that is denied does not hide the other steps.
fn visible<T>(read: Result<Seen<T>, Refusal>, doing: &str) -> Result<Seen<T>, Problem> {
    match read {
        Err(refusal) if refusal.kind == Kind::Denied => Ok(Seen::Unknown(refusal.to_string())),
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
    #[expect(
        clippy::too_many_lines,
        reason = "one reading of the account, in the order in which its parts depend on each other"
    )]
    pub async fn read(cloud: &Cloud, spec: &Spec, patience: Patience) -> Result<Self, Problem> {
        // Alone and first: without credentials or a way to AWS, everything below would fail at once.
        let identity = cloud.sts.identity().await.map_err(Problem::refused("asking AWS who is calling"))?;
        given::in_this_account(spec, &identity)?;
        Database::in_this_account(&spec.database, &identity.account)?;
        let names = Names::new(&spec.stack, &cloud.region);
        let owner = Owner { stack: spec.stack.clone(), database: spec.database.id.clone(), extra: spec.tags.clone() };

        let (database, listed, proxies, role) = tokio::join!(
            Database::find(cloud, &spec.database),
            functions::read(cloud, &spec.functions),
            proxy::among_all(cloud, &names.stack),
            cloud.iam.role(&names.role),
        );
        let mut database = database?;
        let (proxy, all, count) = match proxies {
            Ok((proxy, all)) => (Ok(proxy), all.clone(), Ok(all.len())),
            Err(refusal) => (Err(refusal.clone()), Vec::new(), Err(refusal)),
        };
        let (listed, versions) = listed.map_err(Problem::refused("listing the functions"))?;
        let proxy = visible(proxy, "looking for the proxy")?;
        let role: Seen<Role> = visible(role.map(Seen::from), "looking for the proxy's role")?;
        // Where the proxy is there, what others do is a question for doctor: this costs a call for each of them.
        let beside = if proxy.is_absent() { Some(Others::find(cloud, &all, &names, &database).await) } else { None };
        if let Some(others) = beside.as_ref().filter(|_| spec.adopt) {
            return Err(others.nothing_to_adopt(&names.stack, &database.id, &cloud.region));
        }
        let asked = spec;
        let recalled = proxy.present().map(|found| remembered::recall(spec, &found.tags, &found.proxy)).transpose()?;
        let spec = &recalled.clone().unwrap_or_else(|| spec.clone());

        let mut known = database.hosts.clone();
        known.extend(proxy.present().and_then(|found| found.proxy.endpoint.clone()).map(proxy_host));
        let reader = look_for_reader(cloud, &names, &database, &proxy).await?;
        // One that was deleted by hand left its host in the functions.
        let there = dead::There {
            names: &names,
            endpoint: proxy.present().and_then(|found| found.proxy.endpoint.as_deref()),
            proxy_missing: proxy.is_absent(),
            reader_missing: proxy.present().is_some() && reader.is_absent(),
            named: !spec.functions.is_empty(),
        };
        let kept = listed.iter().filter(|(name, _)| !spec.excluded_functions.contains(name));
        let dead = dead::find(cloud, &database, kept.filter_map(|(_, function)| function.as_ref()), there).await;
        known.extend(dead::hosts(&dead));
        if proxy.is_absent() {
            // With letters of which it is not known whose they are: it is not changed, and may come back under its host.
            let values =
                listed.iter().filter_map(|(_, function)| function.as_ref()).flat_map(|f| f.variables.0.values());
            let unsure = proxies_of(&names.stack, &cloud.region, values).into_iter();
            let unsure: Vec<KnownHost> =
                unsure.filter(|host| !known.iter().any(|known| known.name.eq_ignore_ascii_case(&host.name))).collect();
            known.extend(unsure);
        }
        known.extend(reader.present().and_then(|found| found.endpoint.host.clone()).map(reader_host));
        let wanted = functions::Wanted {
            named: &spec.functions,
            excluded: &spec.excluded_functions,
            limited_to: &spec.limited_to,
            excluded_now: &asked.excluded_functions,
            variables: &spec.variables,
            variables_now: &asked.variables,
        };
        let Chosen { functions, mut warnings, others, hidden } =
            functions::choose(cloud, listed, wanted, &known, &database.vpc).await?;
        warnings.extend(functions.iter().filter(|found| found.variables.is_empty()).map(FunctionUse::nothing_to_move));
        let wants_reader = wants_reader(spec, &database, &functions, &reader)?;
        let (end_to_end, adopted) = (end_to_end(spec, &proxy), adopted(spec, &owner, &names, &proxy));
        let given =
            if adopted { None } else { given::role(cloud, spec, &identity, (&names, &owner, &role), &proxy).await? };
        let found = proxy.present().map(|found| &found.proxy);
        let evidence = match spec.client_auth {
            ClientAuth::Auto => Evidence::read(cloud, &database, &functions, found, &identity).await,
            ClientAuth::Iam | ClientAuth::Password => Evidence::default(),
        };
        let login = auth::choose(spec.client_auth, end_to_end, &functions, &spec.db_users, &evidence)?;
        // One that only a tag names shows nothing.
        let own = names.policy_arn(&identity.partition, &identity.account);
        let policy = asked.connect_policy_arn.clone().unwrap_or(own);
        let beyond = remembered::beyond(asked, spec, &login);
        // With a policy that someone else made, nothing is granted here, save the role's own right with end-to-end IAM.
        if spec.connect_policy_arn.is_none() || end_to_end {
            remembered::granted(cloud, &beyond, &login, &owner, (&policy, &names.path)).await?;
        }
        auth::check_end_to_end(&login, spec, &database)?;

        let (groups, vpc, of_vpc, secrets, access, registered, detailed) = tokio::join!(
            cloud.ec2.groups_of_vpc(&database.vpc),
            async { if proxy.is_absent() { Some(cloud.ec2.vpc(&database.vpc).await) } else { None } },
            async {
                // The subnets of a proxy cannot be changed, so there is nothing to choose; unless it is on its way out.
                let stays = proxy.present().is_some_and(|found| found.proxy.status != "deleting");
                if stays { None } else { Some(cloud.ec2.subnets_of_vpc(&database.vpc).await) }
            },
            secrets::choose(cloud, spec, &database, &functions, &login, proxy.present().map(|found| &found.proxy)),
            async {
                let policy = if end_to_end { DATABASE_POLICY } else { SECRET_POLICY };
                if role.is_absent() { Ok(None) } else { cloud.iam.role_policy(&names.role, policy).await }
            },
            registered(cloud, &names, &database, spec, patience, &proxy),
            functions::details(cloud, functions.clone(), &known, &spec.variables),
        );
        let groups = groups.map_err(Problem::refused("reading the security groups"))?;
        let secrets = secrets?;
        let access = visible(access.map(Seen::from), "reading the role's policy")?;
        let in_force = access.present().filter(|_| end_to_end);
        let in_force = in_force.map(|document| grants::users_in(document, &database.resource_id)).unwrap_or_default();
        let grants = Grants::of(spec, &login, &functions, &secrets, &database, &in_force)?;
        database.warnings.extend(grants.warning());
        let own = names.role_arn(&identity.partition, &identity.account);
        let role_arn = given.as_ref().map_or(own.as_str(), |given| given.arn.as_str());
        database.warnings.extend(about(cloud, &secrets, &identity, role_arn).await);
        database.warnings.extend(given.iter().filter_map(|given| unread(given, &role)));
        remembered::no_new_secret(&beyond, &secrets, found)?;
        let access = granted(access, &secrets, &database);
        let registered = visible(registered, "reading the proxy's target")?;
        database.warnings.extend(walls(cloud, &database, spec, &proxy, &registered).await);
        let functions = detailed.map_err(Problem::refused("reading the functions"))?;
        database.warnings.extend(variable_keys::warnings(cloud, &identity, &functions).await);
        let subnets = match &of_vpc {
            None => None,
            Some(of_vpc) => Some(network::choose(cloud, &database, of_vpc, &spec.subnets, spec.network_type).await?),
        };
        let new_secret = secrets
            .found
            .iter()
            .any(|secret| !found.is_some_and(|proxy| proxy.auth.iter().any(|auth| auth.secret == secret.arn)));
        let passwords = !login.iam && new_secret && spec.client_password_auth.is_none();
        let parameters = if passwords && database.family == EngineFamily::MySql && !database.is_mariadb() {
            Some(parameters::read(cloud, &database).await)
        } else {
            None
        };
        let plugin = Plugin::of(&database, parameters.as_ref());
        database.warnings.extend(plugin.warning(&database.id));
        let proxies = proxy.is_absent().then_some(count);
        let ground = Ground { vpc, subnets: of_vpc, proxies, others: beside, parameters };
        warnings.extend(subnets.iter().flat_map(|chosen| chosen.warnings.clone()));

        warnings.extend(Chosen::indirect(&others, &secrets.found));
        let mut survey = Self {
            spec: spec.clone(),
            patience,
            region: cloud.region.clone(),
            names,
            owner,
            warnings: database.warnings.iter().chain(&login.warnings).cloned().chain(warnings).collect(),
            functions,
            hidden,
            dead,
            wants_reader,
            frozen: Vec::new(),
            login,
            secrets,
            grants,
            passwords: BTreeMap::new(),
            adopted,
            given,
            subnets,
            plugin,
            ground,
            seen: Observed { role, access, groups, proxy, reader, rights: Rights::none(), registered },
            identity,
            database,
        };
        let (rights, frozen) =
            tokio::join!(survey.look_for_rights(cloud), survey.look_for_releases(cloud, versions.as_ref()));
        survey.seen.rights = rights?;
        survey.frozen = frozen?;
        Ok(survey)
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
        releases::find(cloud, &self.functions, versions, self.spec.publish_pending, repointed).await
    }

    pub(crate) fn group(&self) -> Seen<Group> {
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
    pub(crate) fn role_arn<'a>(&'a self, own: &'a Seen<Role>) -> Option<&'a str> {
        let given = self.given.as_ref().map(|given| given.arn.as_str());
        given.or_else(|| own.present().map(|role| role.arn.as_str()))
    }

    /// The proxy's endpoint, if there is a proxy.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.seen.proxy.present().and_then(|found| found.proxy.endpoint.as_deref())
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

async fn look_for_reader(
    cloud: &Cloud,
    names: &Names,
    database: &Database,
    proxy: &Seen<TaggedProxy>,
) -> Result<Seen<OwnedEndpoint>, Problem> {
    if !database.has_readers() || proxy.present().is_none() {
        return Ok(Seen::Absent);
    }
    let found = reader_endpoint::observe(cloud, &names.stack, &names.reader, None).await;
    visible(found, "looking for the read-only endpoint")
}

/// Whether the proxy gets a read-only endpoint.
fn wants_reader(
    spec: &Spec,
    database: &Database,
    functions: &[FunctionUse],
    seen: &Seen<OwnedEndpoint>,
) -> Result<bool, Problem> {
    match spec.reader_endpoint {
        ReaderEndpoint::Never => Ok(false),
        ReaderEndpoint::Always if !database.has_readers() => Err(Problem::unfit(
            format!(
                "planning the read-only endpoint ({}): the database has no reader that it could lead to",
                database.id
            ),
            ["Leave --reader-endpoint out, or add a reader to the cluster first."],
        )),
        ReaderEndpoint::Always => Ok(true),
        ReaderEndpoint::Auto => {
            let reads = |kind| matches!(kind, HostKind::Reader | HostKind::ReaderProxy | HostKind::DeadReader);
            let used = functions.iter().any(|found| !found.holding(reads).is_empty());
            Ok(database.has_readers() && (used || seen.present().is_some()))
        }
    }
}
