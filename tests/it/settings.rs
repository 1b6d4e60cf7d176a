//! Settings in a file: which flags may stand there, that they do what the flags do, and what a file can never do.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, CommandFactory as _};
use config::{File, Shape};
use rdsproxy_setup::cli::Cli;
use rdsproxy_setup::cli::settings::RULES;
use serde_json::{Value, json};

use crate::desk::{Desk, Shown, shown};
use crate::docs::hold;

/// The commands that take settings, each with the long names of its flags.
fn flags() -> Vec<(String, Vec<(String, Shape)>)> {
    let program = Cli::command();
    let global: Vec<_> = program.get_arguments().filter(|flag| flag.is_global_set()).cloned().collect();
    let commands = program.get_subcommands().filter(|command| RULES.takes(command.get_name()));
    let of = |command: &clap::Command| {
        let all = command.get_arguments().chain(&global);
        let known = all.filter(|flag| !matches!(flag.get_action(), ArgAction::Help | ArgAction::Version));
        known.filter_map(|flag| Some((flag.get_long()?.to_owned(), Shape::of(flag)))).collect()
    };
    commands.map(|command| (command.get_name().to_owned(), of(command))).collect()
}

fn keys(command: &str) -> Vec<&'static str> {
    RULES.keys(command).collect()
}

#[test]
fn every_flag_is_a_key_or_is_refused_with_a_reason() {
    let (mut undecided, mut twice) = (Vec::new(), Vec::new());
    for (command, flags) in flags() {
        for (flag, _) in &flags {
            let key = RULES.common.contains(&flag.as_str()) || keys(&command).contains(&flag.as_str());
            match (key, RULES.refusal(&command, flag)) {
                (false, None) => undecided.push(format!("{command} --{flag}")),
                (true, Some(_)) => twice.push(format!("{command} --{flag}")),
                _ => {}
            }
        }
        let has = |key: &&str| flags.iter().any(|(flag, _)| flag == *key);
        let gone: Vec<&str> = keys(&command).into_iter().filter(|key| !has(key)).collect();
        assert_eq!(gone, [""; 0], "{command} has no such flags");
    }
    assert_eq!(undecided, [""; 0], "decide in src/cli/settings.rs whether these may stand in a file");
    assert_eq!(twice, [""; 0]);
    for (command, flag, why) in RULES.refused {
        let there = flags().iter().any(|(name, flags)| {
            (command.is_empty() || command == name) && flags.iter().any(|(known, _)| known == flag)
        });
        assert!(there && !why.is_empty(), "{command} --{flag} is no flag any more");
    }
}

#[test]
fn every_command_that_names_a_database_takes_settings() {
    for command in Cli::command().get_subcommands() {
        let named = command.get_arguments().any(|flag| flag.get_long() == Some("db"));
        assert!(!named || RULES.takes(command.get_name()), "{}", command.get_name());
    }
}

/// A value that the flag accepts.
fn sample(command: &str, key: &str, shape: Shape) -> String {
    let program = Cli::command();
    let flag =
        program.find_subcommand(command).unwrap().get_arguments().find(|flag| flag.get_long() == Some(key)).cloned();
    let choices = flag.map(|flag| flag.get_possible_values()).unwrap_or_default();
    // The last one is never the default.
    if let Some(choice) = choices.iter().map(clap::builder::PossibleValue::get_name).rfind(|choice| *choice != "none") {
        return choice.to_owned();
    }
    let role = "arn:aws:iam::123456789012:role/x";
    let text = match (command, key) {
        (_, "role-arn" | "function-role") => role,
        (_, "connect-policy-arn" | "permissions-boundary") => "arn:aws:iam::123456789012:policy/x",
        ("permissions", "secret") => "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbCdEf",
        (_, "kms-key") => "arn:aws:kms:eu-central-1:123456789012:key/x",
        (_, "account") => "123456789012",
        (_, "topic") => "arn:aws:sns:eu-central-1:123456789012:x",
        (_, "threshold") => "pool=90",
        _ if shape == Shape::Number => "7",
        _ => "x",
    };
    text.to_owned()
}

