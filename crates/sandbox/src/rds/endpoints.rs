//! Further endpoints of proxies.

use serde_json::{Value, json};

use super::proxies::{busy, domain, known, no_filters, settled};
use super::state::{Endpoint, Proxy, Status};
use super::{checks, create, paged, tags};
use crate::account::{AwsError, Call, Outcome, World};
use crate::{ec2, input};

/// How many endpoints a proxy has besides its default one.
const QUOTA: usize = 20;

/// `CreateDBProxyEndpoint`.
pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let input = &call.input;
    let proxy_name = input::required(input, "DBProxyName")?.to_ascii_lowercase();
    let name = input::required(input, "DBProxyEndpointName")?.to_ascii_lowercase();
    let wanted_subnets = input::texts(input, "VpcSubnetIds");
    if wanted_subnets.is_empty() {
        return Err(AwsError::new(400, "MissingParameter", "The request must contain the parameter VpcSubnetIds"));
    }
    checks::name(&name, "DBProxyEndpointName")?;
    let role = checks::one_of(input, "TargetRole", &["READ_WRITE", "READ_ONLY"], "READ_WRITE")?;
    let network_type = checks::one_of(input, "EndpointNetworkType", &["IPV4", "IPV6", "DUAL"], "IPV4")?;
    let own_tags = tags::given(input)?;
    let proxy = known(world, &proxy_name)?;
    settled(&proxy_name, proxy)?;
    if role == "READ_ONLY" && proxy.engine_family == "SQLSERVER" {
        return Err(checks::combination("TargetRole READ_ONLY is not supported for SQL Server."));
    }
    if world.rds.endpoints.contains_key(&name) {
        let message = format!("DB proxy endpoint {name} already exists.");
        return Err(AwsError::new(400, "DBProxyEndpointAlreadyExistsFault", message));
    }
    if world.rds.endpoints.values().filter(|endpoint| endpoint.proxy == proxy_name).count() >= QUOTA {
        let message = format!("The maximum number of endpoints of a DB proxy ({QUOTA}) has been reached.");
        return Err(AwsError::new(400, "DBProxyEndpointQuotaExceededFault", message));
    }
    let (subnets, vpc_id) = checks::subnets(world, &wanted_subnets)?;
    let groups = checks::groups(world, input::texts(input, "VpcSecurityGroupIds"), &vpc_id)?;
    let id = world.id("prx-endpoint-", &name);
    let seats = create::two_zones(world, &subnets);
    let description = format!("Network interface for DBProxy endpoint {name}");
    ec2::attach_interfaces(world, &owner(&id), "vpc_endpoint", &description, &seats, &groups);
    let endpoint = Endpoint {
        id,
        proxy: proxy_name,
        role,
        vpc_id,
        subnets,
        groups,
        endpoint: format!("{name}.endpoint.proxy-{}", domain(world)),
        network_type,
        status: Status::Creating(call.now + world.profile.endpoint_create, "available".to_owned()),
        created: call.now,
        tags: own_tags,
    };
    let view = answer(world, &name, &endpoint);
    world.rds.endpoints.insert(name, endpoint);
    Ok(json!({ "DBProxyEndpoint": view }))
}

/// `DescribeDBProxyEndpoints`: the default ones too.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    no_filters(call)?;
    let proxy_name = input::text(&call.input, "DBProxyName").map(str::to_ascii_lowercase);
    let name = input::text(&call.input, "DBProxyEndpointName").map(str::to_ascii_lowercase);
    if let Some(proxy_name) = &proxy_name {
        known(world, proxy_name)?;
    }
    let of_proxy = |owner: &String| proxy_name.as_ref().is_none_or(|wanted| wanted == owner);
    let mut found: Vec<Value> = world
        .rds
        .endpoints
        .iter()
        .filter(|(own, endpoint)| of_proxy(&endpoint.proxy) && name.as_ref().is_none_or(|name| name == *own))
        .map(|(name, endpoint)| answer(world, name, endpoint))
        .collect();
    match name {
        Some(name) if found.is_empty() => return Err(unknown(&name)),
        Some(_) => {}
        None => {
            let defaults = world.rds.proxies.iter().filter(|(owner, _)| of_proxy(owner));
            found.extend(defaults.map(|(name, proxy)| default_answer(world, name, proxy)));
        }
    }
    paged(call, "DBProxyEndpoints", found)
}

