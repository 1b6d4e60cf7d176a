//! What AWS's models allow of proxies and targets, and what its documentation leaves open: the program is right either
//! way.

use std::time::Duration;

use rdsproxy_setup::cloud::ec2::Direction;
use sandbox::{Fault, Service, Trigger, Trouble, World};

use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

/// Every host that is in a variable of any function after each call of the run: none is ever empty.
async fn up_and_down(world: World, id: &str, what: &str) {
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    let fate = bed.up(&wish(id)).await;
    let Fate::Done(outcome) = fate else { panic!("{what}: {fate:?}") };
    assert!(outcome.endpoint.contains(".proxy-"), "{what}: {}", outcome.endpoint);
    let since = bed.logged();
    assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)), "{what}");
    assert_eq!(bed.mutations(since), [""; 0], "{what}: the second up");
    bed.gate.account.with(|world| {
        for function in world.lambda.functions.values() {
            let hosts = function.latest.environment.iter().flatten().filter(|(name, _)| name.contains("HOST"));
            for (name, value) in hosts {
                assert!(!value.is_empty(), "{what}: {name} of {}", function.latest.name);
            }
        }
    });
    let fate = bed.down(&wish(id)).await;
    assert!(matches!(fate, Fate::Done(())), "{what}: {fate:?}");
    assert_eq!(bed.dump().await, before, "{what}");
}

/// `Endpoint` is optional in the model of `DBProxy`, whatever the state.
#[tokio::test(start_paused = true)]
async fn an_available_proxy_without_an_endpoint_is_waited_for() {
    for id in ["my-instance", "my-cluster"] {
        for late in [0, 1, 30, 120] {
            let mut world = newcomer();
            world.profile.endpoint_visible = world.profile.proxy_create + Duration::from_secs(late);
            up_and_down(world, id, &format!("{id}, endpoint {late} s late")).await;
        }
    }
}

/// No documentation says how a registration is refused while the proxy is being created.
#[tokio::test(start_paused = true)]
async fn a_registration_may_be_refused_in_any_way_until_the_proxy_is_available() {
    for code in [
        None,
        Some("InvalidParameterValue"),
        Some("DBProxyTargetGroupNotFoundFault"),
        Some("InvalidVPCNetworkStateFault"),
    ] {
        let mut world = newcomer();
        world.rds.register_while_creating = false;
        world.rds.register_refusal = code.map(str::to_owned);
        up_and_down(world, "my-instance", &format!("{code:?}")).await;
    }
}

/// What an available proxy says is believed, and the reason is shown.
#[tokio::test(start_paused = true)]
async fn a_registration_that_an_available_proxy_refuses_ends_the_run() {
    let mut world = newcomer();
    world.rds.instances.get_mut("my-instance").unwrap().engine = "oracle-ee".to_owned();
    let bed = Bed::of(newcomer(), NEVER, false);
    let survey = Box::pin(bed.survey(&wish("my-instance"))).await.unwrap();
    bed.gate.account.with(|now| now.rds.instances = world.rds.instances.clone());
    let fate = bed.converge(&survey).await;
    let Fate::Stopped(why) = fate else { panic!("{fate:?}") };
    assert!(why.contains("Unsupported Database engine"), "{why}");
    let tries = bed.actions(0).iter().filter(|action| *action == "RegisterDBProxyTargets").count();
    assert!(tries < 40, "{tries} tries");
}

/// Reads of targets and target groups declare `InvalidDBProxyStateFault`.
#[tokio::test(start_paused = true)]
async fn targets_that_are_not_shown_yet_are_waited_for() {
    for id in ["my-instance", "my-cluster"] {
        let mut world = newcomer();
        world.rds.reads_need_available = true;
        up_and_down(world, id, id).await;
    }
    // And a run that goes on while the proxy is still being created.
    let mut world = newcomer();
    world.rds.reads_need_available = true;
    let clean = Bed::of(world.clone(), NEVER, false);
    assert!(matches!(clean.up(&wish("my-instance")).await, Fate::Done(_)));
    let want = clean.dump().await;
    let created = clean.actions(0).iter().position(|action| action == "CreateDBProxy").unwrap();
    let bed = Bed::of(world, created + 1, true);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Killed));
    bed.disarm();
    assert!(Box::pin(bed.survey(&wish("my-instance"))).await.is_ok(), "status while the proxy is being created");
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    assert_eq!(bed.dump().await, want);
}

