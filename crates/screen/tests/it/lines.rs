//! Readings without a terminal.

use screen::{document, heading, line, once, reasons};

use crate::world::{reading, unread};

#[test]
fn a_line_a_minute_stands_under_its_heading() {
    let text = [heading(), line(&reading()), line(&unread())].join("\n");
    insta::assert_snapshot!("lines", text);
    // The targets, behind the last two spaces, begin in one column.
    let column = |line: &str| line.chars().count() - line.rsplit("  ").next().unwrap().chars().count();
    let ends: Vec<usize> = text.lines().map(column).collect();
    assert_eq!((ends[0], ends[0]), (ends[1], ends[2]), "{text}");
    assert!(!line(&unread()).contains('0'), "{text}");
}

#[test]
fn what_is_unknown_has_its_reason() {
    assert_eq!(
        reasons(&reading()),
        [
            "Queries unknown: AWS has no figure for PostgreSQL's extended protocol",
            "Invocations and errors of ReportsFunction unknown: no data since 12:12 UTC"
        ]
    );
    assert_eq!(reasons(&unread()).len(), 12);
}

#[test]
fn one_reading_as_a_list() {
    let list = |of| {
        let rows: Vec<String> = once(&of).into_iter().map(|(name, text)| format!("{name:<32}{text}")).collect();
        rows.join("\n")
    };
    insta::assert_snapshot!("once", list(reading()));
    insta::assert_snapshot!("once_unread", list(unread()));
}

#[test]
fn json_has_null_and_a_reason_where_a_value_is_unknown() {
    // As it is printed: in the order of the keys.
    let [read, unread] = [reading(), unread()].map(|reading| serde_json::to_value(document(&reading)).unwrap());
    insta::assert_json_snapshot!("json", read);
    for (name, metric) in unread["metrics"].as_object().unwrap() {
        assert!(metric["value"].is_null() && metric["unknown"].as_str().unwrap().contains("AccessDenied"), "{name}");
    }
    assert!(unread["targets"].is_null() && unread["targets_unknown"].is_string());
    assert!(unread["functions"].is_null() && unread["functions_unknown"].is_string());
    assert!(unread["pinned_percent"].is_null() && unread["age_seconds"].is_null());
}
