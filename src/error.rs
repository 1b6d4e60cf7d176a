//! What went wrong, for people: the one place that turns causes into hints.

mod causes;
mod keys;

use crate::catalogue::checks::{CheckId, CheckInfo};
use crate::cloud::{Kind, Refusal};
use crate::discover::Problem;
use crate::engine::StepError;
use crate::exit::Exit;
use crate::spec::SpecError;

/// A failure with what would help.
#[derive(Debug, Clone)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// *verb-ing thing (name): cause*.
    pub headline: String,
    /// What would help, one sentence each.
    pub hints: Vec<String>,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

/// What a diagnosis found of why a run stopped.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The finding in one line, with what fixes it.
    pub hint: String,
    /// Whether it is a cause, and not that none can be seen.
    pub known: bool,
}

/// How a run that stopped goes on.
#[derive(Debug)]
pub enum Resume {
    /// With this command.
    Command(String),
    /// With this command, and the flags that were given to it.
    SameFlags(String),
}

impl From<String> for Resume {
    fn from(command: String) -> Self {
        Self::Command(command)
    }
}

impl Failure {
    /// A failure without AWS.
    pub fn new<H: Into<String>>(exit: Exit, headline: impl Into<String>, hints: impl IntoIterator<Item = H>) -> Self {
        Self { exit, headline: headline.into(), hints: hints.into_iter().map(Into::into).collect(), request_id: None }
    }

    /// A run that stopped, with what was found to be the cause. Where something was, what only guesses is left out.
    #[must_use]
    pub fn because(stop: StepError, cause: Option<Cause>) -> Self {
        let guesses = match (&stop, &cause) {
            (StepError::Stuck { state, .. } | StepError::TimedOut { state, .. }, Some(Cause { known: true, .. })) => {
                health_hints(state)
            }
            _ => Vec::new(),
        };
        let mut failure = Self::from(stop);
        failure.hints.retain(|hint| !guesses.contains(hint));
        failure.hints.splice(0..0, cause.map(|cause| cause.hint));
        failure
    }

    /// A failure in the middle of a run: the command that goes on from there, what stands now, and the one that undoes
    /// it.
    #[must_use]
    pub fn after(mut self, made: &str, resume: impl Into<Resume>, undo: Option<&str>) -> Self {
        let (how, command) = match resume.into() {
            Resume::Command(command) => ("To resume", command),
            Resume::SameFlags(command) => ("To resume, with the same flags", command),
        };
        self.hints.push(format!("{how}: {command}"));
        self.hints.push(made.to_owned());
        self.hints.extend(undo.map(|command| format!("To undo it: {command}")));
        self
    }

    fn refused(doing: &str, refusal: &Refusal) -> Self {
        let (exit, mut hints) = advice(refusal);
        let exit = match known(refusal) {
            Some(info) => {
                hints.insert(0, format!("{}: {} {}", info.name(), info.cause, info.advice()));
                Exit::Decide
            }
            None => exit,
        };
        let headline = match (&refusal.cause, refusal.kind) {
            (Some(cause), Kind::Credentials) => format!("{doing}: {cause}"),
            (None, Kind::Credentials) if refusal.code.is_none() => format!("{doing}: there are no AWS credentials"),
            _ => format!("{doing}: {refusal}"),
        };
        Self { exit, headline, hints, request_id: refusal.request_id.as_deref().map(str::to_owned) }
    }
}

/// The failure that a refusal is known as, by what AWS says in it.
fn known(refusal: &Refusal) -> Option<&'static CheckInfo> {
    const SAYINGS: [(&str, CheckId); 6] = [
        ("FreeTierRestrictionError", CheckId::FreePlan),
        ("DBProxyQuotaExceededFault", CheckId::Quota),
        ("should not be a read replica", CheckId::Replica),
        ("multiple targets is not supported", CheckId::OtherTarget),
        ("Unsupported Database engine", CheckId::Version),
        ("Username must not be provided", CheckId::UserNameInAuth),
    ];
    let code = refusal.code.as_deref().unwrap_or_default();
    let said = SAYINGS.iter().find(|(text, _)| code == *text || refusal.message.contains(text));
    said.map(|(_, check)| check.info())
}

