//! The diagnosis: a world with exactly one fault yields exactly that finding first, and a clean one yields none.

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rdsproxy_setup::catalogue::checks::{self, CheckId, Severity};
use rdsproxy_setup::doctor::{self, Diagnosis};
use rdsproxy_setup::engine::Timeouts;
use rdsproxy_setup::spec::{ClientAuth, DatabaseAuth, Spec, Verify};
use sandbox::World;
use sandbox::parts::{Event, Proxy, Role, Status, TargetTrouble};
use serde_json::{Value, json};

use crate::access::customer_key;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::network::{close, group, wall};
use crate::permissions::restrict;

/// Which account the fault is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// Before `up`.
    Before(&'static str),
    /// After it.
    After(&'static str),
    /// After `up --database-auth iam`.
    EndToEnd,
    /// After `up` for a cluster whose secret has a customer key.
    Keyed,
}
use Base::{After, Before, EndToEnd, Keyed};

const INSTANCE: &str = "my-instance";
const CLUSTER: &str = "my-cluster";
const PROXY: &str = "my-instance-proxy";

impl Base {
    fn spec(self) -> Spec {
        match self {
            Before(id) | After(id) => wish(id),
            EndToEnd => wish(INSTANCE),
            Keyed => wish(CLUSTER),
        }
    }

    async fn world(self) -> World {
        let mut world = newcomer();
        let mut spec = self.spec();
        match self {
            Before(_) => return world,
            After(_) => {}
            EndToEnd => {
                spec.client_auth = ClientAuth::Iam;
                spec.database_auth = Some(DatabaseAuth::Iam);
            }
            Keyed => put_key(&mut world),
        }
        let bed = Bed::of(world, NEVER, false);
        let fate = bed.up(&spec).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        bed.settled().await
    }
}

fn key(world: &mut World) -> &mut sandbox::parts::Key {
    world.kms.keys.values_mut().find(|key| !key.aws_managed).unwrap()
}

/// Encrypts the cluster's secret with a key of the customer's.
fn put_key(world: &mut World) {
    let key = customer_key(world, None);
    secret(world).kms_key = Some(key);
}

fn secret(world: &mut World) -> &mut sandbox::parts::Secret {
    world.secrets.secrets.values_mut().find(|secret| secret.name == "my-cluster/app").unwrap()
}

fn function<'a>(world: &'a mut World, name: &str) -> &'a mut sandbox::parts::Function {
    world.lambda.functions.get_mut(name).unwrap()
}

fn set(world: &mut World, name: &str, variable: &str, value: &str) {
    let environment = function(world, name).latest.environment.as_mut().unwrap();
    environment.insert(variable.to_owned(), value.to_owned());
}

fn instance(world: &mut World) -> &mut sandbox::parts::Instance {
    world.rds.instances.get_mut(INSTANCE).unwrap()
}

fn cluster(world: &mut World) -> &mut sandbox::parts::Cluster {
    world.rds.clusters.get_mut(CLUSTER).unwrap()
}

fn proxy(world: &mut World) -> &mut Proxy {
    world.rds.proxies.get_mut(PROXY).unwrap()
}

fn our_role(world: &mut World) -> &mut Role {
    world.iam.roles.get_mut("my-instance-proxy-eu-central-1").unwrap()
}

/// Takes the rules that `up` made out of a group.
fn without_ours(world: &mut World, name: &str) {
    let id = group(world, name);
    world.ec2.groups.get_mut(&id).unwrap().rules.retain(|_, rule| !rule.tags.contains_key("rdsproxy-setup:stack"));
}

fn event(world: &mut World, message: &str) {
    let event = Event {
        at: world.now,
        source_type: "db-proxy".to_owned(),
        source: PROXY.to_owned(),
        arn: String::new(),
        message: message.to_owned(),
        category: "failure".to_owned(),
    };
    world.rds.events.push(event);
}

