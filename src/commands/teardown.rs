//! `teardown`: show what goes, ask, and take it away.

use serde_json::json;

use super::session::{Session, consent, patience};
use crate::cli::{Global, Teardown};
use crate::discover::Problem;
use crate::engine::Run;
use crate::error::Failure;
use crate::exit::Exit;
use crate::spec::{self, DatabaseRef};
use crate::{report, stacks, teardown};

/// Runs it.
pub(super) async fn run(global: &Global, args: &Teardown) -> Result<Exit, Failure> {
    let wanted = args.db.as_deref().map(DatabaseRef::parse).transpose()?;
    let patience = patience(&args.waits)?;
    let session = Session::open(global).await?;
    let (name, database) = match wanted {
        Some(database) => (spec::stack(args.name.as_deref(), &database)?, Some(database)),
        None => {
            if let Some((name, database)) = only(&session).await? {
                (name, database.map(|id| DatabaseRef { id, place: None }))
            } else {
                nothing(&session, "This region holds no stack of rdsproxy-setup: nothing to remove.");
                return Ok(Exit::Done);
            }
        }
    };
    let stack = Box::pin(teardown::survey(&session.cloud, &name, database.as_ref())).await?;
    for foreign in &stack.foreign {
        report::say(&format!("note: {foreign} is not ours and stays"));
    }
    if stack.is_gone() {
        nothing(&session, &format!("Nothing of {name} is there: nothing to remove."));
        return Ok(Exit::Done);
    }
    for found in stack.functions.iter().filter(|found| !found.changed.is_empty()) {
        let names = found.changed.join(", ");
        report::say(&format!("warning: {}: {names} was changed since and stays as it is", found.function.name));
    }
    if !stack.other_users.is_empty() && !args.even_if_used {
        return Err(Failure::new(
            Exit::Decide,
            format!("checking who uses the proxy ({name}): {} still would", stack.other_users.join(", ")),
            [
                "Point them elsewhere first: we did not point them at the proxy, so there is no former host to put back.",
                "Or remove the proxy all the same: --even-if-used.",
            ],
        ));
    }
    let lines = stack.lines();
    if !session.json && !global.quiet {
        report::say(&format!("This takes {name} away:\n\n{}\n", report::removals(&lines)));
    }
    if !consent(global, "Variables are put back first and waited for; then what carries our ownership tag is removed.")?
    {
        report::say("Nothing was changed.");
        return Ok(Exit::Decide);
    }
    let run =
        Run { cloud: &session.cloud, clock: &session.clock, patience, listener: &session.lines, stop: &session.stop };
    Box::pin(teardown::carry_out(&run, &stack)).await?;
    if session.json {
        let removed: Vec<_> = lines.iter().map(|(_, what, detail)| json!({"what": what, "detail": detail})).collect();
        report::document(&json!({"schema": 1, "proxy": name, "removed": removed}));
    } else {
        report::result(&format!("{name} is gone, and the functions use the database directly again."));
    }
    Ok(Exit::Done)
}

fn nothing(session: &Session, text: &str) {
    if session.json {
        report::document(&json!({"schema": 1, "removed": []}));
    } else {
        report::result(text);
    }
}

/// The region's only stack.
async fn only(session: &Session) -> Result<Option<(String, Option<String>)>, Failure> {
    let found = stacks::list(&session.cloud).await.map_err(Problem::refused("listing our stacks"))?;
    if found.len() > 1 {
        let names: Vec<String> = found
            .iter()
            .map(|(stack, database)| match database {
                Some(database) => format!("{stack} (--db {database} --name {stack})"),
                None => stack.clone(),
            })
            .collect();
        return Err(Failure::new(
            Exit::Decide,
            format!("choosing what to remove: {} has {} stacks", session.cloud.region, names.len()),
            [format!("Name one of them: {}.", names.join(", "))],
        ));
    }
    Ok(found.into_iter().next())
}
