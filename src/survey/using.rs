//! Second: which functions use the database, and under which hosts.

use super::base::Base;
use super::{proxy_host, reader_host, visible};
use crate::cloud::Cloud;
use crate::cloud::lambda::Function;
use crate::cloud::rds::TaggedProxy;
use crate::discover::dead::{self, Dead};
use crate::discover::functions::{self, ByName, Chosen};
use crate::discover::hidden::Hidden;
use crate::discover::hosts::{HostKind, KnownHost, proxies_of};
use crate::discover::{Database, FunctionUse, Problem};
use crate::engine::Observed;
use crate::names::Names;
use crate::resources::reader_endpoint::{self, OwnedEndpoint};
use crate::spec::{ReaderEndpoint, Spec};

/// Which functions use the database, and under which hosts.
pub(super) struct Using {
    /// Every host that means the database or its proxy.
    pub(super) known: Vec<KnownHost>,
    /// The functions that use it.
    pub(super) functions: Vec<FunctionUse>,
    /// Those that do not show that they do.
    pub(super) others: Vec<Function>,
    /// Variables that hold a host of the database in a form that is not changed.
    pub(super) hidden: Vec<Hidden>,
    /// Variables that hold the host of a proxy that does not exist.
    pub(super) dead: Vec<Dead>,
    /// The read-only endpoint.
    pub(super) reader: Observed<OwnedEndpoint>,
    /// Whether the proxy gets one.
    pub(super) wants_reader: bool,
    /// What a person should know of the choice.
    pub(super) warnings: Vec<String>,
}

impl Using {
    /// Reads it; the listed functions go into what was chosen.
    pub(super) async fn read(cloud: &Cloud, base: &Base<'_>, listed: ByName) -> Result<Self, Problem> {
        let Base { names, database, proxy, spec, asked, others: beside, .. } = base;
        let mut known = database.hosts.clone();
        let endpoint = proxy.present().and_then(|found| found.proxy.endpoint.as_deref());
        known.extend(endpoint.map(|host| proxy_host(host.to_owned())));
        let reader = look_for_reader(cloud, names, database, proxy).await?;
        // One that was deleted by hand left its host in the functions.
        let there = dead::There {
            names,
            endpoint,
            proxy_missing: proxy.is_absent(),
            reader_missing: proxy.present().is_some() && reader.is_absent(),
            named: !spec.functions.is_empty(),
        };
        let elsewhere = beside.iter().flat_map(|others| {
            others.with_the_functions(&listed.iter().filter_map(|(_, one)| one.as_ref()), (&names.stack, &database.id))
        });
        let elsewhere: Vec<String> = elsewhere.collect();
        let kept = listed.iter().filter(|(name, _)| !spec.excluded_functions.contains(name));
        let dead = dead::find(cloud, database, kept.filter_map(|(_, function)| function.as_ref()), there).await;
        known.extend(dead::hosts(&dead));
        if proxy.is_absent() {
            // With letters of which it is not known whose they are: it is not changed, and may come back under its
            // host.
            let values =
                listed.iter().filter_map(|(_, function)| function.as_ref()).flat_map(|f| f.variables.0.values());
            let unsure = proxies_of(&names.stack, &cloud.region, values).into_iter();
            let unsure: Vec<KnownHost> =
                unsure.filter(|host| !known.iter().any(|known| known.name.eq_ignore_ascii_case(&host.name))).collect();
            known.extend(unsure);
        }
        known.extend(reader.present().and_then(|found| found.endpoint.host.clone()).map(reader_host));
        let wanted = functions::Wanted {
            named: &spec.functions,
            excluded: &spec.excluded_functions,
            limited_to: &spec.limited_to,
            excluded_now: &asked.excluded_functions,
            variables: &spec.variables,
            variables_now: &asked.variables,
        };
        let Chosen { functions, mut warnings, others, hidden } =
            functions::choose(cloud, listed, wanted, &known, &database.vpc).await?;
        warnings.extend(functions.iter().filter(|found| found.variables.is_empty()).map(FunctionUse::nothing_to_move));
        warnings.extend(elsewhere.into_iter().filter(|_| functions.is_empty()));
        let wants_reader = wants_reader(spec, database, &functions, &reader)?;
        Ok(Self { known, functions, others, hidden, dead, reader, wants_reader, warnings })
    }
}

async fn look_for_reader(
    cloud: &Cloud,
    names: &Names,
    database: &Database,
    proxy: &Observed<TaggedProxy>,
) -> Result<Observed<OwnedEndpoint>, Problem> {
    if !database.has_readers() || proxy.present().is_none() {
        return Ok(Observed::Absent);
    }
    let found = reader_endpoint::observe(cloud, &names.stack, &names.reader, None).await;
    visible(found, "looking for the read-only endpoint")
}

/// Whether the proxy gets a read-only endpoint.
fn wants_reader(
    spec: &Spec,
    database: &Database,
    functions: &[FunctionUse],
    seen: &Observed<OwnedEndpoint>,
) -> Result<bool, Problem> {
    match spec.reader_endpoint {
        ReaderEndpoint::Never => Ok(false),
        ReaderEndpoint::Always if !database.has_readers() => Err(Problem::unfit(
            format!(
                "planning the read-only endpoint ({}): the database has no reader that it could lead to",
                database.id
            ),
            ["Leave --reader-endpoint out, or add a reader to the cluster first."],
        )),
        ReaderEndpoint::Always => Ok(true),
        ReaderEndpoint::Auto => {
            let reads = |kind| matches!(kind, HostKind::Reader | HostKind::ReaderProxy | HostKind::DeadReader);
            let used = functions.iter().any(|found| !found.holding(reads).is_empty());
            Ok(database.has_readers() && (used || seen.present().is_some()))
        }
    }
}
