//! Finding functions and editing their variables: every shape of a value, and what AWS would not take.

use std::collections::BTreeMap;

use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::{ClientAuth, Spec};
use rdsproxy_setup::survey::Survey;
use sandbox::World;
use sandbox::parts::Function;

use crate::access::lawful;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

/// The values that a function may know `my-instance` by.
const SHAPES: [(&str, &str); 10] = [
    ("DATABASE_URL", "mysql://app:s3cr%40t@<host>:<port>/shop?ssl=true"),
    ("JDBC_URL", "jdbc:mysql://<host>:<port>/shop"),
    ("ADO", "Server=<host>;Port=<port>;Uid=app;Pwd=s3cr;t=1"),
    ("LIBPQ", "host=<host> port=<port> dbname=shop"),
    ("PDO", "mysql:host=<host>;port=<port>;dbname=shop"),
    ("JSON", "{\"host\": \"<host>\", \"port\": <port>, \"user\": \"app\"}"),
    ("GO_DSN", "app:s3cr@tcp(<host>:<port>)/shop"),
    ("ENCODED", "mysql%3A%2F%2Fapp%3As3cr%40<host>%3A<port>%2Fshop"),
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
    // Only an odd spelling of the host is remembered on the function, and so needs room among its tags.
    let shout = |found: &mut Function| {
        let variables = found.latest.environment.as_mut().unwrap();
        let host = variables["DB_HOST"].to_uppercase();
        variables.insert("DB_HOST".to_owned(), host.clone());
        host
    };
    let too_many_tags = obstacle(|world| {
        let mut found = function(world);
        shout(&mut found);
        found.tags.extend((0..50).map(|number| (format!("tag-{number}"), String::new())));
        world.lambda.functions.insert("DBAppFunction".to_owned(), found);
    });
    assert!(too_many_tags.await.contains("would have 51 tags"));
    let name_too_long = obstacle(|world| {
        let mut found = function(world);
        let host = shout(&mut found);
        found.latest.environment.as_mut().unwrap().insert("A".repeat(110), host);
        world.lambda.functions.insert("DBAppFunction".to_owned(), found);
    });
    assert!(name_too_long.await.contains("does not fit a tag"));
}

/// The tags of a function that are ours.
fn our_tags(bed: &Bed, function: &str) -> Vec<String> {
    let all = bed.gate.account.with(|world| world.lambda.functions[function].tags.clone());
    all.into_iter()
        .filter(|(key, _)| key.starts_with("rdsproxy-setup:"))
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn only_what_cannot_be_derived_is_remembered_on_a_function() {
    for moves in [false, true] {
        let mut world = newcomer();
        world.lambda.tags_move_revisions = moves;
        let invoice = world.lambda.functions.get_mut("InvoiceFunction").unwrap();
        let variables = invoice.latest.environment.as_mut().unwrap();
        let host = variables["DB_HOST"].to_uppercase();
        variables.insert("DB_HOST".to_owned(), host.clone());
        variables.insert("PRIMARY".to_owned(), format!("{}.", host.to_lowercase()));
        let bed = Bed::of(world, NEVER, false);
        let before = bed.dump().await;
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        assert_eq!(our_tags(&bed, "DBAppFunction"), [""; 0]);
        assert!(our_tags(&bed, "InvoiceFunction").contains(&format!("rdsproxy-setup:former:DB_HOST={host}")));
        let since = bed.logged();
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        assert_eq!(bed.mutations(since), [""; 0]);
        assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
        assert_eq!(bed.dump().await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_memory_is_believed_only_where_it_names_a_host_of_the_database() {
    let clean = Bed::new(NEVER, false);
    let before = clean.dump().await;
    assert!(matches!(clean.up(&wish("my-instance")).await, Fate::Done(_)));
    let start = clean.settled().await;
    let host = newcomer().rds.instances["my-instance"].endpoint.clone();
    for former in ["db.evil.example.com", "db.evil.example.com:3306", "", "x", &host, &format!("{host}:3306")] {
        let mut world = start.clone();
        for name in ["DBAppFunction", "InvoiceFunction"] {
            let function = world.lambda.functions.get_mut(name).unwrap();
            // As version 0.1 left it, or whoever may tag the function.
            function.tags.insert("rdsproxy-setup:former:DB_HOST".to_owned(), former.to_owned());
        }
        let bed = Bed::of(world, NEVER, false);
        assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())), "{former}");
        assert_eq!(bed.dump().await, before, "{former}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_no_proxy_serves_stays_at_the_database_and_is_named() {
    for port in [3306, 3307] {
        let mut world = newcomer();
        world.rds.instances.get_mut("my-instance").unwrap().port = port;
        world.lambda.functions.remove("InvoiceFunction");
        let host = world.rds.instances["my-instance"].endpoint.clone();
        let all = [
            ("DB_HOST", host.clone()),
            ("DB_PORT", port.to_string()),
            ("X_URL", format!("mysqlx://{host}:33060/shop")),
            ("X_HOST", host.clone()),
            ("X_PORT", "33060".to_owned()),
        ];
        let environment = all.map(|(name, value)| (name.to_owned(), value)).into();
        world.lambda.functions.get_mut("DBAppFunction").unwrap().latest.environment = Some(environment);
        let bed = Bed::of(world, NEVER, false);
        let before = bed.dump().await;
        let spec = Spec { client_auth: ClientAuth::Iam, ..wish("my-instance") };
        let entries = bed.survey(&spec).await.unwrap().entries();
        let told = |name: &str| entries[12].details.iter().any(|line| line.contains(name) && line.contains("33060"));
        assert!(told("X_URL") && told("X_HOST"), "{:?}", entries[12].details);
        let Fate::Done(outcome) = bed.up(&spec).await else { panic!("up failed") };
        let now = variables(&bed, "DBAppFunction");
        assert_eq!((now["DB_HOST"].as_str(), now["DB_PORT"].as_str()), (outcome.endpoint.as_str(), "3306"));
        assert_eq!(
            (now["X_URL"].as_str(), now["X_HOST"].as_str()),
            (format!("mysqlx://{host}:33060/shop").as_str(), host.as_str())
        );
        let since = bed.logged();
        assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
        assert_eq!(bed.mutations(since), [""; 0]);
        assert!(matches!(bed.down(&spec).await, Fate::Done(())));
        assert_eq!(bed.dump().await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_variable_that_others_may_mean_is_remembered_or_refused() {
    let with = |extra: &[(&str, &str)]| {
        let (mut world, host) = on_port_3307();
        let mut all = BTreeMap::from([("DB_HOST".to_owned(), host)]);
        all.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        world.lambda.functions.get_mut("DBAppFunction").unwrap().latest.environment = Some(all);
        world
    };
    for extra in [
        &[("DB_PORT", "3307"), ("OTHER_PORT", "3306")][..],
        // Not named after the host's variable, so the way back could not tell.
        &[("MYSQL_PORT", "3307"), ("OTHER_PORT", "3306")],
        // It held the proxy's port already.
        &[("DB_PORT", "3306"), ("MYSQL_PORT", "3307")],
    ] {
        let bed = Bed::of(with(extra), NEVER, false);
        let before = bed.dump().await;
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)), "{extra:?}");
        assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())), "{extra:?}");
        assert_eq!(bed.dump().await, before, "{extra:?}");
    }
    let bed = Bed::of(with(&[("MYSQL_PORT", "3307"), ("OTHER_PORT", "3307")]), NEVER, false);
    let survey = bed.survey(&wish("my-instance")).await.unwrap();
    let Verdict::Conflict(why) = &survey.entries()[12].verdict else { panic!("{:?}", survey.entries()[12]) };
    assert!(why.join("; ").contains("which of MYSQL_PORT, OTHER_PORT in DBAppFunction"), "{why:?}");
}

