//! Bad input, and an account that is not as it should be: a precise answer, and nothing changes.

use std::time::{Duration, Instant};

use sandbox::parts::{Group, Role};
use sandbox::{Fault, Principal, Service, Trigger, Trouble, World};
use serde_json::json;

use crate::desk::{Desk, shown};

const UP: &[&str] = &["up", "--db", "my-instance", "--yes"];

/// One account and one command that must be answered without a change.
type Case = (&'static str, fn(&mut World), &'static [&'static str]);

fn nothing(_world: &mut World) {}

fn refuse(world: &mut World, service: Service, action: &str, status: u16, code: &str, message: &str) {
    let trigger = Trigger::Every { service, action: action.to_owned() };
    let (code, message) = (code.to_owned(), message.to_owned());
    world.faults.push(Fault::repeated(trigger, Trouble::ErrorBefore { status, code, message }, 100));
}

fn function<'a>(world: &'a mut World, name: &str) -> &'a mut sandbox::parts::Function {
    world.lambda.functions.get_mut(name).unwrap()
}

fn secret_of_cluster(world: &mut World) -> &mut sandbox::parts::Secret {
    world.secrets.secrets.values_mut().find(|secret| secret.name == "my-cluster/app").unwrap()
}

const CASES: &[Case] = &[
    ("no database is named", nothing, &["up", "--yes"]),
    ("an identifier that RDS would refuse", nothing, &["up", "--db", "my_instance", "--yes"]),
    (
        "an identifier that is too long",
        nothing,
        &["up", "--db", "a123456789012345678901234567890123456789012345678901234567890123456789", "--yes"],
    ),
    ("an ARN of something else", nothing, &["up", "--db", "arn:aws:s3:::bucket", "--yes"]),
    ("a database that is not there", nothing, &["up", "--db", "my-instanse", "--yes"]),
    (
        "an ARN of another region",
        nothing,
        &["up", "--db", "arn:aws:rds:eu-west-1:123456789012:db:my-instance", "--yes"],
    ),
    (
        "an ARN of another account",
        nothing,
        &["up", "--db", "arn:aws:rds:eu-central-1:210987654321:db:my-instance", "--yes"],
    ),
    ("Oracle", nothing, &["up", "--db", "legacy-oracle", "--yes"]),
    (
        "a read replica",
        |world| world.rds.instances.get_mut("my-instance").unwrap().replica_of = Some("primary".to_owned()),
        UP,
    ),
    (
        "RDS Custom",
        |world| world.rds.instances.get_mut("my-instance").unwrap().engine = String::from("custom-sqlserver-ee"),
        UP,
    ),
    ("Db2", |world| world.rds.instances.get_mut("my-instance").unwrap().engine = String::from("db2-se"), UP),
    (
        "Aurora Serverless v1",
        |world| world.rds.clusters.get_mut("my-cluster").unwrap().engine_mode = String::from("serverless"),
        &["up", "--db", "my-cluster", "--yes"],
    ),
    ("a member of a cluster", nothing, &["up", "--db", "my-cluster-reader", "--yes"]),
    ("a function that is not there", nothing, &["up", "--db", "my-instance", "--function", "DBApFunction", "--yes"]),
    ("a function without a VPC", |world| function(world, "DBAppFunction").latest.vpc = None, UP),
    (
        "a function in another VPC",
        |world| function(world, "DBAppFunction").latest.vpc.as_mut().unwrap().id = String::from("vpc-0other"),
        UP,
    ),
    (
        "a function that hides its variables",
        |world| function(world, "DBAppFunction").unreadable_environment = true,
        &["up", "--db", "my-instance", "--function", "DBAppFunction", "--yes"],
    ),
    ("a secret that is not there", nothing, &["up", "--db", "my-cluster", "--secret", "my-cluster/ap", "--yes"]),
    (
        "a secret that is scheduled for deletion",
        |world| {
            let now = world.now;
            let deletion = json!({"asked": now, "due": now + Duration::from_hours(168)});
            secret_of_cluster(world).deletion = Some(serde_json::from_value(deletion).unwrap());
        },
        &["up", "--db", "my-cluster", "--secret", "my-cluster/app", "--yes"],
    ),
    (
        "a secret with other keys",
        |world| {
            let text = r#"{"user":"app","pass":"do-not-show-me"}"#.to_owned();
            secret_of_cluster(world).versions.iter_mut().for_each(|version| version.text = Some(text.clone()));
        },
        &["up", "--db", "my-cluster", "--inspect-secret", "--yes"],
    ),
    (
        "a secret that is no JSON",
        |world| {
            let text = "do-not-show-me".to_owned();
            secret_of_cluster(world).versions.iter_mut().for_each(|version| version.text = Some(text.clone()));
        },
        &["up", "--db", "my-cluster", "--inspect-secret", "--yes"],
    ),
    ("no secret at all", |world| world.rds.instances.get_mut("my-instance").unwrap().master_secret = None, UP),
    (
        "a VPC with dedicated tenancy",
        |world| world.ec2.vpcs.values_mut().for_each(|vpc| vpc.tenancy = String::from("dedicated")),
        UP,
    ),
    (
        "a database that is read-only",
        |world| {
            world.rds.parameters.insert("own".to_owned(), [("read_only".to_owned(), "1".to_owned())].into());
            world.rds.instances.get_mut("my-instance").unwrap().parameter_group = String::from("own");
        },
        UP,
    ),
    (
        "one usable zone",
        |world| {
            for subnet in world.ec2.subnets.values_mut().filter(|subnet| subnet.zone != "eu-central-1a") {
                subnet.zone_id = String::from("use1-az3");
            }
        },
        UP,
    ),
    (
        "a subnet that is not there",
        nothing,
        &["up", "--db", "my-instance", "--subnet", "subnet-0aaa", "--subnet", "subnet-0bbb", "--yes"],
    ),
    (
        "expired credentials",
        |world| {
            let message = "The security token included in the request is expired";
            refuse(world, Service::Sts, "GetCallerIdentity", 403, "ExpiredToken", message);
        },
        UP,
    ),
    (
        "credentials that AWS does not know",
        |world| {
            let message = "The security token included in the request is invalid.";
            refuse(world, Service::Sts, "GetCallerIdentity", 403, "InvalidClientTokenId", message);
        },
        UP,
    ),
    (
        "a read that is denied",
        |world| {
            let allow = json!({"Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "lambda:ListFunctions", "Resource": "*"},
            ]});
            let arn = "arn:aws:iam::123456789012:user/deployer".to_owned();
            let deployer = Principal { arn, policies: Some(vec![allow]) };
            world.principals.insert("AKIASANDBOXADMIN0000".to_owned(), deployer);
        },
        UP,
    ),
    ("a region that is not the sandbox's", nothing, &["--region", "us-east-1", "up", "--db", "my-instance", "--yes"]),
    (
        "a role of our name that is not ours",
        |world| {
            let name = "my-instance-proxy-eu-central-1".to_owned();
            let role = Role { name, ..world.iam.roles["DBAppFunctionRole"].clone() };
            world.iam.roles.insert(role.name.clone(), role);
        },
        UP,
    ),
    (
        "a group of our name that is not ours",
        |world| {
            let vpc_id = world.ec2.vpcs.keys().next().unwrap().clone();
            let name = "my-instance-proxy".to_owned();
            let group = Group { name, vpc_id, ..world.ec2.groups.values().next().unwrap().clone() };
            world.ec2.groups.insert("sg-0foreign".to_owned(), group);
        },
        UP,
    ),
    ("nobody to ask", nothing, &["up", "--db", "my-instance"]),
    ("pool settings out of range", nothing, &["up", "--db", "my-instance", "--max-connections-percent", "0", "--yes"]),
    ("a wait of no name", nothing, &["up", "--db", "my-instance", "--timeout", "targets=5m", "--yes"]),
    ("a span without a unit", nothing, &["up", "--db", "my-instance", "--timeout", "5", "--yes"]),
    ("plain HTTP across the network", nothing, &["--endpoint-url", "http://rds.example.com", "status"]),
];

#[test]
fn bad_input_gets_a_precise_answer_and_changes_nothing() {
    let mut all = String::new();
    for (name, prepare, arguments) in CASES {
        let desk = Desk::new();
        let before = desk.change(prepare).dump();
        let shown = match arguments.first() {
            // Not the sandbox's flags: the real way in.
            Some(&"--endpoint-url") => shown(arguments, &mut desk.command(arguments)),
            _ => desk.run(arguments),
        };
        assert!(matches!(shown.code, Some(4 | 64)), "{name}: {shown}");
        assert_eq!(desk.dump(), before, "{name}: something changed");
        assert!(!shown.stderr.contains("do-not-show-me"), "{name}: a secret was shown");
        all.push_str(&format!("# {name}\n{shown}\n"));
    }
    insta::assert_snapshot!("bad_input", all);
}

#[test]
fn without_credentials_the_answer_comes_at_once() {
    let desk = Desk::new();
    let arguments = ["--region", "eu-central-1", "up", "--db", "my-instance", "--yes"];
    let began = Instant::now();
    let shown = shown(&arguments, &mut desk.command(&arguments));
    // The default chain of the SDK asks a metadata service that is not there for seconds.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    insta::assert_snapshot!("no_credentials", shown);
}
