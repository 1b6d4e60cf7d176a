//! The three answers, and how single findings come to one of them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::{ERROR_OF_A_WAVE, statistics::real};

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A function, by its name; or its calls by an alias, `function:alias`, that went to the proxy.
    Function(String),
    /// The proxy.
    Proxy,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(name) => f.write_str(name),
            Self::Proxy => f.write_str("the proxy"),
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Invocations, where there are none to judge by.
    Invocations,
    /// The share of invocations that failed.
    Errors,
    /// The share of invocations that were throttled.
    Throttles,
    /// The 95th percentile of the duration.
    Duration,
    /// The share of log-ins that the proxy refused.
    RefusedLogins,
    /// The share of connections to the database that could not be set up.
    FailedSetups,
    /// The wait for a connection.
    BorrowLatency,
    /// The share of pinned connections.
    Pinned,
    /// The proxy's availability.
    Availability,
}

impl Measure {
    /// Its name, as people read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invocations => "invocations",
            Self::Errors => "errors",
            Self::Throttles => "throttles",
            Self::Duration => "p95 duration",
            Self::RefusedLogins => "refused log-ins",
            Self::FailedSetups => "failed connections to the database",
            Self::BorrowLatency => "wait for a connection",
            Self::Pinned => "pinned connections",
            Self::Availability => "availability",
        }
    }
}

/// The numbers behind a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// Bad ones of all, before and since.
    Shares {
        /// Bad before, and all; none where only the time since the change is judged.
        before: Option<(u64, u64)>,
        /// Bad since, and all.
        after: (u64, u64),
    },
    /// A value before and since, in milliseconds, percent or as a share.
    Values {
        /// Before; none where only the time since the change is judged.
        before: Option<f64>,
        /// Since.
        after: f64,
        /// The value that it is held against.
        limit: f64,
    },
}

/// A measure that was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// What was measured.
    pub measure: Measure,
    /// The numbers.
    pub numbers: Numbers,
    /// How likely such numbers are by chance, where the answer rests on a test.
    pub p_value: Option<f64>,
    /// The chance below which that is worse.
    pub limit: Option<f64>,
}

/// Why something is unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// What it is about.
    pub subject: Subject,
    /// What is not known.
    pub measure: Measure,
    /// Why.
    pub why: String,
    /// Whether waiting may help.
    pub passes: bool,
}

/// What comes of a wave.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Something is worse.
    Worse {
        /// What, in order of subject and measure.
        found: Vec<Finding>,
        /// What is unknown besides.
        gaps: Vec<Gap>,
    },
    /// Nothing is worse, and everything was there to be seen.
    NotWorse {
        /// What was judged.
        judged: Vec<Finding>,
    },
    /// Nothing is worse as far as it shows, and that is not far enough.
    Unknown {
        /// Why; never empty.
        gaps: Vec<Gap>,
    },
}

impl Judgement {
    /// The answer as one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Worse { .. } => "worse",
            Self::NotWorse { .. } => "not worse",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Whether waiting may turn it into another answer.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unknown { gaps } if gaps.iter().all(|gap| gap.passes))
    }
}

/// Where findings are collected.
pub(crate) struct Bench {
    /// The chance below which one test says worse.
    pub(crate) limit: f64,
    worse: Vec<Finding>,
    fine: Vec<Finding>,
    gaps: Vec<Gap>,
}

/// Tests of a function: errors and throttles. The duration is held to limits.
const TESTS_OF_A_FUNCTION: usize = 2;
/// Tests of the proxy: log-ins and set-ups.
const TESTS_OF_THE_PROXY: usize = 2;

impl Bench {
    /// The chance of an error is divided by the number of tests and looks (Bonferroni).
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let tests = evidence.moved.len() * TESTS_OF_A_FUNCTION + TESTS_OF_THE_PROXY;
        let tests = real(u64::try_from(tests).unwrap_or(u64::MAX)) * f64::from(evidence.looks.max(1));
        Self { limit: ERROR_OF_A_WAVE / tests, worse: Vec::new(), fine: Vec::new(), gaps: Vec::new() }
    }

    pub(crate) fn worse(&mut self, finding: Finding) {
        self.worse.push(finding);
    }

    pub(crate) fn fine(&mut self, finding: Finding) {
        self.fine.push(finding);
    }

    pub(crate) fn gap(&mut self, subject: &Subject, measure: Measure, passes: bool, why: impl Into<String>) {
        self.gaps.push(Gap { subject: subject.clone(), measure, why: why.into(), passes });
    }

    pub(crate) fn judgement(mut self) -> Judgement {
        let place = |finding: &Finding| (finding.subject.clone(), finding.measure);
        self.worse.sort_by_key(place);
        self.fine.sort_by_key(place);
        self.gaps.sort();
        self.gaps.dedup();
        match (self.worse.is_empty(), self.gaps.is_empty()) {
            (false, _) => Judgement::Worse { found: self.worse, gaps: self.gaps },
            (true, false) => Judgement::Unknown { gaps: self.gaps },
            (true, true) => Judgement::NotWorse { judged: self.fine },
        }
    }
}
