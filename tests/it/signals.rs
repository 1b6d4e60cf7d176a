//! One signal ends whatever only reads or waits; a change in flight is finished first.
#![cfg(unix)]

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use sandbox::{Fault, Service, Trigger, Trouble};

use crate::cli::up;
use crate::desk::Desk;

/// How long a program may take to end once it was told to, on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(5);

/// How wide the terminal of these tests is.
const COLUMNS: u16 = 120;

pub(crate) fn tell(child: &Child, signal: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// The exit code, and whether it came soon.
pub(crate) fn ends(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < SOON {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("it runs on");
}

/// Takes every request of one kind and never answers; tells when the first has come.
fn silent(desk: &Desk, service: Service, action: &str) {
    desk.change(|world| {
        world.faults.clear();
        let trigger = Trigger::Every { service, action: action.to_owned() };
        world.faults.push(Fault::repeated(trigger, Trouble::Silence, 100));
    });
}

fn asked(desk: &Desk) -> bool {
    desk.store().world().unwrap().faults.iter().any(|fault| fault.times < 100)
}

#[test]
fn one_signal_ends_what_only_reads() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    let before = desk.dump();
    for (signal, arguments) in [
        ("-INT", &["status", "--db", "my-instance"][..]),
        ("-TERM", &["doctor", "--db", "my-instance"]),
        ("-INT", &["verify", "--db", "my-instance"]),
        ("-TERM", &["up", "--db", "my-instance", "--dry-run"]),
        ("-INT", &["up", "--db", "my-instance", "--yes"]),
        ("-TERM", &["teardown", "--db", "my-instance", "--yes"]),
    ] {
        silent(&desk, Service::Rds, "DescribeDBProxies");
        let mut all = vec!["--sandbox", "--sandbox-speed", "1"];
        all.extend(arguments);
        let mut child = desk.command(&all).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while !asked(&desk) {
            std::thread::sleep(Duration::from_millis(20));
        }
        tell(&child, signal);
        assert_eq!(ends(&mut child), Some(130), "{arguments:?}");
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(told.ends_with("error: interrupted\n  hint: Nothing was changed.\n"), "{arguments:?}: {told}");
    }
    desk.change(|world| world.faults.clear());
    assert_eq!(desk.dump(), before);
}

#[test]
fn a_slow_read_in_the_middle_of_a_run_does_not_hold_it_up() {
    let desk = Desk::new();
    let arguments = ["--sandbox", "up", "--db", "my-instance", "--yes", "--quiet", "--sandbox-speed", "60"];
    let mut child = desk.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while !desk.store().world().unwrap().rds.proxies.contains_key("my-instance-proxy") {
        std::thread::sleep(Duration::from_millis(20));
    }
    silent(&desk, Service::Rds, "DescribeDBProxies");
    while !asked(&desk) {
        std::thread::sleep(Duration::from_millis(20));
    }
    tell(&child, "-INT");
    assert_eq!(ends(&mut child), Some(130));
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("To resume, with the same flags: rdsproxy-setup --sandbox"), "{told}");
}

/// A terminal of our own, and the program at it.
pub(crate) struct Terminal {
    master: File,
    pub(crate) child: Child,
    pub(crate) shown: String,
}

impl Terminal {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::sized(command, 60, COLUMNS)
    }

    /// A terminal of so many rows and columns.
    pub(crate) fn sized(command: &mut Command, rows: u16, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let end = || OpenOptions::new().read(true).write(true).open(&name).unwrap();
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // The command would keep the other end open after the program has ended.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { master: File::from(master), child, shown: String::new() }
    }

    /// Everything that it shows until it ends, and its exit code.
    pub(crate) fn until_it_ends(mut self) -> (String, Option<i32>) {
        let mut some = [0; 4096];
        // The other end is closed with the program, which Linux answers with an error.
        while let Ok(read @ 1..) = self.master.read(&mut some) {
            self.shown.push_str(&String::from_utf8_lossy(&some[..read]));
        }
        (self.shown, self.child.wait().unwrap().code())
    }

    pub(crate) fn until(&mut self, text: &str) {
        let mut some = [0; 4096];
        while !self.shown.contains(text) {
            let read = self.master.read(&mut some).unwrap();
            self.shown.push_str(&String::from_utf8_lossy(&some[..read]));
        }
    }

    /// Reads what was written before the program ended.
    pub(crate) fn rest(&mut self) {
        let mut some = [0; 4096];
        while let Ok(read @ 1..) = self.master.read(&mut some) {
            self.shown.push_str(&String::from_utf8_lossy(&some[..read]));
        }
    }

    /// Types something.
    pub(crate) fn write(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for a question that is answered without echo: what is typed before that is lost.
    pub(crate) fn until_secret(&mut self, question: &str) {
        self.until(question);
        while self.echoes() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The modes that the terminal is in.
    pub(crate) fn modes(&self) -> String {
        let modes = tcgetattr(&self.master).unwrap();
        format!("{:?} {:?} {:?} {:?}", modes.input_modes, modes.output_modes, modes.control_modes, modes.local_modes)
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.master).unwrap().local_modes.contains(LocalModes::ECHO)
    }
}

