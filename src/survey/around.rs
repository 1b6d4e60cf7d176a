//! Fourth: the network, the secrets and the rights around the proxy.

use super::base::Base;
use super::login::LoginBasis;
use super::using::Using;
use super::{Ground, visible};
use crate::cloud::ec2::Group;
use crate::cloud::iam::Role;
use crate::cloud::logs::LogGroup;
use crate::cloud::rds::{EngineFamily, TaggedProxy, Target as Row};
use crate::cloud::sts::Identity;
use crate::cloud::{Cloud, Refusal};
use crate::discover::given::GivenRole;
use crate::discover::grants::{self, Grants};
use crate::discover::network::{self, Subnets};
use crate::discover::parameters::{self, Plugin};
use crate::discover::secrets::{self, Secrets};
use crate::discover::{Database, FunctionUse, Problem, acls, functions, keys, remembered, variable_keys};
use crate::engine::{Observed, Step as _, Timeouts};
use crate::names::{DATABASE_POLICY, Names, SECRET_POLICY};
use crate::resources::log_group;
use crate::resources::secret_access::Access;
use crate::resources::target::{Registered, Target};
use crate::spec::Spec;
use serde_json::Value;

/// The network, the secrets and the rights around the proxy.
pub(super) struct Around {
    /// The security groups of the database's VPC.
    pub(super) groups: Vec<Group>,
    /// The functions, with what only a read of each one shows.
    pub(super) functions: Vec<FunctionUse>,
    /// The secrets.
    pub(super) secrets: Secrets,
    /// As whom the functions may log in with IAM tokens.
    pub(super) grants: Grants,
    /// What the proxy's role may read.
    pub(super) access: Observed<Access>,
    /// The proxy's log group, where its retention matters.
    pub(super) log_group: Observed<LogGroup>,
    /// The target.
    pub(super) registered: Observed<Registered>,
    /// The subnets for a new proxy.
    pub(super) subnets: Option<Subnets>,
    /// How users of the database send passwords by default.
    pub(super) plugin: Plugin,
    /// What checks need.
    pub(super) ground: Ground,
    /// What a person should know of all this.
    pub(super) warnings: Vec<String>,
}

impl Around {
    /// Reads it.
    pub(super) async fn read(
        cloud: &Cloud,
        base: &Base<'_>,
        using: &Using,
        basis: &LoginBasis,
        timeouts: Timeouts,
    ) -> Result<Self, Problem> {
        let Base { identity, names, database, proxy, role, spec, .. } = base;
        let (login, end_to_end, found) = (&basis.login, base.end_to_end, base.described());
        let (groups, vpc, of_vpc, secrets, access, registered, detailed, log_group) = tokio::join!(
            cloud.ec2.groups_of_vpc(&database.vpc),
            async { if proxy.is_absent() { Some(cloud.ec2.vpc(&database.vpc).await) } else { None } },
            async {
                // The subnets of a proxy cannot be changed, so there is nothing to choose; unless it is on its way out.
                let stays = found.is_some_and(|found| found.status != "deleting");
                if stays { None } else { Some(cloud.ec2.subnets_of_vpc(&database.vpc).await) }
            },
            secrets::choose(cloud, spec, database, &using.functions, login, found),
            async {
                let policy = if end_to_end { DATABASE_POLICY } else { SECRET_POLICY };
                if role.is_absent() { Ok(None) } else { cloud.iam.role_policy(&names.role, policy).await }
            },
            registered(cloud, names, database, spec, timeouts, proxy),
            functions::details(cloud, using.functions.clone(), &using.known, &spec.variables),
            async {
                let name = log_group::name_of(&names.stack);
                if spec.log_retention.is_none() { Ok(None) } else { cloud.logs.group(&name).await }
            },
        );
        let log_group = visible(log_group.map(Observed::from), "looking for the proxy's log group")?;
        let groups = groups.map_err(Problem::refused("reading the security groups"))?;
        let secrets = secrets?;
        let access = visible(access.map(Observed::from), "reading the role's policy")?;
        let in_force = access.present().filter(|_| end_to_end);
        let in_force = in_force.map(|document| grants::users_in(document, &database.resource_id)).unwrap_or_default();
        let grants = Grants::of(spec, login, &using.functions, &secrets, database, &in_force)?;
        let mut warnings: Vec<String> = grants.warning().into_iter().collect();
        let own = names.role_arn(&identity.partition, &identity.account);
        let role_arn = basis.given.as_ref().map_or(own.as_str(), |given| given.arn.as_str());
        warnings.extend(about(cloud, &secrets, identity, role_arn).await);
        warnings.extend(basis.given.iter().filter_map(|given| unread(given, role)));
        remembered::no_new_secret(&basis.beyond, &secrets, found)?;
        let access = granted(access, &secrets, database);
        let registered = visible(registered, "reading the proxy's target")?;
        warnings.extend(walls(cloud, database, spec, proxy, &registered).await);
        let functions = detailed.map_err(Problem::refused("reading the functions"))?;
        warnings.extend(variable_keys::warnings(cloud, identity, &functions).await);
        let subnets = match &of_vpc {
            None => None,
            Some(of_vpc) => Some(network::choose(cloud, database, of_vpc, &spec.subnets, spec.network_type).await?),
        };
        let parameters = if base.sends_passwords(login.iam, &secrets) {
            Some(parameters::read(cloud, database).await)
        } else {
            None
        };
        let plugin = Plugin::of(database, parameters.as_ref());
        warnings.extend(plugin.warning(&database.id));
        let proxies = proxy.is_absent().then(|| base.proxies.clone());
        let ground = Ground { vpc, subnets: of_vpc, proxies, others: base.others.clone(), parameters };
        Ok(Self {
            groups,
            functions,
            secrets,
            grants,
            access,
            log_group,
            registered,
            subnets,
            plugin,
            ground,
            warnings,
        })
    }
}

