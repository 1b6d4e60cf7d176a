//! What `rehearse` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Change, Counts, Finding, Part, Step, Version};

/// What `up` and `teardown` did to a copy of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsal {
    /// The version of this document.
    pub schema: Version,
    /// The account that was read, and that the copy is of.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// Whether everything went as it should: all of what follows is in order.
    pub went_well: bool,
    /// Why there was nothing to rehearse, since `up` would not begin; else null.
    pub infeasible: Option<String>,
    /// The plan of the real account.
    pub plan: Vec<Step>,
    /// How many steps of the plan do what.
    pub counts: Counts,
    /// The steps whose plan is another one in the copy, by number: there, the copy is wrong.
    pub otherwise: Vec<u8>,
    /// What `doctor` finds in the real account.
    pub findings: Vec<Finding>,
    /// What `up` changed, in order, on the usual day.
    pub changes: Vec<RehearsedChange>,
    /// How long the commands took on a fast, a usual and a slow day.
    pub days: Vec<RehearsedDay>,
    /// In what the account differs after `up`.
    pub differences: Vec<Difference>,
    /// What kept `status`, `verify` and `doctor` from reading the account after `up`; null where nothing did.
    pub unread: Option<String>,
    /// The thirteen steps after `up`, as `status` shows them.
    pub status: Vec<Step>,
    /// What a second `up` changed: nothing, if all is well.
    pub again: Vec<RehearsedChange>,
    /// What the second `up` stopped at; null where it came to its end, and where the first did not.
    pub again_stopped: Option<String>,
    /// The way from the functions to the database after `up`, as `verify` sees it.
    #[serde(rename = "static")]
    pub parts: Vec<Part>,
    /// What `doctor` finds after `up`.
    pub findings_after: Vec<Finding>,
    /// Runs of `up` that were killed at one of its changes, and run again.
    pub kills: Vec<RehearsedKill>,
    /// What `teardown` removed and restored.
    pub removals: Vec<Change>,
    /// What `teardown` changed, in order.
    pub teardown: Vec<RehearsedChange>,
    /// In what the account differs from the original after `teardown`: nothing, if all is well.
    pub left: Vec<Difference>,
    /// Secrets that `up` created, and that `teardown` has scheduled for deletion: they can be restored until then.
    pub scheduled: Vec<String>,
    /// Aliases whose pending release `--publish-pending` published: `teardown` points them at a new version, which has
    /// the release.
    pub released: Vec<ReleasedAlias>,
    /// What the copy does not have as the account has it.
    pub gaps: Vec<CopyGap>,
    /// Questions that the rehearsal put to the copy, and that the account was not asked.
    pub unasked: Vec<Unasked>,
    /// The exit code.
    pub exit_code: u8,
}

/// A call that changes the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsedChange {
    /// The step that it is for, by its short name; null for what belongs to none.
    pub step: Option<String>,
    /// The operation, such as `rds:CreateDBProxy`.
    pub operation: String,
    /// What it changes.
    pub target: String,
}

/// A day on which AWS is as quick as that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsedDay {
    /// `fast`, `usual` or `slow`.
    pub day: String,
    /// `up`.
    pub up: RehearsedRun,
    /// `teardown` from where `up` ended or stopped; null where `up` stopped before its first change.
    pub teardown: Option<RehearsedRun>,
}

/// A run in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsedRun {
    /// How long it took on the copy's clock, in seconds.
    pub seconds: u64,
    /// How many calls it made.
    pub calls: u64,
    /// How many of them changed the account.
    pub changes: u64,
    /// What it stopped at; null where it came to its end.
    pub stopped: Option<String>,
}

/// A run that was killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsedKill {
    /// At which change, from 1.
    pub at: u64,
    /// The change.
    pub change: RehearsedChange,
    /// Whether AWS had carried it out when the run was killed.
    pub after_effect: bool,
    /// What the second run, or the teardown after it, stopped at; null where both came to their end.
    pub stopped: Option<String>,
    /// In what the account then differs from one in which nothing was killed.
    pub differences: Vec<Difference>,
    /// In what it differs after a teardown from one in which nothing was killed.
    pub left: Vec<Difference>,
}

/// An alias that goes back to a version which did not exist before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedAlias {
    /// The function.
    pub function: String,
    /// The alias.
    pub alias: String,
    /// The version that it points at after `teardown`.
    pub version: String,
}

/// Something in which two accounts differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Where it is: the service, the kind, the name, and what of it.
    pub path: Vec<String>,
    /// What was there, as JSON; null where nothing was.
    pub before: Option<String>,
    /// What is there, as JSON; null where nothing is.
    pub after: Option<String>,
}

/// Something that the copy does not have as the account has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyGap {
    /// What.
    pub what: String,
    /// What the copy has instead, or why it is not there.
    pub why: String,
}

/// A question that the account was not asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unasked {
    /// The operation.
    pub operation: String,
    /// How many different questions.
    pub questions: u64,
}
