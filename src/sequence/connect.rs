//! Steps 4 to 7: the functions' right to log in at the proxy.

use std::time::Duration;

use super::list::PASSWORD_LOGIN;
use super::moves;
use crate::catalogue::StepId;
use crate::doctor::path::Ahead;
use crate::engine::event::{Ending, Event};
use crate::engine::{Milestone, Run, StepError};
use crate::gate;
use crate::spec::Verify;
use crate::survey::Survey;

/// Lets the functions' roles connect, and looks at what lies between the functions and the proxy.
///
/// # Errors
/// The first step that stopped. What the look finds is an error only once the target is available: until then, much
/// else is under way.
pub(super) async fn allow(run: &Run<'_>, survey: &Survey, id: Option<&str>) -> Result<Ahead, StepError> {
    // Steps 4 and 5 are read and rendered here; 6 and 7 carry them to IAM.
    local_steps(run, survey, id);
    let arn = survey.policy_arn();
    let rights = &survey.seen.rights;
    run.converge(&survey.connect_policies(&arn, id), rights.policies.clone(), Milestone::Ready).await?;
    run.converge(&survey.attach(id), rights.attached.clone(), Milestone::Ready).await?;
    if survey.spec.verify == Verify::None || !(survey.spec.prepare || moves(&survey.entries())) {
        return Ok(Ahead::default());
    }
    gate::look_ahead(run, survey, id).await
}

fn local_steps(run: &Run<'_>, survey: &Survey, id: Option<&str>) {
    let iam = survey.login.iam;
    let ending = if iam { Ending::Ready } else { Ending::NotNeeded };
    let detail = |text: &str| if iam { text.to_owned() } else { PASSWORD_LOGIN.to_owned() };
    for (step, text) in
        [(StepId::ProxyId, id.unwrap_or_default().to_owned()), (StepId::ConnectDocument, survey.connect_document_for())]
    {
        run.tell(&Event::Began { step, detail: detail(&text) });
        run.tell(&Event::Ended { step, ending, detail: detail(&text), elapsed: Duration::ZERO });
    }
}
