//! How RDS answers with lists.

use serde_json::Value;

use crate::account::{AwsError, Call, Outcome};
use crate::input;

/// One page of a list and the marker of the next.
pub(super) fn paged(call: &Call, name: &str, items: Vec<Value>) -> Outcome {
    let size = input::number(&call.input, "MaxRecords").unwrap_or(100);
    if !(20..=100).contains(&size) {
        let message = format!("Invalid value {size} for MaxRecords. Must be between 20 and 100");
        return Err(AwsError::new(400, "InvalidParameterValue", message));
    }
    let start: usize = match input::text(&call.input, "Marker") {
        Some(marker) => {
            marker.parse().map_err(|_| AwsError::new(400, "InvalidParameterValue", "The marker is not valid."))?
        }
        None => 0,
    };
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(start).take(usize::try_from(size).unwrap_or(100)).collect();
    let end = start + page.len();
    let mut answer = serde_json::Map::new();
    answer.insert(name.to_owned(), Value::Array(page));
    if end < total {
        answer.insert("Marker".to_owned(), Value::String(end.to_string()));
    }
    Ok(Value::Object(answer))
}
