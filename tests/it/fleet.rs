//! Hundreds of functions behind one database, and AWS's own limits of requests a second.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::{Limits, Profile, World};

use crate::docs::{measured, measured_in};
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};
use crate::shape::{difference, shape};

const FUNCTIONS: usize = 200;

/// The newcomer's account with many functions like `DBAppFunction`, each with a role of its own.
fn fleet(functions: usize) -> World {
    let mut world = newcomer();
    (world.log_length, world.role_quota) = (100 * functions, 5_000);
    let (function, role) =
        (world.lambda.functions["DBAppFunction"].clone(), world.iam.roles["DBAppFunctionRole"].clone());
    for number in 2..functions {
        let (mut function, mut role) = (function.clone(), role.clone());
        let name = format!("DBAppFunction{number:04}");
        let rename = |text: &str| text.replace("DBAppFunction", &name);
        (role.name, role.arn, role.id) = (rename(&role.name), rename(&role.arn), format!("{}{number:03}", role.id));
        let latest = &mut function.latest;
        (latest.name, latest.arn, latest.role) = (name.clone(), rename(&latest.arn), role.arn.clone());
        latest.revision = format!("{}-{number}", latest.revision);
        world.iam.roles.insert(role.name.clone(), role);
        world.lambda.functions.insert(name, function);
    }
    world.profile.api_latency = Duration::from_millis(250);
    world
}

/// What a run cost.
struct Cost {
    span: Duration,
    calls: BTreeMap<String, usize>,
    throttled: usize,
}

impl Cost {
    fn line(&self, what: &str) -> String {
        let (all, of) =
            (self.calls.values().sum::<usize>(), |action: &str| self.calls.get(action).copied().unwrap_or(0));
        format!(
            "| {what} | {all} | {} | {} | {} | {} | {:.0} s |",
            of("UpdateFunctionConfiguration"),
            of("GetFunction"),
            of("AttachRolePolicy") + of("DetachRolePolicy"),
            self.throttled,
            self.span.as_secs_f64()
        )
    }
}

async fn cost<T>(bed: &Bed, run: impl Future<Output = Fate<T>>) -> Cost
where
    T: std::fmt::Debug,
{
    bed.gate.account.with(|world| world.log.clear());
    let began = tokio::time::Instant::now();
    let fate = run.await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let span = began.elapsed();
    bed.gate.account.with(|world| {
        let mut calls = BTreeMap::new();
        for call in &world.log {
            *calls.entry(call.action.clone()).or_insert(0) += 1;
        }
        let refused = |code: &&str| ["Throttling", "RequestLimitExceeded", "TooManyRequestsException"].contains(code);
        let throttled = world.log.iter().filter_map(|call| call.error.as_deref()).filter(refused).count();
        Cost { span, calls, throttled }
    })
}

