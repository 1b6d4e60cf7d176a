//! The condition keys that tags are: those of a request, and those of the resource that it is about
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).

use std::collections::BTreeMap;

/// Condition keys with their values.
pub(super) type Context = BTreeMap<String, Vec<String>>;

/// What a request says of tags: each that it gives, and the keys of all, with those that it only names, to take them
/// off.
pub(super) fn of_request(given: &BTreeMap<String, String>, named: Vec<String>) -> Context {
    let mut context = of_tags(given, &["aws:RequestTag"]);
    let keys: Vec<String> = given.keys().cloned().chain(named).collect();
    if !keys.is_empty() {
        context.insert("aws:TagKeys".to_owned(), keys);
    }
    context
}

/// Each tag under each prefix: `aws:ResourceTag`, and what some services call it besides.
pub(super) fn of_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>, prefixes: &[&str]) -> Context {
    let mut context = Context::new();
    for (key, value) in tags {
        context.extend(prefixes.iter().map(|prefix| (format!("{prefix}/{key}"), vec![value.clone()])));
    }
    context
}
