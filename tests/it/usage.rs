//! Flags that contradict each other, streams that cannot be written.

use std::process::Stdio;

use sandbox::{Preset, Rate, Store};
use serde_json::{Value, json};

use crate::cli::up;
use crate::desk::{Desk, Shown, shown};

/// Runs it with these flags alone, and nothing of the sandbox in the environment.
fn bare(desk: &Desk, arguments: &[&str]) -> Shown {
    let mut command = desk.command(arguments);
    command.env_remove("RDSPROXY_SANDBOX_FILE");
    shown(arguments, &mut command)
}

#[test]
fn flags_that_contradict_each_other_are_wrong_usage() {
    let desk = Desk::new();
    for arguments in [
        &["--sandbox-file", "f", "status"][..],
        &["status", "--sandbox-file", "f"],
        &["--sandbox-speed", "5", "status"],
        &["--sandbox", "--endpoint-url", "http://127.0.0.1:1", "status"],
    ] {
        let wrong = bare(&desk, arguments);
        assert_eq!(wrong.code, Some(64), "{wrong}");
        assert!(wrong.stderr.contains("--sandbox"), "{wrong}");
    }
}

#[test]
fn what_is_printed_to_go_on_leads_to_the_same_account() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's a world.json");
    let file = file.to_str().unwrap();
    let flags = ["--sandbox", "--sandbox-file", file, "--sandbox-speed", "600", "--region", "eu-central-1"];
    let run = |more: &[&str]| {
        let mut all = flags.to_vec();
        all.extend(more);
        bare(&desk, &all)
    };
    let fresh = { Store::open(file, 600.0).unwrap().world().unwrap().dump() };
    let made = run(&["up", "--db", "my-instance", "--yes", "--quiet", "--timeout", "12h"]);
    assert_eq!(made.code, Some(0), "{made}");
    let next = made.stdout.lines().find(|line| line.contains(" teardown --db")).unwrap();
    let (line, _) = next.trim().split_once("  ").unwrap();
    let words = shlex::split(line).unwrap();
    let mut words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    words.extend(["--yes", "--quiet", "--timeout", "12h"]);
    let gone = bare(&desk, &words);
    assert_eq!(gone.code, Some(0), "{gone}");
    assert_eq!(Store::open(file, 600.0).unwrap().world().unwrap().dump(), fresh);
    // An endpoint and a profile as well.
    let refused = bare(&desk, &["--endpoint-url", "http://127.0.0.1:9", "sandbox", "show"]);
    assert_eq!(refused.code, Some(0), "{refused}");
    // The world that is broken, and no other.
    std::fs::write(file, "{").unwrap();
    let broken = run(&["status"]);
    let hint = broken.stderr.lines().find_map(|line| line.split_once("Start over with: ")).unwrap().1;
    let words = shlex::split(hint).unwrap();
    assert_eq!(words, ["rdsproxy-setup", "--sandbox-file", file, "sandbox", "reset"]);
    assert_eq!(broken.stderr.matches("sandbox reset").count(), 1, "{broken}");
    assert_eq!(bare(&desk, &words.iter().skip(1).map(String::as_str).collect::<Vec<_>>()).code, Some(0));
    assert_eq!(run(&["status"]).code, Some(0));
}

