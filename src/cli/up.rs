//! The flags of `up`, under the headings of its help.

use clap::{ArgAction, ArgGroup, Args};

use super::advise::Sizing;
use super::canary::Canary;
use super::{Plans, Waits};
use crate::spec::{ClientAuth, ClientPasswordAuth, DatabaseAuth, NetworkType, ReaderEndpoint, Verify};

const FUNCTIONS: &str = "Functions";
const LOGIN: &str = "Log-in and secrets";
const NETWORK: &str = "Network";
const PROXY: &str = "Proxy";
const POOL: &str = "Connection pool (defaults are those of RDS)";
const VERIFICATION: &str = "Verification";
const WAITING: &str = "Waiting";
const OUTPUT: &str = "Output";

/// `up`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("leaves").args(["dry_run", "plan_out", "wait"]).multiple(true))]
#[command(group = ArgGroup::new("creates").args(["create_secret", "plan"]).multiple(true))]
pub struct Up {
    /// The database: identifier or ARN
    ///
    /// An RDS instance, or an Aurora or Multi-AZ cluster.
    #[arg(long, value_name = "ID|ARN", required_unless_present = "plan")]
    pub db: Option<String>,
    /// Show the plan and change nothing
    ///
    /// Exits with 4 when the plan cannot be carried out.
    #[arg(long)]
    pub dry_run: bool,
    /// Leave the functions as they are
    ///
    /// The first twelve steps, and the checks before the thirteenth. A later run without it points the functions at
    /// the proxy.
    #[arg(long)]
    pub prepare: bool,
    /// A plan in a file.
    #[command(flatten)]
    pub plans: Plans,

    /// What is wanted.
    #[command(flatten)]
    pub choices: Choices,
    /// Read the passwords of new secrets from stdin
    ///
    /// One password a line, in the order of --db-user. [default: prompt for them]
    #[arg(long, requires = "creates", conflicts_with = "generate_password", help_heading = LOGIN, hide_short_help = true)]
    pub password_stdin: bool,

    /// Check first: static, probe or none
    ///
    /// The checks required before functions are pointed at the proxy. static: what the AWS APIs report. probe: also a
    /// connection from a temporary function with the role and network of each function, deleted afterwards. none: only
    /// the target's health. [default: static]
    #[arg(long, value_enum, default_value_t = Verify::Static, value_name = "HOW", help_heading = VERIFICATION,
          hide_possible_values = true, hide_default_value = true)]
    pub verify: Verify,
    /// Let probes log in with the functions' own passwords
    ///
    /// Needs --verify probe. The passwords are not stored anywhere.
    #[arg(long, help_heading = VERIFICATION, hide_short_help = true)]
    pub probe_login: bool,

    /// In waves.
    #[command(flatten)]
    pub canary: Canary,

    /// Whether to wait for the proxy and its target
    ///
    /// With --wait=false, the run begins whatever can be begun, and ends at the first thing that takes minutes.
    /// Functions are pointed at the proxy only by a run that finds its target available: wait, and run up again.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          default_missing_value = "true", require_equals = true, help_heading = WAITING, hide_short_help = true,
          hide_possible_values = true)]
    pub wait: bool,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,

    /// With --dry-run, --plan-out or --wait=false: exit with 2 when something is left to do
    #[arg(long, requires = "leaves", help_heading = OUTPUT, hide_short_help = true)]
    pub detailed_exitcode: bool,
}

