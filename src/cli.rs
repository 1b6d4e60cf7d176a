//! The command line: its doc comments are the help text.

mod examples;
mod permissions;
mod proving;
mod up;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use permissions::{For, Form, Permissions};
pub use proving::{Connect, Prove, Token};
pub use up::Up;

/// Put an Amazon RDS Proxy between Lambda functions and their database
#[derive(Debug, Parser)]
#[command(
    name = "rdsproxy-setup",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_flag = true,
    disable_version_flag = true
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// Print the version
    #[arg(long, short = 'V', action = ArgAction::Version, help_heading = "Global options")]
    version: Option<bool>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads a command line.
    ///
    /// # Errors
    /// When it cannot be understood or contradicts itself; also where it asks for help.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let mut matches = command.try_get_matches_from_mut(arguments)?;
        let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let given = Given {
            endpoint_url: given("endpoint_url"),
            sandbox_file: given("sandbox_file"),
            sandbox_speed: given("sandbox_speed"),
        };
        let mut cli = Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
        cli.global.given = given;
        match cli.contradiction() {
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
    #[arg(long, global = true, value_name = "NAME")]
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
    /// Print help: -h a summary, --help everything
    #[arg(long, short = 'h', global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Where these flags come from.
    #[arg(skip)]
    pub given: Given,
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

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put an RDS Proxy between a database and its functions
    ///
    /// Carries out the thirteen documented steps, or those that are missing. Shows the plan and asks before anything
    /// changes. Functions are pointed at the proxy last, when its target is available.
    #[command(after_long_help = examples::UP, after_help = MORE)]
    Up(Box<Up>),
    /// Show the state of the thirteen steps
    #[command(after_long_help = examples::STATUS)]
    Status(Status),
    /// Restore the functions' variables and delete what up created
    #[command(after_long_help = examples::TEARDOWN)]
    Teardown(Teardown),
    /// Find out why connections fail, and how to fix it; changes nothing
    #[command(after_long_help = examples::DOCTOR)]
    Doctor(Doctor),
    /// Check that functions can connect through the proxy
    #[command(after_long_help = examples::VERIFY)]
    Verify(Prove),
    /// Print an IAM token, the proxy's password for 15 minutes
    #[command(after_long_help = examples::TOKEN)]
    Token(Token),
    /// Print a command line that logs in through the proxy
    #[command(after_long_help = examples::CONNECT)]
    Connect(Connect),
    /// Print the minimum IAM policy; makes no AWS calls
    #[command(after_long_help = examples::PERMISSIONS)]
    Permissions(Permissions),
    /// Serve, show or reset the simulated account
    #[command(subcommand, after_long_help = examples::SANDBOX)]
    Sandbox(Sandbox),
}

