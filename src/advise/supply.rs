//! What the database takes: its classes, and the parameter groups that say `max_connections`.

use std::collections::{BTreeMap, BTreeSet};

use advice::engine::Engine;
use advice::facts::{self, Parameter, Serverless};
use advice::figure::{Fact, Origin};

use super::base::{Base, SERVERLESS};
use super::load::Load;
use super::money::Money;
use crate::cloud::ec2::Size;
use crate::cloud::rds::{Instance, Parameters};
use crate::cloud::{Answer, Cloud};
use crate::engine::crowd;

/// Bytes of a GiB.
const GIB: u64 = 1024 * 1024 * 1024;

/// What a parameter group sets.
type Set = BTreeMap<String, String>;

/// What the parameter groups of the writer and of its cluster set that are not the engine's defaults.
pub(super) type Groups = Answer<Vec<(Parameters, Set)>>;

/// What was read of the database's size.
pub(super) struct Supply {
    sizes: Answer<BTreeMap<String, Size>>,
    set: Groups,
}

/// The instance type that a class is named after.
pub(super) fn instance_type(class: &str) -> &str {
    class.strip_prefix("db.").unwrap_or(class)
}

/// The sizes of the instance types that the Price List does not have, by EC2, whose call for them is spared otherwise.
pub(super) async fn sizes(cloud: &Cloud, base: &Base<'_>, money: &Money) -> Answer<BTreeMap<String, Size>> {
    let missing = |class: &&str| *class != SERVERLESS && money.size(class).is_none();
    let types: BTreeSet<&str> = base.instances.iter().map(|found| found.class.as_str()).filter(missing).collect();
    let types: Vec<String> = types.into_iter().map(|class| instance_type(class).to_owned()).collect();
    if types.is_empty() { Ok(BTreeMap::new()) } else { cloud.ec2.sizes(&types).await }
}

impl Supply {
    /// Puts together what was read.
    pub(super) fn new(sizes: Answer<BTreeMap<String, Size>>, set: Groups) -> Self {
        Self { sizes, set }
    }

    /// Reads the parameter groups.
    pub(super) async fn groups(cloud: &Cloud, base: &Base<'_>) -> Groups {
        let writer = base.instances.first().map(|instance| instance.id.as_str());
        let concerns = |group: &&Parameters| group.cluster || Some(group.of.as_str()) == writer;
        // A group named `default.…` cannot be changed, so it sets nothing.
        let own = |group: &&Parameters| !group.group.starts_with("default.");
        let groups: Vec<Parameters> = base.database.parameters.iter().filter(concerns).filter(own).cloned().collect();
        let reads = groups.into_iter().map(async |group| {
            let set = cloud.rds.parameters(&group.group, group.cluster).await?;
            Ok((group, set))
        });
        crowd(reads.collect()).await.into_iter().collect()
    }

    /// What a parameter is set to, by the instance's group before the cluster's.
    fn parameter(&self, name: &str) -> Answer<Option<(Parameters, String)>> {
        let set = self.set.as_ref().map_err(Clone::clone)?;
        let of = |cluster: bool| {
            set.iter()
                .filter(move |(group, _)| group.cluster == cluster)
                .find_map(|(group, set)| set.get(name).map(|text| (group.clone(), text.clone())))
        };
        Ok(of(false).or_else(|| of(true)))
    }

    /// A parameter that is a count; absent where no group sets it.
    fn count(&self, name: &str) -> Fact<Option<u64>> {
        match self.parameter(name) {
            Err(refusal) => Fact::unknown(refusal.to_string()),
            Ok(None) => Fact::known(None, Origin::EngineDefault, format!("no parameter group sets {name}")),
            Ok(Some((group, text))) => match text.trim().parse() {
                Ok(count) => Fact::known(Some(count), Origin::Configured, format!("parameter group {}", group.group)),
                Err(_) => Fact::unknown(format!("the parameter group {} sets {name} to {text:?}", group.group)),
            },
        }
    }

    fn max_connections(&self, base: &Base<'_>) -> Fact<Parameter> {
        let waits =
            |group: &str| base.database.parameters.iter().any(|of| of.group == group && of.status == "pending-reboot");
        // A group that waits for a reboot may be one that sets nothing of this, or the default that replaces another.
        let any = base.database.parameters.iter().find(|of| of.status == "pending-reboot");
        match self.parameter("max_connections") {
            Err(refusal) => Fact::unknown(refusal.to_string()),
            Ok(Some((group, text))) => {
                let source = format!("parameter group {}", group.group);
                let pending_reboot = waits(&group.group);
                Fact::known(
                    Parameter { text: Some(text), group: group.group, pending_reboot },
                    Origin::Configured,
                    source,
                )
            }
            Ok(None) => {
                let group = base.database.parameters.first().map(|of| of.group.clone()).unwrap_or_default();
                let parameter = Parameter { text: None, group, pending_reboot: any.is_some() };
                Fact::known(parameter, Origin::EngineDefault, "no parameter group sets max_connections")
            }
        }
    }

    /// What an instance has: by the Price List, which has RDS's own classes, or else by EC2.
    fn instance(&self, found: &Instance, money: &Money) -> facts::Instance {
        let of = |part: fn(&Size) -> u64, what: &str| {
            if found.class == SERVERLESS {
                return Fact::unknown("Serverless v2 has ACUs instead");
            }
            if let Some((vcpus, memory)) = money.size(&found.class) {
                let value = part(&Size { vcpus, memory });
                return Fact::known(value, Origin::AwsTable, format!("AWS Price List, {what} of {}", found.class));
            }
            match self.sizes.as_ref().map(|sizes| sizes.get(instance_type(&found.class))) {
                Ok(Some(size)) => {
                    Fact::known(part(size), Origin::AwsTable, format!("ec2:DescribeInstanceTypes, {what}"))
                }
                Ok(None) => Fact::unknown(format!("EC2 does not describe {}", found.class)),
                Err(refusal) => Fact::unknown(refusal.to_string()),
            }
        };
        facts::Instance {
            name: found.id.clone(),
            class: found.class.clone(),
            vcpus: of(|size| size.vcpus, "vCPUs"),
            memory_bytes: of(|size| size.memory, "memory"),
        }
    }