fn schedule_deletion(world: &mut World, of: impl Fn(&sandbox::parts::Secret) -> bool) {
    let deletion = json!({"asked": world.now, "due": world.now + std::time::Duration::from_hours(168)});
    for secret in world.secrets.secrets.values_mut().filter(|secret| of(secret)) {
        secret.deletion = Some(serde_json::from_value(deletion.clone()).unwrap());
    }
}

/// Takes away what shows that the functions use IAM tokens.
pub(crate) fn silence(world: &mut World) {
    instance(world).iam_auth = false;
    for role in ["DBAppFunctionRole", "InvoiceFunctionRole"] {
        world.iam.roles.get_mut(role).unwrap().inline.clear();
    }
}

/// A fault, where it is put, and the failure that it is known as.
type Case = (CheckId, Base, fn(&mut World));

const CASES: &[Case] = &[
    (CheckId::Engine, Before("legacy-oracle"), |_| {}),
    (CheckId::ServerlessV1, Before(CLUSTER), |world| cluster(world).engine_mode = String::from("serverless")),
    (CheckId::Version, Before(INSTANCE), |world| instance(world).engine_version = String::from("5.6.51")),
    (CheckId::Replica, Before(INSTANCE), |world| instance(world).replica_of = Some("primary".to_owned())),
    (CheckId::ClusterMember, Before("my-cluster-writer"), |_| {}),
    (CheckId::DatabaseDown, After(INSTANCE), |world| instance(world).status = String::from("stopped")),
    (CheckId::DatabaseBusy, Before(INSTANCE), |world| instance(world).status = String::from("configuring-log-exports")),
    (CheckId::NoInstance, Before(CLUSTER), |world| {
        cluster(world).members.clear();
        world.rds.instances.retain(|_, instance| instance.cluster.is_none());
    }),
    (CheckId::Tenancy, Before(INSTANCE), |world| {
        world.ec2.vpcs.values_mut().for_each(|vpc| vpc.tenancy = String::from("dedicated"));
    }),
    (CheckId::EncryptionControl, Before(INSTANCE), |world| {
        world.ec2.vpcs.values_mut().for_each(|vpc| vpc.encryption = Some("enforce".to_owned()));
    }),
    (CheckId::ReadOnlyParameter, Before(INSTANCE), |world| {
        instance(world).parameter_group = String::from("own");
        world.rds.parameters.insert("own".to_owned(), [("read_only".to_owned(), "1".to_owned())].into());
    }),
    (CheckId::ParameterPending, After(INSTANCE), |world| {
        instance(world).parameter_status = String::from("pending-reboot");
    }),
    (CheckId::ServerlessFloor, Before(CLUSTER), |world| cluster(world).serverless = Some((5, 160))),
    (CheckId::ServerlessFloor, After(CLUSTER), |world| cluster(world).serverless = Some((5, 160))),
    (CheckId::BlueGreen, After(INSTANCE), |world| instance(world).is_unhealthy = Some(TargetTrouble::Promoted)),
    (CheckId::SmallPool, After(INSTANCE), |world| proxy(world).target_group.max_connections_percent = 10),
    (CheckId::Babelfish, Before(CLUSTER), |world| {
        cluster(world).parameter_group = String::from("own");
        world.rds.parameters.insert("own".to_owned(), [("rds.babelfish_status".to_owned(), "on".to_owned())].into());
    }),
    (CheckId::NoDatabase, Before("my-instanse"), |_| {}),
    (CheckId::Zones, Before(INSTANCE), |world| {
        for subnet in world.ec2.subnets.values_mut().filter(|subnet| subnet.zone != "eu-central-1a") {
            subnet.zone_id = String::from("use1-az3");
        }
    }),
    (CheckId::ZoneUnsupported, Before(INSTANCE), |world| {
        let subnets = world.ec2.subnets.values_mut();
        subnets
            .filter(|subnet| subnet.zone == "eu-central-1c")
            .for_each(|subnet| subnet.zone_id = String::from("use1-az3"));
    }),
    (CheckId::FreeAddresses, After(INSTANCE), |world| {
        world.ec2.subnets.values_mut().for_each(|subnet| subnet.free_addresses = 1);
    }),
    (CheckId::AclToDatabase, After(INSTANCE), |world| {
        instance(world).port = 3307;
        {
            let id = group(world, "my-instance-db");
            let rules = &mut world.ec2.groups.get_mut(&id).unwrap().rules;
            rules
                .values_mut()
                .filter(|rule| !rule.egress)
                .for_each(|rule| (rule.from_port, rule.to_port) = (3307, 3307));
        }
        wall(world, 3307);
    }),
    (CheckId::AclToProxy, After(INSTANCE), |world| {
        // The functions are moved into a subnet of their own, whose ACL lets nothing in.
        let (id, mut subnet) = world.ec2.subnets.iter().next().map(|(id, s)| (id.clone(), s.clone())).unwrap();
        subnet.cidr = String::from("10.0.200.0/24");
        world.ec2.subnets.insert("subnet-0apart".to_owned(), subnet);
        let mut acl = world.ec2.acls.values().next().unwrap().clone();
        acl.default = false;
        acl.subnets = vec!["subnet-0apart".to_owned()];
        acl.entries.retain(|entry| entry.egress);
        world.ec2.acls.insert("acl-0apart".to_owned(), acl);
        for table in world.ec2.route_tables.values_mut().filter(|table| table.subnets.contains(&id)) {
            table.subnets.push("subnet-0apart".to_owned());
        }
        for name in ["DBAppFunction", "InvoiceFunction"] {
            function(world, name).latest.vpc.as_mut().unwrap().subnets = vec!["subnet-0apart".to_owned()];
        }
    }),
    (CheckId::Route, After(INSTANCE), |world| {
        let block = world.ec2.subnets[&world.rds.subnet_groups["private"].subnets[0]].cidr.clone();
        for table in world.ec2.route_tables.values_mut() {
            table.routes.push((block.clone(), "eni-0firewall".to_owned()));
        }
    }),
    (CheckId::DatabaseIngress, After(INSTANCE), |world| without_ours(world, "my-instance-db")),
    (CheckId::SharedGroup, After(INSTANCE), |world| {
        let shared = group(world, "my-instance-db");
        proxy(world).groups = vec![shared];
    }),
    (CheckId::ProxyEgress, After(INSTANCE), |world| close(world, PROXY)),
    (CheckId::ProxyIngress, After(INSTANCE), |world| without_ours(world, PROXY)),
    (CheckId::FunctionEgress, After(INSTANCE), |world| close(world, "app-functions")),
    (CheckId::OrphanGroup, After(INSTANCE), |world| world.rds.proxies.clear()),
    (CheckId::SecretMissing, Before(INSTANCE), |world| instance(world).master_secret = None),
    (CheckId::SecretOfUser, Before(INSTANCE), |world| set(world, "InvoiceFunction", "DB_USER", "billing")),
    (CheckId::SecretOfUser, After(INSTANCE), |world| {
        // What an earlier run left whose flags replaced the functions' users.
        let secret = secret(world);
        secret.tags.insert("rdsproxy-setup:user".to_owned(), "billing".to_owned());
        let arn = secret.arn.clone();
        proxy(world).auth[0].secret_arn = arn;
    }),
    (CheckId::SecretUnproven, Before(CLUSTER), |world| secret(world).tags.clear()),
    (CheckId::LoginUnknown, Before(INSTANCE), silence),
    (CheckId::SecretShape, Before(CLUSTER), |world| {
        let text = r#"{"user":"app","pass":"do-not-show-me"}"#.to_owned();
        secret(world).versions.iter_mut().for_each(|version| version.text = Some(text.clone()));
    }),
    (CheckId::SecretDeleted, After(CLUSTER), |world| {
        schedule_deletion(world, |secret| secret.name == "my-cluster/app");
    }),
    (CheckId::SecretStatus, After(INSTANCE), |world| schedule_deletion(world, |secret| secret.owner.is_some())),
    (CheckId::RoleReadsSecret, After(INSTANCE), |world| our_role(world).inline.clear()),
    (CheckId::RoleTrust, After(INSTANCE), |world| {
        let role = our_role(world);
        role.trust = role.trust.replace("rds.", "ec2.");
    }),
    (CheckId::KeyPolicy, Keyed, |world| {
        let admin = format!("arn:aws:iam::{}:role/admin", world.account);
        key(world).policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": admin}, "Action": "kms:*", "Resource": "*"}]});
    }),
    (CheckId::KeyDisabled, Keyed, |world| key(world).enabled = false),
    (CheckId::IamOff, EndToEnd, |world| instance(world).iam_auth = false),
    (CheckId::RoleConnects, EndToEnd, |world| our_role(world).inline.clear()),
    (CheckId::Rotation, After(CLUSTER), |world| {
        let secret = secret(world);
        secret.rotation = true;
        secret.rotated_by = Some("arn:aws:lambda:eu-central-1:123456789012:function:RotationMultiUser".to_owned());
    }),
    (CheckId::Connect, After(INSTANCE), |world| {
        let role = world.iam.roles.get_mut("DBAppFunctionRole").unwrap();
        role.attached.retain(|arn| !arn.contains("my-instance-proxy"));
    }),
    (CheckId::NoVpc, Before(INSTANCE), |world| function(world, "DBAppFunction").latest.vpc = None),
    (CheckId::OtherVpc, Before(INSTANCE), |world| {
        function(world, "DBAppFunction").latest.vpc.as_mut().unwrap().id = String::from("vpc-0other");
    }),
    (CheckId::HiddenVariables, Before(INSTANCE), |world| {
        function(world, "DBAppFunction").unreadable_environment = true;
    }),
    (CheckId::FrozenVersion, After(CLUSTER), |world| {
        function(world, "OrdersFunction").aliases.get_mut("live").unwrap().version = String::from("1");
    }),
    (CheckId::UpdateFailed, After(INSTANCE), |world| {
        let failed = sandbox::parts::Update::Failed("InvalidSecurityGroup".to_owned());
        function(world, "DBAppFunction").latest.update = failed;
    }),
    (CheckId::WithoutTls, After(INSTANCE), |world| set(world, "DBAppFunction", "DB_SSL", "false")),
    (CheckId::WrongCa, Before(INSTANCE), |world| {
        set(world, "DBAppFunction", "DB_CA", "/opt/certs/eu-central-1-bundle.pem");
    }),
    (CheckId::StartupOptions, Before(CLUSTER), |world| {
        let url = function(world, "ReportsFunction").latest.environment.as_ref().unwrap()["DATABASE_URL"].clone();
        set(world, "ReportsFunction", "DATABASE_URL", &format!("{url}&options=-csearch_path%3Dshop"));
    }),
    (CheckId::LoginMismatch, After(INSTANCE), |world| {
        proxy(world).auth.iter_mut().for_each(|auth| auth.iam_auth = String::from("DISABLED"));
    }),
    (CheckId::LoginMismatch, Before(INSTANCE), |world| set(world, "InvoiceFunction", "DB_PASSWORD", "do-not-show-me")),
    (CheckId::GoesPast, After(INSTANCE), |world| {
        let host = instance(world).endpoint.clone();
        set(world, "DBAppFunction", "DB_HOST", &host);
    }),
    (CheckId::HiddenHost, Before(INSTANCE), |world| {
        let url = format!("mysql://app:do-not-show-me@{}:3306/shop", instance(world).endpoint);
        set(world, "DBAppFunction", "DB_DSN", &BASE64_STANDARD.encode(url));
    }),
    (CheckId::HiddenHost, Before(INSTANCE), |world| {
        let host = instance(world).endpoint.replace('.', "%2E");
        set(world, "DBAppFunction", "DB_DSN", &format!("mysql%3A%2F%2Fapp%40{host}%3A3306"));
    }),
    (CheckId::DeadProxy, After(INSTANCE), |world| {
        let host = proxy(world).endpoint.replace("my-instance-proxy", "former");
        set(world, "DBAppFunction", "DB_HOST", &host);
    }),
    (CheckId::Unexplained, After(INSTANCE), |world| instance(world).is_unhealthy = Some(TargetTrouble::Refused)),
    (CheckId::Scaling, After(INSTANCE), |world| {
        world.profile.target_capacity = std::time::Duration::from_hours(9);
        let now = world.now;
        proxy(world).target_group.target.as_mut().unwrap().registered = now;
    }),
    (CheckId::NotRegistered, After(INSTANCE), |world| proxy(world).target_group.target = None),
    (CheckId::OtherTarget, After(INSTANCE), |world| {
        let other = instance(world).clone();
        world.rds.instances.insert("other".to_owned(), other);
        proxy(world).target_group.target.as_mut().unwrap().id = String::from("other");
    }),
    (CheckId::ForeignProxy, After(INSTANCE), |world| proxy(world).tags.clear()),
    (CheckId::ProxyState, After(INSTANCE), |world| {
        proxy(world).status = Status::Settled("incompatible-network".to_owned());
    }),
    (CheckId::OneZone, After(INSTANCE), |world| proxy(world).subnets.truncate(1)),
    (CheckId::Throttled, After(INSTANCE), |world| {
        event(world, "RDS throttled some connections to DB proxy my-instance-proxy.");
    }),
    (CheckId::NoAddresses, After(INSTANCE), |world| {
        event(
            world,
            "RDS couldn't provision capacity for your proxy because there aren't enough IP addresses available.",
        );
    }),
    (CheckId::Overcommitted, After(INSTANCE), |world| {
        let mut another = proxy(world).clone();
        another.target_group.max_connections_percent = 40;
        world.rds.proxies.insert("another".to_owned(), another);
    }),
    (CheckId::Stops, Before(INSTANCE), |world| {
        let mut role = world.iam.roles["DBAppFunctionRole"].clone();
        role.name = String::from("my-instance-proxy-eu-central-1");
        world.iam.roles.insert(role.name.clone(), role);
    }),
];

