//! Step 13: the functions are pointed at the proxy.

use std::time::Duration;

use super::Outcome;
use super::list::PREPARED;
use super::serving::Serving;
use crate::canary::{self, Cutover, Decider, memory::Memory};
use crate::cloud::Refusal;
use crate::discover::FunctionUse;
use crate::discover::hosts::HostKind;
use crate::doctor::path::Ahead;
use crate::engine::event::{Ending, Event};
use crate::engine::{Diff, Milestone, Observed, Run, Step as _, StepError};
use crate::gate;
use crate::probe::{self, Hosts, Proof};
use crate::resources::repoint::Repoint;
use crate::survey::Survey;

/// Points the functions at the proxy, in waves where there is a canary, once nothing that was seen `ahead` speaks
/// against it.
///
/// # Errors
/// When something does, a probe fails, or the step stops.
pub(super) async fn point_functions(
    run: &Run<'_>,
    survey: &Survey,
    decider: &dyn Decider,
    serving: &Serving,
    ahead: &Ahead,
) -> Result<Outcome, StepError> {
    let endpoint = serving.proxy.present().and_then(|found| found.proxy.endpoint.clone());
    let endpoint = certain(endpoint, "rds:DescribeDBProxies", "the proxy's endpoint")?;
    let reader = match serving.reader.present() {
        Some(found) => {
            let host = found.endpoint.host.clone();
            Some(certain(host, "rds:DescribeDBProxyEndpoints", "the read-only endpoint's host name")?)
        }
        None => None,
    };
    let known = survey.known(Some(&endpoint), reader.as_deref());
    let repoint = survey.repoint(&known, &endpoint, reader.as_deref());
    let functions: Vec<FunctionUse> =
        survey.functions.iter().map(|found| repoint.read(found.function.clone(), found)).collect();
    let functions = Observed::Present(functions);
    let moves = matches!(repoint.compare(&functions), Diff::Create | Diff::Update(_)) || !survey.frozen.is_empty();
    let hosts = Hosts { proxy: &endpoint, reader: reader.as_deref() };
    if moves {
        gate::unblocked(run, survey, ahead)?;
    }
    let proofs = probe::before_repoint(run, survey, hosts, moves).await?;
    if survey.spec.prepare {
        return Ok(prepared(run, &repoint, &functions, endpoint, proofs));
    }
    let memory = serving.proxy.present().map(|found| Memory::of(&found.proxy.arn, &found.tags));
    if let (Some(canary), Some(memory)) = (&survey.spec.canary, &memory) {
        let functions = functions.present().cloned().unwrap_or_default();
        let cut = Cutover { survey, canary, repoint: &repoint, functions, memory: memory.clone() };
        let walk = Box::pin(canary::carry_out(run, cut, decider)).await?;
        return Ok(Outcome { endpoint, functions: walk.moved.clone(), proofs, canary: Some(walk) });
    }
    let repointed = run.converge(&repoint, functions, Milestone::Ready).await?;
    if !survey.frozen.is_empty() {
        let release = survey.release();
        run.converge(&release, Observed::Present(release.start()), Milestone::Ready).await?;
    }
    // All have moved, without the waves of a canary that had begun.
    if let Some(memory) = memory.filter(|memory| memory.canary().is_some()) {
        memory.clear(run).await?;
    }
    Ok(Outcome { endpoint, functions: at_the_proxy(&repointed), proofs, canary: None })
}

/// The functions that point at the proxy.
fn at_the_proxy(functions: &Observed<Vec<FunctionUse>>) -> Vec<String> {
    let uses = |found: &&FunctionUse| !found.holding(HostKind::is_ours).is_empty();
    let functions = functions.present().into_iter().flatten().filter(uses);
    functions.map(|found| found.function.name.clone()).collect()
}

/// Ends before step 13, which stays as it is.
fn prepared(
    run: &Run<'_>,
    repoint: &Repoint<'_>,
    seen: &Observed<Vec<FunctionUse>>,
    endpoint: String,
    proofs: Vec<Proof>,
) -> Outcome {
    let detail = PREPARED.to_owned();
    run.tell(&Event::Began { step: repoint.id(), detail: detail.clone() });
    let ending = Ending::NotNeeded;
    run.tell(&Event::Ended { step: repoint.id(), ending, detail, elapsed: Duration::ZERO });
    Outcome { endpoint, functions: at_the_proxy(seen), proofs, canary: None }
}

/// A host that functions are to use: no run continues without one, for it would write what is not there.
fn certain(host: Option<String>, operation: &'static str, what: &'static str) -> Result<String, StepError> {
    let missing = || StepError::Refused {
        doing: "repointing the functions".to_owned(),
        refusal: Refusal::incomplete(operation, what),
    };
    host.ok_or_else(missing)
}
