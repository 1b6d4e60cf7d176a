//! Law 10 as a random walk: someone with exactly one right writes between any two calls of any run.
//!
//! Nothing of the product's own judgment is used here: after every call of every run, the whole account is compared
//! with what it was before, and everything that has rights is read anew. A run may stop at what it meets; when the
//! attacker is gone and what they wrote is taken back, a teardown comes to its end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use rdsproxy_setup::doctor;
use rdsproxy_setup::engine::Timeouts;
use rdsproxy_setup::spec::{CreateSecret, Spec};
use sandbox::World;

use crate::access::customer_key;
use crate::attacks::{FUNCTIONS, Right, Undo, Write, write};
use crate::chance::{each, lag};
use crate::hand::SIDES;
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};
use crate::hijacks::prepare;
use crate::probes::verify;
use crate::watch::Watch;

/// Runs of one walk, at most.
const ACTS: usize = 4;

/// What the operator does, with what the attacker writes right before some of its calls.
#[derive(Debug, Clone)]
struct Act {
    deed: Deed,
    strokes: Vec<(usize, Write)>,
    lag: u64,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Up,
    Status,
    Doctor,
    Probe,
    Teardown,
}

#[derive(Debug, Clone)]
struct Case {
    side: usize,
    /// Whether secrets are created, under a customer key that has an alias.
    creates: bool,
    function: &'static str,
    acts: Vec<Act>,
}

fn act() -> impl Strategy<Value = Act> {
    let deed = prop_oneof![
        4 => Just(Deed::Up),
        1 => Just(Deed::Status),
        1 => Just(Deed::Doctor),
        1 => Just(Deed::Probe),
        3 => Just(Deed::Teardown),
    ];
    // A run makes some 40 calls.
    let strokes = prop::collection::vec((prop_oneof![Just(0), 0..45_usize], write()), 0..=5);
    (deed, strokes, lag()).prop_map(|(deed, strokes, lag)| Act { deed, strokes, lag })
}

fn case() -> impl Strategy<Value = Case> {
    // Without a first `up`, hardly anything of ours is there to write on.
    let acts = prop::collection::vec(act(), 1..=ACTS).prop_map(|mut acts| {
        acts[0].deed = Deed::Up;
        acts
    });
    (0..SIDES.len(), prop::bool::weighted(0.3), prop::sample::select(FUNCTIONS.to_vec()), acts)
        .prop_map(|(side, creates, function, acts)| Case { side, creates, function, acts })
}

/// What the operator asks for: nothing, or a new secret for a user whom functions of that database log in as.
fn spec(case: &Case) -> Spec {
    let spec = wish(SIDES[case.side].database);
    if !case.creates {
        return spec;
    }
    let users = vec![if case.side == 0 { "admin" } else { "app" }.to_owned()];
    let create_secret =
        Some(CreateSecret { users: users.clone(), kms_key: Some("alias/shop".to_owned()), generate: true });
    Spec { db_users: users, create_secret, ..spec }
}

fn account() -> World {
    let mut world = newcomer();
    customer_key(&mut world, None);
    prepare(&mut world);
    world
}

/// A walk under way.
struct Walk {
    bed: Bed,
    start: World,
    watch: Arc<Mutex<Watch>>,
    undo: Arc<Mutex<Vec<Undo>>>,
    path: Vec<String>,
}

impl Walk {
    fn new(right: Right, case: &Case) -> Self {
        let start = account();
        let bed = Bed::of(start.clone(), NEVER, false);
        bed.gate.account.with(|world| right.grant(world, case.function));
        let watch = bed.gate.account.with(|world| Watch::new(world, &spec(case)));
        Self { bed, start, watch: Arc::new(Mutex::new(watch)), undo: Arc::default(), path: Vec::new() }
    }

