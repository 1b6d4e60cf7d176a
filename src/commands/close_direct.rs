//! `close-direct`: look, show the plan, ask, and close the functions' direct path to the database.

use documents::{CloseDirect as Rules, CloseDirectPlan, DirectAction, DirectRule, Version};

use super::session::{Session, command, consent, timeouts};
use crate::cli::{CloseDirect, Global};
use crate::close_direct::{Fate, Obstacle, Plan, Row, carry_out, look};
use crate::engine::StepError;
use crate::error::Failure;
use crate::exit::Exit;
use crate::handover;
use crate::report;
use crate::resources::Line;
use crate::spec::{self, DatabaseRef, Spec};

const EXPLAIN: &str = "A rule goes only where every network interface of its group is a function's, and all of those functions are at the proxy. \
                       Each rule is remembered in a tag of the proxy's security group first, and restore and teardown bring it back before they \
                       point a function at the database. What does not run now does not show: a task or an instance that starts later with such \
                       a group does not reach the database.";

const ALONE: &str = "Add --yes to carry the plan out, or look at it only with close-direct --dry-run.";

/// Runs it.
pub(super) async fn run(global: &Global, args: &CloseDirect) -> Result<Exit, Failure> {
    let database = DatabaseRef::parse(&args.db)?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    let spec = Spec::of(database, stack);
    let plan = session.reading(Box::pin(look(&session.cloud, &spec, timeouts))).await;
    let plan = plan.map_err(|obstacle| match obstacle {
        Obstacle::Problem(problem) => Failure::from(problem),
        Obstacle::NotReady { hint, .. } => {
            let status = command(global, "status", &spec.database.id, &spec.stack);
            let hints = [hint.to_owned(), format!("To see what is missing: {status}")];
            Failure::new(Exit::Decide, obstacle.to_string(), hints)
        }
    })?;
    let of = |verb: &str| command(global, verb, &plan.database, &plan.stack);
    if args.dry_run {
        present(&session, &plan, true, &headline(&plan, "This would close"));
        return Ok(Exit::Done);
    }
    let back = of("export") + " --take-back";
    handover::refuse(plan.handed_over(), "closing the direct path", &plan.stack, &back)?;
    if plan.closing().is_empty() {
        present(&session, &plan, false, &format!("Nothing to close: {}.", summary(&plan)));
        return Ok(Exit::Done);
    }
    let shown = format!("{}\n\n{}\n", headline(&plan, "This closes"), report::removals(&lines(&plan)));
    if !consent(global, &shown, EXPLAIN, ALONE).await? {
        return Ok(Exit::Decide);
    }
    let progress = session.progress(&[]);
    let result = Box::pin(carry_out(&session.run(timeouts, &progress), &spec, &plan)).await;
    drop(progress);
    let now = result.map_err(|stop| {
        let failure = match &stop {
            StepError::Conflict { .. } => {
                let hint = format!("See where the functions connect: {}", of("status"));
                Failure::new(Exit::Decide, stop.to_string(), [hint])
            }
            _ => Failure::from(stop),
        };
        failure.after(
            "What is closed is remembered on the proxy's security group.",
            of("close-direct"),
            Some(&of("restore")),
        )
    })?;
    present(&session, &now, false, &format!("Done: {}.", summary(&now)));
    if !session.json {
        let next = [
            (of("status"), "see whether the direct path is closed"),
            (of("restore"), "open it again, and point the functions back at the database"),
        ];
        report::result(&format!("\n{}", report::next(&next)));
    }
    Ok(Exit::Done)
}

fn headline(plan: &Plan, begin: &str) -> String {
    let Plan { database, stack, .. } = plan;
    let count = plan.closing().len();
    let rules = if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") };
    report::sentence(&format!(
        "{begin} {rules} of the functions' direct path to {database}; {stack} stays open to them:"
    ))
}

fn summary(plan: &Plan) -> String {
    let count = |of: fn(&Fate) -> bool| plan.rows.iter().filter(|row| of(&row.fate)).count();
    let closed = count(|fate| *fate == Fate::Closed);
    let stay = count(|fate| matches!(fate, Fate::Stays(_) | Fate::Unknown(_)));
    let rules = |count: usize| if count == 1 { "1 rule is".to_owned() } else { format!("{count} rules are") };
    let open = plan.closing().len();
    let rest = if open == 0 { String::new() } else { format!(", {} open", rules(open)) };
    format!("{} closed{rest}, {} left as before", rules(closed), rules(stay))
}

/// The rules as lines of a plan.
fn lines(plan: &Plan) -> Vec<Line> {
    let name = |id: &String| plan.names.get(id).map_or_else(|| id.clone(), |name| format!("{name} ({id})"));
    let line = |row: &Row| {
        let whose = if row.functions.is_empty() { String::new() } else { format!(": {}", row.functions.join(", ")) };
        let way = format!("port {} of {} from {}{whose}", row.ports, name(&row.group), name(&row.source));
        let what = row.id.clone().unwrap_or_else(|| "closed".to_owned());
        match &row.fate {
            Fate::Close => Line::of('-', what, way),
            Fate::Closed => Line::of('=', what, way),
            Fate::Stays(why) => Line::of(' ', what, format!("{way}; stays: {why}")),
            Fate::Unknown(why) => Line::of('?', what, format!("{way}; stays: {why}")),
        }
    };
    plan.rows.iter().map(line).collect()
}

fn present(session: &Session, plan: &Plan, dry: bool, intro: &str) {
    let (schema, proxy, database) = (Version, plan.stack.clone(), plan.database.clone());
    let rows = || plan.rows.iter().map(row).collect();
    let json = if dry {
        report::outcome(session.json, || CloseDirectPlan { schema, proxy, database, plan: rows() })
    } else {
        report::outcome(session.json, || Rules { schema, proxy, database, rules: rows() })
    };
    if !json {
        let rows = report::removals(&lines(plan));
        report::result(&if rows.is_empty() { intro.to_owned() } else { format!("{intro}\n\n{rows}") });
    }
}

/// One row as JSON.
fn row(row: &Row) -> DirectRule {
    let (action, why) = match &row.fate {
        Fate::Close => (DirectAction::Close, None),
        Fate::Closed => (DirectAction::Closed, None),
        Fate::Stays(why) => (DirectAction::Stay, Some(why.clone())),
        Fate::Unknown(why) => (DirectAction::Unknown, Some(why.clone())),
    };
    DirectRule {
        rule: row.id.clone(),
        group: row.group.clone(),
        source: row.source.clone(),
        ports: row.ports.clone(),
        functions: row.functions.clone(),
        action,
        why,
    }
}
