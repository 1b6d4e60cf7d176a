//! The command line: its doc comments are the help text.

mod advise;
mod alarms;
mod canary;
mod close_direct;
mod examples;
mod export;
mod load;
pub mod packaging;
mod permissions;
mod plans;
mod proving;
mod rehearse;
pub mod settings;
pub mod sources;
mod up;
mod watch;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};
use recording::Tape;

pub use advise::{Advise, Sizing};
pub use alarms::Alarms;
pub use canary::Canary;
pub use close_direct::CloseDirect;
pub use export::{Export, To};
pub use load::Load;
pub use packaging::{Completions, Man, Schema};
pub use permissions::{For, Form, Permissions};
pub use plans::{NOT_SAVED, Plans};
pub use proving::{Connect, Prove, Token};
pub use rehearse::Rehearse;
pub use up::{Choices, Up};
pub use watch::Watch;
pub use words::CommandLine;

/// Put an Amazon RDS Proxy between Lambda functions and their database
#[derive(Debug, Parser)]
#[command(
    name = "rdsproxy-setup",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_flag = true,
    disable_version_flag = true,
    after_long_help = examples::TOP,
    // All commands and a prompt below them fit a terminal of 24 rows.
    help_template = "{about-with-newline}{usage-heading} {usage}\n{all-args}{after-help}"
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// Print the version; with --verbose, also what it was built from
    #[arg(long, short = 'V', action = ArgAction::Version, help_heading = "Global options", hide_short_help = true)]
    version: Option<bool>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the flags' values come from.
    #[arg(skip)]
    pub sources: sources::Sources,
    /// The command's name.
    #[arg(skip)]
    pub verb: String,
}

impl Cli {
    /// Reads a command line.
    ///
    /// # Errors
    /// When it cannot be understood or contradicts itself; also where it asks for help.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let read = sources::read(&command, &arguments);
        let read = read.map_err(|text| clap::Error::raw(ErrorKind::ValueValidation, format!("{text}\n")))?;
        let (arguments, file) = read.map_or((arguments, None), |(arguments, file)| (arguments, Some(file)));
        let mut matches = command.try_get_matches_from_mut(arguments)?;
        let sources = sources::all(&command, &matches, file);
        let verb = matches.subcommand_name().unwrap_or_default().to_owned();
        let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let given = Given {
            endpoint_url: given("endpoint_url"),
            sandbox_file: given("sandbox_file"),
            sandbox_speed: given("sandbox_speed"),
            config: given("config"),
        };
        let line = words::of(&command, &matches);
        let beside = plans::contradiction(&command, &matches);
        let mut cli = Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
        cli.global.given = given;
        (cli.sources, cli.verb) = (sources, verb);
        cli.global.line = line;
        match cli.contradiction().map(str::to_owned).or(beside) {
            Some(text) => Err(command.error(ErrorKind::ArgumentConflict, text)),
            None => Ok(cli),
        }
    }

    /// Flags that lead to two accounts at once. What only the environment says is a default.
    fn contradiction(&self) -> Option<&'static str> {
        let Global { sandbox, given, .. } = &self.global;
        if matches!(self.command, Command::Sandbox(_)) {
            return None;
        }
        match (sandbox, given) {
            (true, Given { endpoint_url: true, .. }) => Some(
                "the argument '--endpoint-url <URL>' cannot be used with '--sandbox': the simulated account has no endpoint",
            ),
            (false, Given { sandbox_file: true, .. }) => Some(
                "the argument '--sandbox-file <FILE>' needs '--sandbox': without it, the account would be a real one",
            ),
            (false, Given { sandbox_speed: true, .. }) => Some(
                "the argument '--sandbox-speed <FACTOR>' needs '--sandbox': without it, the account would be a real one",
            ),
            _ => None,
        }
    }
}

