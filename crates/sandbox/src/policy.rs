//! Policy evaluation: whether documents allow, deny, or say nothing about a call.
//!
//! Covers what identity policies, trust policies and key policies of this world use: `Action`,
//! `NotAction`, `Resource`, `NotResource`, `Principal`, and conditions on strings, ARNs, booleans and
//! presence. Policy variables (`${…}`) are compared as they are written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::account::Need;

/// What documents say about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement speaks of it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

/// What identity policies say about a need.
pub(super) fn evaluate(documents: &[Value], need: &Need) -> Decision {
    decide(documents.iter().flat_map(statements).filter(|statement| applies(statement, need)))
}

/// What a resource's own policy says about a need of one of these principals.
///
/// `Resource` is not compared: a resource policy speaks of its own resource.
pub(super) fn evaluate_resource_policy(document: &Value, principals: &[&str], need: &Need) -> Decision {
    decide(statements(document).filter(|statement| {
        names_principal(statement.get("Principal"), principals)
            && matches_action(statement, &need.action)
            && conditions_hold(statement.get("Condition"), &need.context)
    }))
}

/// The condition keys that the statements about a need ask for, and that the need does not bring.
pub(super) fn missing_keys(document: &Value, need: &Need) -> Vec<String> {
    let about = statements(document)
        .filter(|statement| matches_action(statement, &need.action) && matches_resource(statement, &need.resource));
    let operators = about.filter_map(|statement| statement.get("Condition")?.as_object()).flat_map(Map::values);
    let keys = operators.filter_map(Value::as_object).flat_map(Map::keys);
    let given = |key: &&String| need.context.keys().any(|known| known.eq_ignore_ascii_case(key));
    keys.filter(|key| !given(key)).cloned().collect()
}

fn decide<'doc>(statements: impl Iterator<Item = &'doc Map<String, Value>>) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in statements {
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Deny") => return Decision::ExplicitDeny,
            Some("Allow") => decision = Decision::Allowed,
            _ => {}
        }
    }
    decision
}

/// A document's statements, whether it holds one or a list.
pub(super) fn statements(document: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    list(document.get("Statement")).filter_map(Value::as_object)
}

fn applies(statement: &Map<String, Value>, need: &Need) -> bool {
    matches_action(statement, &need.action)
        && matches_resource(statement, &need.resource)
        && conditions_hold(statement.get("Condition"), &need.context)
}

fn matches_action(statement: &Map<String, Value>, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let named = |value: Option<&Value>| strings(value).any(|pattern| glob(&pattern.to_ascii_lowercase(), &action));
    match statement.get("NotAction") {
        Some(excluded) => !named(Some(excluded)),
        None => named(statement.get("Action")),
    }
}

fn matches_resource(statement: &Map<String, Value>, resource: &str) -> bool {
    let named = |value: Option<&Value>| strings(value).any(|pattern| glob(pattern, resource));
    match statement.get("NotResource") {
        Some(excluded) => !named(Some(excluded)),
        None => named(statement.get("Resource")),
    }
}

/// Whether `Principal` names one of the given ARNs or service names.
fn names_principal(principal: Option<&Value>, principals: &[&str]) -> bool {
    match principal {
        Some(Value::String(all)) => all == "*",
        Some(Value::Object(kinds)) => kinds
            .values()
            .flat_map(|named| strings(Some(named)))
            .any(|named| named == "*" || principals.contains(&named)),
        _ => false,
    }
}

/// Whether every operator of a `Condition` block holds.
fn conditions_hold(block: Option<&Value>, context: &BTreeMap<String, Vec<String>>) -> bool {
    let Some(block) = block else { return true };
    let Some(operators) = block.as_object() else { return false };
    operators.iter().all(|(operator, keys)| {
        keys.as_object()
            .is_some_and(|keys| keys.iter().all(|(key, wanted)| condition_holds(operator, key, wanted, context)))
    })
}

