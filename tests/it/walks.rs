//! Random walks: `up`, kill, `teardown`, changes by hand, deployments and other stacks, in any order.
//!
//! Nothing of others is ever lost; after a last `up` the account is a clean one's plus the others' things,
//! and after a last `teardown` it is exactly the others'.

use std::time::Duration;

use proptest::prelude::*;
use sandbox::World;

use crate::chance::{each, lag};
use crate::hand::{Edit, ON_OURS, OURS, SIDES, Side, THEIRS, deploy};
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::shape::{difference, shape};

/// Steps of one walk, at most.
const STEPS: usize = 8;

/// An account in which both databases share a group, and two functions of theirs a role and a group.
fn shared() -> World {
    let mut world = newcomer();
    let groups = world.rds.instances["my-instance"].groups.clone();
    for id in ["my-cluster-writer", "my-cluster-reader"] {
        world.rds.instances.get_mut(id).unwrap().groups.clone_from(&groups);
    }
    world.rds.clusters.get_mut("my-cluster").unwrap().groups = groups;
    let (role, vpc) = {
        let app = &world.lambda.functions["DBAppFunction"].latest;
        (app.role.clone(), app.vpc.clone())
    };
    let reports = &mut world.lambda.functions.get_mut("ReportsFunction").unwrap().latest;
    (reports.role, reports.vpc) = (role, vpc);
    world
}

/// One step of a walk: whose database, what is done, and how long nothing happens afterwards.
#[derive(Debug, Clone)]
struct Step {
    side: usize,
    deed: Deed,
    rest: Duration,
}

#[derive(Debug, Clone)]
enum Deed {
    Up,
    Teardown,
    /// A run that is killed at a call, after its effect or before.
    Killed {
        up: bool,
        at: usize,
        after_effect: bool,
        lag: u64,
    },
    /// Someone changes a field of ours.
    Ours(usize),
    /// Someone changes a thing of theirs.
    Theirs(usize),
    /// Someone adds to a thing of ours.
    OnOurs(usize),
    /// Someone deploys the functions while a run is under way.
    Deployed {
        up: bool,
        call: usize,
        number: usize,
        lag: u64,
    },
    /// Two runs at once, for one database or for two.
    Beside {
        same: bool,
        lags: [u64; 2],
    },
}

fn step() -> impl Strategy<Value = Step> {
    // A run makes some 40 calls.
    let call = 0..45_usize;
    let deed = prop_oneof![
        1 => Just(Deed::Up),
        1 => Just(Deed::Teardown),
        3 => (prop::bool::weighted(0.67), call.clone(), any::<bool>(), lag())
            .prop_map(|(up, at, after_effect, lag)| Deed::Killed { up, at, after_effect, lag }),
        1 => (0..OURS.len()).prop_map(Deed::Ours),
        1 => (0..THEIRS.len()).prop_map(Deed::Theirs),
        1 => (0..ON_OURS.len()).prop_map(Deed::OnOurs),
        1 => (any::<bool>(), call, 0..DEPLOYMENTS.len(), lag())
            .prop_map(|(up, call, number, lag)| Deed::Deployed { up, call, number, lag }),
        1 => (any::<bool>(), [lag(), lag()]).prop_map(|(same, lags)| Deed::Beside { same, lags }),
    ];
    let rest = prop_oneof![2 => Just(0), 1 => 0..600_u64].prop_map(Duration::from_secs);
    (0..SIDES.len(), deed, rest).prop_map(|(side, deed, rest)| Step { side, deed, rest })
}

/// A walk under way.
struct Walk {
    bed: Bed,
    start: World,
    /// What was done, for the message when it goes wrong.
    path: Vec<String>,
    /// Changes by others, in order, to repeat them over a clean account.
    theirs: Vec<(usize, Edit)>,
    /// The same on things of ours, with its name and the id of the thing.
    on_ours: Vec<(usize, Edit, &'static str, Option<String>)>,
}

/// The id of the thing of ours that an edit is on; the edit is over when the thing is.
fn id_of(name: &str, world: &World, side: &Side) -> Option<String> {
    let stack = side.stack();
    let proxy = world.rds.proxies.get(&stack).map(|proxy| proxy.id.clone());
    let group = world.ec2.groups.iter().find(|(_, group)| group.name == stack).map(|(id, _)| id.clone());
    let role = world.iam.roles.get(&format!("{stack}-eu-central-1")).map(|role| role.id.clone());
    let policy = format!("{stack}-eu-central-1-connect");
    let policy = world.iam.policies.values().find(|found| found.name == policy).map(|policy| policy.id.clone());
    match name {
        name if name.ends_with("the proxy's role") => role,
        name if name.ends_with("the proxy's group") => group,
        name if name.ends_with("the connect policy") => policy,
        _ => proxy,
    }
}

fn number_of_deployment(number: u64) -> impl FnOnce(&mut World) + Send + 'static {
    move |world| {
        for side in &SIDES {
            if let Some(function) = world.lambda.functions.get_mut(side.function) {
                deploy(function, |all| drop(all.insert(format!("DEPLOYED_{}", number % 4), "yes".to_owned())));
            }
        }
    }
}

const DEPLOYMENTS: [Edit; 4] = [
    |world, _| deployed(world, 0),
    |world, _| deployed(world, 1),
    |world, _| deployed(world, 2),
    |world, _| deployed(world, 3),
];

fn deployed(world: &mut World, number: u64) -> bool {
    number_of_deployment(number)(world);
    true
}

