//! `--plan-out` and `--plan` as a person or a pipeline meets them.

use std::path::PathBuf;

use sandbox::World;
use serde_json::{Value, json};

use crate::cli::{sorted, up};
use crate::desk::{Desk, Shown};
use crate::hand::deploy;

/// What must never be in a file.
const CANARY: &str = "do-not-show-me-4711";

/// A desk with a folder for plans.
struct Office {
    desk: Desk,
    folder: tempfile::TempDir,
}

impl Office {
    fn new() -> Self {
        Self { desk: Desk::new(), folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs it with `FILE` as the path of a plan, and shows it so.
    fn run(&self, arguments: &[&str]) -> Shown {
        let file = self.path("plan.json").to_str().unwrap().to_owned();
        let arguments: Vec<String> = arguments.iter().map(|word| word.replace("FILE", &file)).collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut shown = sorted(self.desk.run(&words));
        let steady = |text: &str| {
            let text = text.replace(&file, "FILE");
            let lines = text.lines().map(|line| match line.split_once("Changed since ") {
                Some((before, _)) => format!("{before}Changed since TIME:\n"),
                None => format!("{line}\n"),
            });
            lines.collect::<String>()
        };
        shown.command = shown.command.replace(&file, "FILE");
        (shown.stdout, shown.stderr) = (steady(&shown.stdout), steady(&shown.stderr));
        shown
    }

    fn done(&self, arguments: &[&str]) -> Shown {
        let shown = self.run(arguments);
        assert_eq!(shown.code, Some(0), "{shown}");
        shown
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path("plan.json")).unwrap()
    }

    fn plan(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// Changes the file.
    fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut plan = self.plan();
        change(&mut plan);
        std::fs::write(self.path("plan.json"), plan.to_string()).unwrap();
    }
}

#[test]
fn a_plan_is_saved_reviewed_and_carried_out_for_every_command() {
    let office = Office::new();
    let fresh = office.desk.dump();
    let saved = office.run(&["up", "--db", "my-instance", "--plan-out", "FILE", "--detailed-exitcode"]);
    assert_eq!((saved.code, office.desk.dump() == fresh), (Some(2), true), "{saved}");
    assert!(saved.stdout.ends_with("up --plan FILE  carry out this plan, and nothing else\n"), "{saved}");
    let plan = office.plan();
    assert_eq!(plan["kind"], "rdsproxy-setup plan");
    assert_eq!(
        [&plan["account"], &plan["region"], &plan["version"], &plan["command"]],
        [&json!("123456789012"), &json!("eu-central-1"), &json!(env!("CARGO_PKG_VERSION")), &json!("up")]
    );
    insta::assert_json_snapshot!("plan_of_up", json!({"settings": plan["settings"], "entries": plan["entries"]}));
    // Neither --yes nor a terminal.
    let looked = office.done(&["up", "--plan", "FILE", "--dry-run"]);
    assert_eq!(office.desk.dump(), fresh, "{looked}");
    office.done(&["up", "--plan", "FILE", "--timeout", "12h", "--quiet"]);
    let made = office.desk.dump();
    assert!(office.done(&["up", "--plan", "FILE"]).stdout.starts_with("Nothing to do"));
    office.done(&["up", "--db", "my-instance", "--plan-out", "FILE", "--detailed-exitcode"]);
    assert_eq!(office.desk.dump(), made);

    office.desk.hours_later(2);
    office.done(&["alarms", "--db", "my-instance", "--dashboard", "--threshold", "pool=77.5", "--plan-out", "FILE"]);
    office.done(&["alarms", "--plan", "FILE"]);
    assert!(office.done(&["alarms", "--plan", "FILE"]).stdout.contains("Nothing to change"));
    office.done(&["alarms", "--db", "my-instance", "--remove", "--plan-out", "FILE"]);
    office.done(&["alarms", "--plan", "FILE"]);
    office.done(&["alarms", "--plan", "FILE"]);

    office.done(&["restore", "--db", "my-instance", "--function", "InvoiceFunction", "--plan-out", "FILE"]);
    office.done(&["restore", "--plan", "FILE"]);
    assert!(office.done(&["restore", "--plan", "FILE"]).stdout.contains("nothing to restore"));

    let saved = office.done(&["teardown", "--plan-out", "FILE"]);
    assert!(saved.stdout.contains("teardown --plan FILE"), "{saved}");
    assert_eq!(office.plan()["settings"], json!({"name": ["my-instance-proxy"]}));
    office.done(&["teardown", "--plan", "FILE", "--timeout", "12h", "--quiet"]);
    assert_eq!(office.desk.dump(), fresh);
    assert!(office.done(&["teardown", "--plan", "FILE"]).stdout.contains("nothing to delete"));
    // An empty plan is one.
    office.done(&["teardown", "--plan-out", "FILE"]);
    assert_eq!(office.plan()["entries"], json!([]));
    office.done(&["teardown", "--plan", "FILE"]);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owner_s_alone_and_replaces_nothing_but_a_plan() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let office = Office::new();
    let save = || office.run(&["up", "--db", "my-instance", "--plan-out", "FILE"]);
    let file = office.path("plan.json");
    // As mktemp leaves it.
    std::fs::write(&file, "").unwrap();
    for _ in 0..2 {
        let saved = save();
        assert_eq!(saved.code, Some(0), "{saved}");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (other, whole) = (office.path("other.json"), office.text());
    std::fs::write(&other, &whole).unwrap();
    std::fs::remove_file(&file).unwrap();
    for (what, make) in [
        ("a letter", &(|| std::fs::write(&file, "Dear reader").unwrap()) as &dyn Fn()),
        ("a plan that is cut off", &|| std::fs::write(&file, &whole[..900]).unwrap()),
        ("a link", &|| symlink(&other, &file).unwrap()),
        ("a folder", &|| std::fs::create_dir(&file).unwrap()),
    ] {
        make();
        let refused = save();
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(4), ""), "{what}: {refused}");
        assert!(refused.stderr.contains("Nothing was written"), "{what}: {refused}");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), whole, "{what}");
        if !file.is_dir() {
            std::fs::remove_file(&file).unwrap();
        }
    }
    let left: Vec<_> =
        std::fs::read_dir(office.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let nowhere = office.run(&["up", "--db", "my-instance", "--plan-out", "/nowhere/plan.json"]);
    assert_eq!(nowhere.code, Some(1), "{nowhere}");
}

