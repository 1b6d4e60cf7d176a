//! `alarms`: look, show the plan, ask, carry it out.

use documents::{Alarm, AlarmAction, AlarmsPlan, AlarmsRemoval as Removed, Version};

use super::saved::{OTHER, Saved, agreed, save};
use super::session::{Session, command, timeouts};
use super::teardown::show;
use crate::alarms::{Look, converge};
use crate::cli::{self, Alarms, Global};
use crate::cloud::{Owner, Tags};
use crate::discover::Problem;
use crate::error::Failure;
use crate::exit::Exit;
use crate::plan::Terms;
use crate::report;
use crate::resources::Removal;
use crate::resources::alarms::{Action, AlarmsRemoval, Existing, Intention, LISTED_WITHIN, Plan, Settings};
use crate::saved::{self, Planned};
use crate::spec::{self, DatabaseRef};

const EXPLAIN: &str = "Each alarm watches metrics that RDS Proxy sends to CloudWatch; none of them changes the proxy or a function. A teardown \
                       deletes them, and so does alarms --remove.";

const ALONE: &str = "Add --yes to carry the plan out, or look at it only with alarms --dry-run.";

/// Runs it.
pub(super) async fn run(global: &Global, args: &Alarms) -> Result<Exit, Failure> {
    let Some(saved) = Saved::open(&args.plans, Planned::Alarms)? else { return plan(global, args, None).await };
    let cli::Command::Alarms(mut wanted) = saved.command()? else { return Err(saved.unusable(OTHER)) };
    wanted.waits.timeouts.clone_from(&args.waits.timeouts);
    wanted.dry_run = args.dry_run;
    plan(global, &wanted, Some(&saved)).await
}

/// Plans, and carries it out; `saved` is what the plan must be a part of.
async fn plan(global: &Global, args: &Alarms, saved: Option<&Saved>) -> Result<Exit, Failure> {
    let database = spec::database(args.db.as_deref())?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    if let Some(saved) = saved {
        saved.fits(&session).await?;
    }
    let owner = Owner { stack: stack.clone(), database: database.id.clone(), extra: Tags::new() };
    if args.remove {
        let seen = Existing::read(&session.cloud, &owner).await.map_err(Problem::refused("looking for the alarms"))?;
        let removal = AlarmsRemoval::of(&session.cloud, &owner, seen);
        let run = Wanted { global, args, saved, session: &session, database: &database };
        return run.remove(timeouts, removal).await;
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
    if let Some(exit) = saved.and_then(|saved| saved.refuse(&session, plan.terms())) {
        return Ok(exit);
    }
    if args.dry_run || args.plans.plan_out.is_some() {
        present(&session, &stack, &plan, "This would watch", true);
    }
    // A plan that cannot be carried out is not for a later run.
    if (args.dry_run || args.plans.plan_out.is_some()) && (conflicts.is_empty() || args.plans.plan_out.is_none()) {
        let settings = saved::of_alarms(&database.id, &stack, Some(&settings));
        save(global, &session, &args.plans, Planned::Alarms, settings, plan.terms()).await?;
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
    if !agreed(saved, global, &text, EXPLAIN, ALONE).await? {
        return Ok(Exit::Decide);
    }
    let progress = session.progress(&[]);
    let run = session.run(timeouts, &progress);
    let done = Box::pin(converge(&run, &owner, look, &settings)).await;
    drop(progress);
    let now = done.map_err(|stop| {
        let remove = format!("{again} --remove");
        let again = saved.map_or_else(|| again.clone(), |saved| saved.resume(global));
        Failure::from(stop).after("What is created is created; the rest is still missing.", again, Some(&remove))
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

/// What is to be deleted, and for whom.
struct Wanted<'a> {
    global: &'a Global,
    args: &'a Alarms,
    saved: Option<&'a Saved>,
    session: &'a Session,
    database: &'a DatabaseRef,
}

impl Wanted<'_> {
    async fn remove(&self, timeouts: crate::engine::Timeouts, removal: AlarmsRemoval) -> Result<Exit, Failure> {
        let Self { global, args, saved, session, database } = *self;
        let name = removal.subject();
        let terms: Vec<(String, Terms)> = removal.terms();
        for foreign in &removal.seen.foreign {
            report::note(session.json, &format!("note: the alarm {foreign} is not ours and stays."));
        }
        if let Some(exit) = saved.and_then(|saved| saved.refuse(session, terms.clone())) {
            return Ok(exit);
        }
        let lines = removal.lines();
        let settings = || saved::of_alarms(&database.id, &name, None);
        if lines.is_empty() {
            if session.json {
                report::document(&Removed { schema: Version, proxy: name.clone(), changes: Vec::new() });
            } else {
                report::result(&format!("{name} has no alarms and no dashboard: nothing to delete."));
            }
            save(global, session, &args.plans, Planned::Alarms, settings(), terms).await?;
            return Ok(Exit::Done);
        }
        let intro = format!("This deletes what watches {name}:");
        if args.dry_run || args.plans.plan_out.is_some() {
            let exit = show(session, &name, &intro, &lines);
            save(global, session, &args.plans, Planned::Alarms, settings(), terms).await?;
            return Ok(exit);
        }
        let text = format!("{intro}\n\n{}\n", report::removals(&lines));
        if !agreed(saved, global, &text, EXPLAIN, ALONE).await? {
            return Ok(Exit::Decide);
        }
        let progress = session.progress(&[]);
        let result = removal.carry_out(&session.run(timeouts, &progress)).await;
        drop(progress);
        let again = format!("{} --remove", command(global, "alarms", &database.id, &name));
        let again = saved.map_or(again, |saved| saved.resume(global));
        result
            .map_err(|stop| Failure::from(stop).after("What is gone is gone; the rest is still there.", again, None))?;
        let document = || Removed { schema: Version, proxy: name.clone(), changes: report::removal(&lines) };
        if !report::outcome(session.json, document) {
            report::result(&format!("Done: {name} is no longer watched."));
        }
        Ok(Exit::Done)
    }
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
