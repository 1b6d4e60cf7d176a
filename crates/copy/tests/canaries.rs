//! Nothing that people wrote into an account is in its copy: forty canaries in variables, secrets, tags and
//! descriptions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use common::{Line, accounts, heard, read_all};
use copy::Variables;
use sandbox::World;
use serde_json::json;

/// Puts canaries wherever people write, and says how many there are.
fn sing(world: &mut World) -> Vec<String> {
    let mut canaries = Vec::new();
    let mut canary = || {
        let canary = format!("canary{:02}song", canaries.len());
        canaries.push(canary.clone());
        canary
    };
    for function in world.lambda.functions.values_mut() {
        let variables = function.latest.environment.get_or_insert_default();
        variables.insert("DB_PASSWORD".to_owned(), canary());
        function.latest.description = canary();
        function.tags.insert("team".to_owned(), canary());
        for version in function.versions.values_mut() {
            version.environment.get_or_insert_default().insert("API_KEY".to_owned(), canary());
            version.description = format!("rdsproxy-setup {}", canary());
        }
        for alias in function.aliases.values_mut() {
            alias.description = canary();
        }
    }
    for (at, secret) in world.secrets.secrets.values_mut().enumerate() {
        secret.description = Some(canary());
        secret.tags.insert("note".to_owned(), canary());
        for version in &mut secret.versions {
            let value = match at % 3 {
                0 => json!({ "username": "app", "password": canary(), "deep": { "token": canary() }, "host": [canary()] }).to_string(),
                1 => canary(),
                _ => json!([canary()]).to_string(),
            };
            version.text = Some(value);
        }
    }
    for group in world.ec2.groups.values_mut() {
        group.description = format!("RDS Proxy {}", canary());
        group.tags.insert("Name".to_owned(), canary());
        for rule in group.rules.values_mut() {
            rule.description = Some(canary());
            rule.tags.insert("why".to_owned(), canary());
        }
        let closed = "rdsproxy-setup:closed:sg-1:sg-2:3306".to_owned();
        group.tags.insert(closed, canary());
    }
    for interface in world.ec2.interfaces.values_mut() {
        interface.description = format!("{} {}", canary(), interface.description);
    }
    for subnet in world.ec2.subnets.values_mut() {
        subnet.tags.insert("Name".to_owned(), canary());
    }
    for vpc in world.ec2.vpcs.values_mut() {
        vpc.tags.insert("aws:note".to_owned(), canary());
    }
    for role in world.iam.roles.values_mut() {
        role.description = Some(canary());
        role.tags.insert("owner".to_owned(), canary());
    }
    for policy in world.iam.policies.values_mut() {
        policy.description = Some(canary());
        policy.tags.insert("owner".to_owned(), canary());
    }
    for key in world.kms.keys.values_mut() {
        key.description = canary();
    }
    for instance in world.rds.instances.values_mut() {
        instance.tags.insert("cost".to_owned(), canary());
    }
    for cluster in world.rds.clusters.values_mut() {
        cluster.tags.insert("cost".to_owned(), canary());
    }
    for proxy in world.rds.proxies.values_mut() {
        proxy.tags.insert("cost".to_owned(), canary());
        proxy.auth.iter_mut().for_each(|auth| auth.description = Some(canary()));
        proxy.target_group.init_query = Some(format!("SET @secret = '{}'", canary()));
    }
    for parameters in world.rds.parameters.values_mut() {
        parameters.insert("init_connect".to_owned(), format!("SET @secret = '{}'", canary()));
    }
    for endpoint in world.rds.endpoints.values_mut() {
        endpoint.tags.insert("cost".to_owned(), canary());
    }
    for group in world.logs.groups.values_mut() {
        group.tags.insert("cost".to_owned(), canary());
    }
    for alarm in world.monitoring.alarms.values_mut() {
        alarm.configuration["AlarmDescription"] = json!(canary());
        alarm.tags.insert("cost".to_owned(), canary());
    }
    canaries
}

#[test]
fn no_canary_is_in_a_copy() {
    let mut world = accounts::busy();
    let canaries = sing(&mut world);
    assert!(canaries.len() >= 40, "{}", canaries.len());
    let mut line = Line::to(world);
    read_all(&mut line);
    let heard_them = |canary: &&String| {
        let needle = canary.as_bytes();
        line.traffic.iter().any(|call| call.answered.windows(needle.len()).any(|window| window == needle))
    };
    // A test that never showed the canaries would prove nothing; the simulated account shows no description of AWS's
    // policies.
    let shown: Vec<&String> = canaries.iter().filter(heard_them).collect();
    assert!(shown.len() * 10 > canaries.len() * 9, "{} of {}", shown.len(), canaries.len());
    let copying = heard(&line.traffic);
    let debugged = format!("{copying:?}");
    let copy = copying.finish(&|_, _| Variables::new());
    let texts = [
        debugged,
        serde_json::to_string(&copy.world).unwrap(),
        format!("{:?}", copy.gaps),
        copy.world.dump().to_string(),
    ];
    for canary in &canaries {
        for text in &texts {
            assert!(!text.contains(canary), "{canary}: {}", around(text, canary));
        }
    }
}

/// What stands around a canary.
fn around(text: &str, canary: &str) -> String {
    let at = text.find(canary).unwrap();
    text.chars().skip(at.saturating_sub(200)).take(400).collect()
}

/// Variables are what `keep` leaves of them, of each version.
#[test]
fn of_variables_only_that_is_kept_which_is_to_be_kept() {
    let mut line = Line::to(accounts::busy());
    read_all(&mut line);
    let copy = heard(&line.traffic).finish(&|function, variables| {
        assert!(line.world.lambda.functions.contains_key(function));
        variables
            .iter()
            .filter(|(name, _)| *name == "DB_HOST")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    });
    let orders = &copy.world.lambda.functions["OrdersFunction"];
    for version in orders.versions.values().chain([&orders.latest]) {
        let names: Vec<&String> = version.environment.as_ref().unwrap().keys().collect();
        assert_eq!(names, ["DB_HOST"]);
    }
    assert_eq!(copy.world.lambda.functions["ThumbnailFunction"].latest.environment, None);
}