/// Marks every value that is a secret, and everything of variables that is no host.
fn with_canaries(world: &mut World) {
    for function in world.lambda.functions.values_mut() {
        let variables = function.latest.environment.get_or_insert_default();
        let host = variables.values().find(|value| value.contains("rds.amazonaws.com")).cloned();
        variables.insert("API_KEY".to_owned(), CANARY.to_owned());
        if let Some(host) = host.filter(|host| !host.contains('/')) {
            variables.insert("DATABASE_URL".to_owned(), format!("mysql://app:{CANARY}@{host}:3306/app?token={CANARY}"));
        }
    }
    for secret in world.secrets.secrets.values_mut() {
        for version in &mut secret.versions {
            version.text =
                version.text.take().map(|text| text.replace("\"password\":\"", &format!("\"password\":\"{CANARY}")));
        }
    }
}

#[test]
fn no_plan_holds_a_secret() {
    for database in ["my-instance", "my-cluster"] {
        let office = Office::new();
        office.desk.change(with_canaries);
        let holds_none = |what: &str| {
            let text = office.text();
            assert!(!text.contains(CANARY) && !text.contains("4711"), "{database}: {what}: {text}");
            assert!(
                what == "nothing" || text.contains("rds.amazonaws.com") || text.contains("delete"),
                "{what}: {text}"
            );
        };
        office.done(&["up", "--db", database, "--publish-pending", "--plan-out", "FILE"]);
        assert!(office.text().contains("DATABASE_URL"));
        holds_none("up");
        office.done(&["up", "--plan", "FILE", "--quiet", "--timeout", "12h"]);
        office.done(&["restore", "--db", database, "--plan-out", "FILE"]);
        holds_none("restore");
        office.done(&["teardown", "--db", database, "--plan-out", "FILE"]);
        holds_none("teardown");
    }
    // Passwords are read when the plan is carried out, and no plan knows them.
    let office = Office::new();
    let up = ["up", "--db", "my-instance", "--create-secret", "--db-user", "app"];
    office.done(&[&up[..], &["--plan-out", "FILE"]].concat());
    let asked = office.run(&["up", "--plan", "FILE"]);
    assert_eq!(asked.code, Some(4), "{asked}");
    assert!(asked.stderr.contains("--password-stdin"), "{asked}");
    office.done(&[&up[..], &["--generate-password", "--plan-out", "FILE"]].concat());
    office.done(&["up", "--plan", "FILE", "--quiet", "--timeout", "12h"]);
}

fn other_host(world: &mut World) {
    let function = world.lambda.functions.get_mut("DBAppFunction").unwrap();
    deploy(function, |all| {
        let host = all.values().find(|value| value.contains("rds.amazonaws.com")).cloned().unwrap();
        all.insert("REPLICA_HOST".to_owned(), host);
    });
}

