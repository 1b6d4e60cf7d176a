//! The database itself: version, status, parameters, capacity.

use super::facts::Facts;
use super::{Check, CheckResult, Finding, sentence};
use crate::catalogue::checks::CheckId;
use crate::cloud::rds::EngineFamily;

pub(super) const CHECKS: &[(CheckId, Check)] = &[
    (CheckId::Version, version),
    (CheckId::DatabaseBusy, busy),
    (CheckId::Tenancy, tenancy),
    (CheckId::EncryptionControl, encryption_control),
    (CheckId::ReadOnlyParameter, read_only),
    (CheckId::ParameterPending, pending),
    (CheckId::ServerlessFloor, floor),
    (CheckId::NoMorePause, pause),
    (CheckId::PostgresDatabase, postgres),
    (CheckId::SmallPool, pool),
    (CheckId::Babelfish, babelfish),
    (CheckId::BlueGreen, switchover),
];

/// The first version of each engine that AWS lists for RDS Proxy
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.RDS_Fea_Regions_DB-eng.Feature.RDS_Proxy.html>).
/// Lists grow, so only what is older is reported; whether AWS takes a version shows when the target is registered.
const OLDEST: [(&str, &[u32]); 6] = [
    ("RDS MySQL", &[5, 7]),
    ("RDS MariaDB", &[10, 5]),
    ("RDS PostgreSQL", &[10]),
    ("Aurora PostgreSQL", &[11, 9]),
    ("RDS MySQL Multi-AZ cluster", &[8, 0, 26]),
    ("RDS PostgreSQL Multi-AZ cluster", &[13, 4]),
];

fn version(facts: &Facts<'_>) -> CheckResult {
    let label = &facts.survey.database.label;
    let Some((engine, version)) = label.rsplit_once(' ') else { return CheckResult::Beside };
    let number = |text: &str| -> Vec<u32> { text.split('.').map_while(|part| part.parse().ok()).collect() };
    let old = if engine == "Aurora MySQL" {
        // `8.0.mysql_aurora.3.08.0`: Aurora's own number is the last part.
        let own = number(version.rsplit_once("mysql_aurora.").map_or(version, |(_, own)| own));
        if own.first() == Some(&2) { own < vec![2, 7] } else { own < vec![3, 1] }
    } else {
        let oldest = OLDEST.iter().find(|(name, _)| *name == engine);
        oldest.is_some_and(|(_, oldest)| number(version).as_slice() < *oldest)
    };
    let evidence = if old { vec![format!("The database is {label}.")] } else { Vec::new() };
    CheckResult::by(CheckId::Version, evidence, label.clone())
}

/// The states in which AWS takes a database as target, from the texts of its refusals, and those that take one too
/// and pass by themselves.
const TAKEN: [&str; 7] =
    ["available", "modifying", "backing-up", "creating", "storage-optimization", "upgrading", "maintenance"];

fn busy(facts: &Facts<'_>) -> CheckResult {
    let (database, registered) = (&facts.survey.database, &facts.survey.seen.registered);
    if registered.present().is_some_and(|found| !found.rows.is_empty()) {
        return CheckResult::Beside;
    }
    if TAKEN.contains(&database.status.as_str()) {
        return CheckResult::Fine(format!("its status is {}", database.status));
    }
    CheckResult::Found(Finding::of(
        CheckId::DatabaseBusy,
        [format!("The status of {} is {}.", database.id, database.status)],
    ))
}

fn tenancy(facts: &Facts<'_>) -> CheckResult {
    match &facts.vpc {
        Ok(Some(vpc)) if vpc.dedicated => {
            let evidence = format!("The instance tenancy of {} is dedicated.", vpc.id);
            CheckResult::Found(
                Finding::of(CheckId::Tenancy, [evidence]).with("--vpc-id VPC", &format!("--vpc-id {}", vpc.id)),
            )
        }
        Ok(_) => CheckResult::Fine("the VPC's tenancy is the default".to_owned()),
        Err(why) => CheckResult::unread(why),
    }
}

fn encryption_control(facts: &Facts<'_>) -> CheckResult {
    match &facts.vpc {
        Ok(Some(vpc)) if vpc.enforces_encryption => {
            let evidence = format!("The encryption control of {} is in enforce mode.", vpc.id);
            CheckResult::Found(Finding::of(CheckId::EncryptionControl, [evidence]))
        }
        Ok(_) => CheckResult::Fine("the VPC enforces no encryption".to_owned()),
        Err(why) => CheckResult::unread(why),
    }
}

fn read_only(facts: &Facts<'_>) -> CheckResult {
    if facts.survey.database.family != EngineFamily::MySql {
        return CheckResult::Beside;
    }
    let groups = match &facts.parameters {
        Ok(groups) => groups,
        Err(why) => return CheckResult::unread(why),
    };
    let on = |value: &String| matches!(value.to_ascii_lowercase().as_str(), "1" | "on" | "true");
    let found: Vec<(&str, &String)> = groups
        .iter()
        .filter_map(|(group, set)| Some((group.group.as_str(), set.get("read_only").filter(|value| on(value))?)))
        .collect();
    let Some((group, value)) = found.first() else {
        return CheckResult::Fine("no parameter group sets read_only".to_owned());
    };
    let finding =
        Finding::of(CheckId::ReadOnlyParameter, [format!("The parameter group {group} sets read_only to {value}.")]);
    CheckResult::Found(finding.with_fixes([
        format!("Reset it: aws rds reset-db-parameter-group --db-parameter-group-name {group} --parameters ParameterName=read_only,ApplyMethod=immediate"),
        format!("Then reboot the database {}.", facts.survey.database.id),
    ]))
}

