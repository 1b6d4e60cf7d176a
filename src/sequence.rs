//! The documented procedure, top to bottom: the file to open first.
//!
//! [`Survey::read`] reads the account once and changes nothing; [`Survey::entries`] is the plan and the
//! status; [`converge`] carries out what is missing, in the order of the data, and overlaps what does not
//! depend on each other. Each step takes the results of earlier ones as fields.

mod rights;
mod terms;
mod wanted;

use crate::canary::{self, Cutover, Decider, Nobody, Walk};
use crate::catalogue::StepId;
use crate::cloud::Refusal;
use crate::discover::FunctionUse;
use crate::discover::hosts::HostKind;
use crate::doctor::path::Ahead;
use crate::engine::event::{Ending, Event};
use crate::engine::{Diff, Milestone, Observed, Run, Step, StepError, all2};
use crate::gate;
use crate::handover;
use crate::plan::{Entry, PlannedStep as _, Verdict};
use crate::probe::{self, Hosts, Proof};
use crate::resources::NO_FUNCTION;
use crate::resources::repoint::Repoint;
use crate::spec::Verify;
use crate::survey::Survey;

const PASSWORD_LOGIN: &str = "the functions log in with a password";

const PREPARED: &str = "--prepare leaves the functions as they are";

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

impl Survey {
    /// All thirteen steps as they stand: the plan, and the status.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let seen = &self.seen;
        let group = self.group();
        let group_id = group.present().map(|group| group.id.as_str());
        let role = self.role_arn(&seen.role);
        let arn = self.policy_arn();
        let id = self.proxy_id();
        let (endpoint, reader) = self.hosts();
        let known = self.known(Some(&endpoint), reader.as_deref());
        let groups = Observed::Present(seen.groups.clone());
        let health = Observed::Present(seen.registered.present().map(|found| found.rows.clone()).unwrap_or_default());
        let mut health = self.health().entry(&health);
        if seen.registered.present().is_none_or(|found| found.rows.is_empty()) {
            health.verdict = Verdict::Await("not registered yet".to_owned());
        }
        let local = |step, subject: String| {
            let verdict = match (self.login.iam, id) {
                (false, _) => Verdict::NotNeeded(PASSWORD_LOGIN.to_owned()),
                (true, None) => Verdict::Await("known once the proxy exists".to_owned()),
                (true, Some(_)) => Verdict::InPlace,
            };
            Entry { step, verdict, subject, details: Vec::new(), redirects: Vec::new() }
        };
        let seen_functions = Observed::Present(self.functions.clone());
        let mut repointing = self.repoint(&known, &endpoint, reader.as_deref()).entry(&seen_functions);
        repointing.verdict = match (repointing.verdict, self.release().intentions()) {
            (verdict, aliases) if aliases.is_empty() => verdict,
            (Verdict::Update(fields), aliases) => Verdict::Update(fields.into_iter().chain(aliases).collect()),
            (Verdict::InPlace | Verdict::Await(_) | Verdict::NotNeeded(_), aliases) => Verdict::Update(aliases),
            (verdict, _) => verdict,
        };
        if self.spec.prepare && repointing.verdict.changes() {
            repointing = Entry {
                verdict: Verdict::NotNeeded(PREPARED.to_owned()),
                details: Vec::new(),
                redirects: Vec::new(),
                ..repointing
            };
        }
        vec![
            self.proxy_role().entry(&seen.role),
            self.proxy_group().entry(&group),
            self.with_parts(self.proxy(role, group_id, &self.secrets.arns()).entry(&seen.proxy)),
            local(StepId::ConnectDocument, format!("rds-db:connect as {}", self.users())),
            local(StepId::ProxyId, id.unwrap_or("prx-…").to_owned()),
            self.connect_policies(&arn, id).entry(&seen.rights.policies),
            self.attach(id).entry(&seen.rights.attached),
            self.secret_access().entry(&seen.access),
            self.database_ingress(group_id).entry(&groups),
            self.target().entry(&seen.registered),
            health,
            self.proxy_ingress(group_id).entry(&groups),
            repointing,
        ]
    }
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
#[expect(clippy::too_many_lines, reason = "the thirteen steps on one page, which is what this file is for")]
pub async fn converge_asking(run: &Run<'_>, survey: &Survey, decider: &dyn Decider) -> Result<Outcome, StepError> {
    handover::hold(survey.handed_over(), "changing the stack", &survey.names.stack)?;
    let seen = &survey.seen;

    // Steps 1 and 8: role and right, before the proxy needs them. Step 2: the group, meanwhile.
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
    let role = survey.role_arn(&role);
    let group_id = group.present().map(|group| group.id.as_str());

    // Step 3: accepted is enough to continue; it becomes available below.
    let proxy_step = survey.proxy(role, group_id, &secrets);
    let created = run.converge(&proxy_step, seen.proxy.clone(), Milestone::Usable).await?;
    let id = created.present().and_then(|found| found.proxy.id()).map(str::to_owned);

    let arn = survey.policy_arn();
    let mut groups = seen.groups.clone();
    if let Some(group) = group.present().filter(|group| !groups.iter().any(|have| have.id == group.id)) {
        groups.push(group.clone());
    }
    let groups = Observed::Present(groups);

    let ready = async {
        // Reported once: where nothing is left to wait for, the step has ended above.
        if proxy_step.compare(&created) == Diff::None {
            return Ok(created.clone());
        }
        let so_far = if seen.proxy.is_absent() { Ending::Created } else { Ending::Unchanged };
        run.finish(&proxy_step, created.clone(), so_far).await
    };
    let register_step = survey.target();
    let ready = async {
        let ready = ready.await?;
        // From now on, what a refused registration says is final.
        register_step.proxy_available.store(true, std::sync::atomic::Ordering::SeqCst);
        Ok(ready)
    };
    let connect = async {
        // Steps 4 and 5 are read and rendered here; 6 and 7 carry them to IAM.
        local_steps(run, survey, id.as_deref());
        let policies = survey.connect_policies(&arn, id.as_deref());
        run.converge(&policies, seen.rights.policies.clone(), Milestone::Ready).await?;
        run.converge(&survey.attach(id.as_deref()), seen.rights.attached.clone(), Milestone::Ready).await?;
        // Reported only once the target is available: until then, much else is under way.
        if survey.spec.verify == Verify::None || !(survey.spec.prepare || moves(&survey.entries())) {
            return Ok(Ahead::default());
        }
        gate::look_ahead(run, survey, id.as_deref()).await
    };
    let (database_ingress, proxy_ingress) = (survey.database_ingress(group_id), survey.proxy_ingress(group_id));
    let admit_proxy = run.converge(&database_ingress, groups.clone(), Milestone::Ready);
    let admit_functions = run.converge(&proxy_ingress, groups.clone(), Milestone::Ready);
    let register = run.converge(&register_step, seen.registered.clone(), Milestone::Ready);
    let serving = async {
        // The target cannot be available before its proxy is, so its timeout begins with the proxy's end.
        let (ready, registered) = tokio::join!(ready, register);
        let (ready, registered) = all2(ready, registered)?;
        let rows = registered.present().map(|found| found.rows.clone()).unwrap_or_default();
        let fresh = created == ready;
        let health = async {
            let rows = Observed::Present(rows);
            if fresh {
                return run.converge(&survey.health(), rows, Milestone::Ready).await;
            }
            // What the registration said of the target's health is minutes old by now.
            run.look_and_converge(&survey.health(), rows).await
        };
        let reader = async {
            if !survey.wants_reader {
                return Ok(Observed::Absent);
            }
            run.converge(&survey.reader_endpoint(ready.present()), seen.reader.clone(), Milestone::Ready).await
        };
        let (health, reader) = tokio::join!(health, reader);
        let (_, reader) = all2(health, reader)?;
        Ok((ready, reader))
    };
    let (ready, connect, admit_proxy, admit_functions) = tokio::join!(serving, connect, admit_proxy, admit_functions);
    let ((ready, reader), (ahead, _)) = all2(ready, all2(connect, all2(admit_proxy, admit_functions)))?;

    // Step 13: last, and only now that the target is available.
    let endpoint = ready.present().and_then(|found| found.proxy.endpoint.clone());
    let endpoint = certain(endpoint, "rds:DescribeDBProxies", "the proxy's endpoint")?;
    let reader = match reader.present() {
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
        gate::unblocked(run, survey, &ahead)?;
    }
    let proofs = probe::before_repoint(run, survey, hosts, moves).await?;
    if survey.spec.prepare {
        return Ok(prepared(run, &repoint, &functions, endpoint, proofs));
    }
    if let (Some(canary), Some(proxy)) = (&survey.spec.canary, ready.present()) {
        let memory = canary::memory::Memory::of(&proxy.proxy.arn, &proxy.tags);
        let functions = functions.present().cloned().unwrap_or_default();
        let cut = Cutover { survey, canary, repoint: &repoint, functions, memory };
        let walk = Box::pin(canary::carry_out(run, cut, decider)).await?;
        return Ok(Outcome { endpoint, functions: walk.moved.clone(), proofs, canary: Some(walk) });
    }
    let repointed = run.converge(&repoint, functions, Milestone::Ready).await?;
    if !survey.frozen.is_empty() {
        let release = survey.release();
        run.converge(&release, Observed::Present(release.start()), Milestone::Ready).await?;
    }
    // All have moved, without the waves of a canary that had begun.
    let memory = ready.present().map(|proxy| canary::memory::Memory::of(&proxy.proxy.arn, &proxy.tags));
    if let Some(memory) = memory.filter(|memory| memory.canary().is_some()) {
        memory.clear(run).await?;
    }
    let uses = |found: &&FunctionUse| !found.holding(HostKind::is_ours).is_empty();
    let functions = repointed.present().into_iter().flatten().filter(uses);
    let functions = functions.map(|found| found.function.name.clone()).collect();
    Ok(Outcome { endpoint, functions, proofs, canary: None })
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
    run.tell(&Event::Ended { step: repoint.id(), ending, detail, elapsed: std::time::Duration::ZERO });
    let uses = |found: &&FunctionUse| !found.holding(HostKind::is_ours).is_empty();
    let functions = seen.present().into_iter().flatten().filter(uses).map(|found| found.function.name.clone());
    Outcome { endpoint, functions: functions.collect(), proofs, canary: None }
}

/// A host that functions are to use: no run continues without one, for it would write what is not there.
fn certain(host: Option<String>, operation: &'static str, what: &'static str) -> Result<String, StepError> {
    let missing = || StepError::Refused {
        doing: "repointing the functions".to_owned(),
        refusal: Refusal::incomplete(operation, what),
    };
    host.ok_or_else(missing)
}

fn local_steps(run: &Run<'_>, survey: &Survey, id: Option<&str>) {
    let iam = survey.login.iam;
    let ending = if iam { Ending::Ready } else { Ending::NotNeeded };
    let detail = |text: &str| if iam { text.to_owned() } else { PASSWORD_LOGIN.to_owned() };
    for (step, text) in [
        (StepId::ProxyId, id.unwrap_or_default().to_owned()),
        (StepId::ConnectDocument, format!("rds-db:connect as {}", survey.users())),
    ] {
        run.tell(&Event::Began { step, detail: detail(&text) });
        run.tell(&Event::Ended { step, ending, detail: detail(&text), elapsed: std::time::Duration::ZERO });
    }
}
