//! Events: a line of JSON each on stderr, while a command runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AliasShare, Finding, Version};

/// Something that happens while a command runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A step begins.
    Began {
        /// The version of this line.
        schema: Version,
        /// The step's number, 1 to 13.
        step: u8,
        /// The step's name for programs.
        slug: String,
        /// What it is about.
        detail: String,
    },
    /// A step waits for AWS.
    Waiting {
        /// The version of this line.
        schema: Version,
        /// The step's number, 1 to 13.
        step: u8,
        /// The step's name for programs.
        slug: String,
        /// The state that was seen, in AWS's words.
        state: String,
        /// How long it has waited.
        elapsed_seconds: f64,
        /// When it gives up.
        limit_seconds: f64,
    },
    /// A step ended.
    Ended {
        /// The version of this line.
        schema: Version,
        /// The step's number, 1 to 13.
        step: u8,
        /// The step's name for programs.
        slug: String,
        /// How it ended.
        ending: Ending,
        /// With what result, in a few words.
        detail: String,
        /// How long the step took in all.
        elapsed_seconds: f64,
    },
    /// Something about a temporary function that proves a connection.
    Probe {
        /// The version of this line.
        schema: Version,
        /// The functions that it stands in for.
        stands_in_for: Vec<String>,
        /// What it does, or what came of it.
        state: String,
        /// How long it has waited; null where it does not wait.
        elapsed_seconds: Option<f64>,
        /// When it gives up; null where it does not wait.
        limit_seconds: Option<f64>,
    },
    /// Something about a wave of a canary.
    Wave {
        /// The version of this line.
        schema: Version,
        /// The step's number, which is 13.
        step: u8,
        /// The wave's number, from 1; 0 for what an earlier run moved.
        wave: u64,
        /// How many waves there are.
        of: u64,
        /// The functions that it moves.
        functions: Vec<String>,
        /// The aliases of them that send only a share of their calls to the proxy.
        aliases: Vec<AliasShare>,
        /// What is done with it, or what came of it.
        state: WaveState,
    },
    /// Something worth knowing that is no failure.
    Note {
        /// The version of this line.
        schema: Version,
        /// The number of the step that it belongs to, if any.
        step: Option<u8>,
        /// One sentence.
        text: String,
    },
    /// What can be seen of why a wait runs long, or of why it ended.
    Diagnosis {
        /// The version of this line.
        schema: Version,
        /// The number of the step that waits.
        step: u8,
        /// One sentence about the wait.
        text: String,
        /// What is wrong, the most likely cause first.
        findings: Vec<Finding>,
    },
    /// A call of AWS, with `--verbose`.
    Call {
        /// The version of this line.
        schema: Version,
        /// The service, as the AWS SDK names it.
        service: String,
        /// The operation.
        operation: String,
        /// The HTTP status; null where no answer came.
        status: Option<u16>,
        /// How long it took.
        elapsed_seconds: f64,
        /// AWS's id of the request.
        request_id: Option<String>,
    },
    /// The command failed, or it did not do all that it was asked for.
    Error {
        /// The version of this line.
        schema: Version,
        /// What failed, and why.
        error: String,
        /// What helps, the best first.
        hints: Vec<String>,
        /// AWS's id of the request that was refused, where one was.
        request_id: Option<String>,
    },
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Something was created.
    Created,
    /// Something was changed.
    Changed,
    /// Everything was in place already.
    InPlace,
    /// Everything was in place once a wait was over.
    Ready,
    /// The step does not apply here.
    NotNeeded,
    /// Something was removed.
    Removed,
    /// A former value was restored.
    Restored,
    /// It was begun, and is not waited for: `--wait=false`.
    Pending,
    /// The step failed.
    Failed,
}

/// What is done with a wave, or what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaveState {
    /// Its functions are being pointed at the proxy.
    Moving,
    /// Aliases that sent a share of their calls to the proxy are being pointed there whole.
    Completing,
    /// CloudWatch is read.
    Watching,
    /// Something is worse than before.
    Worse,
    /// Nothing is worse.
    NotWorse,
    /// Whether something is worse is unknown.
    Unknown,
}