/// An `up`, another one and a `teardown`, in an account of which others leave so much.
async fn runs(left: u64) -> [Cost; 3] {
    let mut world = fleet(FUNCTIONS);
    world.limits = Some(Limits::left_by_others(left));
    let bed = Bed::of(world, NEVER, false);
    let before = shape(&bed.settled().await);
    let wish = wish("my-instance");
    let up = cost(&bed, bed.up(&wish)).await;
    let again = cost(&bed, bed.up(&wish)).await;
    assert_eq!(bed.mutations(0), [""; 0]);
    let down = cost(&bed, bed.down(&wish)).await;
    let lines = [("`up`", &up), ("`up` again", &again), ("`teardown`", &down)].map(|(what, cost)| cost.line(what));
    let head = "| run | calls | updates | reads | roles | throttled | time |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |";
    let table = format!("{head}\n{}\n", lines.join("\n"));
    say(&format!("{left} % left by others\n{table}"));
    measured(&format!("fleet {left}"), &table);
    let lines = difference(&shape(&bed.settled().await), &before);
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    [up, again, down]
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: hundreds of functions"]
async fn two_hundred_functions_keep_within_awss_limits() {
    let [up, again, down] = Box::pin(runs(100)).await;
    assert_eq!([up.throttled, again.throttled, down.throttled], [0, 0, 0]);
    // Two changes a function at ten a second are 40 s, two calls a role at eight a second 50 s; the rest is AWS's own
    // waits, here of half a minute, which would hide the roles' calls at their usual length.
    let most = |seconds| Duration::from_secs(seconds);
    assert!(
        up.span < most(130) && again.span < most(30) && down.span < most(130),
        "{:?}",
        [up.span, again.span, down.span]
    );
    assert!(up.calls.values().sum::<usize>() <= 7 * FUNCTIONS + 50, "{:?}", up.calls);
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: hundreds of functions"]
async fn two_hundred_functions_come_through_where_others_use_up_most_of_the_limits() {
    let costs = Box::pin(runs(40)).await;
    let (calls, throttled) = costs.iter().fold((0, 0), |(calls, throttled), cost| {
        (calls + cost.calls.values().sum::<usize>(), throttled + cost.throttled)
    });
    assert!(throttled > 0, "the limits were never met, so nothing was proved");
    assert!(throttled * 3 < calls, "{throttled} of {calls} calls were throttled");
}

/// The calls of one `up` without polls, for so many functions that each have a role.
async fn calls_of(functions: usize) -> usize {
    let mut world = if functions == 1 { newcomer() } else { fleet(functions) };
    if functions == 1 {
        world.lambda.functions.remove("InvoiceFunction");
    }
    let bed = Bed::of(world, NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    bed.gate.account.with(|world| {
        let of = |action: &str| world.log.iter().filter(|call| call.action == action).count();
        // One look finds an update live; a proxy is read once, and then polled. A new role is not taken at once.
        let polls = of("GetFunction").saturating_sub(2 * functions)
            + of("DescribeDBProxies").saturating_sub(1)
            + of("DescribeDBProxyTargets");
        let not_yet = world.log.iter().filter(|call| call.action == "CreateDBProxy" && call.error.is_some()).count();
        world.log.len() - polls - not_yet
    })
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: hundreds of functions"]
async fn calls_grow_with_functions_as_the_documents_say() {
    let mut table = String::from(
        "| functions, each with a role | calls of a cold `up`, without polls | a function more |\n| ---: | ---: | ---: |\n",
    );
    let mut last: Option<(usize, usize)> = None;
    for functions in [1, 10, 200, 1_000] {
        let calls = calls_of(functions).await;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let more = last.map(|(few, before)| (calls - before) as f64 / (functions - few) as f64);
        let more = more.map_or_else(|| "-".to_owned(), |more| format!("{more:.2}"));
        table.push_str(&format!("| {functions} | {calls} | {more} |\n"));
        last = Some((functions, calls));
    }
    say(&table);
    measured_in("docs/performance.md", "calls", &table);
}

/// Lambda takes fifteen changes a second, so a thousand functions take 67 s at least; the roles' calls and all else are
/// hidden behind the proxy's creation.
#[tokio::test(start_paused = true)]
#[ignore = "full tier: hundreds of functions"]
async fn a_thousand_functions_are_repointed_almost_as_fast_as_lambda_takes_it() {
    let mut world = fleet(1_000);
    world.profile = Profile::median();
    world.limits = Some(Limits::left_by_others(100));
    let bed = Bed::of(world, NEVER, false);
    let began = tokio::time::Instant::now();
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let whole = began.elapsed();
    let (step_13, throttled) = bed.gate.account.with(|world| {
        let first = world.log.iter().find(|call| call.action == "UpdateFunctionConfiguration").unwrap().at.0;
        let last = world.log.last().unwrap().at.0;
        let throttled = world.log.iter().filter(|call| call.error.as_deref() == Some("TooManyRequestsException"));
        (Duration::from_millis(last - first), throttled.count())
    });
    let table = format!(
        "| functions | step 13 | whole `up` | throttled |\n| ---: | ---: | ---: | ---: |\n| 1,000 | {:.0} s | {:.0} s | {throttled} |\n",
        step_13.as_secs_f64(),
        whole.as_secs_f64()
    );
    say(&table);
    measured_in("docs/performance.md", "thousand", &table);
    assert!(step_13 <= Duration::from_secs(80), "{step_13:?}");
}
