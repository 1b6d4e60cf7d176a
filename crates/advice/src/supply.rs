//! How many connections the database takes, and how many of them are left for these functions.
//!
//! `DBInstanceClassMemory` is less than a class's memory, by an amount that AWS does not publish (Amazon RDS User
//! Guide, "Specifying DB parameters"); hence the ranges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, SQL_SERVER};
use crate::facts::{Database, Facts, LargerClass};
use crate::figure::{Amount, Fact, Figure, Gap, Origin, Room};
use crate::formula::{Formula, Variable, Variables};
use crate::num::{percent_down, percent_up};

/// What the database takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Supply {
    /// `max_connections` that the writer uses now.
    pub max_connections: Figure,
    /// Whether a reboot is pending that may change it.
    pub pending_reboot: bool,
    /// `DBInstanceClassMemory` of the writer, in bytes.
    pub memory_bytes: Figure,
    /// The writer's vCPUs.
    pub vcpus: Figure,
    /// Connections that only superusers get.
    pub reserved: Figure,
    /// Sessions of RDS itself.
    pub internal: Figure,
    /// Connections of other clients.
    pub others: Figure,
    /// What is left for the functions.
    pub usable: Figure,
    /// The part of it that may be in use at the peak: the line between needed and not needed.
    pub limit: Figure,
    /// What the proxy's pool may hold, where a proxy exists.
    pub proxy_allows: Option<Figure>,
    /// Connections of a pool beyond which more of them only wait for the processor.
    pub served: Figure,
}

/// How much of a class's memory `DBInstanceClassMemory` is at least, in percent.
///
/// What was seen: 70% at 1 GiB (60 connections of MySQL on db.t3.micro, of 85), 84% at 2 GiB (189 of PostgreSQL at 1
/// ACU, of 225), 88% at 16 GiB (1,600 of Aurora PostgreSQL on db.r5.large, of 1,802), 95% at 16 GiB (1,722 on
/// db.r6g.large).
fn least_share(nominal: u64) -> u64 {
    const GIB: u64 = 1 << 30;
    if nominal <= GIB {
        65
    } else if nominal <= 2 * GIB {
        80
    } else {
        85
    }
}

/// Works out what the database takes.
pub(crate) fn of(facts: &Facts) -> (Supply, Vec<Gap>) {
    let mut gaps = Vec::new();
    let database = &facts.database;
    let memory = memory(database, &mut gaps);
    let vcpus = vcpus(database, &mut gaps);
    let worked_out = max_connections(database, memory.amount, vcpus.amount, &mut gaps);
    let max_connections = with_proxy(worked_out, facts, &mut gaps);
    let reserved = reserved(database, &mut gaps);
    let internal = Figure::new(
        Amount::between(1, 5),
        Origin::Assumed,
        "sessions of RDS itself, which DatabaseConnections does not count; AWS publishes no number",
    );
    let others = database.other_connections.figure();
    if let Fact::Unknown { why } = &database.other_connections {
        gaps.push(Gap::new(Room::Supply, "connections of other clients", why.clone()));
    }
    let usable = Figure::new(
        max_connections.amount.minus(reserved.amount.plus(internal.amount)).minus(others.amount),
        Origin::Derived,
        "max_connections less reserved connections, RDS's own and those of other clients",
    );
    let share = facts.assumptions.usable.percent.min(100);
    let limit = Figure::new(
        usable.amount.map(|usable| percent_down(usable, share)),
        facts.assumptions.usable.origin,
        format!("{share}% of what is left: {}", facts.assumptions.usable.source),
    );
    let per_vcpu = &facts.assumptions.pooled_per_vcpu;
    let served = Figure::new(
        vcpus.amount.map(|vcpus| percent_up(vcpus, per_vcpu.percent)),
        if vcpus.amount.is_known() { per_vcpu.origin } else { Origin::Unknown },
        per_vcpu.source.clone(),
    );
    let proxy_allows = facts.proxy.as_ref().map(|proxy| proxy.connections_allowed.figure());
    let pending_reboot = database.parameter.value().is_some_and(|parameter| parameter.pending_reboot);
    let supply = Supply {
        max_connections,
        pending_reboot,
        memory_bytes: memory,
        vcpus,
        reserved,
        internal,
        others,
        usable,
        limit,
        proxy_allows,
        served,
    };
    (supply, gaps)
}

