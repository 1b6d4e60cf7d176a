//! What several documents have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the thirteen steps, as it is or as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its number, 1 to 13.
    pub step: u8,
    /// Its name for programs, such as `proxy`, which stays when the title changes.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// How it stands.
    pub state: StepState,
    /// Why it stands so: the fields that differ, the state that is waited for, or why it is not needed or not checked.
    pub because: Vec<String>,
    /// The resource that it is about.
    pub subject: String,
    /// Further lines: what exactly changes, and why.
    pub details: Vec<String>,
    /// The functions' variables that change.
    pub variables: Vec<Variable>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It is in place.
    InPlace,
    /// Something is created.
    Create,
    /// Something is changed.
    Update,
    /// Something is removed or restored.
    Remove,
    /// It is in place, but not ready yet.
    Waiting,
    /// It conflicts with something that this stack did not create.
    Conflict,
    /// It does not apply here.
    NotNeeded,
    /// It could not be read.
    NotChecked,
}

/// A function's variable that comes to lead elsewhere: hosts and ports, and nothing else of its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Variable {
    /// The function.
    pub function: String,
    /// The variable.
    pub variable: String,
    /// Where it leads before.
    pub from: String,
    /// Where it leads afterwards.
    pub to: String,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Its number in the list of checks, such as `RPX014`, which never changes its meaning.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub title: String,
    /// What was read that shows it.
    pub evidence: Vec<String>,
    /// Why it happens.
    pub cause: String,
    /// What helps.
    pub fix: Vec<String>,
    /// The page of AWS about it.
    pub see: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Notice,
    /// Something does not work, or will not.
    Warning,
    /// `up` stops at it.
    Error,
}

/// How clients log in at the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// With IAM tokens.
    Iam,
    /// With a user and a password.
    Password,
}

/// A connection that a temporary function tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// The functions with this role and network that log in this way.
    pub functions: Vec<String>,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database user; null where nobody logged in.
    pub user: Option<String>,
    /// The database within the server, if one was named.
    pub database: Option<String>,
    /// How it logged in.
    pub login: ProbeLogin,
    /// Whether every stage succeeded.
    pub ok: bool,
    /// The stages, up to the first that failed.
    pub stages: Vec<Stage>,
}

/// How a temporary function logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeLogin {
    /// With an IAM token.
    Iam,
    /// With a user and a password.
    Password,
    /// Not at all: the server's greeting was read.
    Greeting,
}

/// A stage of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Its name: `dns`, `tcp`, `tls`, `login` or `query`; `probe` where the function gave no answer.
    pub stage: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// What was seen.
    pub evidence: String,
    /// The code of the fault, where it failed.
    pub fault: Option<String>,
    /// The likely cause, where the fault is known.
    pub cause: Option<String>,
    /// What helps, where the fault is known.
    pub fix: Option<String>,
}

/// A resource that is deleted or restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The resource, with its kind.
    pub resource: String,
    /// What happens to it.
    pub action: ChangeAction,
    /// What exactly; empty where the action says it.
    pub detail: String,
    /// The functions' variables that change.
    pub variables: Vec<Variable>,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// It is deleted.
    Delete,
    /// It becomes what it was before.
    Restore,
    /// Nothing; it is worth knowing.
    Note,
}
