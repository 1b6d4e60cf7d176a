//! `doctor`: what is wrong, why, and what helps.

use documents::{CheckNote, Symptom, Version};

use super::session::{Session, command};
use crate::catalogue::checks::CheckId;
use crate::cli::{Doctor, Global};
use crate::doctor::{self, Diagnosis, Finding};
use crate::engine::Timeouts;
use crate::error::Failure;
use crate::exit::Exit;
use crate::handover;
use crate::report;
use crate::spec::{self, DatabaseRef, Spec};

/// Runs it.
pub(super) async fn run(global: &Global, args: &Doctor) -> Result<Exit, Failure> {
    let database = DatabaseRef::parse(&args.db)?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let functions = args.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?;
    let spec = Spec {
        functions,
        secrets: args.secrets.clone(),
        inspect_secret: args.inspect_secret,
        read_log: args.logs,
        ..Spec::of(database, stack)
    };
    let session = Session::open(global).await?;
    let mut diagnosis = session.reading(doctor::examine(&session.cloud, &spec, Timeouts::default())).await?;
    address(global, &mut diagnosis.findings, &spec);
    if !report::outcome(session.json, || document(&diagnosis)) {
        if diagnosis.handed_over {
            report::result(&format!("{}\n", report::sentence(handover::NOTICE)));
        }
        report::result(&report::diagnosis(&diagnosis));
    }
    Ok(exit(&diagnosis))
}

fn exit(diagnosis: &Diagnosis) -> Exit {
    if diagnosis.stops() {
        Exit::Decide
    } else if diagnosis.is_clean() {
        Exit::Done
    } else {
        Exit::Drift
    }
}

/// Gives our own commands the names and the flags of this run.
pub(super) fn address(global: &Global, findings: &mut [Finding], spec: &Spec) {
    for fix in findings.iter_mut().flat_map(|finding| &mut finding.fixes) {
        for verb in ["up", "teardown", "advise", "alarms"] {
            let whole = command(global, verb, &spec.database.id, &spec.stack);
            *fix = fix.replace(&format!("rdsproxy-setup {verb} --db ID"), &whole);
        }
    }
}

fn document(diagnosis: &Diagnosis) -> documents::Doctor {
    let notes = |list: &[(CheckId, String)]| -> Vec<CheckNote> {
        list.iter().map(|(check, why)| CheckNote { id: check.info().name(), why: why.clone() }).collect()
    };
    let symptom = |symptom: &doctor::Symptom| Symptom {
        target: symptom.target.clone(),
        state: symptom.state.clone(),
        reason: symptom.reason.clone(),
        description: symptom.description.clone(),
    };
    documents::Doctor {
        schema: Version,
        database: diagnosis.database.clone(),
        proxy: diagnosis.stack.clone(),
        handed_over: diagnosis.handed_over,
        symptoms: diagnosis.symptoms.iter().map(symptom).collect(),
        findings: report::findings(&diagnosis.findings),
        ruled_out: notes(&diagnosis.ruled_out),
        not_checked: notes(&diagnosis.unchecked),
        fine: diagnosis.fine as u64,
        exit_code: exit(diagnosis).code(),
    }
}
