//! `CreateDBProxy`.

use std::collections::BTreeSet;

use serde_json::json;

use super::state::{Proxy, Status, TargetGroup};
use super::{checks, proxies, record, tags};
use crate::account::{AwsError, Call, Outcome, World};
use crate::{ec2, input, quotas};

/// Makes a proxy, which then takes minutes to be there.
pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let input = &call.input;
    let name = input::required(input, "DBProxyName")?.to_ascii_lowercase();
    let family = input::required(input, "EngineFamily")?.to_owned();
    let role_arn = input::required(input, "RoleArn")?.to_owned();
    let wanted_subnets = input::texts(input, "VpcSubnetIds");
    if wanted_subnets.is_empty() {
        return Err(AwsError::new(400, "MissingParameter", "The request must contain the parameter VpcSubnetIds"));
    }
    checks::name(&name, "DBProxyName")?;
    checks::one_of(input, "EngineFamily", &["MYSQL", "POSTGRESQL", "SQLSERVER"], "")?;
    let default_auth_scheme = checks::one_of(input, "DefaultAuthScheme", &["NONE", "IAM_AUTH"], "NONE")?;
    if default_auth_scheme == "IAM_AUTH" && family == "SQLSERVER" {
        return Err(checks::combination("DefaultAuthScheme IAM_AUTH is not supported for SQL Server."));
    }
    let auth = checks::auth(input, &family, &default_auth_scheme)?;
    let idle_client_timeout = checks::in_range(input, "IdleClientTimeout", 1, 28_800)?.unwrap_or(1800);
    let endpoint_network_type = checks::one_of(input, "EndpointNetworkType", &["IPV4", "IPV6", "DUAL"], "IPV4")?;
    let target_network_type = checks::one_of(input, "TargetConnectionNetworkType", &["IPV4", "IPV6"], "IPV4")?;
    let own_tags = tags::given(input)?;
    if world.rds.proxies.contains_key(&name) {
        let message = format!("DB Proxy {name} already exists.");
        return Err(AwsError::new(400, "DBProxyAlreadyExistsFault", message));
    }
    let quota = world.quota(quotas::PROXIES).unwrap_or_default();
    let held = u32::try_from(world.rds.proxies.len()).map_or(f64::INFINITY, f64::from);
    if held >= quota {
        let message = format!("The maximum number of DB proxies ({quota}) has been reached.");
        return Err(AwsError::new(400, "DBProxyQuotaExceededFault", message));
    }
    checks::service_linked_role(world)?;
    let (subnets, vpc_id) = checks::subnets(world, &wanted_subnets)?;
    network_type(world, &subnets, &endpoint_network_type)?;
    let groups = checks::groups(world, input::texts(input, "VpcSecurityGroupIds"), &vpc_id)?;
    checks::role(world, &role_arn, call.now)?;

    let id = world.id("prx-", &name);
    let group_id = world.id("prx-tg-", &name);
    let owner = format!("db-proxy:{id}");
    let description = format!("Network interface for DBProxy {name}");
    let seats = two_zones(world, &subnets);
    ec2::attach_interfaces(world, &owner, "interface", &description, &seats, &groups);
    let ready = call.now + world.profile.proxy_create;
    let ends = world.rds.next_proxy_ends.take().unwrap_or_else(|| "available".to_owned());
    let (most, idle) = if family == "SQLSERVER" { (10, 5) } else { (100, 50) };
    let proxy = Proxy {
        endpoint: proxies::host(world, &name),
        id: id.clone(),
        engine_family: family,
        default_auth_scheme,
        auth,
        role_arn,
        vpc_id,
        subnets,
        groups,
        require_tls: input::flag(input, "RequireTLS").unwrap_or(false),
        idle_client_timeout,
        debug_logging: input::flag(input, "DebugLogging").unwrap_or(false),
        endpoint_network_type,
        target_network_type,
        status: Status::Creating(ready, ends),
        created: call.now,
        ready,
        updated: call.now,
        target_group: TargetGroup {
            id: group_id,
            max_connections_percent: most,
            max_idle_connections_percent: idle,
            borrow_timeout: 120,
            pinning_filters: Vec::new(),
            init_query: None,
            updated: call.now,
            target: None,
        },
        tags: own_tags,
    };
    let answer = proxies::answer(world, &name, &proxy);
    world.rds.proxies.insert(name.clone(), proxy);
    record(world, call.now, &name, &id, &format!("RDS is creating DB proxy {name}."), "creation");
    Ok(json!({ "DBProxy": answer }))
}

/// IPv6 needs a block in every subnet.
fn network_type(world: &World, subnets: &[String], kind: &str) -> Result<(), AwsError> {
    let without = subnets.iter().find(|id| world.ec2.subnets.get(*id).is_some_and(|subnet| subnet.ipv6_cidr.is_none()));
    match without {
        Some(id) if kind != "IPV4" => {
            Err(AwsError::new(400, "NetworkTypeNotSupported", format!("The subnet {id} has no IPv6 block for {kind}.")))
        }
        _ => Ok(()),
    }
}

/// A proxy sits in two zones, however many subnets it is given.
pub(super) fn two_zones(world: &World, subnets: &[String]) -> Vec<String> {
    let mut zones = BTreeSet::new();
    subnets
        .iter()
        .filter(|id| world.ec2.subnets.get(*id).is_some_and(|subnet| zones.insert(subnet.zone_id.clone())))
        .take(2)
        .cloned()
        .collect()
}
