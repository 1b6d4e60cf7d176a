//! Databases under load: how many connections they have and take, and how busy they are.

use super::formula::{Variables, evaluate};
use super::numbers::{chance, real, whole};
use super::routes::Target;
use super::traffic::{MINUTE, Traffic, place};
use super::{Sample, classes};
use crate::account::World;
use crate::rds::{Instance, Proxy};

/// vCPUs of one ACU: a class of the r family has one for 8 GiB, and an ACU has 2 GiB
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html>).
const VCPUS_OF_ACU: f64 = 0.25;

/// `max_connections` of Serverless v2 by its largest capacity: ACUs, Aurora MySQL, Aurora PostgreSQL
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html>).
const OF_ACUS: &[(u32, u32, u32)] = &[
    (1, 90, 189),
    (4, 135, 823),
    (8, 1000, 1669),
    (16, 2000, 3360),
    (32, 3000, 5000),
    (64, 4000, 5000),
    (128, 5000, 5000),
];

/// A metric of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstanceMetric {
    DatabaseConnections,
    CpuUtilization,
    ServerlessDatabaseCapacity,
    AcuUtilization,
}

/// The instances of a cluster with one role; where it has no readers, readers are its writer.
pub(crate) fn members<'world>(world: &'world World, cluster: &str, readers: bool) -> Vec<&'world str> {
    let Some(cluster) = world.rds.clusters.get(cluster) else { return Vec::new() };
    let of = |writer: bool| {
        cluster.members.iter().filter(move |(_, is)| *is == writer).map(|(id, _)| id.as_str()).collect::<Vec<_>>()
    };
    let found = of(!readers);
    if found.is_empty() { of(true) } else { found }
}

/// The instances that a proxy reaches in one role.
pub(super) fn behind<'world>(world: &'world World, proxy: &'world Proxy, readers: bool) -> Vec<&'world str> {
    match &proxy.target_group.target {
        Some(target) if target.cluster => members(world, &target.id, readers),
        Some(target) if !readers => vec![&target.id],
        _ => Vec::new(),
    }
}

/// The instances that a target leads to.
fn instances<'world>(world: &'world World, target: &'world Target) -> Vec<&'world str> {
    match target {
        Target::Instance(id) => vec![id],
        Target::Writer(cluster) => members(world, cluster, false),
        Target::Readers(cluster) => members(world, cluster, true),
        Target::Proxy { proxy, readers, .. } => {
            world.rds.proxies.get(proxy).map(|proxy| behind(world, proxy, *readers)).unwrap_or_default()
        }
    }
}

/// The share of what goes to a target that comes to an instance.
fn share(world: &World, target: &Target, instance: &str) -> f64 {
    let all = instances(world, target);
    if all.contains(&instance) { 1.0 / real(i64::try_from(all.len()).unwrap_or(1)) } else { 0.0 }
}

/// How many connections an instance takes.
pub(super) fn max_connections(world: &World, id: &str) -> Option<u32> {
    let instance = world.rds.instances.get(id)?;
    if let Some(number) = instance.max_connections {
        return Some(number);
    }
    let group = |name: &str| world.rds.parameters.get(name).and_then(|group| group.get("max_connections"));
    let cluster = instance.cluster.as_ref().and_then(|cluster| world.rds.clusters.get(cluster));
    let text = group(&instance.parameter_group)
        .or_else(|| cluster.and_then(|cluster| group(&cluster.parameter_group)))
        .map_or_else(|| engine_default(&instance.engine), |text| Some(text.as_str()))?;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    if instance.class == "db.serverless" {
        let (min, max) = cluster?.serverless?;
        let row = OF_ACUS.iter().rev().find(|(acus, ..)| acus * 10 <= max)?;
        let postgres = instance.engine.contains("postgres");
        let number = if postgres { row.2 } else { row.1 };
        return Some(if postgres && min < 10 { number.min(2000) } else { number });
    }
    let class = classes::of_class(&instance.class)?;
    let variables = Variables { memory: class.database_memory(), vcpus: f64::from(class.vcpus) };
    evaluate(text, variables).map(whole)
}

/// The formula of an engine whose parameter group says nothing
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections>).
pub(crate) fn engine_default(engine: &str) -> Option<&'static str> {
    Some(match engine {
        "mysql" => "{DBInstanceClassMemory/12582880}",
        "mariadb" => "LEAST({DBInstanceClassMemory/25165760},12000)",
        "postgres" | "aurora-postgresql" => "LEAST({DBInstanceClassMemory/9531392},5000)",
        "aurora-mysql" => {
            "GREATEST({log(DBInstanceClassMemory/805306368)*45},{log(DBInstanceClassMemory/8187281408)*1000})"
        }
        _ => return None,
    })
}