fn condition_holds(operator: &str, key: &str, wanted: &Value, context: &BTreeMap<String, Vec<String>>) -> bool {
    let found = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, values)| values.as_slice());
    let present = found.is_some_and(|values| !values.is_empty());
    let values = found.unwrap_or_default();
    let wanted: Vec<String> = list(Some(wanted)).map(scalar).collect();

    let (quantifier, operator) = match operator.split_once(':') {
        Some((quantifier, operator)) => (Some(quantifier), operator),
        None => (None, operator),
    };
    if operator == "Null" {
        return wanted.iter().any(|absent| (absent == "true") != present);
    }
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if if_exists && !present {
        return true;
    }
    let Some((negated, test)) = operator_named(operator) else { return false };
    // A negated operator holds for a value that none of the wanted ones matches.
    let holds = |value: &String| wanted.iter().any(|wanted| test(wanted, value)) != negated;
    match quantifier {
        Some("ForAllValues") => values.iter().all(holds),
        Some("ForAnyValue") => values.iter().any(holds),
        Some(_) => false,
        None if negated => values.iter().all(holds),
        None => values.iter().any(holds),
    }
}

type Test = fn(&str, &str) -> bool;

/// Whether the operator is a negated one, and how it compares a wanted value with the request's.
fn operator_named(operator: &str) -> Option<(bool, Test)> {
    Some(match operator {
        "StringEquals" => (false, |wanted, value| wanted == value),
        "StringNotEquals" => (true, |wanted, value| wanted == value),
        "StringEqualsIgnoreCase" | "Bool" => (false, str::eq_ignore_ascii_case),
        "StringNotEqualsIgnoreCase" => (true, str::eq_ignore_ascii_case),
        "StringLike" => (false, glob),
        "StringNotLike" => (true, glob),
        // AWS treats the Equals and Like forms of ARN conditions alike.
        "ArnEquals" | "ArnLike" => (false, arn_like),
        "ArnNotEquals" | "ArnNotLike" => (true, arn_like),
        _ => return None,
    })
}

/// Compares ARNs part by part, so that `*` does not reach over a colon of the first five parts.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    patterns.len() == parts.len() && patterns.iter().zip(&parts).all(|(pattern, part)| glob(pattern, part))
}

/// Whether `*` (any run) and `?` (any one character) make the pattern fit the text.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut on) = (0, 0);
    // Where to go on from when the run after the last `*` turns out to be too short.
    let mut retry: Option<(usize, usize)> = None;
    while on < text.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, on));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || text.get(on) == Some(wanted) => {
                at += 1;
                on += 1;
            }
            _ => {
                let Some((after, start)) = retry else { return false };
                retry = Some((after, start + 1));
                at = after;
                on = start + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|left| *left == '*')
}

/// One value or a list of values, as a list.
fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value
        .map_or(&[] as &[Value], |value| match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        })
        .iter()
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}

