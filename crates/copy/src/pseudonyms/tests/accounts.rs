//! Accounts to try it on.

use std::collections::BTreeMap;

use sandbox::World;
use sandbox::parts::{Alarm, Alias, Dashboard, Event, Group, LogGroup, Mapping, Peer, Policy, Role, Rule};
use serde_json::{Value, json};

use super::names::{self, Names};

pub(super) const HOSTS: &str = "c9akciq32abc.eu-central-1.rds.amazonaws.com";

/// A proxy, out of JSON: its type has members that only the simulated account makes.
fn proxy(stack: &str, database: &str, role: &str, secret: &str, network: (&str, Vec<String>, Vec<String>)) -> Value {
    let (vpc, subnets, groups) = network;
    json!({
        "id": "prx-0123456789abcdef0", "engine_family": "MYSQL", "default_auth_scheme": "NONE",
        "auth": [{"description": null, "scheme": "SECRETS", "secret_arn": secret, "iam_auth": "REQUIRED", "client_password": null}],
        "role_arn": role, "vpc_id": vpc, "subnets": subnets, "groups": groups, "require_tls": true, "idle_client_timeout": 1800,
        "debug_logging": false, "endpoint_network_type": "IPV4", "target_network_type": "IPV4",
        "endpoint": format!("{stack}.proxy-{HOSTS}"), "status": {"settled": "available"}, "created": "~moment:5",
        "ready": "~moment:6", "updated": "~moment:7",
        "target_group": {
            "id": "prx-tg-0fedcba9876543210", "max_connections_percent": 90, "max_idle_connections_percent": 45,
            "borrow_timeout": 120, "pinning_filters": ["EXCLUDE_VARIABLE_SETS"], "init_query": "SET hush = 'mumble'",
            "updated": "~moment:5",
            "target": {"cluster": false, "id": database, "registered": "~moment:5",
                "~troubled": {(database): ["~moment:5", "capacity"]}},
        },
        "tags": {
            "rdsproxy-setup:stack": stack, "rdsproxy-setup:database": database,
            "rdsproxy-setup:writer": format!("{database}.{HOSTS}:3306"), "rdsproxy-setup:functions": "DBAppFunction InvoiceFunction",
            "rdsproxy-setup:canary": "since=1767225600123 before=5", "rdsproxy-setup:client-auth": "iam",
            "rdsproxy-setup:exclude-variables": "OrdersFunction:DB_HOST", "cost-center": "Harbor 4711",
        },
    })
}

