//! What `crates/export` writes down: the stack as a teardown finds it, and what only its reader needs.
//!
//! A teardown's reading holds what proves to be this stack's and nothing else, so that no file claims what others own.

mod parts;

use ::export::stack::{Database, Proxy, Stack as Written};

use crate::cloud::rds::{TaggedProxy, TargetKind};
use crate::cloud::{Cloud, tags};
use crate::discover::Problem;
use crate::handover;
use crate::resources::log_group::{self, LogGroupFound};
use crate::resources::proxy::ProxyRemoval;
use crate::teardown::Stack;

/// Who writes the files.
const TOOL: &str = concat!("rdsproxy-setup ", env!("CARGO_PKG_VERSION"));

/// The proxy of a stack that can be handed over.
///
/// # Errors
/// Where there is none, or someone else created it.
pub fn proxy(stack: &Stack) -> Result<&ProxyRemoval, Problem> {
    let name = &stack.names.stack;
    let doing = format!("exporting the stack ({name})");
    let Some(found) = &stack.proxy else {
        let hint = "Run up to its end first. What a run that was stopped has left behind, teardown deletes.";
        return Err(Problem::unfit(format!("{doing}: it has no proxy"), [hint]));
    };
    if stack.adopted() {
        return Err(Problem::unfit(
            format!("{doing}: someone else created the proxy, and this tool only adopted it"),
            ["It belongs into the configuration of those who created it."],
        ));
    }
    Ok(found)
}

/// The proxy that is marked as handed over, or no longer. The mark comes off wherever it is: anyone who may tag an
/// adopted proxy can write it there.
///
/// # Errors
/// As [`proxy`] where it is to be handed over, and where there is none.
pub fn to_mark(stack: &Stack, handed_over: bool) -> Result<&ProxyRemoval, Problem> {
    match &stack.proxy {
        Some(found) if !handed_over => Ok(found),
        _ => proxy(stack),
    }
}

/// Reads what the files say beyond what the teardown's reading holds; it changes nothing.
///
/// # Errors
/// When AWS refuses a read, or the stack is not complete: a file that lacks something would be applied as it is.
pub async fn read(cloud: &Cloud, stack: &Stack) -> Result<Written, Problem> {
    let removal = proxy(stack)?;
    let name = stack.names.stack.as_str();
    if !removal.found.proxy.is_available() {
        let (status, hint) = (&removal.found.proxy.status, "Wait until it is available, or run up to its end.");
        return Err(Problem::unfit(format!("exporting the stack ({name}): the proxy is {status}"), [hint]));
    }
    let doing = "reading the stack to export";
    let reader = parts::reader(cloud, removal);
    let own: Vec<String> = stack.groups.iter().map(|found| found.group.id.clone()).collect();
    let (identity, database, pool, reader, role, policies, secrets, rules) = tokio::join!(
        cloud.sts.identity(),
        database(cloud, name),
        cloud.rds.target_group(name),
        reader,
        parts::role(cloud, stack),
        parts::policies(cloud, stack),
        parts::secrets(cloud, stack),
        parts::rules(cloud, stack, &own),
    );
    let identity = identity.map_err(Problem::refused("asking AWS who is calling"))?;
    let refused = || Problem::refused(doing);
    let pool = pool.map_err(refused())?.ok_or_else(|| {
        Problem::unfit(format!("{doing} ({name}): AWS shows no default target group"), ["Run up to its end first."])
    })?;
    let log_group = stack.log_group.removal().map(|found| parts::log_group(&found.group));
    Ok(Written {
        name: name.to_owned(),
        tool: TOOL.to_owned(),
        region: cloud.region.clone(),
        account: identity.account,
        partition: identity.partition,
        mark: (tags::HANDED_OVER.to_owned(), handover::VALUE.to_owned()),
        database: database?,
        proxy: written(&removal.found)?,
        pool: parts::pool(pool.pool),
        reader: reader.map_err(refused())?,
        role: role.map_err(refused())?,
        policies: policies.map_err(refused())?,
        groups: stack.groups.iter().map(|found| parts::group(&found.group)).collect(),
        rules: rules.map_err(refused())?,
        secrets: secrets?,
        log_group,
        functions: parts::functions(stack),
        left_out: left_out(stack, &removal.found),
    })
}

/// The registered target, which the proxy serves.
async fn database(cloud: &Cloud, proxy: &str) -> Result<Database, Problem> {
    let rows = cloud.rds.targets(proxy).await.map_err(Problem::refused("reading the proxy's target"))?;
    let of = |kind| rows.iter().find(|row| row.kind == kind);
    let (row, cluster) = match (of(TargetKind::Cluster), of(TargetKind::Instance)) {
        (Some(row), _) => (row, true),
        (None, Some(row)) => (row, false),
        (None, None) => {
            let headline = format!("exporting the stack ({proxy}): no database is registered as the proxy's target");
            return Err(Problem::unfit(headline, ["Run up to its end first."]));
        }
    };
    Ok(Database { id: row.id.clone(), cluster })
}

fn written(found: &TaggedProxy) -> Result<Proxy, Problem> {
    let proxy = &found.proxy;
    let family = proxy.family.ok_or_else(|| {
        let headline = format!("exporting the stack ({}): its engine family is not known to this version", proxy.name);
        Problem::unfit(headline, ["Update rdsproxy-setup."])
    })?;
    let mut tags = found.tags.clone();
    // The files set it themselves.
    tags.remove(tags::HANDED_OVER);
    Ok(Proxy {
        arn: proxy.arn.clone(),
        family: family.to_string(),
        vpc: proxy.vpc.clone(),
        subnets: proxy.subnets.clone(),
        groups: proxy.security_groups.clone(),
        auth: proxy.auth.iter().map(parts::auth).collect(),
        iam_to_database: proxy.iam_to_database,
        role: proxy.role.clone(),
        require_tls: proxy.require_tls,
        idle_client_timeout: proxy.idle_client_timeout,
        debug_logging: proxy.debug_logging,
        network_type: proxy.network_type.clone(),
        port: family.proxy_port(),
        tags,
    })
}

/// What is part of the setup and in no file.
fn left_out(stack: &Stack, proxy: &TaggedProxy) -> Vec<String> {
    let mut left = Vec::new();
    if stack.role.is_none() {
        left.push(format!("The proxy's role {}, which an administrator created.", proxy.proxy.role));
    }
    if let Some(arn) = proxy.tags.get(tags::CONNECT_POLICY) {
        left.push(format!("The connect policy {arn}, which an administrator created, and the roles that carry it."));
    }
    if stack.iam_auth.is_some() {
        left.push(
            "IAM authentication of the database, which `up --enable-iam-auth` turned on: set it in the database's own resource."
                .to_owned(),
        );
    }
    match &stack.log_group {
        LogGroupFound::OfOthers(name) => left.push(format!("The log group {name}, which RDS or someone else created.")),
        LogGroupFound::Unknown => {
            left.push(format!(
                "The log group {}: AWS does not show whether there is one.",
                log_group::name_of(&proxy.proxy.name)
            ));
        }
        LogGroupFound::Absent | LogGroupFound::Ours(_) => {}
    }
    let published = stack.functions.iter().filter(|found| !found.aliases.is_empty());
    let names: Vec<&str> = published.map(|found| found.function.name.as_str()).collect();
    if !names.is_empty() {
        left.push(format!("Versions that were published for aliases, and these aliases, of {}.", names.join(", ")));
    }
    left
}