/// A condition value as text: policies may write `true` for `"true"`.
fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Decision::{Allowed, ExplicitDeny, ImplicitDeny};
    use super::*;

    fn need(action: &str, resource: &str, context: &[(&str, &[&str])]) -> Need {
        let context = context
            .iter()
            .map(|(key, values)| ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()))
            .collect();
        Need { action: action.to_owned(), resource: resource.to_owned(), context }
    }

    fn under(statement: &Value, need: &Need) -> Decision {
        evaluate(&[json!({"Version": "2012-10-17", "Statement": statement})], need)
    }

    #[test]
    fn actions_are_compared_without_case_and_resources_with() {
        let statement =
            json!({"Effect": "Allow", "Action": ["rds:create*", "iam:?etRole"], "Resource": "arn:aws:iam::1:role/a*"});
        assert_eq!(under(&statement, &need("rds:CreateDBProxy", "arn:aws:iam::1:role/abc", &[])), Allowed);
        assert_eq!(under(&statement, &need("IAM:GetRole", "arn:aws:iam::1:role/a", &[])), Allowed);
        assert_eq!(under(&statement, &need("iam:GetRole", "arn:aws:iam::1:role/A", &[])), ImplicitDeny);
        assert_eq!(under(&statement, &need("rds:DeleteDBProxy", "arn:aws:iam::1:role/a", &[])), ImplicitDeny);
    }

    #[test]
    fn an_action_without_resource_level_needs_a_star() {
        let only = json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:rds:*"});
        assert_eq!(under(&only, &need("rds:CreateDBProxy", "*", &[])), ImplicitDeny);
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        assert_eq!(under(&all, &need("rds:CreateDBProxy", "*", &[])), Allowed);
    }

    #[test]
    fn a_deny_wins_wherever_it_stands() {
        let both = json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": "rds:*", "Resource": "*"},
        ]);
        assert_eq!(under(&both, &need("rds:X", "*", &[])), Allowed);
        assert_eq!(under(&both, &need("iam:X", "*", &[])), ExplicitDeny);
    }

    #[test]
    fn not_resource_excludes() {
        let rest = json!({"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::mine*"]});
        assert_eq!(under(&rest, &need("s3:Get", "arn:aws:s3:::mine/1", &[])), ImplicitDeny);
        assert_eq!(under(&rest, &need("s3:Get", "arn:aws:s3:::yours", &[])), Allowed);
    }

    #[test]
    fn conditions() {
        let cases: &[(Value, &[&str], Decision)] = &[
            (json!({"StringEquals": {"k": ["a", "b"]}}), &["b"], Allowed),
            (json!({"StringEquals": {"K": "a"}}), &["a"], Allowed),
            (json!({"StringEquals": {"k": "a"}}), &["A"], ImplicitDeny),
            (json!({"StringEquals": {"k": "a"}}), &[], ImplicitDeny),
            (json!({"StringEqualsIgnoreCase": {"k": "a"}}), &["A"], Allowed),
            (json!({"StringNotEquals": {"k": ["a", "b"]}}), &["b"], ImplicitDeny),
            (json!({"StringNotEquals": {"k": "a"}}), &[], Allowed),
            (json!({"StringLike": {"k": "a*"}}), &["abc"], Allowed),
            (json!({"StringNotLike": {"k": "a*"}}), &["abc"], ImplicitDeny),
            (json!({"StringEqualsIfExists": {"k": "a"}}), &[], Allowed),
            (json!({"StringEqualsIfExists": {"k": "a"}}), &["b"], ImplicitDeny),
            (json!({"ArnLike": {"k": "arn:aws:iam::*:role/x*"}}), &["arn:aws:iam::1:role/xy"], Allowed),
            (json!({"ArnLike": {"k": "arn:*:role/x"}}), &["arn:aws:iam::1:role/x"], ImplicitDeny),
            (json!({"Bool": {"k": true}}), &["true"], Allowed),
            (json!({"Bool": {"k": "true"}}), &["false"], ImplicitDeny),
            (json!({"Null": {"k": "true"}}), &[], Allowed),
            (json!({"Null": {"k": "true"}}), &["a"], ImplicitDeny),
            (json!({"Null": {"k": false}}), &["a"], Allowed),
            (json!({"ForAllValues:StringEquals": {"k": ["a", "b"]}}), &["a", "b"], Allowed),
            (json!({"ForAllValues:StringEquals": {"k": ["a"]}}), &["a", "b"], ImplicitDeny),
            (json!({"ForAllValues:StringEquals": {"k": ["a"]}}), &[], Allowed),
            (json!({"ForAnyValue:StringLike": {"k": ["a*"]}}), &["b", "ac"], Allowed),
            (json!({"ForAnyValue:StringEquals": {"k": ["a"]}}), &[], ImplicitDeny),
            (json!({"StringEquals": {"k": "a"}, "Null": {"other": "true"}}), &["a"], Allowed),
            (json!({"StringEquals": {"k": "a", "other": "b"}}), &["a"], ImplicitDeny),
            (json!({"NoSuchOperator": {"k": "a"}}), &["a"], ImplicitDeny),
        ];
        for (condition, values, expected) in cases {
            let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
            let context: &[(&str, &[&str])] = if values.is_empty() { &[] } else { &[("k", values)] };
            assert_eq!(under(&statement, &need("a:b", "*", context)), *expected, "{condition} with {values:?}");
        }
    }

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*b*c", "a1b2b3c", true),
            ("a?c", "ac", false),
            ("*x", "xxy", false),
            ("**a", "ba", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
