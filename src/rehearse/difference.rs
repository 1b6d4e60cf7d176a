//! In what two accounts differ.

use serde_json::Value;

/// One thing in which an account differs from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it is: the service, the kind, the name, and what of it.
    pub path: Vec<String>,
    /// What was there before; none where nothing was.
    pub before: Option<Value>,
    /// What is there now; none where nothing is.
    pub after: Option<Value>,
}

impl Difference {
    /// The parts of its path.
    pub(super) fn names(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// A thing of an account stands this deep in its dump: `rds`, `proxies`, its name.
const THING: usize = 3;

/// The differences, in the order of their paths. What is new as a whole, or gone as a whole, is one.
#[must_use]
pub fn between(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(&mut Vec::new(), before, after, &mut found);
    found
}

fn walk(path: &mut Vec<String>, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    if let (Value::Array(old), Value::Array(new)) = (before, after)
        && old.iter().chain(new).all(Value::is_string)
    {
        // Of a list of names, those that came and those that went.
        let one = |item: &Value, came: bool| {
            let mut path = path.clone();
            path.extend(item.as_str().map(str::to_owned));
            let (before, after) = if came { (None, Some(item.clone())) } else { (Some(item.clone()), None) };
            Difference { path, before, after }
        };
        let gone = old.iter().filter(|item| !new.contains(item)).map(|item| one(item, false));
        let come = new.iter().filter(|item| !old.contains(item)).map(|item| one(item, true));
        let names: Vec<Difference> = gone.chain(come).collect();
        if !names.is_empty() {
            found.extend(names);
            return;
        }
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        let some = |value: &Value| (!value.is_null()).then(|| value.clone());
        found.push(Difference { path: path.clone(), before: some(before), after: some(after) });
        return;
    };
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        path.push(name.clone());
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => walk(path, old, new, found),
            // A kind of thing of which there was none.
            (old, new) if path.len() < THING => {
                let nothing = Value::Object(serde_json::Map::new());
                walk(path, old.unwrap_or(&nothing), new.unwrap_or(&nothing), found);
            }
            (old, new) => found.push(Difference { path: path.clone(), before: old.cloned(), after: new.cloned() }),
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(before: &Value, after: &Value) -> Vec<String> {
        let line = |found: Difference| {
            let sign = match (&found.before, &found.after) {
                (None, _) => "+",
                (_, None) => "-",
                _ => "~",
            };
            format!("{sign} {}", found.path.join("."))
        };
        between(before, after).into_iter().map(line).collect()
    }

    #[test]
    fn what_is_new_or_gone_is_one_difference_and_what_changed_one_a_member() {
        let before = json!({"rds": {"proxies": {}}, "lambda": {"functions": {"app": {"env": {"A": "1", "B": "2"}}}}, "gone": {"kind": {"x": 1}}});
        let after = json!({"rds": {"proxies": {"p": {"id": 1, "more": {}}}}, "lambda": {"functions": {"app": {"env": {"A": "3", "C": "2"}}}},
                           "new": {"kind": {"y": 1, "z": 2}}});
        assert_eq!(
            said(&before, &after),
            [
                "- gone.kind.x",
                "~ lambda.functions.app.env.A",
                "- lambda.functions.app.env.B",
                "+ lambda.functions.app.env.C",
                "+ new.kind.y",
                "+ new.kind.z",
                "+ rds.proxies.p",
            ]
        );
        assert_eq!(said(&after, &after), [""; 0]);
        assert_eq!(between(&after, &before).len(), 7);
    }

    #[test]
    fn of_a_list_of_names_those_that_came_and_went_are_differences() {
        let (before, after) = (json!({"a": {"b": {"c": ["x", "y"]}}}), json!({"a": {"b": {"c": ["y", "z"]}}}));
        assert_eq!(said(&before, &after), ["- a.b.c.x", "+ a.b.c.z"]);
        // Another order is another list.
        assert_eq!(said(&json!(["x", "y"]), &json!(["y", "x"])), ["~ "]);
    }
}
