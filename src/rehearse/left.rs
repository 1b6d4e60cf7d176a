//! What a teardown leaves on purpose, apart from everything else in which the account then differs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Difference, Released};

/// Secrets that are on their way out, and everything else in which an account differs.
pub(super) fn scheduled(differences: Vec<Difference>) -> (Vec<String>, Vec<Difference>) {
    let (leaving, left): (Vec<Difference>, Vec<Difference>) = differences.into_iter().partition(|found| {
        let is_secret = found.path.len() == 3 && found.path.first().is_some_and(|service| service == "secrets");
        let deletion = found.after.as_ref().and_then(|secret| secret.get("deletion"));
        is_secret && found.before.is_none() && deletion.is_some_and(|deletion| !deletion.is_null())
    });
    (leaving.into_iter().filter_map(|found| found.path.into_iter().next_back()).collect(), left)
}

/// Aliases that point at a new version with the variables of `$LATEST`, and everything else in which an account
/// differs.
pub(super) fn released(differences: &[Difference], back: &Value) -> (Vec<Released>, Vec<Difference>) {
    let version = |found: &Difference| match found.names().as_slice() {
        ["lambda", "functions", function, "versions", number] => {
            let latest = back.pointer("/lambda/functions")?.get(function)?.pointer("/latest/environment");
            let same = found.before.is_none() && found.after.as_ref()?.get("environment") == latest;
            same.then(|| ((*function).to_owned(), (*number).to_owned()))
        }
        _ => None,
    };
    let new: BTreeSet<(String, String)> = differences.iter().filter_map(version).collect();
    let alias = |found: &Difference| match found.names().as_slice() {
        ["lambda", "functions", function, "aliases", alias, "version"] => {
            let version = found.after.as_ref()?.as_str()?.to_owned();
            let found = Released { function: (*function).to_owned(), alias: (*alias).to_owned(), version };
            new.contains(&(found.function.clone(), found.version.clone())).then_some(found)
        }
        _ => None,
    };
    let released: Vec<Released> = differences.iter().filter_map(alias).collect();
    let pointed_at = |found: &Difference| {
        version(found).is_some_and(|(function, number)| {
            released.iter().any(|alias| alias.function == function && alias.version == number)
        })
    };
    let left = differences.iter().filter(|found| alias(found).is_none() && !pointed_at(found)).cloned().collect();
    (released, left)
}
