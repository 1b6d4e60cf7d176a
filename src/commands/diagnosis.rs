//! The diagnosis within `up`: before the plan, while a wait runs long, and where one ends badly.

use std::cell::Cell;
use std::convert::Infallible;
use std::time::Duration;

use super::doctor::address;
use super::session::Session;
use crate::catalogue::StepId;
use crate::catalogue::checks::{CheckId, Severity};
use crate::cli::Global;
use crate::doctor::{self, Finding};
use crate::engine::{StepError, Timeouts};
use crate::error::{Cause, Failure};
use crate::exit::Exit;
use crate::report::{self, Progress};
use crate::spec::Spec;
use crate::survey::Survey;

/// How often a long wait is looked at.
const LOOK: Duration = Duration::from_secs(15);
/// When an unhealthy target is diagnosed: what IAM only has to spread is over by then.
const AILING: Duration = Duration::from_mins(3);
/// When one that is only slow is: usually it is over by then.
const SLOW: Duration = Duration::from_mins(12);

/// What prevents a plan, or should be known with it.
pub(super) async fn before(global: &Global, session: &Session, survey: &Survey) -> Vec<Finding> {
    let mut findings = Box::pin(doctor::before(&session.cloud, survey)).await;
    address(global, &mut findings, &survey.spec);
    for finding in &findings {
        report::warn(session.json, &sentence(finding));
    }
    findings
}

/// A finding in one line.
fn sentence(finding: &Finding) -> String {
    let info = finding.check.info();
    let more = match finding.evidence.len() {
        0 | 1 => String::new(),
        number => format!(" (and {} more)", number - 1),
    };
    let first = finding.evidence.first().map_or(info.title, String::as_str);
    format!("{}: {first}{more} {}", info.name(), finding.fixes.join("; "))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|first| first.to_lowercase().collect()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// Nothing is begun that is known to fail.
pub(super) fn stop_at(findings: &[Finding]) -> Result<(), Failure> {
    let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let titles: Vec<String> = errors
        .iter()
        .map(|finding| format!("{}, {}", finding.check.info().name(), lower_first(finding.check.info().title)))
        .collect();
    let fixes: Vec<String> = errors.iter().flat_map(|finding| &finding.fixes).cloned().collect();
    let headline = format!("checking what is there: {}", titles.join("; "));
    Err(Failure::new(Exit::Decide, headline, fixes.into_iter().chain(["Nothing was changed.".to_owned()])))
}

/// What is diagnosed, and whether that was reported already.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) global: &'a Global,
    pub(super) session: &'a Session,
    pub(super) spec: &'a Spec,
    pub(super) told: &'a Cell<bool>,
}

/// Whether a wait has run so long that its cause is worth a look.
fn is_long(state: &str, elapsed: Duration) -> bool {
    let normal = state.contains("PENDING_PROXY_CAPACITY") || state.contains("REGISTERING");
    elapsed >= if normal { SLOW } else { AILING }
}

/// Diagnoses a wait for the target once it runs long; never ends by itself.
pub(super) async fn watch(at: &At<'_>, progress: &Progress) -> Infallible {
    loop {
        at.session.clock.sleep(LOOK).await;
        let long = progress.waiting(StepId::TargetHealth).filter(|(state, elapsed)| is_long(state, *elapsed));
        if let Some((_, elapsed)) = long {
            let intro =
                format!("The target has been awaited for {}. What can be seen of why:", report::duration(elapsed));
            tell(at, &intro).await;
            break;
        }
    }
    std::future::pending().await
}

/// What can be seen of why a run stopped, where a target is the matter.
pub(super) async fn after(at: &At<'_>, stop: &StepError) -> Option<Cause> {
    let (StepError::Stuck { doing, .. } | StepError::TimedOut { doing, .. }) = stop else { return None };
    let intro = format!("The run stopped at {doing}. What can be seen of why:");
    tell(at, &intro).await
}

/// Shows a diagnosis, once a run; returns its first finding as a hint.
async fn tell(at: &At<'_>, intro: &str) -> Option<Cause> {
    let At { global, session, spec, told } = *at;
    // Whatever keeps the diagnosis from being made must not hide what it was to explain.
    let Ok(mut diagnosis) = Box::pin(doctor::examine_setup(&session.cloud, spec, Timeouts::default())).await else {
        return None;
    };
    address(global, &mut diagnosis.findings, spec);
    if !told.replace(true) {
        report::aside(session.json, intro, &diagnosis);
    }
    let first = diagnosis.findings.first()?;
    Some(Cause { hint: sentence(first), known: first.check != CheckId::Unexplained })
}
