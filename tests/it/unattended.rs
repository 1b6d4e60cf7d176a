//! Every command where nobody answers, as in a pipeline: it ends by itself, and changes nothing that nobody has agreed
//! to.
//!
//! The commands are those of the program's own definition, so that a new one is tried without a change here.
#![cfg(unix)]

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory as _};
use rdsproxy_setup::cli::Cli;
use rdsproxy_setup::exit::Exit;
use sandbox::World;

use crate::cli::up;
use crate::desk::{Desk, Shown};
use crate::signals::Terminal;

/// Far beyond what any of them takes, on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_mins(2);

/// What runs until someone ends it, and the flag with which it ends; none where there is no such flag.
const ENDLESS: [(&str, Option<&str>); 2] = [("watch", Some("--once")), ("sandbox serve", None)];

/// A value that a flag takes.
fn value(command: &str, arg: &Arg) -> String {
    let id = arg.get_id().as_str();
    if let Some(first) = arg.get_possible_values().first() {
        return first.get_name().to_owned();
    }
    match id {
        "db" => "my-instance".to_owned(),
        "function" => "DBAppFunction".to_owned(),
        "rate" => "1".to_owned(),
        _ => panic!("{command} needs {id}: give it a value here"),
    }
}

fn words(command: &str, arg: &Arg) -> Vec<String> {
    let flag = arg.get_long().map(|long| format!("--{long}"));
    let value = arg.get_action().takes_values().then(|| value(command, arg));
    flag.into_iter().chain(value).collect()
}

/// Adds what clap says that the line lacks, until it lacks nothing.
fn complete(command: &clap::Command, mut line: Vec<String>) -> Vec<String> {
    let name = line.join(" ");
    loop {
        let typed = [&["rdsproxy-setup".to_owned()], &line[..]].concat();
        let missing = match Cli::command().try_get_matches_from(&typed) {
            Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => error,
            _ => return line,
        };
        let Some(ContextValue::Strings(texts)) = missing.get(ContextKind::InvalidArg) else { panic!("{missing}") };
        // Of several that would do, the first.
        let named = |arg: &&Arg| match arg.get_long() {
            Some(long) => texts[0].contains(&format!("--{long}")),
            None => texts[0].contains(&format!("<{}>", arg.get_id().as_str().to_uppercase())),
        };
        let Some(first) = command.get_arguments().find(named) else { panic!("{name} needs {texts:?}") };
        line.extend(words(&name, first));
    }
}

/// Each command that can be run, with the fewest arguments that it takes.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, path: &[String], all: &mut Vec<Vec<String>>) {
        let mut subcommands = command.get_subcommands().filter(|command| command.get_name() != "help").peekable();
        if subcommands.peek().is_none() {
            let name = path.join(" ");
            let database = command.get_arguments().filter(|arg| arg.get_id() == "db").flat_map(|arg| words(&name, arg));
            let line: Vec<String> = path.iter().cloned().chain(database).collect();
            let mut line = complete(command, line);
            match ENDLESS.iter().find(|(endless, _)| *endless == name) {
                Some((_, Some(flag))) => line.push((*flag).to_owned()),
                Some((_, None)) => return,
                None => {}
            }
            all.push(line);
        }
        for inner in subcommands {
            below(inner, &[path, &[inner.get_name().to_owned()]].concat(), all);
        }
    }
    let mut all = Vec::new();
    below(&Cli::command(), &[], &mut all);
    all
}

/// The program in a pipeline: `CI` is set, as CI systems set it.
fn command(desk: &Desk, line: &[String], more: &[&str]) -> Command {
    let sandbox: &[&str] = if line[0] == "sandbox" { &[] } else { &["--sandbox"] };
    let words: Vec<&str> =
        sandbox.iter().copied().chain(line.iter().map(String::as_str)).chain(more.iter().copied()).collect();
    let mut command = desk.command(&words);
    command.env("CI", "true").env("RDSPROXY_SANDBOX_SPEED", "600").current_dir(desk.folder());
    command
}

/// The same, by a shell that closes stdin first.
fn without_stdin(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" <&-"]).arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(command.get_current_dir().unwrap());
    shell
}

/// Waits for its end, within the bound.
fn ended(child: &mut Child, line: &[String]) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < BOUND {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("{line:?} does not end");
}

/// What it shows with its stdin closed, or with a pipe for it that says nothing until it has ended.
fn shown(desk: &Desk, line: &[String], more: &[&str], closed: bool) -> Shown {
    let mut command = command(desk, line, more);
    if closed {
        command = without_stdin(&command);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let open = child.stdin.take();
    let read = |mut stream: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        })
    };
    let (stdout, stderr) = (read(Box::new(child.stdout.take().unwrap())), read(Box::new(child.stderr.take().unwrap())));
    let code = ended(&mut child, line);
    drop(open);
    let command = format!("rdsproxy-setup {} {}", line.join(" "), more.join(" "));
    Shown { command, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap(), code }
}

