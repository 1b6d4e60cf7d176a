//! Documents that say what the program does are written by it, so that they cannot rot.
//!
//! A block between `<!-- generated: NAME -->` and `<!-- end -->` is compared with what the program says today;
//! `UPDATE_DOCS=1 cargo test docs` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clap::{Parser, ValueEnum as _};
use rdsproxy_setup::catalogue::{STEPS, checks};
use rdsproxy_setup::cli::Cli;
use rdsproxy_setup::engine::Timeouts;
use rdsproxy_setup::exit::Exit;
use rdsproxy_setup::permissions::{Feature, If, PERMISSIONS, Verb};
use rdsproxy_setup::probe::faults::FAULTS;
use sandbox::{Moment, World};
use serde_json::Value;

use crate::desk::{Desk, timeless};

/// Holds the block `name` of a document to `text`, or writes it when asked to.
pub(crate) fn hold(document: &str, name: &str, text: &str) {
    hold_as(document, name, text, str::to_owned);
}

/// As [`hold`], for texts that need only be equal once `plain` has made them so.
pub(crate) fn hold_as(document: &str, name: &str, text: &str, plain: fn(&str) -> String) {
    // Tests run side by side, and a document is one file.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let whole = std::fs::read_to_string(&path).unwrap();
    let (open, close) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->");
    let start = whole.find(&open).unwrap_or_else(|| panic!("{document} has no block {name}")) + open.len();
    let end = start + whole[start..].find(close).unwrap();
    if plain(&whole[start..end]) == plain(text) {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_none() {
        assert_eq!(&whole[start..end], text, "{document}: the block {name} has rotted; write it with UPDATE_DOCS=1");
    }
    std::fs::write(&path, format!("{}{text}{}", &whole[..start], &whole[end..])).unwrap();
}

/// Writes the block `name` of `docs/testing.md` when asked to; else holds its first line, which says what was counted
/// and over how many calls.
pub(crate) fn measured(name: &str, table: &str) {
    measured_in("docs/testing.md", name, table);
}

/// The same for another document.
pub(crate) fn measured_in(file: &str, name: &str, table: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        hold(file, name, table);
        return;
    }
    // Figures move with every call that is added; a table of a run that has other calls is not this program's.
    let whole = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let head = format!("<!-- generated: {name} -->\n{}\n", table.lines().next().unwrap());
    assert!(whole.contains(&head), "{file}: the block {name} is of another run; write it with UPDATE_DOCS=1:\n{table}");
}

#[test]
fn the_table_of_steps_is_the_catalogue() {
    let mut table = String::from("| # | step | AWS calls | why |\n| --- | --- | --- | --- |\n");
    for info in &STEPS {
        let (number, title, url) = (info.number, info.title, info.doc_url());
        table.push_str(&format!("| {number} | [{title}]({url}) | {} | {} |\n", info.calls, info.why));
    }
    hold("docs/steps.md", "steps", &table);
}

#[test]
fn the_table_of_waits_is_the_timeouts() {
    let timeouts = Timeouts::default();
    let waits = [
        (timeouts.proxy, "a proxy to be created or changed", "Terraform's provider waits as long"),
        (timeouts.target, "a target to become available", "CloudFormation's handler waits as long"),
        (timeouts.deletion, "a proxy, its interfaces and its group to be gone", "Terraform's provider waits as long"),
        (timeouts.propagation, "IAM and other reads that lag behind", "Terraform's constant for IAM"),
        (timeouts.database, "the database to leave a passing state", "registration is refused until then"),
        (timeouts.function, "a function's update to be live", "the SDK's own waiter takes as long"),
        (timeouts.probe, "a probe to be made and to answer", "its network interfaces can take 90 s"),
        (
            timeouts.canary,
            "CloudWatch to show enough of a wave, beyond the soak",
            "59 invocations at five a minute take twelve",
        ),
    ];
    assert_eq!(waits.map(|(limit, ..)| limit.name), Timeouts::NAMES);
    let mut table = String::from("| wait | limit | for | source |\n| --- | --- | --- | --- |\n");
    for (limit, what, source) in waits {
        table.push_str(&format!("| `{}` | {} min | {what} | {source} |\n", limit.name, limit.span.as_secs() / 60));
    }
    hold("docs/steps.md", "waits", &table);
}

