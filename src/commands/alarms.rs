//! `alarms`: look, show the plan, ask, carry it out.

use documents::{Alarm, AlarmAction, AlarmsPlan, AlarmsRemoval as Removed, Version};

use super::session::{Session, command, consent, timeouts};
use super::teardown::show;
use crate::alarms::{Look, converge};
use crate::cli::{Alarms, Global};
use crate::cloud::{Owner, Tags};
use crate::discover::Problem;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::resources::Removal;
use crate::resources::alarms::{Action, AlarmsRemoval, Existing, Intention, LISTED_WITHIN, Plan, Settings};
use crate::spec::{self, DatabaseRef};

const EXPLAIN: &str = "Each alarm watches metrics that RDS Proxy sends to CloudWatch; none of them changes the proxy or a function. A teardown \
                       deletes them, and so does alarms --remove.";

const ALONE: &str = "Add --yes to carry the plan out, or look at it only with alarms --dry-run.";

/// Runs it.
pub(super) async fn run(global: &Global, args: &Alarms) -> Result<Exit, Failure> {
    let database = DatabaseRef::parse(&args.db)?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    let owner = Owner { stack: stack.clone(), database: database.id.clone(), extra: Tags::new() };
    if args.remove {
        let seen = Existing::read(&session.cloud, &owner).await.map_err(Problem::refused("looking for the alarms"))?;
        return remove(global, args, &session, timeouts, AlarmsRemoval::of(&session.cloud, &owner, seen)).await;
    }
    let settings = Settings {
        thresholds: args.thresholds.iter().copied().collect(),
        topics: (args.no_topic || !args.topics.is_empty()).then(|| args.topics.clone()),
        dashboard: args.dashboard,
    };
    let look = Box::pin(Look::read(&session.cloud, &owner, &database));
    let look = session.reading(look).await?;
    let plan = look.plan(&settings);
    let again = command(global, "alarms", &database.id, &stack);
    let conflicts = plan.conflicts();
    if args.dry_run {
        present(&session, &stack, &plan, "This would watch", true);
        return Ok(Exit::Done);
    }
    if !conflicts.is_empty() {
        return Err(Failure::new(
            Exit::Decide,
            format!(
                "comparing the alarms ({stack}): {} exists, but this stack did not create it",
                conflicts.join(", ")
            ),
            ["Nothing was changed. Delete or rename what has the name, then run the same command again."],
        ));
    }
    if !plan.changes() {
        present(&session, &stack, &plan, "Nothing to change:", false);
        return Ok(Exit::Done);
    }
    let text = format!("{}\n\n{}\n", headline("This watches", &stack, &plan), report::alarms(&plan.rows));
    if !consent(global, &text, EXPLAIN, ALONE).await? {
        return Ok(Exit::Decide);
    }
    let progress = session.progress(&[]);
    let run = session.run(timeouts, &progress);
    let done = Box::pin(converge(&run, &owner, look, &settings)).await;
    drop(progress);
    let now = done.map_err(|stop| {
        let remove = format!("{again} --remove");
        Failure::from(stop).after("What is created is created; the rest is still missing.", &again, Some(&remove))
    })?;
    present(&session, &stack, &now, "Done:", false);
    if !session.json {
        let next = [
            (command(global, "status", &database.id, &stack), "see their states"),
            (format!("{again} --remove"), "delete them"),
        ];
        report::result(&format!("\n{}", report::next(&next)));
    }
    Ok(Exit::Done)
}

async fn remove(
    global: &Global,
    args: &Alarms,
    session: &Session,
    timeouts: crate::engine::Timeouts,
    removal: AlarmsRemoval,
) -> Result<Exit, Failure> {
    let name = removal.subject();
    for foreign in &removal.seen.foreign {
        report::note(session.json, &format!("note: the alarm {foreign} is not ours and stays."));
    }
    let lines = removal.lines();
    if lines.is_empty() {
        if session.json {
            report::document(&Removed { schema: Version, proxy: name, changes: Vec::new() });
        } else {
            report::result(&format!("{name} has no alarms and no dashboard: nothing to delete."));
        }
        return Ok(Exit::Done);
    }
    let intro = format!("This deletes what watches {name}:");
    if args.dry_run {
        return Ok(show(session, &name, &intro, &lines));
    }
    if !consent(global, &format!("{intro}\n\n{}\n", report::removals(&lines)), EXPLAIN, ALONE).await? {
        return Ok(Exit::Decide);
    }
    let progress = session.progress(&[]);
    let result = removal.carry_out(&session.run(timeouts, &progress)).await;
    drop(progress);
    let again = format!("{} --remove", command(global, "alarms", &args.db, &name));
    result.map_err(|stop| Failure::from(stop).after("What is gone is gone; the rest is still there.", &again, None))?;
    let document = || Removed { schema: Version, proxy: name.clone(), changes: report::removal(&lines) };
    if !report::outcome(session.json, document) {
        report::result(&format!("Done: {name} is no longer watched."));
    }
    Ok(Exit::Done)
}

fn headline(begin: &str, stack: &str, plan: &Plan) -> String {
    let alarms = plan.rows.iter().filter(|row| row.alarm.is_some()).count();
    report::sentence(&format!(
        "{begin} {stack} with {alarms} alarms; CloudWatch bills {} alarm metrics.",
        plan.billed()
    ))
}

fn present(session: &Session, stack: &str, plan: &Plan, begin: &str, dry: bool) {
    let rows = || plan.rows.iter().map(row).collect();
    let (schema, billed_metrics) = (Version, plan.billed() as u64);
    let shown = if dry {
        report::outcome(session.json, || AlarmsPlan { schema, proxy: stack.to_owned(), plan: rows(), billed_metrics })
    } else {
        let document = || documents::Alarms { schema, proxy: stack.to_owned(), alarms: rows(), billed_metrics };
        report::outcome(session.json, document)
    };
    if shown {
        return;
    }
    let intro =
        if dry { headline(begin, stack, plan) } else { headline(&format!("{begin} this watches"), stack, plan) };
    report::result(&format!("{intro}\n\n{}", report::alarms(&plan.rows)));
    if plan.rows.iter().any(|row| matches!(row.action, Action::Later(_))) {
        report::result(&report::sentence(&format!(
            "\nMetrics of a new proxy are listed within {} minutes; run the same command again then.",
            LISTED_WITHIN.as_secs() / 60
        )));
    }
}

/// One row as JSON.
pub(super) fn row(row: &Intention) -> Alarm {
    let (action, detail) = match &row.action {
        Action::Create => (AlarmAction::Create, Vec::new()),
        Action::Change(clauses) => (AlarmAction::Update, clauses.clone()),
        Action::Keep => (AlarmAction::Keep, Vec::new()),
        Action::Later(why) => (AlarmAction::Wait, vec![why.clone()]),
        Action::NotNeeded(why) => (AlarmAction::NotNeeded, vec![why.clone()]),
        Action::Conflict => (AlarmAction::Conflict, vec!["it exists, but this stack did not create it".to_owned()]),
    };
    Alarm {
        alarm: row.kind.map(|kind| kind.info().key.to_owned()),
        name: row.name.clone(),
        action,
        detail,
        threshold: row.threshold.clone(),
        state: row.state.clone(),
        silenced: row.silenced,
        notifies: row.alarm.as_ref().map(|alarm| alarm.topics.clone()),
    }
}
