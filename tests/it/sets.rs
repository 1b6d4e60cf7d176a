//! Functions with other database users have another connect policy, and no role gets more than its functions use.

use std::collections::BTreeMap;

use rdsproxy_setup::names::{Names, digest};
use rdsproxy_setup::spec::Spec;
use rdsproxy_setup::templates;
use sandbox::World;
use serde_json::Value;

use crate::access::lawful;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const INSTANCE: &str = "my-instance";
const ROLES: [&str; 2] = ["DBAppFunctionRole", "InvoiceFunctionRole"];
const PATH: &str = "/rdsproxy-setup/eu-central-1/my-instance-proxy/";
const MAIN: &str = "arn:aws:iam::123456789012:policy/rdsproxy-setup/eu-central-1/my-instance-proxy/my-instance-proxy-eu-central-1-connect";

fn set_user(world: &mut World, function: &str, user: &str) {
    let function = world.lambda.functions.get_mut(function).unwrap();
    function.latest.environment.get_or_insert_default().insert("DB_USER".to_owned(), user.to_owned());
}

/// The sample account, whose functions log in as different users.
fn two_users() -> World {
    let mut world = newcomer();
    set_user(&mut world, "InvoiceFunction", "app");
    world
}

fn spec() -> Spec {
    let master = newcomer().rds.instances[INSTANCE].master_secret.clone().unwrap();
    Spec { secrets: vec![master, "my-cluster/app".to_owned()], ..wish(INSTANCE) }
}

