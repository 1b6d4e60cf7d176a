//! How long an `up` takes in virtual time, over a fast, a usual and a bad day of AWS.

use std::time::Duration;

use sandbox::Profile;

use crate::docs::hold;
use crate::harness::{Bed, Fate, NEVER, wish};

/// One day's figures.
struct Day {
    name: &'static str,
    total: Duration,
    /// AWS's own waits: the proxy's creation, and the target's capacity after it.
    waits: Duration,
    /// The longest chain of calls and waits that depend on each other, if nobody ever asked late.
    critical: Duration,
}

impl Day {
    fn outside(&self) -> Duration {
        self.total.saturating_sub(self.waits)
    }

    fn ratio(&self) -> f64 {
        self.total.as_secs_f64() / self.critical.as_secs_f64()
    }
}

async fn measure(name: &'static str, profile: Profile) -> Day {
    let bed = Bed::new(NEVER, false);
    bed.gate.account.with(|world| {
        world.profile = profile.clone();
        world.lambda.functions.remove("InvoiceFunction");
    });
    let began = tokio::time::Instant::now();
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let total = began.elapsed();
    let waits = profile.proxy_create + profile.target_capacity;
    // Who am I; database, functions, proxies and role; groups, subnets and VPC; the role; then, once it can be assumed,
    // the proxy, its waits and the look that finds them over; the tag, the update, its wait, and the look at its
    // end.
    let calls = 8;
    let critical = profile.api_latency * calls + profile.role_assumable + waits + profile.lambda_update;
    Day { name, total, waits, critical }
}

#[tokio::test(start_paused = true)]
async fn an_up_is_as_fast_as_aws_lets_it_be() {
    let days = [
        measure("fast", Profile::fast()).await,
        measure("median", Profile::median()).await,
        measure("slow", Profile::slow()).await,
    ];
    let mut table = String::from(
        "| day | `up` | AWS's own waits | outside them | critical path | ratio |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for day in &days {
        let seconds = |span: Duration| format!("{:.1} s", span.as_secs_f64());
        let (total, waits, outside) = (seconds(day.total), seconds(day.waits), seconds(day.outside()));
        let (critical, ratio) = (seconds(day.critical), day.ratio());
        table.push_str(&format!("| {} | {total} | {waits} | {outside} | {critical} | {ratio:.3} |\n", day.name));
        assert!(day.ratio() <= 1.02, "{}: {ratio:.3}", day.name);
    }
    assert!(days[1].outside() <= Duration::from_millis(13_200), "{:?}", days[1].outside());
    hold("docs/performance.md", "pace", &table);
}
