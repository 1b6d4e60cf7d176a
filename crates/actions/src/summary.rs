//! The summary of a step, and annotations, from the documents that a command prints as JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Level;
use crate::markdown::{table, text};

/// GitHub takes 1 MiB for a step, and nothing where it is more.
const LARGEST: usize = 512 * 1024;

/// The members of documents that a summary shows; it reads no other one.
pub const SHOWN: [&str; 14] = [
    "alarms",
    "canary",
    "changed",
    "changes",
    "differences",
    "endpoint",
    "feasible",
    "findings",
    "fine",
    "functions",
    "pending",
    "plan",
    "stacks",
    "static",
];

/// What came of a command.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The command.
    pub command: &'a str,
    /// Its exit code.
    pub exit: u8,
    /// What the exit code means, in Markdown of our own.
    pub meaning: &'a str,
    /// The documents that it would print as JSON, in order.
    pub documents: &'a [Value],
    /// What failed.
    pub failures: &'a [Failure],
    /// What was warned of.
    pub warnings: &'a [String],
    /// Makes one safe line of a text that others wrote.
    pub clean: fn(&str) -> String,
}

/// Something that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What failed, and why.
    pub headline: String,
    /// What would help.
    pub hints: Vec<String>,
}

/// What GitHub shows beside a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How serious it is.
    pub level: Level,
    /// Its title.
    pub title: String,
    /// Its text, which may have lines.
    pub text: String,
}

/// The annotations for what documents say: findings of a diagnosis, and stacks that have drifted.
#[must_use]
pub fn annotations(run: &Run<'_>) -> Vec<Annotation> {
    let clean = run.clean;
    let mut found = Vec::new();
    for document in run.documents {
        let judged = matches!(run.command, "doctor" | "verify");
        for finding in list(document, "findings").iter().filter(|_| judged) {
            let level = match string(finding, "severity") {
                "error" => Level::Error,
                "warning" => Level::Warning,
                _ => Level::Notice,
            };
            let lines = [string(finding, "title")].into_iter().chain(strings(finding, "evidence")).map(clean);
            let fixes = strings(finding, "fix").map(|fix| format!("fix: {}", clean(fix)));
            let title = format!("rdsproxy-setup {}", string(finding, "id"));
            found.push(Annotation { level, title, text: lines.chain(fixes).collect::<Vec<_>>().join("\n") });
        }
        for stack in list(document, "stacks").iter().filter(|stack| stack["in_place"] == false) {
            let head = format!(
                "{}, in front of {}, is not as it should be",
                clean(string(stack, "proxy")),
                clean(string(stack, "database"))
            );
            let steps = drifted(stack).map(|step| {
                let state = standing(step);
                let because: Vec<String> = strings(step, "because").map(clean).collect();
                let because = if because.is_empty() { clean(string(step, "subject")) } else { because.join("; ") };
                format!("step {}, {}: {state}: {because}", step["step"], clean(string(step, "title")))
            });
            let text = [head].into_iter().chain(steps).collect::<Vec<_>>().join("\n");
            found.push(Annotation { level: Level::Warning, title: "rdsproxy-setup drift".to_owned(), text });
        }
    }
    found
}

/// The whole of it as Markdown.
#[must_use]
pub fn summary(run: &Run<'_>) -> String {
    let word = if run.exit == 0 { "done".to_owned() } else { format!("exit code {}", run.exit) };
    let mut parts = vec![format!("### rdsproxy-setup {}: {word}", text(run.command))];
    if run.exit != 0 {
        parts.push(run.meaning.to_owned());
    }
    let shown = |value: &str| text(&(run.clean)(value));
    for failure in run.failures {
        parts.push(format!("**Error:** {}", shown(&failure.headline)));
        let hints: Vec<String> =
            failure.hints.iter().filter(|hint| !hint.is_empty()).map(|hint| format!("- {}", shown(hint))).collect();
        parts.extend(Some(hints.join("\n")).filter(|hints| !hints.is_empty()));
    }
    parts.extend(run.warnings.iter().map(|warning| format!("**Warning:** {}", shown(warning))));
    let titles: BTreeMap<u64, &str> = run
        .documents
        .iter()
        .flat_map(|document| list(document, "plan"))
        .filter_map(|row| Some((row["step"].as_u64()?, row["title"].as_str()?)))
        .collect();
    for document in run.documents {
        parts.extend(sections(document, &titles, &shown));
    }
    let mut whole = String::new();
    for part in parts {
        for line in part.lines() {
            if whole.len() + line.len() > LARGEST {
                whole.push_str("\n\nThe rest is left out: GitHub takes no more than 1 MiB.\n");
                return whole;
            }
            whole.push_str(line);
            whole.push('\n');
        }
        whole.push('\n');
    }
    whole
}