/// `ModifyDBProxyEndpoint`: name and groups.
pub(super) fn modify(world: &mut World, call: &Call) -> Outcome {
    let name = input::required(&call.input, "DBProxyEndpointName")?.to_ascii_lowercase();
    let endpoint = world.rds.endpoints.get(&name).ok_or_else(|| unknown(&name))?;
    available(&name, endpoint)?;
    let mut changed = endpoint.clone();
    let groups = input::texts(&call.input, "VpcSecurityGroupIds");
    if !groups.is_empty() {
        changed.groups = checks::groups(world, groups, &endpoint.vpc_id)?;
    }
    let new_name =
        input::text(&call.input, "NewDBProxyEndpointName").map_or_else(|| name.clone(), str::to_ascii_lowercase);
    checks::name(&new_name, "NewDBProxyEndpointName")?;
    if new_name != name {
        if world.rds.endpoints.contains_key(&new_name) {
            let message = format!("DB proxy endpoint {new_name} already exists.");
            return Err(AwsError::new(400, "DBProxyEndpointAlreadyExistsFault", message));
        }
        changed.endpoint = format!("{new_name}.endpoint.proxy-{}", domain(world));
    }
    changed.status = Status::Modifying(call.now + world.profile.proxy_modify);
    ec2::regroup_interfaces(world, &owner(&changed.id), &changed.groups);
    let view = answer(world, &new_name, &changed);
    world.rds.endpoints.remove(&name);
    world.rds.endpoints.insert(new_name, changed);
    Ok(json!({ "DBProxyEndpoint": view }))
}

/// `DeleteDBProxyEndpoint`.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let name = input::required(&call.input, "DBProxyEndpointName")?.to_ascii_lowercase();
    let gone = call.now + world.profile.endpoint_delete;
    let endpoint = world.rds.endpoints.get(&name).ok_or_else(|| unknown(&name))?;
    let proxy = known(world, &endpoint.proxy)?;
    if matches!(proxy.status, Status::Deleting(_)) {
        return Err(busy(&endpoint.proxy, proxy));
    }
    if matches!(endpoint.status, Status::Deleting(_) | Status::Creating(..)) {
        available(&name, endpoint)?;
    }
    let mut changed = endpoint.clone();
    changed.status = Status::Deleting(gone);
    let view = answer(world, &name, &changed);
    world.rds.endpoints.insert(name, changed);
    Ok(json!({ "DBProxyEndpoint": view }))
}

fn available(name: &str, endpoint: &Endpoint) -> Result<(), AwsError> {
    let word = endpoint.status.word();
    if word == "available" {
        return Ok(());
    }
    let message = format!(
        "DB proxy endpoint {name} is in an unsupported state - {}, needs to be in [AVAILABLE]",
        word.to_ascii_uppercase()
    );
    Err(AwsError::new(400, "InvalidDBProxyEndpointStateFault", message))
}

fn unknown(name: &str) -> AwsError {
    AwsError::new(404, "DBProxyEndpointNotFoundFault", format!("DB proxy endpoint {name} doesn't exist."))
}

fn owner(id: &str) -> String {
    format!("db-proxy-endpoint:{id}")
}

fn answer(world: &World, name: &str, endpoint: &Endpoint) -> Value {
    let mut view = json!({
        "DBProxyEndpointName": name,
        "DBProxyEndpointArn": world.arn("rds", &format!("db-proxy-endpoint:{}", endpoint.id)),
        "DBProxyName": endpoint.proxy,
        "Status": endpoint.status.word(),
        "VpcId": endpoint.vpc_id,
        "VpcSecurityGroupIds": endpoint.groups,
        "VpcSubnetIds": endpoint.subnets,
        "CreatedDate": endpoint.created.iso(),
        "TargetRole": endpoint.role,
        "IsDefault": false,
        "EndpointNetworkType": endpoint.network_type,
    });
    // The member is optional in the model (botocore rds 2014-10-31, DBProxyEndpoint), and comes when it comes.
    if endpoint.created + world.profile.endpoint_visible <= world.now {
        view["Endpoint"] = json!(endpoint.endpoint);
    }
    view
}

fn default_answer(world: &World, name: &str, proxy: &Proxy) -> Value {
    json!({
        "DBProxyEndpointName": "default",
        "DBProxyEndpointArn": world.arn("rds", &format!("db-proxy-endpoint:{}", proxy.id.replace("prx-", "prx-endpoint-"))),
        "DBProxyName": name,
        "Status": proxy.status.word(),
        "VpcId": proxy.vpc_id,
        "VpcSecurityGroupIds": proxy.groups,
        "VpcSubnetIds": proxy.subnets,
        "Endpoint": proxy.endpoint,
        "CreatedDate": proxy.created.iso(),
        "TargetRole": "READ_WRITE",
        "IsDefault": true,
        "EndpointNetworkType": proxy.endpoint_network_type,
    })
}
