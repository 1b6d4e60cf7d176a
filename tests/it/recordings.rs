//! `--record`: what of a run is in the file, what is not, and when it is offered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rdsproxy_setup::catalogue::STEPS;
use recording::Line;
use recording::line::{Call, Event};
use sandbox::{Fault, Service, Trigger, Trouble, World};
use serde_json::{Value, json};

use crate::desk::{Desk, Shown};
use crate::docs::{hold, hold_as};

/// Runs a command that records to a file of its own.
fn record(desk: &Desk, arguments: &[&str]) -> (Shown, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let shown = desk.run(&[arguments, &["--record", path.to_str().unwrap()]].concat());
    (shown, std::fs::read_to_string(path).unwrap_or_default())
}

fn lines(text: &str) -> Vec<Line> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(read).collect()
}

fn calls(lines: &[Line]) -> Vec<&Call> {
    lines.iter().filter_map(|line| if let Line::Call(call) = line { Some(&**call) } else { None }).collect()
}

fn events(lines: &[Line]) -> Vec<&Event> {
    lines.iter().filter_map(|line| if let Line::Event(event) = line { Some(event) } else { None }).collect()
}

const UP: [&str; 6] = ["up", "--db", "my-instance", "--yes", "--timeout", "12h"];

/// The one whose secret and password are made on the way.
const UP_WITH_SECRET: [&str; 10] = [
    "up",
    "--db",
    "my-cluster",
    "--create-secret",
    "--generate-password",
    "--db-user",
    "app",
    "--yes",
    "--timeout",
    "12h",
];

