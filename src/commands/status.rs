//! `status`: all thirteen steps as they are.

use serde_json::json;

use super::session::Session;
use super::up::steps;
use crate::cli::{Global, Status};
use crate::discover::Problem;
use crate::engine::Patience;
use crate::engine::ledger::Verdict;
use crate::error::Failure;
use crate::exit::Exit;
use crate::spec::{self, DatabaseRef, Spec};
use crate::{report, sequence, stacks};

/// Runs it.
pub(super) async fn run(global: &Global, args: &Status) -> Result<Exit, Failure> {
    let wanted = args.db.as_deref().map(DatabaseRef::parse).transpose()?;
    let session = Session::open(global).await?;
    let specs = match wanted {
        Some(database) => vec![of(args, database)?],
        None => all(&session).await?,
    };
    let mut drift = false;
    let mut documents = Vec::new();
    if specs.is_empty() && !session.json {
        report::result(&format!("No stack of rdsproxy-setup is in {}.", session.cloud.region));
        report::result("Next: rdsproxy-setup up --db NAME");
    }
    for spec in specs {
        let survey = Box::pin(sequence::survey(&session.cloud, &spec, Patience::default())).await?;
        let entries = survey.entries();
        let fine = entries.iter().all(|entry| matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_)));
        drift |= !fine;
        let endpoint = survey.endpoint();
        if session.json {
            documents.push(json!({"proxy": spec.stack, "database": spec.database.id, "endpoint": endpoint,
                                  "in_place": fine, "steps": steps(&entries)}));
            continue;
        }
        let head = match endpoint {
            Some(endpoint) => format!("{} at {endpoint}", spec.stack),
            None => format!("{}: there is no proxy", spec.stack),
        };
        report::result(&format!("{head}\n\n{}\n", report::status(&entries)));
        let db = &spec.database.id;
        report::result(&if fine {
            "Everything is in place.".to_owned()
        } else {
            format!("Next: rdsproxy-setup up --db {db}")
        });
    }
    if session.json {
        report::document(&json!({"schema": 1, "stacks": documents}));
    }
    Ok(if drift && args.exit_code { Exit::Drift } else { Exit::Done })
}

async fn all(session: &Session) -> Result<Vec<Spec>, Failure> {
    let found = stacks::list(&session.cloud).await.map_err(Problem::refused("listing our stacks"))?;
    let mut specs = Vec::new();
    for (stack, database) in found {
        let id = database.unwrap_or_else(|| stack.trim_end_matches("-proxy").to_owned());
        specs.push(Spec::of(DatabaseRef { id, place: None }, stack));
    }
    Ok(specs)
}

/// What a status compares with: no more than what the account itself tells.
fn of(args: &Status, database: DatabaseRef) -> Result<Spec, Failure> {
    let stack = spec::stack(args.name.as_deref(), &database)?;
    Ok(Spec::of(database, stack))
}
