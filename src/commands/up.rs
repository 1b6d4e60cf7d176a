//! `up`: look, show the plan, ask, carry it out.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use documents::{Counts, DoneStep, Login, PlannedProbe, UpPlan, Version};

use super::diagnosis::At;
use super::saved::{OTHER, Saved, agreed, save};
use super::session::{Session, command, timeouts};
use super::sizing;
use super::{canary, diagnosis, interrupt, passwords, pending};
use crate::catalogue::{CERTIFICATE, PROVES, STEPS, StepId};
use crate::cli::{self, Choices, Global, Up};
use crate::cloud::rds::Pool;
use crate::discover::direct;
use crate::discover::selection::Selection;
use crate::doctor::Finding;
use crate::engine::StepError;
use crate::error::{Failure, Resume};
use crate::exit::Exit;
use crate::handover;
use crate::plain::counted;
use crate::plan::{Entry, Terms, Verdict};
use crate::probe::{self, Hosts, Seat};
use crate::report::{self, Done, Topology};
use crate::saved::{self, Planned};
use crate::sequence::{self, Outcome};
use crate::spec::{self, CreateSecret, Spec, SpecError, Verify};
use crate::survey::Survey;

const ALONE: &str = "Add --yes to carry the plan out, or look at it only with up --dry-run.";

const RESTORING: &str = "To point the functions back at the database at once";

/// Runs it.
pub(super) async fn run(global: &Global, args: &Up) -> Result<Exit, Failure> {
    let Some(saved) = Saved::open(&args.plans, Planned::Up)? else { return Box::pin(plan(global, args, None)).await };
    let cli::Command::Up(mut wanted) = saved.command()? else { return Err(saved.unusable(OTHER)) };
    wanted.waits.timeouts.clone_from(&args.waits.timeouts);
    (wanted.dry_run, wanted.detailed_exitcode) = (args.dry_run, args.detailed_exitcode);
    (wanted.password_stdin, wanted.wait) = (args.password_stdin, args.wait);
    Box::pin(plan(global, &wanted, Some(&saved))).await
}

