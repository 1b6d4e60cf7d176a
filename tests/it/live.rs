//! `watch`: what is read and in how many calls, and that the terminal is left as it was found.

use rdsproxy_setup::spec::{DatabaseRef, stack};
use rdsproxy_setup::watch::{Question, Watch};
use sandbox::World;
use screen::reading::Now;
use screen::{Reading, Side};
use serde_json::Value;

use crate::cli::up;
use crate::desk::Desk;
use crate::doctor::all_but;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::restrict;

fn question(id: &str) -> Question {
    let database = DatabaseRef::parse(id).unwrap();
    Question { stack: stack(None, &database).unwrap(), database, functions: Vec::new() }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// An account whose proxies have served for two hours.
pub(crate) async fn watched() -> World {
    let bed = Bed::of(newcomer(), NEVER, false);
    for id in ["my-instance", "my-cluster"] {
        assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)));
    }
    bed.settled().await
}

/// One reading; denials are found in the account's log.
pub(crate) async fn read(bed: &Bed, id: &str) -> Option<Reading> {
    let mut watch = Watch::open(&bed.cloud, question(id)).await.ok()??;
    Some(watch.read(&bed.cloud, now()).await)
}

/// What a reading can be as JSON: everything known, and nothing. What an account has at a moment is between them.
pub(crate) fn documents() -> [Value; 2] {
    let one = || screen::Series::Read(vec![screen::Point { at: 0, value: 1.0 }]);
    let mut metrics = screen::Proxy::unread("");
    let screen::Proxy { clients, connections, allowed, borrowed, pinned, wait, refused, failed, queries, available } =
        &mut metrics;
    for series in [clients, connections, allowed, borrowed, pinned, wait, refused, failed, queries, available] {
        *series = one();
    }
    let text = |text: &str| Some(text.to_owned());
    let target = |known: bool| screen::Target {
        id: "my-instance".to_owned(),
        role: text("READ_WRITE").filter(|_| known),
        state: text("UNAVAILABLE").filter(|_| known),
        reason: text("AUTH_FAILURE").filter(|_| known),
    };
    let function = |series: fn() -> screen::Series| screen::Function {
        name: "DBAppFunction".to_owned(),
        side: Side::Proxy,
        invocations: series(),
        errors: series(),
    };
    let known = Reading {
        proxy: "my-instance-proxy".to_owned(),
        database: "my-instance".to_owned(),
        region: "eu-central-1".to_owned(),
        at: 0,
        metrics,
        targets: Ok(vec![target(true), target(false)]),
        functions: Ok(vec![
            function(|| screen::Series::Read(vec![screen::Point { at: 0, value: 1.0 }])),
            function(|| screen::Series::Read(Vec::new())),
        ]),
        left_out: 0,
        hidden: 0,
    };
    let unread = Reading {
        metrics: screen::Proxy::unread("AccessDenied"),
        targets: Err("AccessDenied".to_owned()),
        functions: Err("AccessDenied".to_owned()),
        ..known.clone()
    };
    [known, unread].map(|reading| serde_json::json!({"schema": 1, "reading": screen::document(&reading), "next": [""]}))
}

