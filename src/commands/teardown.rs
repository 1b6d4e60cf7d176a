//! `teardown`: show the plan, ask, and carry it out.

use documents::{RemovalPlan, StackName, Version};

use super::saved::{OTHER, Saved, agreed, save};
use super::session::{Session, command, timeouts};
use crate::cli::{self, Global, Teardown};
use crate::discover::Problem;
use crate::error::Failure;
use crate::exit::Exit;
use crate::handover;
use crate::report;
use crate::resources::Line;
use crate::resources::alarms::AlarmsFound;
use crate::resources::log_group::{self, LogGroupFound};
use crate::saved::{self, Planned};
use crate::spec::{self, DatabaseRef};
use crate::stacks;
use crate::teardown::{self, Stack};

const EXPLAIN: &str = "What close-direct removed comes back first. The functions' variables are restored next, and each update is waited \
                       for. Then the proxy is deleted, and with it everything that carries this stack's ownership tag. What others created \
                       stays.";

const ALONE: &str = "Add --yes to carry the plan out; without it, nothing is removed.";

/// Runs it.
pub(super) async fn run(global: &Global, args: &Teardown) -> Result<Exit, Failure> {
    let Some(saved) = Saved::open(&args.plans, Planned::Teardown)? else { return plan(global, args, None).await };
    let cli::Command::Teardown(mut wanted) = saved.command()? else { return Err(saved.unusable(OTHER)) };
    wanted.waits.timeouts.clone_from(&args.waits.timeouts);
    wanted.dry_run = args.dry_run;
    plan(global, &wanted, Some(&saved)).await
}

/// Plans, and carries it out; `saved` is what the plan must be a part of.
async fn plan(global: &Global, args: &Teardown, saved: Option<&Saved>) -> Result<Exit, Failure> {
    let wanted = args.db.as_deref().map(DatabaseRef::parse).transpose()?;
    let named = args.name.as_deref().map(spec::stack_name).transpose()?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    if let Some(saved) = saved {
        saved.fits(&session).await?;
    }
    let settings = |name: Option<&str>| saved::of_stack(args.db.as_deref(), name, &[], args.even_if_used);
    let save = async |name: Option<&str>, terms| {
        save(global, &session, &args.plans, Planned::Teardown, settings(name), terms).await
    };
    let Some((name, stack)) = found(&session, named.as_deref(), wanted.as_ref()).await? else {
        nothing(&session, "", "There is no stack of rdsproxy-setup in this Region: nothing to delete.", &[]);
        save(None, Vec::new()).await?;
        return Ok(Exit::Done);
    };
    for foreign in &stack.foreign {
        report::note(session.json, &format!("note: {foreign} is not ours and stays."));
    }
    if stack.is_gone() {
        let there = others(&session, &name).await;
        nothing(&session, &name, &format!("{name} does not exist: nothing to delete."), &there);
        save(Some(&name), Vec::new()).await?;
        return Ok(Exit::Done);
    }
    if let AlarmsFound::Unknown(refusal) = &stack.alarms {
        // What is not seen would be left behind, by a run that says that it is done.
        return Err(Problem::refused(format!("looking for the alarms ({name})"))((**refusal).clone()).into());
    }
    serves(global, "teardown", &name, &stack, wanted.as_ref())?;
    ours_to_change(global, "deleting the stack", &name, &stack)?;
    if let Some(exit) = saved.and_then(|saved| saved.refuse(&session, stack.terms())) {
        return Ok(exit);
    }
    if !stack.other_users.is_empty() && !args.even_if_used {
        return Err(Failure::new(
            Exit::Decide,
            format!("checking who uses the proxy ({name}): {} still would", stack.other_users.join(", ")),
            [
                "Point them elsewhere first: what is named here cannot be pointed at the database by this tool.",
                "Or remove the proxy all the same: --even-if-used.",
            ],
        ));
    }
    let lines = stack.lines();
    if args.dry_run || args.plans.plan_out.is_some() {
        let exit = show(&session, &name, &format!("This would delete {name}:"), &lines);
        save(Some(&name), stack.terms()).await?;
        return Ok(exit);
    }
    let plan = format!("This deletes {name}:\n\n{}\n", report::removals(&lines));
    if !agreed(saved, global, &plan, EXPLAIN, ALONE).await? {
        return Ok(Exit::Decide);
    }
    let began = session.clock.elapsed();
    let progress = session.progress(&stack.steps());
    let result = Box::pin(teardown::carry_out(&session.run(timeouts, &progress), &stack)).await;
    drop(progress);
    result.map_err(|stop| {
        let id =
            stack.database.clone().unwrap_or_else(|| name.strip_suffix("-proxy").unwrap_or(name.as_str()).to_owned());
        let again = saved.map_or_else(|| command(global, "teardown", &id, &name), |saved| saved.resume(global));
        Failure::from(stop).after("What is gone is gone; the rest is still there.", again, None)
    })?;
    let left = stack.deletes_proxy().then(|| left_behind(&name, &session.cloud.region, &stack.log_group));
    let document = || documents::Teardown {
        schema: Version,
        proxy: name.clone(),
        changes: report::removal(&lines),
        left: left.iter().cloned().collect(),
        other_users: stack.other_users.clone(),
        stacks: Vec::new(),
    };
    if !report::outcome(session.json, document) {
        let elapsed = report::duration(session.clock.elapsed().saturating_sub(began));
        let back = if stack.functions.is_empty() { "" } else { ", and the functions use the database directly again" };
        let how = if stack.adopted() { "is handed back as it was adopted" } else { "is gone" };
        report::result(&format!("Done in {elapsed}: {name} {how}{back}."));
        if !stack.other_users.is_empty() {
            report::result(&format!("What was left at the proxy: {}.", stack.other_users.join(", ")));
        }
        if let Some(left) = left {
            report::result(&left);
        }
    }
    Ok(Exit::Done)
}