#[test]
fn a_change_in_between_is_named_and_nothing_is_changed() {
    let office = Office::new();
    let mut all = String::new();
    let mut refused = |office: &Office, name: &str, arguments: &[&str]| {
        let before = office.desk.dump();
        let shown = office.run(arguments);
        assert_eq!((shown.code, office.desk.dump() == before), (Some(9), true), "{name}: {shown}");
        all.push_str(&format!("# {name}\n{shown}\n"));
    };
    office.done(&["up", "--db", "my-instance", "--plan-out", "FILE"]);
    let start = office.desk.store().world().unwrap();
    office.desk.change(other_host);
    refused(&office, "a variable more", &["up", "--plan", "FILE"]);
    refused(&office, "a variable more, for programs", &["up", "--plan", "FILE", "--output", "json"]);
    refused(&office, "a variable more, only looked at", &["up", "--plan", "FILE", "--dry-run"]);
    office.desk.change(|world| world.clone_from(&start));
    office.desk.change(|world| world.rds.instances.get_mut("my-instance").unwrap().resource_id = "db-OTHER".to_owned());
    refused(&office, "another database of that name", &["up", "--plan", "FILE"]);
    office.desk.change(|world| world.clone_from(&start));
    office.desk.change(|world| drop(world.lambda.functions.remove("DBAppFunction")));
    refused(&office, "a function less", &["up", "--plan", "FILE"]);
    office.desk.change(|world| world.clone_from(&start));
    up(&office.desk, "my-instance");
    office.done(&["teardown", "--plan-out", "FILE"]);
    let plan = office.text();
    // Every metric is there by then.
    office.desk.hours_later(2);
    office.done(&["alarms", "--db", "my-instance", "--plan-out", "FILE"]);
    office.done(&["alarms", "--plan", "FILE"]);
    std::fs::write(office.path("plan.json"), plan).unwrap();
    refused(&office, "alarms that the teardown's plan does not know", &["teardown", "--plan", "FILE"]);
    office.done(&["restore", "--plan-out", "FILE"]);
    office.desk.change(|world| {
        let function = world.lambda.functions.get_mut("WebhookFunction").unwrap();
        let endpoint = world.rds.proxies["my-instance-proxy"].endpoint.clone();
        deploy(function, |all| drop(all.insert("HOST".to_owned(), endpoint)));
    });
    refused(&office, "a function more at the proxy", &["restore", "--plan", "FILE"]);
    office.done(&["alarms", "--db", "my-instance", "--remove", "--plan-out", "FILE"]);
    office.done(&["alarms", "--db", "my-instance", "--dashboard", "--yes"]);
    refused(&office, "a dashboard more", &["alarms", "--plan", "FILE"]);
    insta::assert_snapshot!("plans_that_are_refused", all);
}

#[test]
fn a_plan_is_for_one_account_region_version_and_command() {
    let office = Office::new();
    let fresh = office.desk.dump();
    office.done(&["up", "--db", "my-instance", "--plan-out", "FILE"]);
    let text = office.text();
    let mut all = String::new();
    let mut refused = |name: &str, code: i32, change: &dyn Fn(&mut Value), arguments: &[&str]| {
        std::fs::write(office.path("plan.json"), &text).unwrap();
        office.edit(|plan| change(plan));
        let shown = office.run(arguments);
        assert_eq!((shown.code, office.desk.dump() == fresh), (Some(code), true), "{name}: {shown}");
        all.push_str(&format!("# {name}\n{shown}\n"));
    };
    let up = ["up", "--plan", "FILE"];
    refused("another account", 4, &|plan| plan["account"] = json!("999999999999"), &up);
    refused("another Region", 4, &|plan| plan["region"] = json!("eu-west-1"), &up);
    refused("another version", 9, &|plan| plan["version"] = json!("0.0.1"), &up);
    refused("another command", 64, &|_| {}, &["teardown", "--plan", "FILE"]);
    refused("an unknown key", 64, &|plan| plan["x\u{1b}[2K\u{202e}"] = json!(1), &up);
    refused("a hostile account", 4, &|plan| plan["account"] = json!("\u{1b}[2K\nerror: all is well"), &up);
    for (name, settings) in [
        ("a setting that leads elsewhere", json!({"db": ["my-instance"], "endpoint-url": ["https://evil.example"]})),
        ("a setting of a run", json!({"db": ["my-instance"], "plan-out": ["/tmp/x"]})),
        ("no database", json!({})),
        ("a switch with a value", json!({"db": ["my-instance"], "prepare": ["yes"]})),
        ("a value that is a flag", json!({"db": ["--yes"]})),
        ("a setting without a value", json!({"db": []})),
        ("a value that is none", json!({"db": ["my-instance"], "verify": ["never"]})),
        ("settings that contradict", json!({"db": ["my-instance"], "function": ["A"], "exclude-function": ["B"]})),
        ("a hostile setting", json!({"\u{1b}[2K\u{202e}": []})),
    ] {
        refused(name, 64, &|plan| plan["settings"] = settings.clone(), &up);
    }
    insta::assert_snapshot!("plans_that_do_not_fit", all);
    // What is edited in the file is edited in vain: the plan is drawn up again.
    std::fs::write(office.path("plan.json"), &text).unwrap();
    office.edit(|plan| plan["settings"]["function"] = json!(["WebhookFunction"]));
    let edited = office.run(&up);
    assert_ne!(edited.code, Some(0), "{edited}");
    assert_eq!(office.desk.dump(), fresh);
    let missing = office.run(&["up", "--plan", "/nowhere/plan.json"]);
    assert_eq!(missing.code, Some(64), "{missing}");
}