/// Which flags stand on the command line itself, and not only in the environment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given {
    /// `--endpoint-url`.
    pub endpoint_url: bool,
    /// `--sandbox-file`.
    pub sandbox_file: bool,
    /// `--sandbox-speed`.
    pub sandbox_speed: bool,
    /// `--config`.
    pub config: bool,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The AWS Region
    ///
    /// [default: AWS_REGION, or the profile's Region]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// The AWS profile
    ///
    /// [default: AWS_PROFILE, or the default credential chain]
    #[arg(hide_short_help = true, long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Answer yes to every prompt
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Use a simulated account instead of AWS
    ///
    /// The account is simulated inside this program, and kept in a file. No AWS calls are made.
    #[arg(long, global = true, env = "RDSPROXY_SANDBOX", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub sandbox: bool,
    /// The format of stdout: text for people, or one JSON document
    #[arg(long, global = true, value_enum, default_value_t = Output::Human, value_name = "FORMAT", env = "RDSPROXY_OUTPUT", hide_env_values = true,
          hide_short_help = true)]
    pub output: Output,
    /// Log every AWS call with its duration and request ID
    #[arg(long, short = 'v', global = true, hide_short_help = true)]
    pub verbose: bool,
    /// Print only results and errors
    #[arg(long, short = 'q', global = true, hide_short_help = true)]
    pub quiet: bool,
    /// When to use color; NO_COLOR is honored
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_short_help = true)]
    pub color: Color,
    /// An endpoint for every service; plain HTTP only on this machine
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "RDSPROXY_ENDPOINT_URL",
        hide_env_values = true,
        hide_short_help = true
    )]
    pub endpoint_url: Option<String>,
    /// The file that holds the simulated account
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RDSPROXY_SANDBOX_FILE",
        hide_env_values = true,
        hide_short_help = true
    )]
    pub sandbox_file: Option<PathBuf>,
    /// How many times faster than real time the simulated account runs
    #[arg(long, global = true, value_name = "FACTOR", default_value_t = 60.0, env = "RDSPROXY_SANDBOX_SPEED", hide_env_values = true,
          value_parser = speed, hide_short_help = true)]
    pub sandbox_speed: f64,
    /// Read settings from this TOML file; flags and variables come first
    ///
    /// The names of its keys are those of the flags, below [defaults] or [database."NAME"]. No file is read unless
    /// this flag or RDSPROXY_CONFIG names it. docs/config.md has an example.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RDSPROXY_CONFIG",
        hide_env_values = true,
        value_hint = ValueHint::FilePath,
        hide_short_help = true
    )]
    pub config: Option<OsString>,
    /// Show every setting and where it comes from, and do nothing
    #[arg(long, global = true, hide_short_help = true)]
    pub show_config: bool,
    /// Groups, annotations and a summary, on GitHub Actions: auto or never
    ///
    /// auto writes them where GITHUB_ACTIONS is true. docs/pipelines.md shows what they are.
    #[arg(long, global = true, value_enum, default_value_t = GitHub::Auto, value_name = "WHEN", env = "RDSPROXY_GITHUB_ACTIONS", hide_env_values = true,
          hide_short_help = true, hide_possible_values = true)]
    pub github_actions: GitHub,
    /// Record every AWS call and its response to a new file, redacted
    ///
    /// One JSON line a call, with the run's events. Values are kept only where they are known to be harmless, and
    /// names, ids, hosts and addresses are replaced by pseudonyms, so that the file may be attached to an issue.
    /// The file must not exist yet.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub record: Option<PathBuf>,
    /// Keep names in the recording; values stay redacted
    #[arg(long, global = true, requires = "record", hide_short_help = true)]
    pub record_plain: bool,
    /// Print help: -h a summary, --help everything
    #[arg(long, short = 'h', global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Where these flags come from.
    #[arg(skip)]
    pub given: Given,
    /// What stands on the command line.
    #[arg(skip)]
    pub line: CommandLine,
    /// What records the run.
    #[arg(skip)]
    pub tape: Tape,
}

/// What stdout holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people.
    Human,
    /// One JSON document.
    Json,
}