#[test]
fn the_table_of_permissions_is_the_program_s() {
    let mut table = String::from(
        "| action | up | status | restore | teardown | close-direct | rehearse | advise | export | watch | alarms | doctor | verify | with | on | condition | what for |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for needed in PERMISSIONS {
        let mark = |verb| if needed.verbs.contains(&verb) { "x" } else { "" };
        let (up, status, teardown) = (mark(Verb::Up), mark(Verb::Status), mark(Verb::Teardown));
        let close = if needed.verbs.contains(&Verb::Status) { "x" } else { mark(Verb::CloseDirect) };
        // A diagnosis reads what a status reads, and more.
        let doctor = if needed.verbs.contains(&Verb::Status) { "x" } else { mark(Verb::Doctor) };
        let verify = mark(Verb::Verify);
        let (advise, watch, alarms) = (mark(Verb::Advise), mark(Verb::Watch), mark(Verb::Alarms));
        let all: &[rdsproxy_setup::permissions::Feature] = clap::ValueEnum::value_variants();
        let restore = if needed.needed(&[Verb::Restore], all) { "x" } else { "" };
        let export = if needed.needed(&[Verb::Export], all) { "x" } else { "" };
        let rehearse = if needed.needed(&[Verb::Rehearse], all) { "x" } else { "" };
        let condition = match needed.condition {
            If::Always => "",
            If::Ours => "ours",
            If::MadeOurs => "made with our tag",
            If::MadeOursBounded => "made with our tag, and the boundary",
            If::OursBounded => "ours, and the boundary",
            If::OurPolicy => "our policy",
            If::PassedToRds => "to RDS",
            If::PassedToLambda => "to Lambda",
            If::RdsService => "RDS's own",
            If::TagsOnCreate => "in a create call",
            If::ThroughSecretsManager => "through Secrets Manager",
            If::ThroughLambda => "through Lambda",
        };
        let name = |feature: &Feature| feature.to_possible_value().unwrap().get_name().to_owned();
        let with = needed.features.iter().map(name).collect::<Vec<_>>().join(", ");
        let (action, on, why) = (needed.action, needed.on.words(), needed.why);
        table.push_str(&format!(
            "| `{action}` | {up} | {status} | {restore} | {teardown} | {close} | {rehearse} | {advise} | {export} | {watch} | {alarms} | {doctor} | {verify} | {with} | {on} | {condition} | {why} |\n"
        ));
    }
    hold("docs/permissions.md", "permissions", &table);
}

#[test]
fn the_table_of_faults_is_the_probe_s() {
    let mut table = String::from(
        "| fault | at | meaning | likely cause behind an RDS Proxy | fix |\n| --- | --- | --- | --- | --- |\n",
    );
    for fault in FAULTS {
        let (at, meaning, cause, fix) = (fault.at.join(", "), fault.meaning, fault.cause, fault.fix);
        table.push_str(&format!("| `{}` | {at} | {meaning} | {cause} | {fix} |\n", fault.code));
    }
    hold("docs/verify.md", "faults", &table);
}

#[test]
fn the_table_of_alarms_is_the_program_s() {
    let mut text = String::new();
    for info in observe::alarms::KINDS {
        let (key, title, unit) = (info.key, info.title, info.unit);
        let threshold = unit.shown(info.threshold);
        let watches = match info.expression {
            // As the expression has them.
            Some(expression) => {
                let named = (1..)
                    .zip(info.metrics)
                    .fold(expression.to_owned(), |text, (place, metric)| text.replace(&format!("m{place}"), metric));
                format!("`{named}`")
            }
            None => format!("`{}`", info.metrics[0]),
        };
        let side = match info.comparison {
            "LessThanThreshold" => format!("below {threshold}"),
            "GreaterThanUpperThreshold" => format!("more than {threshold} above what CloudWatch expects"),
            _ => format!("above {threshold}"),
        };
        let of = match info.scope {
            observe::alarms::Scope::Proxy => "the proxy",
            observe::alarms::Scope::Writer => "the proxy; of a cluster, its writer",
            observe::alarms::Scope::Role => "the writer",
        };
        let (points, span) = (format!("{} of {}", info.needed, info.evaluated), info.period);
        text.push_str(&format!(
            "### {key}: {title}\n\n- **Watches**: {watches}, {} over {span} seconds, of {of}\n- **Goes off**: {side}, in {points} points; \
             {}\n- **Missing data**: {}; {}\n- **Then**: {} {}\n\n",
            info.statistic, info.why, info.missing, info.why_missing, info.meaning, info.then
        ));
    }
    hold("docs/alarms.md", "alarms", &text);
}