#[test]
fn a_function_of_the_simulated_account_gets_the_load_that_one_asks_for() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    let run = |more: &[&str]| {
        let mut all = vec!["--sandbox-file", file.to_str().unwrap(), "sandbox", "load", "--function"];
        all.extend(more);
        bare(&desk, &all)
    };
    let load = || {
        let world = Store::open(&file, 1.0).unwrap().world().unwrap();
        world.loads.functions["OrdersFunction"].last().unwrap().load.clone()
    };
    let set = run(&["OrdersFunction", "--rate", "20", "--duration", "400", "--connections", "2", "--closes"]);
    assert_eq!(set.stdout, "OrdersFunction is invoked 20 times a second from now on.\n", "{set}");
    let held = load();
    assert_eq!((&held.rate, held.connections, held.closes), (&Rate::Constant(20.0), 2, true));
    for preset in Preset::ALL {
        let set = run(&["OrdersFunction", "--preset", preset.name(), "--output", "json"]);
        assert_eq!(set.code, Some(0), "{set}");
        let told: serde_json::Value = serde_json::from_str(&set.stdout).unwrap();
        assert_eq!((&told["function"], &told["preset"]), (&"OrdersFunction".into(), &preset.name().into()));
        assert_ne!(load(), held);
    }
    let unknown = run(&["Nobody", "--rate", "1"]);
    assert_eq!(unknown.code, Some(4), "{unknown}");
    assert!(unknown.stderr.contains("no function Nobody") && unknown.stderr.contains("OrdersFunction"), "{unknown}");
    for wrong in [
        &["OrdersFunction"][..],
        &["OrdersFunction", "--rate", "-1"],
        &["OrdersFunction", "--preset", "busy", "--rate", "1"],
    ] {
        assert_eq!(run(wrong).code, Some(64), "{wrong:?}");
    }
}

#[test]
fn a_plan_that_cannot_be_carried_out_says_so() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.change(|world| world.rds.proxies.get_mut("my-instance-proxy").unwrap().tags.clear());
    for more in [&[][..], &["--detailed-exitcode"]] {
        let mut all = vec!["up", "--db", "my-instance", "--dry-run"];
        all.extend(more);
        let plan = desk.run(&all);
        assert_eq!(plan.code, Some(4), "{plan}");
        assert!(plan.stdout.contains("1 in conflict (!)") && plan.stdout.contains("cannot be carried out"), "{plan}");
        assert!(plan.stderr.contains("error: checking what is there: step 3"), "{plan}");
    }
    let plan = desk.run(&["up", "--db", "my-instance", "--dry-run", "--output", "json"]);
    let document: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!((plan.code, &document["feasible"]), (Some(4), &json!(false)), "{plan}");
}

