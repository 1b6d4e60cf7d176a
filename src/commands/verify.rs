//! `verify`: whether the functions get through the proxy to the database.

use documents::Version;

use super::doctor::address;
use super::session::{Session, command, consent, timeouts};
use crate::catalogue::{CERTIFICATE, PROVES};
use crate::cli::{Global, Prove};
use crate::doctor::path::{self, Aspect, Standing};
use crate::doctor::{self, Finding};
use crate::entrance::Entrance;
use crate::error::Failure;
use crate::exit::Exit;
use crate::probe::{self, Hosts, How, Probing, Proof, Seat};
use crate::report;
use crate::spec::{self, DatabaseRef, Spec};
use crate::survey::Survey;

const EXPLAIN: &str = "Each of these functions lives for about a minute. It runs one Python file, in the very subnets, groups and role of \
                       the functions named: DNS, TCP, TLS, login, SELECT 1. It is removed also after a failure or an interruption; what a kill \
                       leaves behind, the next verify --probe or teardown removes.";

/// What was found out without connecting.
#[derive(Debug, Default)]
struct Static {
    /// What there is, one line each.
    lines: Vec<String>,
    /// The way from the functions to the database, in parts.
    aspects: Vec<Aspect>,
    /// What is wrong with it.
    findings: Vec<Finding>,
}

impl Static {
    /// Whether there is a conflict.
    fn fails(&self) -> bool {
        self.aspects.iter().any(|aspect| aspect.standing == Standing::Broken)
    }
}

/// The static part: what AWS reports about the path from the functions through the proxy to the database.
async fn static_part(global: &Global, session: &Session, survey: &Survey, entrance: &Entrance) -> Static {
    let names: Vec<&str> = survey.functions.iter().map(|found| found.function.name.as_str()).collect();
    let functions = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let login = if entrance.takes_tokens() { "IAM tokens" } else { "passwords" };
    let mut lines = vec![
        format!("{} at {}:{}, {}", entrance.proxy.name, entrance.host, entrance.port, entrance.proxy.status),
        format!("clients log in with {login}"),
        format!("functions: {functions}"),
    ];
    if survey.handed_over() {
        lines.push(format!("{stack} was handed over to infrastructure as code", stack = survey.names.stack));
    }
    let diagnosis = Box::pin(doctor::of(&session.cloud, survey)).await;
    let aspects = path::aspects(&diagnosis);
    let mut findings = diagnosis.findings;
    findings.retain(|finding| path::is_part(finding.check));
    address(global, &mut findings, &survey.spec);
    Static { lines, aspects, findings }
}

/// Runs it.
pub(super) async fn run(global: &Global, args: &Prove) -> Result<Exit, Failure> {
    let database = DatabaseRef::parse(&args.db)?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let functions = args.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    let (entrance, survey, found) = session
        .reading(async {
            let entrance = Entrance::find(&session.cloud, &database, &stack, false).await?;
            let spec = Spec { functions, probe_login: args.probe_login, ..Spec::of(database.clone(), stack.clone()) };
            let survey = entrance.survey(&session.cloud, spec).await?;
            let found = static_part(global, &session, &survey, &entrance).await;
            Ok::<_, Failure>((entrance, survey, found))
        })
        .await?;
    if !args.probe {
        show(global, &session, &survey, &found, None);
        return Ok(exit(&found, &[]));
    }
    let reader = survey.reader_host();
    let hosts = Hosts { proxy: &entrance.host, reader: reader.as_deref() };
    let code = probe::package();
    let seats = probe::seats(&survey, hosts, args.probe_login);
    possible(&survey, &seats)?;
    let plan = format!("{}\n", report::seats(&seats));
    if !consent(global, &plan, EXPLAIN, "Add --yes to have the probes made, or leave --probe out.").await? {
        return Ok(Exit::Decide);
    }
    let progress = session.progress(&[]);
    let run = session.run(timeouts, &progress);
    let wanted = Probing { owner: &survey.owner, seats: &seats, code: &code, settle: None };
    let proofs = Box::pin(probe::prove(&run, &wanted)).await;
    drop(progress);
    let proofs = proofs.map_err(|stop| {
        let again = format!("{} --probe", command(global, "verify", &survey.database.id, &survey.names.stack));
        Failure::from(stop).after("Nothing of the database, the proxy or the functions was changed.", again, None)
    })?;
    show(global, &session, &survey, &found, Some(&proofs));
    Ok(exit(&found, &proofs))
}

/// What a probe cannot do is reported before anything is created.
fn possible(survey: &Survey, seats: &[Seat]) -> Result<(), Failure> {
    probe::speaks(survey)?;
    let doing = format!("proving the connection ({})", survey.names.stack);
    if seats.is_empty() {
        return Err(Failure::new(
            Exit::Decide,
            format!("{doing}: no function uses the database or the proxy, so there is nothing to connect from"),
            ["Name one: --function NAME."],
        ));
    }
    Ok(())
}

fn exit(found: &Static, proofs: &[Proof]) -> Exit {
    if found.fails() || proofs.iter().any(|proof| !proof.ok) { Exit::Unverified } else { Exit::Done }
}

fn show(global: &Global, session: &Session, survey: &Survey, found: &Static, proofs: Option<&[Proof]>) {
    let all = proofs.unwrap_or_default();
    let document = || documents::Verify {
        schema: Version,
        proxy: survey.names.stack.clone(),
        database: survey.database.id.clone(),
        verified: exit(found, all) == Exit::Done,
        parts: report::path(&found.aspects),
        findings: report::findings(&found.findings),
        probed: proofs.is_some(),
        probes: report::probes(all),
        proves: PROVES.to_owned(),
        certificate: CERTIFICATE.to_owned(),
    };
    if report::outcome(session.json, document) {
        return;
    }
    report::result(&format!("{}\n\n{}", found.lines.join("\n"), report::aspects(&found.aspects)));
    for finding in &found.findings {
        report::result(&format!("\n{}", report::finding(finding)));
    }
    for proof in all {
        report::result(&format!("\n{}", report::proof(proof)));
    }
    report::result(&format!("\n{PROVES}\nWithin TLS, {CERTIFICATE}."));
    let failed = all.iter().filter(|proof| !proof.ok).count();
    match (proofs, failed) {
        (None, _) => {
            let probe = format!("{} --probe", command(global, "verify", &survey.database.id, &survey.names.stack));
            report::result(&format!(
                "\n{}",
                report::next(&[(probe, "connect with the functions' roles and networks")])
            ));
        }
        (Some(_), 0) if all.iter().any(|proof| proof.login == How::Greeting) => {
            report::result("\nEvery connection works, as far as it was tried.");
        }
        (Some(_), 0) => report::result("\nEvery connection works."),
        (Some(_), failed) => report::result(&format!("\n{failed} of {} connections fail.", all.len())),
    }
}
