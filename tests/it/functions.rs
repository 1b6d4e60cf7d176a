//! Finding functions and editing their variables: every shape of a value, and what AWS would not take.

use std::collections::BTreeMap;

use rdsproxy_setup::engine::ledger::Verdict;
use rdsproxy_setup::sandbox::World;
use rdsproxy_setup::survey::Survey;

use crate::access::lawful;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

/// The values that a function may know `my-instance` by.
const SHAPES: [(&str, &str); 9] = [
    ("DATABASE_URL", "mysql://app:s3cr%40t@<host>:<port>/shop?ssl=true"),
    ("JDBC_URL", "jdbc:mysql://<host>:<port>/shop"),
    ("ADO", "Server=<host>;Port=<port>;Uid=app;Pwd=s3cr;t=1"),
    ("LIBPQ", "host=<host> port=<port> dbname=shop"),
    ("PDO", "mysql:host=<host>;port=<port>;dbname=shop"),
    ("JSON", "{\"host\": \"<host>\", \"port\": <port>, \"user\": \"app\"}"),
    ("GO_DSN", "app:s3cr@tcp(<host>:<port>)/shop"),
    ("TWICE", "<host>:<port>,<host>:<port>"),
    ("PLAIN", "<host>"),
];

fn shaped(host: &str, port: &str) -> BTreeMap<String, String> {
    let filled = |shape: &str| shape.replace("<host>", host).replace("<port>", port);
    let mut shapes: BTreeMap<String, String> =
        SHAPES.iter().map(|(name, shape)| ((*name).to_owned(), filled(shape))).collect();
    shapes.insert("DB_PORT".to_owned(), port.to_owned());
    shapes.insert("WORKER_PORT_COUNT".to_owned(), "12".to_owned());
    shapes
}

/// `my-instance` on another port, and one function that knows it in every shape.
fn on_port_3307() -> (World, String) {
    let mut world = newcomer();
    let instance = world.rds.instances.get_mut("my-instance").unwrap();
    instance.port = 3307;
    let host = instance.endpoint.clone();
    world.lambda.functions.remove("InvoiceFunction");
    let function = world.lambda.functions.get_mut("DBAppFunction").unwrap();
    function.latest.environment = Some(shaped(&host, "3307"));
    (world, host)
}