impl Base<'_> {
    /// Whether it is open how clients send passwords: they log in with some, and the proxy meets a secret for the first
    /// time.
    fn sends_passwords(&self, iam: bool, secrets: &Secrets) -> bool {
        let known = |arn: &str| self.described().is_some_and(|proxy| proxy.auth.iter().any(|auth| auth.secret == arn));
        let new_secret = secrets.found.iter().any(|secret| !known(&secret.arn));
        let mysql = self.database.family == EngineFamily::MySql && !self.database.is_mariadb();
        !iam && new_secret && self.spec.client_password_auth.is_none() && mysql
    }
}

/// What the proxy logs in with, as far as it is there.
fn granted(policy: Observed<Value>, secrets: &Secrets, database: &Database) -> Observed<Access> {
    let document = match policy {
        Observed::Unknown(why) => return Observed::Unknown(why),
        Observed::Absent => None,
        Observed::Present(document) => Some(document),
    };
    Observed::Present(Access { document, secrets: secrets.found.clone(), iam: database.iam_authentication })
}

/// What a person should know of network ACLs: asked for subnets that the user named, and where the target is unhealthy.
async fn walls(
    cloud: &Cloud,
    database: &Database,
    spec: &Spec,
    proxy: &Observed<TaggedProxy>,
    registered: &Observed<Registered>,
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
fn unread(given: &GivenRole, own: &Observed<Role>) -> Option<String> {
    match (&given.role, own) {
        (Observed::Unknown(why), _) => Some(format!("The role {} could not be looked at: {why}.", given.name())),
        (_, Observed::Present(own)) => {
            Some(format!("The role {} is not used any more; teardown deletes it.", own.name))
        }
        _ => None,
    }
}

/// The target, if there is a proxy that could have one.
async fn registered(
    cloud: &Cloud,
    names: &Names,
    database: &Database,
    spec: &Spec,
    timeouts: Timeouts,
    proxy: &Observed<TaggedProxy>,
) -> Result<Observed<Registered>, Refusal> {
    let (id, cluster) = (database.id.as_str(), database.cluster);
    let (proxy_available, pool) = (true.into(), &spec.pool);
    let target = Target { proxy: &names.stack, database: id, cluster, pool, proxy_available, timeouts };
    match proxy {
        Observed::Present(_) => target.observe(cloud).await,
        _ => Ok(Observed::Absent),
    }
}
