//! What is wrong, why, and what helps: one check for each failure that is known.
//!
//! The same checks serve before `up`, where nothing has been made yet, and after it. They read the survey and some
//! further facts, and change nothing. What could not be read is distinguished from what is fine.

pub(crate) mod clients;
mod credentials;
mod database;
mod facts;
mod log;
mod metrics;
mod network;
pub mod path;
mod paths;
mod proxy;

use crate::catalogue::checks::{CheckId, Severity};
use crate::cloud::Cloud;
use crate::discover::Problem;
use crate::engine::Timeouts;
use crate::plain::capitalized;
use crate::spec::{Spec, Verify};
use crate::survey::Survey;

pub use facts::{Facts, Symptom};

use facts::Unread;

/// One thing that is wrong, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which failure it is.
    pub check: CheckId,
    /// How bad it is here.
    pub severity: Severity,
    /// What was read that shows it, one sentence each.
    pub evidence: Vec<String>,
    /// What helps here, one sentence each.
    pub fixes: Vec<String>,
}

impl Finding {
    /// A finding as its row has it.
    fn of(check: CheckId, evidence: impl IntoIterator<Item = String>) -> Self {
        let info = check.info();
        Self { check, severity: info.severity, evidence: evidence.into_iter().collect(), fixes: vec![info.advice()] }
    }

    /// With the name of what is to be fixed.
    fn with(mut self, word: &str, name: &str) -> Self {
        for fix in &mut self.fixes {
            *fix = fix.replace(word, name);
        }
        self
    }

    /// With a fix of its own.
    fn with_fixes(mut self, fixes: impl IntoIterator<Item = String>) -> Self {
        self.fixes = fixes.into_iter().collect();
        self
    }
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CheckResult {
    /// It was looked at, and is as it should be: what shows it.
    Fine(String),
    /// It is not.
    Found(Finding),
    /// It could not be looked at: why.
    Unchecked(String),
    /// There is nothing to look at, as things stand.
    Beside,
}

impl CheckResult {
    /// A finding where there is evidence, else what shows that there is none.
    fn by(check: CheckId, evidence: Vec<String>, fine: impl Into<String>) -> Self {
        if evidence.is_empty() { Self::Fine(fine.into()) } else { Self::Found(Finding::of(check, evidence)) }
    }

    /// What was not read is no finding; what was refused is reported.
    fn unread(why: &Unread) -> Self {
        match why {
            Unread::Refused(why) => Self::Unchecked(why.clone()),
            Unread::Unasked => Self::Beside,
        }
    }
}

/// A clause as a sentence of its own.
fn sentence(clause: &str) -> String {
    format!("{}.", capitalized(clause))
}

type Check = fn(&Facts<'_>) -> CheckResult;

/// Everything that was found, the most likely cause first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The database.
    pub database: String,
    /// The proxy's name.
    pub stack: String,
    /// Whether there is a proxy.
    pub proxy: bool,
    /// Whether the stack was handed over.
    pub handed_over: bool,
    /// Why the target is unhealthy, if it is.
    pub symptoms: Vec<Symptom>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What would explain the symptom and was found to be fine: what shows it.
    pub ruled_out: Vec<(CheckId, String)>,
    /// What could not be looked at: why.
    pub unchecked: Vec<(CheckId, String)>,
    /// How many checks found nothing wrong.
    pub fine: usize,
}

impl Diagnosis {
    /// Whether `up` would stop.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether nothing is wrong; notices are not.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.symptoms.is_empty() && self.findings.iter().all(|finding| finding.severity == Severity::Notice)
    }

    /// Whether a failure is among the findings.
    #[must_use]
    pub fn finds(&self, check: CheckId) -> bool {
        self.findings.iter().any(|finding| finding.check == check)
    }

