//! The read-only endpoint: made where a function reads from replicas, and taken away with the proxy.

use std::collections::BTreeMap;

use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::{ReaderEndpoint, Spec};
use sandbox::World;

use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

fn with(choice: ReaderEndpoint) -> Spec {
    Spec { reader_endpoint: choice, ..wish("my-cluster") }
}

fn variables(bed: &Bed) -> BTreeMap<String, String> {
    bed.gate.account.with(|world| world.lambda.functions["OrdersFunction"].latest.environment.clone().unwrap())
}

fn endpoints(bed: &Bed) -> Vec<String> {
    bed.gate.account.with(|world| world.rds.endpoints.keys().cloned().collect())
}

#[tokio::test(start_paused = true)]
async fn a_variable_with_the_readers_host_goes_to_a_read_only_endpoint_and_back() {
    let bed = Bed::new(NEVER, false);
    let before = bed.dump().await;
    let plan = bed.survey(&with(ReaderEndpoint::Auto)).await.unwrap().entries();
    assert!(plan[2].details.iter().any(|line| line.contains("my-cluster-proxy-ro")), "{:?}", plan[2]);
    assert!(matches!(bed.up(&with(ReaderEndpoint::Auto)).await, Fate::Done(_)));
    assert_eq!(endpoints(&bed), ["my-cluster-proxy-ro"]);
    let now = variables(&bed);
    assert!(now["DB_READER_HOST"].starts_with("my-cluster-proxy-ro.endpoint.proxy-"), "{now:?}");
    assert!(now["DB_HOST"].starts_with("my-cluster-proxy.proxy-"), "{now:?}");
    let since = bed.logged();
    assert!(matches!(bed.up(&with(ReaderEndpoint::Auto)).await, Fate::Done(_)));
    assert_eq!(bed.mutations(since), [""; 0]);
    assert!(matches!(bed.down(&with(ReaderEndpoint::Auto)).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn never_leaves_such_variables_alone_and_auto_catches_up() {
    let mut world = newcomer();
    let reader = world.rds.clusters["my-cluster"].reader_endpoint.clone();
    let writer = world.rds.clusters["my-cluster"].endpoint.clone();
    let function = world.lambda.functions.get_mut("OrdersFunction").unwrap();
    let environment = function.latest.environment.as_mut().unwrap();
    // Both hosts in one value, which is edited twice.
    environment.insert("HOSTS".to_owned(), format!("{writer}:5432,{reader}:5432"));
    function.versions.get_mut(&1).unwrap().environment.clone_from(&function.latest.environment);
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    let former = variables(&bed);
    assert!(matches!(bed.up(&with(ReaderEndpoint::Never)).await, Fate::Done(_)));
    assert_eq!(endpoints(&bed), [""; 0]);
    assert_eq!(variables(&bed)["DB_READER_HOST"], former["DB_READER_HOST"]);
    assert!(matches!(bed.up(&with(ReaderEndpoint::Auto)).await, Fate::Done(_)));
    let hosts = &variables(&bed)["HOSTS"];
    assert!(!hosts.contains(&reader) && !hosts.contains(&writer), "{hosts}");
    assert!(matches!(bed.down(&with(ReaderEndpoint::Auto)).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn always_makes_one_and_says_where_it_cannot() {
    let bed = Bed::new(NEVER, false);
    let (functions, secrets) = (vec!["ReportsFunction".to_owned()], vec!["my-cluster/app".to_owned()]);
    let spec = Spec { functions, secrets, ..with(ReaderEndpoint::Always) };
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    assert_eq!(endpoints(&bed), ["my-cluster-proxy-ro"]);
    let instance = Spec { reader_endpoint: ReaderEndpoint::Always, ..wish("my-instance") };
    let problem = bed.survey(&instance).await.unwrap_err().to_string();
    assert!(problem.contains("no reader that it could lead to"), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_not_ours_stays_in_the_way_of_both() {
    let bed = Bed::new(NEVER, false);
    let spec = with(ReaderEndpoint::Auto);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    let disown = |world: &mut World| world.rds.endpoints.get_mut("my-cluster-proxy-ro").unwrap().tags.clear();
    bed.gate.account.with(disown);
    let row = bed.survey(&spec).await.unwrap().entries().swap_remove(2);
    assert!(matches!(row.verdict, Verdict::Conflict(_)), "{row:?}");
    let stack =
        Box::pin(rdsproxy_setup::teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database))).await.unwrap();
    assert!(stack.other_users.iter().any(|user| user.contains("my-cluster-proxy-ro")), "{:?}", stack.other_users);
}

#[tokio::test(start_paused = true)]
async fn an_available_proxy_without_its_endpoint_is_waited_for() {
    let mut world = newcomer();
    // Long after the status of both says available.
    world.profile.endpoint_visible = world.profile.proxy_create + world.profile.endpoint_create * 2;
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    assert!(matches!(bed.up(&with(ReaderEndpoint::Auto)).await, Fate::Done(_)));
    let now = variables(&bed);
    assert!(now["DB_READER_HOST"].starts_with("my-cluster-proxy-ro.endpoint.proxy-"), "{now:?}");
    assert!(now["DB_HOST"].starts_with("my-cluster-proxy.proxy-"), "{now:?}");
    assert!(matches!(bed.down(&with(ReaderEndpoint::Auto)).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}
