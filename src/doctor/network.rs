//! The ways between functions, proxy and database: zones, addresses, groups, ACLs, routes.

use super::facts::Facts;
use super::paths::{End, Way, way};
use super::{Check, CheckResult, Finding};
use crate::catalogue::checks::CheckId;
use crate::cloud::ec2::{RouteTable, Subnet};
use crate::discover::acls;
use crate::discover::functions::FunctionUse;
use crate::discover::network::{UNSUPPORTED_ZONES, addresses};

pub(super) const CHECKS: &[(CheckId, Check)] = &[
    (CheckId::ZoneUnsupported, zones),
    (CheckId::FreeAddresses, free),
    (CheckId::AclToDatabase, acl_to_database),
    (CheckId::AclToProxy, acl_to_proxy),
    (CheckId::Route, routes),
    (CheckId::DatabaseIngress, ingress),
    (CheckId::SharedGroup, shared),
    (CheckId::ProxyEgress, egress),
    (CheckId::ProxyIngress, functions_in),
    (CheckId::FunctionEgress, functions_out),
    (CheckId::OrphanGroup, orphan),
];

/// The subnets that the proxy is in, or would be.
fn proxy_subnets<'a>(facts: &'a Facts<'_>) -> &'a [String] {
    let chosen = facts.survey.subnets.as_ref().map(|subnets| subnets.ids.as_slice());
    facts.proxy().map(|proxy| proxy.subnets.as_slice()).or(chosen).unwrap_or_default()
}

fn zones(facts: &Facts<'_>) -> CheckResult {
    let subnets = match &facts.subnets {
        Ok(subnets) => subnets,
        Err(why) => return CheckResult::unread(why),
    };
    let whose = &facts.survey.database.subnets;
    let dropped = subnets
        .iter()
        .filter(|subnet| whose.contains(&subnet.id) && UNSUPPORTED_ZONES.contains(&subnet.zone_id.as_str()))
        .map(|subnet| format!("{} is in {}, where RDS Proxy does not work.", subnet.id, subnet.zone_id));
    CheckResult::by(CheckId::ZoneUnsupported, dropped.collect(), "every zone is one that RDS Proxy works in")
}

fn free(facts: &Facts<'_>) -> CheckResult {
    if let Err(why) = &facts.subnets {
        return CheckResult::unread(why);
    }
    let needed = addresses(&facts.survey.database.classes);
    let mine: Vec<&Subnet> = proxy_subnets(facts).iter().filter_map(|id| facts.subnet(id)).collect();
    // A proxy that stands has taken its addresses already: it is short where hardly any is left.
    let least = if facts.proxy().is_some() { 3 } else { needed };
    let free: i32 = mine.iter().map(|subnet| subnet.free).sum();
    let each = || {
        let each = mine.iter().map(|subnet| format!("{} in {}: {}", subnet.id, subnet.zone, subnet.free));
        each.collect::<Vec<_>>().join(", ")
    };
    let short = (!mine.is_empty() && free < least).then(|| {
        format!(
            "The proxy's subnets have {free} free addresses in all ({}); AWS recommends {needed} for this class.",
            each()
        )
    });
    CheckResult::by(CheckId::FreeAddresses, short.into_iter().collect(), "the proxy's subnets have free addresses")
}

fn acl_to_database(facts: &Facts<'_>) -> CheckResult {
    let database = &facts.survey.database;
    blocked(
        facts,
        CheckId::AclToDatabase,
        proxy_subnets(facts),
        &database.subnets,
        database.port,
        "no network ACL is between proxy and database",
    )
}

pub(super) fn acl_to_proxy(facts: &Facts<'_>) -> CheckResult {
    let mut from: Vec<String> =
        facts.survey.functions.iter().flat_map(|found| found.function.subnets.clone()).collect();
    from.sort();
    from.dedup();
    let port = facts.survey.database.family.proxy_port();
    blocked(
        facts,
        CheckId::AclToProxy,
        &from,
        proxy_subnets(facts),
        port,
        "no network ACL is between functions and proxy",
    )
}

fn blocked(facts: &Facts<'_>, check: CheckId, from: &[String], to: &[String], port: u16, fine: &str) -> CheckResult {
    match (&facts.acls, &facts.subnets) {
        (Ok(acls), Ok(subnets)) => match CheckResult::by(check, acls::blocked(acls, subnets, from, to, port), fine) {
            CheckResult::Found(finding) => CheckResult::Found(finding.with("PORT", &port.to_string())),
            opinion => opinion,
        },
        (Err(why), _) | (_, Err(why)) => CheckResult::unread(why),
    }
}