fn memory(database: &Database, gaps: &mut Vec<Gap>) -> Figure {
    if let Some(serverless) = database.serverless {
        let nominal = serverless.max_half_acus.saturating_mul(1 << 30);
        return Figure::new(
            Amount::between(percent_down(nominal, least_share(nominal)), nominal),
            Origin::AwsTable,
            "about 2 GiB an ACU of the maximum capacity, less what the operating system and RDS take",
        );
    }
    match database.instances.first().map(|writer| &writer.memory_bytes) {
        Some(Fact::Known { value, origin, source }) => Figure::new(
            Amount::between(percent_down(*value, least_share(*value)), *value),
            *origin,
            format!("{source}, less what the operating system and RDS take of it"),
        ),
        Some(Fact::Unknown { why }) => {
            gaps.push(Gap::new(Room::Supply, "memory of the class", why.clone()));
            Figure::unknown(why.clone())
        }
        None => {
            gaps.push(Gap::new(Room::Supply, "memory of the class", "the database has no instance"));
            Figure::unknown("the database has no instance")
        }
    }
}

fn vcpus(database: &Database, gaps: &mut Vec<Gap>) -> Figure {
    if let Some(serverless) = database.serverless {
        // AWS gives an ACU about 2 GiB "with corresponding CPU", and no number of vCPUs.
        let why = format!("Serverless v2 up to {} has no published number of vCPUs", acus(serverless.max_half_acus));
        return Figure::unknown(why);
    }
    match database.instances.first().map(|writer| &writer.vcpus) {
        Some(Fact::Unknown { why }) => {
            gaps.push(Gap::new(Room::Supply, "vCPUs of the class", why.clone()));
            Figure::unknown(why.clone())
        }
        Some(known) => known.figure(),
        None => Figure::unknown("the database has no instance"),
    }
}

/// Returns the connections that may be in use with another class, at the least.
pub(crate) fn limit_with(facts: &Facts, class: &LargerClass) -> Option<u64> {
    let mut other = facts.database.clone();
    other.serverless = None;
    let writer = other.instances.first_mut()?;
    class.class.clone_into(&mut writer.class);
    writer.memory_bytes = Fact::known(class.memory_bytes, Origin::AwsTable, "the class");
    writer.vcpus = Fact::known(class.vcpus, Origin::AwsTable, "the class");
    // A literal stays what it is, whatever the class; what a proxy is allowed is of today's.
    let (supply, _) = of(&Facts { database: other, proxy: None, ..facts.clone() });
    supply.limit.amount.low()
}

/// Returns halves of an ACU as ACUs.
pub(crate) fn acus(half_acus: u64) -> String {
    let half = if half_acus.is_multiple_of(2) { "" } else { ".5" };
    let unit = if half_acus == 2 { "ACU" } else { "ACUs" };
    format!("{}{half} {unit}", half_acus / 2)
}

fn max_connections(database: &Database, memory: Amount, vcpus: Amount, gaps: &mut Vec<Gap>) -> Figure {
    let what = "max_connections";
    let parameter = match &database.parameter {
        Fact::Unknown { why } => {
            gaps.push(Gap::new(Room::Supply, what, why.clone()));
            return Figure::unknown(why.clone());
        }
        Fact::Known { value, .. } => value,
    };
    if parameter.pending_reboot {
        // The value from before the change is shown nowhere. The database took its measured peak.
        let why =
            format!("a reboot is pending for {}: what the database uses until then is shown nowhere", parameter.group);
        gaps.push(Gap::new(Room::Supply, what, why.clone()));
        return match database.measured_connections.value() {
            Some(peak) => Figure::new(Amount::AtLeast { low: *peak }, Origin::Measured, why),
            None => Figure::unknown(why),
        };
    }
    let default = database.engine.default_formula(&database.engine_version);
    let is_default = parameter.text.is_none() || parameter.text.as_deref() == default;
    if is_default && let Some(figure) = published(database) {
        return figure;
    }
    let Some(text) = parameter.text.as_deref().or(default) else {
        return no_formula(database, gaps);
    };
    match evaluate(text, database, memory, vcpus) {
        Ok(Amount::Exactly { value }) if !is_default && !text.contains('{') => Figure::new(
            Amount::exactly(value),
            Origin::Configured,
            format!("the parameter group {} sets it", parameter.group),
        ),
        Ok(amount) => Figure::new(
            amount,
            if is_default { Origin::EngineDefault } else { Origin::Configured },
            format!(
                "{text}{}",
                if amount.is_known() && amount.low() != amount.high() {
                    ", for the least and the most that DBInstanceClassMemory can be"
                } else {
                    ""
                }
            ),
        ),
        Err(why) => {
            gaps.push(Gap::new(Room::Supply, what, why.clone()));
            Figure::unknown(why)
        }
    }
}

