//! Which functions flags chose: tags of the proxy remember it.
//!
//! Anyone who may tag the proxy can write these tags, so they only ever narrow: a function that is remembered and does
//! not use the database gets nothing by it.

use super::problem::Problem;
use crate::cloud::{Tags, tags};
use crate::spec::{self, Spec};

/// The longest value of a tag
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html>).
const LONGEST: usize = 256;
/// How many tags one list may take: RDS allows 50 on a resource, and most of them are the user's.
const MOST: usize = 10;
/// The end of a list that continues in the next tag. No function's name holds it.
const MORE: &str = " +";
/// A list that was cleared: overwriting it is one call with the next change, and needs no right to remove tags.
const NONE: &str = ".";

/// What the flags chose, or an earlier run's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `--function`; empty: every function that uses the database.
    pub only: Vec<String>,
    /// `--exclude-function`.
    pub excluded: Vec<String>,
}

impl Selection {
    /// The selection that a spec asks for or has recalled.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        let only = if spec.functions.is_empty() { &spec.limited_to } else { &spec.functions };
        Self { only: sorted(only), excluded: sorted(&spec.excluded_functions) }
    }

    /// The flags that choose the same again.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let only = self.only.iter().map(|name| format!("--function {name}"));
        // The one flag replaces what the other remembers.
        let excluded = self.excluded.iter().filter(|_| self.only.is_empty());
        only.chain(excluded.map(|name| format!("--exclude-function {name}"))).collect()
    }

    /// The tags that remember it; `None` where it does not fit.
    #[must_use]
    pub fn tags(&self) -> Option<Tags> {
        let mut tags = write(tags::FUNCTIONS, &self.only)?;
        tags.extend(write(tags::EXCLUDED, &self.excluded)?);
        Some(tags)
    }

    /// What to say where it does not fit.
    #[must_use]
    pub fn unremembered(&self) -> Option<String> {
        self.tags().is_none().then(|| {
            format!(
                "the selection of functions does not fit the proxy's tags and is not remembered: repeat it with every up: {}",
                self.flags().join(" ")
            )
        })
    }
}

/// The tags that overwrite what a proxy remembers and is not wanted any more.
#[must_use]
pub fn cleared(have: &Tags, wanted: &Tags) -> Tags {
    let stale = have.iter().filter(|(key, value)| is_memory(key) && !wanted.contains_key(*key) && *value != NONE);
    stale.map(|(key, _)| (key.clone(), NONE.to_owned())).collect()
}

/// Whether a tag remembers a part of a selection.
#[must_use]
pub fn is_memory(key: &str) -> bool {
    [tags::FUNCTIONS, tags::EXCLUDED, tags::EXCLUDED_VARIABLES, tags::INCLUDED_VARIABLES].iter().any(|begin| {
        key.strip_prefix(begin).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix(':').is_some_and(|number| number.parse::<usize>().is_ok())
        })
    })
}

/// Completes a spec with what an earlier run's flags chose, where today's are silent.
///
/// # Errors
/// When a tag names what is no function's name, or a list does not continue where it says so.
pub fn recall(spec: &mut Spec, tags: &Tags, proxy: &str) -> Result<(), Problem> {
    if spec.all_functions || !spec.functions.is_empty() {
        return Ok(());
    }
    let fits = |name: &str| !name.starts_with("arn:") && spec::function(name).is_ok();
    let words = Words { fits: &fits, what: "function's name" };
    spec.limited_to = read(tags, tags::FUNCTIONS, proxy, &words)?;
    if spec.excluded_functions.is_empty() {
        spec.excluded_functions = read(tags, tags::EXCLUDED, proxy, &words)?;
    }
    Ok(())
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    names
}

fn key(begin: &str, number: usize) -> String {
    if number == 1 { begin.to_owned() } else { format!("{begin}:{number}") }
}

/// The tags of a list; `None` where it does not fit.
pub(super) fn write(begin: &str, names: &[String]) -> Option<Tags> {
    let mut values: Vec<String> = Vec::new();
    for name in names {
        match values.last_mut() {
            Some(last) if last.len() + 1 + name.len() + MORE.len() <= LONGEST => {
                last.push(' ');
                last.push_str(name);
            }
            last => {
                if let Some(last) = last {
                    last.push_str(MORE);
                }
                values.push(name.clone());
            }
        }
    }
    let tags = values.into_iter().enumerate().map(|(at, value)| (key(begin, at + 1), value)).collect::<Tags>();
    (tags.len() <= MOST).then_some(tags)
}

