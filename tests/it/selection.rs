//! Which functions flags chose: the proxy remembers it, and every later run wants the same.

use std::collections::BTreeMap;

use rdsproxy_setup::spec::Spec;

use crate::adoption;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const APP: &str = "DBAppFunction";
const INVOICE: &str = "InvoiceFunction";

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn variables(bed: &Bed, function: &str) -> Option<BTreeMap<String, String>> {
    bed.gate.account.with(|world| world.lambda.functions[function].latest.environment.clone())
}

/// Whether a run without flags finds everything in place, chooses these functions, and changes nothing.
async fn settled_with(bed: &Bed, functions: &[&str]) {
    let survey = bed.survey(&wish("my-instance")).await.unwrap();
    let chosen: Vec<&str> = survey.functions.iter().map(|found| found.function.name.as_str()).collect();
    assert_eq!(chosen, functions);
    bed.in_place(&wish("my-instance")).await;
}

#[tokio::test(start_paused = true)]
async fn a_choice_of_functions_is_remembered_until_flags_say_otherwise() {
    for (functions, excluded) in [(names(&[APP]), Vec::new()), (Vec::new(), names(&[INVOICE]))] {
        let bed = Bed::new(NEVER, false);
        let before = bed.dump().await;
        let invoice = variables(&bed, INVOICE);
        let asked = Spec { functions, excluded_functions: excluded, ..wish("my-instance") };
        assert!(matches!(bed.up(&asked).await, Fate::Done(_)));
        settled_with(&bed, &[APP]).await;
        let survey = bed.survey(&wish("my-instance")).await.unwrap();
        let told = survey.warnings.iter().any(|text| text.contains(INVOICE) && text.contains("--all-functions"));
        assert!(told, "{:?}", survey.warnings);
        assert_eq!(variables(&bed, INVOICE), invoice);
        // Another choice replaces it, and the last one chooses among all again.
        let both = Spec { functions: names(&[APP, INVOICE]), ..wish("my-instance") };
        assert!(matches!(bed.up(&both).await, Fate::Done(_)));
        settled_with(&bed, &[APP, INVOICE]).await;
        assert!(matches!(bed.up(&asked).await, Fate::Done(_)));
        settled_with(&bed, &[APP]).await;
        let all = Spec { all_functions: true, ..wish("my-instance") };
        assert!(matches!(bed.up(&all).await, Fate::Done(_)));
        settled_with(&bed, &[APP, INVOICE]).await;
        assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
        assert_eq!(bed.dump().await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_remembered_and_uses_the_database_no_more_gets_nothing() {
    let bed = Bed::new(NEVER, false);
    let asked = Spec { functions: names(&[APP]), ..wish("my-instance") };
    assert!(matches!(bed.up(&asked).await, Fate::Done(_)));
    bed.gate.account.with(|world| {
        world.lambda.functions.get_mut(APP).unwrap().latest.environment = None;
    });
    // With no function left, the connect policy would let in every user: then a person chooses.
    let since = bed.logged();
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why.contains(INVOICE)), "{fate:?}");
    assert_eq!(bed.mutations(since), [""; 0]);
    // One that is left out and was deleted since is no mistake of these flags.
    let bed = Bed::new(NEVER, false);
    let without = Spec { excluded_functions: names(&[INVOICE]), ..wish("my-instance") };
    assert!(matches!(bed.up(&without).await, Fate::Done(_)));
    bed.gate.account.with(|world| world.lambda.functions.remove(INVOICE));
    settled_with(&bed, &[APP]).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_run_killed_anywhere_goes_on_with_its_own_choice() {
    let asked = Spec { functions: names(&[APP]), ..wish("my-instance") };
    for after_effect in [false, true] {
        for kill_at in 0..NEVER {
            let bed = Bed::of(newcomer(), kill_at, after_effect);
            let invoice = variables(&bed, INVOICE);
            if matches!(bed.up(&asked).await, Fate::Done(_)) {
                assert!(kill_at > 5, "{kill_at}");
                break;
            }
            bed.disarm();
            // Once there is a proxy, the flags need not be said again.
            let there = bed.gate.account.with(|world| world.rds.proxies.contains_key("my-instance-proxy"));
            let again = if there { wish("my-instance") } else { asked.clone() };
            let fate = bed.up(&again).await;
            assert!(matches!(fate, Fate::Done(_)), "{kill_at}: {fate:?}");
            assert_eq!(variables(&bed, INVOICE), invoice, "{kill_at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_adopted_proxy_remembers_too_and_is_handed_back_without_it() {
    let bed = Bed::of(adoption::made_by_hand().await, NEVER, false);
    let before = bed.dump().await;
    let invoice = variables(&bed, INVOICE);
    let asked = Spec { functions: names(&[APP]), ..adoption::adopting(true) };
    let fate = bed.up(&asked).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let since = bed.logged();
    assert!(matches!(bed.up(&adoption::adopting(false)).await, Fate::Done(_)));
    assert_eq!(bed.mutations(since), [""; 0]);
    assert_eq!(variables(&bed, INVOICE), invoice);
    assert!(matches!(bed.down(&adoption::adopting(false)).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}