/// What is wanted of the proxy and of the functions: what `up` and a rehearsal of it have in common.
#[derive(Debug, Args)]
pub struct Choices {
    /// A function to move; repeatable
    ///
    /// Points only the functions that are named at the proxy. The proxy remembers them: a later run without this flag
    /// selects the same ones. [default: every function with a variable that holds the database's endpoint]
    #[arg(long = "function", value_name = "NAME", help_heading = FUNCTIONS)]
    pub functions: Vec<String>,
    /// A function to leave alone; repeatable
    ///
    /// Leaves a function out although it uses the database. The proxy remembers it.
    #[arg(long = "exclude-function", value_name = "NAME", conflicts_with = "functions", help_heading = FUNCTIONS)]
    pub excluded_functions: Vec<String>,
    /// Select among all functions again
    ///
    /// Forgets which functions an earlier --function or --exclude-function selected.
    #[arg(long, conflicts_with = "functions", help_heading = FUNCTIONS, hide_short_help = true)]
    pub all_functions: bool,
    /// A variable to leave alone; repeatable
    ///
    /// Leaves a variable as it is although it holds the database's host, in every function or in one. The proxy
    /// remembers it. Names that ask for a direct connection are left alone by default: DIRECT_URL, MIGRATION_…,
    /// …_UNPOOLED, …_NON_POOLING, SHADOW_DATABASE_URL and similar.
    #[arg(long = "exclude-variable", value_name = "[FUNCTION:]NAME", help_heading = FUNCTIONS, hide_short_help = true)]
    pub excluded_variables: Vec<String>,
    /// A variable to move all the same; repeatable
    ///
    /// Points a variable at the proxy although its name asks for a direct connection, or an earlier --exclude-variable
    /// named it. The proxy remembers it.
    #[arg(long = "include-variable", value_name = "[FUNCTION:]NAME", help_heading = FUNCTIONS, hide_short_help = true)]
    pub included_variables: Vec<String>,
    /// Whether to create a read-only endpoint
    ///
    /// Variables that hold the cluster's reader endpoint are pointed at a read-only endpoint of the proxy.
    #[arg(long, value_enum, default_value_t = ReaderEndpoint::Auto, value_name = "WHEN", help_heading = FUNCTIONS, hide_short_help = true)]
    pub reader_endpoint: ReaderEndpoint,
    /// Publish $LATEST although it holds other changes
    ///
    /// Applies to functions with an alias that points to an older version. Without this flag, such a function is a
    /// conflict when $LATEST differs from the alias's version in more than the database's host.
    #[arg(long, help_heading = FUNCTIONS, hide_short_help = true)]
    pub publish_pending: bool,