/// When to use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When to write what GitHub Actions reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GitHub {
    /// Where it runs the program.
    Auto,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put an RDS Proxy between a database and its functions
    ///
    /// Carries out the thirteen documented steps, or those that are missing. Shows the plan and asks before anything
    /// changes. Functions are pointed at the proxy last, when its target is available.
    #[command(after_long_help = examples::UP, after_help = MORE)]
    Up(Box<Up>),
    /// Try up and teardown on a copy of the account
    ///
    /// Reads the account, and changes nothing in it. What it reads becomes a simulated account within this program, and
    /// there up is carried out, killed and carried out again, looked at, and torn down. Shows each change in order,
    /// how long it takes, what the account looks like afterwards, and whether teardown leaves it as it was.
    #[command(after_long_help = examples::REHEARSE)]
    Rehearse(Box<Rehearse>),
    /// Work out whether a proxy helps, its size and its cost
    #[command(after_long_help = examples::ADVISE)]
    Advise(Advise),
    /// Show the state of the thirteen steps
    #[command(after_long_help = examples::STATUS)]
    Status(Status),
    /// List the proxies of the Region that this tool manages
    #[command(after_long_help = examples::LIST)]
    List,
    /// Wait until the proxy, its target or the functions are ready
    ///
    /// Reads, and changes nothing. Exits with 5 when the limit is reached.
    #[command(after_long_help = examples::WAIT)]
    Wait(Wait),
    /// Restore the functions' variables and delete what up created
    #[command(after_long_help = examples::TEARDOWN)]
    Teardown(Teardown),
    /// Point the functions back at the database; the proxy stays
    #[command(after_long_help = examples::RESTORE)]
    Restore(Restore),
    /// Close the functions' direct path to the database
    ///
    /// For after the cut-over: removes the rules that let the functions' security groups reach the database directly,
    /// those that nothing else can be using. They are remembered, and restore and teardown bring them back first.
    #[command(after_long_help = examples::CLOSE_DIRECT)]
    CloseDirect(CloseDirect),
    /// Write the stack as Terraform or CloudFormation, to hand it over
    ///
    /// Writes files with everything that this tool created for a database, so that another tool can take it over as it
    /// is, and the proxy stays. Reads the account and changes nothing in it, unless --hand-over or --take-back asks
    /// for the mark.
    #[command(after_long_help = examples::EXPORT)]
    Export(Export),
    /// Watch the proxy live: connections, waits, log-ins, errors
    ///
    /// On a terminal, a screen that is read again each minute; q, Esc or Ctrl-C quits. Without one, a line a minute, or
    /// JSON Lines with --output json. CloudWatch bills each metric that is read: docs/watch.md says what an hour
    /// costs.
    #[command(after_long_help = examples::WATCH)]
    Watch(Watch),
    /// Find why connections fail, and how to fix it; changes nothing
    #[command(after_long_help = examples::DOCTOR)]
    Doctor(Doctor),
    /// Watch the proxy with CloudWatch alarms and a dashboard
    ///
    /// Shows the plan and asks before anything changes. Running it again repairs what was changed by hand; thresholds
    /// and topics that were set by hand stay.
    #[command(after_long_help = examples::ALARMS)]
    Alarms(Box<Alarms>),
    /// Check that functions can connect through the proxy
    #[command(after_long_help = examples::VERIFY)]
    Verify(Prove),
    /// Print an IAM token, the proxy's password for 15 minutes
    #[command(after_long_help = examples::TOKEN)]
    Token(Token),
    /// Print a command line that logs in through the proxy
    #[command(after_long_help = examples::CONNECT)]
    Connect(Connect),
    /// Print the minimum IAM policy
    ///
    /// Makes no AWS calls, unless --discover asks it to read the account.
    #[command(after_long_help = examples::PERMISSIONS)]
    Permissions(Box<Permissions>),
    /// Serve, show or reset the simulated account
    #[command(subcommand, after_long_help = examples::SANDBOX)]
    Sandbox(Sandbox),
    /// Print the completions of a shell
    ///
    /// Commands, flags and the values that a flag may have. Names of databases and functions are not completed: each
    /// would cost a call to AWS.
    #[command(after_long_help = examples::COMPLETIONS, hide = true)]
    Completions(Completions),
    /// Print the manual, or write its pages
    #[command(after_long_help = examples::MAN, hide = true)]
    Man(Man),
    /// Print the JSON Schema of what a command prints
    ///
    /// For documents on stdout and for events on stderr, with --output json. Without a name, it lists all schemas.
    /// Makes no AWS calls.
    #[command(after_long_help = examples::SCHEMA, hide = true)]
    Schema(Schema),
}

