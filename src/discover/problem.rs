//! What a person must decide or fix before anything is changed.

use crate::catalogue::checks::CheckId;
use crate::cloud::Refusal;

/// A question that the account does not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Problem {
    /// A call was refused.
    #[error("{doing}: {refusal}")]
    Refused {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What AWS said.
        #[source]
        refusal: Refusal,
    },
    /// Something is missing, unfit or ambiguous.
    #[error("{headline}")]
    Unfit {
        /// What is wrong, as *verb-ing thing (name): cause*.
        headline: String,
        /// What would help, one sentence each.
        hints: Vec<String>,
        /// Which known failure it is, if it is one.
        check: Option<CheckId>,
    },
}

impl Problem {
    /// A problem of the account, with what would help.
    pub fn unfit<H: Into<String>>(headline: impl Into<String>, hints: impl IntoIterator<Item = H>) -> Self {
        Self::Unfit { headline: headline.into(), hints: hints.into_iter().map(Into::into).collect(), check: None }
    }

    /// The same, as a failure that is known.
    #[must_use]
    pub fn known(self, id: CheckId) -> Self {
        match self {
            Self::Unfit { headline, hints, .. } => Self::Unfit { headline, hints, check: Some(id) },
            refused @ Self::Refused { .. } => refused,
        }
    }

    /// What a wait shows where the same reading may well succeed in a moment.
    #[must_use]
    pub fn passes(&self) -> Option<&'static str> {
        matches!(self, Self::Refused { refusal, .. } if refusal.passes()).then_some("no answer")
    }

    /// A refusal, with what was being done.
    pub fn refused(doing: impl Into<String>) -> impl FnOnce(Refusal) -> Self {
        let doing = doing.into();
        move |refusal| Self::Refused { doing, refusal }
    }
}

/// Names of `known` that resemble `wanted`, nearest first, at most three.
#[must_use]
pub(super) fn near<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_ascii_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| {
            let lower = name.to_ascii_lowercase();
            let bonus = if lower.contains(&wanted) || wanted.contains(&lower) { 0.3 } else { 0.0 };
            (strsim::jaro_winkler(&wanted, &lower) + bonus, name)
        })
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// A sentence that offers near names, if there are any, or else the first few of all.
#[must_use]
pub(crate) fn did_you_mean(what: &str, wanted: &str, known: &[String]) -> String {
    let near = near(wanted, known.iter().map(String::as_str));
    if !near.is_empty() {
        return format!("Did you mean {}?", near.join(" or "));
    }
    if known.is_empty() {
        return format!("There are no {what} in this account and region; check --region and --profile.");
    }
    let shown: Vec<&str> = known.iter().take(8).map(String::as_str).collect();
    let more =
        if known.len() > shown.len() { format!(" and {} more", known.len() - shown.len()) } else { String::new() };
    format!("The {what} here are {}{more}.", shown.join(", "))
}