pub(super) fn routes(facts: &Facts<'_>) -> CheckResult {
    let tables = match &facts.routes {
        Ok(tables) => tables,
        Err(why) => return CheckResult::unread(why),
    };
    let functions = facts.survey.functions.iter().flat_map(|found| &found.function.subnets);
    let mut ends: Vec<&String> =
        proxy_subnets(facts).iter().chain(&facts.survey.database.subnets).chain(functions).collect();
    ends.sort_unstable();
    ends.dedup();
    let ends: Vec<&Subnet> = ends.into_iter().filter_map(|id| facts.subnet(id)).collect();
    let mut led_away: Vec<(String, String)> = ends
        .iter()
        .flat_map(|here| {
            ends.iter().filter(|there| there.id != here.id).filter_map(|there| detour(tables, here, there))
        })
        .collect();
    led_away.sort();
    led_away.dedup();
    let (evidence, fixes): (Vec<String>, Vec<String>) = led_away.into_iter().unzip();
    match CheckResult::by(CheckId::Route, evidence, "traffic within the VPC goes straight") {
        CheckResult::Found(finding) => CheckResult::Found(finding.with_fixes(fixes)),
        opinion => opinion,
    }
}

/// The route that leads from one subnet to another by a detour: the most specific one decides
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html>).
fn detour(tables: &[RouteTable], here: &Subnet, there: &Subnet) -> Option<(String, String)> {
    let own = tables.iter().find(|table| table.subnets.contains(&here.id));
    let table = own.or_else(|| tables.iter().find(|table| table.main))?;
    let length = |cidr: &str| cidr.rsplit_once('/').and_then(|(_, bits)| bits.parse::<u8>().ok()).unwrap_or(0);
    let fits = table.routes.iter().filter(|route| acls::holds(&route.cidr, &there.cidr));
    let route = fits.max_by_key(|route| length(&route.cidr))?;
    let straight = route.to == "local" && !route.blackhole;
    let gone = if route.blackhole { ", which is gone" } else { "" };
    (!straight).then(|| {
        let (id, cidr) = (&table.id, &route.cidr);
        (
            format!("The route table {id} of {} leads {cidr} to {}{gone}.", here.id, route.to),
            format!("If nothing needs it: aws ec2 delete-route --route-table-id {id} --destination-cidr-block {cidr}"),
        )
    })
}

fn blocks<'a>(facts: &'a Facts<'_>, ids: &[String]) -> Vec<&'a str> {
    ids.iter().filter_map(|id| facts.subnet(id)).map(|subnet| subnet.cidr.as_str()).collect()
}

/// The way from the proxy to the database; `None` where there is no proxy.
fn to_database(facts: &Facts<'_>) -> Option<Way> {
    let (proxy, database) = (facts.proxy()?, &facts.survey.database);
    let (near, far) = (blocks(facts, &proxy.subnets), blocks(facts, &database.subnets));
    let from = End { groups: &proxy.security_groups, blocks: &near };
    let to = End { groups: &database.security_groups, blocks: &far };
    Some(way(&facts.survey.seen.groups, from, to, database.port))
}

fn shares_group(facts: &Facts<'_>) -> bool {
    let database = &facts.survey.database.security_groups;
    facts.proxy().is_some_and(|proxy| proxy.security_groups.iter().any(|group| database.contains(group)))
}

fn ingress(facts: &Facts<'_>) -> CheckResult {
    let database = &facts.survey.database;
    match to_database(facts) {
        Some(Way::ClosedIn(whom)) if !shares_group(facts) => CheckResult::Found(Finding::of(
            CheckId::DatabaseIngress,
            [format!("{} lets in {whom} on port {}.", database.security_groups.join(", "), database.port)],
        )),
        Some(Way::Unknown(why)) => CheckResult::Unchecked(why),
        Some(_) => CheckResult::Fine(format!("the database's groups let the proxy in on port {}", database.port)),
        None => CheckResult::Beside,
    }
}

