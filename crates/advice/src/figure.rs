//! Numbers that say where they are from, and how much is known of them.
//!
//! `DBInstanceClassMemory` is "always somewhat lower" than a class's memory (Amazon RDS User Guide, "Specifying DB
//! parameters"), and a function without metrics has an unknown peak: so an amount may be a range, or unknown, and the
//! types keep either from being read as one number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a number is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// CloudWatch, or another count of what happened.
    Measured,
    /// The account's own configuration.
    Configured,
    /// The engine's default, worked out from the class.
    EngineDefault,
    /// A table or a price list that AWS publishes.
    AwsTable,
    /// A flag of the user.
    Stated,
    /// A factor that nobody measured here; its source says whose it is.
    Assumed,
    /// Worked out from other figures.
    Derived,
    /// Nowhere: the number is not known.
    Unknown,
}

/// How much is known of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "known", rename_all = "snake_case")]
pub enum Amount {
    /// Nothing.
    Unknown,
    /// The number.
    Exactly {
        /// The number.
        value: u64,
    },
    /// Both ends, included.
    Between {
        /// The least that it can be.
        low: u64,
        /// The most that it can be.
        high: u64,
    },
    /// The least that it can be; how much more is unknown.
    AtLeast {
        /// The least that it can be.
        low: u64,
    },
}

impl Amount {
    /// Returns one number.
    #[must_use]
    pub const fn exactly(value: u64) -> Self {
        Self::Exactly { value }
    }

    /// Returns a range, or one number where both ends are the same.
    #[must_use]
    pub fn between(one: u64, other: u64) -> Self {
        if one == other { Self::exactly(one) } else { Self::Between { low: one.min(other), high: one.max(other) } }
    }

    /// Returns the least that it can be.
    #[must_use]
    pub fn low(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Exactly { value } => Some(value),
            Self::Between { low, high } => Some(low.min(high)),
            Self::AtLeast { low } => Some(low),
        }
    }

    /// Returns the most that it can be.
    #[must_use]
    pub fn high(self) -> Option<u64> {
        match self {
            Self::Exactly { value } => Some(value),
            Self::Between { low, high } => Some(low.max(high)),
            Self::Unknown | Self::AtLeast { .. } => None,
        }
    }

    /// Returns an amount of these ends; `None` is an end that nobody knows.
    #[must_use]
    pub fn of_ends(low: Option<u64>, high: Option<u64>) -> Self {
        match (low, high) {
            (Some(low), Some(high)) => Self::between(low, high),
            (Some(low), None) => Self::AtLeast { low },
            (None, Some(high)) => Self::between(0, high),
            (None, None) => Self::Unknown,
        }
    }

    /// Returns the sum. An unknown part leaves the rest as the least that it can be.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let low = match (self.low(), other.low()) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        let high = self.high().zip(other.high()).map(|(one, other)| one.saturating_add(other));
        Self::of_ends(low, high)
    }

    /// Returns the difference, not below zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let low = self.low().map(|low| other.high().map_or(0, |other| low.saturating_sub(other)));
        let high = self.high().map(|high| high.saturating_sub(other.low().unwrap_or(0)));
        Self::of_ends(low, high)
    }

    /// Returns the product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let low = self.low().zip(other.low()).map(|(one, other)| one.saturating_mul(other));
        let high = self.high().zip(other.high()).map(|(one, other)| one.saturating_mul(other));
        Self::of_ends(low, high)
    }

    /// Returns the smallest amount that is at least both.
    #[must_use]
    pub fn at_least(self, least: u64) -> Self {
        Self::of_ends(Some(self.low().map_or(least, |low| low.max(least))), self.high().map(|high| high.max(least)))
    }

    /// Returns each end as it is mapped; the map must not turn the ends around.
    #[must_use]
    pub fn map(self, end: impl Fn(u64) -> u64) -> Self {
        Self::of_ends(self.low().map(&end), self.high().map(&end))
    }

    /// Returns the amount, and never more than `cap`, which makes an unknown upper end known.
    #[must_use]
    pub fn capped(self, cap: u64) -> Self {
        let high = self.high().map_or(cap, |high| high.min(cap));
        Self::of_ends(self.low().map(|low| low.min(cap)), Some(high))
    }

    /// Says whether both ends are known.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.high().is_some()
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Exactly { value } => write!(f, "{value}"),
            Self::Between { low, high } => write!(f, "{low} to {high}"),
            Self::AtLeast { low } => write!(f, "{low} or more"),
        }
    }
}

/// A count with where it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// The count.
    pub amount: Amount,
    /// Where it is from.
    pub origin: Origin,
    /// One short sentence for `--explain`.
    pub source: String,
}

impl Figure {
    /// Returns a figure.
    pub fn new(amount: Amount, origin: Origin, source: impl Into<String>) -> Self {
        Self { amount, origin, source: source.into() }
    }

    /// Returns a figure that nobody knows, with the reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::new(Amount::Unknown, Origin::Unknown, why)
    }
}

/// What was read of the account, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Fact<T> {
    /// It was read, measured, or stated.
    Known {
        /// What it is.
        value: T,
        /// Where it is from.
        origin: Origin,
        /// One short sentence for `--explain`.
        source: String,
    },
    /// It could not be read.
    Unknown {
        /// Why, such as the right that is missing.
        why: String,
    },
}

impl<T> Fact<T> {
    /// Returns what is known.
    pub fn known(value: T, origin: Origin, source: impl Into<String>) -> Self {
        Self::Known { value, origin, source: source.into() }
    }

    /// Returns what is not known, with the reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// Returns the value, where it is known.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Unknown { .. } => None,
        }
    }
}

impl Fact<u64> {
    /// Returns the same as a figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        match self {
            Self::Known { value, origin, source } => Figure::new(Amount::exactly(*value), *origin, source.clone()),
            Self::Unknown { why } => Figure::unknown(why.clone()),
        }
    }
}

/// What a gap leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    /// How many connections there will be.
    Demand,
    /// How many connections the database takes.
    Supply,
    /// How long connections are borrowed, and by how many at a time.
    Load,
    /// Which settings follow.
    Settings,
    /// What it costs.
    Cost,
    /// Quotas and limits of IAM log-in.
    Quotas,
}

/// What could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// What it leaves open.
    pub room: Room,
    /// What is missing, such as "peak concurrency of function mailer".
    pub what: String,
    /// Why it is missing, such as "no right to cloudwatch:GetMetricData".
    pub why: String,
}

impl Gap {
    /// Returns a gap.
    pub fn new(room: Room, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { room, what: what.into(), why: why.into() }
    }
}
