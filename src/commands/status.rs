//! `status`: all thirteen steps as they are.

use documents::{AlarmStates, CanaryProgress, DirectPath, DirectState, Version};
use observe::alarms::Watched;

use super::alarms::row;
use super::canary;
use super::session::{Session, command};
use crate::catalogue::StepId;
use crate::cli::{Global, Status};
use crate::close_direct;
use crate::cloud::rds::{EngineFamily, TargetKind};
use crate::discover::hosts::HostKind;
use crate::discover::{Problem, did_you_mean};
use crate::engine::Timeouts;
use crate::error::{Failure, health_hints};
use crate::exit::Exit;
use crate::handover;
use crate::plan::{Entry, Verdict};
use crate::report;
use crate::resources::alarms::{Action, Existing, Intention, Plan, Settings};
use crate::spec::{self, DatabaseRef, Spec};
use crate::stacks::{self, Stack};
use crate::survey::Survey;

/// Runs it.
pub(super) async fn run(global: &Global, args: &Status) -> Result<Exit, Failure> {
    let wanted = args.db.as_deref().map(DatabaseRef::parse).transpose()?;
    let named = args.name.as_deref().map(spec::stack_name).transpose()?;
    let session = Session::open(global).await?;
    let specs = match (wanted, named) {
        (Some(database), _) => vec![of(args, database)?],
        (None, Some(name)) => vec![one(&session, &name).await?],
        (None, None) => all(&session).await?,
    };
    let mut drift = false;
    let mut documents = Vec::new();
    if specs.is_empty() && !session.json {
        report::result(&format!("No stack of rdsproxy-setup is in {}.", session.cloud.region));
        let up = command(global, "up", "NAME", "NAME-proxy");
        report::result(&report::next(&[(up, "put a proxy in front of a database")]));
    }
    for (at, spec) in specs.iter().enumerate() {
        let survey = session.reading(Box::pin(Survey::read(&session.cloud, spec, Timeouts::default()))).await?;
        let entries = survey.entries();
        let alarms = session.reading(alarms(&session, &survey)).await;
        let in_place = entries.iter().all(|entry| matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_)))
            && survey.dead.is_empty();
        let fine = in_place && !alarms.as_ref().is_ok_and(|plan| plan.as_ref().is_some_and(Plan::changes));
        drift |= !fine;
        let (direct, remembered) = close_direct::state(&survey);
        documents.push(documents::Stack {
            proxy: spec.stack.clone(),
            database: spec.database.id.clone(),
            endpoint: survey.endpoint().map(str::to_owned),
            in_place: fine,
            handed_over: survey.handed_over(),
            canary: canary::progress(&survey).map(|canary| CanaryProgress {
                at_proxy: canary.at_proxy as u64,
                functions: canary.functions as u64,
                wave: canary.reached.map(|reached| reached.wave as u64),
                waves: canary.reached.map(|reached| reached.of as u64),
                aliases: report::alias_shares(&canary.aliases),
            }),
            direct_path: DirectPath {
                state: match direct {
                    close_direct::State::Open => DirectState::Open,
                    close_direct::State::Closed => DirectState::Closed,
                    close_direct::State::Unknown => DirectState::Unknown,
                },
                remembered: remembered as u64,
            },
            alarms: alarms_document(&alarms),
            health_hints: health(&entries),
            steps: report::steps(&entries),
        });
        if session.json {
            continue;
        }
        if at > 0 {
            report::result("");
        }
        show(global, &survey, &entries, &alarms, fine);
    }
    report::outcome(session.json, || documents::Status { schema: Version, stacks: documents });
    Ok(if drift && args.exit_code { Exit::Drift } else { Exit::Done })
}

/// The alarms of a stack as they are; none where it has none, or an error that says why they were not read.
type Alarms = Result<Option<Plan>, String>;

/// Looks at the alarms, which are asked for by a command of their own: none are missing where there are none.
async fn alarms(session: &Session, survey: &Survey) -> Alarms {
    let Some(found) = survey.seen.proxy.present() else { return Ok(None) };
    let seen = Existing::read(&session.cloud, &survey.owner).await.map_err(|refusal| refusal.to_string())?;
    if seen.is_empty() {
        return Ok(None);
    }
    let rows = survey.seen.registered.present().map(|found| found.rows.as_slice()).unwrap_or_default();
    let watched = Watched {
        proxy: survey.names.stack.clone(),
        // As the alarms have it: to ask for it again would take another right.
        writer_role: seen.writer_role(),
        cluster: rows.iter().any(|row| row.kind == TargetKind::Cluster),
        requires_tls: found.proxy.require_tls,
        postgresql: found.proxy.family == Some(EngineFamily::PostgreSql),
    };
    let who = &survey.identity;
    let arn = |name: &str| format!("arn:{}:cloudwatch:{}:{}:alarm:{name}", who.partition, survey.region, who.account);
    Ok(Some(Plan::of(&seen, &watched, &survey.region, &Settings::default(), arn)))
}

fn alarms_document(alarms: &Alarms) -> AlarmStates {
    match alarms {
        Ok(plan) => {
            let rows = plan.iter().flat_map(|plan| &plan.rows).map(row).collect();
            AlarmStates { known: true, rows: Some(rows), why: None }
        }
        Err(why) => AlarmStates { known: false, rows: None, why: Some(why.clone()) },
    }
}

