//! What `--show-config` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::Version;

/// The settings of a command, and where each comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// The version of this document.
    pub schema: Version,
    /// The command.
    pub command: String,
    /// The file that was read; null where none was named.
    pub file: Option<String>,
    /// Every setting of the command that a file may hold.
    pub settings: Vec<Setting>,
    /// What of the file does not count.
    pub unused: Vec<UnusedSetting>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The long name of its flag.
    pub key: String,
    /// Its value; null where it is not set.
    pub value: Option<SettingValue>,
    /// Where it comes from.
    pub from: SettingOrigin,
    /// The environment variable that it comes from; else null.
    pub variable: Option<String>,
    /// The line of the file that it comes from; else null.
    pub line: Option<u64>,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SettingValue {
    /// Whether a switch is on.
    Switch(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingOrigin {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// The file.
    File,
    /// Nobody set it, and it has a default.
    Default,
    /// Nobody set it, and it has none.
    Unset,
}

/// A setting of the file that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnusedSetting {
    /// The long name of its flag.
    pub key: String,
    /// The line of the file.
    pub line: u64,
    /// What comes before it, or what it needs.
    pub why: String,
}
