//! Prints what the model says of a pool, as JSON: `erlang CONNECTIONS REQUESTS_PER_SECOND SECONDS_HELD [VARIATION]`.
//!
//! `tests/queue/` holds it to a real pooler.

use std::io::Write;

use advice::queue::Line;

fn main() -> std::io::Result<()> {
    let arguments: Vec<f64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (servers, rate, seconds, variation) = match arguments.as_slice() {
        [servers, rate, seconds] => (*servers, *rate, *seconds, 1.0),
        [servers, rate, seconds, variation] => (*servers, *rate, *seconds, *variation),
        _ => {
            writeln!(std::io::stderr(), "usage: erlang CONNECTIONS REQUESTS_PER_SECOND SECONDS_HELD [VARIATION]")?;
            std::process::exit(2);
        }
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let servers = servers as u64;
    let line = Line { servers, arrivals_per_second: rate, service_seconds: seconds, variation };
    let said = serde_json::json!({
        "load": line.load(),
        "wait_probability": line.wait_probability(),
        "mean_wait": line.mean_wait(),
        "wait_p90": line.wait_quantile(0.90),
        "wait_p99": line.wait_quantile(0.99),
    });
    writeln!(std::io::stdout(), "{said}")
}
