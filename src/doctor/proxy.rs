//! The proxy and its target.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::{Check, CheckResult, Finding, sentence};
use advice::quotas::PROXIES;

use crate::catalogue::StepId;
use crate::catalogue::checks::CheckId;
use crate::cloud::lambda::Update;
use crate::plan::Verdict;

pub(super) const CHECKS: &[(CheckId, Check)] = &[
    (CheckId::NotRegistered, registered),
    (CheckId::OtherTarget, other_target),
    (CheckId::ForeignProxy, foreign),
    (CheckId::ProxyState, state),
    (CheckId::OneZone, one_zone),
    (CheckId::Quota, quota),
    (CheckId::Throttled, throttled),
    (CheckId::NoAddresses, no_addresses),
    (CheckId::Overcommitted, overcommitted),
    (CheckId::DeadProxy, dead),
    (CheckId::Stops, stops),
];

fn registered(facts: &Facts<'_>) -> CheckResult {
    let Some(proxy) = facts.proxy().filter(|proxy| proxy.status == "available") else { return CheckResult::Beside };
    match facts.survey.seen.registered.present() {
        Some(found) if found.rows.is_empty() => CheckResult::Found(Finding::of(
            CheckId::NotRegistered,
            [format!("The proxy {} has no target.", proxy.name)],
        )),
        Some(_) => CheckResult::Fine("the proxy has a target".to_owned()),
        None => CheckResult::Unchecked("the targets could not be read".to_owned()),
    }
}

fn conflict(facts: &Facts<'_>, step: StepId, check: CheckId, fine: &str) -> CheckResult {
    match facts.verdict(step) {
        Verdict::Conflict(reasons) => CheckResult::Found(Finding::of(check, reasons.iter().map(|why| sentence(why)))),
        Verdict::Unknown(why) => CheckResult::Unchecked(why.clone()),
        _ => CheckResult::Fine(fine.to_owned()),
    }
}

fn other_target(facts: &Facts<'_>) -> CheckResult {
    conflict(facts, StepId::Target, CheckId::OtherTarget, "the proxy's target is this database")
}

fn foreign(facts: &Facts<'_>) -> CheckResult {
    conflict(facts, StepId::Proxy, CheckId::ForeignProxy, "no other proxy has this name")
}

fn stops(facts: &Facts<'_>) -> CheckResult {
    let others = [
        StepId::ProxyRole,
        StepId::ProxyGroup,
        StepId::ConnectPolicy,
        StepId::SecretAccess,
        StepId::AttachPolicy,
        StepId::DatabaseIngress,
        StepId::ProxyIngress,
        StepId::Repoint,
    ];
    // A failed update has a check of its own.
    let failed = facts.survey.functions.iter().any(|found| matches!(found.function.update, Update::Failed(_)));
    let evidence = others.iter().filter(|step| !(failed && **step == StepId::Repoint)).filter_map(|step| {
        match facts.verdict(*step) {
            Verdict::Conflict(reasons) => Some(format!("{step}: {}.", reasons.join("; ").trim_end_matches('.'))),
            _ => None,
        }
    });
    CheckResult::by(CheckId::Stops, evidence.collect(), "no step meets a conflict")
}

fn state(facts: &Facts<'_>) -> CheckResult {
    let Some(proxy) = facts.proxy() else { return CheckResult::Beside };
    if facts.is_dead() {
        let evidence = format!("The status of {} is {}.", proxy.name, proxy.status);
        return CheckResult::Found(Finding::of(CheckId::ProxyState, [evidence]));
    }
    CheckResult::Fine(format!("its status is {}", proxy.status))
}

fn one_zone(facts: &Facts<'_>) -> CheckResult {
    let Some(proxy) = facts.proxy() else { return CheckResult::Beside };
    if let Err(why) = &facts.subnets {
        return CheckResult::unread(why);
    }
    let zones: BTreeSet<&str> =
        proxy.subnets.iter().filter_map(|id| facts.subnet(id)).map(|subnet| subnet.zone.as_str()).collect();
    if zones.len() != 1 {
        return CheckResult::Fine(format!("the proxy is in {} zones", zones.len()));
    }
    let evidence = format!("All subnets of {} are in {}.", proxy.name, zones.into_iter().next().unwrap_or_default());
    CheckResult::Found(Finding::of(CheckId::OneZone, [evidence]))
}

fn quota(facts: &Facts<'_>) -> CheckResult {
    match facts.proxies {
        Ok(count) => {
            let (quota, whose) = match &facts.quota {
                Some(Ok(quota)) => (*quota, "its quota is".to_owned()),
                Some(Err(why)) => (PROXIES, format!("its quota could not be read ({why}), and the default is")),
                None => (PROXIES, "the default quota is".to_owned()),
            };
            if count as u64 >= quota {
                return CheckResult::Found(Finding::of(
                    CheckId::Quota,
                    [format!("The region has {count} proxies; {whose} {quota}.")],
                ));
            }
            CheckResult::Fine(format!("the region has {count} proxies of {quota}"))
        }
        Err(ref why) => CheckResult::unread(why),
    }
}

fn overcommitted(facts: &Facts<'_>) -> CheckResult {
    let (others, own) = match (&facts.shares, &facts.pool) {
        (Ok(others), Ok(pool)) => (others, pool.max_connections_percent.unwrap_or(100)),
        (Err(why), _) | (_, Err(why)) => return CheckResult::unread(why),
    };
    let sum = others.iter().map(|(_, percent)| percent).sum::<i32>() + own;
    if sum <= 100 {
        return CheckResult::Fine(format!("all proxies of the database together may use {sum} percent"));
    }
    let stack = &facts.survey.names.stack;
    let all = std::iter::once((stack, &own)).chain(others.iter().map(|(name, percent)| (name, percent)));
    let each: Vec<String> = all.map(|(name, percent)| format!("{name} {percent}")).collect();
    CheckResult::Found(Finding::of(
        CheckId::Overcommitted,
        [format!("Together {sum} percent of max_connections: {}.", each.join(", "))],
    ))
}

fn by_event(facts: &Facts<'_>, check: CheckId, word: &str, fine: &str) -> CheckResult {
    match &facts.events {
        Ok(events) => {
            let mut said = events.iter().filter(|text| text.to_ascii_lowercase().contains(word));
            let last: Vec<String> = said.next_back().map(|text| format!("RDS event: {text}")).into_iter().collect();
            CheckResult::by(check, last, fine)
        }
        Err(why) => CheckResult::unread(why),
    }
}

fn throttled(facts: &Facts<'_>) -> CheckResult {
    by_event(facts, CheckId::Throttled, "throttled", "no RDS event of the last day is about throttling")
}

fn no_addresses(facts: &Facts<'_>) -> CheckResult {
    by_event(facts, CheckId::NoAddresses, "ip address", "no RDS event of the last day is about missing addresses")
}

fn dead(facts: &Facts<'_>) -> CheckResult {
    let evidence = facts.survey.dead.iter().map(|dead| format!("{dead}."));
    CheckResult::by(CheckId::DeadProxy, evidence.collect(), "no variable holds the host of a proxy that does not exist")
}
