//! The sentences of the answer, all in one place.

use super::{Change, Kind, Limit, Place, Reason, Verdict};
use crate::cost::dollars;
use crate::facts::Facts;
use crate::figure::Amount;
use crate::supply::acus;

/// Limits that the sentence lists; of more it says how many they are.
const LISTED: usize = 3;

/// Says the answer.
pub(super) fn verdict(verdict: &Verdict, facts: &Facts) -> String {
    let name = &facts.database.name;
    let peak = match verdict.peak.amount {
        Amount::Unknown => "an unknown number of connections".to_owned(),
        Amount::Exactly { value: 1 } => "1 connection".to_owned(),
        peak => format!("{peak} connections"),
    };
    let limit = format!("the limit is {}", verdict.limit.amount);
    match verdict.kind {
        Kind::NotNeeded => format!("{name} needs no proxy: its functions open at most {peak}, and {limit}."),
        Kind::NotNeededIfLimited => format!(
            "{name} needs no proxy if you limit concurrency: {}. As it is, {peak} are possible, and {limit}.",
            limits(&verdict.limits)
        ),
        Kind::Helps => format!("A proxy helps {name}: its functions open {peak} at the peak, and {limit}."),
        Kind::FailoverOnly => {
            format!("A proxy helps {name} through failovers only: its functions open at most {peak}, and {limit}.")
        }
        Kind::WillNotHelp => format!(
            "A proxy will not help {name}: its functions open {peak} at the peak, {limit}, and a pool cannot share them."
        ),
        Kind::Harmful => format!(
            "A proxy costs {name} more than it gives: without one, its functions open at most {peak}, and {limit}."
        ),
        Kind::CannotTell => format!(
            "Whether {name} needs a proxy is not known: its functions open {peak} at the peak, {limit}, and something is \
             missing."
        ),
    }
}

/// The limits in a few words.
fn limits(limits: &[Limit]) -> String {
    if limits.len() > LISTED {
        return format!("{} functions have to be limited", limits.len());
    }
    limits.iter().map(Limit::to_string).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (function, value) = (&self.function, self.value);
        match &self.place {
            Place::ReservedConcurrency => write!(f, "reserved concurrency of {value} for {function}"),
            Place::SqsMaximumConcurrency { .. } => write!(f, "SQS MaximumConcurrency of {value} for {function}"),
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PossiblePeakFits => f.write_str("even the possible peak is within the limit"),
            Self::OnlyMeasuredPeakFits => {
                f.write_str("the measured peak is within the limit, but nothing keeps it there")
            }
            Self::MeasuredPeakExceeds => f.write_str("the measured peak is over the limit"),
            Self::AlreadyAtTheLimit { measured } => {
                write!(f, "the database had {measured} connections, nine tenths or more of what it takes")
            }
            Self::MeasuredMoreThanExplained { measured, explained } => write!(
                f,
                "{measured} connections were measured, more than the {explained} that functions and other clients explain: \
                 look for environments that open several, or do not close theirs"
            ),
            Self::CannotBeLimited { functions } => {
                write!(f, "a limit on {} would throttle what was measured", functions.join(", "))
            }
            Self::FailsOver => f.write_str("a proxy keeps client connections through a failover"),
            Self::PoolServes { connections } => write!(f, "a pool of {connections} connections serves the load"),
            Self::SharingUnknown => {
                f.write_str("how many clients can share a connection is unknown: state how long each holds one")
            }
            Self::Pinning { percent } => {
                write!(f, "{percent}% of the clients are or will be pinned, and each of them keeps a connection")
            }
            Self::LongTransactions { needed } => {
                write!(f, "connections are held so long that a pool needs {needed} of them")
            }
            Self::Unsupported { what } => write!(f, "RDS Proxy does not serve {what}"),
            Self::SqlServer => f.write_str(
                "SQL Server takes 32,767 connections, and its drivers pin sessions (MARS, transactions, cursors, SET)",
            ),
            Self::LosesAutoPause => f.write_str("the cluster can pause, and with a proxy it never does"),
            Self::EightAcuMinimum { half_acus } => {
                write!(
                    f,
                    "a proxy of Serverless v2 is billed for at least 8 ACUs, and the database uses {}",
                    acus(*half_acus)
                )
            }
            Self::LowCapacityStalls => {
                f.write_str("at a minimum of 0 or 0.5 ACUs, proxies have waited for capacity without end")
            }
            Self::CostsMoreThanDatabase { proxy_cents, database_cents } => write!(
                f,
                "a proxy costs {} a month, more than the database ({})",
                dollars(*proxy_cents),
                dollars(*database_cents)
            ),
            Self::ProcessorFirst { served } => write!(
                f,
                "more than {served} connections would be busy at a time, which the vCPUs do not serve: the pool has to \
                 be smaller, and clients wait"
            ),
            Self::LoginRate => f.write_str("new connections come faster than IAM log-in to a database allows"),
            Self::ProxyExists { name } => write!(f, "the proxy {name} is there already"),
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PeakAbove { connections } => write!(f, "a peak of more than {connections} connections"),
            Self::MaxConnectionsAtLeast { connections } => {
                write!(f, "max_connections of at least {connections}, and the memory for it")
            }
            Self::LargerClass { class, more_monthly_cents: Some(cents) } => {
                write!(f, "the class {class}, for {} more a month", dollars(*cents))
            }
            Self::LargerClass { class, more_monthly_cents: None } => {
                write!(f, "the class {class}, whose price is not known here")
            }
            Self::LimitConcurrency => f.write_str("the limits on concurrency, which are free"),
            Self::OneConnectionPerEnvironment { functions } => {
                write!(f, "one connection for each environment of {}", functions.join(", "))
            }
            Self::NoPinning => f.write_str("statements and driver settings that do not pin"),
            Self::ShorterTransactions => f.write_str("shorter transactions"),
            Self::FailoverMatters => f.write_str("a standby, and functions that must not see its failover"),
            Self::Reboot => f.write_str("the reboot that is pending"),
            Self::FillGaps => f.write_str("what is missing, read or stated"),
            Self::DataApi => f.write_str("the Data API, which needs no connections of its own"),
        }
    }
}