fn shared(facts: &Facts<'_>) -> CheckResult {
    if !shares_group(facts) {
        return CheckResult::Beside;
    }
    let port = facts.survey.database.port;
    match to_database(facts) {
        Some(Way::ClosedIn(whom)) => {
            let groups = facts.survey.database.security_groups.join(", ");
            let evidence = format!("Proxy and database share {groups}, which lets in {whom} on port {port}.");
            let line = facts.survey.database.security_groups.first().map(|group| format!(
                "aws ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port {port} --source-group {group}"
            ));
            CheckResult::Found(Finding::of(CheckId::SharedGroup, [evidence]).with_fixes(line))
        }
        _ => CheckResult::Fine("the shared group lets its own members in".to_owned()),
    }
}

fn egress(facts: &Facts<'_>) -> CheckResult {
    let port = facts.survey.database.port;
    match (to_database(facts), facts.proxy()) {
        (Some(Way::ClosedOut(whither)), Some(proxy)) => {
            let evidence = format!("{} lets out {whither} on port {port}.", proxy.security_groups.join(", "));
            let line = proxy.security_groups.first().zip(facts.survey.database.security_groups.first()).map(|(own, to)| format!(
                "aws ec2 authorize-security-group-egress --group-id {own} --ip-permissions IpProtocol=tcp,FromPort={port},ToPort={port},UserIdGroupPairs=[{{GroupId={to}}}]"
            ));
            CheckResult::Found(Finding::of(CheckId::ProxyEgress, [evidence]).with_fixes(line))
        }
        (Some(Way::Unknown(why)), _) => CheckResult::Unchecked(why),
        (Some(_), _) => CheckResult::Fine(format!("the proxy's groups let out on port {port}")),
        (None, _) => CheckResult::Beside,
    }
}

/// The ways from the functions to the proxy; none where there is no proxy.
fn from_functions<'a>(facts: &'a Facts<'_>) -> Vec<(&'a FunctionUse, Way)> {
    let Some(proxy) = facts.proxy() else { return Vec::new() };
    let far = blocks(facts, &proxy.subnets);
    let port = facts.survey.database.family.proxy_port();
    let of = |found: &'a FunctionUse| {
        let near = blocks(facts, &found.function.subnets);
        let from = End { groups: &found.function.security_groups, blocks: &near };
        (found, way(&facts.survey.seen.groups, from, End { groups: &proxy.security_groups, blocks: &far }, port))
    };
    facts.survey.functions.iter().map(of).collect()
}

fn clients(
    facts: &Facts<'_>,
    check: CheckId,
    fine: &str,
    closed: impl Fn(&FunctionUse, &Way) -> Option<String>,
) -> CheckResult {
    let ways = from_functions(facts);
    if ways.is_empty() {
        return CheckResult::Beside;
    }
    let unknown = ways.iter().find_map(|(_, way)| match way {
        Way::Unknown(why) => Some(why.clone()),
        _ => None,
    });
    let evidence: Vec<String> = ways.iter().filter_map(|(found, way)| closed(found, way)).collect();
    match unknown {
        Some(why) if evidence.is_empty() => CheckResult::Unchecked(why),
        _ => CheckResult::by(check, evidence, fine),
    }
}

fn functions_in(facts: &Facts<'_>) -> CheckResult {
    let port = facts.survey.database.family.proxy_port();
    let groups = facts.proxy().map(|proxy| proxy.security_groups.join(", ")).unwrap_or_default();
    clients(facts, CheckId::ProxyIngress, "the proxy's groups let the functions in", |found, way| match way {
        Way::ClosedIn(whom) => {
            let (name, own) = (&found.function.name, found.function.security_groups.join(", "));
            Some(format!("{name} is in {own}, and {groups} lets in {whom} on port {port}."))
        }
        _ => None,
    })
}

fn functions_out(facts: &Facts<'_>) -> CheckResult {
    let port = facts.survey.database.family.proxy_port();
    clients(facts, CheckId::FunctionEgress, "the functions' groups let out to the proxy", |found, way| match way {
        Way::ClosedOut(whither) => {
            let (name, own) = (&found.function.name, found.function.security_groups.join(", "));
            Some(format!("{name} is in {own}, which lets out {whither} on port {port}."))
        }
        _ => None,
    })
}

fn orphan(facts: &Facts<'_>) -> CheckResult {
    let survey = facts.survey;
    if !survey.seen.proxy.is_absent() {
        return CheckResult::Beside;
    }
    let group = survey.group();
    let Some(group) = group.present() else { return CheckResult::Beside };
    let evidence =
        format!("The group {} ({}) is there, and the proxy {} is not.", group.name, group.id, survey.names.stack);
    CheckResult::Found(Finding::of(CheckId::OrphanGroup, [evidence]))
}