    /// Log in with: auto, iam or password
    ///
    /// How functions log in at the proxy. auto keeps what they do today, so that no code changes; iam means IAM
    /// tokens. [default: auto]
    #[arg(long, value_enum, default_value_t = ClientAuth::Auto, value_name = "HOW", help_heading = LOGIN,
          hide_possible_values = true, hide_default_value = true)]
    pub client_auth: ClientAuth,
    /// A secret for the proxy; repeatable
    ///
    /// The Secrets Manager secret that the proxy logs in to the database with, one for each database user.
    /// [default: the secret that RDS manages]
    #[arg(long = "secret", value_name = "NAME|ARN", help_heading = LOGIN)]
    pub secrets: Vec<String>,
    /// A database user; repeatable
    ///
    /// A database user that functions log in as. Only '*' lets every function log in as any user, the master user
    /// among them; it is not remembered. [default: the users found in variables, policies and secrets]
    #[arg(long = "db-user", value_name = "USER", help_heading = LOGIN)]
    pub db_users: Vec<String>,
    /// Create a secret for each --db-user
    ///
    /// The user itself must exist in the database: this command never connects to it.
    #[arg(long, requires = "db_users", conflicts_with_all = ["secrets", "database_auth"], help_heading = LOGIN)]
    pub create_secret: bool,
    /// Generate the passwords of new secrets
    ///
    /// Secrets Manager generates them. Set the same password for the user in the database.
    #[arg(long, requires = "create_secret", help_heading = LOGIN, hide_short_help = true)]
    pub generate_password: bool,
    /// The customer managed KMS key of new secrets: ID, ARN or alias
    #[arg(long, value_name = "KEY", requires = "create_secret", help_heading = LOGIN, hide_short_help = true)]
    pub secret_kms_key: Option<String>,
    /// Read each secret once to check its keys
    ///
    /// Checks that each secret has the keys username and password. Values are never printed or stored.
    #[arg(long, help_heading = LOGIN, hide_short_help = true)]
    pub inspect_secret: bool,
    /// How clients send passwords to the proxy
    ///
    /// Applies to functions that log in with a password.
    /// [default: the database's own method, or RDS's default where it is unknown]
    #[arg(long, value_enum, value_name = "METHOD", help_heading = LOGIN, hide_short_help = true)]
    pub client_password_auth: Option<ClientPasswordAuth>,
    /// How the proxy logs in to the database
    ///
    /// [default: secret]
    #[arg(long, value_enum, value_name = "HOW", help_heading = LOGIN, hide_short_help = true)]
    pub database_auth: Option<DatabaseAuth>,
    /// Turn on IAM authentication of the database
    ///
    /// Applies if it is off; teardown turns it off again.
    #[arg(long, help_heading = LOGIN, hide_short_help = true)]
    pub enable_iam_auth: bool,
    /// Use this role for the proxy
    ///
    /// A role that an administrator created. It is checked, and never changed or deleted.
    #[arg(long, value_name = "ARN", conflicts_with_all = ["permissions_boundary", "create_secret", "adopt"], help_heading = LOGIN, hide_short_help = true)]
    pub role_arn: Option<String>,
    /// Use this connect policy
    ///
    /// A policy that an administrator created and attached to the functions' roles. It is checked, and never changed.
    #[arg(long, value_name = "ARN", help_heading = LOGIN, hide_short_help = true)]
    pub connect_policy_arn: Option<String>,
    /// The permissions boundary of the proxy's role
    ///
    /// For accounts that require one.
    #[arg(long, value_name = "ARN", help_heading = LOGIN, hide_short_help = true)]
    pub permissions_boundary: Option<String>,

    /// A subnet for the proxy; repeatable
    ///
    /// The subnets must cover at least two Availability Zones. [default: the subnets of the database's subnet group]
    #[arg(long = "subnet", value_name = "SUBNET", help_heading = NETWORK, hide_short_help = true)]
    pub subnets: Vec<String>,
    /// The addresses of the proxy's endpoint
    ///
    /// IPv6 needs an IPv6 CIDR block in every subnet. This cannot be changed later. [default: ipv4]
    #[arg(long, value_enum, value_name = "TYPE", help_heading = NETWORK, hide_short_help = true)]
    pub network_type: Option<NetworkType>,
    /// Refuse clients without TLS
    ///
    /// [default: refused where functions log in with IAM tokens]
    #[arg(long, overrides_with = "no_require_tls", help_heading = NETWORK, hide_short_help = true)]
    pub require_tls: bool,
    /// Accept clients without TLS
    #[arg(long, help_heading = NETWORK, hide_short_help = true)]
    pub no_require_tls: bool,

    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME", help_heading = PROXY)]
    pub name: Option<String>,
    /// Adopt an existing proxy of this database
    ///
    /// Takes over the proxy that --name names. It keeps its role, security groups and secrets, and teardown restores
    /// its settings instead of deleting it.
    #[arg(long, conflicts_with_all = ["secrets", "create_secret", "subnets"], help_heading = PROXY)]
    pub adopt: bool,
    /// Tag everything that is created; repeatable
    #[arg(long = "tag", value_name = "KEY=VALUE", help_heading = PROXY, hide_short_help = true)]
    pub tags: Vec<String>,
    /// Turn on the proxy's debug logging
    ///
    /// RDS turns it off again after 24 hours.
    #[arg(long, help_heading = PROXY, hide_short_help = true)]
    pub debug_logging: bool,
    /// How many days the proxy's log group keeps events
    ///
    /// One of the spans that CloudWatch Logs knows, 30 for example. [default: RDS creates the group and keeps
    /// everything]
    #[arg(long, value_name = "DAYS", help_heading = PROXY, hide_short_help = true)]
    pub log_retention: Option<i32>,

    /// Pool settings: advise or lambda
    ///
    /// advise: those that `advise` works out, which then reads what it needs. lambda: 50, 25, 300 s and 120 s, as
    /// guides for Lambda have them, with a warning where they do not fit. Settings that are given beside it come
    /// first. [default: AWS's own]
    #[arg(long, value_enum, value_name = "HOW", help_heading = POOL, hide_possible_values = true, hide_short_help = true)]
    pub sizing: Option<Sizing>,
    /// The share of max_connections that the proxy may use
    #[arg(long, value_name = "PERCENT", help_heading = POOL, hide_short_help = true)]
    pub max_connections_percent: Option<i32>,
    /// The share of max_connections that may stay open while idle
    #[arg(long, value_name = "PERCENT", help_heading = POOL, hide_short_help = true)]
    pub max_idle_connections_percent: Option<i32>,
    /// How long a client waits for a connection
    #[arg(long, value_name = "SECONDS", help_heading = POOL, hide_short_help = true)]
    pub connection_borrow_timeout: Option<i32>,
    /// How long a client may be idle before it is disconnected
    #[arg(long, value_name = "SECONDS", help_heading = POOL, hide_short_help = true,
          value_parser = clap::value_parser!(i32).range(1..=28_800))]
    pub idle_client_timeout: Option<i32>,
    /// The SQL that runs on every new connection
    #[arg(long, value_name = "SQL", help_heading = POOL, hide_short_help = true)]
    pub init_query: Option<String>,
    /// Statements that do not pin a session: EXCLUDE_VARIABLE_SETS
    #[arg(long, value_name = "FILTER", help_heading = POOL, hide_short_help = true)]
    pub session_pinning_filter: Vec<String>,
}