/// Plans, and carries it out; `saved` is what the plan must be a part of.
async fn plan(global: &Global, args: &Up, saved: Option<&Saved>) -> Result<Exit, Failure> {
    let mut spec = read(args)?;
    let timeouts = timeouts(&args.waits)?;
    let timeouts = if args.wait { timeouts } else { timeouts.without_waiting() };
    let session = Session::open(global).await?;
    if let Some(saved) = saved {
        saved.fits(&session).await?;
    }
    if let Some(sizing) = args.choices.sizing {
        sizing::apply(&session, sizing, &mut spec).await?;
    }
    let mut survey = session.reading(Box::pin(Survey::read(&session.cloud, &spec, timeouts))).await?;
    let entries = survey.entries();
    let pending = entries.iter().any(|entry| entry.verdict.changes());
    for warning in &survey.warnings {
        report::warn(session.json, warning);
    }
    let findings = diagnosis::before(global, &session, &survey).await;
    let seats = seats(&survey, &entries)?;
    let terms = [survey.terms(), proofs(&seats)].concat();
    if let Some(exit) = saved.and_then(|saved| saved.refuse(&session, terms.clone())) {
        return Ok(exit);
    }
    let feasible = feasible(global, &survey, &entries, &findings);
    let besides = Besides { findings: &findings, seats: &seats };
    if args.dry_run || args.plans.plan_out.is_some() {
        let exit = if args.detailed_exitcode && pending { Exit::Pending } else { Exit::Done };
        let possible = feasible.is_ok();
        let way_back = way_back(global, &survey, &entries);
        let exit = show_plan(&session, &survey, &entries, &besides, (feasible, &way_back), exit);
        // One that cannot be carried out is not for a later run.
        if possible {
            let settings = saved::of_up(args.db.as_deref().unwrap_or(&survey.database.id), &spec);
            save(global, &session, &args.plans, Planned::Up, settings, terms).await?;
        }
        return Ok(exit);
    }
    report::summarize(|| document(&survey, &entries, &besides, feasible.is_ok(), Exit::Done));
    feasible?;
    let (waves, back) = (canary::plan(&survey), way_back(global, &survey, &entries));
    let plan = format!("{}\n\n{}\n{}{waves}{back}", headline(&survey), report::plan(&entries), before_13(&seats));
    if pending && !agreed(saved, global, &plan, &explain(), ALONE).await? {
        return Ok(Exit::Decide);
    }
    // Nobody types a password for a plan that they have not seen.
    let users: Vec<String> = survey.secrets.planned.iter().map(|planned| planned.user.clone()).collect();
    survey.passwords = passwords::read(args, &users).await?;
    let began = session.clock.elapsed();
    let progress = session.progress(&STEPS.map(|info| info.id));
    let run = session.run(timeouts, &progress);
    let at = At { global, session: &session, spec: &spec, told: &Cell::new(false) };
    let decider = canary::Terminal::of(global);
    let outcome = tokio::select! {
        outcome = Box::pin(sequence::converge_asking(&run, &survey, &decider)) => outcome,
        never = diagnosis::watch(&at, &progress) => match never {},
    };
    let (done, unseen, left) = (progress.done(), progress.unseen(), progress.pending());
    drop(progress);
    let elapsed = session.clock.elapsed().saturating_sub(began);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(StepError::Pending { .. }) => {
            let exit = if args.detailed_exitcode { Exit::Pending } else { Exit::Done };
            let again = saved.map_or_else(|| again(global, &survey), |saved| saved.resume(global));
            let left = pending::Left { done, unseen, pending: left, elapsed, again };
            pending::show(global, &session, &survey, &left, exit);
            return Ok(exit);
        }
        Err(stop) => {
            let cause = tokio::select! {
                cause = diagnosis::after(&at, &stop) => cause,
                () = interrupt::stop_sign().interrupted() => None,
            };
            let same = || Resume::SameFlags(again(global, &survey));
            let resume = saved.map_or_else(same, |saved| Resume::Command(saved.resume(global)));
            let undo = command(global, "teardown", &survey.database.id, &survey.names.stack);
            let mut failure = Failure::because(stop, cause).after(&made(&done), resume, Some(&undo));
            if done.iter().any(|done| done.step == StepId::Repoint) {
                failure.hints.push(format!("{RESTORING}: {}", restore(global, &survey)));
            }
            return Err(failure);
        }
    };
    if let Some(walk) = outcome.canary.as_ref().filter(|walk| canary::exit(walk) != Exit::Done) {
        return Ok(canary::show_end(global, &session, &survey, walk));
    }
    show_outcome(global, &session, &survey, &Ended { outcome, done, unseen, elapsed });
    Ok(Exit::Done)
}

/// A run that reached its end.
struct Ended {
    outcome: Outcome,
    done: Vec<Done>,
    /// What of it no row on the terminal shows in full.
    unseen: Vec<Done>,
    /// Without the time that the prompt waited.
    elapsed: Duration,
}

pub(super) fn done_step(done: &Done) -> DoneStep {
    DoneStep { step: done.step.number(), slug: done.step.info().slug.to_owned(), detail: done.detail.clone() }
}