/// What no world shows: known by its refusal, by a login, or by metrics alone.
const UNSEEN: [CheckId; 10] = [
    CheckId::NoMorePause,
    CheckId::PostgresDatabase,
    CheckId::UserNameInAuth,
    CheckId::VariablesVanish,
    CheckId::Pinning,
    CheckId::ClearPassword,
    CheckId::IdleClients,
    CheckId::ClearPlugin,
    CheckId::Quota,
    CheckId::FreePlan,
];

async fn examine(bed: &Bed, spec: &Spec) -> Diagnosis {
    Box::pin(doctor::examine(&bed.cloud, spec, Timeouts::default())).await.unwrap()
}

fn wanted(check: CheckId, base: Base) -> Spec {
    let mut spec = base.spec();
    spec.inspect_secret = check == CheckId::SecretShape;
    if check == CheckId::HiddenVariables {
        spec.functions = vec!["DBAppFunction".to_owned()];
    }
    spec
}

/// Every account of these tests: what it is for, and the settings of its run.
pub(crate) async fn samples() -> Vec<(String, World, Spec)> {
    let mut samples = Vec::new();
    for base in [Before(INSTANCE), Before(CLUSTER), After(INSTANCE), After(CLUSTER), EndToEnd, Keyed] {
        samples.push((format!("{base:?}"), base.world().await, base.spec()));
    }
    for (check, base, fault) in CASES {
        let mut world = base.world().await;
        fault(&mut world);
        samples.push((format!("{check:?} in {base:?}"), world, wanted(*check, *base)));
    }
    samples
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: a world for every failure"]
async fn every_fault_is_found_first_and_changes_nothing() {
    let mut wrong = Vec::new();
    for (check, base, fault) in CASES {
        let mut world = base.world().await;
        fault(&mut world);
        let bed = Bed::of(world, NEVER, false);
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
        let since = bed.logged();
        let diagnosis = examine(&bed, &wanted(*check, *base)).await;
        let first = diagnosis.findings.first().map(|finding| finding.check);
        if first != Some(*check) {
            wrong.push(format!("{check:?} in {base:?}: {:?} {:?}", diagnosis.symptoms, diagnosis.findings));
        }
        assert_eq!(bed.mutations(since), [""; 0], "{check:?}");
        let told = format!("{diagnosis:?}");
        assert!(!told.contains("do-not-show-me") && !told.contains("not-a-real-password"), "{check:?}: {told}");
        let errors = diagnosis.findings.iter().any(|finding| finding.severity == Severity::Error);
        assert_eq!(diagnosis.stops(), errors, "{check:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn what_no_proxy_can_serve_stops_up() {
    let mut stopped = BTreeSet::new();
    let old: Case =
        (CheckId::Version, Before(INSTANCE), |world| instance(world).engine_version = String::from("5.5.62"));
    for (check, base, fault) in CASES.iter().chain([&old]).filter(|case| case.0.is_refusal()) {
        let mut world = base.world().await;
        fault(&mut world);
        let bed = Bed::of(world, NEVER, false);
        let since = bed.logged();
        let fate = bed.up(&wanted(*check, *base)).await;
        assert!(matches!(fate, Fate::Stopped(_)), "{check:?}: {fate:?}");
        assert_eq!(bed.mutations(since), [""; 0], "{check:?}");
        stopped.insert(*check);
    }
    let all: BTreeSet<CheckId> = checks::all().map(|info| info.id).filter(|check| check.is_refusal()).collect();
    assert_eq!(stopped, all);
}

#[test]
fn every_failure_has_a_case() {
    let cases: BTreeSet<CheckId> = CASES.iter().map(|case| case.0).chain(UNSEEN).chain(crate::late::LATE).collect();
    let missing: Vec<CheckId> = checks::all().map(|info| info.id).filter(|id| !cases.contains(id)).collect();
    assert_eq!(missing, []);
}

#[tokio::test(start_paused = true)]
async fn a_clean_world_yields_nothing() {
    for base in [Before(INSTANCE), Before(CLUSTER), After(INSTANCE), After(CLUSTER), EndToEnd, Keyed] {
        let bed = Bed::of(base.world().await, NEVER, false);
        let diagnosis = examine(&bed, &base.spec()).await;
        assert!(diagnosis.is_clean() && diagnosis.findings.is_empty(), "{base:?}: {diagnosis:#?}");
        assert!(diagnosis.fine > 15, "{base:?}: {diagnosis:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_other_rows_know_is_told_with_what_comes_first() {
    // A cluster that paused: its floor is the likelier cause of trouble, and the lost pause comes along.
    let mut world = newcomer();
    cluster(&mut world).serverless = Some((0, 160));
    let diagnosis = examine(&Bed::of(world, NEVER, false), &wish(CLUSTER)).await;
    let found: Vec<CheckId> = diagnosis.findings.iter().map(|finding| finding.check).collect();
    assert_eq!(found, [CheckId::ServerlessFloor, CheckId::NoMorePause]);

    // What only a login would show is not called fine.
    let mut world = After(CLUSTER).world().await;
    world.rds.instances.get_mut("my-cluster-writer").unwrap().is_unhealthy = Some(TargetTrouble::Refused);
    let bed = Bed::of(world, NEVER, false);
    tokio::time::sleep(std::time::Duration::from_hours(1)).await;
    let diagnosis = examine(&bed, &wish(CLUSTER)).await;
    assert_eq!(diagnosis.findings[0].check, CheckId::Unexplained);
    let unchecked: Vec<CheckId> = diagnosis.unchecked.iter().map(|(check, _)| *check).collect();
    assert!(unchecked.contains(&CheckId::PostgresDatabase), "{diagnosis:#?}");
    let ruled_out: Vec<CheckId> = diagnosis.ruled_out.iter().map(|(check, _)| *check).collect();
    assert_eq!(ruled_out, [CheckId::ParameterPending, CheckId::Overcommitted]);

    // A region with twenty proxies has no room for the next one.
    let mut world = After(INSTANCE).world().await;
    for number in 0..20 {
        let copy = proxy(&mut world).clone();
        world.rds.proxies.insert(format!("another-{number}"), copy);
    }
    let diagnosis = examine(&Bed::of(world, NEVER, false), &wish(CLUSTER)).await;
    assert_eq!(diagnosis.findings[0].check, CheckId::Quota);
}

/// The reads that a diagnosis makes beyond a status.
const READS: [(&str, &[CheckId]); 8] = [
    ("ec2:DescribeVpcs", &[CheckId::Tenancy, CheckId::EncryptionControl]),
    ("ec2:DescribeSubnets", &[CheckId::ZoneUnsupported, CheckId::FreeAddresses, CheckId::AclToDatabase]),
    ("ec2:DescribeNetworkAcls", &[CheckId::AclToDatabase, CheckId::AclToProxy]),
    ("ec2:DescribeRouteTables", &[CheckId::Route]),
    ("rds:DescribeDBParameters", &[CheckId::ReadOnlyParameter, CheckId::Babelfish]),
    ("rds:DescribeEvents", &[CheckId::Throttled, CheckId::NoAddresses]),
    ("rds:DescribeDBProxyTargetGroups", &[CheckId::SmallPool]),
    // Step 8 and 7 are compared instead.
    ("iam:SimulatePrincipalPolicy", &[]),
];

/// A policy that allows everything else.
pub(crate) fn all_but(action: &str) -> Value {
    json!({"Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": action, "Resource": "*"}]})
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_not_called_fine() {
    let mut world = After(INSTANCE).world().await;
    instance(&mut world).parameter_group = String::from("own");
    world.rds.parameters.insert("own".to_owned(), [("time_zone".to_owned(), "UTC".to_owned())].into());
    for (action, checks) in READS {
        let bed = Bed::of(world.clone(), NEVER, false);
        restrict(&bed, &[all_but(action)]);
        let diagnosis = examine(&bed, &wish(INSTANCE)).await;
        assert!(diagnosis.findings.is_empty(), "{action}: {diagnosis:#?}");
        for check in checks {
            let why = diagnosis.unchecked.iter().find(|(unchecked, _)| unchecked == check);
            assert!(why.is_some_and(|(_, why)| why.contains(action)), "{action}: {check:?}: {diagnosis:#?}");
        }
    }
    // Without the simulator, a policy that was taken off is still found.
    our_role(&mut world).inline.clear();
    let bed = Bed::of(world, NEVER, false);
    restrict(&bed, &[all_but("iam:SimulatePrincipalPolicy")]);
    tokio::time::sleep(std::time::Duration::from_hours(1)).await;
    assert_eq!(examine(&bed, &wish(INSTANCE)).await.findings[0].check, CheckId::RoleReadsSecret);
}

/// Takes the right to connect from the function's role, so that a look before step 13 finds RPX052.
pub(crate) fn deny_connect(world: &mut World) {
    let role = world.iam.roles.get_mut("DBAppFunctionRole").unwrap();
    let document =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"rds-db:connect","Resource":"*"}]}"#;
    role.inline.insert("no-database".to_owned(), document.to_owned());
}

#[tokio::test(start_paused = true)]
async fn no_function_is_pointed_at_a_proxy_that_it_cannot_use() {
    for number in ["RPX052", "RPX065"] {
        let mut world = newcomer();
        match number {
            "RPX052" => deny_connect(&mut world),
            _ => set(&mut world, "DBAppFunction", "DB_SSL", "false"),
        }
        let bed = Bed::of(world.clone(), NEVER, false);
        let fate = bed.up(&wish(INSTANCE)).await;
        assert!(matches!(&fate, Fate::Stopped(why) if why.contains(number)), "{number}: {fate:?}");
        let touched = ["UpdateFunctionConfiguration", "TagResource"];
        let actions = bed.actions(0);
        assert!(!actions.iter().any(|action| touched.contains(&action.as_str())), "{number}: a function was touched");
        // Whoever knows better may say so.
        let spec = Spec { verify: Verify::None, ..wish(INSTANCE) };
        assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    }
}
