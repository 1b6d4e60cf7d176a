//! Law 7: any one field of ours changed by hand, then `up`; and what others put beside ours.

use rdsproxy_setup::teardown;

use crate::hand::{ON_OURS, OURS, SIDES, THEIRS, deploy};
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::shape::{difference, shape};

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every field changed by hand"]
async fn law_7_a_field_of_ours_changed_by_hand_comes_back() {
    let mut wrong = Vec::new();
    for side in &SIDES {
        let clean = Bed::of(newcomer(), NEVER, false);
        let before = clean.settled().await;
        assert!(matches!(clean.up(&wish(side.database)).await, Fate::Done(_)));
        let start = clean.settled().await;
        for (name, edit) in OURS {
            let mut world = start.clone();
            if !edit(&mut world, side) {
                continue;
            }
            let name = format!("{}: {name}", side.database);
            let bed = Bed::of(world, NEVER, false);
            let fate = bed.up(&wish(side.database)).await;
            if !matches!(fate, Fate::Done(_)) {
                wrong.push(format!("{name}: {fate:?}"));
                continue;
            }
            let since = bed.logged();
            let fate = bed.up(&wish(side.database)).await;
            if !matches!(fate, Fate::Done(_)) || !bed.mutations(since).is_empty() {
                wrong.push(format!("{name}: a second up: {fate:?} {:?}", bed.mutations(since)));
            }
            let now = shape(&bed.settled().await);
            wrong.extend(difference(&now, &shape(&start)).into_iter().map(|line| format!("{name}: up: {line}")));
            let fate = bed.down(&wish(side.database)).await;
            if !matches!(fate, Fate::Done(())) {
                wrong.push(format!("{name}: teardown: {fate:?}"));
            }
            let now = shape(&bed.settled().await);
            wrong.extend(difference(&now, &shape(&before)).into_iter().map(|line| format!("{name}: teardown: {line}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Teardown alone, with no `up` in between that fixes.
#[tokio::test(start_paused = true)]
async fn law_7_a_teardown_right_after_a_change_by_hand_leaves_nothing() {
    let mut wrong = Vec::new();
    for side in &SIDES {
        let clean = Bed::of(newcomer(), NEVER, false);
        let before = shape(&clean.settled().await);
        assert!(matches!(clean.up(&wish(side.database)).await, Fate::Done(_)));
        let start = clean.settled().await;
        for (name, edit) in OURS {
            let mut world = start.clone();
            if !edit(&mut world, side) {
                continue;
            }
            let bed = Bed::of(world, NEVER, false);
            let fate = bed.down(&wish(side.database)).await;
            if !matches!(fate, Fate::Done(())) {
                wrong.push(format!("{}: {name}: {fate:?}", side.database));
            }
            let lines = difference(&shape(&bed.settled().await), &before);
            wrong.extend(lines.into_iter().map(|line| format!("{}: {name}: {line}", side.database)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever pointed a function at the proxy: none is left at one that is deleted, and hosts of others stay.
#[tokio::test(start_paused = true)]
async fn a_function_that_others_pointed_at_the_proxy_goes_to_the_database_too() {
    for side in &SIDES {
        let clean = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(clean.up(&wish(side.database)).await, Fate::Done(_)));
        let mut world = clean.settled().await;
        let value = world.lambda.functions[side.function].latest.environment.as_ref().unwrap()[side.variable].clone();
        let list = format!("{value},other.example.com");
        let webhook = world.lambda.functions.get_mut("WebhookFunction").unwrap();
        deploy(webhook, |all| drop(all.insert("HOSTS".to_owned(), list.clone())));
        let function = world.lambda.functions.get_mut(side.function).unwrap();
        deploy(function, |all| drop(all.insert("HOSTS".to_owned(), list)));
        let bed = Bed::of(world, NEVER, false);
        let wish = wish(side.database);
        let stack = Box::pin(teardown::survey(&bed.cloud, &wish.stack, Some(&wish.database))).await.unwrap();
        assert_eq!(stack.other_users, [""; 0]);
        let told =
            stack.lines().into_iter().find(|line| line.what.contains("Webhook") && line.detail.contains("not pointed"));
        // Only with IAM tokens does something on the function's role tell who pointed it there.
        assert!(told.is_some() || side.database == "my-cluster", "{:?}", stack.lines());
        assert!(matches!(bed.down(&wish).await, Fate::Done(())));
        let world = bed.settled().await;
        let host =
            newcomer().lambda.functions[side.function].latest.environment.as_ref().unwrap()[side.variable].clone();
        for name in [side.function, "WebhookFunction"] {
            let now = &world.lambda.functions[name].latest.environment.as_ref().unwrap()["HOSTS"];
            assert_eq!(*now, format!("{host},other.example.com"), "{name}");
        }
    }
}

/// What someone put in the place of ours is theirs: ours comes back beside it.
#[tokio::test(start_paused = true)]
async fn law_7_what_was_put_in_the_place_of_ours_stays_beside_it() {
    for side in &SIDES {
        let bed = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(bed.up(&wish(side.database)).await, Fate::Done(_)));
        let groups = bed.gate.account.with(|world| {
            let theirs = world.ec2.groups.iter().find(|(_, group)| group.name == "app-functions").unwrap().0.clone();
            let proxy = world.rds.proxies.get_mut(&side.stack()).unwrap();
            let ours = std::mem::replace(&mut proxy.groups, vec![theirs.clone()]).remove(0);
            [ours, theirs]
        });
        assert!(matches!(bed.up(&wish(side.database)).await, Fate::Done(_)));
        bed.gate.account.with(|world| {
            let proxy = &world.rds.proxies[&side.stack()];
            assert!(groups.iter().all(|group| proxy.groups.contains(group)), "{:?}", proxy.groups);
            world.log.clear();
        });
        assert!(matches!(bed.up(&wish(side.database)).await, Fate::Done(_)));
        assert_eq!(bed.mutations(0), [""; 0], "{}", side.database);
    }
}

#[tokio::test(start_paused = true)]
async fn law_7_what_others_put_beside_ours_survives() {
    let mut wrong = Vec::new();
    for side in &SIDES {
        let clean = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(clean.up(&wish(side.database)).await, Fate::Done(_)));
        let start = clean.settled().await;
        for (at, (name, edit)) in THEIRS.iter().chain(ON_OURS).enumerate() {
            let mut world = start.clone();
            if !edit(&mut world, side) {
                continue;
            }
            let name = format!("{}: {name}", side.database);
            let bed = Bed::of(world, NEVER, false);
            let (want, since) = (bed.dump().await, bed.logged());
            let fate = bed.up(&wish(side.database)).await;
            if !matches!(fate, Fate::Done(_)) || !bed.mutations(since).is_empty() || bed.dump().await != want {
                wrong.push(format!("{name}: up: {fate:?} {:?}", bed.mutations(since)));
            }
            let fate = bed.down(&wish(side.database)).await;
            let mut foreign = newcomer();
            if at < THEIRS.len() {
                edit(&mut foreign, side);
            }
            let lines = difference(&shape(&bed.settled().await), &shape(&foreign));
            wrong.extend(lines.into_iter().map(|line| format!("{name}: teardown: {fate:?} {line}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
