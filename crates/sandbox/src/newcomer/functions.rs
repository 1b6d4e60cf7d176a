//! Functions: those that use a database in each of the usual ways, and those that use none.

use std::collections::BTreeMap;

use serde_json::json;

use super::databases::Databases;
use super::network::Network;
use crate::account::World;
use crate::ec2;
use crate::iam::{self, Role};
use crate::lambda::{Alias, Function, Vpc};

/// How a function is set up.
struct Setup<'a> {
    name: &'a str,
    role_path: &'a str,
    inline: Option<(&'a str, String)>,
    group: Option<&'a str>,
    environment: Vec<(&'a str, String)>,
}

/// Puts functions and roles there.
pub(super) fn deploy(world: &mut World, network: &Network, databases: &Databases) {
    iam::service_linked(world, "rds.amazonaws.com");
    let connect = |world: &World, user: &str| {
        let resource = world.arn("rds-db", &format!("dbuser:{}/{user}", databases.instance_resource));
        let statement = json!({ "Effect": "Allow", "Action": "rds-db:connect", "Resource": resource });
        ("database-login", json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
    };
    let login = connect(world, "admin");
    for setup in with_databases(network, databases, &login) {
        put(world, network, setup);
    }
    put(
        world,
        network,
        Setup {
            name: "ThumbnailFunction",
            role_path: "/",
            inline: None,
            group: None,
            environment: vec![("BUCKET", "shop-pictures".to_owned()), ("WIDTH", "320".to_owned())],
        },
    );
    put(
        world,
        network,
        Setup {
            name: "WebhookFunction",
            role_path: "/",
            inline: None,
            group: Some(&network.app_group),
            environment: vec![("TARGET_URL", "https://hooks.example.com/shop".to_owned())],
        },
    );
    if let Some(reports) = world.lambda.functions.get_mut("ReportsFunction") {
        let tags = [("aws:cloudformation:stack-name", "reports"), ("aws:cloudformation:logical-id", "ReportsFunction")];
        reports.tags.extend(tags.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    if let Some(orders) = world.lambda.functions.remove("OrdersFunction") {
        let mut orders = orders.with_version();
        let live = Alias {
            name: "live".to_owned(),
            version: "1".to_owned(),
            description: "What the shop calls".to_owned(),
            revision: "a1f7c3de-0000-4000-8000-000000000001".to_owned(),
            ..Alias::default()
        };
        orders.aliases.insert("live".to_owned(), live);
        world.lambda.functions.insert("OrdersFunction".to_owned(), orders);
    }
}

fn with_databases<'a>(network: &'a Network, databases: &Databases, login: &(&'a str, String)) -> [Setup<'a>; 4] {
    let mysql = |extra: (&'a str, &str)| {
        vec![
            ("DB_HOST", databases.instance_host.clone()),
            ("DB_PORT", "3306".to_owned()),
            ("DB_NAME", "shop".to_owned()),
            ("DB_USER", "admin".to_owned()),
            (extra.0, extra.1.to_owned()),
        ]
    };
    let url = format!(
        "postgresql://app:{}@{}:5432/reports?sslmode=require",
        databases.cluster_password, databases.writer_host
    );
    let group = Some(network.reporting_group.as_str());
    [
        Setup {
            name: "DBAppFunction",
            role_path: "/service-role/",
            inline: Some(login.clone()),
            group: Some(&network.app_group),
            environment: mysql(("LOG_LEVEL", "info")),
        },
        Setup {
            name: "InvoiceFunction",
            role_path: "/teams/billing/",
            inline: Some(login.clone()),
            group: Some(&network.billing_group),
            environment: mysql(("CURRENCY", "EUR")),
        },
        Setup {
            name: "ReportsFunction",
            role_path: "/",
            inline: None,
            group,
            environment: vec![("DATABASE_URL", url), ("REPORT_BUCKET", "shop-reports".to_owned())],
        },
        Setup {
            name: "OrdersFunction",
            role_path: "/service-role/",
            inline: None,
            group,
            environment: vec![
                ("DB_HOST", databases.writer_host.clone()),
                ("DB_READER_HOST", databases.reader_host.clone()),
                ("DB_NAME", "reports".to_owned()),
                ("DB_USER", "app".to_owned()),
                ("DB_PASSWORD", databases.cluster_password.clone()),
                ("DB_SECRET_ARN", databases.cluster_secret.clone()),
            ],
        },
    ]
}

fn put(world: &mut World, network: &Network, setup: Setup<'_>) {
    let role_arn = execution_role(world, &setup);
    let mut function = Function::settled(world, setup.name, &role_arn);
    let environment: BTreeMap<String, String> =
        setup.environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    function.latest.environment = Some(environment);
    if let Some(group) = setup.group {
        let subnets: Vec<String> = network.private.iter().take(2).cloned().collect();
        let groups = vec![group.to_owned()];
        let description = format!("AWS Lambda VPC ENI-{}", setup.name);
        ec2::attach_interfaces(world, &format!("lambda:{}", setup.name), "lambda", &description, &subnets, &groups);
        function.latest.vpc = Some(Vpc { id: network.vpc.clone(), subnets, groups, ipv6: false });
    }
    world.lambda.functions.insert(setup.name.to_owned(), function);
}

fn execution_role(world: &mut World, setup: &Setup<'_>) -> String {
    let managed = if setup.group.is_some() { "AWSLambdaVPCAccessExecutionRole" } else { "AWSLambdaBasicExecutionRole" };
    let trust = trust("lambda.amazonaws.com");
    let name = format!("{}Role", setup.name);
    let mut role = Role::settled(&world.account, &world.partition, setup.role_path, &name, &trust);
    role.id = world.id("AROA", &name).to_ascii_uppercase();
    let policy = world.iam.policies.values().find(|policy| policy.name == managed).cloned();
    if let Some(policy) = policy {
        role = role.with_attached(&policy);
    }
    if let Some((name, document)) = &setup.inline {
        role = role.with_inline(name, document);
    }
    let arn = role.arn.clone();
    world.iam.roles.insert(name, role);
    arn
}

fn trust(service: &str) -> String {
    let statement = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}