/// The alarms in a few lines: what goes off, and what is missing.
fn show_alarms(global: &Global, survey: &Survey, alarms: &Alarms) {
    let plan = match alarms {
        Ok(None) => return,
        Ok(Some(plan)) => plan,
        Err(why) => {
            return report::result(&report::sentence(&format!("Whether the proxy has alarms is unknown: {why}.")));
        }
    };
    let kinds = |of: &dyn Fn(&Intention) -> bool| -> Vec<&str> {
        let rows = plan.rows.iter().filter(|row| of(row));
        rows.map(|row| row.kind.map_or("dashboard", |kind| kind.info().key)).collect()
    };
    let count = plan.rows.iter().filter(|row| row.state.is_some()).count();
    let mut parts = vec![format!("{count} alarms")];
    for (what, names) in [
        ("off now", kinds(&|row| row.state.as_deref() == Some("ALARM"))),
        ("without data", kinds(&|row| row.state.as_deref() == Some("INSUFFICIENT_DATA"))),
        ("silenced", kinds(&|row| row.silenced)),
        ("missing", kinds(&|row| row.action == Action::Create)),
        ("changed by hand", kinds(&|row| matches!(row.action, Action::Change(_)))),
    ] {
        if !names.is_empty() {
            parts.push(format!("{what}: {}", names.join(", ")));
        }
    }
    report::result(&report::sentence(&format!("{}.", parts.join("; "))));
    if plan.changes() {
        let again = command(global, "alarms", &survey.database.id, &survey.names.stack);
        report::result(&report::next(&[(again, "repair the alarms")]));
    }
}

fn show(global: &Global, survey: &Survey, entries: &[Entry], alarms: &Alarms, fine: bool) {
    let (stack, db) = (&survey.names.stack, &survey.database.id);
    let head = match survey.endpoint() {
        Some(endpoint) => format!("{stack}, in front of {db}, at {endpoint}:{}", survey.database.family.proxy_port()),
        None => format!("{stack}, in front of {db}: there is no proxy"),
    };
    report::result(&format!("{}\n\n{}\n", report::sentence(&head), report::status(entries)));
    for line in health(entries) {
        report::result(&report::sentence(&line));
    }
    show_alarms(global, survey, alarms);
    let (direct, remembered) = close_direct::state(survey);
    if remembered > 0 {
        let rules = if remembered == 1 { "1 rule".to_owned() } else { format!("{remembered} rules") };
        let which = if direct == close_direct::State::Closed { "" } else { " closed" };
        report::result(&format!("Direct path: {} ({rules}{which}).", direct.word()));
    }
    for dead in &survey.dead {
        report::result(&report::sentence(&format!("{dead}.")));
    }
    if survey.handed_over() {
        report::result(&format!("{}\n", report::sentence(handover::NOTICE)));
    }
    let canary = canary::progress(survey);
    if let Some(canary) = &canary {
        report::result(&report::sentence(&canary.text()));
    }
    if survey.handed_over() && !fine {
        let back = format!("{} --take-back", command(global, "export", db, stack));
        report::result(&report::next(&[
            (command(global, "doctor", db, stack), "see what is wrong, and why"),
            (back, "have rdsproxy-setup change it again"),
        ]));
        return;
    }
    let mut next = Vec::new();
    if let Some(canary) = &canary {
        next.push((command(global, "up", db, stack) + &canary.flags(), "go on with the waves"));
    }
    if fine {
        report::result("Everything is in place.");
    } else {
        next.push((command(global, "up", db, stack), "carry out what is missing"));
        next.push((command(global, "doctor", db, stack), "see what is wrong, and why"));
    }
    // Of a proxy that is not ours, restore moves no function.
    let ours = survey.seen.proxy.present().is_some_and(|found| survey.owner.owns(&found.tags));
    let moved = survey.functions.iter().any(|found| !found.holding(HostKind::is_ours).is_empty());
    if ours && moved && !survey.handed_over() {
        next.push((command(global, "restore", db, stack), "point the functions back at the database at once"));
    }
    if !next.is_empty() {
        report::result(&report::next(&next));
    }
}

/// What the target's state means, where it is not healthy.
fn health(entries: &[Entry]) -> Vec<String> {
    let of = |entry: &Entry| match &entry.verdict {
        Verdict::Await(state) if entry.step == StepId::TargetHealth => Some(health_hints(state)),
        _ => None,
    };
    entries.iter().find_map(of).unwrap_or_default()
}

async fn all(session: &Session) -> Result<Vec<Spec>, Failure> {
    let found = stacks::list(&session.cloud).await.map_err(Problem::refused("listing our stacks"))?;
    Ok(found.into_iter().map(|(name, database)| by_tags(Stack { name, database })).collect())
}

/// The stack of a name, wherever its database is.
async fn one(session: &Session, name: &str) -> Result<Spec, Failure> {
    let doing = format!("looking for the stack ({name})");
    let found = stacks::find(&session.cloud, name).await.map_err(Problem::refused(doing.as_str()))?;
    if let Some(found) = found {
        return Ok(by_tags(found));
    }
    let there = stacks::list(&session.cloud).await.map_err(Problem::refused("listing our stacks"))?;
    let there: Vec<String> = there.into_keys().collect();
    let headline = format!("{doing}: there is none of this name in {}", session.cloud.region);
    Err(Failure::new(Exit::Decide, headline, [did_you_mean("stacks", name, &there)]))
}

fn by_tags(stack: Stack) -> Spec {
    let Stack { name, database } = stack;
    let id = database.unwrap_or_else(|| name.strip_suffix("-proxy").unwrap_or(&name).to_owned());
    Spec::of(DatabaseRef { id, place: None }, name)
}

/// What a status compares with: no more than what the account itself shows.
fn of(args: &Status, database: DatabaseRef) -> Result<Spec, Failure> {
    let stack = spec::stack(args.name.as_deref(), &database)?;
    Ok(Spec::of(database, stack))
}
