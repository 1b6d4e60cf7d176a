//! Which database a stack serves, where no flag says so: tags say it, and the registered target must say the same.
//!
//! Anyone who may tag a proxy, a group or a role can write any database there, and the functions would be led to it.

use crate::cloud::rds::{TaggedProxy, TargetKind};
use crate::cloud::{Cloud, Kind, Tags, tags};
use crate::discover::Problem;
use crate::spec::DatabaseRef;

/// What says which database is meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// A flag.
    Asked(Option<&'a DatabaseRef>),
    /// A tag of the stack, if it has one.
    Tagged(Option<&'a str>),
}

impl Wanted<'_> {
    /// The database to look at.
    pub(super) fn database(&self) -> Option<DatabaseRef> {
        match self {
            Self::Asked(database) => database.cloned(),
            Self::Tagged(tag) => named_by(tag.as_ref()?),
        }
    }
}

/// The database that a tag names: its plain identifier, as `up` writes it.
fn named_by(tag: &str) -> Option<DatabaseRef> {
    DatabaseRef::parse(tag).ok().filter(|database| database.place.is_none())
}

/// One tag that names the database: of what, and its value.
pub(super) type Told = (&'static str, String);

/// The tags that name the database. A proxy without one has lost it.
pub(super) fn told(proxy: Option<&TaggedProxy>, group: Option<&Tags>, role: Option<&Tags>) -> Vec<Told> {
    let of_proxy = proxy.map(|found| found.tags.get(tags::DATABASE).cloned().unwrap_or_default());
    let of = |tags: Option<&Tags>| tags.and_then(|tags| tags.get(tags::DATABASE)).cloned();
    let all = [("the proxy", of_proxy), ("the security group", of(group)), ("the role", of(role))];
    all.into_iter().filter_map(|(what, value)| Some((what, value?))).collect()
}

/// The database that the stack serves: the registered target where it was asked for, or else what the tags say.
///
/// # Errors
/// Where no flag names the database, and the tags contradict each other, or the target, or name none.
pub(super) async fn served(
    cloud: &Cloud,
    stack: &str,
    wanted: Wanted<'_>,
    proxy: Option<&TaggedProxy>,
    told: Vec<Told>,
) -> Result<Option<String>, Problem> {
    let is = |id: &str, (_, value): &Told| value.eq_ignore_ascii_case(id);
    let first = told.first().map(|(_, value)| value.clone());
    if let Wanted::Asked(asked) = wanted {
        // A tag that says the same leaves nothing to ask.
        if asked.is_none_or(|asked| told.iter().all(|told| is(&asked.id, told))) {
            return Ok(first);
        }
        return Ok(target(cloud, proxy).await?.or(first));
    }
    let doing = format!("choosing what to remove ({stack})");
    let by_whom = "Anyone who may write tags can write these.";
    if let Some(target) = target(cloud, proxy).await? {
        let Some((what, value)) = told.iter().find(|told| !is(&target, told)) else { return Ok(Some(target)) };
        return Err(Problem::unfit(
            format!("{doing}: the tag of {what} says that it serves {value:?}, and its target is {target}"),
            [format!("{by_whom} Name the database yourself: --db {target}.")],
        ));
    }
    let Some(first) = first else { return Ok(None) };
    if let Some((what, value)) = told.iter().find(|told| !is(&first, told)) {
        return Err(Problem::unfit(
            format!("{doing}: the tag of {} says that it serves {first:?}, and that of {what} {value:?}", told[0].0),
            [format!("{by_whom} Name the database yourself: --db ID.")],
        ));
    }
    if named_by(&first).is_none() {
        return Err(Problem::unfit(
            format!("{doing}: the tag of {} names no database: {first:?}", told[0].0),
            [format!("{by_whom} Name the database yourself: --db ID.")],
        ));
    }
    Ok(Some(first))
}

/// The target that is registered, where AWS shows one: it does not while a proxy is created or deleted.
async fn target(cloud: &Cloud, proxy: Option<&TaggedProxy>) -> Result<Option<String>, Problem> {
    let Some(found) = proxy else { return Ok(None) };
    let rows = match cloud.rds.targets(&found.proxy.name).await {
        Err(refusal) if refusal.kind == Kind::NotYet => return Ok(None),
        rows => rows.map_err(Problem::refused("reading the proxy's target"))?,
    };
    let of = |kind| rows.iter().find(|row| row.kind == kind);
    Ok(of(TargetKind::Cluster).or_else(|| of(TargetKind::Instance)).map(|row| row.id.clone()))
}
