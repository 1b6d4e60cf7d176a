//! What a canary cannot derive: when it began, how many functions were at the proxy before, and its waves. A tag of the
//! proxy holds it.
//!
//! Anyone who may tag the proxy can write it. It moves nothing: it says which time is compared with, and whether the
//! functions at the proxy go back with this canary, to where `restore` would point them as well.

use judge::waves::Share;

use crate::cloud::{Tags, tags};
use crate::engine::{Poll, PollInterval, Row, Run, StepError};

/// A tag that holds nothing any more: overwriting it needs no right to remove tags.
const NONE: &str = ".";

/// The longest value of a tag
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html>).
const LONGEST: usize = 256;

/// How a canary began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// When, in seconds since 1970.
    pub since: i64,
    /// How many functions were at the proxy.
    pub before: usize,
    /// Its waves; none where they do not fit.
    pub waves: Vec<Share>,
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
        self.begun.clone()
    }

    /// Remembers how a canary began, unless it stands there already.
    pub(super) async fn keep(&self, run: &Run<'_>, begun: &Begun) -> Result<(), StepError> {
        let value = written(begun);
        if self.begun.as_ref().is_some_and(|held| written(held) == value) {
            return Ok(());
        }
        self.put(run, value).await
    }

    /// Forgets it.
    pub(crate) async fn clear(&self, run: &Run<'_>) -> Result<(), StepError> {
        self.put(run, NONE.to_owned()).await
    }

    async fn put(&self, run: &Run<'_>, value: String) -> Result<(), StepError> {
        let tags = Tags::from([(tags::CANARY.to_owned(), value)]);
        let doing = "remembering the canary in a tag of the proxy";
        let poll = Poll::begin(run, Row::Hidden, doing, run.timeouts.propagation, PollInterval::Dense);
        poll.insist(run, async || run.cloud.rds.add_tags(&self.arn, &tags).await).await
    }
}

/// The tag's value. Neither a comma nor a percent sign may be in it.
fn written(begun: &Begun) -> String {
    let Begun { since, before, waves } = begun;
    let short = format!("since={since} before={before}");
    let waves: Vec<String> = waves.iter().map(|share| share.to_string().replace('%', "p")).collect();
    let long = format!("{short} waves={}", waves.join("/"));
    if waves.is_empty() || long.len() > LONGEST { short } else { long }
}

/// Reads the tag; what is not of its form is no canary.
fn read(value: &str) -> Option<Begun> {
    let mut parts = value.split(' ');
    let since = parts.next()?.strip_prefix("since=")?.parse().ok().filter(|since| *since > 0)?;
    let before = parts.next()?.strip_prefix("before=")?.parse().ok()?;
    let waves = match parts.next() {
        Some(waves) => {
            let text = waves.strip_prefix("waves=")?.replace('p', "%").replace('/', ",");
            judge::waves::parse(&text).ok()?
        }
        None => Vec::new(),
    };
    parts.next().is_none().then_some(Begun { since, before, waves })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_form_is_a_canary() {
        let of = |value: &str| Memory::of("arn", &Tags::from([(tags::CANARY.to_owned(), value.to_owned())])).canary();
        let begun = Begun { since: 1_764_384_000, before: 2, waves: Vec::new() };
        assert_eq!(of("since=1764384000 before=2"), Some(begun.clone()));
        let in_waves = Begun { waves: vec![Share::Functions(1), Share::Percent(100)], ..begun };
        assert_eq!(of("since=1764384000 before=2 waves=1/100p"), Some(in_waves));
        for other in [
            "",
            ".",
            "since=x before=2",
            "since=-1 before=0",
            "since=1",
            "before=1 since=2",
            "since=1 before=-1",
            "since=1 before=1 waves=",
            "since=1 before=1 waves=1",
            "since=1 before=1 waves=100p more",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(Memory::of("arn", &Tags::new()).canary(), None);
    }

    #[test]
    fn what_is_written_is_read_and_fits_a_tag() {
        let waves = judge::waves::parse("1,25%,100%").unwrap();
        let begun = Begun { since: 1_764_384_000, before: 0, waves };
        let text = written(&begun);
        assert_eq!(text, "since=1764384000 before=0 waves=1/25p/100p");
        assert_eq!(read(&text), Some(begun.clone()));
        let many = (1..=100).map(Share::Percent).collect();
        let text = written(&Begun { waves: many, ..begun.clone() });
        assert_eq!(read(&text), Some(Begun { waves: Vec::new(), ..begun }));
    }
}
