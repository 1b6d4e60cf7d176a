//! Looking at, changing and deleting proxies.

use serde_json::{Value, json};

use super::state::{Proxy, Status};
use super::{checks, paged, record};
use crate::account::{AwsError, Call, Moment, Outcome, World};
use crate::{ec2, input};

impl Proxy {
    /// When a proxy that is being deleted is gone.
    pub(super) fn deleted_at(&self) -> Moment {
        match self.status {
            Status::Deleting(at) => at,
            _ => self.updated,
        }
    }
}

/// `DescribeDBProxies`.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    no_filters(call)?;
    if let Some(name) = input::text(&call.input, "DBProxyName") {
        let name = name.to_ascii_lowercase();
        let proxy = known(world, &name)?;
        return Ok(json!({ "DBProxies": [answer(world, &name, proxy)] }));
    }
    let all = world.rds.proxies.iter().map(|(name, proxy)| answer(world, name, proxy)).collect();
    paged(call, "DBProxies", all)
}

/// `ModifyDBProxy`.
pub(super) fn modify(world: &mut World, call: &Call) -> Outcome {
    let input = &call.input;
    let name = input::required(input, "DBProxyName")?.to_ascii_lowercase();
    let proxy = known(world, &name)?;
    settled(&name, proxy)?;
    let mut changed = proxy.clone();
    changed.default_auth_scheme =
        checks::one_of(input, "DefaultAuthScheme", &["NONE", "IAM_AUTH"], &proxy.default_auth_scheme)?;
    if input::given(input, "Auth") {
        changed.auth = checks::auth(input, &proxy.engine_family, &changed.default_auth_scheme)?;
    } else if changed.auth.is_empty() && changed.default_auth_scheme != "IAM_AUTH" {
        return Err(checks::combination("Auth must be provided unless DefaultAuthScheme is IAM_AUTH."));
    }
    changed.require_tls = input::flag(input, "RequireTLS").unwrap_or(proxy.require_tls);
    changed.debug_logging = input::flag(input, "DebugLogging").unwrap_or(proxy.debug_logging);
    changed.idle_client_timeout =
        checks::in_range(input, "IdleClientTimeout", 1, 28_800)?.unwrap_or(proxy.idle_client_timeout);
    if let Some(arn) = input::text(input, "RoleArn") {
        checks::role(world, arn, call.now)?;
        arn.clone_into(&mut changed.role_arn);
    }
    let groups = input::texts(input, "SecurityGroups");
    if !groups.is_empty() {
        changed.groups = checks::groups(world, groups, &proxy.vpc_id)?;
    }
    let new_name = input::text(input, "NewDBProxyName").map_or_else(|| name.clone(), str::to_ascii_lowercase);
    checks::name(&new_name, "NewDBProxyName")?;
    if new_name != name && world.rds.proxies.contains_key(&new_name) {
        let message = format!("DB Proxy {new_name} already exists.");
        return Err(AwsError::new(400, "DBProxyAlreadyExistsFault", message));
    }
    changed.endpoint = host(world, &new_name);
    changed.status = Status::Modifying(call.now + world.profile.proxy_modify);
    changed.updated = call.now;
    ec2::regroup_interfaces(world, &format!("db-proxy:{}", changed.id), &changed.groups);
    let view = answer(world, &new_name, &changed);
    let id = changed.id.clone();
    world.rds.proxies.remove(&name);
    world.rds.proxies.insert(new_name.clone(), changed);
    for endpoint in world.rds.endpoints.values_mut().filter(|endpoint| endpoint.proxy == name) {
        endpoint.proxy.clone_from(&new_name);
    }
    record(world, call.now, &new_name, &id, &format!("RDS modified DB proxy {new_name}."), "configuration change");
    Ok(json!({ "DBProxy": view }))
}

/// `DeleteDBProxy`: target and further endpoints go with it.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let name = input::required(&call.input, "DBProxyName")?.to_ascii_lowercase();
    let proxy = known(world, &name)?;
    let refused = match &proxy.status {
        Status::Deleting(_) => true,
        Status::Creating(..) => !world.rds.delete_while_creating,
        Status::Modifying(_) | Status::Settled(_) => false,
    };
    if refused {
        return Err(busy(&name, proxy));
    }
    let gone = call.now + world.profile.proxy_delete;
    let id = proxy.id.clone();
    for endpoint in world.rds.endpoints.values_mut().filter(|endpoint| endpoint.proxy == name) {
        endpoint.status = Status::Deleting(gone);
    }
    if let Some(proxy) = world.rds.proxies.get_mut(&name) {
        proxy.status = Status::Deleting(gone);
        proxy.target_group.target = None;
    }
    record(world, call.now, &name, &id, &format!("RDS is deleting DB proxy {name}."), "deletion");
    let view = known(world, &name).map(|proxy| answer(world, &name, proxy))?;
    Ok(json!({ "DBProxy": view }))
}

