//! Which database is meant, and whether a proxy can serve it.

use super::hosts::{HostKind, KnownHost};
use super::problem::{Problem, did_you_mean};
use crate::catalogue::checks::CheckId;
use crate::cloud::rds::{Cluster, EngineFamily, Instance, MasterSecret, Parameters};
use crate::cloud::{Cloud, Tags};
use crate::spec::DatabaseRef;

/// The database, instance or cluster, as the steps need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The identifier.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// Whether it is a cluster.
    pub cluster: bool,
    /// What a proxy for it speaks.
    pub family: EngineFamily,
    /// `RDS MySQL 8.0.36`, for people.
    pub label: String,
    /// `available`, …
    pub status: String,
    /// The port that it listens on.
    pub port: u16,
    /// The VPC.
    pub vpc: String,
    /// The subnets of its subnet group.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Every name that a client may know it by, the main one first.
    pub hosts: Vec<KnownHost>,
    /// The instance classes behind it.
    pub classes: Vec<String>,
    /// The master user's name.
    pub master_user: Option<String>,
    /// The master user's managed secret.
    pub master_secret: Option<MasterSecret>,
    /// Whether IAM database authentication is on.
    pub iam_authentication: bool,
    /// The id that `rds-db:connect` names it by.
    pub resource_id: String,
    /// Its tags.
    pub tags: Tags,
    /// Its parameter groups: those of its instances, and the cluster's.
    pub parameters: Vec<Parameters>,
    /// The least capacity of Aurora Serverless v2, in tenths of an ACU.
    pub serverless_floor: Option<u32>,
    /// What a person should know before a proxy is put in front of it.
    pub warnings: Vec<String>,
}

/// A database with what it consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The database.
    pub database: Database,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// The cluster, where it is one.
    pub cluster: Option<Cluster>,
}

impl Database {
    /// Whether it has readers, which a read-only endpoint can lead to.
    #[must_use]
    pub fn has_readers(&self) -> bool {
        self.hosts.iter().filter(|host| host.kind == HostKind::Member).count() > 1
    }

    /// Whether users of it log in with `mysql_native_password` by default: MariaDB knows no other way that a proxy
    /// takes, and RDS and Aurora changed theirs with MySQL 8.4
    /// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MySQL.Concepts.FeatureSupport.html>).
    #[must_use]
    pub fn prefers_native_password(&self) -> bool {
        let version = self.label.rsplit(' ').next().unwrap_or_default();
        let major = |text: &str| text.split('.').map_while(|part| part.parse::<u32>().ok()).take(2).collect::<Vec<_>>();
        match self.family {
            EngineFamily::MySql if self.is_mariadb() => true,
            EngineFamily::MySql => major(version) < vec![8, 4],
            EngineFamily::PostgreSql | EngineFamily::SqlServer => false,
        }
    }

    /// Whether it is MariaDB, which a proxy of the MySQL family serves.
    #[must_use]
    pub fn is_mariadb(&self) -> bool {
        self.label.contains("MariaDB")
    }

    /// The main host name.
    #[must_use]
    pub fn host(&self) -> &str {
        self.hosts.first().map_or("", |host| host.name.as_str())
    }

    /// Checks that an ARN of a database is of the account whose credentials are used.
    ///
    /// # Errors
    /// When it is of another account.
    pub fn in_this_account(wanted: &DatabaseRef, account: &str) -> Result<(), Problem> {
        let (id, Some(place)) = (wanted.id.as_str(), &wanted.place) else { return Ok(()) };
        if place.account == account {
            return Ok(());
        }
        Err(Problem::unfit(
            format!(
                "finding the database ({id}): its ARN is of account {}, but the credentials are of {account}",
                place.account
            ),
            ["Use credentials of that account: --profile NAME."],
        )
        .known(CheckId::NoDatabase))
    }

