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
    /// Which share of an alias's calls goes to the proxy before all do.
    pub alias_weight: AliasWeight,
    /// What happens where the answer is open.
    pub on_unknown: OnUnknown,
}

/// Which share of an alias's calls goes to the proxy before all do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasWeight {
    /// As small a one as its traffic allows to judge.
    ByTraffic,
    /// So many in a hundred; 100 moves it whole.
    Percent(u8),
}

impl std::fmt::Display for AliasWeight {
    /// As the flag takes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ByTraffic => f.write_str("auto"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl AliasWeight {
    fn parse(text: &str) -> Checked<Self> {
        if text == "auto" {
            return Ok(Self::ByTraffic);
        }
        let digits = text.strip_suffix('%').unwrap_or(text);
        if let Ok(percent @ 1..=100) = digits.parse() {
            return Ok(Self::Percent(percent));
        }
        let why = "it is no percentage from 1% to 100%".to_owned();
        wrong("--alias-weight", text, why, "Give a percentage, such as 10%, or auto.")
    }
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            waves: vec![Share::Functions(1), Share::Percent(25), Share::Percent(100)],
            soak: Duration::from_mins(5),
            first: None,
            alias_weight: AliasWeight::ByTraffic,
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

/// Reads `--waves`, `--soak`, `--canary-function`, `--alias-weight` and `--on-unknown`.
///
/// # Errors
/// When one of them is not valid.
pub fn canary(
    waves: &str,
    soak: &str,
    first: Option<&str>,
    alias_weight: &str,
    on_unknown: OnUnknown,
) -> Checked<Canary> {
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
    let alias_weight = AliasWeight::parse(alias_weight)?;
    Ok(Canary { waves, soak, first, alias_weight, on_unknown })
}