fn advice(refusal: &Refusal) -> (Exit, Vec<String>) {
    let one = |text: &str| vec![text.to_owned()];
    if let Some(cause) = &refusal.cause {
        return causes::advice(cause);
    }
    if let Some(hints) = keys::advice(refusal) {
        return (Exit::Decide, hints);
    }
    match refusal.kind {
        Kind::Denied => {
            let mut hints = vec![format!("Allow the action {} to these credentials.", refusal.operation)];
            if refusal.operation == "iam:CreateRole" {
                hints.push(
                    "Where the account requires a permissions boundary on new roles: --permissions-boundary ARN."
                        .to_owned(),
                );
                hints.push("Where an administrator creates roles: --role-arn ARN takes one that exists.".to_owned());
            }
            if refusal.operation == "ec2:AuthorizeSecurityGroupIngress" {
                let hint = "Where close-direct was used: permissions --for restore --with close-direct prints what opens it again.";
                hints.push(hint.to_owned());
            }
            if refusal.operation == "iam:CreatePolicy" {
                let hint = "Where an administrator creates policies: --connect-policy-arn ARN takes one that exists.";
                hints.push(hint.to_owned());
            }
            (Exit::Decide, hints)
        }
        Kind::Credentials if refusal.code.is_none() => (Exit::Decide, one(causes::NO_CREDENTIALS)),
        Kind::Credentials => (
            Exit::Decide,
            one("AWS does not accept these credentials; check which ones are in use: aws sts get-caller-identity."),
        ),
        Kind::Expired => {
            (Exit::Decide, one("The credentials have expired. Renew them (aws sso login, or your usual way)."))
        }
        Kind::Unreachable => (Exit::Failed, one("Check the network, an HTTP proxy, and --region.")),
        Kind::Throttled | Kind::Service => (Exit::Failed, one("This passes by itself; try again in a minute.")),
        Kind::Quota => (Exit::Decide, one("Raise the quota in Service Quotas, or remove what is unused.")),
        _ => (Exit::Failed, Vec::new()),
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match &problem {
            Problem::Refused { doing, refusal } => Self::refused(doing, refusal),
            Problem::Unfit { headline, hints, .. } => Self::new(Exit::Decide, headline.clone(), hints.clone()),
        }
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Self::new(Exit::Usage, error.to_string(), [error.fix])
    }
}

impl From<StepError> for Failure {
    fn from(stop: StepError) -> Self {
        let headline = stop.to_string();
        match &stop {
            StepError::Refused { doing, refusal } => Self::refused(doing, refusal),
            StepError::Undone { .. } => Self::new(
                Exit::Decide,
                headline,
                ["A pipeline or another tool puts its own value back: stop that first, or change it there."],
            ),
            StepError::Conflict { .. } => Self::new(
                Exit::Decide,
                headline,
                ["It is left as it is. Choose another name with --name, or remove it yourself if nothing needs it."],
            ),
            StepError::Stuck { state, .. } => Self::new(Exit::Decide, headline, health_hints(state)),
            StepError::TimedOut { limit, state, .. } => {
                let mut hints = health_hints(state);
                hints.push(format!("To wait longer: --timeout {}=SPAN.", limit.name));
                Self::new(Exit::TimedOut, headline, hints)
            }
            StepError::Pending { .. } => Self::new(Exit::TimedOut, headline, [""; 0]),
            StepError::Unproven { hints, .. } => Self::new(Exit::Unverified, headline, hints.clone()),
            StepError::Interrupted => Self::new(Exit::Interrupted, "interrupted", [""; 0]),
            StepError::Abandoned => Self::new(Exit::Failed, headline, [""; 0]),
        }
    }
}

/// What a state of proxy or target means, likely causes in order, and what to check.
#[must_use]
pub fn health_hints(state: &str) -> Vec<String> {
    let text: &[&str] = if state.contains("AUTH_FAILURE") {
        &[
            "The proxy cannot log in to the database.",
            "Likely: the secret's password is not the database's; its value lacks the keys username and password; or the KMS key's policy does not let the proxy's role decrypt it.",
            "Check the secret (up --inspect-secret) and the key's policy.",
        ]
    } else if state.contains("CONNECTION_FAILED") {
        &[
            "The proxy reaches the database, but the connection is refused or breaks.",
            "Likely: max_connections is used up; TLS settings do not match; in PostgreSQL, the database postgres is missing or rdsproxyadmin may not connect to it.",
            "Check the database's log and its parameter group.",
        ]
    } else if state.contains("UNREACHABLE") {
        &[
            "The proxy gets no TCP connection to the database.",
            "Likely: the database is stopped; a network ACL or a route blocks the traffic; a security-group rule is missing.",
            "Check steps 9 and 2 with status, then the subnets' network ACLs.",
        ]
    } else if state.contains("PENDING_PROXY_CAPACITY") {
        &[
            "The proxy is still scaling to the database's size; this is normal for up to fifteen minutes.",
            "Likely, when it lasts: the subnets are short of free addresses; or Aurora Serverless v2 has a minimum below 1 ACU.",
            "Check the free addresses and the cluster's minimum capacity.",
        ]
    } else if state.contains("INVALID_REPLICATION_STATE") {
        &[
            "A member of the cluster replicates in a state that the proxy cannot use.",
            "Likely: a replica lags or is being rebuilt.",
            "Check the cluster's members in the RDS console.",
        ]
    } else if state.contains("PROMOTED") {
        &[
            "The target changed its role, after a switchover or a promotion.",
            "Likely: a blue/green deployment or a replica's promotion is under way.",
            "Wait for it to end, then look again with status.",
        ]
    } else if state.contains("internal error") {
        &[
            "AWS gives no reason, and mostly means that the proxy's security group cannot reach the database.",
            "Likely: a missing rule between the two groups; or a secret whose value is not JSON with username and password.",
            "Check step 9 with status.",
        ]
    } else if state.contains("incompatible-network") {
        &[
            "AWS cannot place the proxy in its subnets.",
            "Likely: the subnets have no free addresses, or were changed meanwhile.",
            "Free addresses or give other subnets (--subnet); then teardown and up.",
        ]
    } else if state.contains("insufficient-resource-limits") {
        &[
            "A quota of the account was reached.",
            "Likely: network interfaces or proxies (20 a region).",
            "Raise the quota; then teardown and up.",
        ]
    } else {
        &[]
    };
    text.iter().map(|&line| line.to_owned()).collect()
}