/// A proxy by name, or RDS's error.
pub(super) fn known<'a>(world: &'a World, name: &str) -> Result<&'a Proxy, AwsError> {
    world
        .rds
        .proxies
        .get(name)
        .ok_or_else(|| AwsError::new(404, "DBProxyNotFoundFault", format!("DB proxy {name} doesn't exist.")))
}

/// Refuses a proxy that something is being done to.
pub(super) fn settled(name: &str, proxy: &Proxy) -> Result<(), AwsError> {
    if proxy.status.word() == "available" { Ok(()) } else { Err(busy(name, proxy)) }
}

/// RDS's error for a proxy in the wrong state.
pub(super) fn busy(name: &str, proxy: &Proxy) -> AwsError {
    let state = proxy.status.word().to_ascii_uppercase().replace('-', "_");
    let message = format!("DB Proxy {name} is in an unsupported state - {state}, needs to be in [AVAILABLE]");
    AwsError::new(400, "InvalidDBProxyStateFault", message)
}

/// None of the calls about proxies supports filters yet.
pub(super) fn no_filters(call: &Call) -> Result<(), AwsError> {
    if input::list(&call.input, "Filters").is_empty() {
        return Ok(());
    }
    Err(checks::invalid("This action does not support filters."))
}

/// The host name of a proxy's default endpoint.
pub(super) fn host(world: &World, name: &str) -> String {
    format!("{name}.proxy-{}", domain(world))
}

/// The part of a host name that an account's proxies share in a region: with the letters of its databases' hosts.
///
/// AWS documents the form alone (`the-proxy.proxy-demo.us-east-1…`, `mydb.123456789012.us-east-1…`), so that the
/// letters are the same is an observation: public configurations that name a proxy and a database of one account and
/// region agree in them, of default and of further endpoints (five of five, of five regions; none that differs was
/// found). The switch `proxy_letters` stands for the possibility that they differ.
pub(super) fn domain(world: &World) -> String {
    let suffix = if world.partition == "aws-cn" { "rds.amazonaws.com.cn" } else { "rds.amazonaws.com" };
    let rds = &world.rds;
    let hosts = rds.instances.values().map(|instance| &instance.endpoint);
    let hosts = hosts.chain(rds.clusters.values().map(|cluster| &cluster.endpoint));
    let mut letters = hosts.filter_map(|host| host.split('.').nth(1)?.rsplit('-').next());
    let letters = rds.proxy_letters.as_deref().or_else(|| letters.next()).filter(|letters| !letters.is_empty());
    let letters =
        letters.map_or_else(|| format!("c{}", world.hash("rds").chars().take(11).collect::<String>()), str::to_owned);
    format!("{letters}.{}.{suffix}", world.region)
}

/// A proxy as RDS shows it.
pub(super) fn answer(world: &World, name: &str, proxy: &Proxy) -> Value {
    let auth: Vec<Value> = proxy
        .auth
        .iter()
        .map(|auth| {
            json!({
                "Description": auth.description,
                "AuthScheme": auth.scheme,
                "SecretArn": auth.secret_arn,
                "IAMAuth": auth.iam_auth,
                "ClientPasswordAuthType": auth
                    .client_password
                    .as_deref()
                    .unwrap_or_else(|| checks::default_client_password(&proxy.engine_family)),
            })
        })
        .collect();
    let mut view = json!({
        "DBProxyName": name,
        "DBProxyArn": world.arn("rds", &format!("db-proxy:{}", proxy.id)),
        "Status": proxy.status.word(),
        "EngineFamily": proxy.engine_family,
        "VpcId": proxy.vpc_id,
        "VpcSecurityGroupIds": proxy.groups,
        "VpcSubnetIds": proxy.subnets,
        "DefaultAuthScheme": proxy.default_auth_scheme,
        "Auth": auth,
        "RoleArn": proxy.role_arn,
        "RequireTLS": proxy.require_tls,
        "IdleClientTimeout": proxy.idle_client_timeout,
        "DebugLogging": proxy.debug_logging,
        "CreatedDate": proxy.created.iso(),
        "UpdatedDate": proxy.updated.iso(),
        "EndpointNetworkType": proxy.endpoint_network_type,
        "TargetConnectionNetworkType": proxy.target_network_type,
    });
    let visible = proxy.created + world.profile.endpoint_visible <= world.now;
    if let Some(members) = view.as_object_mut()
        && visible
    {
        members.insert("Endpoint".to_owned(), json!(proxy.endpoint));
    }
    view
}
