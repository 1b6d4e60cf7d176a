//! The built program over a sandbox file of its own: what a person at a desk sees.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sandbox::{Store, World};

/// A folder with one sandbox file.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

/// What one command showed.
pub(crate) struct Shown {
    pub(crate) command: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Desk {
    /// A desk with the newcomer's world.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder that it is in.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("sandbox.json")
    }

    /// The sandbox's file as the program opens it.
    pub(crate) fn store(&self) -> Store {
        Store::open(self.file(), 60.0).unwrap()
    }

    /// Changes the world by hand.
    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) -> &Self {
        self.store().change(change).unwrap();
        self
    }

    /// Lets hours of the account pass, so that what follows does not depend on how fast this machine is.
    pub(crate) fn hours_later(&self, hours: u64) -> &Self {
        self.change(|world| world.tick(sandbox::Moment(world.now.0 + hours * 3_600_000)))
    }

    /// The world without its clocks.
    pub(crate) fn dump(&self) -> serde_json::Value {
        self.store().world().unwrap().dump()
    }

    /// The program with nothing of this machine's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rdsproxy-setup"));
        command.args(arguments).env_clear().env("HOME", self.folder.path()).stdin(Stdio::null());
        command.env("RDSPROXY_SANDBOX_FILE", self.file()).env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// What it prints on stdout, as it is, at ten times the default speed.
    pub(crate) fn output(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).env("RDSPROXY_SANDBOX_SPEED", "600").output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{stderr}");
        crate::schemas::check(arguments, &stdout, &stderr);
        stdout
    }

    /// Runs it over the sandbox, ten times as fast as by default.
    pub(crate) fn run(&self, arguments: &[&str]) -> Shown {
        let mut all = vec!["--sandbox"];
        all.extend(arguments);
        let mut command = self.command(&all);
        command.env("RDSPROXY_SANDBOX_SPEED", "600");
        shown(&all, &mut command)
    }
}

/// Runs a command to its end.
pub(crate) fn shown(arguments: &[&str], command: &mut Command) -> Shown {
    let output = command.output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    crate::schemas::check(arguments, &stdout, &stderr);
    Shown {
        command: format!("rdsproxy-setup {}", arguments.join(" ")),
        stdout: steady(&stdout),
        stderr: steady(&stderr),
        code: output.status.code(),
    }
}

/// Without times and request ids, which differ from run to run, and without what is said only where a machine is busy.
pub(crate) fn steady(text: &str) -> String {
    let text = timeless(text);
    let line = |line: &str| match line.split_once("AWS request id: ") {
        Some((before, _)) => format!("{before}AWS request id: …\n"),
        None => format!("{line}\n"),
    };
    let told_where_slow = |line: &&str| line.starts_with("Reading the account in ") || line.contains(" so far; next: ");
    text.lines().filter(|line| !told_where_slow(line)).map(line).collect()
}

/// Every time of a text as `0:00`: how long something took differs from run to run.
pub(crate) fn timeless(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let word: String = tail.chars().take_while(|c| c.is_ascii_digit() || *c == ':').collect();
        let word = word.trim_end_matches(':');
        let parts: Vec<&str> = word.split(':').collect();
        let is_time = parts.len() > 1 && parts[1..].iter().all(|part| part.len() == 2);
        out.push_str(if is_time && !before.ends_with('.') { "0:00" } else { word });
        rest = &tail[word.len()..];
    }
    out.push_str(rest);
    out
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "by signal".to_owned(), |code| code.to_string());
        write!(f, "$ {}\nexit code: {code}\n", self.command)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "--- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}