/// What a key needs beside it.
fn beside(key: &str) -> &'static [(&'static str, &'static str)] {
    match key {
        "waves" | "soak" | "canary-function" | "alias-weight" | "on-unknown" => &[("canary", "")],
        "create-secret" => &[("db-user", "u")],
        "secret-kms-key" => &[("db-user", "u"), ("create-secret", "")],
        _ => &[],
    }
}

/// What else the command line needs.
fn besides(command: &str, key: &str) -> &'static [&'static str] {
    match (command, key) {
        ("list", _) => &[],
        ("permissions", "name" | "client-auth" | "exclude-function" | "region") => &["--db", "x", "--discover"],
        ("wait", _) => &["--db", "x", "--for", "target"],
        ("export", "name" | "region" | "timeout") => &["--db", "x", "--to", "terraform"],
        _ => &["--db", "x"],
    }
}

fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("f.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn read(words: &[String]) -> Cli {
    let words = words.iter().map(OsString::from);
    Cli::read(words).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_key_does_what_its_flag_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut tried = 0;
    for (command, flags) in flags() {
        for (key, shape) in flags {
            if !RULES.common.contains(&key.as_str()) && !keys(&command).contains(&key.as_str()) {
                continue;
            }
            let value = sample(&command, &key, shape);
            let mut text = format!("[defaults.{command}]\n");
            let bare: Vec<String> =
                ["tool", &command].iter().chain(besides(&command, &key)).map(|&word| word.to_owned()).collect();
            let mut typed = bare.clone();
            let more = beside(&key).iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            for (key, value) in more.chain([(key.clone(), if shape == Shape::Switch { String::new() } else { value })])
            {
                let known = flags_of(&command, &key);
                typed.push(if known == Shape::Switch { format!("--{key}") } else { format!("--{key}={value}") });
                text += &match known {
                    Shape::Switch => format!("{key} = true\n"),
                    Shape::Number => format!("{key} = {value}\n"),
                    Shape::Text => format!("{key} = '{value}'\n"),
                    Shape::Texts => format!("{key} = ['{value}']\n"),
                };
            }
            if key == "name" {
                "[database.x]\nname = 'x'\n".clone_into(&mut text);
                if command == "list" {
                    continue;
                }
            }
            let path = file(folder.path(), &text);
            let from_file = [&bare[..], &[format!("--config={}", path.display())]].concat();
            let said = |cli: &Cli| format!("{:?} {:?}", cli.command, cli.global.region);
            let [typed, from_file] = [typed, from_file].map(|words| said(&read(&words)));
            assert_eq!(from_file, typed, "{command} {key}");
            // Without it, the command line is another one, or lacks something.
            let bare = Cli::read(bare.into_iter().map(OsString::from)).map(|cli| said(&cli));
            assert_ne!(bare.ok(), Some(from_file), "{command} {key}: it has no effect");
            tried += 1;
        }
    }
    assert!(tried > 90, "{tried}");
}

fn flags_of(command: &str, key: &str) -> Shape {
    let all = flags();
    let (_, flags) = all.iter().find(|(name, _)| name == command).unwrap();
    flags.iter().find(|(flag, _)| flag == key).unwrap().1
}

/// Runs it in a folder of its own, with the file's text beside it.
fn in_folder(desk: &Desk, text: &str, arguments: &[&str]) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rdsproxy-setup.toml"), text).unwrap();
    let all = [&["--sandbox"], arguments].concat();
    let mut command = desk.command(&all);
    shown(&all, command.current_dir(folder.path()).env("RDSPROXY_SANDBOX_SPEED", "600"))
}

