//! Aliases and versions: what is frozen with the database's host is published anew, or refused by name.

use std::collections::BTreeMap;

use rdsproxy_setup::spec::Spec;
use rdsproxy_setup::teardown;
use sandbox::World;
use sandbox::parts::{Configuration, Function, Mapping};

use crate::cli::up;
use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const NAME: &str = "OrdersFunction";

fn orders(world: &mut World) -> &mut Function {
    world.lambda.functions.get_mut(NAME).unwrap()
}

/// The version that an alias of the function points at.
fn live(bed: &Bed) -> (String, Configuration) {
    bed.gate.account.with(|world| {
        let function = orders(world);
        let number = function.aliases["live"].version.clone();
        let version = function.versions[&number.parse().unwrap()].clone();
        (number, version)
    })
}

fn host(version: &Configuration) -> String {
    version.environment.as_ref().unwrap()["DB_HOST"].clone()
}

fn only_orders() -> Spec {
    let mut spec = wish("my-cluster");
    spec.functions = vec![NAME.to_owned()];
    spec
}

/// An event source that calls what has this qualifier. Its `FunctionArn` may name a version
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>: "Version or Alias ARN").
fn mapping(world: &mut World, qualifier: &str) {
    let function = format!("{}:{qualifier}", orders(world).latest.arn);
    let source = "arn:aws:sqs:eu-central-1:123456789012:orders".to_owned();
    let id = "0b6a9f2c-0000-4000-8000-000000000001".to_owned();
    let modified = world.now;
    world.lambda.mappings.push(Mapping {
        id,
        source,
        function,
        enabled: true,
        batch: 10,
        modified,
        ..Mapping::default()
    });
}