/// A row that is `UNUSED` (botocore's model of `TargetState`) is not waited for.
#[tokio::test(start_paused = true)]
async fn an_unused_row_is_reported_and_not_waited_for() {
    let mut world = newcomer();
    world.rds.unused.insert("my-cluster-reader".to_owned());
    up_and_down(world.clone(), "my-cluster", "an unused reader").await;
    // But some row must take writes.
    world.rds.unused = ["my-cluster-reader", "my-cluster-writer"].map(str::to_owned).into();
    let bed = Bed::of(world, NEVER, false);
    let fate = bed.up(&wish("my-cluster")).await;
    let Fate::Stopped(why) = fate else { panic!("{fate:?}") };
    assert!(why.contains("without an instance that takes writes"), "{why}");
}

/// AWS revokes none of a call's rules when one of them is gone.
#[tokio::test(start_paused = true)]
async fn one_rule_that_is_gone_does_not_keep_the_others() {
    let bed = Bed::new(NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    let tagged = bed.cloud.ec2.rules_tagged_with("rdsproxy-setup:stack", "my-instance-proxy").await.unwrap();
    let group = tagged.iter().find(|rule| rule.direction == Direction::Ingress).unwrap().group.clone();
    let ids = |direction| {
        let of = tagged.iter().filter(|rule| rule.group == group && rule.direction == direction);
        of.map(|rule| rule.id.clone()).collect::<Vec<_>>()
    };
    let mut rules = ids(Direction::Ingress);
    rules.insert(0, "sgr-00000000000000000".to_owned());
    bed.cloud.ec2.revoke(Direction::Ingress, &group, rules).await.unwrap();
    let left = bed.cloud.ec2.rules_tagged_with("rdsproxy-setup:stack", "my-instance-proxy").await.unwrap();
    assert!(!left.iter().any(|rule| rule.group == group && rule.direction == Direction::Ingress), "{left:?}");
}

/// A deletion that AWS put off is asked for again, whatever words the refusal had.
#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_not_being_deleted_after_all_is_deleted_again() {
    let bed = Bed::new(NEVER, false);
    let before = bed.dump().await;
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    bed.gate.account.with(|world| {
        let when = Trigger::Every { service: Service::Rds, action: "DeleteDBProxy".to_owned() };
        let (code, message) = ("InvalidDBProxyStateFault".to_owned(), "An endpoint of it is deleting.".to_owned());
        world.faults.push(Fault::once(when, Trouble::ErrorBefore { status: 400, code, message }));
    });
    let fate = bed.down(&wish("my-instance")).await;
    assert!(matches!(fate, Fate::Done(())), "{fate:?}");
    assert_eq!(bed.dump().await, before);
}

/// AWS recommends free addresses for the proxy as a whole: small subnets are warned of, and used.
#[tokio::test(start_paused = true)]
async fn small_subnets_are_warned_of_and_not_refused() {
    for (free, few) in [(4, true), (40, false)] {
        let mut world = newcomer();
        let ids = world.rds.subnet_groups[&world.rds.instances["my-instance"].subnet_group].subnets.clone();
        for id in &ids {
            world.ec2.subnets.get_mut(id).unwrap().free_addresses = free;
        }
        let bed = Bed::of(world, NEVER, false);
        let survey = Box::pin(bed.survey(&wish("my-instance"))).await.unwrap();
        let warned = survey.warnings.iter().any(|text| text.contains("free addresses in all"));
        assert_eq!(warned, few, "{:?}", survey.warnings);
        assert_eq!(survey.subnets.unwrap().ids.len(), ids.len());
    }
}