    fn judge(facts: &Facts<'_>) -> Self {
        let survey = facts.survey;
        let mut diagnosis = Self::empty(&survey.database.id, &survey.names.stack);
        diagnosis.proxy = facts.proxy().is_some();
        diagnosis.symptoms = facts.symptoms();
        let is_unhealthy = |check: CheckId| diagnosis.symptoms.iter().any(|symptom| symptom.is_explained_by(check));
        for (id, check) in checks() {
            match check(facts) {
                CheckResult::Fine(why) => {
                    diagnosis.fine += 1;
                    if is_unhealthy(id) {
                        diagnosis.ruled_out.push((id, why));
                    }
                }
                CheckResult::Found(finding) => diagnosis.findings.push(finding),
                CheckResult::Unchecked(why) => diagnosis.unchecked.push((id, why)),
                CheckResult::Beside => {}
            }
        }
        let explained = diagnosis.findings.iter().any(|finding| is_unhealthy(finding.check));
        if !explained {
            let told = diagnosis.symptoms.first().map(|symptom| symptom.unexplained(&survey.names.stack));
            let open = diagnosis.unchecked.iter().filter(|(check, _)| is_unhealthy(*check));
            let open: Vec<String> = open
                .map(|(check, why)| format!("First look at what was not checked: {}: {why}.", check.info().name()))
                .collect();
            diagnosis.findings.extend(told.map(|mut finding| {
                finding.fixes.splice(0..0, open);
                finding
            }));
        }
        let last = |finding: &Finding| matches!(finding.check, CheckId::Unexplained | CheckId::Scaling);
        let mut findings = std::mem::take(&mut diagnosis.findings);
        findings.sort_by_key(|finding| {
            let rank = match finding.severity {
                _ if is_unhealthy(finding.check) => 0,
                Severity::Error => 1,
                _ if last(finding) => 2,
                _ => 3,
            };
            (rank, std::cmp::Reverse(finding.severity), finding.check.info().number)
        });
        diagnosis.findings = findings;
        diagnosis
    }

    fn empty(database: &str, stack: &str) -> Self {
        Self {
            database: database.to_owned(),
            stack: stack.to_owned(),
            proxy: false,
            handed_over: false,
            symptoms: Vec::new(),
            findings: Vec::new(),
            ruled_out: Vec::new(),
            unchecked: Vec::new(),
            fine: 0,
        }
    }

    /// What keeps a survey from being made.
    fn stopped(spec: &Spec, check: Option<CheckId>, headline: String, hints: &[String]) -> Self {
        let mut diagnosis = Self::empty(&spec.database.id, &spec.stack);
        let mut finding = Finding::of(check.unwrap_or(CheckId::Stops), [headline]).with_fixes(hints.to_vec());
        finding.severity = Severity::Error;
        diagnosis.findings.push(finding);
        let why = "the reading of the account ended at the finding above".to_owned();
        diagnosis.unchecked = checks().map(|(id, _)| (id, why.clone())).collect();
        diagnosis
    }
}

/// Every check, with the failure that it looks for.
fn checks() -> impl Iterator<Item = (CheckId, Check)> {
    [database::CHECKS, network::CHECKS, credentials::CHECKS, clients::CHECKS, proxy::CHECKS, metrics::CHECKS]
        .into_iter()
        .flatten()
        .copied()
}

/// Reads the account and judges it.
///
/// # Errors
/// When AWS refuses a read without which nothing can be said.
pub async fn examine(cloud: &Cloud, spec: &Spec, timeouts: Timeouts) -> Result<Diagnosis, Problem> {
    judged(cloud, spec, timeouts, true).await
}

/// Reads the account as it is set up, and judges it; what happened of late says nothing about a proxy that is just
/// being made.
///
/// # Errors
/// As [`examine`].
pub async fn examine_setup(cloud: &Cloud, spec: &Spec, timeouts: Timeouts) -> Result<Diagnosis, Problem> {
    judged(cloud, spec, timeouts, false).await
}

async fn judged(cloud: &Cloud, spec: &Spec, timeouts: Timeouts, late: bool) -> Result<Diagnosis, Problem> {
    match Box::pin(Survey::read(cloud, spec, timeouts)).await {
        Ok(survey) => Ok(from(cloud, &survey, late).await),
        Err(Problem::Unfit { headline, hints, check }) => Ok(Diagnosis::stopped(spec, check, headline, &hints)),
        Err(refused @ Problem::Refused { .. }) => Err(refused),
    }
}