#[test]
fn every_call_of_a_run_is_a_line_with_the_step_that_it_served() {
    let desk = Desk::new();
    for arguments in [&UP[..], &["teardown", "--db", "my-instance", "--yes", "--timeout", "12h"]] {
        let (shown, text) = record(&desk, &[arguments, &["--output", "json", "-v"]].concat());
        assert_eq!(shown.code, Some(0), "{shown}");
        let lines = lines(&text);
        let Some(Line::Header(header)) = lines.first() else { panic!("{text}") };
        assert_eq!((header.command.as_str(), header.pseudonyms), (arguments[0], true));
        let Some(Line::End(end)) = lines.last() else { panic!("{text}") };
        let (calls, events) = (calls(&lines), events(&lines));
        assert_eq!((end.exit_code, end.calls), (0, calls.len() as u64));
        // What -v says is the same calls, in the same order, and what the run says is the same events.
        let told: Vec<Value> = shown.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |kinds: &[&str]| -> Vec<&Value> {
            told.iter().filter(|event| kinds.contains(&event["event"].as_str().unwrap())).collect()
        };
        let logged: Vec<(&str, &str)> = of(&["call"])
            .iter()
            .map(|call| (call["operation"].as_str().unwrap(), call["request_id"].as_str().unwrap_or_default()))
            .collect();
        let recorded: Vec<(&str, &str)> = calls
            .iter()
            .map(|call| (call.operation.as_str(), call.request_id.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(logged, recorded);
        let steps: Vec<(&str, &str)> = of(&["began", "ended"])
            .iter()
            .map(|event| (event["event"].as_str().unwrap(), event["slug"].as_str().unwrap()))
            .collect();
        let recorded: Vec<(&str, &str)> = events
            .iter()
            .filter(|event| matches!(event.event.as_str(), "began" | "ended"))
            .map(|event| (event.event.as_str(), event.step.as_deref().unwrap()))
            .collect();
        assert_eq!(steps, recorded);
        // Whatever changes something serves a step.
        let reads = ["Describe", "List", "Get", "Simulate", "Filter"];
        let changes = calls.iter().filter(|call| !reads.iter().any(|verb| call.operation.starts_with(verb)));
        let mut served = BTreeSet::new();
        for call in changes {
            let step = call.step.as_deref().unwrap_or_else(|| panic!("{call:?} serves no step"));
            assert!(STEPS.iter().any(|info| info.slug == step), "{step}");
            served.insert((call.operation.clone(), step.to_owned()));
        }
        let wanted = if arguments[0] == "up" { ("CreateDBProxy", "proxy") } else { ("DeleteDBProxy", "proxy") };
        assert!(served.contains(&(wanted.0.to_owned(), wanted.1.to_owned())), "{served:?}");
        let status = calls.iter().all(|call| call.status.is_some() && call.attempt == 1 && call.response.is_some());
        assert!(status, "no attempt failed");
    }
}

#[test]
fn each_attempt_is_a_line_and_what_broke_says_why() {
    let desk = Desk::new();
    desk.change(|world| {
        let at = |service, action: &str| Trigger::Every { service, action: action.to_owned() };
        world.faults.push(Fault::once(at(Service::Rds, "DescribeDBInstances"), Trouble::Throttle));
        world.faults.push(Fault::once(at(Service::Ec2, "DescribeSecurityGroups"), Trouble::DropBefore));
    });
    let (shown, text) = record(&desk, &["up", "--db", "my-instance", "--dry-run"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    let lines = lines(&text);
    let calls = calls(&lines);
    let attempts = |operation: &str| -> Vec<&&Call> {
        let first = calls.iter().position(|call| call.operation == operation && call.attempt == 2).unwrap();
        calls[..=first].iter().rev().filter(|call| call.operation == operation).take(2).collect()
    };
    let [second, first] = attempts("DescribeDBInstances")[..] else { panic!("{text}") };
    assert_eq!((first.attempt, first.error.as_ref().unwrap().code.as_deref()), (1, Some("Throttling")));
    assert_eq!((second.attempt, second.status), (2, Some(200)));
    let [second, first] = attempts("DescribeSecurityGroups")[..] else { panic!("{text}") };
    assert_eq!((first.status, first.response.as_ref()), (None, None));
    assert!(
        first.error.as_ref().unwrap().message.as_deref().unwrap().contains("the connection was reset"),
        "{first:?}"
    );
    assert_eq!((second.attempt, second.status), (2, Some(200)));
}

/// Forty canaries where people put things.
fn with_canaries(world: &mut World) -> Vec<String> {
    let mut planted = Vec::new();
    let mut canary = || {
        planted.push(format!("cAnary{:02}wq7Zt", planted.len()));
        planted.last().unwrap().clone()
    };
    for function in world.lambda.functions.values_mut() {
        function.latest.environment.get_or_insert_default().insert("API_KEY".to_owned(), canary());
        function.tags.insert("team".to_owned(), canary());
        function.latest.description = canary();
    }
    for secret in world.secrets.secrets.values_mut() {
        for version in &mut secret.versions {
            if let Some(text) = &mut version.text
                && let Ok(Value::Object(mut members)) = serde_json::from_str(text)
            {
                members.insert("note".to_owned(), json!(canary()));
                *text = Value::Object(members).to_string();
            }
        }
        secret.tags.insert("team".to_owned(), canary());
        secret.description = Some(canary());
    }
    for instance in world.rds.instances.values_mut() {
        instance.tags.insert("team".to_owned(), canary());
    }
    for group in world.ec2.groups.values_mut() {
        group.description = canary();
        group.tags.insert("team".to_owned(), canary());
    }
    for role in world.iam.roles.values_mut().take(6) {
        role.description = Some(canary());
        role.tags.insert("team".to_owned(), canary());
    }
    assert!(planted.len() >= 40, "{}", planted.len());
    planted
}

/// Everything that people put into an account, in every command, with names and without.
#[test]
fn no_canary_is_in_any_recording() {
    for plain in [false, true] {
        let desk = Desk::new();
        let mut planted = Vec::new();
        desk.change(|world| planted = with_canaries(world));
        let passwords: Vec<String> = desk
            .store()
            .world()
            .unwrap()
            .secrets
            .secrets
            .values()
            .flat_map(|secret| secret.versions.iter().filter_map(|version| version.text.clone()))
            .filter_map(|text| serde_json::from_str::<Value>(&text).ok()?["password"].as_str().map(str::to_owned))
            .collect();
        assert!(passwords.len() > 1, "{passwords:?}");
        let mut recorded = 0;
        for arguments in [
            &["doctor", "--db", "my-instance", "--inspect-secret", "--logs"][..],
            &UP,
            &UP_WITH_SECRET,
            &["verify", "--db", "my-instance", "--probe", "--yes"],
            &["alarms", "--db", "my-instance", "--dashboard", "--yes"],
            &["status", "--db", "my-instance"],
            &["advise", "--all"],
            &["up", "--db", "my-instance-2", "--tag", "team=cAnary00wq7Zt", "--yes"],
            &["teardown", "--db", "my-instance", "--yes", "--timeout", "12h"],
        ] {
            let mut arguments = arguments.to_vec();
            arguments.extend(plain.then_some("--record-plain"));
            let (shown, text) = record(&desk, &arguments);
            recorded += calls(&lines(&text)).len();
            let found: Vec<&String> = planted.iter().chain(&passwords).filter(|held| text.contains(*held)).collect();
            assert!(found.is_empty(), "{found:?}: {shown}");
            if !plain {
                assert!(!text.contains("my-instance") && !text.contains("my-cluster"), "{arguments:?}");
            }
            desk.hours_later(2);
        }
        assert!(recorded > 150, "{recorded} calls");
    }
}

/// The members of AWS's that are not kept, of all that commands meet: a new one is either listed as harmless or stands
/// here.
const REDACTED: &[&str] = &[
    "AlarmDescription",
    "DBSubnetGroupDescription",
    "DashboardBody",
    "Description",
    "EvalResourceName",
    "ExcludeCharacters",
    "Expression",
    "GroupDescription",
    "Label",
    "Location",
    "Marker",
    "NextMarker",
    "NextToken",
    "Payload",
    "PriceList",
    "SecretString",
    "Value",
    "ZipFile",
    "description",
    "events",
    "filterPattern",
    "groupDescription",
    "value",
];

#[test]
fn what_commands_read_is_on_the_list_or_redacted_on_purpose() {
    fn walk(place: &str, value: &Value, found: &mut BTreeMap<String, String>) {
        match value {
            Value::String(text) if text.starts_with("<redacted") => {
                found.insert(place.rsplit('.').next().unwrap().to_owned(), place.to_owned());
            }
            // Names of variables and of tags are the people's.
            Value::Object(members) => {
                for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "Variables" | "Tags")) {
                    walk(&format!("{place}.{name}"), value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(place, item, found)),
            _ => {}
        }
    }
    let desk = Desk::new();
    let mut found = BTreeMap::new();
    for arguments in [
        &UP[..],
        &UP_WITH_SECRET,
        &["doctor", "--db", "my-instance", "--inspect-secret", "--logs"],
        &["verify", "--db", "my-cluster", "--probe", "--yes"],
        &["alarms", "--db", "my-instance", "--dashboard", "--yes"],
        &["watch", "--db", "my-instance", "--once"],
        &["advise", "--all"],
        &["teardown", "--db", "my-instance", "--yes", "--timeout", "12h"],
    ] {
        let (shown, text) = record(&desk, arguments);
        assert!(!text.is_empty(), "{shown}");
        for call in calls(&lines(&text)) {
            let place = format!("{}:{}", call.service, call.operation);
            walk(&place, &call.request.body.members, &mut found);
            if let Some(response) = &call.response {
                walk(&place, &response.members, &mut found);
                assert!(format!("{:?}", response.form) != "Other" || response.members.is_null(), "{place}");
            }
        }
        desk.hours_later(2);
    }
    found.retain(|name, _| !REDACTED.contains(&name.as_str()));
    assert_eq!(found, BTreeMap::new(), "neither on the list of crates/recording nor here");
}

#[test]
fn a_file_that_exists_ends_the_command_before_anything_is_read() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("taken.jsonl");
    std::fs::write(&path, "mine").unwrap();
    let before = desk.dump();
    let shown = desk.run(&[&UP[..], &["--record", path.to_str().unwrap()]].concat());
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(
        shown.stderr.contains("writing the recording") && shown.stderr.contains("Nothing is overwritten"),
        "{shown}"
    );
    assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), desk.dump()), ("mine", before));
}

