//! How IAM answers with lists.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::text;
use crate::account::{AwsError, Call};
use crate::{input, page};

/// One page of rows under `member`, with the members that IAM's lists end in.
pub(super) fn paged(rows: Vec<(String, Value)>, call: &Call, member: &str) -> Result<Value, AwsError> {
    let size = input::number(&call.input, "MaxItems").unwrap_or(100);
    let Some(size) = usize::try_from(size).ok().filter(|size| (1..=1000).contains(size)) else {
        return Err(text::invalid(format!(
            "1 validation error detected: Value '{size}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000"
        )));
    };
    let (rows, next) = page::page(rows, input::text(&call.input, "Marker"), size);
    let mut answer = json!({"IsTruncated": next.is_some()});
    answer[member] = json!(rows);
    if let Some(next) = next {
        answer["Marker"] = json!(next);
    }
    Ok(answer)
}

pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

pub(super) fn tag_rows(tags: &BTreeMap<String, String>) -> Vec<(String, Value)> {
    tags.iter().map(|(key, value)| (key.clone(), json!({"Key": key, "Value": value}))).collect()
}