/// What the database takes, by what a proxy found: it may open so many connections, and leaves some for itself, so the
/// database takes as many at least.
fn with_proxy(figure: Figure, facts: &Facts, gaps: &mut Vec<Gap>) -> Figure {
    let Some(proxy) = &facts.proxy else { return figure };
    let Some(allowed) = proxy.connections_allowed.value().copied() else { return figure };
    if figure.amount.low().is_some_and(|low| low >= allowed) {
        return figure;
    }
    let source = format!("the proxy {} may open {allowed} (MaxDatabaseConnectionsAllowed)", proxy.name);
    match figure.amount.high() {
        Some(high) if high < allowed => {
            let why = format!("{source}, more than the {high} that the configuration says");
            gaps.push(Gap::new(Room::Supply, "max_connections", why.clone()));
            Figure::new(Amount::AtLeast { low: allowed }, Origin::Measured, why)
        }
        high => Figure::new(
            Amount::of_ends(Some(allowed), high),
            Origin::Measured,
            format!("{source}, so the database takes as many; {}", figure.source),
        ),
    }
}

/// What Aurora publishes for the class or the maximum capacity.
fn published(database: &Database) -> Option<Figure> {
    if let Some(serverless) = database.serverless {
        let amount = database.engine.serverless(serverless.min_half_acus, serverless.max_half_acus);
        return Some(Figure::new(
            amount,
            Origin::AwsTable,
            format!("Aurora's table for Serverless v2 at a maximum of {}", acus(serverless.max_half_acus)),
        ));
    }
    let class = &database.instances.first()?.class;
    let value = database.engine.published(class)?;
    Some(Figure::new(Amount::exactly(value), Origin::AwsTable, format!("Aurora's table for {class}")))
}

fn no_formula(database: &Database, gaps: &mut Vec<Gap>) -> Figure {
    if database.engine == Engine::SqlServer {
        return Figure::new(
            Amount::exactly(SQL_SERVER),
            Origin::EngineDefault,
            "SQL Server's `user connections` is 0, which allows the engine's 32,767",
        );
    }
    let why = "no default is known for this engine";
    gaps.push(Gap::new(Room::Supply, "max_connections", why));
    Figure::unknown(why)
}

fn evaluate(text: &str, database: &Database, memory: Amount, vcpus: Amount) -> Result<Amount, String> {
    let formula = Formula::parse(text).map_err(|error| format!("the value `{text}` is no formula: {error}"))?;
    let of = |memory_bytes: Option<u64>| {
        formula
            .evaluate(&Variables {
                memory_bytes,
                vcpus: vcpus.high(),
                storage_bytes: database.allocated_storage_bytes,
                port: database.port,
                replica: None,
            })
            .map_err(|error| format!("{text}: {error}"))
    };
    if !formula.uses(Variable::DbInstanceClassMemory) {
        return of(None).map(Amount::exactly);
    }
    Ok(Amount::between(of(memory.low())?, of(memory.high())?))
}

/// PostgreSQL keeps connections for superusers: `superuser_reserved_connections`, 3 by default, and RDS 2 more for
/// `rds_superuser`. MySQL and MariaDB keep one beyond `max_connections`, and so none of it.
fn reserved(database: &Database, gaps: &mut Vec<Gap>) -> Figure {
    if !database.engine.is_postgresql() {
        return Figure::new(
            Amount::exactly(0),
            Origin::EngineDefault,
            "the connection kept for administrators comes on top of max_connections",
        );
    }
    let mut total = Amount::exactly(0);
    let mut origin = Origin::EngineDefault;
    for (name, fact, default) in [
        ("superuser_reserved_connections", &database.superuser_reserved, 3),
        ("rds.rds_superuser_reserved_connections", &database.rds_reserved, 2),
    ] {
        match fact {
            Fact::Known { value: Some(value), .. } => {
                origin = Origin::Configured;
                total = total.plus(Amount::exactly(*value));
            }
            Fact::Known { value: None, .. } => total = total.plus(Amount::exactly(default)),
            Fact::Unknown { why } => {
                gaps.push(Gap::new(Room::Supply, name, why.clone()));
                total = total.plus(Amount::Unknown);
            }
        }
    }
    Figure::new(total, origin, "superuser_reserved_connections (3 by default) and RDS's own for rds_superuser (2)")
}