/// `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// The database: an instance or a cluster, by identifier or ARN.
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// Show the plan and change nothing; exit with 4 when it cannot be carried out.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: exit with 2 when something would change.
    #[arg(long, requires = "dry_run")]
    pub detailed_exitcode: bool,
    /// A function to point at the proxy; repeat for several. Else those whose variables hold the database's endpoint.
    /// The proxy remembers them: a later run without this flag chooses no other.
    #[arg(long = "function", value_name = "NAME")]
    pub functions: Vec<String>,
    /// A function to leave out although it uses the database; repeat for several. The proxy remembers them.
    #[arg(long = "exclude-function", value_name = "NAME", conflicts_with = "functions")]
    pub excluded_functions: Vec<String>,
    /// Choose among all functions again: forget which ones an earlier --function or --exclude-function chose.
    #[arg(long, conflicts_with = "functions")]
    pub all_functions: bool,
    /// A variable that stays as it is although it holds the database's host, of every function or of one; repeat for
    /// several. The proxy remembers them. Names that ask for a direct connection stay anyway: DIRECT_URL, MIGRATION_…,
    /// …_UNPOOLED, …_NON_POOLING, SHADOW_DATABASE_URL and the like.
    #[arg(long = "exclude-variable", value_name = "[FUNCTION:]NAME")]
    pub excluded_variables: Vec<String>,
    /// A variable to point at the proxy although its name asks for a direct connection, or an earlier --exclude-variable
    /// named it; repeat for several. The proxy remembers them.
    #[arg(long = "include-variable", value_name = "[FUNCTION:]NAME")]
    pub included_variables: Vec<String>,
    /// Whether the proxy gets a read-only endpoint, for variables that hold the cluster's reader endpoint.
    #[arg(long, value_enum, default_value_t = ReaderEndpoint::Auto)]
    pub reader_endpoint: ReaderEndpoint,
    /// Where an alias calls an older version: publish $LATEST although it differs in more than the host.
    #[arg(long)]
    pub publish_pending: bool,
    /// A secret that the proxy logs in with, one for each database user. Else the one that RDS manages.
    #[arg(long = "secret", value_name = "NAME|ARN")]
    pub secrets: Vec<String>,
    /// Make a secret for each --db-user. The user itself must exist in the database: nothing here connects to it.
    #[arg(long, requires = "db_users", conflicts_with_all = ["secrets", "database_auth"])]
    pub create_secret: bool,
    /// Read the new secrets' passwords from stdin, one a line in the order of --db-user. Else they are asked for.
    #[arg(long, requires = "create_secret")]
    pub password_stdin: bool,
    /// Have AWS generate the new secrets' passwords.
    #[arg(long, requires = "create_secret", conflicts_with = "password_stdin")]
    pub generate_password: bool,
    /// The customer KMS key of the new secrets, by id, ARN or alias.
    #[arg(long, value_name = "KEY", requires = "create_secret")]
    pub secret_kms_key: Option<String>,
    /// The permissions boundary of the proxy's role, for accounts that require one.
    #[arg(long, value_name = "ARN")]
    pub permissions_boundary: Option<String>,
    /// A role that an administrator created for the proxy: checked, never changed or deleted.
    #[arg(long, value_name = "ARN", conflicts_with_all = ["permissions_boundary", "create_secret", "adopt"])]
    pub role_arn: Option<String>,
    /// A connect policy that an administrator created and attached to the functions' roles: checked, never changed.
    #[arg(long, value_name = "ARN")]
    pub connect_policy_arn: Option<String>,
    /// The proxy's name. Else the database's with -proxy.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Take over a proxy of this name that someone else made for this database. It keeps its role, groups and secrets,
    /// and teardown hands it back instead of deleting it.
    #[arg(long, conflicts_with_all = ["secrets", "create_secret", "subnets"])]
    pub adopt: bool,
    /// How functions log in at the proxy; auto keeps them working without a change of code.
    #[arg(long, value_enum, default_value_t = ClientAuth::Auto)]
    pub client_auth: ClientAuth,
    /// How functions that log in with a password send it [default: as the database does, else AWS's choice].
    #[arg(long, value_enum)]
    pub client_password_auth: Option<ClientPasswordAuth>,
    /// How the proxy logs in at the database: with the passwords of secrets, or with IAM from end to end.
    #[arg(long, value_enum)]
    pub database_auth: Option<DatabaseAuth>,
    /// Turn IAM authentication of the database on if it is off; teardown turns it off again.
    #[arg(long)]
    pub enable_iam_auth: bool,
    /// A database user that functions log in as; repeat for several. Only '*' lets every function log in as any user,
    /// the master user among them; it is not remembered.
    #[arg(long = "db-user", value_name = "USER")]
    pub db_users: Vec<String>,
    /// A subnet for the proxy; repeat, two zones at least. Else those of the database.
    #[arg(long = "subnet", value_name = "SUBNET")]
    pub subnets: Vec<String>,
    /// What the proxy's endpoint speaks; IPv6 needs an IPv6 block in every subnet. It cannot be changed later.
    #[arg(long, value_enum)]
    pub network_type: Option<NetworkType>,
    /// Percent of the database's max_connections that the proxy may use.
    #[arg(long, value_name = "PERCENT", help_heading = "Connection pool (unset: AWS's own default)")]
    pub max_connections_percent: Option<i32>,
    /// Percent of max_connections that may stay open idle.
    #[arg(long, value_name = "PERCENT", help_heading = "Connection pool (unset: AWS's own default)")]
    pub max_idle_connections_percent: Option<i32>,
    /// Seconds that a client waits for a connection.
    #[arg(long, value_name = "SECONDS", help_heading = "Connection pool (unset: AWS's own default)")]
    pub connection_borrow_timeout: Option<i32>,
    /// Seconds after which an idle client is cut off.
    #[arg(long, value_name = "SECONDS", help_heading = "Connection pool (unset: AWS's own default)",
          value_parser = clap::value_parser!(i32).range(1..=28_800))]
    pub idle_client_timeout: Option<i32>,
    /// SQL that runs on every new connection.
    #[arg(long, value_name = "SQL", help_heading = "Connection pool (unset: AWS's own default)")]
    pub init_query: Option<String>,
    /// What does not pin a session: EXCLUDE_VARIABLE_SETS.
    #[arg(long, value_name = "FILTER", help_heading = "Connection pool (unset: AWS's own default)")]
    pub session_pinning_filter: Vec<String>,
    /// Refuse clients without TLS.
    #[arg(long, overrides_with = "no_require_tls")]
    pub require_tls: bool,
    /// Accept clients without TLS.
    #[arg(long)]
    pub no_require_tls: bool,
    /// Turn the proxy's debug logging on; AWS turns it off after 24 hours.
    #[arg(long)]
    pub debug_logging: bool,
    /// A further tag on everything that is made; repeat for several.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub tags: Vec<String>,
    /// Read each secret once, to check that it has the keys username and password.
    #[arg(long)]
    pub inspect_secret: bool,
    /// What must hold before the functions are pointed at the proxy. probe makes a short-lived function in the seat of
    /// each of them, which connects, and is removed.
    #[arg(long, value_enum, default_value_t = Verify::Static)]
    pub verify: Verify,
    /// With --verify probe: log in with the functions' own passwords, which are not stored anywhere.
    #[arg(long)]
    pub probe_login: bool,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}

/// How long to wait.
#[derive(Debug, Args)]
#[command(next_help_heading = "Waiting")]
pub struct Waits {
    /// How long to wait, such as 45m; repeatable
    ///
    /// 45m is for every long wait, target=45m for one of them: proxy, target, deletion, propagation, database, function,
    /// probe.
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
    /// Delete the proxy although other functions use it
    ///
    /// These are functions that hold the proxy's endpoint, but that this tool did not point at it.
    #[arg(long)]
    pub even_if_used: bool,
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
