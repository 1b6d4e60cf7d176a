//! Laws of the account as a whole: transitions, health, faults, permissions, the file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::{Call, Handled, Moment, Principal, Reply, Request, Service, World};
use super::ec2::AclEntry;
use super::fault::{Fault, Trigger, Trouble};
use super::store::Store;
use super::{ec2, iam, rds};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// The sample account with what a proxy needs, at a time when all of it has taken effect.
struct Bed {
    world: World,
    now: Moment,
    group: String,
    secret: String,
    role: String,
}

impl Bed {
    fn new() -> Self {
        let mut bed = Self {
            world: World::newcomer(),
            now: Moment(1000),
            group: String::new(),
            secret: String::new(),
            role: String::new(),
        };
        let instance = &bed.world.rds.instances["my-instance"];
        bed.secret = instance.master_secret.clone().unwrap();
        let (database, subnets) = (instance.groups[0].clone(), instance.subnet_group.clone());
        let vpc = bed.world.rds.subnet_groups[&subnets].vpc_id.clone();
        let group = json!({ "GroupName": "proxy", "Description": "proxy", "VpcId": vpc });
        bed.group = bed.ec2("CreateSecurityGroup", group)["groupId"].as_str().unwrap().to_owned();
        bed.ingress(&database, true);
        let role = json!({ "RoleName": "proxy", "AssumeRolePolicyDocument": TRUST });
        bed.role = bed.iam("CreateRole", role)["Role"]["Arn"].as_str().unwrap().to_owned();
        bed.policy(true);
        bed.pass(60);
        bed
    }

    fn call(&mut self, service: Service, action: &str, input: Value) -> super::account::Outcome {
        let principal = Principal { arn: "arn:aws:iam::123456789012:user/test".to_owned(), policies: None };
        let call = Call { service, action: action.to_owned(), input, principal, now: self.now, ahead: 0 };
        self.world.tick(self.now);
        let outcome = match service {
            Service::Rds => rds::handle(&mut self.world, &call),
            Service::Iam => iam::handle(&mut self.world, &call),
            _ => ec2::handle(&mut self.world, &call),
        };
        super::health::observe(&mut self.world, self.now);
        outcome
    }

    fn rds(&mut self, action: &str, input: Value) -> Value {
        self.call(Service::Rds, action, input).unwrap()
    }

    fn ec2(&mut self, action: &str, input: Value) -> Value {
        self.call(Service::Ec2, action, input).unwrap()
    }

    fn iam(&mut self, action: &str, input: Value) -> Value {
        self.call(Service::Iam, action, input).unwrap()
    }

    fn refused(&mut self, action: &str, input: Value) -> String {
        self.call(Service::Rds, action, input).unwrap_err().code
    }

    fn ingress(&mut self, database: &str, open: bool) {
        let action = if open { "AuthorizeSecurityGroupIngress" } else { "RevokeSecurityGroupIngress" };
        let permission = json!({
            "IpProtocol": "tcp", "FromPort": "3306", "ToPort": "3306", "UserIdGroupPairs": [{ "GroupId": self.group }],
        });
        self.ec2(action, json!({ "GroupId": database, "IpPermissions": [permission] }));
    }

