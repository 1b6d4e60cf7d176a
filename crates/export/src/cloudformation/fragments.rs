//! Parts of templates.

use serde_json::{Map, Value, json};

use crate::stack::{Auth, Pool, Tags};

/// Tags as a list.
pub(super) fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// An object of those members that are set.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let set = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(set.collect::<Map<_, _>>())
}

/// One secret of a proxy.
pub(super) fn auth(auth: &Auth, secret: Value) -> Value {
    object([
        ("AuthScheme", Some(json!("SECRETS"))),
        ("IAMAuth", Some(json!(auth.iam))),
        ("SecretArn", Some(secret)),
        ("Description", auth.description.as_ref().map(|what| json!(what))),
        ("ClientPasswordAuthType", auth.client_password.as_ref().map(|how| json!(how))),
    ])
}

/// The pool's settings; `None` where none is known.
pub(super) fn pool(pool: &Pool) -> Option<Value> {
    let filters = (!pool.session_pinning_filters.is_empty()).then(|| json!(pool.session_pinning_filters));
    let all = object([
        ("MaxConnectionsPercent", pool.max_connections_percent.map(|value| json!(value))),
        ("MaxIdleConnectionsPercent", pool.max_idle_connections_percent.map(|value| json!(value))),
        ("ConnectionBorrowTimeout", pool.connection_borrow_timeout.map(|value| json!(value))),
        ("InitQuery", pool.init_query.as_ref().map(|sql| json!(sql))),
        ("SessionPinningFilters", filters),
    ]);
    all.as_object().is_some_and(|all| !all.is_empty()).then_some(all)
}

/// A text for `Fn::Sub`, which stays as it is but for the references in it.
pub(super) fn plain(text: &str) -> String {
    text.replace("${", "${!")
}
