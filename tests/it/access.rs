//! How the proxy and its clients log in: each case fresh, again, killed at every call, and torn down.

use rdsproxy_setup::catalogue::StepId;
use rdsproxy_setup::cloud::Password;
use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::{ClientAuth, ClientPasswordAuth, CreateSecret, DatabaseAuth, Spec};
use sandbox::World;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::doctor::silence;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::restrict;

/// A world without the secrets that are scheduled for deletion.
fn without_going(mut dump: Value) -> Value {
    if let Some(secrets) = dump["secrets"]["secrets"].as_object_mut() {
        secrets.retain(|_, secret| secret["deletion"].is_null());
    }
    dump
}

/// Holds a case to the laws: a second run changes nothing, a run killed anywhere resumes, and a teardown from anywhere
/// leaves the world as it was. Answers the world after a clean run.
pub(crate) async fn lawful(world: &dyn Fn() -> World, spec: &Spec) -> Value {
    let clean = Bed::of(world(), NEVER, false);
    let before = without_going(clean.dump().await);
    let fate = clean.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let calls = clean.calls();
    let want = clean.dump().await;
    let since = clean.logged();
    let fate = clean.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    assert_eq!(clean.mutations(since), [""; 0]);
    for entry in Box::pin(clean.survey(spec)).await.unwrap().entries() {
        assert!(matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_)), "{entry:?}");
    }
    let fate = clean.down(spec).await;
    assert!(matches!(fate, Fate::Done(())), "{fate:?}");
    assert_eq!(without_going(clean.dump().await), before, "torn down");
    for (kill_at, after) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
        let case = format!("killed at call {kill_at} (after: {after})");
        for resume in [true, false] {
            let bed = Bed::of(world(), kill_at, after);
            assert!(matches!(bed.up(spec).await, Fate::Killed), "{case}");
            bed.disarm();
            if resume {
                let fate = bed.up(spec).await;
                assert!(matches!(fate, Fate::Done(_)), "{case}: {fate:?}");
                assert_eq!(bed.dump().await, want, "{case}, resumed");
            } else {
                let fate = bed.down(spec).await;
                assert!(matches!(fate, Fate::Done(())), "{case}: {fate:?}");
                assert_eq!(without_going(bed.dump().await), before, "{case}, torn down");
            }
        }
    }
    want
}

/// Why a survey found something to decide.
async fn refused(world: World, spec: &Spec) -> String {
    let bed = Bed::of(world, NEVER, false);
    let problem = Box::pin(bed.survey(spec)).await.unwrap_err();
    format!("{problem:?}")
}

