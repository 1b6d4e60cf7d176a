//! The flags of `advise`.

use clap::{Args, ValueEnum};

/// `advise`.
#[derive(Debug, Args)]
pub struct Advise {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN", required_unless_present = "all")]
    pub db: Option<String>,
    /// Rank all databases of the Region that functions use
    #[arg(long, conflicts_with_all = ["db", "name", "functions", "explain"])]
    pub all: bool,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A function to count; repeatable
    ///
    /// [default: every function with a variable that holds the endpoint of the database or the proxy]
    #[arg(long = "function", value_name = "NAME")]
    pub functions: Vec<String>,
    /// How many days of metrics to read
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=63))]
    pub days: u32,
    /// Show where every number comes from
    #[arg(long)]
    pub explain: bool,

    /// The concurrency that other callers bring; repeatable
    ///
    /// For what AWS does not show: a Step Functions map (its MaxConcurrency times the executions at a time), a
    /// scheduler, an API. 0 says that nothing but the function's event sources invokes it.
    #[arg(long = "concurrency", value_name = "FUNCTION=N", help_heading = "What you know better")]
    pub concurrency: Vec<String>,
    /// The open shards of a stream, or the partitions of a Kafka topic; repeatable
    ///
    /// By the name of the Kinesis stream, of the DynamoDB table, or of the topic. With ParallelizationFactor, they
    /// limit the functions that read it.
    #[arg(long = "shards", value_name = "SOURCE=N", help_heading = "What you know better")]
    pub shards: Vec<String>,
    /// The connections that one execution environment opens [default: 1]
    #[arg(long, value_name = "N", help_heading = "What you know better", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub connections: Option<u64>,
    /// How long an invocation holds a connection, such as 20ms
    ///
    /// The time between its first and its last statement, or of its transactions. No metric says it.
    #[arg(long, value_name = "SPAN", help_heading = "What you know better")]
    pub hold: Option<String>,
    /// The share of connections that a proxy would pin
    #[arg(long, value_name = "PERCENT", help_heading = "What you know better", value_parser = clap::value_parser!(u64).range(0..=100))]
    pub pinned: Option<u64>,
}

/// Where pool settings come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sizing {
    /// What `advise` works out.
    Advise,
    /// 50, 25, 300 s and 120 s.
    Lambda,
}
