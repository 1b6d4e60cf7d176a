//! One change of the account, as a person names it.

use std::collections::BTreeSet;

use sandbox::{Asked, World};
use serde_json::Value;

use crate::cloud::calls::served;

/// Members of inputs that name what is changed, the most important first (botocore's models).
const NAMES: [&str; 22] = [
    "DBProxyName",
    "DBProxyEndpointName",
    "DBInstanceIdentifier",
    "DBInstanceIdentifiers",
    "DBClusterIdentifier",
    "DBClusterIdentifiers",
    "RoleName",
    "PolicyName",
    "PolicyArn",
    "GroupName",
    "GroupId",
    "FunctionName",
    "Name",
    "SecretId",
    "logGroupName",
    "resourceArn",
    "ResourceName",
    "ResourceArn",
    "ResourceId",
    "Resource",
    "AlarmName",
    "DashboardName",
];

/// A call that changed the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The step that it served, by its slug.
    pub step: Option<&'static str>,
    /// `rds:CreateDBProxy`.
    pub operation: String,
    /// What it changed: names, the most important first.
    pub target: String,
}

impl Change {
    /// What a request would change.
    #[must_use]
    pub fn of(asked: &Asked, world: &World) -> Self {
        let mut said = BTreeSet::new();
        let mut names = Vec::new();
        for member in NAMES {
            for text in texts(asked.input.get(member)) {
                let name = named(world, text);
                if said.insert(name.clone()) {
                    names.push(name);
                }
            }
        }
        let rules = rules(asked, world);
        let target = match (names.is_empty(), rules.is_empty()) {
            (_, true) => names.join(", "),
            (true, false) => rules.join(", "),
            (false, false) => format!("{}: {}", names.join(", "), rules.join(", ")),
        };
        let service = super::prefix(asked.service);
        Self { step: served(), operation: format!("{service}:{}", asked.action), target }
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Ids say less than names.
fn named(world: &World, text: &str) -> String {
    if let Some(group) = world.ec2.groups.get(text) {
        return group.name.clone();
    }
    let own = |part: &str| {
        part.strip_prefix("db-proxy:")
            .and_then(|id| world.rds.proxies.iter().find(|(_, proxy)| proxy.id == id).map(|(name, _)| name.clone()))
    };
    let resource = text.strip_prefix("arn:").and_then(|arn| arn.splitn(5, ':').nth(4));
    resource
        .and_then(|resource| own(resource).or_else(|| Some(resource.rsplit(['/', ':']).next()?.to_owned())))
        .unwrap_or_else(|| text.to_owned())
}

/// Rules of a security group, in words: `tcp 3306 from app-functions`.
fn rules(asked: &Asked, world: &World) -> Vec<String> {
    let items = asked.input.get("IpPermissions").and_then(Value::as_array);
    let way = if asked.action.ends_with("Egress") { "to" } else { "from" };
    let text = |item: &Value, member: &str| item.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rule = |item: &Value| {
        let peers = item.get("UserIdGroupPairs").or_else(|| item.get("Groups")).and_then(Value::as_array);
        let peers: Vec<String> = peers.into_iter().flatten().map(|peer| named(world, &text(peer, "GroupId"))).collect();
        format!("{} {} {way} {}", text(item, "IpProtocol"), text(item, "FromPort"), peers.join(", "))
    };
    items.into_iter().flatten().map(rule).collect()
}