/// The stack that the flags mean, with everything of it that is there; `None` where the Region has no stack.
pub(super) async fn found(
    session: &Session,
    named: Option<&str>,
    wanted: Option<&DatabaseRef>,
) -> Result<Option<(String, Stack)>, Failure> {
    let Some((name, tag)) = session.reading(chosen(session, named, wanted)).await? else { return Ok(None) };
    let look = async {
        match wanted {
            Some(database) => teardown::survey(&session.cloud, &name, Some(database)).await,
            None => teardown::survey_as_tagged(&session.cloud, &name, tag.as_deref()).await,
        }
    };
    let stack = session.reading(look).await?;
    Ok(Some((name, stack)))
}

/// Holds a stack to the database that was named.
pub(super) fn serves(
    global: &Global,
    verb: &str,
    name: &str,
    stack: &Stack,
    wanted: Option<&DatabaseRef>,
) -> Result<(), Failure> {
    let (Some(wanted), Some(served)) = (wanted, &stack.database) else { return Ok(()) };
    if served.eq_ignore_ascii_case(&wanted.id) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Decide,
        format!("choosing the proxy ({name}): it serves {served}, not {}", wanted.id),
        [format!("Nothing was changed. If it is meant: {}", command(global, verb, served, name))],
    ))
}

/// A stack that was handed over is changed by others alone.
pub(super) fn ours_to_change(global: &Global, doing: &str, name: &str, stack: &Stack) -> Result<(), Failure> {
    let database = stack.database.clone().unwrap_or_else(|| name.strip_suffix("-proxy").unwrap_or(name).to_owned());
    let back = command(global, "export", &database, name) + " --take-back";
    Ok(handover::refuse(stack.handed_over(), doing, name, &back)?)
}

/// Shows a plan that is not carried out.
pub(super) fn show(session: &Session, name: &str, intro: &str, lines: &[Line]) -> Exit {
    let document = || RemovalPlan { schema: Version, proxy: name.to_owned(), plan: report::removal(lines) };
    if !report::outcome(session.json, document) {
        report::result(&format!("{intro}\n\n{}", report::removals(lines)));
    }
    Exit::Done
}