impl Walk {
    fn new(start: World) -> Self {
        let bed = Bed::of(start.clone(), NEVER, false);
        Self { bed, start, path: Vec::new(), theirs: Vec::new(), on_ours: Vec::new() }
    }

    async fn step(&mut self, Step { side: at, deed, rest }: Step) {
        let (side, id) = (&SIDES[at], SIDES[at].database);
        match deed {
            Deed::Up => {
                let fate = self.bed.up(&wish(id)).await.map(drop);
                self.expect(&format!("up {id}"), &fate);
            }
            Deed::Teardown => {
                let fate = self.bed.down(&wish(id)).await;
                self.expect(&format!("teardown {id}"), &fate);
            }
            Deed::Killed { up, at, after_effect, lag } => {
                let bed = self.bed.beside(at, after_effect, lag);
                let fate = if up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
                let what = if up { "up" } else { "teardown" };
                self.path.push(format!("{what} {id} killed after {} calls: {fate:?}", bed.calls()));
            }
            Deed::Ours(which) => {
                let (name, edit) = OURS[which];
                let hit = self.bed.gate.account.with(|world| edit(world, side));
                self.path.push(format!("{id}: {name}: {hit}"));
            }
            Deed::Theirs(which) => {
                let (name, edit) = THEIRS[which];
                let hit = self.bed.gate.account.with(|world| edit(world, side));
                self.path.push(format!("{id}: {name}: {hit}"));
                self.theirs.extend(hit.then_some((at, edit)));
            }
            Deed::OnOurs(which) => {
                let (name, edit) = &ON_OURS[which];
                let (hit, thing) = self.bed.gate.account.with(|world| (edit(world, side), id_of(name, world, side)));
                self.path.push(format!("{id}: {name}: {hit}"));
                self.on_ours.extend(hit.then_some((at, *edit, *name, thing)));
            }
            Deed::Deployed { up, call, number, lag } => {
                let bed = self.bed.beside(NEVER, false, lag);
                let happened = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
                let flag = std::sync::Arc::clone(&happened);
                bed.meanwhile(call, move |world| {
                    deployed(world, u64::try_from(number).unwrap());
                    flag.store(true, std::sync::atomic::Ordering::SeqCst);
                });
                let fate = if up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
                let happened = happened.load(std::sync::atomic::Ordering::SeqCst);
                self.theirs.extend(happened.then_some((at, DEPLOYMENTS[number])));
                let what = if up { "up" } else { "teardown" };
                self.expect(&format!("{what} {id} with deployment {number} before call {call}: {happened}"), &fate);
            }
            Deed::Beside { same, lags } => {
                let other = SIDES[if same { at } else { (at + 1) % SIDES.len() }].database;
                let [one, two] = lags.map(|lag| self.bed.beside(NEVER, false, lag));
                let (first, second) = (wish(id), wish(other));
                let (first, second) = tokio::join!(one.up(&first), two.up(&second));
                self.expect(&format!("up {id} beside another"), &first.map(drop));
                self.expect(&format!("up {other} beside the former"), &second.map(drop));
            }
        }
        tokio::time::sleep(rest).await;
    }

    fn expect(&mut self, what: &str, fate: &Fate<()>) {
        self.path.push(format!("{what}: {fate:?}"));
        assert!(matches!(fate, Fate::Done(())), "{:#?}", self.path);
    }

    /// A clean account to which others did the same.
    async fn clean(&self, up: bool) -> World {
        let mut world = self.start.clone();
        for (at, edit) in &self.theirs {
            edit(&mut world, &SIDES[*at]);
        }
        if !up {
            return world;
        }
        let bed = Bed::of(world, NEVER, false);
        for side in &SIDES {
            assert!(matches!(bed.up(&wish(side.database)).await, Fate::Done(_)));
        }
        let mut world = bed.settled().await;
        for (at, edit, ..) in &self.on_ours {
            edit(&mut world, &SIDES[*at]);
        }
        world
    }

    async fn end(mut self) {
        let now = self.bed.settled().await;
        self.on_ours.retain(|(at, _, name, was)| id_of(name, &now, &SIDES[*at]) == *was);
        for side in &SIDES {
            let fate = self.bed.up(&wish(side.database)).await.map(drop);
            self.expect(&format!("last up {}", side.database), &fate);
        }
        let mut lines = difference(&shape(&self.bed.settled().await), &shape(&self.clean(true).await));
        self.bed.gate.account.with(|world| world.log.clear());
        for side in &SIDES {
            let fate = self.bed.up(&wish(side.database)).await.map(drop);
            self.expect(&format!("up {} again", side.database), &fate);
        }
        lines.extend(self.bed.mutations(0).into_iter().map(|call| format!("the second up calls {call}")));
        for side in &SIDES {
            let fate = self.bed.down(&wish(side.database)).await;
            self.expect(&format!("last teardown {}", side.database), &fate);
        }
        lines.extend(difference(&shape(&self.bed.settled().await), &shape(&self.clean(false).await)));
        assert!(lines.is_empty(), "{}\nafter {:#?}", lines.join("\n"), self.path);
    }
}

#[test]
#[ignore = "full tier: random walks"]
fn no_walk_loses_anything() {
    let strategy = (any::<bool>(), prop::collection::vec(step(), 1..=STEPS));
    each(24, &strategy, async |(sharing, steps)| {
        let mut walk = Walk::new(if sharing { shared() } else { newcomer() });
        for step in steps {
            Box::pin(walk.step(step)).await;
        }
        Box::pin(walk.end()).await;
    });
}