async fn refusal(change: impl FnOnce(&mut World)) -> String {
    let mut world = newcomer();
    change(&mut world);
    let bed = Bed::of(world, NEVER, false);
    bed.survey(&only_orders()).await.unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn an_alias_moves_to_a_version_with_the_new_host_and_back() {
    let bed = Bed::new(NEVER, false);
    let before = bed.dump().await;
    let (number, former) = live(&bed);
    assert_eq!(number, "1");
    let Fate::Done(outcome) = bed.up(&only_orders()).await else { panic!("up failed") };
    let (number, version) = live(&bed);
    assert_eq!((number.as_str(), host(&version)), ("2", outcome.endpoint));
    assert_eq!((&version.code_sha256, version.memory), (&former.code_sha256, former.memory));
    assert!(matches!(bed.down(&only_orders()).await, Fate::Done(())));
    assert_eq!(live(&bed).0, "1");
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_waits_is_never_published_unasked() {
    let code = refusal(|world| orders(world).latest.code_sha256 = String::from("another"));
    assert!(code.await.contains("a release is pending, since $LATEST differs from version 1 in its code"));
    let variable = refusal(|world| {
        let variables = orders(world).latest.environment.as_mut().unwrap();
        variables.insert("FEATURE".to_owned(), "on".to_owned());
    });
    assert!(variable.await.contains("in its variables (FEATURE)"));
    let memory = refusal(|world| orders(world).latest.memory = 3_008);
    assert!(memory.await.contains("in its configuration"));

    let mut world = newcomer();
    orders(&mut world).latest.code_sha256 = String::from("another");
    let bed = Bed::of(world, NEVER, false);
    let spec = Spec { publish_pending: true, ..only_orders() };
    let Fate::Done(outcome) = bed.up(&spec).await else { panic!("up failed") };
    let (_, version) = live(&bed);
    assert_eq!((host(&version), version.code_sha256.as_str()), (outcome.endpoint, "another"));
}

#[tokio::test(start_paused = true)]
async fn what_is_bound_to_a_frozen_version_is_refused_by_name() {
    let weighted = refusal(|world| {
        let function = orders(world);
        let second = Configuration { version: "2".to_owned(), ..function.versions[&1].clone() };
        function.versions.insert(2, second);
        function.published = 2;
        function.aliases.get_mut("live").unwrap().weights = BTreeMap::from([("2".to_owned(), 0.1)]);
    });
    assert!(weighted.await.contains("(OrdersFunction:live): it splits its calls between two versions"));
    let event = refusal(|world| mapping(world, "1"));
    assert!(event.await.contains("an event source is bound to its version 1"));
    let provisioned = refusal(|world| {
        orders(world).provisioned.insert("1".to_owned(), 5);
    });
    assert!(provisioned.await.contains("provisioned concurrency is bound to its version 1"));

    // Bound to the alias, both follow it.
    let mut world = newcomer();
    mapping(&mut world, "live");
    orders(&mut world).provisioned.insert("live".to_owned(), 5);
    let bed = Bed::of(world, NEVER, false);
    assert!(matches!(bed.up(&only_orders()).await, Fate::Done(_)));
    assert_eq!(live(&bed).0, "2");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_starts_from_a_snapshot_is_waited_for() {
    let mut world = newcomer();
    let function = orders(&mut world);
    function.latest.snap_start = true;
    function.versions.get_mut(&1).unwrap().snap_start = true;
    let bed = Bed::of(world, NEVER, false);
    let began = tokio::time::Instant::now();
    assert!(matches!(bed.up(&only_orders()).await, Fate::Done(_)));
    assert!(began.elapsed() >= std::time::Duration::from_mins(1));
    assert_eq!(live(&bed).0, "2");
}

/// Someone releases another code after the `up`: to `$LATEST` and to the alias, or to the alias alone.
async fn released_since(bed: &Bed, to_latest: bool) {
    assert!(matches!(bed.up(&only_orders()).await, Fate::Done(_)));
    bed.gate.account.with(|world| {
        let function = orders(world);
        let code = String::from("released since");
        let third = Configuration {
            version: "3".to_owned(),
            description: String::new(),
            code_sha256: code.clone(),
            ..function.versions[&2].clone()
        };
        function.versions.insert(3, third);
        function.published = 3;
        function.aliases.get_mut("live").unwrap().version = String::from("3");
        if to_latest {
            function.latest.code_sha256 = code;
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_teardown_keeps_the_code_that_was_released_since() {
    let bed = Bed::new(NEVER, false);
    let (_, former) = live(&bed);
    released_since(&bed, true).await;
    assert!(matches!(bed.down(&only_orders()).await, Fate::Done(())));
    let (number, version) = live(&bed);
    assert_eq!((number.as_str(), version.code_sha256.as_str()), ("4", "released since"));
    assert_eq!(host(&version), host(&former));
    bed.gate.account.with(|world| assert!(!orders(world).versions.contains_key(&2), "our version stayed"));
}

/// What AWS keeps as sets comes in any order.
#[tokio::test(start_paused = true)]
async fn the_order_of_groups_and_subnets_is_no_pending_release() {
    let mut world = newcomer();
    let more = world.lambda.functions["DBAppFunction"].latest.vpc.as_ref().unwrap().groups[0].clone();
    let function = orders(&mut world);
    function.latest.vpc.as_mut().unwrap().groups.push(more.clone());
    let version = function.versions.get_mut(&1).unwrap();
    let vpc = version.vpc.as_mut().unwrap();
    vpc.groups.insert(0, more);
    vpc.subnets.reverse();
    let bed = Bed::of(world, NEVER, false);
    assert_eq!(bed.survey(&only_orders()).await.unwrap().frozen.len(), 1);
}

/// A tag of version 0.1, or a description, that names a version with other code does not bring that code back.
#[tokio::test(start_paused = true)]
async fn a_teardown_never_goes_back_to_other_code() {
    let bed = Bed::new(NEVER, false);
    assert!(matches!(bed.up(&only_orders()).await, Fate::Done(_)));
    bed.gate.account.with(|world| {
        let function = orders(world);
        let old = Configuration { code_sha256: "years old".to_owned(), ..function.versions[&1].clone() };
        function.versions.insert(1, old);
        function.tags.insert("rdsproxy-setup:former-version:live".to_owned(), "1".to_owned());
    });
    assert!(matches!(bed.down(&only_orders()).await, Fate::Done(())));
    let (number, version) = live(&bed);
    assert_eq!(number, "3");
    assert_ne!(version.code_sha256, "years old");
}

#[tokio::test(start_paused = true)]
async fn each_alias_goes_back_to_the_version_that_it_pointed_at() {
    let mut world = newcomer();
    let function = orders(&mut world);
    for number in 2..=3 {
        let version = Configuration { version: number.to_string(), ..function.versions[&1].clone() };
        function.versions.insert(number, version);
    }
    function.published = 3;
    let mut stage = function.aliases["live"].clone();
    (stage.name, stage.version) = ("stage".to_owned(), "2".to_owned());
    function.aliases.insert("stage".to_owned(), stage);
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    // Version 3 is what $LATEST is, so publishing makes none: a function that is repointed is another one.
    assert!(matches!(bed.up(&only_orders()).await, Fate::Done(_)));
    let (number, version) = live(&bed);
    assert_eq!(
        (number.as_str(), version.description.as_str()),
        ("4", "rdsproxy-setup my-cluster-proxy: live was 1, stage was 2")
    );
    assert!(matches!(bed.down(&only_orders()).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_teardown_does_not_guess_at_an_alias_that_it_cannot_put_back() {
    let bed = Bed::new(NEVER, false);
    released_since(&bed, false).await;
    let spec = only_orders();
    let stack = Box::pin(teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database))).await.unwrap();
    assert!(stack.other_users.iter().any(|user| user.starts_with("OrdersFunction:live, ")), "{:?}", stack.other_users);
}

/// What a teardown finds that it cannot point elsewhere.
async fn other_users(bed: &Bed) -> Vec<String> {
    let spec = only_orders();
    Box::pin(teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database))).await.unwrap().other_users
}

/// Our version, or one that someone published from the repointed `$LATEST`: bound by number, it would call a proxy that
/// is gone. An event source or provisioned concurrency (its `Qualifier` is "the version number or alias name",
/// <https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html>) can come after the `up`.
#[tokio::test(start_paused = true)]
async fn a_teardown_names_what_is_bound_to_a_version_at_the_proxy() {
    let up = async || {
        let bed = Bed::new(NEVER, false);
        assert!(matches!(bed.up(&only_orders()).await, Fate::Done(_)));
        assert_eq!(other_users(&bed).await, [""; 0]);
        bed
    };
    let bed = up().await;
    bed.gate.account.with(|world| mapping(world, "2"));
    assert_eq!(other_users(&bed).await, ["OrdersFunction:2, to which an event source is bound by its number"]);
    let spec = only_orders();
    // Whoever goes on all the same keeps the version: deleting it would not help the caller.
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    bed.gate.account.with(|world| assert!(orders(world).versions.contains_key(&2)));

    let bed = up().await;
    bed.gate.account.with(|world| {
        let function = orders(world);
        let third =
            Configuration { version: "3".to_owned(), description: String::new(), ..function.versions[&2].clone() };
        function.versions.insert(3, third);
        function.published = 3;
        function.provisioned.insert("3".to_owned(), 5);
    });
    assert_eq!(other_users(&bed).await, ["OrdersFunction:3, to which provisioned concurrency is bound by its number"]);

    // What is bound to the alias, or to a version at the database, goes back with it or stays.
    let bed = up().await;
    bed.gate.account.with(|world| {
        mapping(world, "live");
        orders(world).provisioned.insert("1".to_owned(), 5);
    });
    assert_eq!(other_users(&bed).await, [""; 0]);
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    assert_eq!(live(&bed).0, "1");
}

/// Event sources are read once, and only where a version leads to the proxy.
#[tokio::test(start_paused = true)]
async fn a_teardown_asks_for_callers_only_where_a_version_is_at_the_proxy() {
    let asked = async |spec: Spec| {
        let bed = Bed::new(NEVER, false);
        assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
        let since = bed.logged();
        assert!(matches!(bed.down(&spec).await, Fate::Done(())));
        let made = bed.actions(since);
        ["ListEventSourceMappings", "ListProvisionedConcurrencyConfigs"]
            .map(|action| made.iter().filter(|made| *made == action).count())
    };
    assert_eq!(asked(wish("my-instance")).await, [0, 0]);
    assert_eq!(asked(wish("my-cluster")).await, [1, 1]);
}

/// What is left at a proxy that goes all the same is said before, and after.
#[test]
fn a_teardown_all_the_same_says_what_is_left_at_the_proxy() {
    let desk = Desk::new();
    up(&desk, "my-cluster");
    desk.change(|world| mapping(world, "2"));
    let bound = "OrdersFunction:2, to which an event source is bound by its number";
    let refused = desk.run(&["teardown", "--db", "my-cluster", "--yes"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains(bound), "{refused}");
    let gone = desk.run(&["teardown", "--db", "my-cluster", "--yes", "--even-if-used"]);
    assert_eq!(gone.code, Some(0), "{gone}");
    assert!(gone.stderr.contains("stays at the proxy: 2, to which an event source is bound"), "{gone}");
    assert!(gone.stdout.contains(&format!("What was left at the proxy: {bound}.")), "{gone}");
}