fn users_of(document: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(document).unwrap();
    let resources =
        document["Statement"].as_array().unwrap().iter().flat_map(|one| one["Resource"].as_array().unwrap());
    resources.map(|arn| arn.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

/// The document in force of a policy.
fn document(world: &World, arn: &str) -> String {
    let policy = &world.iam.policies[arn];
    policy.versions.iter().find(|version| version.number == policy.default).unwrap().document.clone()
}

/// The users that each function's role may log in as through the proxy.
fn rights(world: &World) -> BTreeMap<String, Vec<String>> {
    let of = |role: &str| {
        let attached = world.iam.roles[role].attached.iter().filter(|arn| arn.contains(PATH));
        let mut users: Vec<String> = attached.flat_map(|arn| users_of(&document(world, arn))).collect();
        users.sort();
        (role.to_owned(), users)
    };
    ROLES.map(of).into()
}

/// How many connect policies the stack has.
fn policies(world: &World) -> usize {
    world.iam.policies.values().filter(|policy| policy.path == PATH).count()
}

fn each(app: &[&str], invoice: &[&str]) -> BTreeMap<String, Vec<String>> {
    let of = |users: &[&str]| users.iter().map(|&user| user.to_owned()).collect();
    [(ROLES[0].to_owned(), of(app)), (ROLES[1].to_owned(), of(invoice))].into()
}

async fn done(bed: &Bed, spec: &Spec) {
    let fate = bed.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

/// The account as an earlier version left it: one policy with all users, on all roles.
async fn one_for_all() -> World {
    let bed = Bed::of(two_users(), NEVER, false);
    done(&bed, &spec()).await;
    let id = bed.settled().await.rds.proxies["my-instance-proxy"].id.clone();
    let users = ["admin".to_owned(), "app".to_owned()];
    let union = templates::connect("aws", "eu-central-1", "123456789012", &id, &users);
    let iam = &bed.cloud.iam;
    let version = iam.add_policy_version(MAIN, &union).await.unwrap();
    let mark = format!("{version}:{}", digest(&union.to_string()));
    iam.tag_policy(MAIN, &[("rdsproxy-setup:document".to_owned(), mark)].into()).await.unwrap();
    for arn in iam.policies_under(PATH).await.unwrap() {
        for role in ROLES {
            if arn == MAIN { iam.attach(role, &arn).await.unwrap() } else { iam.detach(role, &arn).await.unwrap() }
        }
        if arn != MAIN {
            iam.delete_policy(&arn).await.unwrap();
        }
    }
    let mut world = bed.settled().await;
    world.iam.policies.get_mut(MAIN).unwrap().tags.remove("rdsproxy-setup:further");
    assert_eq!((policies(&world), rights(&world)), (1, each(&["admin", "app"], &["admin", "app"])));
    world
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn each_role_gets_the_users_of_its_functions() {
    lawful(&two_users, &spec()).await;
}

#[tokio::test(start_paused = true)]
async fn a_set_of_users_has_a_policy_of_its_own() {
    let bed = Bed::of(two_users(), NEVER, false);
    done(&bed, &spec()).await;
    let world = bed.settled().await;
    assert_eq!((policies(&world), rights(&world)), (2, each(&["admin"], &["app"])));
    // The names tell which is which.
    let names = Names::new("my-instance-proxy", "eu-central-1");
    let further = names.further_policy_arn("aws", "123456789012", &["app".to_owned()]);
    assert_eq!(users_of(&document(&world, &further)), ["app"]);
    bed.in_place(&spec()).await;
    // A function that logs in as another user later takes its role with it.
    bed.gate.account.with(|world| set_user(world, "InvoiceFunction", "admin"));
    done(&bed, &spec()).await;
    let world = bed.settled().await;
    assert_eq!((policies(&world), rights(&world)), (1, each(&["admin"], &["admin"])));
    bed.in_place(&spec()).await;
    bed.gate.account.with(|world| set_user(world, "DBAppFunction", "app"));
    done(&bed, &spec()).await;
    let world = bed.settled().await;
    assert_eq!((policies(&world), rights(&world)), (2, each(&["app"], &["admin"])));
    bed.in_place(&spec()).await;
    assert!(matches!(bed.down(&spec()).await, Fate::Done(())));
    assert_eq!(policies(&bed.settled().await), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shared_role_gets_the_users_of_all_its_functions() {
    let mut world = two_users();
    let role = world.lambda.functions["DBAppFunction"].latest.role.clone();
    world.lambda.functions.get_mut("InvoiceFunction").unwrap().latest.role = role;
    let bed = Bed::of(world, NEVER, false);
    done(&bed, &spec()).await;
    let world = bed.settled().await;
    assert_eq!((policies(&world), rights(&world)), (1, each(&["admin", "app"], &[])));
}

#[tokio::test(start_paused = true)]
async fn a_user_of_a_flag_that_no_variable_names_is_everyones() {
    let bed = Bed::of(two_users(), NEVER, false);
    // Flags that repeat what variables name add nothing.
    let named = Spec { db_users: vec!["admin".to_owned(), "app".to_owned()], ..spec() };
    done(&bed, &named).await;
    assert_eq!(rights(&bed.settled().await), each(&["admin"], &["app"]));
    bed.in_place(&spec()).await;
    let mut world = two_users();
    world.lambda.functions.get_mut("InvoiceFunction").unwrap().latest.environment.as_mut().unwrap().remove("DB_USER");
    let bed = Bed::of(world, NEVER, false);
    done(&bed, &Spec { db_users: vec!["app".to_owned()], ..spec() }).await;
    assert_eq!(rights(&bed.settled().await), each(&["admin", "app"], &["app"]));
    bed.in_place(&spec()).await;
}

#[tokio::test(start_paused = true)]
async fn an_excluded_function_keeps_its_right() {
    let bed = Bed::of(two_users(), NEVER, false);
    done(&bed, &spec()).await;
    let before = rights(&bed.settled().await);
    for excluded in ["InvoiceFunction", "DBAppFunction"] {
        let less = Spec { excluded_functions: vec![excluded.to_owned()], all_functions: true, ..spec() };
        done(&bed, &less).await;
        assert_eq!(rights(&bed.settled().await), before, "{excluded}");
    }
    // The same where one policy is for all: it keeps its users for as long as the excluded function's role carries it.
    for (excluded, left) in
        [("InvoiceFunction", each(&["admin"], &["admin", "app"])), ("DBAppFunction", each(&["admin", "app"], &["app"]))]
    {
        let bed = Bed::of(one_for_all().await, NEVER, false);
        let less = Spec { excluded_functions: vec![excluded.to_owned()], ..spec() };
        done(&bed, &less).await;
        let world = bed.settled().await;
        assert_eq!((policies(&world), rights(&world)), (2, left), "{excluded}");
        bed.in_place(&less).await;
        // Once it is chosen again, nobody needs the policy for all.
        done(&bed, &Spec { all_functions: true, ..spec() }).await;
        let world = bed.settled().await;
        assert_eq!((policies(&world), rights(&world)), (2, each(&["admin"], &["app"])), "{excluded}");
        bed.in_place(&spec()).await;
        assert!(matches!(bed.down(&spec()).await, Fate::Done(())));
        assert_eq!(policies(&bed.settled().await), 0);
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn one_policy_for_all_is_divided_without_a_moment_in_which_a_right_is_missing() {
    let clean = Bed::of(one_for_all().await, NEVER, false);
    done(&clean, &spec()).await;
    let (calls, want) = (clean.calls(), clean.settled().await);
    assert_eq!((policies(&want), rights(&want)), (2, each(&["admin"], &["app"])));
    clean.in_place(&spec()).await;
    // What a version holds is marked for speed alone.
    let unmarked = |dump: Value| {
        let mut iam = dump["iam"].clone();
        for policy in iam["policies"].as_object_mut().unwrap().values_mut() {
            policy["tags"].as_object_mut().unwrap().remove("rdsproxy-setup:document");
        }
        iam
    };
    let want = unmarked(clean.dump().await);
    for (kill_at, after) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
        let case = format!("killed at call {kill_at} (after: {after})");
        for resume in [true, false] {
            let bed = Bed::of(one_for_all().await, kill_at, after);
            assert!(matches!(bed.up(&spec()).await, Fate::Killed), "{case}");
            let now = rights(&bed.gate.account.with(|world| world.clone()));
            assert!(
                now[ROLES[0]].contains(&"admin".to_owned()) && now[ROLES[1]].contains(&"app".to_owned()),
                "{case}: {now:?}"
            );
            bed.disarm();
            if resume {
                done(&bed, &spec()).await;
                assert_eq!(unmarked(bed.dump().await), want, "{case}");
            } else {
                assert!(matches!(bed.down(&spec()).await, Fate::Done(())), "{case}");
                assert_eq!(policies(&bed.settled().await), 0, "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_attached_or_put_beside_ours_stays() {
    let bed = Bed::of(two_users(), NEVER, false);
    done(&bed, &spec()).await;
    let names = Names::new("my-instance-proxy", "eu-central-1");
    let further = names.further_policy_arn("aws", "123456789012", &["app".to_owned()]);
    // Another role carries one of ours by hand, and a policy without our tag stands under our path.
    bed.cloud.iam.attach("OrdersFunctionRole", &further).await.unwrap();
    let document = templates::connect("aws", "eu-central-1", "123456789012", "prx-1", &["x".to_owned()]);
    let foreign = bed.cloud.iam.create_policy("someone", PATH, &document, &BTreeMap::new()).await.unwrap();
    bed.gate.account.with(|world| set_user(world, "InvoiceFunction", "admin"));
    done(&bed, &spec()).await;
    let world = bed.settled().await;
    assert_eq!(rights(&world), each(&["admin"], &["admin"]));
    assert!(world.iam.roles["OrdersFunctionRole"].attached.contains(&further));
    assert!(world.iam.policies.contains_key(&foreign.arn));
    bed.in_place(&spec()).await;
    assert!(matches!(bed.down(&spec()).await, Fate::Done(())));
    let world = bed.settled().await;
    assert!(world.iam.policies.contains_key(&foreign.arn) && !world.iam.policies.contains_key(&further));
}