    fn policy(&mut self, there: bool) {
        if !there {
            self.iam("DeleteRolePolicy", json!({ "RoleName": "proxy", "PolicyName": "secret" }));
            return;
        }
        let statement =
            json!({ "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": self.secret });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        self.iam("PutRolePolicy", json!({ "RoleName": "proxy", "PolicyName": "secret", "PolicyDocument": document }));
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    fn proxy(&self) -> Value {
        let subnets = &self.world.rds.subnet_groups["private"].subnets;
        json!({
            "DBProxyName": "p", "EngineFamily": "MYSQL", "RoleArn": self.role,
            "Auth": [{ "AuthScheme": "SECRETS", "SecretArn": self.secret, "IAMAuth": "REQUIRED" }],
            "VpcSubnetIds": subnets, "VpcSecurityGroupIds": [self.group],
        })
    }

    fn up(&mut self) {
        self.rds("CreateDBProxy", self.proxy());
        self.rds("RegisterDBProxyTargets", json!({ "DBProxyName": "p", "DBInstanceIdentifiers": ["my-instance"] }));
    }

    fn health(&mut self) -> (String, Option<String>) {
        let targets = self.rds("DescribeDBProxyTargets", json!({ "DBProxyName": "p" }));
        let health = &targets["Targets"][0]["TargetHealth"];
        (health["State"].as_str().unwrap().to_owned(), health["Reason"].as_str().map(str::to_owned))
    }

    fn reason(&mut self) -> Option<String> {
        let (state, reason) = self.health();
        assert_eq!(state, "UNAVAILABLE");
        reason
    }
}

#[test]
fn a_proxy_and_its_target_come_up_in_aws_order() {
    let mut bed = Bed::new();
    bed.up();
    assert_eq!(bed.health().0, "REGISTERING");
    let made = bed.rds("DescribeDBProxies", json!({}));
    assert_eq!(made["DBProxies"][0]["Status"], "creating");
    assert!(made["DBProxies"][0]["Endpoint"].is_string());
    bed.pass(300);
    assert_eq!(bed.rds("DescribeDBProxies", json!({}))["DBProxies"][0]["Status"], "available");
    assert_eq!(bed.reason().as_deref(), Some("PENDING_PROXY_CAPACITY"));
    bed.pass(240);
    assert_eq!(bed.health(), ("AVAILABLE".to_owned(), None));
}

#[test]
fn every_cause_of_trouble_has_its_reason_and_a_mend_shows_a_minute_later() {
    let mut bed = Bed::new();
    bed.up();
    bed.pass(600);
    let database = bed.world.rds.instances["my-instance"].groups[0].clone();
    bed.ingress(&database, false);
    assert_eq!(bed.reason(), None);
    bed.ingress(&database, true);
    bed.pass(59);
    assert_eq!(bed.reason(), None);
    bed.pass(2);
    assert_eq!(bed.health().0, "AVAILABLE");

    bed.policy(false);
    assert_eq!(bed.health().0, "AVAILABLE", "a change of a policy takes a while");
    bed.pass(10);
    assert_eq!(bed.reason().as_deref(), Some("AUTH_FAILURE"));
    bed.policy(true);
    bed.pass(80);
    bed.health();
    bed.pass(80);
    assert_eq!(bed.health().0, "AVAILABLE");

    "stopped".clone_into(&mut bed.world.rds.instances.get_mut("my-instance").unwrap().status);
    assert_eq!(bed.reason().as_deref(), Some("UNREACHABLE"));
    "available".clone_into(&mut bed.world.rds.instances.get_mut("my-instance").unwrap().status);
    bed.pass(80);
    assert_eq!(bed.health().0, "AVAILABLE");

    let deny = AclEntry {
        number: 1,
        protocol: "6".into(),
        allow: false,
        egress: false,
        cidr: "10.0.0.0/16".into(),
        ports: Some((3306, 3306)),
    };
    let own: Vec<String> = bed.world.rds.subnet_groups["private"].subnets.clone();
    for acl in bed.world.ec2.acls.values_mut() {
        acl.entries.push(deny.clone());
    }
    // Within one subnet there is no ACL to pass.
    bed.world.rds.proxies.get_mut("p").unwrap().subnets = own.into_iter().skip(1).collect();
    assert_eq!(bed.reason().as_deref(), Some("UNREACHABLE"));
}

#[test]
fn a_secret_that_names_no_user_is_no_credential() {
    let mut bed = Bed::new();
    bed.up();
    bed.pass(600);
    for secret in bed.world.secrets.secrets.values_mut() {
        secret.versions[0].text = Some("just-a-password".to_owned());
    }
    assert_eq!(bed.reason().as_deref(), Some("AUTH_FAILURE"));
}

#[test]
fn a_cluster_is_a_row_without_health_and_a_row_for_each_member() {
    let mut bed = Bed::new();
    let mut proxy = bed.proxy();
    proxy["EngineFamily"] = json!("POSTGRESQL");
    bed.rds("CreateDBProxy", proxy);
    bed.rds("RegisterDBProxyTargets", json!({ "DBProxyName": "p", "DBClusterIdentifiers": ["my-cluster"] }));
    let rows = bed.rds("DescribeDBProxyTargets", json!({ "DBProxyName": "p" }))["Targets"].clone();
    let kinds: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["Type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["TRACKED_CLUSTER", "RDS_INSTANCE", "RDS_INSTANCE"]);
    assert_eq!((&rows[0]["Port"], rows[0].get("TargetHealth")), (&json!(0), None));
    bed.world.rds.clusters.get_mut("my-cluster").unwrap().serverless = Some((5, 40));
    bed.pass(9000);
    let rows = bed.rds("DescribeDBProxyTargets", json!({ "DBProxyName": "p" }))["Targets"].clone();
    assert_eq!(rows[1]["TargetHealth"]["Reason"], "PENDING_PROXY_CAPACITY");
}

#[test]
fn a_target_is_refused_for_what_it_is() {
    let mut bed = Bed::new();
    bed.rds("CreateDBProxy", bed.proxy());
    let register = |id: &str| json!({ "DBProxyName": "p", "DBInstanceIdentifiers": [id] });
    assert_eq!(bed.refused("RegisterDBProxyTargets", register("nothing")), "DBInstanceNotFound");
    assert_eq!(bed.refused("RegisterDBProxyTargets", register("legacy-oracle")), "InvalidParameterValue");
    assert_eq!(bed.refused("RegisterDBProxyTargets", register("my-cluster-writer")), "InvalidParameterValue");
    let state = |bed: &mut Bed, word: &str| {
        word.clone_into(&mut bed.world.rds.instances.get_mut("my-instance").unwrap().status);
    };
    state(&mut bed, "configuring-enhanced-monitoring");
    assert_eq!(bed.refused("RegisterDBProxyTargets", register("my-instance")), "InvalidDBInstanceState");
    state(&mut bed, "available");
    bed.world.rds.register_while_creating = false;
    assert_eq!(bed.refused("RegisterDBProxyTargets", register("my-instance")), "InvalidDBProxyStateFault");
    bed.world.rds.register_while_creating = true;
    bed.rds("RegisterDBProxyTargets", register("my-instance"));
    assert_eq!(bed.refused("RegisterDBProxyTargets", register("my-instance")), "DBProxyTargetAlreadyRegisteredFault");
}

#[test]
fn a_proxy_is_refused_for_what_it_lacks() {
    let mut bed = Bed::new();
    let mut with = |member: &str, value: Value| {
        let mut proxy = bed.proxy();
        proxy[member] = value;
        bed.refused("CreateDBProxy", proxy)
    };
    assert_eq!(with("DBProxyName", json!("1x")), "InvalidParameterValue");
    assert_eq!(with("EngineFamily", json!("mysql")), "InvalidParameterValue");
    assert_eq!(with("Auth", json!("")), "InvalidParameterCombination");
    assert_eq!(with("RoleArn", json!("arn:aws:iam::123456789012:role/none")), "InvalidParameterValue");
    assert_eq!(with("VpcSubnetIds", json!(["subnet-none"])), "InvalidSubnet");
    let first = bed.world.rds.subnet_groups["private"].subnets[0].clone();
    bed.world.ec2.subnets.get_mut(&first).unwrap().zone_id = "use1-az3".into();
    let made = bed.rds("CreateDBProxy", bed.proxy());
    assert_eq!(made["DBProxy"]["VpcSubnetIds"].as_array().unwrap().len(), 2, "the unsupported zone is dropped");
}

#[test]
fn a_proxy_goes_slowly_and_its_interfaces_hold_the_group_longer() {
    let mut bed = Bed::new();
    let before = bed.world.dump();
    bed.up();
    assert_eq!(bed.refused("DeleteDBProxy", json!({ "DBProxyName": "p" })), "InvalidDBProxyStateFault");
    bed.pass(600);
    bed.rds("DeleteDBProxy", json!({ "DBProxyName": "p" }));
    assert_eq!(bed.refused("CreateDBProxy", bed.proxy()), "DBProxyAlreadyExistsFault");
    bed.pass(300);
    assert_eq!(bed.refused("DescribeDBProxies", json!({ "DBProxyName": "p" })), "DBProxyNotFoundFault");
    let interfaces =
        |bed: &Bed| bed.world.ec2.interfaces.values().filter(|one| one.groups.contains(&bed.group)).count();
    assert_eq!(interfaces(&bed), 2);
    bed.pass(60);
    bed.rds("DescribeDBProxies", json!({}));
    assert_eq!(interfaces(&bed), 0);
    assert_eq!(bed.world.dump(), before);
}

#[test]
fn a_proxy_made_again_has_another_id() {
    let mut bed = Bed::new();
    let first = bed.rds("CreateDBProxy", bed.proxy())["DBProxy"]["DBProxyArn"].clone();
    bed.pass(600);
    bed.rds("DeleteDBProxy", json!({ "DBProxyName": "p" }));
    bed.pass(600);
    assert_ne!(bed.rds("CreateDBProxy", bed.proxy())["DBProxy"]["DBProxyArn"], first);
}

fn request(body: &str, scope: &str) -> Request {
    let credential =
        format!("AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/{scope}/aws4_request, SignedHeaders=host, Signature=0");
    Request {
        method: "POST".into(),
        target: "/".into(),
        headers: BTreeMap::from([("authorization".to_owned(), credential)]),
        body: body.as_bytes().to_vec(),
    }
}

fn seen(handled: Handled) -> (u16, String) {
    match handled.reply {
        Reply::Answer(response) => (response.status, String::from_utf8(response.body).unwrap()),
        Reply::Dropped => (0, "dropped".to_owned()),
        Reply::Silence => (0, "silence".to_owned()),
    }
}

const CREATE: &str = "Action=CreateSecurityGroup&GroupName=g&GroupDescription=d";

#[test]
fn a_fault_comes_before_or_after_the_effect() {
    let cases = [
        (Trouble::Throttle, 503, false),
        (Trouble::ErrorBefore { status: 500, code: String::new(), message: String::new() }, 500, false),
        (Trouble::ErrorAfter, 500, true),
        (Trouble::DropBefore, 0, false),
        (Trouble::DropAfter, 0, true),
        (Trouble::Silence, 0, false),
        (Trouble::Deny, 403, false),
    ];
    for (trouble, status, effect) in cases {
        let mut world = World::newcomer();
        let vpc = world.ec2.vpcs.keys().next().unwrap().clone();
        world.faults.push(Fault::once(Trigger::Request(1), trouble.clone()));
        let asked = request(&format!("{CREATE}&VpcId={vpc}"), "eu-central-1/ec2");
        assert_eq!(seen(world.handle(Moment(1), &asked)).0, status, "{trouble:?}");
        assert_eq!(world.ec2.groups.values().any(|group| group.name == "g"), effect, "{trouble:?}");
        let again = if effect { 400 } else { 200 };
        assert_eq!(seen(world.handle(Moment(2), &asked)).0, again, "{trouble:?}");
    }
}

#[test]
fn permissions_are_enforced_before_anything_happens() {
    let mut world = World::newcomer();
    let vpc = world.ec2.vpcs.keys().next().unwrap().clone();
    let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*" }] });
    let arn = "arn:aws:iam::123456789012:user/reader".to_owned();
    world.principals.insert("AKIATEST".into(), Principal { arn, policies: Some(vec![policy]) });
    let (status, body) = seen(world.handle(Moment(1), &request(&format!("{CREATE}&VpcId={vpc}"), "eu-central-1/ec2")));
    assert_eq!(status, 403);
    assert!(body.contains("user/reader is not authorized to perform: ec2:CreateSecurityGroup on resource"), "{body}");
    assert_eq!(seen(world.handle(Moment(2), &request("Action=DescribeVpcs", "eu-central-1/ec2"))).0, 200);
}

#[test]
fn other_regions_are_empty_and_unsigned_requests_refused() {
    let mut world = World::newcomer();
    let (status, body) = seen(world.handle(Moment(1), &request("Action=DescribeDBInstances", "us-east-1/rds")));
    assert_eq!(status, 200);
    assert!(!body.contains("my-instance"));
    assert_eq!(seen(world.handle(Moment(2), &request("Action=GetCallerIdentity", "us-east-1/sts"))).0, 200);
    let mut unsigned = request("Action=GetCallerIdentity", "us-east-1/sts");
    unsigned.headers.clear();
    assert_eq!(seen(world.handle(Moment(3), &unsigned)).0, 403);
}

#[test]
fn the_file_keeps_the_world_and_refuses_what_is_not_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/world.json");
    let store = Store::open(&path, 60.0).unwrap();
    let vpc = store.world().unwrap().ec2.vpcs.keys().next().unwrap().clone();
    let asked = request(&format!("{CREATE}&VpcId={vpc}"), "eu-central-1/ec2");
    assert_eq!(seen(store.handle(&asked).unwrap()).0, 200);
    let other = Store::open(&path, 60.0).unwrap();
    assert_eq!(seen(other.handle(&asked).unwrap()).0, 400);
    assert_eq!(store.world().unwrap().dump(), other.world().unwrap().dump());
    std::fs::write(&path, "{\"format\":99}").unwrap();
    // Also where the world was read before.
    for error in [Store::open(&path, 60.0).unwrap_err(), store.world().unwrap_err()] {
        assert!(error.to_string().contains("format 99"), "{error}");
    }
    Store::reset(&path).unwrap();
    assert_eq!(Store::open(&path, 60.0).unwrap().world().unwrap().dump(), World::newcomer().dump());
}

#[test]
fn a_moment_is_a_date_on_the_calendar() {
    assert_eq!(Moment(0).iso(), "2026-01-01T00:00:00.000Z");
    assert_eq!(Moment(58 * 86_400_000 + 3_723_004).iso(), "2026-02-28T01:02:03.004Z");
    assert_eq!(Moment(789 * 86_400_000).iso(), "2028-02-29T00:00:00.000Z");
}

#[test]
fn a_group_of_parameters_lists_the_engines_formula_where_nobody_has_set_a_number() {
    let mut bed = Bed::new();
    let row = |bed: &mut Bed, group: &str| {
        let answer = bed.rds("DescribeDBParameters", json!({ "DBParameterGroupName": group }));
        let rows = answer["Parameters"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["ParameterName"] == "max_connections").unwrap_or_default()
    };
    assert_eq!(row(&mut bed, "default.mysql8.0")["Source"], "engine-default");
    assert_eq!(row(&mut bed, "default.aurora-postgresql16")["ApplyType"], "static");
    bed.world.rds.parameters.insert("own".into(), BTreeMap::new());
    assert!(row(&mut bed, "own").is_null(), "nothing uses it, so its family is not known");
    bed.world.rds.instances.get_mut("my-instance").unwrap().parameter_group = "own".into();
    let unset = row(&mut bed, "own");
    assert_eq!(
        (&unset["Source"], &unset["ParameterValue"]),
        (&json!("engine-default"), &json!("{DBInstanceClassMemory/12582880}"))
    );
    bed.world.rds.parameters.insert("own".into(), BTreeMap::from([("max_connections".into(), "500".into())]));
    assert_eq!(row(&mut bed, "own")["Source"], "user");
}