#[test]
fn a_full_environment_has_hints_of_its_own() {
    let desk = Desk::new();
    desk.change(|world| {
        let function = world.lambda.functions.get_mut("DBAppFunction").unwrap();
        let variables = function.latest.environment.as_mut().unwrap();
        let have: usize = variables.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
        variables.insert("FILL".to_owned(), "x".repeat(4_096 - have - 14));
    });
    let plan = desk.run(&["up", "--db", "my-instance", "--dry-run"]);
    assert_eq!(plan.code, Some(4), "{plan}");
    assert!(plan.stderr.contains("--exclude-function") && !plan.stderr.contains("another name"), "{plan}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_none() {
    let desk = Desk::new();
    for arguments in [
        &["permissions"][..],
        &["--sandbox", "status", "--output", "json"],
        &["--sandbox", "doctor", "--db", "my-instance"],
        &["--help"],
        &["--version"],
        &["sandbox", "show"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = desk.command(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("writing the result: No space left on device"), "{arguments:?}: {told}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = desk.command(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("error:") && output.status.code() != Some(1), "{arguments:?}: {told}");
    }
}

#[test]
fn every_ending_is_one_document_under_json() {
    let desk = Desk::new();
    for (arguments, code) in [
        (&["--output", "json", "status", "--nonsense"][..], 64),
        (&["up", "--output=json"], 64),
        (&["--output", "json", "--sandbox-file", "f", "status"], 64),
        (&["--output", "json", "sandbox", "reset"], 0),
    ] {
        let ended = shown(arguments, &mut desk.command(arguments));
        assert_eq!(ended.code, Some(code), "{ended}");
        let document: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended}"));
        assert_eq!(document["schema"], 1, "{ended}");
        assert_eq!(document.get("error").is_some(), code != 0, "{ended}");
        for line in ended.stderr.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_world_behind_a_link_stays_there() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real/world.json"), folder.path().join("link.json"));
    std::fs::create_dir(folder.path().join("real")).unwrap();
    // Also where it leads to nothing yet.
    std::os::unix::fs::symlink("real/world.json", &link).unwrap();
    for arguments in [&["sandbox", "reset"][..], &["sandbox", "show"], &["--sandbox", "status"]] {
        let mut all = vec!["--sandbox-file", link.to_str().unwrap()];
        all.extend(arguments);
        let ran = bare(&desk, &all);
        assert_eq!(ran.code, Some(0), "{ran}");
        assert!(link.is_symlink() && real.is_file(), "{all:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_adopted_proxy_is_handed_back_and_not_gone() {
    let desk = Desk::new();
    let made = crate::adoption::made_by_hand().await;
    desk.change(|world| *world = made);
    let adopt = ["up", "--db", "my-instance", "--name", "by-hand", "--adopt", "--yes", "--quiet", "--timeout", "12h"];
    let taken = desk.run(&adopt);
    assert_eq!(taken.code, Some(0), "{taken}");
    let status = desk.run(&["status", "--name", "by-hand"]);
    assert!(status.stdout.contains("by-hand, in front of my-instance"), "{status}");
    let back = desk.run(&["teardown", "--name", "by-hand", "--yes", "--quiet", "--timeout", "12h"]);
    assert_eq!(back.code, Some(0), "{back}");
    assert!(!back.stdout.contains("is gone") && back.stdout.contains("is handed back"), "{back}");
}

#[test]
fn a_resumed_run_plans_the_read_only_endpoint() {
    let desk = Desk::new();
    let up = ["up", "--db", "my-cluster", "--reader-endpoint", "always"];
    // Slowly, so that the proxy is still on its way when the plan is made.
    let slowly = |more: &[&'static str]| [&["--sandbox", "--sandbox-speed", "5"], &up[..], more].concat();
    let first = slowly(&["--yes", "--quiet", "--timeout", "proxy=1s"]);
    let stopped = shown(&first, &mut desk.command(&first));
    assert_eq!(stopped.code, Some(5), "{stopped}");
    let again = slowly(&["--dry-run"]);
    let plan = shown(&again, &mut desk.command(&again));
    assert!(plan.stdout.contains("creating"), "{plan}");
    let row = plan.stdout.lines().find(|line| line.starts_with("~  3  RDS Proxy")).unwrap_or_default();
    assert!(row.contains("change read-only endpoint") && row.ends_with(": missing"), "{plan}");
}

#[test]
fn a_teardown_that_meets_a_group_in_use_says_by_what() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.change(|world| world.rds.proxies.get_mut("my-instance-proxy").unwrap().tags.clear());
    let kept = desk.run(&["teardown", "--db", "my-instance", "--yes", "--timeout", "deletion=1m"]);
    assert_eq!(kept.code, Some(5), "{kept}");
    assert!(
        kept.stderr.contains("still in use by the proxy my-instance-proxy, which was not there, or not ours"),
        "{kept}"
    );
}

/// The line that is printed is a command of the AWS CLI for exactly the address that is served.
#[test]
fn what_is_served_comes_with_a_command_to_try() {
    use std::io::{BufRead as _, BufReader};
    let desk = Desk::new();
    let mut command = desk.command(&["sandbox", "serve", "--port", "0"]);
    let mut served = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(served.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let lines: Vec<String> =
        BufReader::new(served.stderr.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
    served.kill().unwrap();
    served.wait().unwrap();
    let words = shlex::split(&lines[1]).unwrap();
    let keys = ["AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any"];
    let rest = ["aws", "--endpoint-url", url.trim(), "--region", "eu-central-1", "rds", "describe-db-instances"];
    assert_eq!(words, [&keys[..], &rest].concat(), "{lines:?}");
    assert!(url.starts_with("http://127.0.0.1:") && lines[0].contains("until Ctrl-C"), "{url}, {lines:?}");
}
