//! The flags of `alarms`.

use clap::Args;
use observe::alarms::{KINDS, Kind};

use super::{Plans, Waits};

/// `alarms`.
#[derive(Debug, Args)]
pub struct Alarms {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN", required_unless_present = "plan")]
    pub db: Option<String>,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// An SNS topic to notify; repeatable
    ///
    /// Notified when an alarm goes off and when it is over. [default: what the alarms notify now]
    #[arg(long = "topic", value_name = "ARN", value_parser = topic)]
    pub topics: Vec<String>,
    /// Notify nobody
    #[arg(long, conflicts_with = "topics")]
    pub no_topic: bool,
    /// The threshold of an alarm, such as pool=90; repeatable
    ///
    /// availability, pool and pinned take percent, borrow-latency milliseconds, refused-log-ins, failed-setups and
    /// without-tls a number, client-growth and query-growth standard deviations. [default: what the alarm has now]
    #[arg(long = "threshold", value_name = "ALARM=VALUE", value_parser = threshold)]
    pub thresholds: Vec<(Kind, f64)>,
    /// Create a dashboard too
    ///
    /// One that is there is kept up to date without this flag.
    #[arg(long)]
    pub dashboard: bool,
    /// Delete the alarms and the dashboard
    #[arg(long, conflicts_with_all = ["topics", "no_topic", "thresholds", "dashboard"])]
    pub remove: bool,
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

fn threshold(text: &str) -> Result<(Kind, f64), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "give it as ALARM=VALUE".to_owned())?;
    let kind = Kind::named(key).ok_or_else(|| {
        let all: Vec<&str> = KINDS.iter().map(|info| info.key).collect();
        format!("there is no alarm {key:?}; there are {}", all.join(", "))
    })?;
    let unit = kind.info().unit;
    // The value of the table, for a person who changed it.
    let value = if value == "default" { kind.info().threshold } else { unit.read(value)? };
    Ok((kind, value))
}

fn topic(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let plain = |name: &&str| name.chars().all(|each| each.is_ascii_alphanumeric() || "-_.".contains(each));
    match parts.as_slice() {
        ["arn", partition, "sns", region, account, name]
            if partition.starts_with("aws")
                && !region.is_empty()
                && account.len() == 12
                && account.chars().all(|each| each.is_ascii_digit())
                && !name.is_empty()
                && plain(name) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("a topic is given by its ARN, arn:aws:sns:REGION:ACCOUNT:NAME".to_owned()),
    }
}