/// What a list holds.
pub(super) struct Words<'a> {
    pub(super) fits: &'a dyn Fn(&str) -> bool,
    pub(super) what: &'a str,
}

/// The list that tags hold.
pub(super) fn read(tags: &Tags, begin: &str, proxy: &str, words: &Words<'_>) -> Result<Vec<String>, Problem> {
    let unfit = |key: &str, problem: &str| {
        let hint = if [tags::FUNCTIONS, tags::EXCLUDED].contains(&begin) {
            "Select the functions again: --function NAME, or --all-functions.".to_owned()
        } else {
            format!("Remove the tag {key} from the proxy, and name the variables again.")
        };
        Problem::unfit(format!("reading what the proxy remembers ({proxy}): its tag {key} {problem}"), [hint])
    };
    let mut names = Vec::new();
    for number in 1..=MOST {
        let key = key(begin, number);
        let Some(value) = tags.get(&key) else {
            if number == 1 {
                return Ok(names);
            }
            return Err(unfit(&key, "is not there, and the tag before it continues in it"));
        };
        if value == NONE && number == 1 {
            return Ok(names);
        }
        let text = value.strip_suffix(MORE);
        for name in text.unwrap_or(value).split(' ') {
            if !(words.fits)(name) {
                return Err(unfit(&key, &format!("names {name:?}, which is no {}", words.what)));
            }
            names.push(name.to_owned());
        }
        if text.is_none() {
            return Ok(names);
        }
    }
    Err(unfit(&key(begin, MOST), "continues in another tag, and there are no more"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{DatabaseRef, stack};

    fn silent() -> Spec {
        let database = DatabaseRef::parse("main").unwrap();
        Spec::of(database.clone(), stack(None, &database).unwrap())
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("function-{number:03}-{}", "x".repeat(20))).collect()
    }

    fn recalled(tags: &Tags) -> Result<Selection, Problem> {
        let mut spec = silent();
        recall(&mut spec, tags, "main-proxy").map(|()| Selection::of(&spec))
    }

    #[test]
    fn a_selection_comes_back_from_tags_that_aws_allows() {
        for count in [0, 1, 7, 8, 60] {
            let selection = Selection { only: names(count), excluded: names(count / 2) };
            let tags = selection.tags().unwrap();
            assert!(tags.values().all(|value| !value.is_empty() && value.len() <= LONGEST), "{tags:?}");
            assert_eq!(recalled(&tags).unwrap(), selection);
        }
        let many = Selection { only: names(200), excluded: Vec::new() };
        assert_eq!(many.tags(), None);
        assert!(many.unremembered().unwrap().contains("--function function-199"));
    }

    #[test]
    fn a_tag_that_is_not_whole_is_no_selection() {
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        for bad in [
            tags(&[(tags::FUNCTIONS, "a +")]),
            tags(&[(tags::FUNCTIONS, "a +"), ("rdsproxy-setup:functions:2", ".")]),
            tags(&[(tags::FUNCTIONS, "")]),
            tags(&[(tags::FUNCTIONS, "a  b")]),
            tags(&[(tags::FUNCTIONS, "arn:aws:lambda:eu-west-1:1:function:a")]),
            tags(&[(tags::EXCLUDED, "a/b")]),
        ] {
            assert!(recalled(&bad).is_err(), "{bad:?}");
        }
        assert_eq!(recalled(&tags(&[(tags::FUNCTIONS, "."), (tags::EXCLUDED, ".")])).unwrap(), Selection::default());
    }

    #[test]
    fn flags_go_first() {
        let memory = Selection { only: names(2), excluded: names(3)[2..].to_vec() }.tags().unwrap();
        let with = |change: &dyn Fn(&mut Spec)| {
            let mut spec = silent();
            change(&mut spec);
            recall(&mut spec, &memory, "main-proxy").unwrap();
            Selection::of(&spec)
        };
        let other = || vec!["other".to_owned()];
        let named = with(&|spec| spec.functions = other());
        assert_eq!(named, Selection { only: other(), excluded: Vec::new() });
        let excluded = with(&|spec| spec.excluded_functions = other());
        assert_eq!(excluded, Selection { only: names(2), excluded: other() });
        assert_eq!(with(&|spec| spec.all_functions = true), Selection::default());
        let gone = cleared(&memory, &named.tags().unwrap());
        assert_eq!(gone, Tags::from([(tags::EXCLUDED.to_owned(), NONE.to_owned())]));
    }
}