fn refused(desk: &Desk) {
    desk.change(|world| {
        let trigger = Trigger::Every { service: Service::Rds, action: "DescribeDBInstances".to_owned() };
        let (code, message) = ("InvalidParameterCombination".to_owned(), "It does not work like that.".to_owned());
        world.faults.push(Fault::repeated(trigger, Trouble::ErrorBefore { status: 400, code, message }, 100));
    });
}

#[test]
fn without_a_terminal_a_failure_only_names_the_flag() {
    let desk = Desk::new();
    refused(&desk);
    let named = |shown: &Shown| shown.stderr.contains("--record FILE");
    let status = ["up", "--db", "my-instance", "--dry-run"];
    let shown = desk.run(&status);
    assert!(shown.code == Some(1) && named(&shown), "{shown}");
    let shown = desk.run(&[&status[..], &["--output", "json"]].concat());
    assert!(named(&shown), "{shown}");
    let note: Value = serde_json::from_str(shown.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(note["event"], "note");
    assert!(!named(&desk.run(&[&status[..], &["--quiet"]].concat())));
    let (shown, text) = record(&desk, &status);
    assert!(!named(&shown), "{shown}");
    assert!(
        lines(&text).iter().any(
            |line| matches!(line, Line::Failure(failure) if failure.error.contains("InvalidParameterCombination"))
        ),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn at_a_terminal_a_failure_offers_to_write_what_happened() {
    use crate::signals::{Terminal, tell};
    let desk = Desk::new();
    refused(&desk);
    let folder = tempfile::tempdir().unwrap();
    let run = |answer: &str| {
        let mut command = desk.command(&["--sandbox", "--sandbox-speed=600", "up", "--db", "my-instance", "--dry-run"]);
        command.current_dir(folder.path()).env("TERM", "xterm-256color");
        let mut at = Terminal::sized(&mut command, 40, 120);
        at.until("[yes/no]");
        assert!(at.shown.contains("safe to attach to an issue"), "{}", at.shown);
        if answer.is_empty() {
            tell(&at.child, "-INT");
        }
        at.write(answer);
        at.until_it_ends()
    };
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let (shown, code) = run("no\n");
    assert_eq!((code, files().len()), (Some(1), 0), "{shown}");
    // Ctrl-C is a no.
    let (shown, code) = run("");
    assert_eq!((code, files().len()), (Some(1), 0), "{shown}");
    let (shown, code) = run("yes\n");
    assert!(code == Some(1) && shown.contains("Written: rdsproxy-setup-"), "{shown}");
    let [path] = &files()[..] else { panic!("{shown}") };
    let text = std::fs::read_to_string(path).unwrap();
    let lines = lines(&text);
    assert!(matches!((lines.first(), lines.last()), (Some(Line::Header(_)), Some(Line::End(_)))), "{text}");
    assert!(calls(&lines).iter().any(|call| call.error.is_some()) && !text.contains("my-instance"), "{text}");
}

/// Without what differs from run to run: times, sizes, ids of requests, the file that it was written to, the order in
/// which calls at one time were answered, and the numbers of pseudonyms, which follow from it.
fn timeless(text: &str) -> String {
    fn unnumbered(text: &str) -> String {
        let token = |part: &str| {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
            let (word, rest) = part.split_at(end);
            let word = if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word };
            format!("{word}{rest}")
        };
        text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).map(token).collect()
    }
    fn plain(value: &mut Value) {
        match value {
            Value::Object(members) => {
                let varies = ["at_seconds", "elapsed_seconds", "bytes", "request_id", "time", "number"];
                members.retain(|name, _| !varies.contains(&name.as_str()));
                members.values_mut().for_each(plain);
            }
            Value::Array(items) => items.iter_mut().for_each(plain),
            Value::String(text) if text.starts_with("20") && text.ends_with('Z') => text.clear(),
            Value::String(text) if text.starts_with("<redacted") => text.truncate("<redacted".len()),
            Value::String(text) => *text = unnumbered(text),
            _ => {}
        }
    }
    let one = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(mut value) => {
            plain(&mut value);
            value.to_string()
        }
        Err(_) => line.to_owned(),
    };
    let mut lines: Vec<String> = text.lines().map(|line| one(line) + "\n").collect();
    lines.sort_unstable();
    lines.concat()
}