fn show_outcome(global: &Global, session: &Session, survey: &Survey, ended: &Ended) {
    let Ended { outcome, done, unseen, elapsed } = ended;
    let port = survey.database.family.proxy_port();
    let (login, client_auth) =
        if survey.login.iam { ("IAM tokens", Login::Iam) } else { ("password", Login::Password) };
    let document = || documents::Up {
        schema: Version,
        changed: !done.is_empty(),
        proxy: survey.names.stack.clone(),
        endpoint: outcome.endpoint.clone(),
        port,
        database: survey.database.id.clone(),
        client_auth,
        functions: outcome.functions.clone(),
        changes: done.iter().map(done_step).collect(),
        probes: report::probes(&outcome.proofs),
        canary: outcome.canary.as_ref().map(report::canary),
    };
    if report::outcome(session.json, document) {
        return;
    }
    let elapsed = report::duration(*elapsed);
    let (proxy, database) = (format!("{}:{port}", outcome.endpoint), &survey.database);
    report::result(&if done.is_empty() {
        format!("Nothing to do: all thirteen steps are in place for {}.", database.id)
    } else {
        format!("Done in {elapsed}: {} is behind the proxy.", database.id)
    });
    let tls = if survey.requires_tls() { "TLS required" } else { "TLS accepted" };
    let path = report::topology(&Topology {
        functions: outcome.functions.clone(),
        proxy,
        database: format!("{}:{}", database.host(), database.port),
        login: format!("{login}, {tls}"),
    });
    report::result(&format!("\n{path}\n"));
    for proof in &outcome.proofs {
        let (functions, endpoint) = (proof.functions.join(", "), proof.endpoint());
        report::result(&format!("proven from {functions} to {endpoint}, {}: {}", proof.who(), proof.line()));
    }
    if !outcome.proofs.is_empty() {
        report::result(&format!("{PROVES}\nWithin TLS, {CERTIFICATE}.\n"));
    }
    for wave in outcome.canary.iter().flat_map(|walk| &walk.waves) {
        report::result(&format!("{}\n", report::wave_text(wave)));
    }
    if !unseen.is_empty() {
        report::result(&format!("{}\n", report::changes(unseen)));
    }
    let of = |verb| command(global, verb, &database.id, &survey.names.stack);
    let first = if survey.spec.prepare {
        (of("up"), "point the functions at the proxy")
    } else {
        (of("status"), "look at all thirteen steps and the target's health")
    };
    report::result(&report::next(&[
        first,
        (of("restore"), "point the functions back at the database at once"),
        (of("teardown"), "restore the variables and delete the proxy"),
    ]));
}

/// What exists after a run that did not end.
fn made(done: &[Done]) -> String {
    if done.is_empty() {
        return "Nothing was changed.".to_owned();
    }
    let numbers: BTreeSet<u8> = done.iter().map(|done| done.step.number()).collect();
    let steps: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let word = if steps.len() == 1 { "step" } else { "steps" };
    format!("What {word} {} made or changed stays.", steps.join(", "))
}

/// The command that goes on from a run that did not end.
fn again(global: &Global, survey: &Survey) -> String {
    let up = command(global, "up", &survey.database.id, &survey.names.stack);
    // Where the proxy is not there yet, or the selection does not fit it, nothing remembers these flags.
    let named = Selection::of(&survey.spec).flags().into_iter().chain(direct::flags(&survey.spec.variables));
    named.fold(up + &canary::flags(survey.spec.canary.as_ref()), |all, flag| all + " " + &flag)
}

pub(super) fn headline(survey: &Survey) -> String {
    report::sentence(&format!(
        "{} ({}) in {}, account {}; used by {}.",
        survey.database.id,
        survey.database.label,
        survey.region,
        survey.identity.account,
        counted(survey.functions.len(), "function")
    ))
}

fn explain() -> String {
    let lines: Vec<String> =
        STEPS.iter().map(|step| format!("{:>2}  {}: {}", step.number, step.title, step.why)).collect();
    lines.join("\n")
}

/// What a plan holds besides the steps.
struct Besides<'a> {
    findings: &'a [Finding],
    seats: &'a [Seat],
}

/// Shows the plan, and how a plan ends: `up` does what it says, or stops for the same reason.
fn show_plan(
    session: &Session,
    survey: &Survey,
    entries: &[Entry],
    besides: &Besides<'_>,
    (feasible, way_back): (Result<(), Failure>, &str),
    exit: Exit,
) -> Exit {
    let seats = besides.seats;
    let exit = feasible.as_ref().err().map_or(exit, |failure| failure.exit);
    if !report::outcome(session.json, || document(survey, entries, besides, feasible.is_ok(), exit)) {
        let waves = canary::plan(survey);
        let back = if feasible.is_ok() { way_back } else { "" };
        let text = format!("{}\n\n{}{}{waves}{back}", headline(survey), report::plan(entries), before_13(seats));
        report::result(text.trim_end());
    }
    if let Err(failure) = feasible {
        report::failure(session.json, &failure.headline, &failure.hints, failure.request_id.as_deref());
    }
    exit
}