#[test]
fn one_signal_ends_a_question() {
    let desk = Desk::new();
    let before = desk.dump();
    let fast = "--sandbox-speed=600";
    for arguments in [
        &["--sandbox", fast, "up", "--db", "my-instance"][..],
        &["--sandbox", fast, "up", "--db", "my-cluster", "--create-secret", "--db-user", "app", "--generate-password"],
    ] {
        let mut at = Terminal::start(&mut desk.command(arguments));
        at.until("Carry this out? [yes/no/explain]");
        at.master.write_all(b"wha").unwrap();
        tell(&at.child, "-INT");
        assert_eq!(ends(&mut at.child), Some(130), "{}", at.shown);
    }
    assert_eq!(desk.dump(), before);
}

#[test]
fn one_signal_ends_the_question_for_a_password_and_the_terminal_echoes_again() {
    let desk = Desk::new();
    let before = desk.dump();
    let arguments =
        ["--sandbox", "--sandbox-speed=600", "up", "--db", "my-cluster", "--create-secret", "--db-user", "app", "-y"];
    let mut at = Terminal::start(&mut desk.command(&arguments));
    at.until_secret("Password of the database user app:");
    tell(&at.child, "-INT");
    assert_eq!(ends(&mut at.child), Some(130), "{}", at.shown);
    assert!(at.echoes());
    // As a pipe that nobody writes to.
    let mut all = arguments.to_vec();
    all.push("--password-stdin");
    let mut child = desk.command(&all).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    tell(&child, "-TERM");
    assert_eq!(ends(&mut child), Some(130));
    assert_eq!(desk.dump(), before);
}

/// What a terminal shows in the end of what was written to it: the few sequences that rows are drawn with.
fn screen(written: &str) -> Vec<String> {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0_usize, 0_usize);
    let mut chars = written.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                let mut figures = String::new();
                let end = loop {
                    match chars.next() {
                        Some(c) if c.is_ascii_alphabetic() => break c,
                        Some(c) => figures.push(c),
                        // Cut off in the middle: it shows nothing.
                        None => break 'm',
                    }
                };
                let figure = figures.parse::<usize>();
                match end {
                    'A' => row = row.saturating_sub(figure.unwrap_or(1)),
                    'B' => row += figure.unwrap_or(1),
                    'G' => column = figure.unwrap_or(1).saturating_sub(1),
                    'K' if figure == Ok(2) => lines[row].clear(),
                    'K' => lines[row].truncate(column),
                    'J' => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    'm' | 'h' | 'l' => {}
                    other => panic!("the sequence {other} is not known here"),
                }
            }
            c if c.is_control() => {}
            c => {
                // Rows are as wide as the terminal and end without a line feed.
                if column == usize::from(COLUMNS) {
                    (row, column) = (row + 1, 0);
                    lines.resize(lines.len().max(row + 1), Vec::new());
                }
                let line: &mut Vec<char> = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        if lines.len() <= row {
            lines.resize(row + 1, Vec::new());
        }
    }
    lines.into_iter().map(String::from_iter).collect()
}

#[test]
fn the_screen_of_this_test_is_that_of_a_terminal() {
    assert_eq!(screen("one\r\ntwo\r\n\u{1b}[2A\r\u{1b}[2KONE\r\n\u{1b}[1mx\u{1b}[0m"), ["ONE", "xwo", ""]);
    // An echoed ^C moves what is drawn next by its width, and a row that is drawn from there stays behind.
    assert_eq!(screen("a\r\n^C\u{1b}[1Ab"), ["a b", "^C"]);
}

/// Ctrl-C at a terminal that draws rows: each stays one row, and nothing of the key is left.
#[test]
fn rows_on_a_terminal_stay_rows_when_a_run_is_interrupted() {
    let desk = Desk::new();
    let mut command = desk.command(&["--sandbox", "--sandbox-speed=30", "up", "--db", "my-instance", "--yes"]);
    command.env("TERM", "xterm-256color");
    let mut at = Terminal::start(&mut command);
    drop(command);
    at.until("creating");
    at.master.write_all(b"\x03").unwrap();
    tell(&at.child, "-INT");
    let mut some = [0; 4096];
    while let Ok(read @ 1..) = at.master.read(&mut some) {
        at.shown.push_str(&String::from_utf8_lossy(&some[..read]));
    }
    assert_eq!(at.child.wait().unwrap().code(), Some(130), "{}", at.shown);
    let rows: Vec<String> = screen(&at.shown).into_iter().skip_while(|row| !row.starts_with("Plan: ")).collect();
    for title in ["IAM role for the proxy", "Security group for the proxy", "Functions use the proxy"] {
        let count = rows.iter().filter(|row| row.get(6..).is_some_and(|row| row.starts_with(title))).count();
        assert_eq!(count, 1, "{title}: {}\nout of {:?}", rows.join("\n"), at.shown);
    }
    assert!(!rows.iter().any(|row| row.contains("^C")), "{}", rows.join("\n"));
}
