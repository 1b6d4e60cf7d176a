//! Steps 1, 2 and 8: what the proxy is created with.

use crate::cloud::ec2::Group;
use crate::cloud::iam::Role;
use crate::engine::{Milestone, Observed, Run, StepError, all2};
use crate::survey::Survey;

/// What there is before the proxy.
pub(super) struct Groundwork {
    /// The role.
    pub(super) role: Observed<Role>,
    /// The ARNs of the secrets that the role may read.
    pub(super) secrets: Vec<String>,
    /// The proxy's own group.
    group: Observed<Group>,
}

impl Groundwork {
    /// The proxy's own group, where it has one.
    pub(super) fn group_id(&self) -> Option<&str> {
        self.group.present().map(|group| group.id.as_str())
    }

    /// The groups that were seen, and the proxy's own.
    pub(super) fn groups(&self, seen: &[Group]) -> Vec<Group> {
        let own = self.group.present().filter(|group| !seen.iter().any(|have| have.id == group.id));
        seen.iter().chain(own).cloned().collect()
    }
}

/// Creates role, group, and the group of the proxy's log where its events are to be kept for a time.
///
/// # Errors
/// The first step that stopped.
pub(super) async fn lay(run: &Run<'_>, survey: &Survey) -> Result<Groundwork, StepError> {
    let seen = &survey.seen;
    let role = async {
        let role = run.converge(&survey.proxy_role(), seen.role.clone(), Milestone::Ready).await?;
        let access = run.converge(&survey.secret_access(), seen.access.clone(), Milestone::Ready).await?;
        let secrets = access.present().map(|access| access.secrets.as_slice()).unwrap_or_default();
        let secrets: Vec<String> = secrets.iter().map(|secret| secret.arn.clone()).collect();
        Ok::<_, StepError>((role, secrets))
    };
    let (group_step, group_seen) = (survey.proxy_group(), survey.group());
    let group = run.converge(&group_step, group_seen, Milestone::Ready);
    // Before the proxy: what RDS makes by itself does not carry our tags.
    let logging = survey.log_group();
    let log = async {
        if logging.days.is_none() {
            return Ok(Observed::Absent);
        }
        run.converge(&logging, seen.log_group.clone(), Milestone::Ready).await
    };
    let (role, group, log) = tokio::join!(role, group, log);
    let ((role, secrets), (group, _)) = all2(role, all2(group, log))?;
    Ok(Groundwork { role, secrets, group })
}
