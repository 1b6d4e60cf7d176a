//! What a probe found: one stage after another, up to the first that fails.

use serde::Deserialize;

use super::faults::{self, Fault, PROBE_FAILED};
use super::seat::{Attempt, How, SCHEMA};
use crate::cloud::lambda::Invoked;

/// One stage.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Stage {
    /// `dns`, `tcp`, `tls`, `login`, `query`.
    pub stage: String,
    /// Whether it went well.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// What was seen.
    #[serde(default)]
    pub evidence: String,
    /// The code of what went wrong.
    #[serde(default)]
    pub fault: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    schema: u32,
    ok: bool,
    stages: Vec<Stage>,
}

/// One login, tried with one role and network.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The functions with this role and network that log in this way.
    pub functions: Vec<String>,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database user, where one logged in.
    pub user: Option<String>,
    /// The database within the server, if one was named.
    pub database: Option<String>,
    /// How it logged in.
    pub login: How,
    /// Whether every stage went well.
    pub ok: bool,
    /// The stages.
    pub stages: Vec<Stage>,
}

impl Proof {
    pub(super) fn of(attempt: &Attempt, invoked: &Invoked) -> Self {
        let (ok, mut stages) = read(invoked);
        // The handler shows no password; this holds for an answer of any other making too.
        for stage in &mut stages {
            if let Some(password) = &attempt.password {
                stage.evidence = password.hidden_in(&stage.evidence);
            }
        }
        Self {
            functions: attempt.functions.clone(),
            host: attempt.host.clone(),
            port: attempt.port,
            user: attempt.user.clone(),
            database: attempt.database.clone(),
            login: attempt.login,
            ok,
            stages,
        }
    }

    /// The stage that failed, with what is known of its fault.
    #[must_use]
    pub fn failure(&self) -> Option<(&Stage, Option<&'static Fault>)> {
        let failed = self.stages.iter().find(|stage| !stage.ok)?;
        Some((failed, failed.fault.as_deref().and_then(|code| faults::find(code, &failed.stage))))
    }

    /// As whom it was tried, in a few words.
    #[must_use]
    pub fn who(&self) -> String {
        match (&self.user, self.login) {
            (Some(user), How::Iam) => format!("as {user} with an IAM token"),
            (Some(user), _) => format!("as {user} with its password"),
            (None, _) => "as far as the greeting, without a login".to_owned(),
        }
    }

    /// The endpoint's name: the host without its domain.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.host.split('.').next().unwrap_or_default()
    }

    /// What came of it, in one line.
    #[must_use]
    pub fn line(&self) -> String {
        if let Some((stage, _)) = self.failure() {
            let code = stage.fault.as_deref().unwrap_or("no reason given");
            return format!("{} failed ({code}): {}", stage.stage, stage.evidence);
        }
        let time = |stage: &Stage| format!("{} {:.0} ms", stage.stage, stage.ms);
        self.stages.iter().map(time).collect::<Vec<_>>().join(", ")
    }
}

/// Whether all went well, and the stages; an answer that is none is a stage of its own.
fn read(invoked: &Invoked) -> (bool, Vec<Stage>) {
    let broken = |evidence: String| {
        let fault = Some(PROBE_FAILED.to_owned());
        (false, vec![Stage { stage: "probe".to_owned(), ok: false, ms: 0.0, evidence, fault }])
    };
    if invoked.failed {
        let said: serde_json::Value = serde_json::from_str(&invoked.payload).unwrap_or_default();
        let part = |name: &str| said.get(name).and_then(serde_json::Value::as_str).unwrap_or("no reason given");
        return broken(format!("{}: {}", part("errorType"), part("errorMessage")));
    }
    match serde_json::from_str::<Answer>(&invoked.payload) {
        Ok(answer) if answer.schema == SCHEMA && !answer.stages.is_empty() => {
            let ok = answer.ok && answer.stages.iter().all(|stage| stage.ok);
            (ok, answer.stages)
        }
        _ => broken("its answer is none that this version understands".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(payload: &str, failed: bool) -> (bool, Vec<Stage>) {
        read(&Invoked { version: "1".to_owned(), payload: payload.to_owned(), failed })
    }

    #[test]
    fn an_answer_that_is_none_is_a_failure_with_a_reason() {
        let (ok, stages) =
            of(r#"{"schema":1,"ok":true,"stages":[{"stage":"dns","ok":true,"ms":1.5,"evidence":"x"}]}"#, false);
        assert!(ok && stages[0].ms > 1.0);
        for (payload, failed, told) in [
            ("{}", false, "none that this version"),
            (r#"{"schema":2,"ok":true,"stages":[]}"#, false, "none that this version"),
            (r#"{"schema":1,"ok":true,"stages":[]}"#, false, "none that this version"),
            (
                r#"{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 60.00 seconds"}"#,
                true,
                "Task timed out",
            ),
            ("nonsense", true, "no reason given"),
        ] {
            let (ok, stages) = of(payload, failed);
            assert!(!ok && stages[0].fault.as_deref() == Some(PROBE_FAILED), "{payload}");
            assert!(stages[0].evidence.contains(told), "{}", stages[0].evidence);
        }
    }
}