    /// Finds the database.
    ///
    /// # Errors
    /// When there is none of this name, or a proxy cannot serve it.
    pub async fn find(cloud: &Cloud, wanted: &DatabaseRef) -> Result<Self, Problem> {
        Self::with_members(cloud, wanted).await.map(|found| found.database)
    }

    /// Finds the database, with what it consists of.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub async fn with_members(cloud: &Cloud, wanted: &DatabaseRef) -> Result<Found, Problem> {
        let id = wanted.id.as_str();
        if let Some(place) = wanted.place.as_ref().filter(|place| place.region != cloud.region) {
            return Err(Problem::unfit(
                format!(
                    "finding the database ({id}): its ARN is of {}, but the region in use is {}",
                    place.region, cloud.region
                ),
                [format!("Run it there: --region {}.", place.region)],
            )
            .known(CheckId::NoDatabase));
        }
        let doing = || format!("finding the database ({id})");
        if wanted.place.as_ref().is_none_or(|place| !place.cluster)
            && let Some(instance) = cloud.rds.instance(id).await.map_err(Problem::refused(doing()))?
        {
            let database = of_instance(instance.clone())?;
            return Ok(Found { database, instances: vec![instance], cluster: None });
        }
        if wanted.place.as_ref().is_none_or(|place| place.cluster)
            && let Some(cluster) = cloud.rds.cluster(id).await.map_err(Problem::refused(doing()))?
        {
            let members = cloud.rds.instances(Some(id)).await.map_err(Problem::refused(doing()))?;
            let database = of_cluster(cluster.clone(), &members)?;
            return Ok(Found { database, instances: members, cluster: Some(cluster) });
        }
        Err(unknown(cloud, id).await)
    }
}

async fn unknown(cloud: &Cloud, id: &str) -> Problem {
    let (instances, clusters) = tokio::join!(cloud.rds.instances(None), cloud.rds.clusters());
    let mut names: Vec<String> = clusters.unwrap_or_default().into_iter().map(|cluster| cluster.id).collect();
    names.extend(
        instances.unwrap_or_default().into_iter().filter(|instance| instance.cluster.is_none()).map(|found| found.id),
    );
    names.sort();
    Problem::unfit(
        format!("finding the database ({id}): there is no instance or cluster of this name in {}", cloud.region),
        [did_you_mean("databases", id, &names)],
    )
    .known(CheckId::NoDatabase)
}

/// What a proxy for an engine speaks, or why there can be none.
fn family(id: &str, engine: &str) -> Result<(EngineFamily, &'static str), Problem> {
    let refuse = |why: &str, instead: &str| {
        Err(Problem::unfit(format!("checking the database ({id}): {why}"), [instead.to_owned()]).known(CheckId::Engine))
    };
    match engine {
        "mysql" => Ok((EngineFamily::MySql, "RDS MySQL")),
        "mariadb" => Ok((EngineFamily::MySql, "RDS MariaDB")),
        "aurora-mysql" => Ok((EngineFamily::MySql, "Aurora MySQL")),
        "postgres" => Ok((EngineFamily::PostgreSql, "RDS PostgreSQL")),
        "aurora-postgresql" => Ok((EngineFamily::PostgreSql, "Aurora PostgreSQL")),
        "aurora" => refuse(
            "Aurora MySQL version 1 is not supported by RDS Proxy",
            "Upgrade the cluster to Aurora MySQL version 3.",
        ),
        engine if engine.starts_with("custom-") => refuse(
            "RDS Custom is not supported by RDS Proxy",
            "RDS Proxy serves RDS for MySQL, MariaDB, PostgreSQL and SQL Server, and Aurora. For RDS Custom, pool connections in the application.",
        ),
        engine if engine.starts_with("sqlserver-") => Ok((EngineFamily::SqlServer, "RDS SQL Server")),
        engine if engine.starts_with("oracle-") => refuse(
            "Oracle is not supported by RDS Proxy",
            "RDS Proxy serves RDS for MySQL, MariaDB, PostgreSQL and SQL Server, and Aurora. For Oracle, use Database Resident Connection Pooling (DRCP).",
        ),
        engine if engine.starts_with("db2-") => refuse(
            "Db2 is not supported by RDS Proxy",
            "RDS Proxy serves RDS for MySQL, MariaDB, PostgreSQL and SQL Server, and Aurora. For Db2, pool connections in the application.",
        ),
        engine => refuse(
            &format!("the engine {engine} is not one that RDS Proxy supports"),
            "RDS Proxy serves RDS for MySQL, MariaDB, PostgreSQL and SQL Server, and Aurora.",
        ),
    }
}

