//! `sandbox load`.

use clap::Args;

/// What a function of the simulated account does.
#[derive(Debug, Args)]
pub struct Load {
    /// The function
    #[arg(long, value_name = "NAME")]
    pub function: String,
    /// A ready-made load, which the function has always had
    ///
    /// quiet: a few invocations a second by day. busy: by day, connections come near to what the database takes.
    /// mailing: 500,000 invocations in ten minutes, a thousand at a time. queue: a queue with a maximum
    /// concurrency of 20, which goes to 30 for moments. pinned: as busy, and a proxy must pin each session.
    #[arg(
        long,
        value_parser = ["quiet", "busy", "mailing", "queue", "pinned"],
        conflicts_with_all = ["rate", "duration", "connections", "closes", "pinned", "at_proxy"]
    )]
    pub preset: Option<String>,
    /// Invocations a second from now on
    #[arg(long, value_name = "NUMBER", value_parser = rate, required_unless_present_any = ["preset", "at_proxy"])]
    pub rate: Option<f64>,
    /// Milliseconds that an invocation takes
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    pub duration: u32,
    /// Connections that each execution environment opens
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub connections: u32,
    /// Close the connections at the end of each invocation
    #[arg(long)]
    pub closes: bool,
    /// The share of sessions that a proxy must pin, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub pinned: f64,
    /// What becomes of it at a proxy
    ///
    /// works: as before. refused: the proxy refuses its log-in. failed: the proxy cannot log in to the database for
    /// it. slow: it takes three times as long. pinned: each of its sessions is pinned. Without --rate, everything
    /// else stays as it is.
    #[arg(long, value_name = "HOW", value_parser = ["works", "refused", "failed", "slow", "pinned"])]
    pub at_proxy: Option<String>,
}

fn rate(text: &str) -> Result<f64, String> {
    within(text, 100_000.0)
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 1.0)
}

fn within(text: &str, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text} is not a number"))?;
    if (0.0..=most).contains(&number) { Ok(number) } else { Err(format!("{text} is not from 0 to {most}")) }
}
