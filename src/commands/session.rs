//! What all commands share: the account, the clock, the stop signs, and questions.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use etcetera::BaseStrategy;
use recording::Tape;

use super::interrupt::{blocking, changes_begin, stop_sign};
use crate::catalogue::StepId;
use crate::cli::{Global, Output, Waits};
use crate::clock::Clock;
use crate::cloud::{Access, Ask, Calls, Cloud};
use crate::engine::{Run, Timeouts};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{self, Progress};
use crate::shell::quoted;
use crate::{names, spec};
use ::sandbox::{Store, mount};

/// After how long a read is slow for a person at a terminal.
const SLOW_AT_A_TERMINAL: Duration = Duration::from_secs(2);
/// And elsewhere, where nobody watches.
const SLOW: Duration = Duration::from_secs(5);

/// An open account.
pub(super) struct Session {
    pub(super) cloud: Cloud,
    pub(super) clock: Clock,
    pub(super) json: bool,
    quiet: bool,
    tape: Tape,
}

/// The sandbox's file.
pub(super) fn sandbox_file(global: &Global) -> Result<PathBuf, Failure> {
    if let Some(file) = &global.sandbox_file {
        return Ok(file.clone());
    }
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        Failure::new(Exit::Failed, format!("finding the state folder: {error}"), ["Choose a file with --sandbox-file."])
    })?;
    let folder = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(folder.join("rdsproxy-setup").join("sandbox.json"))
}

/// Opens the sandbox's world.
pub(super) fn store(global: &Global) -> Result<Store, Failure> {
    let file = sandbox_file(global)?;
    Store::open(&file, global.sandbox_speed).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("opening the sandbox ({}): {error}", file.display()),
            [format!(
                "Start over with: rdsproxy-setup --sandbox-file {} sandbox reset",
                quoted(&file.to_string_lossy())
            )],
        )
    })
}

impl Session {
    /// Opens the account that the flags name.
    pub(super) async fn open(global: &Global) -> Result<Self, Failure> {
        Self::open_heard(global, |calls| calls).await
    }

    /// The same, with another way of hearing its calls.
    pub(super) async fn open_heard(global: &Global, heard: impl FnOnce(Calls) -> Calls) -> Result<Self, Failure> {
        let calls = heard(calls(global));
        let (json, quiet, tape) = (global.output == Output::Json, global.quiet, global.tape.clone());
        if global.sandbox {
            let store = store(global)?;
            let world = store.world().map_err(|error| Failure::new(Exit::Failed, error.to_string(), [""; 0]))?;
            if let Some(region) = global.region.as_ref().filter(|region| **region != world.region) {
                return Err(Failure::new(
                    Exit::Decide,
                    format!("opening the sandbox: it is in {}, not in {region}", world.region),
                    ["Leave --region out with --sandbox."],
                ));
            }
            let clock = Clock::scaled(store.speed());
            let http = mount(Arc::new(store), global.sandbox_speed);
            let cloud = Cloud::overheard(http, &world.region, "AKIASANDBOXADMIN0000", &clock, &calls);
            return Ok(Self { cloud, clock, json, quiet, tape });
        }
        let endpoint_url = global.endpoint_url.as_deref().map(spec::endpoint_url).transpose()?;
        let access =
            Access { region: global.region.clone(), profile: global.profile.clone(), endpoint_url, calls, ask: ask() };
        let cloud = Cloud::real(&access).await?;
        Ok(Self { cloud, clock: Clock::real(), json, quiet, tape })
    }

    /// Reads the account; where that takes long, a line says that the program is at it.
    pub(super) async fn reading<T>(&self, work: impl Future<Output = T>) -> T {
        report::github::phase("Reading the account");
        // In the time of the person who waits, however fast the sandbox runs.
        let span = if std::io::stderr().is_terminal() { SLOW_AT_A_TERMINAL } else { SLOW };
        let mut work = Box::pin(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(span) => {}
        }
        if !self.quiet {
            report::note(self.json, &format!("Reading the account in {}…", self.cloud.region));
        }
        work.await
    }

    /// Begins to show a run of these steps.
    pub(super) fn progress(&self, steps: &[StepId]) -> Progress {
        report::github::phase("Carrying out the plan");
        Progress::start(steps, &self.clock, self.json, self.quiet, &self.tape)
    }

    /// What a run that makes changes works with: from here on, signals let it finish the call in flight.
    pub(super) fn run<'a>(&'a self, timeouts: Timeouts, listener: &'a Progress) -> Run<'a> {
        changes_begin();
        Run { cloud: &self.cloud, clock: &self.clock, timeouts, listener, stop: stop_sign() }
    }
}