async fn from(cloud: &Cloud, survey: &Survey, late: bool) -> Diagnosis {
    let handed_over = survey.handed_over();
    Diagnosis { handed_over, ..Diagnosis::judge(&Box::pin(Facts::read(cloud, survey, late)).await) }
}

/// Judges what a survey read, and what it has no need of, without what happened of late.
pub async fn of(cloud: &Cloud, survey: &Survey) -> Diagnosis {
    from(cloud, survey, false).await
}

/// What prevents a plan, or should be known with it: judged from the survey, and from three further reads
/// where a proxy is to be made.
pub async fn before(cloud: &Cloud, survey: &Survey) -> Vec<Finding> {
    let mut diagnosis = Diagnosis::judge(&Facts::before(cloud, survey).await);
    let of_given = given(survey, &mut diagnosis);
    let unsummed = unsummed(survey, &diagnosis);
    let mut found = diagnosis.findings;
    // The plan itself shows conflicts, what it will fix, and what the survey warns about already.
    found.retain(|finding| BEFORE.contains(&finding.check) || finding.check.is_refusal());
    found.extend(of_given);
    found.extend(unsummed);
    found
}

/// That shares could not be added up, where the database has other proxies: silence would say that they fit.
fn unsummed(survey: &Survey, diagnosis: &Diagnosis) -> Option<Finding> {
    let others = survey.ground.others.as_ref().filter(|others| !others.serving.is_empty())?;
    let (_, why) = diagnosis.unchecked.iter().find(|(check, _)| *check == CheckId::Overcommitted)?;
    let names: Vec<&str> = others.serving.iter().map(|other| other.name.as_str()).collect();
    let text = format!("How much of max_connections {} may use could not be read: {why}.", names.join(", "));
    let mut finding = Finding::of(CheckId::Overcommitted, [text]);
    finding.severity = Severity::Warning;
    Some(finding)
}

/// What a role that an administrator created lacks, and what could not be judged of it: nothing here will change it.
fn given(survey: &Survey, diagnosis: &mut Diagnosis) -> Vec<Finding> {
    const RIGHTS: [CheckId; 4] =
        [CheckId::RoleReadsSecret, CheckId::RoleConnects, CheckId::KeyPolicy, CheckId::RoleTrust];
    let Some(given) = &survey.given else { return Vec::new() };
    let (of_role, others) = std::mem::take(&mut diagnosis.findings)
        .into_iter()
        .partition::<Vec<Finding>, _>(|finding| RIGHTS.contains(&finding.check));
    diagnosis.findings = others;
    let advice = format!("Have the administrator of the role {} add: {}", given.name(), survey.role_document());
    let lacking = of_role.into_iter().map(|mut finding| {
        let denied = matches!(finding.check, CheckId::RoleReadsSecret | CheckId::RoleConnects);
        if denied && survey.spec.verify != Verify::None {
            finding.severity = Severity::Error;
        }
        if denied { finding.with_fixes([advice.clone()]) } else { finding }
    });
    let unjudged = diagnosis.unchecked.iter().filter(|(check, _)| RIGHTS.contains(check)).map(|(check, why)| {
        let mut finding = Finding::of(*check, [format!("It could not be judged: {why}.")]);
        finding.severity = Severity::Warning;
        finding.with_fixes([advice.clone()])
    });
    lacking.chain(unjudged).collect()
}

const BEFORE: [CheckId; 13] = [
    CheckId::Tenancy,
    CheckId::EncryptionControl,
    CheckId::ReadOnlyParameter,
    CheckId::ParameterPending,
    CheckId::Quota,
    CheckId::SecretStatus,
    CheckId::UpdateFailed,
    CheckId::WithoutTls,
    CheckId::WrongCa,
    CheckId::StartupOptions,
    CheckId::HiddenHost,
    CheckId::DeadProxy,
    CheckId::Overcommitted,
];