#[test]
fn the_example_in_the_documents_is_a_recording() {
    let desk = Desk::new();
    crate::cli::up(&desk, "my-instance");
    desk.hours_later(2);
    desk.change(|world| {
        let trigger = Trigger::Every { service: Service::Rds, action: "DescribeDBProxyTargets".to_owned() };
        let (code, message) = ("InvalidParameterCombination".to_owned(), "It does not work like that.".to_owned());
        world.faults.push(Fault::repeated(trigger, Trouble::ErrorBefore { status: 400, code, message }, 100));
    });
    let (shown, text) = record(&desk, &["list"]);
    assert_eq!(shown.code, Some(1), "{shown}");
    hold_as("docs/recording.md", "example", &format!("```json\n{text}```\n"), timeless);
}

/// The format as its types have it: each member with its type and what it means.
#[test]
fn the_schema_in_the_documents_is_that_of_the_types() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/recording/src/line.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let (mut text, mut said) = (String::new(), String::new());
    for line in source.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            said = format!("{said} {doc}").trim_start().to_owned();
        } else if let Some(name) = line.strip_prefix("pub struct ").and_then(|rest| rest.split(' ').next()) {
            text.push_str(&format!("### {name}\n\n{said}\n\n| member | type | what |\n| --- | --- | --- |\n"));
            said.clear();
        } else if let Some((name, kind)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": ")) {
            let kind = kind.trim_end_matches(',');
            let (kind, null) = match kind.strip_prefix("Option<").and_then(|kind| kind.strip_suffix('>')) {
                Some(kind) => (kind, " or null"),
                None => (kind, ""),
            };
            let (kind, list) = match kind.strip_prefix("Vec<").and_then(|kind| kind.strip_suffix('>')) {
                Some(kind) => (kind, "list of "),
                None => (kind, ""),
            };
            let word = match kind {
                "String" => "string",
                "bool" => "boolean",
                "u8" | "u16" | "u32" | "u64" | "usize" | "f64" => "number",
                "Value" => "object, string or null",
                "Form" => "`empty`, `form`, `xml`, `json`, `cbor` or `other`",
                other => other,
            };
            if !name.starts_with("const") {
                let said = said.replace("[`FORMAT`]", "`rdsproxy-setup-recording`").replace("[`VERSION`]", "1");
                text.push_str(&format!("| `{name}` | {list}{word}{null} | {said} |\n"));
            }
            said.clear();
        } else if line == "}" {
            if !text.is_empty() && !text.ends_with("\n\n") {
                text.push('\n');
            }
            said.clear();
        } else if !line.starts_with("#[") {
            said.clear();
        }
    }
    hold("docs/recording.md", "schema", &format!("{}\n", text.trim_end()));
}