fn known(series: &screen::Series, newest: Option<i64>) -> Option<f64> {
    match series.now(newest) {
        Now::Known(point) => Some(point.value),
        Now::Unknown(_) => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_is_one_call_for_all_metrics_and_changes_nothing() {
    for id in ["my-instance", "my-cluster"] {
        let bed = Bed::of(watched().await, NEVER, false);
        let before = bed.dump().await;
        let mut watch = Watch::open(&bed.cloud, question(id)).await.unwrap().unwrap();
        let mut asked = Vec::new();
        for _ in 0..3 {
            let since = bed.logged();
            let reading = watch.read(&bed.cloud, now()).await;
            let mut actions = bed.actions(since);
            actions.sort();
            assert_eq!(actions, ["DescribeDBProxyTargets", "GetMetricData", "ListFunctions"], "{id}");
            assert_eq!(bed.mutations(since), [""; 0]);
            asked.push(watch.asked());
            let newest = reading.newest();
            assert!(newest.is_some_and(|newest| (60..600).contains(&(now() - newest))), "{id}: {newest:?}");
            let metrics = &reading.metrics;
            for series in [&metrics.clients, &metrics.connections, &metrics.allowed, &metrics.pinned, &metrics.refused]
            {
                assert!(known(series, newest).is_some(), "{id}: {series:?}");
            }
            assert!(known(&metrics.connections, newest) <= known(&metrics.allowed, newest), "{id}");
            assert_eq!(known(&metrics.available, newest), Some(100.0), "{id}");
            assert!(reading.targets.as_ref().unwrap().iter().all(screen::Target::is_available), "{id}");
            let functions = reading.functions.unwrap();
            assert!(!functions.is_empty() && functions.iter().all(|found| found.side == Side::Proxy), "{functions:?}");
        }
        // Both spellings of the role once, and then the one that has data.
        let functions = (asked[1] - 10) / 2;
        assert_eq!(asked, [11 + 2 * functions, 10 + 2 * functions, 10 + 2 * functions], "{id}");
        assert_eq!(bed.dump().await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_went_back_to_the_database_is_seen_there() {
    let bed = Bed::of(watched().await, NEVER, false);
    assert!(matches!(bed.restore(&wish("my-instance")).await, Fate::Done(())));
    let functions = read(&bed, "my-instance").await.unwrap().functions.unwrap();
    assert!(!functions.is_empty() && functions.iter().all(|found| found.side == Side::Database), "{functions:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_unknown_with_the_reason() {
    for (action, name) in [
        ("cloudwatch:GetMetricData", "Client connections unknown: "),
        ("rds:DescribeDBProxyTargets", "Targets unknown: "),
        ("lambda:ListFunctions", "Functions unknown: "),
    ] {
        let bed = Bed::of(watched().await, NEVER, false);
        restrict(&bed, &[all_but(action)]);
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
        let reading = read(&bed, "my-instance").await.unwrap();
        let reasons = screen::reasons(&reading);
        let why = reasons.iter().find(|why| why.starts_with(name)).unwrap_or_else(|| panic!("{action}: {reasons:?}"));
        assert!(why.contains(action.split(':').nth(1).unwrap()), "{why}");
        // One missing right hides nothing else.
        let metrics = action == "cloudwatch:GetMetricData";
        assert_eq!(reading.newest().is_none(), metrics, "{action}");
        assert_eq!(reading.targets.is_err(), action == "rds:DescribeDBProxyTargets");
        assert_eq!(reading.functions.is_err(), action == "lambda:ListFunctions");
    }
}

#[test]
fn one_reading_is_printed_and_says_what_next() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.change(|world| world.now.0 += 7_200_000);
    let shown = desk.run(&["watch", "--db", "my-instance", "--once", "--function", "DBAppFunction"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""), "{shown}");
    assert!(
        shown.stdout.starts_with("my-instance-proxy, in front of my-instance, in eu-central-1\n\n  Newest data"),
        "{shown}"
    );
    assert!(shown.stdout.contains("Target my-instance (READ_WRITE)") && shown.stdout.contains(" allowed, "), "{shown}");
    assert!(shown.stdout.contains("watch --db my-instance --function DBAppFunction  see it live"), "{shown}");
    assert!(!shown.stdout.contains("InvoiceFunction"), "{shown}");
    let absent = desk.run(&["watch", "--db", "my-instance", "--once", "--function", "DBAppFunktion"]);
    assert_eq!(absent.code, Some(4), "{absent}");
    assert!(absent.stderr.contains("Did you mean DBAppFunction?"), "{absent}");
    let none = desk.run(&["watch", "--db", "my-cluster"]);
    assert_eq!(none.code, Some(4), "{none}");
    assert!(none.stderr.contains("watching the proxy (my-cluster-proxy): there is none of this name"), "{none}");
    assert!(none.stderr.contains("up --db my-cluster"), "{none}");
}

/// The picture of the document is the one that the screen's own tests hold.
#[test]
fn the_screen_in_the_document_is_a_snapshot_of_the_screen() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let snapshot = root.join("crates/screen/tests/it/snapshots/it__screens__load_80x24.snap");
    let text = std::fs::read_to_string(snapshot).unwrap();
    let screen = text.splitn(3, "---\n").last().unwrap();
    crate::docs::hold("docs/watch.md", "screen", &format!("```text\n{screen}```\n"));
}

/// Lines until nobody reads them any more.
#[test]
fn without_a_terminal_there_is_a_line_a_minute() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;
    let desk = Desk::new();
    up(&desk, "my-instance");
    for json in [false, true] {
        let output = if json { "json" } else { "human" };
        let arguments = ["--sandbox", "--sandbox-speed=600", "watch", "--db", "my-instance", "--output", output];
        let mut child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines: Vec<String> =
            BufReader::new(child.stdout.take().unwrap()).lines().take(4).map(Result::unwrap).collect();
        // The reader is gone.
        assert_eq!(child.wait().unwrap().code(), Some(0), "{lines:?}");
        if json {
            crate::schemas::check(&arguments, &lines.join("\n"), "");
            for line in &lines {
                let document: Value = serde_json::from_str(line).unwrap();
                assert_eq!(
                    (&document["schema"], &document["reading"]["proxy"]),
                    (&1.into(), &"my-instance-proxy".into())
                );
            }
        } else {
            assert!(lines[0].starts_with("minute  ") && lines[0].contains("  clients  "), "{lines:?}");
            let column = |line: &String| line.chars().count() - line.rsplit("  ").next().unwrap().chars().count();
            let columns: Vec<usize> = lines.iter().map(column).collect();
            assert!(columns.iter().all(|column| *column == columns[0]), "{lines:?}");
        }
    }
}

#[cfg(unix)]
mod terminal {
    use std::process::Command;

    use rdsproxy_setup::report::Screen;

    use crate::cli::up;
    use crate::desk::Desk;
    use crate::signals::{Terminal, ends, tell};

    const ENTERED: &str = "\u{1b}[?1049h";
    const LEFT: &str = "\u{1b}[?1049l";
    const CURSOR: &str = "\u{1b}[?25h";

    fn watch(desk: &Desk) -> Command {
        let mut command = desk.command(&["--sandbox", "--sandbox-speed=60", "watch", "--db", "my-instance"]);
        command.env("TERM", "xterm-256color");
        command
    }

    /// A terminal with the screen on it, and the modes that it had before.
    fn watching(desk: &Desk) -> (Terminal, String) {
        let before = Terminal::sized(&mut Command::new("true"), 24, 80);
        let modes = before.modes();
        drop(before.until_it_ends());
        let mut at = Terminal::sized(&mut watch(desk), 24, 80);
        at.until("q quits");
        assert!(at.shown.contains(ENTERED) && !at.shown.contains(LEFT), "{:?}", at.shown);
        assert_ne!(at.modes(), modes, "it is not in raw mode");
        (at, modes)
    }

    fn left(at: &mut Terminal, modes: &str) {
        at.rest();
        assert_eq!(at.modes(), modes, "{:?}", at.shown);
        let (_, end) = at.shown.split_once(LEFT).unwrap_or_else(|| panic!("{:?}", at.shown));
        assert!(!end.contains(ENTERED) && at.shown.contains(CURSOR), "{:?}", at.shown);
    }

    #[test]
    fn a_key_quits_and_the_terminal_is_as_it_was() {
        let desk = Desk::new();
        up(&desk, "my-instance");
        for key in ["q", "\u{1b}", "\u{3}"] {
            let (mut at, modes) = watching(&desk);
            for word in
                ["my-instance-proxy", "in front of my-instance", "Client connections", "DBAppFunction", "Availability"]
            {
                // Spaces are not written where the screen was empty before.
                let drawn = word.split(' ').all(|word| at.shown.contains(word));
                assert!(drawn, "{word}: {:?}", at.shown);
            }
            at.write(key);
            assert_eq!(ends(&mut at.child), Some(0), "{key:?}: {:?}", at.shown);
            left(&mut at, &modes);
            assert!(!at.shown.contains("error:"), "{:?}", at.shown);
        }
    }

    #[test]
    fn a_signal_ends_it_and_the_terminal_is_as_it_was() {
        let desk = Desk::new();
        up(&desk, "my-instance");
        for signal in ["-TERM", "-INT"] {
            let (mut at, modes) = watching(&desk);
            tell(&at.child, signal);
            assert_eq!(ends(&mut at.child), Some(130), "{signal}: {:?}", at.shown);
            left(&mut at, &modes);
            // What it says then stands on the screen that stays.
            let (_, end) = at.shown.split_once(LEFT).unwrap();
            assert!(end.contains("error:") && end.contains("interrupted"), "{:?}", at.shown);
        }
    }

    /// What the next test runs on a terminal: it takes it, and panics without dropping anything, as a release does.
    #[test]
    #[ignore = "run by the next one on a terminal of its own"]
    fn takes_the_terminal_and_panics() {
        if std::env::var_os("ON_A_TERMINAL").is_none() {
            return;
        }
        std::mem::forget(Screen::take().unwrap());
        panic!("on purpose");
    }

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was() {
        let before = Terminal::sized(&mut Command::new("true"), 24, 80);
        let modes = before.modes();
        drop(before.until_it_ends());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "live::terminal::takes_the_terminal_and_panics", "--ignored", "--nocapture"]);
        command.env("ON_A_TERMINAL", "1").env("TERM", "xterm-256color");
        let mut at = Terminal::sized(&mut command, 24, 80);
        drop(command);
        at.until("on purpose");
        assert_ne!(ends(&mut at.child), Some(0), "{:?}", at.shown);
        left(&mut at, &modes);
        assert!(at.shown.contains(ENTERED), "{:?}", at.shown);
        // The panic's own words come after the screen has been left.
        assert!(at.shown.find(LEFT) < at.shown.find("on purpose"), "{:?}", at.shown);
    }
}