#[test]
fn a_file_that_nobody_named_counts_for_nothing() {
    let desk = Desk::new();
    // Not even one that is wrong.
    for text in ["[database.my-instance]\nname = 'another-proxy'\nregion = 'us-east-1'\n", "nonsense"] {
        let plan = in_folder(&desk, text, &["up", "--db", "my-instance", "--dry-run"]);
        assert_eq!(plan.code, Some(0), "{plan}");
        assert!(plan.stdout.contains("my-instance-proxy") && !plan.stdout.contains("another-proxy"), "{plan}");
        assert!(plan.stderr.contains("rdsproxy-setup.toml in this directory is not used"), "{plan}");
        let quiet = in_folder(&desk, text, &["up", "--db", "my-instance", "--dry-run", "--quiet"]);
        assert!(!quiet.stderr.contains("rdsproxy-setup.toml"), "{quiet}");
        let declined = in_folder(&desk, text, &["up", "--db", "my-instance", "--dry-run", "--config="]);
        assert!(declined.code == Some(0) && !declined.stderr.contains("rdsproxy-setup.toml"), "{declined}");
    }
}

#[test]
fn a_named_file_counts_and_every_run_says_so() {
    let desk = Desk::new();
    let text =
        "[database.my-instance]\nname = 'orders-proxy'\n[database.my-instance.up]\nfunction = ['DBAppFunction']\n";
    let plan = ["up", "--db", "my-instance", "--dry-run", "--config", "rdsproxy-setup.toml"];
    let plan = in_folder(&desk, text, &plan);
    assert!(plan.stdout.contains("orders-proxy") && !plan.stdout.contains("BillingFunction"), "{plan}");
    assert!(plan.stderr.contains("Settings from rdsproxy-setup.toml: function, name."), "{plan}");
    let other = ["up", "--db", "my-cluster", "--dry-run", "--config=rdsproxy-setup.toml", "--output", "json"];
    let other = in_folder(&desk, text, &other);
    let note = "Settings from rdsproxy-setup.toml: none; it has no table for my-cluster.";
    assert!(other.stderr.lines().any(|line| serde_json::from_str::<Value>(line).unwrap()["text"] == note), "{other}");
    // A flag that excludes a key wins, and a warning says so.
    let excluded = [
        "up",
        "--db",
        "my-instance",
        "--dry-run",
        "--config=rdsproxy-setup.toml",
        "--exclude-function",
        "DBAppFunction",
    ];
    let excluded = in_folder(&desk, text, &excluded);
    assert_eq!(excluded.code, Some(0), "{excluded}");
    let warning =
        "warning: rdsproxy-setup.toml:4: function is not used: --exclude-function on the command line excludes it.";
    assert!(excluded.stderr.replace("\n ", "").contains(warning), "{excluded}");
}

#[test]
fn what_is_printed_to_go_on_names_the_file() {
    let desk = Desk::new();
    let text = "[database.my-instance]\nname = 'orders-proxy'\n";
    let up = ["up", "--db", "my-instance", "--yes", "--timeout", "12h", "--config", "rdsproxy-setup.toml"];
    let done = in_folder(&desk, text, &up);
    assert_eq!(done.code, Some(0), "{done}");
    let next = "rdsproxy-setup --sandbox --config rdsproxy-setup.toml teardown --db my-instance --name orders-proxy";
    assert!(done.stdout.contains(next), "{done}");
}

#[test]
fn a_file_can_consent_to_nothing_and_lead_nowhere() {
    let desk = Desk::new();
    let before = desk.dump();
    for (command, flag, why) in RULES.refused {
        let command = if command.is_empty() { "up" } else { command };
        for value in ["true", "'x'"] {
            let text = format!("[defaults.{command}]\n{flag} = {value}\n");
            let refused = in_folder(&desk, &text, &["up", "--db", "my-instance", "--config", "rdsproxy-setup.toml"]);
            assert_eq!(refused.code, Some(64), "{refused}");
            let said = format!("rdsproxy-setup.toml:2: \"{flag}\" is not for a file: {why}");
            assert!(refused.stderr.contains(&said), "{refused}");
        }
    }
    for text in ["db-user = ['app', '*']", "verify = 'none'"] {
        let text = format!("[defaults.up]\n{text}\n");
        let refused = in_folder(&desk, &text, &["up", "--db", "my-instance", "--config", "rdsproxy-setup.toml"]);
        assert!(refused.code == Some(64) && refused.stderr.contains("is not for a file"), "{refused}");
    }
    // Without consent on the command line, nothing happens, whatever the file says.
    let asked = in_folder(
        &desk,
        "[defaults.up]\nfunction = ['DBAppFunction']\n",
        &["up", "--db", "my-instance", "--config", "rdsproxy-setup.toml"],
    );
    assert_eq!(asked.code, Some(4), "{asked}");
    assert_eq!(desk.dump(), before);
}