/// What a document says, as far as people want to read it there.
fn sections(document: &Value, titles: &BTreeMap<u64, &str>, shown: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut parts = Vec::new();
    let plan: Vec<Vec<String>> = list(document, "plan").iter().map(|row| planned(row, titles, shown)).collect();
    parts.extend(table(&["", "Plan", "", ""], &plan));
    if document["days"].is_array() {
        parts.extend(rehearsed(document, shown));
        return parts;
    }
    if document["feasible"] == false {
        parts.push("**This plan cannot be carried out.**".to_owned());
    }
    let differs = |found: &Value| {
        let texts = |key| strings(found, key).map(shown).collect::<Vec<_>>().join("<br>");
        vec![shown(string(found, "entry")), texts("was"), texts("is")]
    };
    let differences: Vec<Vec<String>> = list(document, "differences").iter().map(differs).collect();
    parts.extend(table(&["Changed since the plan was saved", "Was", "Is"], &differences));
    // Steps of a run overlap, and end in an order that means nothing.
    let mut changes: Vec<&Value> = list(document, "changes").iter().chain(list(document, "alarms")).collect();
    changes.sort_by_key(|row| row["step"].as_u64());
    let changes: Vec<Vec<String>> = changes.into_iter().map(|row| planned(row, titles, shown)).collect();
    parts.extend(table(&["", "Changed", "", ""], &changes));
    if document["changed"] == false {
        parts.push("Nothing was changed.".to_owned());
    }
    let waits = |row: &Value| {
        let title = row["step"].as_u64().and_then(|number| titles.get(&number).copied());
        vec![
            format!("{} {}", row["step"], shown(title.unwrap_or_else(|| string(row, "slug")))),
            shown(string(row, "state")),
        ]
    };
    parts.extend(table(&["Not waited for", ""], &list(document, "pending").iter().map(waits).collect::<Vec<_>>()));
    for wave in list(&document["canary"], "waves") {
        let functions: Vec<String> = strings(wave, "functions").map(shown).collect();
        let answer = shown(&string(&wave["judgement"], "answer").replace('_', " "));
        parts.push(format!("- wave {} of {}, {}: {answer}", wave["number"], wave["of"], functions.join(", ")));
    }
    let stacks = list(document, "stacks");
    let state = |stack: &Value| match (&stack["in_place"], stack["status"].as_str()) {
        (Value::Bool(true), _) => "in place".to_owned(),
        (Value::Bool(false), _) => "**drift, or unhealthy**".to_owned(),
        (_, status) => shown(status.unwrap_or_default()),
    };
    let row = |stack: &Value| vec![shown(string(stack, "database")), shown(string(stack, "proxy")), state(stack)];
    parts.extend(table(&["Database", "Proxy", "State"], &stacks.iter().map(row).collect::<Vec<_>>()));
    for stack in stacks {
        let row = |step: &Value| {
            let state = standing(step);
            let because = strings(step, "because").map(shown).collect::<Vec<_>>().join("<br>");
            vec![
                format!("{} {}", step["step"], shown(string(step, "title"))),
                shown(&state),
                shown(string(step, "subject")),
                because,
            ]
        };
        let rows: Vec<Vec<String>> = drifted(stack).map(row).collect();
        let heads = [shown(string(stack, "proxy")), String::new(), String::new(), String::new()];
        parts.extend(table(&heads.each_ref().map(String::as_str), &rows));
    }
    let way = |part: &Value| {
        let word = match part["open"] {
            Value::Bool(true) => "open",
            Value::Bool(false) => "**broken**",
            _ => "not checked",
        };
        vec![
            shown(string(part, "title")),
            word.to_owned(),
            strings(part, "because").map(shown).collect::<Vec<_>>().join("<br>"),
        ]
    };
    parts.extend(table(
        &["From a function to the database", "", ""],
        &list(document, "static").iter().map(way).collect::<Vec<_>>(),
    ));
    let finding = |finding: &Value| {
        let found =
            [string(finding, "title")].into_iter().chain(strings(finding, "evidence")).map(shown).collect::<Vec<_>>();
        let fix = strings(finding, "fix").map(shown).collect::<Vec<_>>();
        vec![shown(string(finding, "id")), shown(string(finding, "severity")), found.join("<br>"), fix.join("<br>")]
    };
    parts.extend(table(
        &["Finding", "", "Found", "Fix"],
        &list(document, "findings").iter().map(finding).collect::<Vec<_>>(),
    ));
    if document["fine"].is_number() && list(document, "findings").is_empty() {
        parts.push(format!("Nothing found: {} checks are fine.", document["fine"]));
    }
    let rules: Vec<Vec<String>> = list(document, "rules").iter().map(|row| planned(row, titles, shown)).collect();
    parts.extend(table(&["", "Rule", "", ""], &rules));
    let functions: Vec<String> = strings(document, "functions").map(shown).collect();
    if let Some(endpoint) = document["endpoint"].as_str().filter(|endpoint| !endpoint.is_empty()) {
        parts.push(format!("Endpoint: {}", shown(endpoint)));
    }
    if !functions.is_empty() {
        parts.push(format!("Functions: {}", functions.join(", ")));
    }
    parts
}

