//! `list`: the proxies of a Region that this tool manages, a row each.

use documents::{ListedStack, Version};
use futures_util::future::join_all;

use super::session::{Session, command};
use crate::cli::Global;
use crate::discover::Problem;
use crate::engine::Timeouts;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::stacks::{self, Listed};

/// Runs it.
pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    let session = Session::open(global).await?;
    let doing = format!("listing the proxies of {}", session.cloud.region);
    let all = session.reading(Box::pin(stacks::all(&session.cloud))).await.map_err(Problem::refused(doing.clone()))?;
    let looks = all.into_iter().map(async |listed| {
        let target = match &listed.proxy {
            Some(_) => Some(stacks::target(&session.cloud, &listed, Timeouts::default()).await?),
            None => None,
        };
        Ok((listed, target))
    });
    let rows = join_all(looks).await.into_iter().collect::<Result<Vec<_>, _>>().map_err(Problem::refused(doing))?;
    if session.json {
        let stacks = rows.into_iter().map(stack).collect();
        report::document(&documents::List { schema: Version, region: session.cloud.region.clone(), stacks });
        return Ok(Exit::Done);
    }
    let Some((first, _)) = rows.first() else {
        report::result(&format!("No stack of rdsproxy-setup is in {}.", session.cloud.region));
        let up = command(global, "up", "NAME", "NAME-proxy");
        report::result(&report::next(&[(up, "put a proxy in front of a database")]));
        return Ok(Exit::Done);
    };
    let status = command(global, "status", first.database.as_deref().unwrap_or("NAME"), &first.name);
    let head = ["proxy", "database", "status", "target"].map(str::to_owned);
    report::result(&report::table(
        [head].into_iter().chain(rows.iter().map(|(listed, target)| cells(listed, target.as_deref()))),
    ));
    report::result("");
    report::result(&report::next(&[(status, "look at all thirteen steps of the first")]));
    Ok(Exit::Done)
}

fn stack((listed, target): (Listed, Option<String>)) -> ListedStack {
    let (status, endpoint) = listed.proxy.map(|proxy| (proxy.status, proxy.endpoint)).unzip();
    ListedStack { proxy: listed.name, database: listed.database, status, target, endpoint: endpoint.flatten() }
}

/// Without the endpoint, with which no row would fit a terminal: `status` and the JSON have it.
fn cells(listed: &Listed, target: Option<&str>) -> [String; 4] {
    let database = listed.database.clone().unwrap_or_else(|| "not named by any tag".to_owned());
    let status = listed.proxy.as_ref().map_or_else(|| "there is no proxy".to_owned(), |proxy| proxy.status.clone());
    [listed.name.clone(), database, status, target.unwrap_or("-").to_owned()]
}
