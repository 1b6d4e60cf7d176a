//! The target group of a proxy and its connection pool.

use serde_json::{Value, json};

use super::checks;
use super::proxies::{busy, known, no_filters};
use super::state::{Proxy, Status};
use super::targets::readable;
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;

/// `DescribeDBProxyTargetGroups`.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    no_filters(call)?;
    let name = input::required(&call.input, "DBProxyName")?.to_ascii_lowercase();
    let proxy = known(world, &name)?;
    group_name(call)?;
    readable(world, &name, proxy)?;
    Ok(json!({ "TargetGroups": [answer(world, &name, proxy)] }))
}

/// `ModifyDBProxyTargetGroup`.
pub(super) fn modify(world: &mut World, call: &Call) -> Outcome {
    let name = input::required(&call.input, "DBProxyName")?.to_ascii_lowercase();
    input::required(&call.input, "TargetGroupName")?;
    let proxy = known(world, &name)?;
    group_name(call)?;
    if input::text(&call.input, "NewName").is_some_and(|name| name != "default") {
        return Err(checks::invalid("The default target group cannot be renamed."));
    }
    match proxy.status {
        Status::Deleting(_) => return Err(busy(&name, proxy)),
        Status::Creating(..) if !world.rds.register_while_creating => return Err(busy(&name, proxy)),
        _ => {}
    }
    let mut group = proxy.target_group.clone();
    if let Some(config) = call.input.get("ConnectionPoolConfig").filter(|config| config.is_object()) {
        let most = checks::in_range(config, "MaxConnectionsPercent", 1, 100)?;
        let idle = checks::in_range(config, "MaxIdleConnectionsPercent", 0, 100)?;
        if idle.is_some() && most.is_none() {
            let message = "MaxConnectionsPercent must be specified when MaxIdleConnectionsPercent is specified.";
            return Err(checks::combination(message));
        }
        if let Some(most) = most {
            group.max_connections_percent = most;
            group.max_idle_connections_percent = idle.unwrap_or(most / 2);
        }
        if group.max_idle_connections_percent > group.max_connections_percent {
            let message = "MaxIdleConnectionsPercent must not be greater than MaxConnectionsPercent.";
            return Err(checks::combination(message));
        }
        if let Some(seconds) = checks::in_range(config, "ConnectionBorrowTimeout", 0, 300)? {
            group.borrow_timeout = seconds;
        }
        if input::given(config, "SessionPinningFilters") {
            group.pinning_filters = pinning_filters(config, &proxy.engine_family)?;
        }
        if input::given(config, "InitQuery") {
            group.init_query = input::text(config, "InitQuery").map(str::to_owned);
        }
    }
    group.updated = call.now;
    if let Some(proxy) = world.rds.proxies.get_mut(&name) {
        proxy.target_group = group;
    }
    let view = known(world, &name).map(|proxy| answer(world, &name, proxy))?;
    Ok(json!({ "DBProxyTargetGroup": view }))
}

/// The one target group is called `default`.
pub(super) fn group_name(call: &Call) -> Result<(), AwsError> {
    match input::text(&call.input, "TargetGroupName") {
        None | Some("default") => Ok(()),
        Some(other) => Err(AwsError::new(
            404,
            "DBProxyTargetGroupNotFoundFault",
            format!("The target group {other} doesn't exist."),
        )),
    }
}

fn pinning_filters(config: &Value, family: &str) -> Result<Vec<String>, AwsError> {
    let filters = input::texts(config, "SessionPinningFilters");
    if let Some(unknown) = filters.iter().find(|filter| *filter != "EXCLUDE_VARIABLE_SETS") {
        return Err(checks::invalid(format!("{unknown} is not a valid session pinning filter.")));
    }
    if !filters.is_empty() && family != "MYSQL" {
        return Err(checks::combination(format!("Session pinning filters are not supported for {family}.")));
    }
    Ok(filters)
}

fn answer(world: &World, name: &str, proxy: &Proxy) -> Value {
    let group = &proxy.target_group;
    json!({
        "DBProxyName": name,
        "TargetGroupName": "default",
        "TargetGroupArn": world.arn("rds", &format!("target-group:{}", group.id)),
        "IsDefault": true,
        "Status": if matches!(proxy.status, Status::Settled(_)) { "available" } else { proxy.status.word() },
        "ConnectionPoolConfig": {
            "MaxConnectionsPercent": group.max_connections_percent,
            "MaxIdleConnectionsPercent": group.max_idle_connections_percent,
            "ConnectionBorrowTimeout": group.borrow_timeout,
            "SessionPinningFilters": group.pinning_filters,
            "InitQuery": group.init_query,
        },
        "CreatedDate": proxy.created.iso(),
        "UpdatedDate": group.updated.iso(),
    })
}