#[test]
fn a_setting_that_fails_later_names_its_line() {
    let desk = Desk::new();
    let run = |text: &str| {
        in_folder(&desk, text, &["up", "--db", "my-instance", "--dry-run", "--config", "rdsproxy-setup.toml"])
    };
    let wrong = run("[defaults.up]\n\ntag = ['no-value']\n");
    assert_eq!(wrong.code, Some(64), "{wrong}");
    assert!(
        wrong.stderr.contains("error: --tag") && wrong.stderr.contains("hint: --tag is set in rdsproxy-setup.toml:3."),
        "{wrong}"
    );
    let clap = run("[defaults.up]\nidle-client-timeout = 0\n");
    assert_eq!(clap.code, Some(64), "{clap}");
    assert!(
        clap.stderr.starts_with("error: rdsproxy-setup.toml:2: invalid value '0' for '--idle-client-timeout"),
        "{clap}"
    );
    let gone = desk.run(&["status", "--config", "absent.toml"]);
    assert_eq!(gone.code, Some(64), "{gone}");
    assert!(gone.stderr.starts_with("error: reading the settings (absent.toml): No such file"), "{gone}");
    let folder = tempfile::tempdir().unwrap();
    for (bytes, said) in [(vec![0xff], "it is not UTF-8"), (vec![b'#'; (1 << 20) + 1], "it is larger than 1 MiB")] {
        let path = folder.path().join("f.toml");
        std::fs::write(&path, bytes).unwrap();
        let wrong = desk.run(&["status", "--output", "json", "--config", path.to_str().unwrap()]);
        let document: Value = serde_json::from_str(&wrong.stdout).unwrap();
        assert!(document["error"].as_str().unwrap().ends_with(said) && wrong.code == Some(64), "{wrong}");
    }
}

/// A row whose columns are as wide as they need to be: how wide the table is depends on the desk's file.
fn columns(line: &str) -> String {
    line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>().join("  ")
}

#[test]
fn where_each_value_comes_from() {
    let desk = Desk::new();
    let text = "[defaults]\nregion = 'eu-central-1'\n[defaults.up]\nsoak = '10m'\nverify = 'probe'\ntag = ['a=b', 'c=\u{202e}d']\n\
                [database.my-instance]\nname = 'orders-proxy'\n[database.my-instance.up]\nmax-connections-percent = 60\nrequire-tls = true\n";
    let arguments =
        ["up", "--db", "my-instance", "--verify", "static", "--config", "rdsproxy-setup.toml", "--show-config"];
    let shown = in_folder(&desk, text, &arguments).to_string();
    // The desk's own file is another one in each run.
    let lines = shown.lines().filter(|line| !line.starts_with("sandbox-file ")).map(columns).collect::<Vec<_>>();
    insta::assert_snapshot!("show_config", lines.join("\n"));
    let shown = in_folder(&desk, text, &[&arguments[..], &["--output", "json"]].concat());
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let of = |key: &str| {
        let all = document["settings"].as_array().unwrap();
        let mut found = all.iter().find(|setting| setting["key"] == key).unwrap().clone();
        found.as_object_mut().unwrap().remove("key");
        found
    };
    let from = |value: Value, from: &str, variable: Option<&str>, line: Option<usize>| json!({"value": value, "from": from, "variable": variable, "line": line});
    assert_eq!(of("db"), from(json!("my-instance"), "flag", None, None));
    assert_eq!(of("verify"), from(json!("static"), "flag", None, None));
    assert_eq!(of("region"), from(json!("eu-central-1"), "file", None, Some(2)));
    assert_eq!(of("max-connections-percent"), from(json!(60), "file", None, Some(10)));
    assert_eq!(of("require-tls"), from(json!(true), "file", None, Some(11)));
    assert_eq!(of("waves"), from(json!("1,25%,100%"), "default", None, None));
    assert_eq!(of("dry-run"), from(json!(false), "default", None, None));
    assert_eq!(of("init-query"), from(Value::Null, "unset", None, None));
    assert_eq!(of("sandbox-speed"), from(json!(600), "environment", Some("RDSPROXY_SANDBOX_SPEED"), None));
    let why: Vec<&str> =
        document["unused"].as_array().unwrap().iter().map(|unused| unused["why"].as_str().unwrap()).collect();
    assert_eq!(why, ["--verify on the command line comes first", "it needs --canary"]);
    let elsewhere = desk.run(&["sandbox", "show", "--show-config"]);
    assert_eq!(elsewhere.code, Some(64), "{elsewhere}");
}

