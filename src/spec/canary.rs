//! `--canary`: in which waves functions move, and how long each is watched.

use std::time::Duration;

use judge::waves::{self, Share};

use super::{Checked, OnUnknown, function, span, wrong};

/// How functions are pointed at the proxy in waves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// How far each wave goes.
    pub waves: Vec<Share>,
    /// How long a wave is watched, counted in CloudWatch's data since the change.
    pub soak: Duration,
    /// The function that moves first; unset: the one with the least traffic.
    pub first: Option<String>,
    /// What happens where the answer is open.
    pub on_unknown: OnUnknown,
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            waves: vec![Share::Functions(1), Share::Percent(25), Share::Percent(100)],
            soak: Duration::from_mins(5),
            first: None,
            on_unknown: OnUnknown::Ask,
        }
    }
}

impl Canary {
    /// The waves, as the flag takes them.
    #[must_use]
    pub fn shares(&self) -> String {
        let waves: Vec<String> = self.waves.iter().map(Share::to_string).collect();
        waves.join(",")
    }
}

/// Reads `--waves`, `--soak`, `--canary-function` and `--on-unknown`.
///
/// # Errors
/// When one of them is not valid.
pub fn canary(waves: &str, soak: &str, first: Option<&str>, on_unknown: OnUnknown) -> Checked<Canary> {
    let waves = match waves::parse(waves) {
        Ok(waves) => waves,
        Err(invalid) => {
            const FORM: &str =
                "Give numbers of functions or percentages that rise to 100%, separated by commas: 1,25%,100%.";
            return wrong("--waves", waves, invalid.to_string(), FORM);
        }
    };
    let soak = span(soak).map_err(|error| super::SpecError { flag: "--soak", ..error })?;
    let first = first.map(function).transpose()?;
    Ok(Canary { waves, soak, first, on_unknown })
}
