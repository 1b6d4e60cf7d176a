//! The flags of `up --canary`.

use clap::Args;

use crate::spec::OnUnknown;

const VERIFICATION: &str = "Verification";

/// Functions move in waves.
#[derive(Debug, Args)]
#[command(next_help_heading = VERIFICATION)]
pub struct Canary {
    /// Move functions in waves; go back when worse off
    ///
    /// After each wave, CloudWatch is read, and errors, throttles and durations are compared with the time before and
    /// with the functions that have not moved. Where they are worse, everything that this run moved uses the
    /// database again.
    #[arg(long, conflicts_with = "prepare")]
    pub canary: bool,
    /// How far each wave goes: functions or percentages
    #[arg(long, value_name = "LIST", default_value = "1,25%,100%", requires = "canary", hide_short_help = true)]
    pub waves: String,
    /// How long each wave is watched
    ///
    /// Counted from the first data after the change: CloudWatch shows metrics some minutes late. Functions that are
    /// rarely invoked are watched for longer, up to --timeout canary=SPAN more.
    #[arg(long, value_name = "SPAN", default_value = "5m", requires = "canary", hide_short_help = true)]
    pub soak: String,
    /// The function that moves first
    ///
    /// [default: the one with the least traffic that has any]
    #[arg(long, value_name = "NAME", requires = "canary", hide_short_help = true)]
    pub canary_function: Option<String>,
    /// The share of an alias's calls that moves first
    ///
    /// Applies to functions that are called by an alias: Lambda sends so many of its calls to the new version, and all
    /// of them once that is not worse. auto takes the smallest of 10%, 25% and 50% that can be judged within the
    /// soak, by the traffic of the last hour; where none can, and with 100%, all calls move at once.
    #[arg(long, value_name = "PERCENT", default_value = "auto", requires = "canary", hide_short_help = true)]
    pub alias_weight: String,
    /// Where that is unknown: ask, stop or continue
    ///
    /// ask asks on a terminal, and stops elsewhere. stop leaves what has moved at the proxy. continue goes on with the
    /// next wave. [default: ask]
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnUnknown::Ask, requires = "canary", hide_short_help = true,
          hide_possible_values = true, hide_default_value = true)]
    pub on_unknown: OnUnknown,
}
