//! What the product derives from a database's name, it derives from its pseudonym.

use proptest::prelude::*;
use sandbox::World;
use serde_json::Value;

use super::accounts::with_stack;
use super::names::{self, Names};
use crate::pseudonymized;

fn holds(database: &str) {
    let world = pseudonymized(&with_stack(database));
    let target = world.rds.proxies.values().next().unwrap().target_group.target.clone().unwrap();
    assert!(world.rds.instances.contains_key(&target.id), "{database}");
    // Single letters and short numbers say nothing.
    let says_nothing = |word: &str| word.len() < 2 || word.chars().all(|c| c.is_ascii_digit()) || word == "default";
    assert!(database.split('-').all(says_nothing) || target.id != database, "{database}");
    is_whole(&world, &target.id);
}

fn is_whole(world: &World, database: &str) {
    let stack = names::stack_of(database);
    let own = Names::new(&stack, &world.region);
    let proxy = &world.rds.proxies[&stack];
    assert!(
        proxy.endpoint.starts_with(&format!("{stack}.proxy-"))
            && proxy.endpoint.ends_with(".eu-central-1.rds.amazonaws.com")
    );
    assert_eq!(proxy.role_arn, own.role_arn(&world.partition, &world.account));
    assert_eq!(proxy.tags["rdsproxy-setup:stack"], stack);
    assert_eq!(proxy.tags["rdsproxy-setup:database"], database);
    let host = &world.rds.instances[database].endpoint;
    assert_eq!(proxy.tags["rdsproxy-setup:writer"], format!("{host}:3306"));
    assert_eq!(proxy.tags["rdsproxy-setup:canary"], "since=1767225600123 before=5");
    assert_eq!(proxy.tags["rdsproxy-setup:client-auth"], "iam");
    assert!(host.starts_with(&format!("{database}.")));
    let functions: Vec<&str> = proxy.tags["rdsproxy-setup:functions"].split(' ').collect();
    assert!(functions.iter().all(|name| world.lambda.functions.contains_key(*name)), "{functions:?}");
    assert!(world.rds.endpoints[&own.reader].endpoint.starts_with(&format!("{}.endpoint.proxy-", own.reader)));
    assert_eq!(world.rds.endpoints[&own.reader].role, "READ_ONLY");
    let group = world.ec2.groups.values().find(|group| group.tags.get("rdsproxy-setup:stack") == Some(&stack)).unwrap();
    assert_eq!((&group.name, &group.description), (&own.group, &own.group_description()));
    let rule = group.rules.values().next().unwrap();
    assert_eq!(rule.description.as_deref(), Some(names::rule_description(&stack).as_str()));
    assert!(world.logs.groups.contains_key(&format!("/aws/rds/proxy/{stack}")));
    let secret = world.secrets.secrets.values().find(|secret| secret.tags.contains_key("rdsproxy-setup:user")).unwrap();
    assert_eq!(secret.name, names::secret_of(&stack, &secret.tags["rdsproxy-setup:user"]));
    assert_eq!(secret.versions[0].id, names::secret_token(&secret.name));
    let policy = world.iam.policies.values().find(|policy| policy.path == own.path).unwrap();
    let document: Value = serde_json::from_str(&policy.versions[0].document).unwrap();
    assert_eq!(policy.tags["rdsproxy-setup:document"], format!("v1:{}", names::digest(&document.to_string())));
    let users: Vec<String> = (document["Statement"][0]["Resource"].as_array().unwrap().iter())
        .map(|resource| resource.as_str().unwrap().rsplit_once('/').unwrap().1.to_owned())
        .collect();
    assert_eq!(policy.arn, own.further_policy_arn(&world.partition, &world.account, &users));
    let version = &world.lambda.functions.values().find_map(|function| function.versions.get(&1)).unwrap().description;
    let alias = version.strip_prefix(&format!("{}: ", own.version_mark())).unwrap().strip_suffix(" was 1").unwrap();
    assert!(world.lambda.functions.values().any(|function| function.aliases.contains_key(alias)));
    let alarm = format!("{}pool", observe::alarms::prefix(&stack));
    assert!(world.monitoring.alarms.contains_key(&alarm));
    let alarms = [format!("arn:aws:cloudwatch:eu-central-1:{}:alarm:{alarm}", world.account)];
    let body = &world.monitoring.dashboards[&observe::dashboard::name(&stack, &world.region)].body;
    let wanted = observe::dashboard::body(&stack, &world.region, Some("READWRITE"), &alarms);
    let shared = body.bytes().zip(wanted.bytes()).take_while(|(one, other)| one == other).count();
    assert!(observe::dashboard::same(body, &wanted), "{:?}", body.get(shared.saturating_sub(80)..shared + 40));
    assert!(world.rds.events[0].message.ends_with(&format!("{stack}.")));
}

#[test]
fn every_name_of_a_stack_is_the_one_that_the_product_looks_for() {
    let long =
        ["x".repeat(63), format!("{}-{}", "y".repeat(43), "z".repeat(19)), format!("ab-{}-c", "d1-".repeat(19) + "e")];
    for name in
        long.iter().map(String::as_str).chain(["my-instance", "sg-main", "shop", "proxy", "app-proxy", "default"])
    {
        holds(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn of_any_name(name in "[a-z]([a-z0-9]|-[a-z0-9]){1,30}") {
        holds(&name);
    }

    #[test]
    fn of_a_long_name(name in "[a-z](([a-z0-9]){3,9}-){5,6}[a-z0-9]{2}") {
        holds(name.get(..63).unwrap_or(&name).trim_end_matches('-'));
    }
}
