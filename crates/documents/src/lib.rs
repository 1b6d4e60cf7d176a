//! What rdsproxy-setup prints as JSON, as types: each document is serialized from the type whose schema is published.
//!
//! A document is printed as a [`Document`], and only what is in [`ALL`] is one. So no document is without a schema, and
//! no schema differs from what is printed.

mod advise;
mod alarms;
mod canary;
mod close_direct;
mod connect;
mod doctor;
mod event;
mod export;
mod failure;
mod list;
mod parts;
mod permissions;
mod plan;
mod rehearse;
mod removal;
mod sandbox;
mod schema;
mod schemas;
mod settings;
mod status;
mod token;
mod up;
mod verify;
mod version;
mod wait;
mod watch;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use advise::{Advise, AdviseAll};
pub use alarms::{Alarm, AlarmAction, Alarms, AlarmsPlan, AlarmsRemoval};
pub use canary::{AliasShare, Answer, Canary, CanaryEnding, CanaryPlan, Judgement, Wave};
pub use close_direct::{CloseDirect, CloseDirectPlan, DirectAction, DirectRule};
pub use connect::{Authorities, Connect};
pub use doctor::{CheckNote, Doctor, Symptom};
pub use event::{Ending, Event, WaveState};
pub use export::{Export, ExportFormat, ExportMark, ExportedFile};
pub use failure::Failure;
pub use list::{List, ListedStack};
pub use parts::{Change, ChangeAction, Finding, Login, Probe, ProbeLogin, Severity, Stage, Step, StepState, Variable};
pub use permissions::{Discovered, Foreign, Permissions};
pub use plan::{PlanDifference, PlanEntry, PlanKind, PlanRefused, Planned, SavedPlan};
pub use rehearse::{
    CopyGap, Difference, Rehearsal, RehearsedChange, RehearsedDay, RehearsedKill, RehearsedRun, ReleasedAlias, Unasked,
};
pub use removal::{RemovalPlan, Restore, StackName, Teardown};
pub use sandbox::{SandboxLoad, SandboxReset, SandboxServe};
pub use schemas::{ListedSchema, Schemas};
pub use settings::{Setting, SettingOrigin, SettingValue, Settings, UnusedSetting};
pub use status::{AlarmStates, CanaryProgress, DirectPath, DirectState, Stack, Status};
pub use token::Token;
pub use up::{Counts, DoneStep, PendingStep, PlannedProbe, Up, UpCanary, UpPending, UpPlan};
pub use verify::{Part, Verify};
pub use version::{SCHEMA, Version};
pub use wait::{Wait, WaitedFor};
pub use watch::{Function, Metrics, Reading, Side, Target, Watch, WatchLine, Worth};

/// Something that is printed as JSON, and has a schema.
pub trait Document: Serialize + DeserializeOwned + JsonSchema {
    /// The name of its schema.
    const NAME: &'static str;
}

/// A schema by its name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The commands that print such a document; empty where every command may.
    pub commands: &'static [&'static str],
    /// What it is, in a few words.
    pub about: &'static str,
    schema: fn(&Self) -> Value,
    check: fn(&Value) -> Result<(), String>,
}

impl Entry {
    /// Its JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        (self.schema)(self)
    }

    /// Whether the type reads this document, and writes it again as it is: with every key, and no other.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(&self, document: &Value) -> Result<(), String> {
        (self.check)(document)
    }
}

/// The schema of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

fn check<D: Document>(document: &Value) -> Result<(), String> {
    let read: D = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&read).map_err(|error| error.to_string())?;
    if written == *document { Ok(()) } else { Err(format!("it is read as {written}")) }
}

macro_rules! documents {
    ($($type:ty, $name:literal, [$($command:literal),*], $about:literal;)*) => {
        $(impl Document for $type { const NAME: &'static str = $name; })*

        /// Every schema, in alphabetical order.
        pub const ALL: &[Entry] = &[$(Entry {
            name: $name, commands: &[$($command),*], about: $about, schema: schema::of::<$type>, check: check::<$type>,
        }),*];
    };
}

documents! {
    Advise, "advise", ["advise"], "whether a proxy helps a database, how large its pool is, what it costs";
    AdviseAll, "advise-all", ["advise --all"], "the same for every database of the Region that functions use";
    Alarms, "alarms", ["alarms"], "the alarms and the dashboard of a proxy";
    AlarmsPlan, "alarms-plan", ["alarms --dry-run"], "what alarms would do";
    AlarmsRemoval, "alarms-removal", ["alarms --remove"], "the alarms and the dashboard that were deleted";
    CloseDirect, "close-direct", ["close-direct"], "the rules of the functions' direct path as they are now";
    CloseDirectPlan, "close-direct-plan", ["close-direct --dry-run"], "what close-direct would do";
    Connect, "connect", ["connect"], "the command line that logs in through the proxy";
    Doctor, "doctor", ["doctor"], "what is wrong, and why";
    Failure, "error", [], "a failure of any command, in place of its document";
    Event, "event", [], "a line of stderr while a command runs";
    Export, "export", ["export --to"], "the files that were written";
    ExportMark, "export-mark", ["export --hand-over", "export --take-back"], "whether the stack is handed over";
    List, "list", ["list"], "the stacks of a Region";
    Permissions, "permissions", ["permissions"], "the IAM policies that a command needs";
    SavedPlan, "plan", ["up --plan-out", "teardown --plan-out", "restore --plan-out", "alarms --plan-out"],
        "a saved plan: the file, and nothing on stdout";
    PlanRefused, "plan-refused", ["up --plan", "teardown --plan", "restore --plan", "alarms --plan"],
        "where a saved plan does not fit any more";
    Rehearsal, "rehearsal", ["rehearse"], "what up and teardown did to a copy of the account";
    RemovalPlan, "removal-plan", ["teardown --dry-run", "restore --dry-run", "alarms --remove --dry-run"],
        "what would be deleted or restored";
    Restore, "restore", ["restore"], "what was restored";
    SandboxLoad, "sandbox-load", ["sandbox load"], "the load that a function of the simulated account has now";
    SandboxReset, "sandbox-reset", ["sandbox reset"], "where the simulated account is kept";
    SandboxServe, "sandbox-serve", ["sandbox serve"], "where the simulated account answers";
    Schemas, "schemas", ["schema"], "the schemas that there are";
    Settings, "settings", ["up --show-config"], "the settings of a command, and where each comes from";
    Status, "status", ["status"], "all thirteen steps of each stack as they are";
    Teardown, "teardown", ["teardown"], "what was deleted and restored";
    Token, "token", ["token"], "an IAM token for the proxy";
    Up, "up", ["up", "up --canary"], "what a run changed, and where the functions connect now";
    UpCanary, "up-canary", ["up --canary"], "a canary that ended before its end";
    UpPending, "up-pending", ["up --wait=false"], "a run that left something to a later one";
    UpPlan, "up-plan", ["up --dry-run"], "what up would do";
    Verify, "verify", ["verify", "verify --probe"], "whether the functions get through to the database";
    Wait, "wait", ["wait"], "what was waited for";
    Watch, "watch", ["watch --once"], "one reading of a proxy";
    WatchLine, "watch-line", ["watch"], "one reading of a proxy, a line each";
}
