//! Random walks: `up`, `up --canary`, `restore`, `alarms`, `teardown`, kills, changes by hand, deployments and other
//! stacks, in any order.
//!
//! Nothing of others is ever lost; after a last `up` and `alarms` the account is a clean one's plus the others' things,
//! and after a last `teardown` it is exactly the others'.

use std::time::Duration;

use proptest::prelude::*;
use rdsproxy_setup::resources::alarms::Settings;
use rdsproxy_setup::spec::{Canary, Spec};
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

/// A command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    Up,
    Canary,
    Restore,
    Alarms,
    Teardown,
}

impl Verb {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![4 => Just(Self::Up), 2 => Just(Self::Canary), 2 => Just(Self::Restore), 1 => Just(Self::Alarms), 3 => Just(Self::Teardown)]
    }

    /// Carries it out; where there is no proxy to watch, there is nothing to do.
    pub(crate) async fn run(self, bed: &Bed, id: &str) -> Fate<()> {
        let wish = wish(id);
        match self {
            Self::Up => bed.up(&wish).await.map(drop),
            Self::Canary => bed.up(&Spec { canary: Some(Canary::default()), ..wish }).await.map(drop),
            Self::Restore => bed.restore(&wish).await,
            Self::Alarms if !bed.gate.account.with(|world| world.rds.proxies.contains_key(&wish.stack)) => {
                Fate::Done(())
            }
            Self::Alarms => bed.alarms(&wish, &Settings::default()).await.map(drop),
            Self::Teardown => bed.down(&wish).await,
        }
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Run(Verb),
    /// A run that is killed at a call, after its effect or before.
    Killed {
        verb: Verb,
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
        verb: Verb,
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
    // A run makes some 40 calls, and a canary some more.
    let call = 0..60_usize;
    let deed = prop_oneof![
        3 => Verb::any().prop_map(Deed::Run),
        3 => (Verb::any(), call.clone(), any::<bool>(), lag())
            .prop_map(|(verb, at, after_effect, lag)| Deed::Killed { verb, at, after_effect, lag }),
        1 => (0..OURS.len()).prop_map(Deed::Ours),
        1 => (0..THEIRS.len()).prop_map(Deed::Theirs),
        1 => (0..ON_OURS.len()).prop_map(Deed::OnOurs),
        1 => (Verb::any(), call, 0..DEPLOYMENTS.len(), lag())
            .prop_map(|(verb, call, number, lag)| Deed::Deployed { verb, call, number, lag }),
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
            Deed::Run(verb) => {
                let fate = verb.run(&self.bed, id).await;
                self.expect(&format!("{verb:?} {id}"), &fate);
            }
            Deed::Killed { verb, at, after_effect, lag } => {
                let bed = self.bed.beside(at, after_effect, lag);
                let fate = verb.run(&bed, id).await;
                self.path.push(format!("{verb:?} {id} killed after {} calls: {fate:?}", bed.calls()));
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
            Deed::Deployed { verb, call, number, lag } => {
                let bed = self.bed.beside(NEVER, false, lag);
                let happened = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
                let flag = std::sync::Arc::clone(&happened);
                bed.meanwhile(call, move |world| {
                    deployed(world, u64::try_from(number).unwrap());
                    flag.store(true, std::sync::atomic::Ordering::SeqCst);
                });
                let fate = verb.run(&bed, id).await;
                let happened = happened.load(std::sync::atomic::Ordering::SeqCst);
                self.theirs.extend(happened.then_some((at, DEPLOYMENTS[number])));
                self.expect(&format!("{verb:?} {id} with deployment {number} before call {call}: {happened}"), &fate);
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
        for (_, fate) in last(&bed).await {
            assert!(matches!(fate, Fate::Done(())));
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
        for (what, fate) in last(&self.bed).await {
            self.expect(&format!("last {what}"), &fate);
        }
        let mut lines = difference(&shape(&self.bed.settled().await), &shape(&self.clean(true).await));
        self.bed.gate.account.with(|world| world.log.clear());
        for (what, fate) in last(&self.bed).await {
            self.expect(&format!("{what} again"), &fate);
        }
        lines.extend(self.bed.mutations(0).into_iter().map(|call| format!("the second run calls {call}")));
        for side in &SIDES {
            let fate = self.bed.down(&wish(side.database)).await;
            self.expect(&format!("last teardown {}", side.database), &fate);
        }
        lines.extend(difference(&shape(&self.bed.settled().await), &shape(&self.clean(false).await)));
        assert!(lines.is_empty(), "{}\nafter {:#?}", lines.join("\n"), self.path);
    }
}

/// What every walk ends with, before its teardown. Alarms come once the proxies have metrics, one of which says how its
/// alarm is spelled.
async fn last(bed: &Bed) -> Vec<(String, Fate<()>)> {
    let mut fates = Vec::new();
    for verb in [Verb::Up, Verb::Alarms] {
        for side in &SIDES {
            fates.push((format!("{verb:?} {}", side.database), verb.run(bed, side.database).await));
        }
        tokio::time::sleep(Duration::from_hours(2)).await;
    }
    fates
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