/// Where the summary leaves off.
const MORE: &str = "All options and examples: rdsproxy-setup up --help";

/// How long to wait.
#[derive(Debug, Args)]
#[command(next_help_heading = "Waiting")]
pub struct Waits {
    /// How long to wait, such as 45m; repeatable
    ///
    /// 45m is for every long wait, target=45m for one of them: proxy, target, deletion, propagation, database,
    /// function, probe, canary.
    #[arg(long = "timeout", value_name = "[WAIT=]SPAN")]
    pub timeouts: Vec<String>,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The database: identifier or ARN [default: every stack of the Region]
    #[arg(long, value_name = "ID|ARN")]
    pub db: Option<String>,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Exit with 3 on drift or when the target is unhealthy
    #[arg(long)]
    pub exit_code: bool,
}

/// `wait`.
#[derive(Debug, Args)]
pub struct Wait {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What to wait for
    #[arg(long, value_enum)]
    pub r#for: WaitFor,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WaitFor {
    /// The proxy is available
    Available,
    /// The proxy reaches the database: its target is AVAILABLE
    Target,
    /// Every function that uses the database points at the proxy, and the target is AVAILABLE
    Functions,
}

impl WaitFor {
    /// What is waited for, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Available => "the proxy",
            Self::Target => "the target",
            Self::Functions => "the functions",
        }
    }

    /// What is then so.
    #[must_use]
    pub fn reached(self) -> &'static str {
        match self {
            Self::Available => "the proxy is available",
            Self::Target => "the target is AVAILABLE",
            Self::Functions => "the functions point at the proxy",
        }
    }
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A function to check; repeatable
    ///
    /// [default: every function with a variable that holds the endpoint of the database or the proxy]
    #[arg(long = "function", value_name = "NAME")]
    pub functions: Vec<String>,
    /// A secret for the proxy, as for up; repeatable
    #[arg(long = "secret", value_name = "NAME|ARN")]
    pub secrets: Vec<String>,
    /// Read each secret once to check its keys
    ///
    /// Checks that each secret has the keys username and password. Values are never printed or stored.
    #[arg(long)]
    pub inspect_secret: bool,
    /// Read the proxy's log of the last hour too
    ///
    /// Finds why sessions are pinned and whose log-ins are refused. No statement and no value of the log is ever
    /// printed.
    #[arg(long)]
    pub logs: bool,
}

/// `teardown`.
#[derive(Debug, Args)]
pub struct Teardown {
    /// The database: identifier or ARN [default: that of the Region's only stack]
    #[arg(long, value_name = "ID|ARN")]
    pub db: Option<String>,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// A plan in a file.
    #[command(flatten)]
    pub plans: Plans,
    /// Delete the proxy although other functions use it
    ///
    /// These are functions that hold the proxy's endpoint, but that this tool did not point at it.
    #[arg(long)]
    pub even_if_used: bool,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}

/// `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The database: identifier or ARN [default: that of the Region's only stack]
    #[arg(long, value_name = "ID|ARN")]
    pub db: Option<String>,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Only this function; repeatable [default: every function at the proxy]
    #[arg(long = "function", value_name = "NAME")]
    pub functions: Vec<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// A plan in a file.
    #[command(flatten)]
    pub plans: Plans,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}

/// `sandbox`.
#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Serve the simulated account on this machine, for any AWS client
    #[command(after_long_help = examples::SERVE)]
    Serve {
        /// The port on 127.0.0.1; 0 selects a free one
        #[arg(long, default_value_t = 4600)]
        port: u16,
    },
    /// Delete everything and start with the sample account
    #[command(after_long_help = examples::RESET)]
    Reset,
    /// Print what the simulated account holds
    #[command(after_long_help = examples::SHOW)]
    Show,
    /// Set how often a function is invoked, and what that does to its database
    #[command(after_long_help = examples::LOAD)]
    Load(Load),
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (1.0..=100_000.0).contains(&speed) => Ok(speed),
        _ => Err("give a number from 1 (as slow as AWS) to 100000".to_owned()),
    }
}

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account has twelve digits".to_owned())
}
