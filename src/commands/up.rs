//! `up`: look, show the plan, ask, carry it out.

use serde_json::{Value, json};

use super::session::{Session, consent, patience};
use crate::catalogue::STEPS;
use crate::cli::{Global, Up};
use crate::cloud::rds::Pool;
use crate::engine::Run;
use crate::engine::ledger::{Entry, Verdict};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{self, Topology};
use crate::sequence::{self, Survey};
use crate::spec::{self, DatabaseRef, Spec, SpecError};

/// Runs it.
pub(super) async fn run(global: &Global, args: &Up) -> Result<Exit, Failure> {
    let spec = read(args)?;
    let patience = patience(&args.waits)?;
    let session = Session::open(global).await?;
    let survey = Box::pin(sequence::survey(&session.cloud, &spec, patience)).await?;
    let entries = survey.entries();
    let pending = entries.iter().any(|entry| entry.verdict.changes());
    let waiting = entries.iter().any(|entry| matches!(entry.verdict, Verdict::Await(_)));
    for warning in &survey.database.warnings {
        report::say(&format!("warning: {warning}"));
    }
    if args.dry_run {
        show_plan(&session, &survey, &entries);
        return Ok(if args.detailed_exitcode && pending { Exit::Pending } else { Exit::Done });
    }
    conflicts(&entries)?;
    if pending {
        if !session.json && !global.quiet {
            report::say(&headline(&survey));
            report::say(&report::plan(&entries));
        }
        if !consent(global, &explain())? {
            report::say("Nothing was changed.");
            return Ok(Exit::Decide);
        }
    }
    let run =
        Run { cloud: &session.cloud, clock: &session.clock, patience, listener: &session.lines, stop: &session.stop };
    let outcome = Box::pin(sequence::converge(&run, &survey)).await?;
    let family = survey.database.family;
    let login = if survey.login.iam { "IAM tokens" } else { "password" };
    if session.json {
        report::document(&json!({
            "schema": 1, "changed": pending, "proxy": survey.names.stack, "endpoint": outcome.endpoint,
            "port": family.proxy_port(), "database": survey.database.id, "client_auth": login,
            "functions": outcome.functions, "steps": steps(&entries),
        }));
        return Ok(Exit::Done);
    }
    let tls = if survey.requires_tls() { "TLS required" } else { "TLS accepted" };
    report::result(&format!("The proxy is in place at {}:{}", outcome.endpoint, family.proxy_port()));
    report::result(&report::topology(&Topology {
        functions: outcome.functions,
        proxy: format!("{}:{}", outcome.endpoint, family.proxy_port()),
        database: format!("{}:{}", survey.database.host(), survey.database.port),
        login: format!("{login}, {tls}"),
    }));
    if !pending && !waiting {
        report::result("Nothing was to do.");
    }
    let db = &survey.database.id;
    report::result(&format!(
        "Next: rdsproxy-setup status --db {db}    to take it away again: rdsproxy-setup teardown --db {db}"
    ));
    Ok(Exit::Done)
}

fn headline(survey: &Survey) -> String {
    let functions = survey.functions.len();
    format!(
        "{} ({}) in {}, account {}; used by {functions} function{}.\n",
        survey.database.id,
        survey.database.label,
        survey.region,
        survey.identity.account,
        if functions == 1 { "" } else { "s" }
    )
}

fn explain() -> String {
    let lines: Vec<String> =
        STEPS.iter().map(|step| format!("{:>2}  {}: {}", step.number, step.title, step.why)).collect();
    lines.join("\n")
}

fn show_plan(session: &Session, survey: &Survey, entries: &[Entry]) {
    if session.json {
        report::document(&json!({"schema": 1, "proxy": survey.names.stack, "steps": steps(entries)}));
        return;
    }
    report::result(&headline(survey));
    report::result(&report::plan(entries));
}

/// The entries as JSON.
pub(super) fn steps(entries: &[Entry]) -> Vec<Value> {
    entries
        .iter()
        .map(|entry| {
            let (state, more) = match &entry.verdict {
                Verdict::InPlace => ("in_place", Vec::new()),
                Verdict::Create => ("create", Vec::new()),
                Verdict::Update(fields) => ("update", fields.clone()),
                Verdict::Remove => ("remove", Vec::new()),
                Verdict::Await(state) => ("waiting", vec![state.clone()]),
                Verdict::Conflict(reasons) => ("conflict", reasons.clone()),
                Verdict::NotNeeded(why) => ("not_needed", vec![why.clone()]),
                Verdict::Unknown(why) => ("not_checked", vec![why.clone()]),
            };
            let info = entry.step.info();
            json!({"step": info.number, "slug": info.slug, "title": info.title, "state": state, "because": more,
                   "subject": entry.subject, "details": entry.details})
        })
        .collect()
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
    Err(Failure::new(
        Exit::Decide,
        format!("checking what is there: {}", found.join("; ")),
        ["Nothing was changed. Choose another name with --name, or remove what stands in the way if nothing needs it."],
    ))
}

fn read(args: &Up) -> Result<Spec, SpecError> {
    let database = DatabaseRef::parse(&args.db)?;
    let pool = Pool {
        max_connections_percent: args.max_connections_percent,
        max_idle_connections_percent: args.max_idle_connections_percent,
        connection_borrow_timeout: args.connection_borrow_timeout,
        init_query: args.init_query.clone(),
        session_pinning_filters: Some(args.session_pinning_filter.clone()).filter(|filters| !filters.is_empty()),
    };
    spec::pool(&pool)?;
    Ok(Spec {
        stack: spec::stack(args.name.as_deref(), &database)?,
        database,
        functions: args.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?,
        secrets: args.secrets.clone(),
        client_auth: args.client_auth,
        db_users: args.db_users.iter().map(|text| spec::db_user(text)).collect::<Result<_, _>>()?,
        subnets: args.subnets.iter().map(|text| spec::subnet(text)).collect::<Result<_, _>>()?,
        pool,
        idle_client_timeout: args.idle_client_timeout,
        require_tls: match (args.require_tls, args.no_require_tls) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        },
        debug_logging: args.debug_logging.then_some(true),
        tags: args.tags.iter().map(|text| spec::tag(text)).collect::<Result<_, _>>()?,
        inspect_secret: args.inspect_secret,
    })
}
