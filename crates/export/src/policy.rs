//! What policy documents say.

use serde_json::Value;

/// The actions that let a proxy's role log in at a database.
const CONNECT: &str = ":dbuser:";

/// All strings of a document.
pub(crate) fn strings(document: &Value) -> Vec<&str> {
    match document {
        Value::String(text) => vec![text],
        Value::Array(all) => all.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The database users that a document names, without a repetition.
pub(crate) fn users(document: &Value) -> Vec<String> {
    let of = |text: &str| {
        text.split_once(CONNECT).and_then(|(_, rest)| rest.split_once('/')).map(|(_, user)| user.to_owned())
    };
    let mut users: Vec<String> = strings(document).into_iter().filter_map(of).collect();
    users.sort();
    users.dedup();
    users
}

/// The KMS keys that a document names.
pub(crate) fn keys(document: &Value) -> Vec<String> {
    let is_key = |text: &&str| text.contains(":kms:") && text.contains(":key/");
    strings(document).into_iter().filter(is_key).map(str::to_owned).collect()
}

/// The path in an ARN of IAM, and the name after it.
pub(crate) fn path_and_name(arn: &str) -> (String, String) {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    let rest = resource.find('/').map_or("/", |at| &resource[at..]);
    let at = rest.rfind('/').map_or(0, |at| at + 1);
    (rest[..at].to_owned(), rest[at..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::{path_and_name, users};
    use serde_json::json;

    #[test]
    fn a_path_is_what_stands_between_the_slashes() {
        let of = |arn: &str| path_and_name(arn);
        assert_eq!(of("arn:aws:iam::1:role/a/b/c"), ("/a/b/".to_owned(), "c".to_owned()));
        assert_eq!(of("arn:aws:iam::1:policy/c"), ("/".to_owned(), "c".to_owned()));
    }

    #[test]
    fn a_user_is_read_from_any_place_of_a_document() {
        let of = |user: &str| format!("arn:aws:rds-db:eu-west-1:1:dbuser:prx-1/{user}");
        let document = json!({"Statement": [{"Resource": [of("b"), of("a/c")]}, {"Resource": of("b")}]});
        assert_eq!(users(&document), ["a/c", "b"]);
    }
}