/// Asks on the terminal, where there is one.
fn ask() -> Ask {
    if report::unattended().is_none() { Ask::through(report::ask) } else { Ask::default() }
}

/// Every call is recorded, and with `-v` logged on stderr.
fn calls(global: &Global) -> Calls {
    let json = global.output == Output::Json;
    let calls = if global.verbose { Calls::heard_by(move |call| report::call(json, call)) } else { Calls::default() };
    calls.recorded_on(&global.tape)
}

/// Reads `--timeout`.
pub(super) fn timeouts(waits: &Waits) -> Result<Timeouts, Failure> {
    let mut timeouts = Timeouts::default();
    for text in &waits.timeouts {
        let (name, span) = text.split_once('=').map_or((None, text.as_str()), |(name, span)| (Some(name), span));
        if !timeouts.set(name, spec::span(span)?) {
            return Err(Failure::new(
                Exit::Usage,
                format!("--timeout {text:?} is not valid: unknown timeout"),
                [format!("The timeouts are {}.", Timeouts::NAMES.join(", "))],
            ));
        }
    }
    Ok(timeouts)
}

/// Shows what will happen, and asks for consent unless it was given; `alone` is what helps where nobody can be asked.
pub(super) async fn consent(global: &Global, plan: &str, explain: &str, alone: &str) -> Result<bool, Failure> {
    let asked = !global.yes;
    if let Some(why) = report::unattended().filter(|_| asked) {
        return Err(Failure::new(Exit::Decide, format!("asking for consent: {why}, so nothing was changed"), [alone]));
    }
    // Nobody agrees to what was not shown.
    if asked || !(global.quiet || global.output == Output::Json) {
        report::github::phase("Plan");
        report::say(plan);
    }
    if !asked {
        return Ok(true);
    }
    loop {
        // A question that cannot be put is not agreed to.
        let answer = blocking(|| report::ask("Carry this out? [yes/no/explain]")).await.unwrap_or_default();
        match answer.as_deref() {
            Some("yes" | "y") => return Ok(true),
            Some("explain" | "e") => report::say(explain),
            Some("no" | "n") | None => {
                report::note(global.output == Output::Json, "Nothing was changed.");
                return Ok(false);
            }
            Some(_) => report::say("Please answer yes, no or explain."),
        }
    }
}

/// A command line that resumes where this one ends, with the flags that choose the account.
pub(super) fn command(global: &Global, verb: &str, database: &str, stack: &str) -> String {
    command_in(global, global.region.as_deref(), verb, database, stack)
}

/// As [`command`], in a region that may come from elsewhere than a flag.
pub(super) fn command_in(global: &Global, region: Option<&str>, verb: &str, database: &str, stack: &str) -> String {
    let mut line = format!("rdsproxy-setup{}", account(global, region));
    line.push_str(&format!(" {verb} --db {}", quoted(database)));
    if stack != names::stack_of(database) {
        line.push_str(&format!(" --name {}", quoted(stack)));
    }
    line
}

/// A command line that carries a saved plan out, with the flags that choose the account.
pub(super) fn command_of_plan(global: &Global, verb: &str, file: &Path) -> String {
    let region = global.region.as_deref();
    format!("rdsproxy-setup{} {verb} --plan {}", account(global, region), quoted(&file.to_string_lossy()))
}

/// The flags that lead to the account in use, each with a space before it.
fn account(global: &Global, region: Option<&str>) -> String {
    let mut flags = if global.sandbox { " --sandbox".to_owned() } else { String::new() };
    let given = &global.given;
    // What the environment says, it also says to the next command.
    let file = global.sandbox_file.as_ref().filter(|_| given.sandbox_file).map(|file| file.to_string_lossy());
    let speed = given.sandbox_speed.then(|| global.sandbox_speed.to_string());
    let url = global.endpoint_url.as_deref().filter(|_| given.endpoint_url);
    let config = global.config.as_ref().filter(|_| given.config).map(|file| file.to_string_lossy());
    for (flag, value) in [
        ("--sandbox-file", file.as_deref().filter(|_| global.sandbox)),
        ("--sandbox-speed", speed.as_deref().filter(|_| global.sandbox)),
        ("--endpoint-url", url),
        ("--region", region),
        ("--profile", global.profile.as_deref()),
        ("--config", config.as_deref()),
    ] {
        if let Some(value) = value {
            flags.push_str(&format!(" {flag} {}", quoted(value)));
        }
    }
    flags
}
