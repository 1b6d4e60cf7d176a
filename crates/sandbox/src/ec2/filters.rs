//! `Filters` and paging, which every Describe call has.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::account::AwsError;
use crate::input;
use crate::policy::glob;

/// The filters of a call: a thing passes when every filter has a value among the thing's own.
#[derive(Debug)]
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads them, and refuses names that are not known.
    pub(super) fn of(input: &Value, known: &[&str]) -> Result<Self, AwsError> {
        let mut filters = Vec::new();
        for filter in input::list(input, "Filters") {
            let name = input::text(filter, "Name").unwrap_or_default();
            if !known.contains(&name) && !name.starts_with("tag:") && !matches!(name, "tag-key" | "tag-value") {
                return Err(AwsError::new(400, "InvalidParameterValue", format!("The filter '{name}' is invalid")));
            }
            filters.push((name.to_owned(), input::texts(filter, "Values")));
        }
        Ok(Self(filters))
    }

    /// Whether a thing passes; `of` gives its values for a filter's name.
    pub(super) fn pass(&self, tags: &BTreeMap<String, String>, of: impl Fn(&str) -> Vec<String>) -> bool {
        self.0.iter().all(|(name, wanted)| {
            let own = match name.as_str() {
                "tag-key" => tags.keys().cloned().collect(),
                "tag-value" => tags.values().cloned().collect(),
                name => match name.strip_prefix("tag:") {
                    Some(key) => tags.get(key).cloned().into_iter().collect(),
                    None => of(name),
                },
            };
            own.iter().any(|own| wanted.iter().any(|wanted| glob(wanted, own)))
        })
    }
}

/// Picks the things asked for by id, or all; an unknown id is the given error.
pub(super) fn chosen<'a, T>(
    all: &'a BTreeMap<String, T>,
    ids: &[String],
    code: &str,
    kind: &str,
) -> Result<Vec<(&'a String, &'a T)>, AwsError> {
    if ids.is_empty() {
        return Ok(all.iter().collect());
    }
    ids.iter()
        .map(|id| {
            all.get_key_value(id).ok_or_else(|| AwsError::new(400, code, format!("The {kind} '{id}' does not exist")))
        })
        .collect()
}

/// One page of a list and the token of the next.
pub(super) fn page(input: &Value, items: Vec<Value>) -> (Vec<Value>, Option<String>) {
    let start = input::text(input, "NextToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let size = input::number(input, "MaxResults").and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let end = start + page.len();
    (page, (end < total).then(|| end.to_string()))
}