/// What a rehearsal shows, after its plan.
fn rehearsed(document: &Value, shown: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut parts = Vec::new();
    parts.push(match (document["infeasible"].as_str(), &document["went_well"]) {
        (Some(why), _) => format!("**Nothing was rehearsed, since up would not begin:** {}", shown(why)),
        (None, Value::Bool(true)) => "Everything went as it should in a copy of the account.".to_owned(),
        (None, _) => "**Not everything went as it should in a copy of the account.**".to_owned(),
    });
    let change = |row: &Value| vec![shown(string(row, "operation")), shown(string(row, "target"))];
    let changes: Vec<Vec<String>> = list(document, "changes").iter().map(change).collect();
    parts.extend(table(&["up changes", "of"], &changes));
    let run = |run: &Value| match run["stopped"].as_str() {
        _ if run.is_null() => "not reached".to_owned(),
        Some(why) => format!("stops: {}", shown(why)),
        None => format!("{} s, {} calls", run["seconds"], run["calls"]),
    };
    let day = |day: &Value| vec![shown(string(day, "day")), run(&day["up"]), run(&day["teardown"])];
    let days: Vec<Vec<String>> = list(document, "days").iter().map(day).collect();
    parts.extend(table(&["Day", "up", "teardown"], &days));
    let left: Vec<Vec<String>> = list(document, "left")
        .iter()
        .map(|found| vec![strings(found, "path").map(shown).collect::<Vec<_>>().join(" / ")])
        .collect();
    parts.extend(table(&["Not as it was after teardown"], &left));
    parts
}

/// A row of a plan, or of what was changed: a step of `up`, a resource of `teardown`, an alarm.
fn planned(row: &Value, titles: &BTreeMap<u64, &str>, shown: &dyn Fn(&str) -> String) -> Vec<String> {
    if let Some(ports) = row["ports"].as_str() {
        // A rule of the functions' direct path.
        let action = string(row, "action");
        let mark = if action == "close" { "\\-" } else { "" };
        let way = format!("port {} from {}: {}", shown(ports), shown(string(row, "source")), shown(action));
        let functions = strings(row, "functions").map(shown).collect::<Vec<_>>().join(", ");
        return vec![mark.to_owned(), way, functions, shown(string(row, "why"))];
    }
    let word = [string(row, "state"), string(row, "action")].concat();
    let mark = match word.as_str() {
        "create" => "+",
        "update" | "change" | "restore" => "~",
        "remove" | "delete" => "\\-",
        "conflict" => "!",
        "not_checked" => "?",
        _ => "",
    };
    let title = [string(row, "title"), string(row, "resource"), string(row, "name")].concat();
    let number = row["step"].as_u64();
    let known = number.and_then(|number| titles.get(&number).copied()).unwrap_or_else(|| string(row, "slug"));
    let title = if title.is_empty() { known } else { &title };
    let number = number.map(|number| format!("{number} ")).unwrap_or_default();
    let moved = |found: &Value| {
        format!(
            "{} {}: {} -&gt; {}",
            shown(string(found, "function")),
            shown(string(found, "variable")),
            shown(string(found, "from")),
            shown(string(found, "to"))
        )
    };
    let texts =
        ["details", "because", "detail"].into_iter().flat_map(|key| strings(row, key)).chain(row["detail"].as_str());
    let details = texts.map(shown).chain(list(row, "variables").iter().map(moved)).collect::<Vec<_>>();
    vec![mark.to_owned(), format!("{number}{}", shown(title)), shown(string(row, "subject")), details.join("<br>")]
}

/// How a step of a status stands, in the words of `status`.
fn standing(step: &Value) -> String {
    match string(step, "state") {
        "create" | "remove" => "missing".to_owned(),
        "update" => "differs".to_owned(),
        state => state.replace('_', " "),
    }
}

/// The steps of a stack that are not in place.
fn drifted(stack: &Value) -> impl Iterator<Item = &Value> {
    list(stack, "steps").iter().filter(|step| !matches!(string(step, "state"), "in_place" | "not_needed"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn strings<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    list(value, key).iter().filter_map(Value::as_str)
}