fn end_to_end(id: &str) -> Spec {
    let mut spec = wish(id);
    spec.client_auth = ClientAuth::Iam;
    spec.database_auth = Some(DatabaseAuth::Iam);
    spec
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn end_to_end_iam_needs_no_secret() {
    let want = lawful(&newcomer, &end_to_end("my-instance")).await;
    let proxy = &want["rds"]["proxies"]["my-instance-proxy"];
    assert_eq!(proxy["default_auth_scheme"], "IAM_AUTH");
    assert_eq!(proxy["auth"], serde_json::json!([]));
    // The role may connect to the database by its own id, and as the functions' user only.
    let role = want["iam"]["roles"]["my-instance-proxy-eu-central-1"].to_string();
    let id = want["rds"]["instances"]["my-instance"]["resource_id"].as_str().unwrap();
    assert!(role.contains(&format!("dbuser:{id}/admin")), "{role}");
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn iam_authentication_is_turned_on_only_when_asked_and_off_again() {
    let mut spec = end_to_end("my-cluster");
    let why = refused(newcomer(), &spec).await;
    assert!(why.contains("IAM authentication of the database is off") && why.contains("--enable-iam-auth"), "{why}");
    spec.enable_iam_auth = true;
    let want = lawful(&newcomer, &spec).await;
    assert_eq!(want["rds"]["clusters"]["my-cluster"]["iam_auth"], true);
    assert_eq!(want["rds"]["clusters"]["my-cluster"]["tags"]["rdsproxy-setup:iam-auth"], "my-cluster-proxy");
}

/// AWS's own example, with quotes:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html>.
#[tokio::test(start_paused = true)]
async fn the_plan_has_the_statements_that_let_users_log_in_with_iam() {
    for (id, new, existing) in [
        (
            "my-instance",
            "CREATE USER `admin`@`%` IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;",
            "ALTER USER `admin`@`%` IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;",
        ),
        ("my-cluster", "CREATE USER \"app\" WITH LOGIN; GRANT rds_iam TO \"app\";", "GRANT rds_iam TO \"app\";"),
    ] {
        let mut spec = end_to_end(id);
        spec.enable_iam_auth = true;
        let survey = Bed::of(newcomer(), NEVER, false).survey(&spec).await.unwrap();
        let entry = survey.entries().into_iter().find(|entry| entry.step == StepId::SecretAccess).unwrap();
        for statement in [new, existing] {
            let ends_with = |detail: &String| detail.ends_with(&format!(": {statement}"));
            assert!(entry.details.iter().any(ends_with), "{statement}: {:#?}", entry.details);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_on_before_stays_on() {
    let mut spec = end_to_end("my-instance");
    spec.enable_iam_auth = true;
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    assert!(!bed.actions(0).iter().any(|action| action == "ModifyDBInstance"));
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    assert_eq!(bed.dump().await["rds"]["instances"]["my-instance"]["iam_auth"], true);
}

#[tokio::test(start_paused = true)]
async fn a_later_run_without_flags_keeps_end_to_end_iam() {
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&end_to_end("my-instance")).await, Fate::Done(_)));
    let since = bed.logged();
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    assert_eq!(bed.mutations(since), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_stack_goes_from_secrets_to_iam_and_back() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let before = bed.dump().await;
    let scheme = async |spec: &Spec| {
        let fate = bed.up(spec).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        bed.dump().await["rds"]["proxies"]["my-instance-proxy"]["default_auth_scheme"].clone()
    };
    assert_eq!(scheme(&wish("my-instance")).await, "NONE");
    assert_eq!(scheme(&end_to_end("my-instance")).await, "IAM_AUTH");
    let mut back = wish("my-instance");
    back.database_auth = Some(DatabaseAuth::Secret);
    assert_eq!(scheme(&back).await, "NONE");
    assert!(matches!(bed.down(&back).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

/// Sets a variable of a function by hand.
fn set(world: &mut World, function: &str, name: &str, value: &str) {
    let function = world.lambda.functions.get_mut(function).unwrap();
    function.latest.environment.get_or_insert_default().insert(name.to_owned(), value.to_owned());
}

#[tokio::test(start_paused = true)]
async fn a_mix_of_logins_is_refused_with_the_choices() {
    let mut world = newcomer();
    set(&mut world, "InvoiceFunction", "DB_PASSWORD", "something");
    let why = refused(world, &wish("my-instance")).await;
    for part in ["InvoiceFunction carries a password in DB_PASSWORD", "DBAppFunction", "--client-auth", "--function"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(!why.contains("something"), "{why}");
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn every_user_needs_a_secret_and_gets_its_own_right_to_connect() {
    let mut world = newcomer();
    set(&mut world, "InvoiceFunction", "DB_USER", "app");
    let why = refused(world.clone(), &wish("my-instance")).await;
    assert!(why.contains("no secret is for app") && why.contains("--secret"), "{why}");
    let master = world.rds.instances["my-instance"].master_secret.clone().unwrap();
    let mut spec = wish("my-instance");
    spec.secrets = vec![master, "my-cluster/app".to_owned()];
    let want = lawful(&|| world.clone(), &spec).await;
    assert_eq!(want["rds"]["proxies"]["my-instance-proxy"]["auth"].as_array().map(Vec::len), Some(2));
    let policies = want["iam"]["policies"].to_string();
    assert!(policies.contains("/admin") && policies.contains("/app"), "{policies}");
}

/// The functions of a database whose user has no secret at its proxy.
fn cut_off(dump: &Value, database: &str) -> Vec<String> {
    let proxy = &dump["rds"]["proxies"][format!("{database}-proxy")];
    let secrets = dump["secrets"]["secrets"].as_object().unwrap();
    let user_of = |arn: &Value| {
        let secret = secrets.values().find(|secret| secret["arn"] == *arn).unwrap();
        let name = secret["name"].as_str().unwrap();
        let tagged = secret["tags"]["rdsproxy-setup:user"].as_str().map(str::to_owned);
        tagged.unwrap_or_else(|| if name.starts_with("rds!") { "admin" } else { "app" }.to_owned())
    };
    let users: Vec<String> =
        proxy["auth"].as_array().unwrap().iter().map(|auth| user_of(&auth["secret_arn"])).collect();
    let functions = dump["lambda"]["functions"].as_object().unwrap().iter().filter_map(|(name, function)| {
        let variables = function["latest"]["environment"].as_object()?;
        let own = variables.values().any(|value| value.as_str().unwrap().contains(proxy["endpoint"].as_str().unwrap()));
        let in_url =
            || variables.get("DATABASE_URL").map(|url| url.as_str().unwrap().split(['/', ':']).nth(3).unwrap());
        let user = variables.get("DB_USER").and_then(Value::as_str).or_else(in_url)?;
        (own && !users.iter().any(|have| have == user)).then(|| name.clone())
    });
    functions.collect()
}

#[tokio::test(start_paused = true)]
async fn a_user_of_a_flag_is_added_to_those_of_the_variables() {
    let mut world = newcomer();
    set(&mut world, "InvoiceFunction", "DB_USER", "billing");
    let asked = |id: &str, user: &str| Spec {
        db_users: vec![user.to_owned()],
        create_secret: Some(CreateSecret { users: vec![user.to_owned()], kms_key: None, generate: true }),
        ..wish(id)
    };
    for (id, user, users) in [("my-instance", "billing", ["admin", "billing"]), ("my-cluster", "app2", ["app", "app2"])]
    {
        let bed = Bed::of(world.clone(), NEVER, false);
        let survey = Box::pin(bed.survey(&asked(id, user))).await.unwrap();
        assert_eq!(survey.login.users, users);
        let fate = bed.up(&asked(id, user)).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        let dump = bed.dump().await;
        assert_eq!(dump["rds"]["proxies"][format!("{id}-proxy")]["auth"].as_array().map(Vec::len), Some(2));
        assert_eq!(cut_off(&dump, id), [""; 0]);
        // What is remembered adds as well.
        let since = bed.logged();
        let fate = bed.up(&wish(id)).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        assert_eq!(bed.mutations(since), [""; 0]);
    }
    // Where nothing is for one of them, it is named, and can be left out.
    world.rds.instances.get_mut("my-instance").unwrap().master_secret = None;
    let why = refused(world.clone(), &asked("my-instance", "billing")).await;
    for part in
        ["DBAppFunction (DB_USER) logs in as admin", "no secret is for admin", "--exclude-function DBAppFunction"]
    {
        assert!(why.contains(part), "{part}: {why}");
    }
    let mut spec = asked("my-instance", "billing");
    spec.excluded_functions = vec!["DBAppFunction".to_owned()];
    let bed = Bed::of(world, NEVER, false);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
}

#[tokio::test(start_paused = true)]
async fn a_user_that_a_policy_would_read_otherwise_is_never_granted() {
    for bad in ["*", "adm?n", "${aws:username}", "a/b", "a,b", "two words", "a\u{1b}[2J"] {
        let mut world = newcomer();
        set(&mut world, "InvoiceFunction", "DB_USER", bad);
        let why = refused(world, &wish("my-instance")).await;
        assert!(why.contains("(InvoiceFunction): DB_USER holds"), "{bad:?}: {why}");
        assert!(why.contains("--exclude-function InvoiceFunction"), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_only_a_variable_names_needs_proof() {
    let mut world = newcomer();
    world.secrets.secrets.get_mut("my-cluster/app").unwrap().tags.clear();
    let why = refused(world.clone(), &wish("my-cluster")).await;
    for part in
        ["OrdersFunction names the secret", "in DB_SECRET_ARN", "--secret ", "--inspect-secret", "SecretUnproven"]
    {
        assert!(why.contains(part), "{part}: {why}");
    }
    // Each kind of proof is enough.
    let named = Spec { secrets: vec!["my-cluster/app".to_owned()], ..wish("my-cluster") };
    assert!(matches!(Bed::of(world.clone(), NEVER, false).up(&named).await, Fate::Done(_)));
    let inspected = Spec { inspect_secret: true, ..wish("my-cluster") };
    let value = |world: &mut World, more: &str| {
        let secret = world.secrets.secrets.get_mut("my-cluster/app").unwrap();
        secret.versions[0].text = Some(format!(r#"{{"username":"app","password":"x"{more}}}"#));
    };
    for (more, proves) in [
        ("", false),
        (r#","host":"other.example.com""#, false),
        (r#","host":"other.example.com","dbClusterIdentifier":"my-cluster""#, false),
        (r#","dbClusterIdentifier":"my-cluster""#, true),
        (r#","host":"my-cluster.cluster-c9akciq32abc.eu-central-1.rds.amazonaws.com""#, true),
    ] {
        value(&mut world, more);
        let bed = Bed::of(world.clone(), NEVER, false);
        let survey = Box::pin(bed.survey(&inspected)).await;
        assert_eq!(survey.is_ok(), proves, "{more}: {:?}", survey.err());
        assert!(bed.actions(0).iter().filter(|action| *action == "GetSecretValue").count() <= 1, "read twice");
    }
    // What the proxy uses already needs no further proof.
    let bed = Bed::of(world, NEVER, false);
    assert!(matches!(bed.up(&named).await, Fate::Done(_)));
    assert!(matches!(bed.up(&wish("my-cluster")).await, Fate::Done(_)));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_names_its_secret_and_no_user_gets_that_secret() {
    let mut world = newcomer();
    let arn = world.secrets.secrets["my-cluster/app"].arn.clone();
    let secret = world.secrets.secrets.get_mut("my-cluster/app").unwrap();
    secret.tags.insert("rdsproxy-setup:database".to_owned(), "my-instance".to_owned());
    for function in ["DBAppFunction", "InvoiceFunction"] {
        let variables = world.lambda.functions.get_mut(function).unwrap().latest.environment.as_mut().unwrap();
        variables.remove("DB_USER");
        variables.insert("DB_SECRET_ARN".to_owned(), arn.clone());
    }
    let bed = Bed::of(world, NEVER, false);
    let survey = Box::pin(bed.survey(&wish("my-instance"))).await.unwrap();
    assert_eq!(survey.secrets.names(), ["my-cluster/app"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_warns_of_the_login() {
    let warnings = async |spec: &Spec| {
        let bed = Bed::of(newcomer(), NEVER, false);
        Box::pin(bed.survey(spec)).await.unwrap().warnings.join("\n")
    };
    let told = warnings(&wish("my-instance")).await;
    assert!(told.contains("the master user's (admin)") && told.contains("--create-secret --db-user"), "{told}");
    let told = warnings(&wish("my-cluster")).await;
    assert!(!told.contains("master"), "{told}");
    let told = warnings(&Spec { client_auth: ClientAuth::Iam, ..wish("my-cluster") }).await;
    for part in
        ["OrdersFunction carries a password in DB_PASSWORD", "ReportsFunction carries a password in DATABASE_URL"]
    {
        assert!(
            told.contains(part) && told.contains("--client-auth iam configures the proxy to refuse passwords"),
            "{told}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn how_functions_log_in_is_never_guessed() {
    // IAM authentication of the database is off, and nothing else speaks for tokens.
    let mut world = newcomer();
    silence(&mut world);
    let bed = Bed::of(world.clone(), NEVER, false);
    let why = format!("{:?}", Box::pin(bed.survey(&wish("my-instance"))).await.unwrap_err());
    for part in [
        "nothing shows how DBAppFunction, InvoiceFunction log in",
        "Looked at for DBAppFunction",
        "its role may not connect",
        "IAM authentication of the database is off",
        "--client-auth password",
        "--client-auth iam",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert_eq!(bed.mutations(0), [""; 0]);
    assert_eq!(bed.actions(0).iter().filter(|action| *action == "SimulatePrincipalPolicy").count(), 2, "one a role");
    for auth in [ClientAuth::Iam, ClientAuth::Password] {
        let bed = Bed::of(world.clone(), NEVER, false);
        let asked = Spec { client_auth: auth, ..wish("my-instance") };
        assert!(matches!(bed.up(&asked).await, Fate::Done(_)), "{auth:?}");
        // The proxy remembers it, and takes no other way.
        let since = bed.logged();
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        assert_eq!(bed.mutations(since), [""; 0]);
    }
    // A role that may connect with tokens already is evidence.
    let mut world = newcomer();
    world.rds.instances.get_mut("my-instance").unwrap().iam_auth = false;
    let bed = Bed::of(world, NEVER, false);
    let survey = Box::pin(bed.survey(&wish("my-instance"))).await.unwrap();
    assert!(survey.login.iam && survey.login.why.contains("the role may connect"), "{}", survey.login.why);
    // So is the proxy that they use already.
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    bed.gate.account.with(silence);
    let since = bed.logged();
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    assert_eq!(bed.mutations(since), [""; 0]);
}

#[test]
fn a_question_of_the_login_has_its_exit_code() {
    let desk = Desk::new();
    desk.change(silence);
    let before = desk.dump();
    let shown = desk.run(&["up", "--db", "my-instance", "--yes"]);
    assert_eq!(shown.code, Some(4), "{shown}");
    for name in ["DBAppFunction", "InvoiceFunction"] {
        assert!(shown.stderr.contains(&format!("Looked at for {name}")), "{shown}");
    }
    assert_eq!(desk.dump(), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_never_widens() {
    let tag = |world: &mut World, key: &str, value: &str| {
        let proxy = world.rds.proxies.get_mut("my-instance-proxy").unwrap();
        proxy.tags.insert(format!("rdsproxy-setup:{key}"), value.to_owned());
    };
    // The functions log in as app; someone tags the proxy with the master user besides.
    let mut world = newcomer();
    for function in ["DBAppFunction", "InvoiceFunction"] {
        set(&mut world, function, "DB_USER", "app");
    }
    let asked = Spec { secrets: vec!["my-cluster/app".to_owned()], ..wish("my-instance") };
    for auth in [ClientAuth::Auto, ClientAuth::Password] {
        let bed = Bed::of(world.clone(), NEVER, false);
        assert!(matches!(bed.up(&Spec { client_auth: auth, ..asked.clone() }).await, Fate::Done(_)));
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        let before = bed.dump().await;
        for users in ["app admin", "admin", "*", "a/b"] {
            bed.gate.account.with(|world| tag(world, "db-users", users));
            let since = bed.logged();
            let fate = bed.up(&wish("my-instance")).await;
            assert!(matches!(&fate, Fate::Stopped(why) if why.contains("db-users")), "{users} {auth:?}: {fate:?}");
            assert_eq!(bed.mutations(since), [""; 0]);
        }
        assert_eq!(bed.dump().await["iam"], before["iam"]);
    }
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    bed.gate.account.with(|world| tag(world, "client-auth", "password"));
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why.contains("takes IAM tokens alone")), "{fate:?}");
}

#[tokio::test(start_paused = true)]
async fn clients_send_passwords_as_the_database_has_it_by_default() {
    let kind = async |engine: &str, version: &str, spec: &Spec| {
        let mut world = newcomer();
        let instance = world.rds.instances.get_mut("my-instance").unwrap();
        (instance.engine, instance.engine_version) = (engine.to_owned(), version.to_owned());
        let bed = Bed::of(world, NEVER, false);
        let fate = bed.up(spec).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        bed.dump().await["rds"]["proxies"]["my-instance-proxy"]["auth"][0]["client_password"].clone()
    };
    let by = |auth, asked| Spec { client_auth: auth, client_password_auth: asked, ..wish("my-instance") };
    let (password, native) = (by(ClientAuth::Password, None), "MYSQL_NATIVE_PASSWORD");
    assert_eq!(kind("mysql", "8.0.40", &password).await, native);
    assert_eq!(kind("mariadb", "10.11.8", &password).await, native);
    assert_eq!(kind("mysql", "8.4.3", &password).await, Value::Null);
    assert_eq!(kind("mysql", "8.0.40", &wish("my-instance")).await, Value::Null);
    let asked = by(ClientAuth::Password, Some(ClientPasswordAuth::MysqlCachingSha2Password));
    // What AWS would choose itself is stored as if nothing was said.
    assert_eq!(kind("mysql", "8.0.40", &asked).await, Value::Null);
}

/// MySQL 8.4 has `authentication_policy` (`*:caching_sha2_password` or `*:mysql_native_password` on Aurora,
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Upgrade-v3-v84-security.html>), and what comes
/// before it `default_authentication_plugin`
/// (<https://dev.mysql.com/doc/refman/8.0/en/server-system-variables.html#sysvar_default_authentication_plugin>).
#[tokio::test(start_paused = true)]
async fn clients_send_passwords_as_the_parameters_of_the_database_have_it() {
    let bed = |version: &str, (name, value): (&str, &str), status: &str| {
        let mut world = newcomer();
        world.rds.parameters.insert("own".to_owned(), [(name.to_owned(), value.to_owned())].into());
        let instance = world.rds.instances.get_mut("my-instance").unwrap();
        version.clone_into(&mut instance.engine_version);
        "own".clone_into(&mut instance.parameter_group);
        status.clone_into(&mut instance.parameter_status);
        Bed::of(world, NEVER, false)
    };
    let password = Spec { client_auth: ClientAuth::Password, ..wish("my-instance") };
    let kind = async |bed: &Bed| {
        let survey = bed.survey(&password).await.unwrap();
        let warned = survey.warnings.iter().any(|text| text.contains("--client-password-auth"));
        let since = bed.logged();
        let fate = bed.up(&password).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        let reads = bed.actions(since).into_iter().filter(|action| action == "DescribeDBParameters").count();
        let auth = bed.dump().await["rds"]["proxies"]["my-instance-proxy"]["auth"][0]["client_password"].clone();
        (auth.as_str().map(str::to_owned), warned, reads)
    };
    let (native, sha2) = (Some("MYSQL_NATIVE_PASSWORD".to_owned()), None);
    let policy = |value| ("authentication_policy", value);
    let plugin = |value| ("default_authentication_plugin", value);
    let synced = "in-sync";
    // The plan's other judges ask for the same parameters: nothing is read twice.
    assert_eq!(kind(&bed("8.4.3", policy("*:mysql_native_password,,"), synced)).await, (native.clone(), false, 1));
    assert_eq!(kind(&bed("8.4.3", policy("*:caching_sha2_password,,"), synced)).await, (sha2.clone(), false, 1));
    assert_eq!(kind(&bed("8.0.40", plugin("caching_sha2_password"), synced)).await, (sha2.clone(), false, 1));
    assert_eq!(kind(&bed("8.0.40", plugin("mysql_native_password"), synced)).await, (native.clone(), false, 1));
    assert_eq!(kind(&bed("8.0.40", ("time_zone", "UTC"), synced)).await, (native.clone(), false, 1));
    // What waits for a reboot is not in force.
    let waiting = bed("8.4.3", policy("*:mysql_native_password,,"), "pending-reboot");
    assert_eq!(kind(&waiting).await, (sha2.clone(), true, 1));
    // What is not read is not known, and no reason to refuse.
    let denied = bed("8.4.3", policy("*:mysql_native_password,,"), synced);
    let all = json!({"Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "rds:DescribeDBParameters", "Resource": "*"},
    ]});
    restrict(&denied, &[all]);
    assert_eq!(kind(&denied).await, (sha2, true, 1));

    // Where the answer changes nothing, nobody asks: log-in with tokens, an explicit flag, a proxy that has its
    // secrets.
    let reads = async |bed: &Bed, spec: &Spec| {
        let since = bed.logged();
        drop(bed.survey(spec).await.unwrap());
        bed.actions(since).into_iter().filter(|action| action == "DescribeDBParameters").count()
    };
    let there = bed("8.4.3", policy("*:mysql_native_password,,"), synced);
    assert_eq!(reads(&there, &wish("my-instance")).await, 0);
    let asked = Some(ClientPasswordAuth::MysqlNativePassword);
    assert_eq!(reads(&there, &Spec { client_password_auth: asked, ..password.clone() }).await, 0);
    assert!(matches!(there.up(&password).await, Fate::Done(_)));
    assert_eq!(reads(&there, &password).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_others_set_on_the_proxys_secrets_stays() {
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    bed.gate.account.with(|world| {
        let foreign = world.secrets.secrets["my-cluster/app"].arn.clone();
        let proxy = world.rds.proxies.get_mut("my-instance-proxy").unwrap();
        proxy.auth[0].description = Some("Of the shop".to_owned());
        proxy.auth[0].client_password = Some("MYSQL_NATIVE_PASSWORD".to_owned());
        let mut other = proxy.auth[0].clone();
        other.secret_arn = foreign;
        // Whoever uses it logs in with a password, while our functions use tokens.
        other.iam_auth = "DISABLED".to_owned();
        other.description = Some("Of the reports".to_owned());
        proxy.auth.push(other);
    });
    let auth = async || {
        let mut auth = bed.dump().await["rds"]["proxies"]["my-instance-proxy"]["auth"].as_array().unwrap().clone();
        auth.sort_by_key(|one| one["secret_arn"].to_string());
        auth
    };
    let before = auth().await;
    // A change to our own entry writes the whole list.
    bed.gate.account.with(|world| {
        world.rds.proxies.get_mut("my-instance-proxy").unwrap().auth[0].iam_auth = "DISABLED".to_owned();
    });
    let since = bed.logged();
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    assert!(bed.mutations(since).contains(&"ModifyDBProxy".to_owned()));
    assert_eq!(auth().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_secondary_cluster_of_a_global_database_is_sent_to_its_primary() {
    let mut world = newcomer();
    let source = "arn:aws:rds:us-east-1:123456789012:cluster:main";
    world.rds.clusters.get_mut("my-cluster").unwrap().replica_of = Some(source.to_owned());
    let why = refused(world, &wish("my-cluster")).await;
    assert!(why.contains("--region us-east-1 --db main") && why.contains("for reads"), "{why}");
}

fn creating(users: &[&str]) -> Spec {
    let mut spec = wish("my-cluster");
    spec.db_users = users.iter().map(|user| (*user).to_owned()).collect();
    spec.create_secret = Some(CreateSecret { users: spec.db_users.clone(), kms_key: None, generate: true });
    spec
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn secrets_are_made_once_and_go_with_a_recovery_window() {
    let spec = creating(&["app", "odd user$"]);
    let want = lawful(&newcomer, &spec).await;
    let secret = &want["secrets"]["secrets"]["rdsproxy-setup/my-cluster-proxy/app"];
    assert_eq!(secret["tags"]["rdsproxy-setup:stack"], "my-cluster-proxy");
    assert_eq!(secret["tags"]["rdsproxy-setup:user"], "app");
    assert_eq!(want["rds"]["proxies"]["my-cluster-proxy"]["auth"].as_array().map(Vec::len), Some(2));
    // A later run without the flag keeps the proxy's secrets.
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    let since = bed.logged();
    assert!(matches!(bed.up(&wish("my-cluster")).await, Fate::Done(_)));
    assert!(!bed.mutations(since).iter().any(|action| action.contains("DBProxy") || action.contains("Secret")));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_going_is_taken_back_with_its_password() {
    let spec = creating(&["app"]);
    let bed = Bed::of(newcomer(), NEVER, false);
    let value = || {
        bed.gate.account.with(|world| {
            let secret = &world.secrets.secrets["rdsproxy-setup/my-cluster-proxy/app"];
            (secret.versions[0].text.clone().unwrap(), secret.deletion.is_some())
        })
    };
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    let (password, _) = value();
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    assert!(value().1, "it is scheduled for deletion");
    let fate = bed.up(&spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    assert_eq!(value(), (password, false));
    assert!(bed.actions(0).iter().any(|action| action == "RestoreSecret"));
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_our_name_that_is_not_ours_is_left_alone() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let spec = creating(&["app"]);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    let mut world = newcomer();
    let mut taken = bed.settled().await.secrets.secrets["rdsproxy-setup/my-cluster-proxy/app"].clone();
    taken.tags.clear();
    world.secrets.secrets.insert(taken.name.clone(), taken);
    let why = refused(world, &spec).await;
    assert!(why.contains("ownership tag") && why.contains("--secret"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_password_appears_nowhere_but_in_the_secret() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let spec = creating(&["app"]);
    let mut survey = Box::pin(bed.survey(&spec)).await.unwrap();
    survey.passwords.insert("app".to_owned(), Password::new("s3cr3t-from-stdin".to_owned()));
    let shown = format!("{survey:?}{:?}", survey.entries());
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert!(matches!(bed.converge(&survey).await, Fate::Done(_)));
    assert!(!bed.dump().await.to_string().contains("s3cr3t"));
    let made = bed
        .gate
        .account
        .with(|world| world.secrets.secrets["rdsproxy-setup/my-cluster-proxy/app"].versions[0].text.clone().unwrap());
    assert_eq!(made, r#"{"password":"s3cr3t-from-stdin","username":"app"}"#);
}

#[tokio::test(start_paused = true)]
async fn a_generated_password_has_only_what_every_database_takes() {
    let bed = Bed::of(newcomer(), NEVER, false);
    for _ in 0..20 {
        let value = bed.cloud.secrets.random_password().await.unwrap().secret_of("app");
        let value: Value = serde_json::from_str(&value).unwrap();
        let password = value["password"].as_str().unwrap();
        assert_eq!(password.len(), 32);
        assert!(password.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)), "{password}");
        assert!(password.contains(['-', '.', '_']), "MySQL's validate_password may ask for one: {password}");
    }
}

/// Puts a customer key there, by alias, with this policy or the usual one.
pub(crate) fn customer_key(world: &mut World, policy: Option<Value>) -> String {
    let mut key = world.kms.keys.values().next().unwrap().clone();
    "11111111-2222-4333-8444-555555555555".clone_into(&mut key.id);
    key.arn = format!("arn:aws:kms:{}:{}:key/{}", world.region, world.account, key.id);
    key.aws_managed = false;
    let root = format!("arn:aws:iam::{}:root", world.account);
    let open =
        json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}]});
    key.policy = policy.unwrap_or(open);
    let arn = key.arn.clone();
    world.kms.aliases.insert("alias/shop".to_owned(), key.id.clone());
    world.kms.keys.insert(key.id.clone(), key);
    arn
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_customer_key_is_named_by_arn_in_the_role() {
    let world = || {
        let mut world = newcomer();
        customer_key(&mut world, None);
        let secret = world.secrets.secrets.get_mut("my-cluster/app").unwrap();
        secret.kms_key = Some("alias/shop".to_owned());
        world
    };
    let arn = customer_key(&mut newcomer(), None);
    let want = lawful(&world, &wish("my-cluster")).await;
    let role = want["iam"]["roles"]["my-cluster-proxy-eu-central-1"].to_string();
    assert!(role.contains(&arn) && role.contains("kms:ViaService") && !role.contains("alias/shop"), "{role}");
    let mut spec = creating(&["app"]);
    spec.create_secret.as_mut().unwrap().kms_key = Some("alias/shop".to_owned());
    let want = lawful(&world, &spec).await;
    assert_eq!(want["secrets"]["secrets"]["rdsproxy-setup/my-cluster-proxy/app"]["kms_key"], arn.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_keeps_the_role_out_is_told_with_the_statement_to_add() {
    let mut world = newcomer();
    let policy = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/admin"},
        "Action": "kms:*", "Resource": "*"}]});
    let arn = customer_key(&mut world, Some(policy));
    world.secrets.secrets.get_mut("my-cluster/app").unwrap().kms_key = Some(arn.clone());
    let bed = Bed::of(world, NEVER, false);
    let survey = Box::pin(bed.survey(&wish("my-cluster"))).await.unwrap();
    let warning = survey.database.warnings.iter().find(|warning| warning.contains(&arn)).unwrap();
    let statement = warning.find('{').map(|at| &warning[at..]).unwrap();
    let statement: Value = serde_json::from_str(statement).unwrap();
    // With exactly that statement added, the target becomes available.
    bed.gate.account.with(|world| {
        let key = world.kms.keys.values_mut().find(|key| key.arn == arn).unwrap();
        key.policy["Statement"].as_array_mut().unwrap().push(statement);
    });
    assert!(matches!(bed.up(&wish("my-cluster")).await, Fate::Done(_)));
    let survey = Box::pin(bed.survey(&wish("my-cluster"))).await.unwrap();
    assert!(!survey.database.warnings.iter().any(|warning| warning.contains(&arn)));
}

#[tokio::test(start_paused = true)]
async fn what_a_secret_shows_of_trouble_to_come_is_told() {
    let mut world = newcomer();
    let secret = world.secrets.secrets.get_mut("my-cluster/app").unwrap();
    secret.rotation = true;
    secret.rotated_by = Some("arn:aws:lambda:eu-central-1:123456789012:function:RotateMultiUser".to_owned());
    secret.versions[0].text = Some(r#"{"username":"app","password":"x","host":"my-cluster"}"#.to_owned());
    let bed = Bed::of(world, NEVER, false);
    let mut spec = wish("my-cluster");
    spec.inspect_secret = true;
    let warnings = Box::pin(bed.survey(&spec)).await.unwrap().database.warnings.join("\n");
    assert!(warnings.contains("RotateMultiUser") && warnings.contains("holds a host"), "{warnings}");
    assert_eq!(bed.mutations(0), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_asked_for_is_remembered_and_can_be_asked_for_anew() {
    // Nothing but the flags tells as whom and how the functions log in.
    let mut world = newcomer();
    for function in world.lambda.functions.values_mut() {
        if let Some(variables) = function.latest.environment.as_mut() {
            variables.remove("DB_USER");
        }
    }
    let before = without_going(Bed::of(world.clone(), NEVER, false).dump().await);
    let bed = Bed::of(world, NEVER, false);
    let asked = |auth, users: &[&str]| Spec {
        client_auth: auth,
        db_users: users.iter().map(|&user| user.to_owned()).collect(),
        ..wish("my-instance")
    };
    for (auth, iam) in [(ClientAuth::Iam, true), (ClientAuth::Password, false)] {
        let fate = bed.up(&asked(auth, &["admin"])).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        let survey = Box::pin(bed.survey(&wish("my-instance"))).await.unwrap();
        assert_eq!((survey.login.iam, survey.login.users.as_slice()), (iam, &["admin".to_owned()][..]));
        for entry in survey.entries() {
            assert!(matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_)), "{auth:?}: {entry:?}");
        }
        let since = bed.logged();
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        assert_eq!(bed.mutations(since), [""; 0], "{auth:?}");
    }
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert_eq!(without_going(bed.dump().await), before);
}