/// What it shows at a terminal that nobody sits at.
fn at_a_terminal(desk: &Desk, line: &[String], more: &[&str]) -> (String, Option<i32>) {
    let at = Terminal::start(command(desk, line, more).env("TERM", "xterm-256color"));
    let (id, over) = (at.child.id().to_string(), AtomicBool::new(false));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let began = Instant::now();
            while !over.load(Ordering::SeqCst) {
                if began.elapsed() > BOUND {
                    Command::new("kill").args(["-KILL", &id]).status().unwrap();
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let (text, code) = at.until_it_ends();
        over.store(true, Ordering::SeqCst);
        assert!(code.is_some(), "{line:?} does not end: {text}");
        (text, code)
    })
}

fn documented(code: Option<i32>) -> bool {
    Exit::ALL.iter().any(|exit| code == Some(i32::from(exit.code()))) && code != Some(130)
}

/// An account after `up`.
fn behind_a_proxy() -> World {
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.store().world().unwrap()
}

fn at(world: &World) -> Desk {
    let desk = Desk::new();
    desk.change(|held| *held = world.clone());
    desk
}

#[test]
fn every_command_is_among_those_that_are_tried() {
    let commands = commands();
    for name in Cli::command().get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help") {
        assert!(commands.iter().any(|line| line[0] == name), "{name}");
    }
    assert!(commands.len() > 20, "{commands:?}");
}

/// Every command without consent, with nothing on stdin and with a pipe that stays silent.
fn nothing_is_changed(world: &World) {
    let desk = at(world);
    let before = desk.dump();
    for line in commands().iter().filter(|line| line[0] != "sandbox") {
        let ended = [true, false].map(|closed| shown(&desk, line, &[], closed));
        for shown in &ended {
            assert!(documented(shown.code), "{shown}");
            assert_ne!(shown.code, Some(64), "{shown}");
        }
        assert_eq!(desk.dump(), before, "{}", ended[0]);
    }
}

/// Every command without consent, at a terminal that nobody sits at.
fn nobody_is_asked(world: &World) {
    let desk = at(world);
    let before = desk.dump();
    for line in commands().iter().filter(|line| line[0] != "sandbox") {
        let (text, code) = at_a_terminal(&desk, line, &[]);
        assert!(documented(code), "{line:?}: {text}");
        assert_eq!(desk.dump(), before, "{line:?}: {text}");
    }
}

#[test]
fn every_command_ends_where_nobody_answers_and_changes_nothing_unasked() {
    nothing_is_changed(&behind_a_proxy());
}

#[test]
fn no_command_asks_at_a_terminal_in_a_pipeline() {
    nobody_is_asked(&behind_a_proxy());
    // A question that comes after the one for consent.
    let secret = ["up", "--db", "my-cluster", "--create-secret", "--db-user", "app", "--yes"].map(str::to_owned);
    let (text, code) = at_a_terminal(&Desk::new(), &secret, &[]);
    assert!(code == Some(4) && text.contains("nobody is asked where the variable CI is set"), "{text}");
}

#[test]
#[ignore = "full tier: the same before there is a proxy"]
fn nor_does_any_before_there_is_a_proxy() {
    let world = Desk::new().store().world().unwrap();
    nothing_is_changed(&world);
    nobody_is_asked(&world);
}

/// With consent, too: what is carried out waits for AWS alone.
#[test]
#[ignore = "full tier: every command carried out on an account of its own"]
fn every_command_ends_where_nobody_answers_with_consent() {
    for world in [Desk::new().store().world().unwrap(), behind_a_proxy()] {
        for line in commands() {
            let shown = shown(
                &at(&world),
                &line,
                &["--yes", "--timeout=1h"][..if takes_timeout(&line) { 2 } else { 1 }],
                false,
            );
            assert!(documented(shown.code), "{shown}");
            assert_ne!(shown.code, Some(64), "{shown}");
        }
    }
}

fn takes_timeout(line: &[String]) -> bool {
    let program = Cli::command();
    program.find_subcommand(&line[0]).unwrap().get_arguments().any(|arg| arg.get_long() == Some("timeout"))
}

/// What ends by a signal alone writes at once what it is there for, and does not read either.
#[test]
fn what_runs_until_it_is_ended_does_not_read() {
    let world = behind_a_proxy();
    for (name, _) in ENDLESS {
        let desk = at(&world);
        let mut line: Vec<String> = name.split(' ').map(str::to_owned).collect();
        line.extend(if name == "watch" { ["--db", "my-instance"] } else { ["--port", "0"] }.map(str::to_owned));
        let mut child = command(&desk, &line, &[])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let open = child.stdin.take();
        let mut first = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        crate::signals::tell(&child, "-TERM");
        let code = ended(&mut child, &line);
        assert!(documented(code) || code == Some(130), "{line:?}: {code:?}");
        drop(open);
    }
}