#[test]
fn the_table_of_exit_codes_is_the_program_s() {
    let mut table = String::from("| code | meaning |\n| --- | --- |\n");
    for exit in Exit::ALL {
        table.push_str(&format!("| {} | {} |\n", exit.code(), exit.meaning()));
    }
    hold("docs/exit-codes.md", "exit codes", &table);
}

#[test]
fn the_transcript_in_the_readme_is_what_the_command_prints() {
    let desk = Desk::new();
    let shown = desk.output(&["--sandbox", "up", "--db", "my-instance", "--yes", "--timeout", "12h"]);
    hold_as("README.md", "transcript", &format!("```text\n{shown}```\n"), timeless);
}

/// Every command that a document shows is one that the program understands.
#[test]
fn every_command_in_the_documents_is_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for path in docs.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        // A line that ends with a backslash goes on in the next.
        for line in text.replace("\\\n", " ").lines().filter_map(|line| line.strip_prefix("$ ")) {
            let ours = line.strip_prefix("rdsproxy-setup ").or_else(|| line.strip_prefix("cargo run -- "));
            let Some(arguments) = ours else { continue };
            let command = arguments.split([';', '|', '>', '#']).next().unwrap();
            let parsed = Cli::try_parse_from(["rdsproxy-setup"].into_iter().chain(command.split_whitespace()));
            assert!(parsed.is_ok(), "{}: {line}: {}", path.display(), parsed.unwrap_err());
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen} commands were found");
}

#[test]
fn the_page_of_troubles_is_the_table_of_checks() {
    let mut text = String::new();
    for info in checks::all() {
        let (name, title, word, url) = (info.name(), info.title, info.severity.word(), info.url());
        let (symptom, cause, fix) = (info.symptom, info.cause, info.fix);
        text.push_str(&format!(
            "### {name}: {title}\n\n- **Seen as**: {symptom}\n- **Cause**: {cause}\n- **Fix**: {fix}\n- {word}; \
             [AWS's page]({url})\n\n"
        ));
    }
    hold("docs/troubleshooting.md", "checks", &text);
}

#[test]
fn the_transcript_of_a_failure_found_and_fixed_is_what_the_program_prints() {
    let desk = Desk::new();
    desk.output(&["--sandbox", "up", "--db", "my-instance", "--yes", "--quiet", "--timeout", "12h"]);
    // Someone tidies the database's group up.
    let tidy = |world: &mut World| {
        let group = world.ec2.groups.values_mut().find(|group| group.name == "my-instance-db").unwrap();
        group.rules.retain(|_, rule| !rule.tags.contains_key("rdsproxy-setup:stack"));
        for proxy in world.rds.proxies.values_mut() {
            proxy.ready = Moment(0);
            proxy.target_group.target.as_mut().unwrap().registered = Moment(0);
        }
    };
    desk.change(tidy).hours_later(2);
    let mut text = String::from("```text\n");
    for arguments in [
        &["doctor", "--db", "my-instance"][..],
        &["up", "--db", "my-instance", "--yes", "--quiet", "--timeout", "12h"],
        &["doctor", "--db", "my-instance"],
    ] {
        let shown = desk.run(arguments);
        desk.hours_later(2);
        text.push_str(&format!("$ rdsproxy-setup {}\n{}\n", shown.command.split_once(' ').unwrap().1, shown.stdout));
    }
    hold_as("docs/troubleshooting.md", "transcript", &format!("{}\n```\n", text.trim_end()), timeless);
}

/// The keys of a JSON value with their types: `plan[].step` is a number.
fn keys(place: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                keys(&format!("{place}[]"), item, found);
            }
            "list"
        }
        Value::Object(members) => {
            for (name, member) in members {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                keys(&place, member, found);
            }
            "object"
        }
    };
    found.entry(place.to_owned()).or_default().insert(kind);
}

/// The table of what several values of one kind have in common, and of what only some of them have.
fn table_of_keys(values: &[Value]) -> String {
    let mut found = BTreeMap::new();
    for value in values {
        keys("", value, &mut found);
    }
    let mut table = String::from("| key | type |\n| --- | --- |\n");
    for (place, kinds) in found.iter().filter(|(place, _)| !place.is_empty()) {
        let kinds: Vec<&str> = kinds.iter().copied().collect();
        table.push_str(&format!("| `{place}` | {} |\n", kinds.join(" or ")));
    }
    table
}