/// What RDS Proxy leaves in the account, which no call about the proxy removes: its log group, which keeps everything
/// unless `--log-retention` was asked for, and its user in the database
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-troubleshooting.html>).
fn left_behind(proxy: &str, region: &str, found: &LogGroupFound) -> String {
    let (group, perhaps) = match found {
        LogGroupFound::Absent | LogGroupFound::Ours(_) => {
            return "RDS Proxy leaves its user rdsproxyadmin behind in the database.".to_owned();
        }
        LogGroupFound::OfOthers(group) => (group.clone(), ""),
        LogGroupFound::Unknown => (log_group::name_of(proxy), ", if there is one,"),
    };
    format!(
        "RDS Proxy leaves two things behind: the log group {group}{perhaps} (aws logs delete-log-group \
         --log-group-name {group} --region {region}), and the user rdsproxyadmin in the database."
    )
}

/// The stack that the flags name, or else the region's only one; with the tag that names its database, where no flag
/// does.
///
/// A name alone never means another stack: what it belongs to is found by the name.
async fn chosen(
    session: &Session,
    named: Option<&str>,
    database: Option<&DatabaseRef>,
) -> Result<Option<(String, Option<String>)>, Failure> {
    match (named, database) {
        (_, Some(database)) => Ok(Some((spec::stack(named, database)?, None))),
        (Some(name), None) => {
            let found = stacks::find(&session.cloud, name).await.map_err(Problem::refused("looking for the stack"))?;
            Ok(Some((name.to_owned(), found.and_then(|found| found.database))))
        }
        (None, None) => Ok(only(session).await?),
    }
}

/// The region's stacks, for users who named one that does not exist.
async fn others(session: &Session, name: &str) -> Vec<(String, Option<String>)> {
    let there = match stacks::list(&session.cloud).await {
        Ok(there) => there,
        Err(refusal) => {
            report::note(session.json, &format!("note: the stacks of this region could not be listed: {refusal}"));
            return Vec::new();
        }
    };
    let near = stacks::mistyped(name, there.keys());
    if !near.is_empty() {
        report::note(session.json, &format!("note: Did you mean {}?", near.join(" or ")));
    }
    let there: Vec<_> = there.into_iter().collect();
    if !there.is_empty() {
        let flags: Vec<String> = there.iter().map(flags).collect();
        report::note(session.json, &format!("note: the stacks of {}: {}", session.cloud.region, flags.join(", ")));
    }
    there
}

/// A stack with the flags that choose it.
fn flags((stack, database): &(String, Option<String>)) -> String {
    match database {
        Some(database) => format!("{stack} (--db {database} --name {stack})"),
        None => format!("{stack} (--name {stack})"),
    }
}

fn nothing(session: &Session, name: &str, text: &str, there: &[(String, Option<String>)]) {
    if session.json {
        let one = |(proxy, database): &(String, Option<String>)| StackName {
            proxy: proxy.clone(),
            database: database.clone(),
        };
        report::document(&documents::Teardown {
            schema: Version,
            proxy: name.to_owned(),
            changes: Vec::new(),
            left: Vec::new(),
            other_users: Vec::new(),
            stacks: there.iter().map(one).collect(),
        });
    } else {
        report::result(text);
    }
}

/// The region's only stack.
async fn only(session: &Session) -> Result<Option<(String, Option<String>)>, Failure> {
    let found = stacks::list(&session.cloud).await.map_err(Problem::refused("listing our stacks"))?;
    if found.len() > 1 {
        let names: Vec<String> = found.into_iter().map(|found| flags(&found)).collect();
        return Err(Failure::new(
            Exit::Decide,
            format!("choosing what to remove: {} has {} stacks", session.cloud.region, names.len()),
            [format!("Name one of them: {}.", names.join(", "))],
        ));
    }
    Ok(found.into_iter().next())
}
