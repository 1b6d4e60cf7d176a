//! Log groups and their tags.

use super::Said;
use crate::facts::{Facts, Kind};
use crate::read::text;

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    match said.action {
        "DescribeLogGroups" => said.each(facts, "logGroups", Kind::LogGroup, "logGroupName"),
        "ListTagsForResource" => {
            let group = text(said.input, "resourceArn").and_then(|arn| arn.split_once(":log-group:"));
            if let Some((_, name)) = group {
                facts.note(Kind::LogTags, name.trim_end_matches(":*"), &said.whole());
            }
        }
        _ => {}
    }
}