#[test]
fn beside_a_plan_no_flag_settles_anything() {
    let office = Office::new();
    for (arguments, named) in [
        (&["up", "--plan", "FILE", "--db", "my-instance"][..], "'--db <ID|ARN>'"),
        (&["up", "--plan", "FILE", "--prepare", "--verify", "none"], "'--prepare', '--verify <HOW>'"),
        (&["up", "--plan", "FILE", "--verify", "static"], "'--verify <HOW>'"),
        (&["up", "--plan", "FILE", "--plan-out", "FILE"], "'--plan-out <FILE>'"),
        (&["teardown", "--plan", "FILE", "--even-if-used"], "'--even-if-used'"),
        (&["restore", "--plan", "FILE", "--function", "A"], "'--function <NAME>'"),
        (&["alarms", "--plan", "FILE", "--remove"], "'--remove'"),
    ] {
        let wrong = office.run(arguments);
        assert_eq!(wrong.code, Some(64), "{wrong}");
        assert!(wrong.stderr.contains("'--plan <FILE>'") && wrong.stderr.contains(named), "{wrong}");
    }
    // A run's own flags may.
    office.done(&["up", "--db", "my-instance", "--plan-out", "FILE"]);
    let run = ["up", "--plan", "FILE", "--yes", "--timeout", "12h", "--quiet", "--password-stdin"];
    office.done(&run);
}

/// A file of settings counts when a plan is saved; beside `--plan`, only what says how a run goes does.
#[test]
fn a_file_of_settings_settles_nothing_of_a_saved_plan() {
    let office = Office::new();
    let config = office.path("settings.toml");
    let write = |percent: u8| {
        let text = format!("[defaults]\ntimeout = [\"12h\"]\n\n[defaults.up]\nmax-connections-percent = {percent}\n");
        std::fs::write(&config, text).unwrap();
    };
    write(60);
    let with = ["--config", config.to_str().unwrap()];
    office.done(&[&["up", "--db", "my-instance", "--plan-out", "FILE"], &with[..]].concat());
    assert_eq!(office.plan()["settings"]["max-connections-percent"], json!(["60"]));
    write(70);
    office.done(&[&["up", "--plan", "FILE"], &with[..]].concat());
    let world = office.desk.store().world().unwrap();
    assert_eq!(world.rds.proxies["my-instance-proxy"].target_group.max_connections_percent, 60);
}

#[test]
fn what_cannot_be_carried_out_is_not_saved() {
    let office = Office::new();
    up(&office.desk, "my-instance");
    office.desk.change(|world| world.rds.proxies.get_mut("my-instance-proxy").unwrap().tags.clear());
    let refused = office.run(&["up", "--db", "my-instance", "--plan-out", "FILE"]);
    assert_eq!((refused.code, office.path("plan.json").exists()), (Some(4), false), "{refused}");
}

#[test]
fn sizes_that_were_worked_out_stand_in_the_plan() {
    let office = Office::new();
    office.done(&["up", "--db", "my-instance", "--sizing", "lambda", "--plan-out", "FILE"]);
    let settings = office.plan()["settings"].clone();
    assert_eq!((&settings["max-connections-percent"], &settings["sizing"]), (&json!(["50"]), &Value::Null));
    office.done(&["up", "--plan", "FILE", "--quiet", "--timeout", "12h"]);
    let percent = |world: &World| world.rds.proxies["my-instance-proxy"].target_group.max_connections_percent;
    assert_eq!(percent(&office.desk.store().world().unwrap()), 50);
}
