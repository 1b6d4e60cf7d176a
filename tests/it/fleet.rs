//! Two hundred functions behind one database, and AWS's own limits of requests a second.

use std::collections::BTreeMap;
use std::time::Duration;

use rdsproxy_setup::sandbox::{Limits, World};

use crate::docs::measured;
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};
use crate::shape::{difference, shape};

const FUNCTIONS: usize = 200;

/// The newcomer's account with many functions like `DBAppFunction`, each with a role of its own.
fn fleet() -> World {
    let mut world = newcomer();
    let (function, role) =
        (world.lambda.functions["DBAppFunction"].clone(), world.iam.roles["DBAppFunctionRole"].clone());
    for number in 2..FUNCTIONS {
        let (mut function, mut role) = (function.clone(), role.clone());
        let name = format!("DBAppFunction{number:03}");
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
    let mut world = fleet();
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
async fn two_hundred_functions_keep_within_awss_limits() {
    let [up, again, down] = runs(100).await;
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
async fn two_hundred_functions_come_through_where_others_use_up_most_of_the_limits() {
    let costs = runs(40).await;
    let (calls, throttled) = costs.iter().fold((0, 0), |(calls, throttled), cost| {
        (calls + cost.calls.values().sum::<usize>(), throttled + cost.throttled)
    });
    assert!(throttled > 0, "the limits were never met, so nothing was proved");
    assert!(throttled * 3 < calls, "{throttled} of {calls} calls were throttled");
}