    /// The database, as the arithmetic takes it.
    pub(super) fn database(&self, base: &Base<'_>, load: &Load, money: &Money) -> facts::Database {
        let writer = base.instances.first();
        let cluster = base.cluster.as_ref();
        let engine = cluster.map_or_else(|| writer.map(|found| found.engine.as_str()), |found| Some(&found.engine));
        let version = cluster.map_or_else(|| writer.map(|found| found.version.as_str()), |found| Some(&found.version));
        let halves = |tenths: Option<u32>| tenths.map(|tenths| u64::from(tenths / 5));
        let serverless = cluster.filter(|_| base.serverless()).and_then(|cluster| {
            Some(Serverless {
                min_half_acus: halves(cluster.serverless_floor)?,
                max_half_acus: halves(cluster.serverless_ceiling)?,
                average_half_acus: load.average_half_acus(),
            })
        });
        let fails_over = match (cluster, writer.and_then(|found| found.multi_az)) {
            (Some(cluster), _) => Fact::known(cluster.members.len() > 1, Origin::Configured, "the cluster's members"),
            (None, Some(multi_az)) => Fact::known(multi_az, Origin::Configured, "MultiAZ of the instance"),
            (None, None) => Fact::unknown("RDS does not say whether there is a standby"),
        };
        facts::Database {
            name: base.database.id.clone(),
            engine: Engine::from_rds(engine.unwrap_or_default()),
            engine_version: version.unwrap_or_default().to_owned(),
            instances: base.instances.iter().map(|found| self.instance(found, money)).collect(),
            serverless,
            parameter: self.max_connections(base),
            superuser_reserved: self.count("superuser_reserved_connections"),
            // PostgreSQL has one of its own from version 16.
            rds_reserved: match self.count("reserved_connections") {
                Fact::Known { value: None, .. } => self.count("rds.rds_superuser_reserved_connections"),
                set => set,
            },
            measured_connections: load.connections(),
            other_connections: load.other_connections(base),
            fails_over,
            allocated_storage_bytes: writer.and_then(|found| found.allocated_gib).and_then(|gib| gib.checked_mul(GIB)),
            port: Some(u64::from(base.database.port)),
            monthly_cents: money.database(base, load.average_half_acus()),
            larger_classes: money.larger_classes(base),
            data_api: data_api(base),
        }
    }
}

/// Whether the Data API serves the database
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.Aurora_Fea_Regions_DB-eng.Feature.Data_API.html>,
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html>).
fn data_api(base: &Base<'_>) -> Fact<bool> {
    let Some(cluster) = base.cluster.as_ref().filter(|cluster| cluster.engine.starts_with("aurora")) else {
        return Fact::known(false, Origin::AwsTable, "the Data API is for Aurora alone");
    };
    if cluster.data_api {
        return Fact::known(true, Origin::Configured, "the cluster has it on (HttpEndpointEnabled)");
    }
    if base.instances.first().is_some_and(|writer| writer.class.starts_with("db.t")) {
        return Fact::known(false, Origin::AwsTable, "the Data API is not for T classes");
    }
    match serves_data_api(&cluster.engine, &cluster.version) {
        Some(serves) => Fact::known(serves, Origin::AwsTable, "the Data API is for newer versions, in most Regions"),
        None => Fact::unknown(format!("the version {} is not in AWS's table of the Data API", cluster.version)),
    }
}

/// The first minor version of each major one that has the Data API.
fn serves_data_api(engine: &str, version: &str) -> Option<bool> {
    let number = |text: &str| text.parse::<u64>().ok();
    let (major, minor) = match engine {
        "aurora-mysql" => version.split_once("mysql_aurora.")?.1.split_once('.')?,
        _ => version.split_once('.')?,
    };
    let minor = number(minor.split(|c: char| !c.is_ascii_digit()).next()?)?;
    let least = match (engine, number(major)?) {
        ("aurora-mysql", 3) => 7,
        ("aurora-postgresql", 13) => 11,
        ("aurora-postgresql", 14) => 8,
        ("aurora-postgresql", 15 | 18) => 3,
        ("aurora-postgresql", 16) => 1,
        ("aurora-postgresql", 17) => 4,
        ("aurora-mysql", 2) | ("aurora-postgresql", ..=12) => return Some(false),
        _ => return None,
    };
    Some(minor >= least)
}

#[cfg(test)]
mod tests {
    use super::serves_data_api;

    /// Rows of AWS's table, and the versions before them.
    #[test]
    fn the_data_api_is_for_newer_versions() {
        for (engine, version, serves) in [
            ("aurora-postgresql", "16.1", Some(true)),
            ("aurora-postgresql", "15.2", Some(false)),
            ("aurora-postgresql", "14.10", Some(true)),
            ("aurora-postgresql", "11.9", Some(false)),
            ("aurora-postgresql", "19.1", None),
            ("aurora-mysql", "8.0.mysql_aurora.3.07.1", Some(true)),
            ("aurora-mysql", "8.0.mysql_aurora.3.05.2", Some(false)),
            ("aurora-mysql", "5.7.mysql_aurora.2.11.3", Some(false)),
            ("aurora-mysql", "8.0", None),
        ] {
            assert_eq!(serves_data_api(engine, version), serves, "{engine} {version}");
        }
    }
}
