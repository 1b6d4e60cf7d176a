//! Files over a small program: what counts, what is refused, and what clap says of it.

use clap::{Arg, ArgAction, Command};
use proptest::prelude::*;

use crate::{Applied, Database, File, Rules, Wrong, apply, schema};

fn program() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name);
    let switch = |name: &'static str| flag(name).action(ArgAction::SetTrue);
    let common = [flag("db").required(true), flag("name")];
    let up = Command::new("up").args(common.clone()).args([
        flag("function").action(ArgAction::Append),
        flag("exclude-function").action(ArgAction::Append).conflicts_with("function"),
        flag("max-connections-percent").value_parser(clap::value_parser!(i32).range(1..=100)),
        flag("verify").value_parser(["static", "probe", "none"]).default_value("static"),
        switch("canary").conflicts_with("prepare"),
        flag("soak").requires("canary"),
        switch("prepare"),
        switch("require-tls").overrides_with("no-require-tls"),
        switch("no-require-tls"),
        switch("yes"),
    ]);
    let alarms = Command::new("alarms")
        .args(common)
        .args([flag("topic").action(ArgAction::Append), switch("remove").conflicts_with("topic")]);
    Command::new("tool").arg(flag("region").global(true)).subcommands([up, alarms, Command::new("list")])
}

fn database(text: &str) -> Result<Database, String> {
    if text.contains(' ') {
        return Err("a space".to_owned());
    }
    let id = text.rsplit(':').next().unwrap_or(text).to_owned();
    Ok(Database { arn: text.starts_with("arn:").then(|| text.to_owned()), id })
}

const RULES: Rules = Rules {
    common: &["name", "region"],
    own: &["name"],
    commands: &[
        (
            "up",
            &[
                &["function", "exclude-function", "max-connections-percent", "verify", "require-tls", "no-require-tls"],
                &["canary", "soak"],
            ],
        ),
        ("alarms", &[&["topic"]]),
    ],
    refused: &[("", "yes", "consent is for one run"), ("", "db", "it chooses the table"), ("up", "prepare", "one run")],
    values: &[("verify", "none", "checks are left out for one run")],
    database,
};

fn read(text: &str) -> Result<File, Wrong> {
    File::parse("f.toml", text, &program(), &RULES)
}

fn run(text: &str, line: &str) -> Result<Applied, Wrong> {
    let words: Vec<std::ffi::OsString> = line.split(' ').map(Into::into).collect();
    let command = words.iter().filter_map(|word| word.to_str()).find(|word| RULES.takes(word)).unwrap();
    let db = words.windows(2).find(|pair| pair[0] == "--db").map(|pair| database(pair[1].to_str().unwrap()).unwrap());
    let entries = read(text)?.entries(command, db.as_ref(), &program())?;
    apply(&program(), command, &words, entries, |key| {
        (key == "region" && line.contains("env")).then(|| "env".to_owned())
    })
}

