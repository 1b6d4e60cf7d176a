//! Keys, their policies and their aliases.

use serde_json::json;

use super::Said;
use crate::facts::{Facts, Kind};
use crate::read::{after_last, text};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    let asked = text(said.input, "KeyId").unwrap_or_default();
    match said.action {
        "DescribeKey" => {
            said.inner(facts, "KeyMetadata", Kind::Key, "KeyId");
            let id = said.answer.get("KeyMetadata").and_then(|key| key.get("KeyId"));
            if let (Some(at), Some(id)) = (asked.find("alias/"), id) {
                facts.note(Kind::KeyAlias, asked.get(at..).unwrap_or_default(), &json!({ "TargetKeyId": id }));
            }
        }
        "GetKeyPolicy" if !asked.is_empty() => facts.note(Kind::KeyPolicy, after_last(asked, '/'), &said.whole()),
        "ListAliases" => said.each(facts, "Aliases", Kind::KeyAlias, "AliasName"),
        _ => {}
    }
}