/// A plan as a document.
fn document(survey: &Survey, entries: &[Entry], besides: &Besides<'_>, feasible: bool, exit: Exit) -> UpPlan {
    let probe = |seat: &Seat| PlannedProbe { function: seat.name.clone(), stands_in_for: seat.functions.clone() };
    let plan = report::steps(entries);
    UpPlan {
        schema: Version,
        proxy: survey.names.stack.clone(),
        counts: Counts::of(&plan),
        plan,
        findings: report::findings(besides.findings),
        probes: besides.seats.iter().map(probe).collect(),
        canary: canary::plan_document(survey),
        feasible,
        exit_code: exit.code(),
    }
}

/// Where probes will be made, if they were asked for and something is to be pointed at the proxy.
fn seats(survey: &Survey, entries: &[Entry]) -> Result<Vec<Seat>, Failure> {
    if survey.spec.verify != Verify::Probe || !sequence::moves(entries) {
        return Ok(Vec::new());
    }
    probe::speaks(survey)?;
    let (endpoint, reader) = survey.hosts();
    let hosts = Hosts { proxy: &endpoint, reader: reader.as_deref() };
    Ok(probe::seats(survey, hosts, survey.spec.probe_login))
}

/// The probes of a plan that is saved.
fn proofs(seats: &[Seat]) -> Vec<(String, Terms)> {
    let functions = seats.iter().flat_map(|seat| &seat.functions);
    let terms = Terms::of(functions.map(|name| format!("connect with the role and the network of {name}")));
    if seats.is_empty() { Vec::new() } else { vec![("before step 13".to_owned(), terms)] }
}

/// How functions that the plan moves are pointed back.
fn way_back(global: &Global, survey: &Survey, entries: &[Entry]) -> String {
    if !sequence::moves(entries) {
        return String::new();
    }
    format!("\n{RESTORING}:\n  {}\n", restore(global, survey))
}

/// The command that points functions back, with the flags that were given.
fn restore(global: &Global, survey: &Survey) -> String {
    command(global, "restore", &survey.database.id, &survey.names.stack)
}

/// What the plan says of probes.
fn before_13(seats: &[Seat]) -> String {
    if seats.is_empty() { String::new() } else { format!("\nBefore step 13: {}", report::seats(seats)) }
}

/// Whether a plan can be carried out; what keeps it from that, if not.
pub(super) fn feasible(
    global: &Global,
    survey: &Survey,
    entries: &[Entry],
    findings: &[Finding],
) -> Result<(), Failure> {
    ours_to_change(global, survey)
        .and_then(|()| conflicts(entries))
        .and_then(|()| diagnosis::stop_at(findings))
        .and_then(|()| canary::check(survey))
}

/// A stack that was handed over is changed by others alone.
fn ours_to_change(global: &Global, survey: &Survey) -> Result<(), Failure> {
    let stack = &survey.names.stack;
    let back = command(global, "export", &survey.database.id, stack) + " --take-back";
    Ok(handover::refuse(survey.handed_over(), "changing the stack", stack, &back)?)
}