fn pending(facts: &Facts<'_>) -> CheckResult {
    let groups = facts.survey.database.parameters.iter().filter(|group| !group.cluster);
    let waiting: Vec<_> = groups.filter(|group| group.status == "pending-reboot").collect();
    let Some(first) = waiting.first() else { return CheckResult::Fine("no parameter waits for a reboot".to_owned()) };
    let evidence =
        waiting.iter().map(|group| format!("The parameter group {} of {} is {}.", group.group, group.of, group.status));
    let finding = Finding::of(CheckId::ParameterPending, evidence);
    CheckResult::Found(finding.with("--db-instance-identifier ID", &format!("--db-instance-identifier {}", first.of)))
}

fn floor(facts: &Facts<'_>) -> CheckResult {
    let Some(floor) = facts.survey.database.serverless_floor else { return CheckResult::Beside };
    let text = format!("the least capacity of the cluster is {}.{} ACU", floor / 10, floor % 10);
    if floor >= 10 {
        return CheckResult::Fine(text);
    }
    let id = &facts.survey.database.id;
    let finding = Finding::of(CheckId::ServerlessFloor, [sentence(&text)]);
    CheckResult::Found(finding.with("--db-cluster-identifier ID", &format!("--db-cluster-identifier {id}")))
}

fn pause(facts: &Facts<'_>) -> CheckResult {
    match facts.survey.database.serverless_floor {
        Some(0) => {
            let evidence = "The cluster's least capacity is 0 ACU, so it paused by itself before.".to_owned();
            CheckResult::Found(Finding::of(CheckId::NoMorePause, [evidence]))
        }
        _ => CheckResult::Beside,
    }
}

/// Whether the target is ill in a way that another thing than what AWS shows may explain.
fn is_unhealthy(facts: &Facts<'_>, reason: &str) -> bool {
    facts.symptoms().iter().any(|symptom| symptom.reason.as_deref() == Some(reason))
}

fn postgres(facts: &Facts<'_>) -> CheckResult {
    let is = facts.survey.database.family == EngineFamily::PostgreSql && is_unhealthy(facts, "CONNECTION_FAILED");
    if !is {
        return CheckResult::Beside;
    }
    CheckResult::Unchecked(
        "only a login shows it: SELECT has_database_privilege('rdsproxyadmin', 'postgres', 'CONNECT');".to_owned(),
    )
}

fn switchover(facts: &Facts<'_>) -> CheckResult {
    if !is_unhealthy(facts, "PROMOTED") {
        return CheckResult::Beside;
    }
    let told = facts.symptoms().iter().map(ToString::to_string).collect::<Vec<_>>();
    CheckResult::Found(Finding::of(CheckId::BlueGreen, told))
}

/// The least share of the connections that AWS advises for small and for other classes
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connections.html>).
fn least_percent(classes: &[String]) -> i32 {
    let small = classes.iter().any(|class| matches!(class.rsplit('.').next(), Some("micro" | "small")));
    if small { 30 } else { 20 }
}

fn pool(facts: &Facts<'_>) -> CheckResult {
    let percent = match &facts.pool {
        Ok(pool) => pool.max_connections_percent,
        Err(why) => return CheckResult::unread(why),
    };
    let database = &facts.survey.database;
    // SQL Server counts differently: AWS's own default there is 10 percent.
    let Some(percent) = percent.filter(|_| database.family != EngineFamily::SqlServer) else {
        return CheckResult::Beside;
    };
    let least = least_percent(&database.classes);
    if percent >= least {
        return CheckResult::Fine(format!("the pool may use {percent} percent of max_connections"));
    }
    let set = facts.parameters.as_ref().ok().and_then(|groups| {
        groups.iter().find_map(|(_, set)| set.get("max_connections")).and_then(|value| value.parse::<i32>().ok())
    });
    let mut evidence = vec![format!(
        "The pool may use {percent} percent of max_connections, and AWS advises at least {least} for {}.",
        database.classes.join(", ")
    )];
    evidence
        .extend(set.map(|max| format!("max_connections is {max}, so that is {} connections.", max * percent / 100)));
    CheckResult::Found(Finding::of(CheckId::SmallPool, evidence).with("-percent N", &format!("-percent {least}")))
}

fn babelfish(facts: &Facts<'_>) -> CheckResult {
    let groups = match &facts.parameters {
        Ok(groups) => groups,
        Err(why) => return CheckResult::unread(why),
    };
    let on = groups.iter().find(|(_, set)| set.get("rds.babelfish_status").is_some_and(|value| value == "on"));
    on.map_or(CheckResult::Beside, |(group, _)| {
        let evidence = format!("The parameter group {} turns Babelfish on.", group.group);
        CheckResult::Found(Finding::of(CheckId::Babelfish, [evidence]))
    })
}