fn line(text: &str, line: &str) -> String {
    let applied = run(text, line).unwrap();
    applied.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

fn wrong(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_most_specific_table_counts_and_the_command_line_before_all() {
    let text = "[defaults]\nregion = 'r1'\n[defaults.up]\nfunction = ['a', 'b']\nverify = 'probe'\n\
                [database.x]\nname = 'n'\nregion = 'r2'\n[database.x.up]\nfunction = 'c'\n[database.y]\nname = 'm'\n";
    assert_eq!(line(text, "tool up --db z"), "tool up --db z --function=a --function=b --verify=probe --region=r1");
    assert_eq!(line(text, "tool up --db x"), "tool up --db x --function=c --name=n --region=r2 --verify=probe");
    assert_eq!(
        line(text, "tool --region r3 up --db x --function d"),
        "tool --region r3 up --db x --function d --name=n --verify=probe"
    );
    assert_eq!(line(text, "tool alarms --db y --name env"), "tool alarms --db y --name env");
    assert_eq!(
        line(text, "tool up --db z --"),
        "tool up --db z --function=a --function=b --verify=probe --region=r1 --"
    );
}

#[test]
fn a_flag_sets_aside_what_it_excludes_and_a_key_waits_for_what_it_needs() {
    let text = "[defaults.up]\nsoak = '9m'\ncanary = true\nrequire-tls = true\nfunction = ['a']\n[defaults.alarms]\ntopic = ['t']\n";
    assert_eq!(line(text, "tool up --db x"), "tool up --db x --canary --function=a --require-tls --soak=9m");
    assert_eq!(line(text, "tool up --db x --soak 1m"), "tool up --db x --soak 1m --canary --function=a --require-tls");
    let prepared = run(text, "tool up --db x --prepare --no-require-tls --exclude-function b").unwrap();
    // clap asks for no flag that something on the command line excludes.
    assert_eq!(prepared.used.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["soak"]);
    let why: Vec<(&str, &str, bool)> =
        prepared.unused.iter().map(|each| (each.entry.key.as_str(), each.why.as_str(), each.excluded)).collect();
    assert_eq!(
        why,
        [
            ("canary", "--prepare on the command line excludes it", true),
            ("function", "--exclude-function on the command line excludes it", true),
            ("require-tls", "another flag on the command line takes its place", true),
        ]
    );
    assert_eq!(line(text, "tool alarms --db x --remove"), "tool alarms --db x --remove");
    let alone = run("[defaults.up]\nsoak = '9m'\n", "tool up --db x").unwrap();
    assert_eq!(alone.unused[0].why, "it needs --canary");
    // Off for one database, where it is on for all.
    let off = format!("{text}[database.x.up]\ncanary = false\n");
    assert_eq!(line(&off, "tool up --db x"), "tool up --db x --function=a --require-tls");
    // The more specific one of two that exclude each other.
    let both = format!("{text}[database.x.up]\nexclude-function = ['b']\n");
    assert_eq!(line(&both, "tool up --db x"), "tool up --db x --exclude-function=b --canary --require-tls --soak=9m");
    let clash =
        run("[defaults.up]\nfunction = ['a']\nexclude-function = ['b']\n", "tool up --db x").unwrap_err().to_string();
    assert_eq!(
        clash,
        "f.toml:2: \"function\" cannot be used with \"exclude-function\" (line 3)\n\n  tip: leave one of them out"
    );
}

#[test]
fn a_value_is_judged_by_clap_at_its_line() {
    let of = |text: &str| run(text, "tool up --db x").unwrap_err().to_string();
    let range = of("[defaults.up]\n\nmax-connections-percent = 101\n");
    assert!(range.starts_with("f.toml:3: invalid value '101' for '--max-connections-percent"), "{range}");
    let choice = of("[database.x.up]\nverify = 'probes'\n");
    assert!(choice.starts_with("f.toml:2: invalid value 'probes' for '--verify"), "{choice}");
    assert!(choice.contains("possible values: static, probe, none"), "{choice}");
    // A value can never be a flag of its own.
    assert_eq!(
        line("[defaults.up]\nfunction = ['--yes', '-y', '--']\n", "tool up --db x"),
        "tool up --db x --function=--yes --function=-y --function=--"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_what_would_be_right() {
    for (text, said) in [
        (
            "name = 'n'\n",
            "f.toml:1: \"name\" stands in no table\n\n  tip: settings stand below [defaults] or [database.\"NAME\"]",
        ),
        ("\n[default]\n", "f.toml:2: there is no table \"default\"\n\n  tip: a similar table exists: [defaults]"),
        (
            "[databases.x]\n",
            "f.toml:1: there is no table \"databases\"\n\n  tip: a similar table exists: [database.\"NAME\"]",
        ),
        ("[x]\n", "f.toml:1: there is no table \"x\"\n\n  tip: the tables are [defaults] and [database.\"NAME\"]"),
        (
            "[defaults.up]\nfuntion = []\n",
            "f.toml:2: [defaults.up] has no key \"funtion\"\n\n  tip: a similar key exists: \"function\"",
        ),
        (
            "[defaults.up]\nmax_connections_percent = 1\n",
            "f.toml:2: [defaults.up] has no key \"max_connections_percent\"\n\n  tip: a similar key exists: \"max-connections-percent\"",
        ),
        (
            "[defaults]\nqq = 1\n",
            "f.toml:2: [defaults] has no key \"qq\"\n\n  tip: a key is the long name of a flag, such as max-connections-percent",
        ),
        (
            "[database.x]\nfunction = []\n",
            "f.toml:2: \"function\" is a setting of single commands\n\n  tip: put it below [database.\"x\".up]",
        ),
        (
            "[database.x.alarms]\nfunction = []\n",
            "f.toml:2: [database.\"x\".alarms] has no key \"function\"\n\n  tip: a key is the long name of a flag, such as max-connections-percent",
        ),
        (
            "[defaults]\nname = 'n'\n",
            "f.toml:2: \"name\" would be the same for every database\n\n  tip: put it below [database.\"NAME\"]",
        ),
        (
            "[defaults]\nyes = true\n",
            "f.toml:2: \"yes\" is not for a file: consent is for one run\n\n  tip: give --yes on the command line",
        ),
        (
            "[defaults.up]\nprepare = true\n",
            "f.toml:2: \"prepare\" is not for a file: one run\n\n  tip: give --prepare on the command line",
        ),
        (
            "[defaults.up]\nverify = 'none'\n",
            "f.toml:2: verify = \"none\" is not for a file: checks are left out for one run\n\n  tip: give --verify on the command line",
        ),
        ("[defaults]\ndb = 'x'\n", "f.toml:2: \"db\" is not for a file: it chooses the table"),
        ("[defaults.upp]\n", "f.toml:1: no command \"upp\" takes settings\n\n  tip: a similar command exists: \"up\""),
        ("[database]\nx = 1\n", "f.toml:2: a database is a table: [database.\"x\"]"),
        ("[database.'a b']\n", "f.toml:1: [database.\"a b\"] names no database: a space"),
        ("[defaults.up]\ncanary = 1\n", "f.toml:2: \"canary\" takes true or false, not a number"),
        (
            "[defaults.up]\nmax-connections-percent = '60'\n",
            "f.toml:2: \"max-connections-percent\" takes a number, not a text",
        ),
        (
            "[defaults.up]\nmax-connections-percent = 99999999999999999999\n",
            "f.toml:2: \"max-connections-percent\" is too large: 99999999999999999999",
        ),
        ("[defaults.up]\nfunction = [1]\n", "f.toml:2: \"function\" takes texts in quotes, not a number"),
        ("[defaults.up]\nverify = true\n", "f.toml:2: \"verify\" takes a text in quotes, not true or false"),
        (
            "[defaults.up]\n\"a\\u001b[2K\" = 1\n",
            "f.toml:2: [defaults.up] has no key \"a\\u{1b}[2K\"\n\n  tip: a key is the long name of a flag, such as max-connections-percent",
        ),
    ] {
        assert_eq!(wrong(text), said, "{text}");
    }
    for (text, place) in [
        ("[defaults]\nname = \n", "f.toml:2: "),
        ("[defaults\n", "f.toml:1: "),
        ("[defaults]\n[defaults]\n", "f.toml:2: "),
    ] {
        assert!(wrong(text).starts_with(place), "{}", wrong(text));
    }
}

#[test]
fn a_database_is_meant_by_its_identifier_or_its_arn() {
    let (arn, other) = ("arn:aws:rds:r:1:db:x", "arn:aws:rds:s:1:db:x");
    let text = format!("[database.\"{arn}\"]\nname = 'by-arn'\n");
    assert!(line(&text, &format!("tool up --db {arn}")).ends_with("--name=by-arn"));
    assert!(!line(&text, &format!("tool up --db {other}")).contains("--name"));
    let unclear = run(&text, "tool up --db x").unwrap_err().to_string();
    assert!(unclear.starts_with(&format!("f.toml:1: this table is for {arn}, and --db names only x")), "{unclear}");
    let both = format!("{text}[database.x]\nname = 'by-id'\n");
    assert!(line(&both, &format!("tool up --db {arn}")).ends_with("--name=by-arn"));
    assert!(line(&both, &format!("tool up --db {other}")).ends_with("--name=by-id"));
    assert!(line(&both, "tool up --db x").ends_with("--name=by-id"));
    let file = read(&both).unwrap();
    assert!(file.misses(&database("y").unwrap()) && !file.misses(&database("x").unwrap()));
    assert!(!read("[defaults]\n").unwrap().misses(&database("y").unwrap()));
}

#[test]
fn a_command_line_that_is_wrong_by_itself_stays_as_it_is() {
    let text = "[defaults.up]\nfunction = ['a']\n";
    for words in ["tool up --db x --nonsense", "tool up --help", "tool up --db x --verify maybe"] {
        assert_eq!(line(text, words), words);
    }
}

/// The environment comes before the file.
#[test]
fn what_the_environment_says_comes_first() {
    let applied = run("[defaults]\nregion = 'r'\n", "tool up --db env").unwrap();
    assert_eq!((applied.used.len(), applied.unused[0].why.as_str()), (0, "env"));
}

#[test]
fn the_schema_has_exactly_the_keys_that_the_file_may_have() {
    let schema = schema("f", &program(), &RULES);
    let keys = |pointer: &str| -> Vec<String> {
        let found = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer} of {schema:#}"));
        found.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys("/definitions/database/properties"), ["alarms", "name", "region", "up"]);
    assert_eq!(keys("/properties/defaults/properties"), ["alarms", "region", "up"]);
    assert_eq!(keys("/definitions/alarms/properties"), ["name", "region", "topic"]);
    assert_eq!(keys("/definitions/defaults.alarms/properties"), ["region", "topic"]);
    assert_eq!(schema["definitions"]["up"]["properties"]["verify"]["enum"], serde_json::json!(["static", "probe"]));
}

/// Lines of files, right and wrong, and pieces of them.
fn lines() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "[defaults]\n",
        "[defaults.up]\n",
        "[database.x]\n",
        "[database.x.up]\n",
        "[database.'arn:x:x']\n",
        "[up]\n",
        "[[defaults]]\n",
        "name = 'n'\n",
        "region = 'r'\n",
        "function = ['a', '-y']\n",
        "function = \"--yes\"\n",
        "function = \"a\\n--yes\"\n",
        "canary = true\n",
        "soak = '1m'\n",
        "yes = true\n",
        "verify",
        "max-connections-percent",
        " = ",
        "true",
        "7\n",
        "1e3\n",
        "0x10\n",
        "'a'\n",
        "[",
        "]",
        "{ a = 1 }",
        "'''",
        "\"",
        "\\",
        "#",
        "\n",
        "\r",
        ".",
        "名",
        "\u{202e}",
        "1979-05-27",
        "\0",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_a_file_holds_is_settings_or_an_error_with_a_line_of_it(text in lines()) {
        let words = ["tool", "up", "--db", "x"].map(std::ffi::OsString::from);
        let database = database("x").unwrap();
        let read = read(&text).and_then(|file| file.entries("up", Some(&database), &program()));
        match read.and_then(|entries| apply(&program(), "up", &words, entries, |_| None)) {
            Ok(applied) => {
                // What was typed stays, and what is added are flags that a file may have, each with a value of its own.
                prop_assert_eq!(&applied.arguments[..4], &words[..]);
                for word in applied.arguments[4..].iter().map(|word| word.to_str().unwrap()) {
                    let key = word.strip_prefix("--").unwrap().split('=').next().unwrap();
                    prop_assert!(RULES.common.contains(&key) || RULES.keys("up").any(|known| known == key), "{}", word);
                    prop_assert!(text.contains(key));
                }
                prop_assert!(program().try_get_matches_from(&applied.arguments).is_ok());
            }
            Err(wrong) => {
                prop_assert!((1..=text.matches('\n').count() + 1).contains(&wrong.place.line), "{}", wrong);
                prop_assert!(!wrong.text.is_empty() && !wrong.text.contains(['\u{202e}', '\0', '\r']), "{:?}", wrong);
            }
        }
    }
}
