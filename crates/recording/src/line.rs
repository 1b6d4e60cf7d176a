//! The lines of a recording.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::Form;

/// The name of the format.
pub const FORMAT: &str = "rdsproxy-setup-recording";
/// Its version: it grows with every change that a reader must know of.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// The first line.
    Header(Header),
    /// One attempt at a call.
    Call(Box<Call>),
    /// Something that happened in the run.
    Event(Event),
    /// Why the command failed.
    Failure(Failure),
    /// The last line, of a run that was not killed.
    End(End),
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The program's version.
    pub program: String,
    /// When the run began, in UTC: `2026-01-31T12:00:00Z`.
    pub time: String,
    /// The command.
    pub command: String,
    /// The flags of the command line.
    pub flags: Vec<Flag>,
    /// Whether names are pseudonyms.
    pub pseudonyms: bool,
    /// Earlier lines that did not fit in memory.
    pub dropped: u64,
}

/// A flag of the command line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Its name: `--db`.
    pub flag: String,
    /// Its values, redacted as values of AWS's are.
    pub values: Vec<String>,
}

/// One attempt at a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Its number, from 1, in the order of the ends.
    pub number: u64,
    /// When it ended, in seconds since the run began.
    pub at_seconds: f64,
    /// The step that it served; `null` for what is read before and after the steps.
    pub step: Option<String>,
    /// The service, as the SDK names it.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Which attempt at the call it was, from 1.
    pub attempt: u32,
    /// What was sent.
    pub request: Request,
    /// The HTTP status; `null` where no response came.
    pub status: Option<u16>,
    /// The refusal, if it is one.
    pub error: Option<CallError>,
    /// AWS's id of the request.
    pub request_id: Option<String>,
    /// How long it took.
    pub elapsed_seconds: f64,
    /// What came back; `null` where nothing came.
    pub response: Option<Body>,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The path, without the query.
    pub path: String,
    /// The body, with the URL's query among its members.
    pub body: Body,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// How it is written.
    pub form: Form,
    /// Its size on the wire.
    pub bytes: usize,
    /// Its members, under the names that they have on the wire; `null` for what is not kept.
    pub members: Value,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallError {
    /// The service's error code; `null` where there was none, or no response.
    pub code: Option<String>,
    /// The service's sentence, or why no response came.
    pub message: Option<String>,
}

/// Something that happened in the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, in seconds since the run began.
    pub at_seconds: f64,
    /// What: `began`, `waiting`, `ended`, `probe`, `wave`, `note`.
    pub event: String,
    /// The step.
    pub step: Option<String>,
    /// AWS's word for the state, or what a probe or a wave does.
    pub state: Option<String>,
    /// How a step ended.
    pub ending: Option<String>,
    /// A few words of it.
    pub text: Option<String>,
    /// How long the step or the wait took, on the run's clock.
    pub elapsed_seconds: Option<f64>,
    /// How long the wait may take.
    pub limit_seconds: Option<f64>,
    /// The functions that it is about.
    pub functions: Vec<String>,
}

/// Why the command failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// When, in seconds since the run began.
    pub at_seconds: f64,
    /// *What failed (which thing): why*.
    pub error: String,
    /// What helps.
    pub hints: Vec<String>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// When, in seconds since the run began.
    pub at_seconds: f64,
    /// The exit code.
    pub exit_code: u8,
    /// How many calls were recorded, in the file or not.
    pub calls: u64,
}