/// Nothing is begun that is known to end in a conflict.
fn conflicts(entries: &[Entry]) -> Result<(), Failure> {
    let found: Vec<String> = entries
        .iter()
        .filter_map(|entry| match &entry.verdict {
            Verdict::Conflict(reasons) => Some(format!("{}: {}", entry.step, reasons.join("; "))),
            Verdict::Unknown(why) => Some(format!("{}: {why}", entry.step)),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let headline = format!("checking what is there: {}", found.join("; "));
    Err(Failure::new(Exit::Decide, headline, ways_out(entries)))
}

/// What helps against conflicts: a function is not in the way because of the stack's name.
fn ways_out(entries: &[Entry]) -> Vec<String> {
    let conflict = |entry: &&Entry| matches!(entry.verdict, Verdict::Conflict(_));
    let (functions, others): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().filter(conflict).partition(|entry| entry.step == StepId::Repoint);
    let mut ways = Vec::new();
    if !others.is_empty() || functions.is_empty() {
        ways.push(
            "Choose another name with --name, or delete the conflicting resource if nothing needs it.".to_owned(),
        );
    }
    if !functions.is_empty() {
        ways.push(
            "Change the function first (variables and tags have limits), or leave it out: --exclude-function NAME."
                .to_owned(),
        );
    }
    if let Some(first) = ways.first_mut() {
        first.insert_str(0, "Nothing was changed. ");
    }
    ways
}

/// Reads the flags.
pub(super) fn read(args: &Up) -> Result<Spec, SpecError> {
    Ok(Spec {
        prepare: args.prepare,
        canary: canary::settings(&args.canary)?,
        verify: args.verify,
        probe_login: args.probe_login,
        ..chosen(args.db.as_deref(), &args.choices)?
    })
}

/// Reads those of them that say what is wanted.
pub(super) fn chosen(database: Option<&str>, choices: &Choices) -> Result<Spec, SpecError> {
    let database = spec::database(database)?;
    let pool = Pool {
        max_connections_percent: choices.max_connections_percent,
        max_idle_connections_percent: choices.max_idle_connections_percent,
        connection_borrow_timeout: choices.connection_borrow_timeout,
        init_query: choices.init_query.clone(),
        session_pinning_filters: Some(choices.session_pinning_filter.clone()).filter(|filters| !filters.is_empty()),
    };
    spec::pool(&pool)?;
    let (db_users, any_user) = spec::db_users(&choices.db_users, choices.create_secret)?;
    Ok(Spec {
        stack: spec::stack(choices.name.as_deref(), &database)?,
        database,
        functions: choices.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?,
        excluded_functions: choices
            .excluded_functions
            .iter()
            .map(|text| spec::function(text))
            .collect::<Result<_, _>>()?,
        limited_to: Vec::new(),
        all_functions: choices.all_functions,
        variables: spec::variables(&choices.excluded_variables, &choices.included_variables)?,
        reader_endpoint: choices.reader_endpoint,
        publish_pending: choices.publish_pending,
        secrets: choices.secrets.clone(),
        create_secret: choices.create_secret.then(|| CreateSecret {
            users: choices.db_users.clone(),
            kms_key: choices.secret_kms_key.clone(),
            generate: choices.generate_password,
        }),
        permissions_boundary: choices.permissions_boundary.as_deref().map(spec::permissions_boundary).transpose()?,
        role_arn: choices.role_arn.as_deref().map(spec::role).transpose()?,
        connect_policy_arn: choices.connect_policy_arn.as_deref().map(spec::connect_policy).transpose()?,
        adopt: choices.adopt,
        client_auth: choices.client_auth,
        client_password_auth: choices.client_password_auth,
        database_auth: choices.database_auth,
        enable_iam_auth: choices.enable_iam_auth,
        db_users,
        any_user,
        subnets: choices.subnets.iter().map(|text| spec::subnet(text)).collect::<Result<_, _>>()?,
        pool,
        network_type: choices.network_type,
        idle_client_timeout: choices.idle_client_timeout,
        require_tls: match (choices.require_tls, choices.no_require_tls) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        },
        debug_logging: choices.debug_logging.then_some(true),
        log_retention: choices.log_retention.map(spec::log_retention).transpose()?,
        tags: choices.tags.iter().map(|text| spec::tag(text)).collect::<Result<_, _>>()?,
        inspect_secret: choices.inspect_secret,
        read_log: false,
        prepare: false,
        canary: None,
        verify: Verify::Static,
        probe_login: false,
    })
}
