//! Which functions move when.

use serde::Serialize;

/// How far a wave goes, counted from the first function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// So many functions.
    Functions(u32),
    /// So many in a hundred, rounded up.
    Percent(u8),
}

/// Why waves are not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A part that is neither a number nor a percentage.
    #[error("{0:?} is neither a number of functions nor a percentage from 1% to 100%")]
    Part(String),
    /// The last wave leaves functions behind.
    #[error("the last wave must be 100%")]
    Unfinished,
    /// A wave that goes no further than the one before.
    #[error("{1} goes no further than {0}")]
    NotRising(String, String),
}

/// Reads waves, such as `1,25%,100%`.
///
/// # Errors
/// Says what is not valid.
pub fn parse(text: &str) -> Result<Vec<Share>, Invalid> {
    let mut waves: Vec<Share> = Vec::new();
    let mut last: Option<(&str, Share)> = None;
    for part in text.split(',').map(str::trim) {
        let share = part_of(part).ok_or_else(|| Invalid::Part(part.to_owned()))?;
        let further = match (last.map(|(_, share)| share), share) {
            (Some(Share::Functions(before)), Share::Functions(now)) => now > before,
            (Some(Share::Percent(before)), Share::Percent(now)) => now > before,
            // Nothing is further than everything.
            (Some(Share::Percent(100)), _) => false,
            _ => true,
        };
        if !further {
            let before = last.map(|(text, _)| text.to_owned()).unwrap_or_default();
            return Err(Invalid::NotRising(before, part.to_owned()));
        }
        waves.push(share);
        last = Some((part, share));
    }
    if waves.last() == Some(&Share::Percent(100)) { Ok(waves) } else { Err(Invalid::Unfinished) }
}

fn part_of(part: &str) -> Option<Share> {
    let digits = |text: &str| (!text.is_empty() && text.chars().all(|one| one.is_ascii_digit())).then_some(());
    if let Some(percent) = part.strip_suffix('%') {
        digits(percent)?;
        let percent: u8 = percent.parse().ok()?;
        return (1..=100).contains(&percent).then_some(Share::Percent(percent));
    }
    digits(part)?;
    part.parse().ok().filter(|count| *count > 0).map(Share::Functions)
}

impl std::fmt::Display for Share {
    /// As [`parse`] takes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Functions(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Share {
    /// How many of so many functions have moved once this wave has: never more than there are, and at least one of any.
    #[must_use]
    pub fn of(self, all: usize) -> usize {
        let wanted = match self {
            Self::Functions(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Self::Percent(percent) => {
                let hundredths = u128::try_from(all).unwrap_or(u128::MAX).saturating_mul(u128::from(percent));
                usize::try_from(hundredths.div_ceil(100)).unwrap_or(usize::MAX)
            }
        };
        wanted.min(all)
    }
}

/// How far waves have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The last wave of which a function has moved, from 1; 0 for none.
    pub wave: usize,
    /// How many waves there are.
    pub of: usize,
    /// Whether all of that wave have moved.
    pub whole: bool,
}

/// How far waves have come that began when `before` functions of `all` had moved, now that `moved` have.
#[must_use]
pub fn reached(waves: &[Share], before: usize, moved: usize, all: usize) -> Reached {
    let mut ends: Vec<usize> = waves.iter().map(|share| share.of(all)).filter(|end| *end > before).collect();
    ends.dedup();
    let done = ends.iter().filter(|end| **end <= moved).count();
    let last = if done == 0 { before } else { ends.get(done - 1).copied().unwrap_or(before) };
    let whole = moved <= last;
    Reached { wave: if whole { done } else { done + 1 }, of: ends.len(), whole }
}

/// A function that is to move, and how often it was invoked lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Invocations lately; none where that is not known.
    pub traffic: Option<u64>,
}

/// Puts functions in the order in which they move: the one that is named, if one is; then those with traffic, the least
/// first; then those without any, of which nothing can be learned.
#[must_use]
pub fn order(candidates: &[Candidate], first: Option<&str>) -> Vec<String> {
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    sorted.sort_by_key(|one| {
        let traffic = one.traffic.filter(|traffic| *traffic > 0);
        (first != Some(one.name.as_str()), traffic.is_none(), traffic, one.name.as_str())
    });
    sorted.into_iter().map(|one| one.name.clone()).collect()
}

/// Divides the functions that are left among the waves that are left: `moved` functions are there already.
///
/// A wave that would move nothing is left out, so that no wave is empty; each function is in exactly one.
#[must_use]
pub fn divide(left: &[String], moved: usize, waves: &[Share]) -> Vec<Vec<String>> {
    let all = moved + left.len();
    let mut taken = 0;
    let mut divided: Vec<Vec<String>> = Vec::new();
    let ends = waves.iter().map(|share| share.of(all).saturating_sub(moved)).chain([left.len()]);
    for end in ends {
        let end = end.min(left.len());
        if end > taken {
            divided.push(left.get(taken..end).unwrap_or_default().to_vec());
            taken = end;
        }
    }
    divided
}
