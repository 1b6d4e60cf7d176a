//! Reading the forms of the Query protocols.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::unescaped;

/// The pairs of a form or of a URL's query, in order.
pub(super) fn pairs(form: &str) -> Vec<(String, String)> {
    let piece = |piece: &str| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (unescaped(&name.replace('+', " ")), unescaped(&value.replace('+', " ")))
    };
    form.split('&').filter(|text| !text.is_empty()).map(piece).collect()
}

#[derive(Default)]
struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
}

/// Reads a form; the operation and the version of the API are no members.
pub(super) fn read(form: &str, service: &str) -> Value {
    let mut tree = Tree::default();
    for (name, value) in pairs(form) {
        if matches!(name.as_str(), "Action" | "Version") {
            continue;
        }
        let mut node = &mut tree;
        for piece in name.split('.').take(32) {
            node = node.children.entry(piece.to_owned()).or_default();
        }
        node.text = Some(value);
    }
    match value(&tree, service.eq_ignore_ascii_case("ec2")) {
        object @ Value::Object(_) => object,
        _ => Value::Object(Map::new()),
    }
}

fn numbered(tree: &Tree) -> Option<Vec<&Tree>> {
    let number = |(name, child): (&String, _)| name.parse::<u32>().ok().map(|number| (number, child));
    let mut items = tree.children.iter().map(number).collect::<Option<Vec<_>>>().filter(|items| !items.is_empty())?;
    items.sort_by_key(|(number, _)| *number);
    Some(items.into_iter().map(|(_, child)| child).collect())
}

/// In Query proper every list stands under the name of its items, in EC2's variant under its own.
fn value(tree: &Tree, ec2: bool) -> Value {
    if tree.children.is_empty() {
        return Value::String(tree.text.clone().unwrap_or_default());
    }
    let wrapped = || tree.children.values().next().filter(|_| !ec2 && tree.children.len() == 1).and_then(numbered);
    if let Some(items) = numbered(tree).or_else(wrapped) {
        return items.into_iter().map(|item| value(item, ec2)).collect();
    }
    Value::Object(tree.children.iter().map(|(name, child)| (name.clone(), value(child, ec2))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_structures_are_told_apart() {
        assert_eq!(
            read("Action=A&Version=1&Auth.member.1.SecretArn=arn%3Ax&Auth.member.2.SecretArn=y&DBProxyName=p+q", "RDS"),
            json!({ "Auth": [{ "SecretArn": "arn:x" }, { "SecretArn": "y" }], "DBProxyName": "p q" })
        );
        assert_eq!(
            read(
                "Action=A&GroupId.1=sg-1&Filter.1.Name=n&Filter.1.Value.1=v&IpPermissions.1.Groups.1.GroupId=g",
                "EC2"
            ),
            json!({
                "GroupId": ["sg-1"], "Filter": [{ "Name": "n", "Value": ["v"] }],
                "IpPermissions": [{ "Groups": [{ "GroupId": "g" }] }],
            })
        );
    }
}