fn missing(id: &str, what: &str, status: &str) -> Problem {
    Problem::unfit(
        format!("checking the database ({id}): it has no {what} yet (its status is {status})"),
        ["Wait until it is available, then run the same command again."],
    )
}

fn usable_status(id: &str, status: &str) -> Result<(), Problem> {
    if matches!(status, "stopped" | "stopping" | "deleting" | "failed") || status.starts_with("incompatible-") {
        return Err(Problem::unfit(
            format!("checking the database ({id}): its status is {status}, so no proxy can reach it"),
            ["Bring it to the status available first."],
        )
        .known(CheckId::DatabaseDown));
    }
    Ok(())
}

fn of_instance(found: Instance) -> Result<Database, Problem> {
    let id = found.id;
    if let Some(cluster) = found.cluster {
        return Err(Problem::unfit(
            format!(
                "checking the database ({id}): it is a member of the cluster {cluster}, and a proxy serves the whole cluster"
            ),
            [format!("Name the cluster: --db {cluster}.")],
        ).known(CheckId::ClusterMember));
    }
    if let Some(source) = found.replica_of {
        return Err(Problem::unfit(
            format!(
                "checking the database ({id}): it is a read replica of {source}, which RDS Proxy refuses as a target"
            ),
            [format!("Name the source: --db {source}.")],
        )
        .known(CheckId::Replica));
    }
    let (family, engine) = family(&id, &found.engine)?;
    usable_status(&id, &found.status)?;
    let mut warnings = Vec::new();
    if family == EngineFamily::SqlServer {
        warnings.push(
            "SQL Server is less proven here than the other engines; check the result before production depends on it."
                .to_owned(),
        );
        if found.version.starts_with("16.") || found.version.starts_with("12.") {
            let year = if found.version.starts_with("16.") { 2022 } else { 2014 };
            return Err(Problem::unfit(
                format!("checking the database ({id}): SQL Server {year} is not supported by RDS Proxy"),
                ["RDS Proxy serves SQL Server 2016, 2017 and 2019."],
            )
            .known(CheckId::Version));
        }
    }
    let host = found.endpoint.ok_or_else(|| missing(&id, "endpoint", &found.status))?;
    Ok(Database {
        arn: found.arn,
        cluster: false,
        family,
        label: format!("{engine} {}", found.version),
        port: found.port.ok_or_else(|| missing(&id, "port", &found.status))?,
        vpc: found.vpc.ok_or_else(|| missing(&id, "VPC", &found.status))?,
        subnets: found.subnets,
        security_groups: found.security_groups,
        hosts: vec![KnownHost { name: host, kind: HostKind::Writer }],
        classes: vec![found.class],
        master_user: found.master_user,
        master_secret: found.master_secret,
        iam_authentication: found.iam_authentication,
        resource_id: found.resource_id,
        tags: found.tags,
        status: found.status,
        parameters: found.parameters,
        serverless_floor: None,
        warnings,
        id,
    })
}

