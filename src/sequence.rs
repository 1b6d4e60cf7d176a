//! The documented procedure, top to bottom: the file to open first.
//!
//! [`Survey::read`] reads the account once and changes nothing; [`Survey::entries`] is the plan and the
//! status; [`converge`] carries out what is missing, in the order of the data, and overlaps what does not
//! depend on each other. Each step takes the results of earlier ones as fields.

mod connect;
mod cutover;
mod groundwork;
mod list;
mod rights;
mod serving;
mod terms;
mod wanted;

use crate::canary::{Decider, Nobody, Walk};
use crate::catalogue::StepId;
use crate::engine::{Milestone, Observed, Run, StepError, all2};
use crate::handover;
use crate::plan::Entry;
use crate::probe::Proof;
use crate::survey::Survey;

/// What a run ends with.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The proxy's endpoint.
    pub endpoint: String,
    /// The functions that point at it.
    pub functions: Vec<String>,
    /// What was proven before they were pointed there.
    pub proofs: Vec<Proof>,
    /// What became of the waves, where it went in waves.
    pub canary: Option<Walk>,
}

/// Whether step 13 would point a function elsewhere.
#[must_use]
pub fn moves(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.step == StepId::Repoint && entry.verdict.changes())
}

/// Carries out what is missing; where a canary's answer is open and nobody can be asked, it stops.
///
/// # Errors
/// As [`converge_asking`].
pub async fn converge(run: &Run<'_>, survey: &Survey) -> Result<Outcome, StepError> {
    converge_asking(run, survey, &Nobody).await
}

/// Carries out what is missing.
///
/// # Errors
/// The first step that stopped, by number; the others rest where they are.
pub async fn converge_asking(run: &Run<'_>, survey: &Survey, decider: &dyn Decider) -> Result<Outcome, StepError> {
    handover::hold(survey.handed_over(), "changing the stack", &survey.names.stack)?;

    // Steps 1 and 8: the role and its right to the secrets, before the proxy needs them. Step 2: the group, meanwhile.
    let ground = groundwork::lay(run, survey).await?;
    let (role, group) = (survey.role_arn(&ground.role), ground.group_id());
    let groups = Observed::Present(ground.groups(&survey.seen.groups));

    // Step 3: accepted is enough to continue; it becomes available below.
    let proxy = survey.proxy(role, group, &ground.secrets);
    let created = run.converge(&proxy, survey.seen.proxy.clone(), Milestone::Usable).await?;
    let id = created.present().and_then(|found| found.proxy.id());

    // Steps 10 and 11: the target is registered, and waited for until it is available. Meanwhile, steps 4 to 7: the
    // functions' right to log in; step 9: the database admits the proxy; step 12: the proxy admits the functions.
    let (database_ingress, proxy_ingress) = (survey.database_ingress(group), survey.proxy_ingress(group));
    let (serving, connected, proxy_admitted, functions_admitted) = tokio::join!(
        serving::serve(run, survey, &proxy, &created),
        connect::allow(run, survey, id),
        run.converge(&database_ingress, groups.clone(), Milestone::Ready),
        run.converge(&proxy_ingress, groups.clone(), Milestone::Ready),
    );
    let (serving, (ahead, _)) = all2(serving, all2(connected, all2(proxy_admitted, functions_admitted)))?;

    // Step 13: last, and only now that the target is available.
    cutover::point_functions(run, survey, decider, &serving, &ahead).await
}
