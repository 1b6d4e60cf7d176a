//! No run grants any database user at all, unless `--db-user '*'` asks for it by name.

use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::{ClientAuth, CreateSecret, DatabaseAuth, Spec};
use sandbox::World;
use serde_json::Value;

use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const INSTANCE: &str = "my-instance";
const POLICY: &str = "my-instance-proxy-eu-central-1-connect";
const FUNCTIONS: [&str; 2] = ["DBAppFunction", "InvoiceFunction"];

fn tokens() -> Spec {
    Spec { client_auth: ClientAuth::Iam, ..wish(INSTANCE) }
}

fn without_functions() -> Spec {
    Spec { excluded_functions: FUNCTIONS.map(str::to_owned).to_vec(), ..tokens() }
}

fn end_to_end(spec: Spec) -> Spec {
    Spec { database_auth: Some(DatabaseAuth::Iam), ..spec }
}

fn with_users(spec: Spec, users: &[&str]) -> Spec {
    Spec { db_users: users.iter().map(|&user| user.to_owned()).collect(), ..spec }
}

/// The sample account, whose functions name no database user.
fn silent() -> World {
    let mut world = newcomer();
    for function in FUNCTIONS {
        world.lambda.functions.get_mut(function).unwrap().latest.environment.as_mut().unwrap().remove("DB_USER");
    }
    world
}

