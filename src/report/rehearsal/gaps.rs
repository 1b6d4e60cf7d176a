//! What a copy does not have as the account has it, in few sentences.

use documents::Rehearsal;

use super::Section;
use crate::plain::{capitalized, counted};

/// How many names of the same kind are shown.
const SHOWN: usize = 3;

pub(super) fn gaps(found: &Rehearsal) -> Section {
    // Of many functions, the same is said of each.
    let mut alike: Vec<(&str, Vec<&str>)> = Vec::new();
    for gap in &found.gaps {
        match alike.iter_mut().find(|(why, _)| *why == gap.why) {
            Some((_, all)) => all.push(&gap.what),
            None => alike.push((&gap.why, vec![&gap.what])),
        }
    }
    let gaps = alike.into_iter().flat_map(|(why, all)| {
        let sentence = |all: Vec<&str>| {
            let why = if all.len() > 1 { of_many(why) } else { why.to_owned() };
            vec![format!("{} {why}.", capitalized(&together(&all)))]
        };
        kinds(all).into_iter().map(sentence).collect::<Vec<_>>()
    });
    let unasked = found.unasked.iter().map(|asked| {
        let number = usize::try_from(asked.questions).unwrap_or(usize::MAX);
        vec![format!(
            "{} ({}) was answered from what other answers said.",
            asked.operation,
            counted(number, "question")
        )]
    });
    let said = "A rehearsal is as good as its copy. What the copy does not have as the account has it:".to_owned();
    Section::of("What the copy does not have", [said]).with(&["what"], gaps.chain(unasked).collect())
}

/// What a thing is: its phrase without the name at its end.
fn kind(what: &str) -> &str {
    what.rsplit_once(' ').map_or("", |(kind, _)| kind)
}

/// Things of which the same is said: together where all can be named, else each kind by itself.
fn kinds(all: Vec<&str>) -> Vec<Vec<&str>> {
    if all.len() <= SHOWN {
        return vec![all];
    }
    let mut kinds: Vec<Vec<&str>> = Vec::new();
    for what in all {
        match kinds.iter_mut().find(|alike| alike.first().is_some_and(|first| kind(first) == kind(what))) {
            Some(alike) => alike.push(what),
            None => kinds.push(vec![what]),
        }
    }
    kinds
}

/// Things in one phrase: those that differ in their names alone share what they are, and only the first few are named.
fn together(all: &[&str]) -> String {
    let first = all.first().map_or("", |first| kind(first));
    let shared = !first.is_empty() && all.len() > 1 && all.iter().all(|what| kind(what) == first);
    let name =
        |what: &&str| if shared { what.rsplit(' ').next().unwrap_or(what).to_owned() } else { (*what).to_owned() };
    let shown: Vec<String> = all.iter().take(SHOWN).map(name).collect();
    let names = match (shown.split_last(), all.len().saturating_sub(SHOWN)) {
        (Some((last, first)), 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (_, 0) => shown.concat(),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    };
    if shared { format!("{first}s {names}") } else { names }
}

/// What is said of one thing, said of many.
fn of_many(why: &str) -> String {
    let verbs = [("was ", "were "), ("is ", "are "), ("has ", "have "), ("follows ", "follow ")];
    let found = verbs.iter().find_map(|(one, many)| Some(format!("{many}{}", why.strip_prefix(one)?)));
    found.unwrap_or_else(|| why.to_owned()).replace("in the copy it trusts", "in the copy they trust")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(all: &[&str]) -> Vec<String> {
        kinds(all.to_vec()).into_iter().map(|kind| together(&kind)).collect()
    }

    #[test]
    fn few_things_are_all_named_and_of_many_the_first_of_each_kind() {
        assert_eq!(said(&["the tags of the key k"]), ["the tags of the key k"]);
        assert_eq!(said(&["the role a", "the role b"]), ["the roles a and b"]);
        assert_eq!(said(&["the role a", "the code of b", "the key c"]), ["the role a, the code of b and the key c"]);
        let functions: Vec<String> = (0..1_000).map(|number| format!("the tags of the function f{number}")).collect();
        let mut all: Vec<&str> = functions.iter().map(String::as_str).collect();
        assert_eq!(said(&all), ["the tags of the functions f0, f1, f2 and 997 more"]);
        all.insert(500, "the key k");
        assert_eq!(said(&all), ["the tags of the functions f0, f1, f2 and 997 more", "the key k"]);
    }
}
