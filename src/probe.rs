//! Proving a connection with a function's own role and network: a temporary function in the same subnets, with the same
//! security groups and role, connects to the proxy, says how far it came, and is removed.

pub mod answer;
pub mod faults;
mod package;
mod run;
mod seat;

use std::time::Duration;

pub use answer::{Proof, Stage};
pub use package::package;
pub use run::{Probing, prove};
pub use seat::{Attempt, Hosts, How, Seat, seats};

use crate::cloud::lambda::Function;
use crate::cloud::rds::EngineFamily;
use crate::cloud::{Answer, Cloud, Owner, tags};
use crate::discover::Problem;
use crate::engine::event::Event;
use crate::engine::{Run, StepError};
use crate::names::is_probe_of;
use crate::spec::Verify;
use crate::survey::Survey;

/// Reads what earlier probes of a stack left behind: those whose names say so and whose tags are ours.
///
/// # Errors
/// When AWS refuses.
pub async fn left_over(cloud: &Cloud, owner: &Owner, listed: &[Function]) -> Answer<Vec<String>> {
    let mut ours = Vec::new();
    for function in listed.iter().filter(|function| is_probe_of(&owner.stack, &function.name)) {
        let found = cloud.lambda.get(&function.name).await?;
        if found.is_some_and(|found| is_ours(owner, &found)) {
            ours.push(function.name.clone());
        }
    }
    Ok(ours)
}

/// Whether a function is a probe of this stack; one whose tags are not shown is not taken for ours.
fn is_ours(owner: &Owner, found: &Function) -> bool {
    found.tags.as_ref().is_some_and(|tags| owner.owns(tags) && tags.contains_key(tags::PROBE))
}

/// What failed, as a run's end: reasons, and cause and fix of each.
#[must_use]
pub fn unproven(stack: &str, proofs: &[Proof]) -> Option<StepError> {
    let failed: Vec<&Proof> = proofs.iter().filter(|proof| !proof.ok).collect();
    if failed.is_empty() {
        return None;
    }
    let reasons = failed.iter().map(|proof| format!("from {}: {}", proof.functions.join(", "), proof.line())).collect();
    let mut hints: Vec<String> = Vec::new();
    for fault in failed.iter().filter_map(|proof| proof.failure()?.1) {
        for hint in [format!("Likely: {}.", fault.cause), format!("To fix it: {}.", fault.fix)] {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
    }
    Some(StepError::Unproven { doing: format!("proving the connection through the proxy ({stack})"), reasons, hints })
}

/// Whether the probe speaks what the proxy speaks.
///
/// # Errors
/// When it does not.
pub fn speaks(survey: &Survey) -> Result<(), Problem> {
    if survey.database.family != EngineFamily::SqlServer {
        return Ok(());
    }
    Err(Problem::unfit(
        format!(
            "proving the connection ({}): the probe speaks MySQL's and PostgreSQL's protocols, and not SQL Server's",
            survey.names.stack
        ),
        ["Leave the probe out."],
    ))
}

/// Proves the connection before functions are pointed at the proxy, where that was asked for and `moves` says that some
/// will be. What was created just now may take a while to count.
///
/// # Errors
/// [`StepError::Unproven`] where it does not work, or when AWS refuses, a wait times out, or the run is stopped.
pub(crate) async fn before_repoint(
    run: &Run<'_>,
    survey: &Survey,
    hosts: Hosts<'_>,
    moves: bool,
) -> Result<Vec<Proof>, StepError> {
    if survey.spec.verify != Verify::Probe {
        return Ok(Vec::new());
    }
    if !moves {
        let why =
            if survey.functions.is_empty() { "no function uses the database" } else { "no function is to be moved" };
        run.note(None, format!("No probe was created: {why}. verify --probe proves the connection at any time."));
        return Ok(Vec::new());
    }
    let code = package();
    let seats = seats(survey, hosts, survey.spec.probe_login);
    let wanted = Probing { owner: &survey.owner, seats: &seats, code: &code, settle: Some(run.timeouts.propagation) };
    let proofs = Box::pin(prove(run, &wanted)).await?;
    match unproven(&survey.names.stack, &proofs) {
        Some(stop) => Err(stop),
        None => Ok(proofs),
    }
}

fn tell(run: &Run<'_>, seat: &str, state: impl Into<String>, wait: Option<(Duration, Duration)>) {
    run.tell(&Event::Aside { subject: seat.to_owned(), state: state.into(), wait });
}