/// The sample account with its `my-instance` under that name, and a stack for it.
pub(super) fn with_stack(database: &str) -> World {
    let text = serde_json::to_string(&World::newcomer()).unwrap();
    let mut world: World = serde_json::from_str(&text.replace("my-instance", database)).unwrap();
    let (account, region, partition) = (world.account.clone(), world.region.clone(), world.partition.clone());
    let stack = names::stack_of(database);
    let own = Names::new(&stack, &region);
    let tags = BTreeMap::from([
        ("rdsproxy-setup:stack".to_owned(), stack.clone()),
        ("rdsproxy-setup:database".to_owned(), database.to_owned()),
    ]);
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let user = "o'neil@shop";
    let secret_name = names::secret_of(&stack, user);
    let mut secret = world.secrets.secrets["my-cluster/app"].clone();
    secret.arn = secret.arn.replace("my-cluster/app", &secret_name);
    secret.name = secret_name;
    secret.versions[0].id = names::secret_token(&secret.name);
    secret.versions[0].text = Some(json!({"username": user, "password": "Gully-12345"}).to_string());
    secret.tags = tags.clone();
    secret.tags.insert("rdsproxy-setup:user".to_owned(), user.to_owned());
    let rights = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "ReadSecrets", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [secret.arn]},
        {"Sid": "Harbor", "Effect": "Deny", "NotAction": "kms:Decrypt*", "Resource": "*", "Condition": {
            "IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2600:1f14:a:b::/64"]},
            "StringEquals": {"aws:ResourceTag/harbor": "pier", "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}},
    ]});
    let mut role = Role::by_hand(&account, &partition, &own.path, &own.role, &trust, &rights);
    role.tags = tags.clone();
    let users = ["app".to_owned(), user.to_owned()];
    let arn = own.further_policy_arn(&partition, &account, &users);
    let resources: Vec<String> = users
        .iter()
        .map(|user| format!("arn:aws:rds-db:{region}:{account}:dbuser:prx-0123456789abcdef0/{user}"))
        .collect();
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "ConnectThroughProxy", "Effect": "Allow", "Action": "rds-db:connect", "Resource": resources}]});
    let mut policy = Policy::customer_managed(&account, &partition, &own.path, names::last_of_path(&arn), &document);
    policy.tags = tags.clone();
    policy.tags.insert("rdsproxy-setup:document".to_owned(), format!("v1:{}", names::digest(&document.to_string())));
    let function = world.lambda.functions.get_mut("InvoiceFunction").unwrap();
    let network = function.latest.vpc.clone().unwrap();
    function.tags.insert("rdsproxy-setup:former:DB_HOST".to_owned(), format!("{database}.{HOSTS}"));
    function.latest.environment.as_mut().unwrap().extend([
        ("UPPER".to_owned(), format!("{}.{}", database.to_uppercase(), HOSTS.to_uppercase())),
        ("PROXY_URL".to_owned(), format!("mysql://app:Gully-12345@{stack}.proxy-{HOSTS}:3306/shop?sslmode=require")),
        ("DB_PASS".to_owned(), "Gully-12345".to_owned()),
    ]);
    let group = Group {
        name: own.group.clone(),
        description: own.group_description(),
        vpc_id: network.id.clone(),
        tags,
        rules: BTreeMap::from([(
            "sgr-0a1b2c3d4e5f60718".to_owned(),
            Rule {
                egress: false,
                protocol: "tcp".to_owned(),
                from_port: 3306,
                to_port: 3306,
                peer: Peer::Group(network.groups[0].clone()),
                description: Some(names::rule_description(&stack)),
                tags: BTreeMap::new(),
            },
        )]),
    };
    world.ec2.groups.insert("sg-0a1b2c3d4e5f60718".to_owned(), group);
    let proxy =
        proxy(&stack, database, &role.arn, &secret.arn, (&network.id, network.subnets.clone(), network.groups.clone()));
    world.rds.proxies.insert(stack.clone(), serde_json::from_value(proxy).unwrap());
    let endpoint = json!({
        "id": "prx-endpoint-0123456789abcdef0", "proxy": stack, "role": "READ_ONLY", "vpc_id": network.id,
        "subnets": network.subnets, "groups": network.groups,
        "endpoint": format!("{}.endpoint.proxy-{HOSTS}", own.reader), "network_type": "IPV4",
        "status": {"settled": "available"}, "created": "~moment:5", "tags": {},
    });
    world.rds.endpoints.insert(own.reader.clone(), serde_json::from_value(endpoint).unwrap());
    let log = LogGroup { class: "STANDARD".to_owned(), ..LogGroup::default() };
    world.logs.groups.insert(format!("/aws/rds/proxy/{stack}"), log);
    world.logs.write(
        &format!("/aws/rds/proxy/{stack}"),
        sandbox::Moment(9),
        "The client connection from harbor 10.0.1.9 closed",
    );
    world.rds.events.push(Event {
        at: sandbox::Moment(8),
        source_type: "db-proxy".to_owned(),
        source: stack.clone(),
        arn: format!("arn:aws:rds:{region}:{account}:db-proxy:prx-0123456789abcdef0"),
        message: format!("RDS created DB proxy {stack}."),
        category: "creation".to_owned(),
    });
    world.secrets.secrets.insert(secret.name.clone(), secret);
    world.iam.roles.insert(role.name.clone(), role);
    world.iam.policies.insert(policy.arn.clone(), policy);
    watched(&mut world, &stack);
    used(&mut world, &stack);
    world
}

fn watched(world: &mut World, stack: &str) {
    let alarm = Alarm {
        configuration: json!({
            "MetricName": "ClientConnections", "Namespace": "AWS/RDS", "Statistic": "Sum",
            "Dimensions": [{"Name": "ProxyName", "Value": stack}], "AlarmDescription": "Harbor is loud",
            "AlarmActions": ["arn:aws:sns:eu-central-1:123456789012:harbor"],
        }),
        ..Alarm::default()
    };
    let name = format!("{}pool", observe::alarms::prefix(stack));
    let alarms = vec![format!("arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{name}")];
    let body = observe::dashboard::body(stack, &world.region, Some("READWRITE"), &alarms);
    world.monitoring.alarms.insert(name, alarm.clone());
    world.monitoring.alarms.insert("Harbor/pool".to_owned(), alarm);
    let dashboard = |body: String| Dashboard { body, ..Dashboard::default() };
    world.monitoring.dashboards.insert(observe::dashboard::name(stack, &world.region), dashboard(body));
    world.monitoring.dashboards.insert("harbor".to_owned(), dashboard(r#"{"widgets":["harbor"]}"#.to_owned()));
}

fn used(world: &mut World, stack: &str) {
    let function = world.lambda.functions.get_mut("OrdersFunction").unwrap();
    function.versions.get_mut(&1).unwrap().description = format!("rdsproxy-setup {stack}: live was 1");
    function.aliases.insert(
        "Live".to_owned(),
        Alias { name: "Live".to_owned(), version: "$LATEST".to_owned(), ..Alias::default() },
    );
    function.policy = Some(json!({"Version": "2012-10-17", "Statement": [{"Sid": "harbor", "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": function.latest.arn}]}));
    world.lambda.mappings.push(Mapping {
        id: "6f1c3ad2-1111-4222-8333-aaaabbbbcccc".to_owned(),
        source: "arn:aws:sqs:eu-central-1:123456789012:harbor-queue".to_owned(),
        function: format!("{}:live", function.latest.arn),
        ..Mapping::default()
    });
    let vpc = world.ec2.vpcs.values_mut().next().unwrap();
    vpc.ipv6_cidr = Some("2600:1f14:a:b00::/56".to_owned());
    for (subnet, number) in world.ec2.subnets.values_mut().zip(0..) {
        subnet.ipv6_cidr = Some(format!("2600:1f14:a:b0{number}::/64"));
    }
}