async fn done(bed: &Bed, spec: &Spec) {
    let fate = bed.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

async fn refused(bed: &Bed, spec: &Spec) -> String {
    format!("{:?}", Box::pin(bed.survey(spec)).await.unwrap_err())
}

/// The connect policy in force.
async fn policy(bed: &Bed) -> Option<Value> {
    let policies = bed.dump().await["iam"]["policies"].clone();
    policies.as_object().unwrap().values().find(|policy| policy["name"] == POLICY).cloned()
}

/// The users that the policies and the roles of this tool grant.
async fn granted(bed: &Bed) -> Vec<String> {
    let world = bed.settled().await;
    let policies = world.iam.policies.values().filter(|policy| policy.path.starts_with("/rdsproxy-setup/"));
    let in_force = policies.filter_map(|policy| {
        let dump = serde_json::to_value(policy).unwrap();
        let versions = dump["versions"].as_array().unwrap().clone();
        versions.into_iter().find(|version| version["number"] == policy.default)
    });
    // Of a role's inline policies, what each is now.
    let dump = world.dump();
    let roles = world.iam.roles.values().filter(|role| role.path.starts_with("/rdsproxy-setup/"));
    let inline = roles.map(|role| dump["iam"]["roles"][&role.name]["inline"].to_string());
    let all: Vec<String> = in_force.map(|version| version.to_string()).chain(inline).collect();
    let users = all.iter().flat_map(|text| text.split(":dbuser:").skip(1));
    let users = users.filter_map(|rest| rest.split(['"', '\\']).next().and_then(|arn| arn.split_once('/')));
    let mut users: Vec<String> = users.map(|(_, user)| user.to_owned()).collect();
    users.sort();
    users.dedup();
    users
}

#[tokio::test(start_paused = true)]
async fn where_every_function_is_excluded_nobody_is_granted() {
    let bed = Bed::of(newcomer(), NEVER, false);
    done(&bed, &without_functions()).await;
    assert_eq!(granted(&bed).await, [""; 0]);
    assert!(policy(&bed).await.is_none());
    bed.in_place(&without_functions()).await;
    // The same where none was there to begin with.
    let mut world = newcomer();
    world.lambda.functions.retain(|name, _| !FUNCTIONS.contains(&name.as_str()));
    let bed = Bed::of(world, NEVER, false);
    done(&bed, &wish(INSTANCE)).await;
    assert_eq!(granted(&bed).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn where_every_function_is_excluded_later_the_policy_stays_as_it_is() {
    let bed = Bed::of(newcomer(), NEVER, false);
    done(&bed, &tokens()).await;
    let before = policy(&bed).await.unwrap();
    let since = bed.logged();
    let survey = Box::pin(bed.survey(&without_functions())).await.unwrap();
    let row = &survey.entries()[5];
    assert!(matches!(&row.verdict, Verdict::NotNeeded(why) if why.contains("stays as it is")), "{row:?}");
    done(&bed, &without_functions()).await;
    assert_eq!(policy(&bed).await.unwrap(), before);
    assert!(!bed.mutations(since).iter().any(|action| action.contains("Policy")), "{:?}", bed.mutations(since));
    // What a flag asks for is added, and nothing is lost.
    let users = vec!["reports".to_owned()];
    let create_secret = Some(CreateSecret { users, kms_key: None, generate: true });
    let further = Spec { create_secret, ..with_users(without_functions(), &["reports"]) };
    done(&bed, &further).await;
    assert_eq!(granted(&bed).await, ["admin", "reports"]);
    bed.in_place(&further).await;
    assert!(matches!(bed.down(&tokens()).await, Fate::Done(())));
    assert_eq!(granted(&bed).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_flag_names_whom_the_policy_is_for_where_no_function_is_left() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let spec = with_users(without_functions(), &["admin"]);
    done(&bed, &spec).await;
    assert_eq!(granted(&bed).await, ["admin"]);
    bed.in_place(&spec).await;
}

#[tokio::test(start_paused = true)]
async fn functions_that_name_no_user_get_the_user_of_the_only_secret() {
    let bed = Bed::of(silent(), NEVER, false);
    done(&bed, &tokens()).await;
    assert_eq!(granted(&bed).await, ["admin"]);
    bed.in_place(&tokens()).await;
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_named_the_run_stops_and_names_the_flag() {
    let master = newcomer().rds.instances[INSTANCE].master_secret.clone().unwrap();
    let two = Spec { secrets: vec![master, "my-cluster/app".to_owned()], ..tokens() };
    let bed = Bed::of(silent(), NEVER, false);
    let why = refused(&bed, &two).await;
    for part in ["DBAppFunction, InvoiceFunction log in", "--db-user NAME", "--exclude-function InvoiceFunction"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    done(&bed, &with_users(two, &["admin", "app"])).await;
    assert_eq!(granted(&bed).await, ["admin", "app"]);
    // A proxy that logs in with IAM itself has no secret that could name a user.
    let bed = Bed::of(silent(), NEVER, false);
    let why = refused(&bed, &end_to_end(tokens())).await;
    assert!(why.contains("--db-user NAME"), "{why}");
    let why = refused(&bed, &end_to_end(without_functions())).await;
    assert!(why.contains("no function uses the database") && why.contains("--db-user NAME"), "{why}");
    done(&bed, &with_users(end_to_end(without_functions()), &["app"])).await;
    assert_eq!(granted(&bed).await, ["app"]);
    // The program says so with exit code 4.
    let desk = Desk::new();
    desk.change(|world| *world = silent());
    let shown = desk.run(&["up", "--db", INSTANCE, "--client-auth", "iam", "--secret", "my-cluster/app", "--yes"]);
    assert_eq!(shown.code, Some(4), "{}", shown.stderr);
    assert!(shown.stderr.contains("--db-user NAME") && shown.stderr.contains("--inspect-secret"), "{}", shown.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_logs_in_with_iam_keeps_its_users_where_no_function_is_left() {
    let bed = Bed::of(newcomer(), NEVER, false);
    done(&bed, &end_to_end(tokens())).await;
    let before = bed.dump().await["iam"].clone();
    done(&bed, &end_to_end(without_functions())).await;
    assert_eq!(bed.dump().await["iam"], before);
    bed.in_place(&end_to_end(without_functions())).await;
}

#[tokio::test(start_paused = true)]
async fn a_tag_on_the_only_secret_names_nobody() {
    for user in ["admin", "*", "app"] {
        let mut world = silent();
        world
            .secrets
            .secrets
            .get_mut("my-cluster/app")
            .unwrap()
            .tags
            .insert("rdsproxy-setup:user".to_owned(), user.into());
        let spec = Spec { secrets: vec!["my-cluster/app".to_owned()], ..tokens() };
        let bed = Bed::of(world, NEVER, false);
        let why = refused(&bed, &spec).await;
        assert!(why.contains("--db-user NAME") && why.contains("--inspect-secret"), "{user}: {why}");
        // What the secret itself holds is believed.
        done(&bed, &Spec { inspect_secret: true, ..spec }).await;
        assert_eq!(granted(&bed).await, ["app"]);
    }
}

#[tokio::test(start_paused = true)]
async fn any_user_is_granted_only_where_a_flag_asks_for_it_by_name() {
    for spec in [tokens(), without_functions(), end_to_end(tokens())] {
        let bed = Bed::of(newcomer(), NEVER, false);
        let any = Spec { any_user: true, ..spec.clone() };
        let survey = Box::pin(bed.survey(&any)).await.unwrap();
        assert!(survey.warnings.iter().any(|text| text.contains("--db-user '*'")), "{:?}", survey.warnings);
        done(&bed, &any).await;
        assert!(granted(&bed).await.iter().all(|user| user == "*") && !granted(&bed).await.is_empty());
        bed.in_place(&any).await;
        if !spec.excluded_functions.is_empty() {
            continue;
        }
        // It is not remembered: the next run names users again.
        done(&bed, &spec).await;
        assert!(granted(&bed).await.iter().all(|user| user == "admin"), "{:?}", granted(&bed).await);
    }
}

#[test]
fn any_user_is_written_alone() {
    let desk = Desk::new();
    for more in [&["--db-user", "app"][..], &["--create-secret", "--generate-password"]] {
        let shown = desk.run(&[&["up", "--db", INSTANCE, "--dry-run", "--db-user", "*"], more].concat());
        assert_eq!(shown.code, Some(64), "{}", shown.stderr);
        assert!(shown.stderr.contains("--db-user"), "{}", shown.stderr);
    }
    let shown = desk.run(&["up", "--db", INSTANCE, "--dry-run", "--db-user", "app*"]);
    assert_eq!(shown.code, Some(64), "{}", shown.stderr);
}

#[test]
fn permissions_prints_no_right_to_log_in_as_any_user() {
    let desk = Desk::new();
    let printed = desk.output(&["permissions"]);
    assert!(!printed.contains(":dbuser:") && !printed.contains("rds-db:"), "{printed}");
    let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf";
    let all =
        ["permissions", "--for", "administrator", "--db", INSTANCE, "--account", "123456789012", "--secret", secret];
    let all = [&all[..], &["--region", "eu-central-1", "--as", "cloudformation"]].concat();
    assert!(!desk.output(&all).contains(":dbuser:"));
    let named = desk.output(&[&all[..], &["--db-user", "app"]].concat());
    assert!(named.contains(":dbuser:prx-*/app") && !named.contains("/*\""), "{named}");
    // It would hold at every proxy of the account, for as long as the administrator's policy lasts.
    let shown = desk.run(&[&all[..], &["--db-user", "*"]].concat());
    assert!(shown.code == Some(64) && shown.stdout.is_empty(), "{}", shown.stderr);
}
