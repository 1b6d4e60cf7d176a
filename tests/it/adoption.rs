//! Proxies that someone else made: taken over when asked, never changed, and handed back.

use std::collections::BTreeMap;

use rdsproxy_setup::cloud::rds::{EngineFamily, NewProxy, ProxyAuth};
use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::Spec;
use rdsproxy_setup::templates;
use sandbox::World;

use crate::access::lawful;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::network::group;

/// How the proxy was made by hand.
struct ByHand {
    /// The name of its group; `None` for one of its own.
    group: Option<&'static str>,
    iam: bool,
    target: bool,
}

/// The newcomer's world with a proxy of its own group and without a target.
pub(crate) async fn made_by_hand() -> World {
    world(&ByHand { group: None, iam: true, target: false }).await
}

/// The newcomer's world with a proxy that someone made for `my-instance`.
async fn world(hand: &ByHand) -> World {
    let bed = Bed::of(newcomer(), NEVER, false);
    let (vpc, secret, subnets, shared) = bed.gate.account.with(|world| {
        let instance = &world.rds.instances["my-instance"];
        let subnets = &world.rds.subnet_groups[&instance.subnet_group];
        let shared = hand.group.map(|name| group(world, name));
        (subnets.vpc_id.clone(), instance.master_secret.clone().unwrap(), subnets.subnets.clone(), shared)
    });
    let none = BTreeMap::new();
    let role =
        bed.cloud.iam.create_role("by-hand", "/service-role/", &templates::proxy_trust(), &none, None).await.unwrap();
    let document = templates::read_secrets(std::slice::from_ref(&secret), &[], "eu-central-1", "aws");
    bed.cloud.iam.put_role_policy("by-hand", "read", &document).await.unwrap();
    let group = match shared {
        Some(group) => group,
        None => bed.cloud.ec2.create_group("rdsproxy-1", "made by the wizard", &vpc, &none).await.unwrap(),
    };
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    let wanted = NewProxy {
        name: "by-hand".to_owned(),
        family: EngineFamily::MySql,
        auth: vec![ProxyAuth::of(secret, hand.iam)],
        network_type: None,
        iam_to_database: false,
        role: role.arn,
        subnets,
        security_groups: vec![group],
        require_tls: true,
        idle_client_timeout: None,
        debug_logging: false,
        tags: none,
    };
    bed.cloud.rds.create_proxy(&wanted).await.unwrap();
    let mut world = bed.settled().await;
    if hand.target {
        bed.cloud.rds.register("by-hand", "my-instance", false).await.unwrap();
        world = bed.settled().await;
    }
    world.log.clear();
    world
}

pub(crate) fn adopting(adopt: bool) -> Spec {
    let mut spec = wish("my-instance");
    "by-hand".clone_into(&mut spec.stack);
    spec.adopt = adopt;
    spec
}

/// What the proxy's step says.
async fn verdict(world: World, spec: &Spec) -> String {
    let bed = Bed::of(world, NEVER, false);
    let entries = Box::pin(bed.survey(spec)).await.unwrap().entries();
    assert_eq!(bed.mutations(0), [""; 0]);
    entries
        .iter()
        .find_map(|entry| match &entry.verdict {
            Verdict::Conflict(why) => Some(why.join("; ")),
            _ => None,
        })
        .unwrap_or_default()
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_proxy_made_by_hand_is_taken_over_and_handed_back_as_it_was() {
    for hand in [
        ByHand { group: None, iam: true, target: false },
        // A group that the proxy shares with the database needs a rule that names itself.
        ByHand { group: Some("my-instance-db"), iam: true, target: true },
    ] {
        let made = world(&hand).await;
        let want = lawful(&|| made.clone(), &adopting(true)).await;
        let proxy = &want["rds"]["proxies"]["by-hand"];
        assert_eq!(proxy["tags"]["rdsproxy-setup:stack"], "by-hand");
        assert_eq!(proxy["target_group"]["target"]["id"], "my-instance");
        assert!(proxy["role_arn"].as_str().unwrap().ends_with("service-role/by-hand"), "{proxy}");
        assert!(want["lambda"].to_string().contains("by-hand.proxy-"), "the functions use it");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_flag_it_is_a_conflict_that_names_it() {
    let made = world(&ByHand { group: None, iam: true, target: true }).await;
    let why = verdict(made, &adopting(false)).await;
    assert!(why.contains("did not create it") && why.contains("--adopt"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_would_have_to_be_changed_is_told_and_not_changed() {
    let made = world(&ByHand { group: None, iam: false, target: true }).await;
    let why = verdict(made, &adopting(true)).await;
    assert!(why.contains("not changed") && why.contains("client authentication"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_of_another_database_or_stack_is_not_taken_over() {
    let mut made = world(&ByHand { group: None, iam: true, target: true }).await;
    made.rds.proxies.get_mut("by-hand").unwrap().target_group.target.as_mut().unwrap().id = "legacy-oracle".to_owned();
    let why = verdict(made.clone(), &adopting(true)).await;
    assert!(why.contains("serves legacy-oracle already"), "{why}");
    let proxy = made.rds.proxies.get_mut("by-hand").unwrap();
    proxy.tags.insert("rdsproxy-setup:stack".to_owned(), "another".to_owned());
    let why = verdict(made, &adopting(true)).await;
    assert!(why.contains("did not create it") && !why.contains("--adopt"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn others_that_use_the_adopted_proxy_do_not_stand_in_the_way_of_its_return() {
    let mut made = world(&ByHand { group: None, iam: true, target: true }).await;
    let host = made.rds.proxies["by-hand"].endpoint.clone();
    let invoice = made.lambda.functions.get_mut("InvoiceFunction").unwrap();
    invoice.latest.environment.as_mut().unwrap().insert("DB_HOST".to_owned(), host);
    let bed = Bed::of(made, NEVER, false);
    assert!(matches!(bed.up(&adopting(true)).await, Fate::Done(_)));
    let database = &adopting(true).database;
    let stack = Box::pin(rdsproxy_setup::teardown::survey(&bed.cloud, "by-hand", Some(database))).await.unwrap();
    assert_eq!(stack.other_users, [""; 0]);
}

/// A proxy that was handed back is its owner's again: whoever uses it uses it, and a second teardown moves nobody.
#[tokio::test(start_paused = true)]
async fn a_second_teardown_leaves_the_users_of_a_proxy_that_was_handed_back() {
    let mut made = world(&ByHand { group: None, iam: true, target: true }).await;
    let host = made.rds.proxies["by-hand"].endpoint.clone();
    let invoice = made.lambda.functions.get_mut("InvoiceFunction").unwrap();
    invoice.latest.environment.as_mut().unwrap().insert("DB_HOST".to_owned(), host);
    let bed = Bed::of(made, NEVER, false);
    let spec = adopting(true);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    let since = bed.logged();
    let stack = Box::pin(rdsproxy_setup::teardown::survey(&bed.cloud, "by-hand", Some(&spec.database))).await.unwrap();
    assert!(stack.is_gone(), "{:?}", stack.lines());
    assert_eq!(stack.other_users, [""; 0]);
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    assert_eq!(bed.mutations(since), [""; 0]);
}