fn variables(bed: &Bed, function: &str) -> BTreeMap<String, String> {
    bed.gate.account.with(|world| world.lambda.functions[function].latest.environment.clone().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn every_shape_of_a_value_gets_host_and_port_and_comes_back_byte_for_byte() {
    let (world, host) = on_port_3307();
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    let mut spec = wish("my-instance");
    spec.client_auth = rdsproxy_setup::spec::ClientAuth::Password;
    // The user that the shapes name.
    spec.secrets = vec!["my-cluster/app".to_owned()];
    let Fate::Done(outcome) = bed.up(&spec).await else { panic!("up failed") };
    assert_ne!(outcome.endpoint, host);
    let found = variables(&bed, "DBAppFunction");
    let mut want = shaped(&outcome.endpoint, "3306");
    // A port of its own goes with the host only where no value tells the port itself.
    want.insert("DB_PORT".to_owned(), found["DB_PORT"].clone());
    assert_eq!(found, want);
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_port_of_its_own_goes_with_a_plain_host() {
    let (mut world, host) = on_port_3307();
    let plain = [("DB_HOST", host.as_str()), ("DB_PORT", "3307"), ("CACHE_PORT", "6379")];
    let plain = plain.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    world.lambda.functions.get_mut("DBAppFunction").unwrap().latest.environment = Some(plain);
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    let found = variables(&bed, "DBAppFunction");
    assert_eq!((found["DB_PORT"].as_str(), found["CACHE_PORT"].as_str()), ("3306", "6379"));
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn an_excluded_function_stays_as_it_is() {
    let bed = Bed::new(NEVER, false);
    let before = variables(&bed, "InvoiceFunction");
    let mut spec = wish("my-instance");
    spec.excluded_functions = vec!["InvoiceFunction".to_owned()];
    let Fate::Done(outcome) = bed.up(&spec).await else { panic!("up failed") };
    assert_eq!(outcome.functions, ["DBAppFunction"]);
    assert_eq!(variables(&bed, "InvoiceFunction"), before);
    spec.excluded_functions = vec!["InvoiceFuncton".to_owned()];
    let problem = bed.survey(&spec).await.unwrap_err().to_string();
    assert!(problem.contains("InvoiceFuncton"), "{problem}");
}

/// What step 13 would meet in a world.
async fn obstacle(change: impl FnOnce(&mut World)) -> String {
    let mut world = newcomer();
    change(&mut world);
    let bed = Bed::of(world, NEVER, false);
    let survey: Survey = bed.survey(&wish("my-instance")).await.unwrap();
    match &survey.entries()[12].verdict {
        Verdict::Conflict(reasons) => reasons.join("; "),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_lambda_would_not_take_is_found_before_anything_changes() {
    let function = |world: &mut World| world.lambda.functions.remove("DBAppFunction").unwrap();
    let too_large = obstacle(|world| {
        let mut found = function(world);
        let variables = found.latest.environment.as_mut().unwrap();
        let taken = serde_json::json!(variables).to_string().len();
        variables.insert("PADDING".to_owned(), "x".repeat(4_090 - taken - 13));
        world.lambda.functions.insert("DBAppFunction".to_owned(), found);
    });
    assert!(too_large.await.contains("Lambda allows 4096"));
    let too_many_tags = obstacle(|world| {
        let mut found = function(world);
        found.tags.extend((0..50).map(|number| (format!("tag-{number}"), String::new())));
        world.lambda.functions.insert("DBAppFunction".to_owned(), found);
    });
    assert!(too_many_tags.await.contains("would have 51 tags"));
    let name_too_long = obstacle(|world| {
        let mut found = function(world);
        let host = found.latest.environment.as_ref().unwrap()["DB_HOST"].clone();
        found.latest.environment.as_mut().unwrap().insert("A".repeat(110), host);
        world.lambda.functions.insert("DBAppFunction".to_owned(), found);
    });
    assert!(name_too_long.await.contains("does not fit a tag"));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_hides_its_variables_is_told_and_left_alone() {
    let mut world = newcomer();
    world.lambda.functions.get_mut("InvoiceFunction").unwrap().unreadable_environment = true;
    let bed = Bed::of(world, NEVER, false);
    let survey = bed.survey(&wish("my-instance")).await.unwrap();
    assert_eq!(survey.functions.len(), 1);
    assert!(survey.warnings.iter().any(|warning| warning.contains("InvoiceFunction")), "{:?}", survey.warnings);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_may_read_the_host_from_the_secret_is_told() {
    let mut world = newcomer();
    let secret = world.rds.instances["my-instance"].master_secret.clone().unwrap();
    let function = world.lambda.functions.get_mut("WebhookFunction").unwrap();
    function.latest.environment.as_mut().unwrap().insert("DB_SECRET".to_owned(), secret);
    let bed = Bed::of(world, NEVER, false);
    let survey = bed.survey(&wish("my-instance")).await.unwrap();
    assert!(survey.warnings.iter().any(|warning| warning.contains("WebhookFunction names the secret")), "{survey:?}");
}

#[tokio::test(start_paused = true)]
async fn a_function_that_may_read_the_host_from_a_parameter_is_told() {
    let told = async |name: &str, value: &str| {
        let mut world = newcomer();
        let function = world.lambda.functions.get_mut("WebhookFunction").unwrap();
        function.latest.environment.as_mut().unwrap().insert(name.to_owned(), value.to_owned());
        let bed = Bed::of(world, NEVER, false);
        let survey = bed.survey(&wish("my-instance")).await.unwrap();
        survey.warnings.iter().any(|warning| warning.contains("WebhookFunction names the parameter"))
    };
    assert!(told("DB_HOST_PARAM", "/shop/db/host").await);
    assert!(told("CONFIG", "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/db/endpoint").await);
    assert!(!told("DB_SOCKET", "/var/run/mysqld/mysqld.sock").await);
    assert!(!told("CACHE_HOST_PARAM", "/shop/cache/host").await);
}

#[tokio::test(start_paused = true)]
async fn every_shape_of_a_value_keeps_the_laws() {
    let mut spec = wish("my-instance");
    spec.client_auth = rdsproxy_setup::spec::ClientAuth::Password;
    spec.secrets = vec!["my-cluster/app".to_owned()];
    lawful(&|| on_port_3307().0, &spec).await;
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_environment_keeps_its_key() {
    let world = || {
        let mut world = newcomer();
        let key = world.kms.keys.values().next().unwrap().arn.clone();
        world.lambda.functions.get_mut("DBAppFunction").unwrap().latest.kms_key = Some(key);
        world
    };
    let key = world().lambda.functions["DBAppFunction"].latest.kms_key.clone();
    let want = lawful(&world, &wish("my-instance")).await;
    assert_eq!(want["lambda"]["functions"]["DBAppFunction"]["latest"]["kms_key"].as_str(), key.as_deref());
}