#[test]
fn the_region_of_the_environment_comes_before_the_file() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "[defaults]\nregion = 'eu-west-1'\n");
    let arguments = ["list", "--output", "json", "--show-config", "--config", path.to_str().unwrap()];
    let region = |variables: &[(&str, &str)]| {
        let ran = shown(&arguments, desk.command(&arguments).envs(variables.iter().copied()));
        let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
        document["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == "region").unwrap()["value"]
            .clone()
    };
    assert_eq!(region(&[]), "eu-west-1");
    assert_eq!(region(&[("AWS_REGION", "")]), "eu-west-1");
    assert_eq!(region(&[("AWS_DEFAULT_REGION", "eu-north-1")]), "eu-north-1");
    assert_eq!(region(&[("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "eu-north-1")]), "us-east-1");
    // And the file itself may be named by the environment.
    let bare = ["list", "--show-config"];
    let ran = shown(&bare, desk.command(&bare).env("RDSPROXY_CONFIG", &path));
    assert!(ran.stdout.contains("eu-west-1"), "{ran}");
}

/// The example of docs/config.md, which a plan takes too.
#[test]
fn the_example_is_a_file_that_the_program_reads() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md")).unwrap();
    let (_, text) = page.split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let program = Cli::command();
    let parsed = File::parse("docs/config.md", text, &program, &RULES).unwrap();
    let database = (RULES.database)("my-instance").unwrap();
    let entries = parsed.entries("up", Some(&database), &program).unwrap();
    let keys: BTreeSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let wanted =
        ["canary", "function", "max-connections-percent", "name", "region", "soak", "tag", "timeout", "verify"];
    assert_eq!(keys, BTreeSet::from(wanted));
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), text);
    for command in ["up", "alarms"] {
        read(&["tool", command, "--db", "my-instance", "--config", path.to_str().unwrap()].map(str::to_owned));
    }
}

#[test]
fn the_schema_of_the_file_is_that_of_the_flags() {
    let schema = config::schema("rdsproxy-setup.toml", &Cli::command(), &RULES);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/config.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(held == text, "docs/schemas/config.json is not what the flags say; write it with UPDATE_DOCS=1");
    for command in RULES.commands() {
        let properties = schema["definitions"][command]["properties"].as_object().unwrap();
        assert!(RULES.keys(command).all(|key| properties.contains_key(key)), "{command}");
        for (key, property) in properties {
            assert!(!property["description"].as_str().unwrap().is_empty(), "{command} {key}");
        }
    }
}

#[test]
fn the_table_of_what_is_not_for_a_file_is_the_program_s() {
    let mut table = String::from("| flag | of | why |\n| --- | --- | --- |\n");
    for (command, flag, why) in RULES.refused {
        let of = if command.is_empty() { "all commands".to_owned() } else { format!("`{command}`") };
        table.push_str(&format!("| `--{flag}` | {of} | {why} |\n"));
    }
    for (flag, value, why) in RULES.values {
        table.push_str(&format!("| `--{flag} {value}` | all commands | {why} |\n"));
    }
    hold("docs/config.md", "refused", &table);
}