/// A cluster that replicates another one. In an Aurora global database a proxy may stand in front of a secondary
/// cluster, for reads (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-gdb.html>); functions that write would
/// fail there, so it is not set up here.
fn replica(id: &str, arn: &str, source: &str) -> Problem {
    let region = |arn: &str| arn.split(':').nth(3).map(str::to_owned);
    let name = source.rsplit(':').next().unwrap_or(source);
    let elsewhere = region(source).filter(|of| source.starts_with("arn:") && Some(of) != region(arn).as_ref());
    let (headline, hints) = match elsewhere {
        Some(of) => (
            format!("checking the database ({id}): it replicates {name} of {of}, so it takes no writes"),
            vec![
                format!("Set the proxy up in front of the primary cluster, in its own region: --region {of} --db {name}."),
                "RDS Proxy can serve a secondary cluster of an Aurora global database for reads; this program does not set that up. Create such a proxy yourself, and use its read-only endpoint.".to_owned(),
            ],
        ),
        None => (
            format!("checking the database ({id}): it is a replica of {name}, which RDS Proxy refuses as a target"),
            vec![format!("Name the source: --db {name}.")],
        ),
    };
    Problem::unfit(headline, hints).known(CheckId::Replica)
}

fn of_cluster(found: Cluster, members: &[Instance]) -> Result<Database, Problem> {
    let id = found.id;
    if found.mode == "serverless" {
        return Err(Problem::unfit(
            format!("checking the database ({id}): Aurora Serverless v1 is not supported by RDS Proxy"),
            ["Move the cluster to Aurora Serverless v2 or to provisioned instances, or use its Data API."],
        )
        .known(CheckId::ServerlessV1));
    }
    if let Some(source) = &found.replica_of {
        return Err(replica(&id, &found.arn, source));
    }
    let (family, engine) = family(&id, &found.engine)?;
    usable_status(&id, &found.status)?;
    let engine =
        if found.engine.starts_with("aurora") { engine.to_owned() } else { format!("{engine} Multi-AZ cluster") };
    let first = members.first().ok_or_else(|| {
        Problem::unfit(
            format!(
                "checking the database ({id}): the cluster has no instance, so a proxy would have nothing to connect to"
            ),
            ["Add a writer instance to the cluster first."],
        )
        .known(CheckId::NoInstance)
    })?;
    let mut warnings = Vec::new();
    if let Some(floor) = found.serverless_floor {
        warnings.push("The proxy keeps a connection to each instance, so this Aurora Serverless v2 cluster no longer pauses; a proxy is billed for at least 8 ACUs.".to_owned());
        if floor < 10 {
            warnings.push(format!(
                "Its least capacity is {}.{} ACU; below 1 ACU the proxy's target often stays in PENDING_PROXY_CAPACITY.",
                floor / 10,
                floor % 10
            ));
        }
    }
    let mut parameters: Vec<Parameters> = members.iter().flat_map(|member| member.parameters.clone()).collect();
    parameters.extend(found.parameter_group.map(|group| Parameters {
        group,
        cluster: true,
        of: id.clone(),
        status: String::new(),
    }));
    let host = found.endpoint.ok_or_else(|| missing(&id, "endpoint", &found.status))?;
    let mut hosts = vec![KnownHost { name: host, kind: HostKind::Writer }];
    hosts.extend(found.reader_endpoint.map(|name| KnownHost { name, kind: HostKind::Reader }));
    hosts.extend(found.custom_endpoints.into_iter().map(|name| KnownHost { name, kind: HostKind::Custom }));
    hosts.extend(
        members.iter().filter_map(|member| Some(KnownHost { name: member.endpoint.clone()?, kind: HostKind::Member })),
    );
    Ok(Database {
        arn: found.arn,
        cluster: true,
        family,
        label: format!("{engine} {}", found.version),
        port: found.port.or(first.port).ok_or_else(|| missing(&id, "port", &found.status))?,
        vpc: first.vpc.clone().ok_or_else(|| missing(&id, "VPC", &found.status))?,
        subnets: first.subnets.clone(),
        security_groups: found.security_groups,
        hosts,
        classes: members.iter().map(|member| member.class.clone()).collect(),
        master_user: found.master_user,
        master_secret: found.master_secret,
        iam_authentication: found.iam_authentication,
        resource_id: found.resource_id,
        tags: found.tags,
        status: found.status,
        parameters,
        serverless_floor: found.serverless_floor,
        warnings,
        id,
    })
}
