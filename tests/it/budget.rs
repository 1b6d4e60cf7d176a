//! How many calls a run makes: API calls are what a user waits and is throttled for.

use std::collections::BTreeMap;

use crate::harness::{Bed, Fate, NEVER, wish};
use rdsproxy_setup::spec::Spec;

/// The calls of a run by action, without what only waits: repeated looks at a state on its way, and creations
/// that AWS refused until IAM had propagated.
fn calls(bed: &Bed, since: usize) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    bed.gate.account.with(|world| {
        for call in world.log.iter().skip(since) {
            let not_yet = call.error.as_deref() == Some("InvalidParameterValue") && call.action == "CreateDBProxy";
            if !not_yet {
                *calls.entry(call.action.clone()).or_insert(0) += 1;
            }
        }
    });
    for (poll, first) in [("DescribeDBProxies", 1), ("DescribeDBProxyTargets", 0), ("GetFunction", 1)] {
        calls.entry(poll.to_owned()).and_modify(|count| *count = (*count).min(first));
    }
    calls
}

fn for_one_function() -> Spec {
    let mut spec = wish("my-instance");
    spec.client_auth = rdsproxy_setup::spec::ClientAuth::Iam;
    spec
}

/// Leaves only one function that uses the instance.
fn one_function(bed: &Bed) {
    bed.gate.account.with(|world| {
        world.lambda.functions.remove("InvoiceFunction");
    });
}

#[tokio::test(start_paused = true)]
async fn a_cold_up_for_one_function_takes_at_most_22_calls_besides_polls() {
    let bed = Bed::new(NEVER, false);
    one_function(&bed);
    let fate = bed.up(&for_one_function()).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let calls = calls(&bed, 0);
    assert!(calls.values().sum::<usize>() <= 22, "{calls:#?}");
    // What waits is few calls, too: of the simulated account's waits these took 3, 5, 2 and 5.
    let actions = bed.actions(0);
    for (poll, most) in
        [("DescribeDBProxies", 5), ("DescribeDBProxyTargets", 8), ("GetFunction", 3), ("CreateDBProxy", 8)]
    {
        let many = actions.iter().filter(|action| *action == poll).count();
        assert!((1..=most).contains(&many), "{poll}: {many}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_up_without_changes_takes_at_most_13_reads() {
    let bed = Bed::new(NEVER, false);
    one_function(&bed);
    assert!(matches!(bed.up(&for_one_function()).await, Fate::Done(_)));
    let since = bed.logged();
    assert!(matches!(bed.up(&for_one_function()).await, Fate::Done(_)));
    assert_eq!(bed.mutations(since), [""; 0]);
    let made: Vec<String> = bed.actions(since);
    assert!(made.len() <= 13, "{made:#?}");
    let mut once = made.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), made.len(), "a call was made twice for the same answer: {made:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_further_function_takes_one_change_and_its_role_two_calls() {
    let count = async |both: bool| {
        let bed = Bed::new(NEVER, false);
        if !both {
            one_function(&bed);
        }
        assert!(matches!(bed.up(&for_one_function()).await, Fate::Done(_)));
        let of = calls(&bed, 0);
        ["UpdateFunctionConfiguration", "AttachRolePolicy", "SimulatePrincipalPolicy"]
            .map(|action| of.get(action).copied())
    };
    assert_eq!(count(false).await, [Some(1); 3]);
    // With the look at its tags and the poll that finds the update live, which `calls` leaves out.
    assert_eq!(count(true).await, [Some(2); 3]);
}