/// vCPUs of an instance, at its largest.
fn vcpus(world: &World, instance: &Instance) -> f64 {
    let acus = instance.cluster.as_ref().and_then(|cluster| world.rds.clusters.get(cluster)?.serverless);
    match (instance.class.as_str(), acus) {
        ("db.serverless", Some((_, max))) => f64::from(max) / 10.0 * VCPUS_OF_ACU,
        (class, _) => classes::of_class(class).map_or(2.0, |class| f64::from(class.vcpus)),
    }
}

impl Traffic<'_> {
    /// A metric of an instance in a minute.
    pub(crate) fn of_instance(&self, id: &str, metric: InstanceMetric, minute: usize) -> Option<Sample> {
        let world = self.world;
        let instance = world.rds.instances.get(id)?;
        let moment = self.begins(minute);
        if moment < world.loads.created(id) || matches!(instance.status.as_str(), "creating" | "stopped") {
            return None;
        }
        let (direct, proxied) = self.wanted(id, minute);
        let cpus = vcpus(world, instance);
        let busy = self.busy(id, minute);
        let idle = 2.0 + 2.0 * chance(world.loads.seed, 1, moment.div_euclid(MINUTE));
        let acus = instance.cluster.as_ref().and_then(|cluster| world.rds.clusters.get(cluster)?.serverless);
        let (min, max) = acus.map_or((0.0, 0.0), |(min, max)| (f64::from(min) / 10.0, f64::from(max) / 10.0));
        let awake = if direct + proxied > 0.0 { 0.5 } else { 0.0 };
        // It grows at about 70 % of what it has.
        let capacity = ((busy / VCPUS_OF_ACU / 0.7) * 2.0).ceil() / 2.0;
        let capacity = capacity.max(min.max(awake)).min(max);
        let serverless = instance.class == "db.serverless";
        Some(Sample::one(match metric {
            InstanceMetric::DatabaseConnections => (direct + proxied).min(self.limit(id)).round(),
            InstanceMetric::CpuUtilization => (busy / cpus * 100.0 + idle).min(100.0),
            InstanceMetric::ServerlessDatabaseCapacity if serverless => capacity,
            InstanceMetric::AcuUtilization if serverless => capacity / max * 100.0,
            _ => return None,
        }))
    }

    /// How many connections an instance takes, or no limit where that is unknown.
    pub(super) fn limit(&self, instance: &str) -> f64 {
        max_connections(self.world, instance).map_or(f64::INFINITY, f64::from)
    }

    /// Connections that functions and that proxies want of an instance.
    fn wanted(&self, instance: &str, minute: usize) -> (f64, f64) {
        let world = self.world;
        let near = |target: &Target| match target {
            Target::Proxy { .. } => 0.0,
            other => share(world, other, instance),
        };
        let direct = self.reaching(place(minute), move |target| near(target) > 0.0);
        let direct = direct
            .map(|(flow, load, route)| flow.connections(load, route) * route.targets.iter().map(near).sum::<f64>())
            .sum();
        let mut proxied = 0.0;
        for (name, proxy) in &world.rds.proxies {
            for readers in [false, true] {
                let all = behind(world, proxy, readers);
                if all.contains(&instance) {
                    proxied += self.pool(name, readers, minute) / real(i64::try_from(all.len()).unwrap_or(1));
                }
            }
        }
        (direct, proxied)
    }

    /// vCPUs of an instance that invocations keep busy.
    fn busy(&self, instance: &str, minute: usize) -> f64 {
        let world = self.world;
        let reaching = self.reaching(place(minute), move |target| share(world, target, instance) > 0.0);
        reaching
            .map(|(flow, load, route)| {
                let shares = route.targets.iter().map(|target| share(world, target, instance));
                let each = 1.0 / real(i64::try_from(route.targets.len().max(1)).unwrap_or(1));
                flow.invocations / 60.0 * load.database_time / 1000.0 * shares.sum::<f64>() * each
            })
            .sum()
    }

    /// The share of a target's invocations that get no connection.
    pub(super) fn refused(&self, target: &Target, minute: usize) -> f64 {
        if let Target::Proxy { proxy, readers, .. } = target {
            let load = self.world.rds.proxies.get(proxy).map(|held| self.crowding(proxy, held, *readers, minute));
            return load.map_or(1.0, |load| if load > 1.0 { 1.0 - 1.0 / load } else { 0.0 });
        }
        let of = |instance: &str| {
            let (direct, proxied) = self.wanted(instance, minute);
            let over = direct + proxied - self.limit(instance);
            if over > 0.0 && direct > 0.0 { (over / direct).min(1.0) } else { 0.0 }
        };
        instances(self.world, target).into_iter().map(of).fold(0.0, f64::max)
    }
}