#[tokio::test(start_paused = true)]
async fn the_way_back_is_on_the_proxy_where_the_database_is_gone() {
    for id in ["my-instance", "my-cluster"] {
        let clean = Bed::new(NEVER, false);
        let before = clean.settled().await;
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let bed = Bed::of(clean.settled().await, NEVER, false);
        bed.gate.account.with(|world| {
            world.rds.instances.retain(|name, _| !name.starts_with(id));
            world.rds.clusters.remove(id);
        });
        assert!(matches!(bed.down(&wish(id)).await, Fate::Done(())), "{id}");
        let after = bed.settled().await;
        for (name, function) in &before.lambda.functions {
            let now = &after.lambda.functions[name];
            assert_eq!(now.latest.environment, function.latest.environment, "{id}: {name}");
            assert_eq!(now.aliases.len(), function.aliases.len());
            assert_eq!(now.versions.len(), function.versions.len(), "{id}: {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tags_that_are_not_shown_are_unknown() {
    let mut world = newcomer();
    world.lambda.tags_hidden = true;
    let bed = Bed::of(world, NEVER, false);
    let survey = bed.survey(&wish("my-instance")).await.unwrap();
    assert!(survey.functions.iter().all(|found| found.function.tags.is_none()));
    let told = survey.entries()[12].details.join("\n");
    assert!(told.contains("whether another tool owns it is not known"), "{told}");
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    let since = bed.logged();
    let Fate::Stopped(why) = bed.down(&wish("my-instance")).await else { panic!("a teardown went on") };
    assert!(why.contains("AWS does not show them"), "{why}");
    assert_eq!(bed.mutations(since), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_named_function_without_a_host_is_told_and_not_drawn_at_the_proxy() {
    let bed = Bed::new(NEVER, false);
    let spec =
        Spec { functions: vec!["WebhookFunction".to_owned()], client_auth: ClientAuth::Iam, ..wish("my-instance") };
    let survey = bed.survey(&spec).await.unwrap();
    let warned =
        survey.warnings.iter().any(|text| text.contains("WebhookFunction") && text.contains("changes nothing"));
    assert!(warned, "{:?}", survey.warnings);
    assert!(matches!(survey.entries()[12].verdict, Verdict::NotNeeded(_)));
    let Fate::Done(outcome) = bed.up(&spec).await else { panic!("up failed") };
    assert_eq!(outcome.functions, [""; 0]);
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
#[ignore = "full tier: killed at every call"]
async fn every_shape_of_a_value_keeps_the_laws() {
    let mut spec = wish("my-instance");
    spec.client_auth = rdsproxy_setup::spec::ClientAuth::Password;
    spec.secrets = vec!["my-cluster/app".to_owned()];
    lawful(&|| on_port_3307().0, &spec).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
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
