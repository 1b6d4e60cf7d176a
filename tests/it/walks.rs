//! Random walks: `up`, kill, `teardown`, changes by hand, deployments and other stacks, in any order.
//!
//! Nothing of others is ever lost; after a last `up` the account is a clean one's plus the others' things,
//! and after a last `teardown` it is exactly the others'. A seed tells the whole walk:
//! `RDSPROXY_TEST_SEED=7 cargo test --test it walks -- --nocapture`.

use std::time::Duration;

use sandbox::World;

use crate::dice::{Dice, seeds};
use crate::hand::{Edit, ON_OURS, OURS, SIDES, Side, THEIRS, deploy};
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};
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

/// A walk under way.
struct Walk {
    bed: Bed,
    start: World,
    dice: Dice,
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
    fn new(seed: u64) -> Self {
        let start = if seed.is_multiple_of(2) { newcomer() } else { shared() };
        let bed = Bed::of(start.clone(), NEVER, false);
        Self { bed, start, dice: Dice::new(seed), path: Vec::new(), theirs: Vec::new(), on_ours: Vec::new() }
    }

    async fn step(&mut self) {
        let at = self.dice.below(SIDES.len());
        let (side, id) = (&SIDES[at], SIDES[at].database);
        match self.dice.below(10) {
            0 => {
                let fate = self.bed.up(&wish(id)).await.map(drop);
                self.expect(&format!("up {id}"), &fate);
            }
            1 => {
                let fate = self.bed.down(&wish(id)).await;
                self.expect(&format!("teardown {id}"), &fate);
            }
            2 | 3 => {
                let bed = self.bed.beside(self.dice.below(45), self.dice.below(2) == 0, self.dice.next());
                let fate = bed.up(&wish(id)).await.map(drop);
                self.path.push(format!("up {id} killed after {} calls: {fate:?}", bed.calls()));
            }
            4 => {
                let bed = self.bed.beside(self.dice.below(45), self.dice.below(2) == 0, self.dice.next());
                let fate = bed.down(&wish(id)).await;
                self.path.push(format!("teardown {id} killed after {} calls: {fate:?}", bed.calls()));
            }
            5 => {
                let (name, edit) = OURS[self.dice.below(OURS.len())];
                let hit = self.bed.gate.account.with(|world| edit(world, side));
                self.path.push(format!("{id}: {name}: {hit}"));
            }
            6 => {
                let (name, edit) = THEIRS[self.dice.below(THEIRS.len())];
                let hit = self.bed.gate.account.with(|world| edit(world, side));
                self.path.push(format!("{id}: {name}: {hit}"));
                self.theirs.extend(hit.then_some((at, edit)));
            }
            7 => {
                let (name, edit) = &ON_OURS[self.dice.below(ON_OURS.len())];
                let (hit, thing) = self.bed.gate.account.with(|world| (edit(world, side), id_of(name, world, side)));
                self.path.push(format!("{id}: {name}: {hit}"));
                self.on_ours.extend(hit.then_some((at, *edit, *name, thing)));
            }
            8 => {
                let number = self.dice.below(DEPLOYMENTS.len());
                let bed = self.bed.beside(NEVER, false, self.dice.next());
                let call = self.dice.below(45);
                let happened = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
                let flag = std::sync::Arc::clone(&happened);
                bed.meanwhile(call, move |world| {
                    deployed(world, u64::try_from(number).unwrap_or_default());
                    flag.store(true, std::sync::atomic::Ordering::SeqCst);
                });
                let up = self.dice.below(2) == 0;
                let fate = if up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
                let happened = happened.load(std::sync::atomic::Ordering::SeqCst);
                self.theirs.extend(happened.then_some((at, DEPLOYMENTS[number])));
                let what = if up { "up" } else { "teardown" };
                self.expect(&format!("{what} {id} with deployment {number} before call {call}: {happened}"), &fate);
            }
            _ => {
                let other = SIDES[(at + self.dice.below(2)) % SIDES.len()].database;
                let (one, two) =
                    (self.bed.beside(NEVER, false, self.dice.next()), self.bed.beside(NEVER, false, self.dice.next()));
                let (first, second) = (wish(id), wish(other));
                let (first, second) = tokio::join!(one.up(&first), two.up(&second));
                self.expect(&format!("up {id} beside another"), &first.map(drop));
                self.expect(&format!("up {other} beside the former"), &second.map(drop));
            }
        }
        if self.dice.below(3) == 0 {
            tokio::time::sleep(Duration::from_secs(self.dice.next() % 600)).await;
        }
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

#[tokio::test(start_paused = true)]
#[ignore = "full tier: random walks"]
async fn no_walk_loses_anything() {
    let seeds = seeds(24);
    let mut steps = 0;
    for seed in &seeds {
        say(&format!("RDSPROXY_TEST_SEED={seed}"));
        let mut walk = Walk::new(*seed);
        for _ in 0..=walk.dice.below(STEPS) {
            Box::pin(walk.step()).await;
            steps += 1;
        }
        Box::pin(walk.end()).await;
    }
    say(&format!("{} walks of {steps} steps in all", seeds.len()));
}