#[test]
fn the_tables_of_json_keys_are_what_commands_print() {
    let desk = Desk::new();
    let files = tempfile::tempdir().unwrap();
    let folder = files.path().to_str().unwrap();
    let config = files.path().join("rdsproxy-setup.toml");
    std::fs::write(&config, "[defaults.up]\nsoak = '9m'\nverify = 'probe'\n").unwrap();
    let config = config.to_str().unwrap();
    let refused = files.path().join("plan.json");
    let refused = refused.to_str().unwrap();
    let saved = desk.run(&["up", "--db", "my-instance", "--plan-out", refused]);
    assert_eq!(saved.code, Some(0), "{saved}");
    // A plan for another database of that name.
    let mut plan: Value = serde_json::from_str(&std::fs::read_to_string(refused).unwrap()).unwrap();
    plan["entries"][0]["basis"]["resource ID"] = Value::from("db-OTHER");
    std::fs::write(refused, plan.to_string()).unwrap();
    let mut documents = String::new();
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (title, arguments) in [
        ("advise", &["advise", "--db", "my-instance"][..]),
        ("advise --all", &["advise", "--all"]),
        ("up --show-config", &["up", "--db", "my-instance", "--show-config", "--config", config]),
        ("up --dry-run", &["up", "--db", "my-instance", "--dry-run"]),
        ("up --plan, refused", &["up", "--plan", refused]),
        ("up --wait=false", &["up", "--db", "my-instance", "--yes", "--wait=false"]),
        ("up", &["up", "--db", "my-instance", "--yes", "--timeout", "12h", "-v"]),
        ("alarms --dry-run", &["alarms", "--db", "my-instance", "--dashboard", "--dry-run"]),
        ("alarms", &["alarms", "--db", "my-instance", "--dashboard", "--yes"]),
        ("status", &["status", "--db", "my-instance"]),
        ("list", &["list"]),
        ("wait", &["wait", "--db", "my-instance", "--for", "functions"]),
        ("watch --once", &["watch", "--db", "my-instance", "--once"]),
        ("doctor", &["doctor", "--db", "my-instance"]),
        ("verify --probe", &["verify", "--db", "my-instance", "--probe", "--yes"]),
        ("permissions --discover", &["permissions", "--discover", "--for", "status", "--db", "my-instance"]),
        ("token", &["token", "--db", "my-instance"]),
        ("connect", &["connect", "--db", "my-instance"]),
        ("export", &["export", "--db", "my-instance", "--to", "terraform", "--dir", folder]),
        ("export --hand-over", &["export", "--db", "my-instance", "--hand-over", "--yes"]),
        ("export --take-back", &["export", "--db", "my-instance", "--take-back", "--yes"]),
        ("a failure of any command", &["up", "--db", "absent", "--yes"]),
        ("close-direct --dry-run", &["close-direct", "--db", "my-instance", "--dry-run"]),
        ("close-direct", &["close-direct", "--db", "my-instance", "--yes"]),
        ("alarms --remove", &["alarms", "--db", "my-instance", "--remove", "--yes"]),
        ("restore --dry-run", &["restore", "--db", "my-instance", "--dry-run"]),
        ("restore", &["restore", "--db", "my-instance", "--yes"]),
        ("up --canary", &["up", "--db", "my-instance", "--canary", "--yes"]),
        ("teardown --dry-run", &["teardown", "--db", "my-instance", "--dry-run"]),
        ("teardown", &["teardown", "--db", "my-instance", "--yes"]),
    ] {
        let shown = desk.run(&[arguments, &["--output", "json"]].concat());
        // Metrics come some minutes late.
        desk.hours_later(2);
        let document: Value = serde_json::from_str(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {shown}"));
        let more = if title == "watch --once" { crate::live::documents().to_vec() } else { Vec::new() };
        let table = table_of_keys(&[vec![document], more.clone()].concat());
        assert!(
            more.is_empty() || table == table_of_keys(&more),
            "{title}: what is printed is not what can be: {table}"
        );
        documents.push_str(&format!("### {title}\n\n{table}\n"));
        for line in shown.stderr.lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            events.entry(event["event"].as_str().unwrap().to_owned()).or_default().push(event);
        }
    }
    // Whether a call had to be answered twice depends on how busy this machine is.
    let known = ["began", "call", "ended", "error", "note", "probe", "waiting", "wave"];
    assert_eq!(events.keys().map(String::as_str).collect::<Vec<_>>(), known);
    let events: Vec<String> =
        events.iter().map(|(name, lines)| format!("### {name}\n\n{}\n", table_of_keys(lines))).collect();
    hold("docs/json.md", "documents", &format!("{}\n", documents.trim_end()));
    hold("docs/json.md", "events", &format!("{}\n", events.concat().trim_end()));
}