    async fn act(&mut self, right: Right, case: &Case, act: &Act) {
        let bed = self.bed.beside(NEVER, false, act.lag);
        for (call, write) in &act.strokes {
            let (write, function, side) = (*write, case.function, &SIDES[case.side]);
            let (watch, undo) = (Arc::clone(&self.watch), Arc::clone(&self.undo));
            bed.meanwhile(*call, move |world| {
                undo.lock().unwrap().extend(write.send(world, right, side, function));
                watch.lock().unwrap().attacked(world);
            });
        }
        let watch = Arc::clone(&self.watch);
        bed.observe(move |request, world| watch.lock().unwrap().after(request, world));
        let spec = spec(case);
        let fate = match act.deed {
            Deed::Up => bed.up(&spec).await.map(drop),
            Deed::Status => of(bed.survey(&spec).await.map(drop)),
            Deed::Doctor => of(Box::pin(doctor::examine(&bed.cloud, &spec, Timeouts::default())).await.map(drop)),
            Deed::Probe => verify(&bed, &Spec { probe_login: case.side == 1, ..spec.clone() }).await.map(drop),
            Deed::Teardown => bed.down(&spec).await,
        };
        self.path.push(format!("{:?}: {fate:?}", act.deed));
        self.unharmed();
    }

    fn unharmed(&self) {
        let wrong = self.watch.lock().unwrap().wrong.clone();
        let heard = self.bed.gate.account.with(|world| world.lambda.heard.clone());
        assert!(wrong.is_empty(), "{wrong:#?}\nafter {:#?}", self.path);
        assert!(heard.is_empty(), "the attacker's code was called with {heard:?}\nafter {:#?}", self.path);
    }

    /// The attacker is gone, and what they wrote is taken back: a teardown comes to its end and leaves nothing.
    async fn end(mut self, case: &Case) -> usize {
        let undo: Vec<Undo> = self.undo.lock().unwrap().drain(..).collect();
        let written = undo.len();
        self.bed.gate.account.with(|world| {
            for one in undo.into_iter().rev() {
                one.take_back(world, &self.start);
            }
            self.watch.lock().unwrap().attacked(world);
        });
        let watch = Arc::clone(&self.watch);
        self.bed.observe(move |request, world| watch.lock().unwrap().after(request, world));
        let fate = self.bed.down(&spec(case)).await;
        self.path.push(format!("last teardown: {fate:?}"));
        assert!(matches!(fate, Fate::Done(())), "{:#?}", self.path);
        self.unharmed();
        let now = self.bed.settled().await;
        let left = self.watch.lock().unwrap().left(&now);
        assert!(left.is_empty(), "left: {left:#?}\nafter {:#?}", self.path);
        written
    }
}

fn of<E: std::fmt::Display>(result: Result<(), E>) -> Fate<()> {
    result.map_or_else(|why| Fate::Stopped(why.to_string()), Fate::Done)
}

/// Walks a few times with a right; returns how many writes that can be taken back the account let pass, and how many
/// runs went through.
fn walk(right: Right, few: u32) -> (usize, usize) {
    let (written, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    each(few, &case(), async |case: Case| {
        let mut walk = Walk::new(right, &case);
        for act in &case.acts {
            Box::pin(walk.act(right, &case, act)).await;
        }
        ended.fetch_add(walk.path.iter().filter(|line| line.ends_with("Done(())")).count(), Ordering::SeqCst);
        written.fetch_add(Box::pin(walk.end(&case)).await, Ordering::SeqCst);
    });
    (written.into_inner(), ended.into_inner())
}

/// A test for each right: a few walks among the fast ones, and many among the slow ones.
macro_rules! law_10_holds_for_someone_who_may {
    ($($may:ident: $right:expr,)*) => {$(
        mod $may {
            use super::{Right, say, walk};

            #[test]
            fn between_any_two_calls() {
                walk($right, 1);
            }

            #[test]
            #[ignore = "full tier: random walks"]
            fn in_many_walks() {
                let (written, ended) = walk($right, 12);
                say(&format!("{:?}: {written} writes, {ended} runs that went through", $right));
                // Versions are not taken back, and so not counted.
                assert!(written > 0 || $right == Right::PublishVersions, "the account let nothing pass");
                assert!(ended > 0, "no run went through");
            }
        }
    )*};
}

law_10_holds_for_someone_who_may! {
    tag_functions: Right::TagFunctions,
    configure_one_function: Right::OneFunction,
    create_functions: Right::CreateFunctions,
    publish_versions: Right::PublishVersions,
    tag_roles: Right::TagRoles,
    tag_policies: Right::TagPolicies,
    tag_groups_and_rules: Right::TagNetwork,
    tag_databases_and_proxies: Right::TagDatabases,
    tag_secrets: Right::TagSecrets,
    create_secrets: Right::CreateSecrets,
    create_aliases_of_keys: Right::CreateAliases,
}
