//! What a canary cannot derive: when it began, and how many functions were at the proxy before. A tag of the proxy holds it.
//!
//! Anyone who may tag the proxy can write it. It moves nothing: it says which time is compared with, and whether the functions at
//! the proxy go back with this canary, to where `restore` would point them as well.

use crate::cloud::{Tags, tags};
use crate::engine::{Poll, PollInterval, Row, Run, StepError};

/// A tag that holds nothing any more: overwriting it needs no right to remove tags.
const NONE: &str = ".";

/// How a canary began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// When, in seconds since 1970.
    pub since: i64,
    /// How many functions were at the proxy.
    pub before: usize,
}

/// The proxy's memory.
#[derive(Debug, Clone)]
pub struct Memory {
    arn: String,
    begun: Option<Begun>,
}

impl Memory {
    /// What a proxy of this ARN remembers in its tags.
    #[must_use]
    pub fn of(arn: &str, tags: &Tags) -> Self {
        let value = tags.get(tags::CANARY);
        Self { arn: arn.to_owned(), begun: value.and_then(|value| read(value)) }
    }

    /// The canary that is not complete.
    #[must_use]
    pub fn canary(&self) -> Option<Begun> {
        self.begun
    }

    /// Remembers that a canary begins.
    pub(super) async fn write(&self, run: &Run<'_>, begun: Begun) -> Result<(), StepError> {
        let Begun { since, before } = begun;
        self.put(run, format!("since={since} before={before}")).await
    }

    /// Forgets it.
    pub(super) async fn clear(&self, run: &Run<'_>) -> Result<(), StepError> {
        self.put(run, NONE.to_owned()).await
    }

    async fn put(&self, run: &Run<'_>, value: String) -> Result<(), StepError> {
        let tags = Tags::from([(tags::CANARY.to_owned(), value)]);
        let doing = "remembering the canary in a tag of the proxy";
        let poll = Poll::begin(run, Row::Hidden, doing, run.timeouts.propagation, PollInterval::Dense);
        poll.insist(run, async || run.cloud.rds.add_tags(&self.arn, &tags).await).await
    }
}

/// Reads the tag; what is not of its form is no canary.
fn read(value: &str) -> Option<Begun> {
    let (since, before) = value.split_once(' ')?;
    let since = since.strip_prefix("since=")?.parse().ok().filter(|since| *since > 0)?;
    Some(Begun { since, before: before.strip_prefix("before=")?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_form_is_a_canary() {
        let of = |value: &str| Memory::of("arn", &Tags::from([(tags::CANARY.to_owned(), value.to_owned())])).canary();
        assert_eq!(of("since=1764384000 before=2"), Some(Begun { since: 1_764_384_000, before: 2 }));
        for other in
            ["", ".", "since=x before=2", "since=-1 before=0", "since=1", "before=1 since=2", "since=1 before=-1"]
        {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(Memory::of("arn", &Tags::new()).canary(), None);
    }
}
