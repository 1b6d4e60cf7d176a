//! Law 9: the permissions that we publish are exactly enough.
//!
//! Every case runs with a principal that has the published policy and nothing more, so that none is missing; and
//! once without each action, where some case must meet a denial, so that none is too many.

use clap::ValueEnum as _;
use rdsproxy_setup::cloud::rds::Pool;
use rdsproxy_setup::doctor;
use rdsproxy_setup::engine::Timeouts;
use rdsproxy_setup::permissions::{Feature, PERMISSIONS, Permission, Scope, Verb, documents, policies};
use rdsproxy_setup::rehearse;
use rdsproxy_setup::resources::alarms::Settings;
use rdsproxy_setup::spec::{ClientAuth, CreateSecret, DatabaseAuth, Spec, Verify};
use rdsproxy_setup::stacks;
use rdsproxy_setup::teardown;
use sandbox::parts::{KeyGrants, Secret};
use sandbox::{Principal, World};
use serde_json::Value;

use crate::access::customer_key;
use crate::adoption;
use crate::function_keys::encrypted;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::network::close;
use crate::probes::verify;

const KEY: &str = "AKIATEST";

/// An account, and any database in it.
pub(crate) fn scope() -> Scope {
    Scope {
        partition: "aws".to_owned(),
        region: "eu-central-1".to_owned(),
        account: "123456789012".to_owned(),
        database: None,
        stack: None,
        functions: Vec::new(),
        function_roles: Vec::new(),
        secrets: Vec::new(),
        known: None,
        boundary: None,
        role: None,
        connect_policy: None,
    }
}

/// Lets the caller do no more than these policies allow.
pub(crate) fn restrict(bed: &Bed, policies: &[Value]) {
    let arn = "arn:aws:iam::123456789012:user/deployer".to_owned();
    let principal = Principal { arn, policies: Some(policies.to_vec()) };
    bed.gate.account.with(|world| world.principals.insert(KEY.to_owned(), principal));
}

/// What was refused, and never allowed later: RDS words a missing service-linked role as a denial of the proxy, once.
pub(crate) fn denials(bed: &Bed) -> Vec<String> {
    let denied = |code: &String| code.contains("AccessDenied") || code == "UnauthorizedOperation";
    bed.gate.account.with(|world| {
        let later = |at: usize, action: &str| {
            world.log.iter().skip(at + 1).any(|call| call.action == action && call.error.is_none())
        };
        let refused = world.log.iter().enumerate().filter(|(_, call)| call.error.as_ref().is_some_and(denied));
        refused.filter(|(at, call)| !later(*at, &call.action)).map(|(_, call)| call.action.clone()).collect()
    })
}

/// One way of using the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Instance,
    Cluster,
    Virgin,
    Drift,
    Pool,
    Secret,
    EndToEnd,
    EndToEndCluster,
    Adoption,
    Network,
    Lists,
    Doctor,
    DoctorCluster,
    Probe,
    Encrypted,
    Users,
    LogGroup,
    Advise,
    AdviseCluster,
    Export,
    Canary,
    CanaryWorse,
    Watch,
    WatchCluster,
    Alarms,
    Direct,
}

/// Users whom the case `Drift` lets in, one after another: more than a policy keeps versions.
const OTHERS: [&str; 5] = ["one", "two", "three", "four", "five"];

const CASES: [Case; 26] = [
    Case::Instance,
    Case::Cluster,
    Case::Virgin,
    Case::Drift,
    Case::Pool,
    Case::Secret,
    Case::EndToEnd,
    Case::EndToEndCluster,
    Case::Adoption,
    Case::Network,
    Case::Lists,
    Case::Doctor,
    Case::DoctorCluster,
    Case::Probe,
    Case::Encrypted,
    Case::Users,
    Case::LogGroup,
    Case::Advise,
    Case::AdviseCluster,
    Case::Export,
    Case::Canary,
    Case::CanaryWorse,
    Case::Watch,
    Case::WatchCluster,
    Case::Alarms,
    Case::Direct,
];

pub(crate) fn end_to_end(id: &str) -> Spec {
    let mut spec = wish(id);
    spec.client_auth = ClientAuth::Iam;
    spec.database_auth = Some(DatabaseAuth::Iam);
    spec.enable_iam_auth = true;
    spec
}

/// A stack with alarms and a dashboard, from its creation to its end.
async fn watched(bed: &Bed) {
    let spec = wish("my-instance");
    drop(bed.up(&spec).await);
    let settings = Settings { dashboard: true, ..Settings::default() };
    drop(bed.alarms(&spec, &settings).await);
    drop(bed.alarms(&spec, &settings).await);
    drop(bed.down(&spec).await);
}

impl Case {
    async fn world(self) -> World {
        let mut world = newcomer();
        match self {
            Self::Virgin => world.iam.roles.retain(|name, _| !name.starts_with("AWSServiceRoleForRDS")),
            Self::Secret => drop(customer_key(&mut world, None)),
            Self::EndToEnd => world.rds.instances.get_mut("my-instance").unwrap().iam_auth = false,
            Self::Encrypted => drop(encrypted(&mut world, KeyGrants::Denied)),
            Self::Adoption => return adoption::made_by_hand().await,
            Self::Drift => {
                for function in world.lambda.functions.values_mut() {
                    function.latest.environment.iter_mut().for_each(|variables| drop(variables.remove("DB_USER")));
                }
                for user in OTHERS {
                    let mut secret = world.secrets.secrets["my-cluster/app"].clone();
                    secret.arn = secret.arn.replace("my-cluster/app", &format!("my-instance/{user}"));
                    secret.name = format!("my-instance/{user}");
                    secret.tags.insert("rdsproxy-setup:user".to_owned(), user.to_owned());
                    world.secrets.secrets.insert(secret.name.clone(), secret);
                }
            }
            Self::CanaryWorse => world.set_at_proxy("OrdersFunction", sandbox::AtProxy::Refused),
            Self::Network => close(&mut world, "app-functions"),
            Self::Advise | Self::AdviseCluster => return crate::advise::every_read().await,
            Self::Watch | Self::WatchCluster => return crate::live::watched().await,
            Self::Doctor | Self::DoctorCluster => {
                // Groups that can be changed, and so are read.
                let own = || [("time_zone".to_owned(), "UTC".to_owned())].into();
                world.rds.parameters.insert("own".to_owned(), own());
                world.rds.instances.get_mut("my-instance").unwrap().parameter_group = String::from("own");
                world.rds.clusters.get_mut("my-cluster").unwrap().parameter_group = String::from("own");
            }
            _ => {}
        }
        world
    }

    /// The database of a case that looks at one.
    fn database(self) -> &'static str {
        match self {
            Self::DoctorCluster | Self::AdviseCluster | Self::WatchCluster => "my-cluster",
            _ => "my-instance",
        }
    }

    /// What the case does; failures are seen as denials.
    #[expect(clippy::too_many_lines, reason = "an arm for each case")]
    async fn run(self, bed: &Bed) {
        let up = async |spec: &Spec| drop(bed.up(spec).await);
        let round = async |spec: &Spec| {
            up(spec).await;
            drop(bed.survey(spec).await);
            drop(bed.down(spec).await);
        };
        match self {
            Self::Instance | Self::Encrypted => round(&wish("my-instance")).await,
            Self::Cluster => round(&wish("my-cluster")).await,
            Self::LogGroup => round(&Spec { log_retention: Some(30), ..wish("my-instance") }).await,
            Self::Virgin => up(&wish("my-instance")).await,
            Self::Users => {
                let change = |user: &str| {
                    bed.gate.account.with(|world| {
                        let function = world.lambda.functions.get_mut("InvoiceFunction").unwrap();
                        let variables = function.latest.environment.as_mut().unwrap();
                        variables.insert("DB_USER".to_owned(), user.to_owned());
                    });
                };
                let master = bed.gate.account.with(|world| world.rds.instances["my-instance"].master_secret.clone());
                let spec = Spec { secrets: vec![master.unwrap(), "my-cluster/app".to_owned()], ..wish("my-instance") };
                change("app");
                up(&spec).await;
                change("admin");
                round(&spec).await;
            }
            Self::Drift => {
                up(&wish("my-instance")).await;
                for user in OTHERS {
                    bed.gate.account.with(|world| {
                        let role = world.iam.roles.get_mut("my-instance-proxy-eu-central-1").unwrap();
                        role.trust = role.trust.replace("rds.", "ec2.");
                        let proxy = world.rds.proxies.get_mut("my-instance-proxy").unwrap();
                        proxy.groups.clear();
                        for policy in world.iam.policies.values_mut() {
                            policy.tags.remove("rdsproxy-setup:document");
                        }
                    });
                    let mut spec = wish("my-instance");
                    spec.db_users = vec![user.to_owned()];
                    spec.client_auth = ClientAuth::Iam;
                    spec.secrets = vec![format!("my-instance/{user}")];
                    let boundary = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole";
                    spec.permissions_boundary = Some(boundary.to_owned());
                    up(&spec).await;
                }
            }
            Self::Pool => {
                let pool = Pool { max_connections_percent: Some(50), ..Pool::default() };
                let spec = Spec { pool, ..wish("my-instance") };
                up(&spec).await;
                up(&spec).await;
            }
            Self::Secret => {
                let mut spec = wish("my-cluster");
                spec.db_users = vec!["app".to_owned()];
                let kms_key = Some("alias/shop".to_owned());
                spec.create_secret = Some(CreateSecret { users: spec.db_users.clone(), kms_key, generate: true });
                round(&spec).await;
                up(&spec).await;
                spec.inspect_secret = true;
                up(&spec).await;
            }
            Self::EndToEnd => round(&end_to_end("my-instance")).await,
            Self::EndToEndCluster => round(&end_to_end("my-cluster")).await,
            Self::Adoption => round(&adoption::adopting(true)).await,
            Self::Network => {
                let mut spec = wish("my-instance");
                spec.subnets = bed.gate.account.with(|world| {
                    let instance = &world.rds.instances["my-instance"];
                    world.rds.subnet_groups[&instance.subnet_group].subnets.iter().take(2).cloned().collect()
                });
                round(&spec).await;
            }
            Self::Doctor | Self::DoctorCluster => {
                let mut spec = wish(self.database());
                up(&spec).await;
                spec.inspect_secret = true;
                spec.read_log = true;
                drop(Box::pin(doctor::examine(&bed.cloud, &spec, Timeouts::default())).await);
            }
            Self::Advise | Self::AdviseCluster => drop(crate::advise::facts(bed, self.database()).await),
            Self::Watch | Self::WatchCluster => drop(crate::live::read(bed, self.database()).await),
            Self::Export => Box::pin(crate::handover::there_and_back(bed, &wish("my-instance"))).await,
            Self::Canary | Self::CanaryWorse => up(&crate::canary::case(self == Self::CanaryWorse)).await,
            Self::Alarms => {
                watched(bed).await;
            }
            Self::Direct => {
                up(&wish("my-instance")).await;
                drop(bed.close(&wish("my-instance")).await);
                drop(bed.restore(&wish("my-instance")).await);
                drop(bed.down(&wish("my-instance")).await);
            }
            Self::Probe => {
                up(&Spec { verify: Verify::Probe, ..wish("my-instance") }).await;
                drop(verify(bed, &wish("my-instance")).await);
            }
            Self::Lists => {
                drop(stacks::list(&bed.cloud).await);
                let mut spec = wish("my-cluster");
                spec.secrets = vec!["my-cluster/ap".to_owned()];
                drop(bed.survey(&spec).await);
                // The versions of functions that are named are asked for one by one.
                drop(bed.survey(&Spec { functions: vec!["OrdersFunction".to_owned()], ..wish("my-cluster") }).await);
            }
        }
    }

    async fn denials(self, policies: &[Value]) -> Vec<String> {
        let bed = Bed::of(self.world().await, NEVER, false);
        restrict(&bed, policies);
        self.run(&bed).await;
        let mut denials = denials(&bed);
        // Tags are withheld without an error.
        if self == Self::Lists
            && let Ok(survey) = bed.survey(&wish("my-instance")).await
            && survey.functions.iter().any(|found| found.function.unread_tags.is_some())
        {
            denials.push("ListTags".to_owned());
        }
        denials
    }
}

#[tokio::test(start_paused = true)]
async fn law_9_nothing_is_missing() {
    let all = policies(
        &[
            Verb::Up,
            Verb::Status,
            Verb::Teardown,
            Verb::CloseDirect,
            Verb::Advise,
            Verb::Export,
            Verb::Watch,
            Verb::Alarms,
            Verb::Doctor,
            Verb::Verify,
        ],
        Feature::value_variants(),
        &scope(),
    );
    for case in CASES {
        assert_eq!(case.denials(&all).await, [""; 0], "{case:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn law_9_a_policy_for_one_database_is_enough_for_it() {
    for id in ["my-instance", "my-cluster"] {
        let scope = Scope { database: Some(id.to_owned()), ..scope() };
        let bed = Bed::new(NEVER, false);
        // `up --dry-run` of a database without a proxy.
        restrict(&bed, &policies(&[Verb::Status], &[], &scope));
        let survey = bed.survey(&wish(id)).await.unwrap();
        drop(Box::pin(doctor::before(&bed.cloud, &survey)).await);
        assert_eq!(denials(&bed), [""; 0], "{id}");
        restrict(&bed, &policies(&[Verb::Up, Verb::Status], &[], &scope));
        drop(bed.up(&wish(id)).await);
        restrict(&bed, &policies(&[Verb::Status], &[], &scope));
        drop(bed.survey(&wish(id)).await);
        restrict(&bed, &policies(&[Verb::Verify, Verb::Status], &[Feature::Probe], &scope));
        assert!(matches!(verify(&bed, &wish(id)).await, Fate::Done(_)), "{id}");
        restrict(&bed, &policies(&[Verb::Teardown], &[], &scope));
        drop(bed.down(&wish(id)).await);
        assert_eq!(denials(&bed), [""; 0], "{id}");
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: a run for every action"]
async fn law_9_nothing_is_too_many() {
    let mut idle = Vec::new();
    let mut actions: Vec<&str> = PERMISSIONS.iter().map(|needed| needed.action).collect();
    actions.dedup();
    'actions: for action in actions {
        let rest: Vec<&Permission> = PERMISSIONS.iter().filter(|needed| needed.action != action).collect();
        let less = documents(rest, &scope());
        for case in CASES {
            if !case.denials(&less).await.is_empty() {
                continue 'actions;
            }
        }
        idle.push(action);
    }
    assert_eq!(idle, [""; 0]);
}

/// The services that the program speaks to.
const SERVICES: [&str; 11] =
    ["cloudwatch", "ec2", "iam", "kms", "lambda", "logs", "pricing", "rds", "secretsmanager", "servicequotas", "sts"];

#[test]
fn every_call_of_the_program_has_its_permission() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/cloud/src");
    let mut calls = Vec::new();
    crate::layers::sources(&root, &mut calls);
    let mut missing = Vec::new();
    let mut seen = 0;
    for file in calls {
        let text = std::fs::read_to_string(file).unwrap();
        for literal in text.split('"').skip(1).step_by(2) {
            let Some((service, action)) = literal.split_once(':') else { continue };
            let service_known = SERVICES.contains(&service);
            if service_known && action.starts_with(|c: char| c.is_ascii_uppercase()) {
                seen += 1;
                let free = literal == "sts:GetCallerIdentity";
                if !free && !PERMISSIONS.iter().any(|needed| needed.action == literal) {
                    missing.push(literal.to_owned());
                }
            }
        }
    }
    assert!(seen > 60, "only {seen} calls were found");
    assert_eq!(missing, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn law_9_what_is_named_is_enough_and_the_rest_is_out_of_reach() {
    let bed = Bed::new(NEVER, false);
    let functions = ["DBAppFunction", "InvoiceFunction"].map(str::to_owned).to_vec();
    let roles = ["service-role/DBAppFunctionRole", "teams/billing/InvoiceFunctionRole"];
    let function_roles = roles.map(|role| format!("arn:aws:iam::123456789012:role/{role}")).to_vec();
    let secrets = bed.gate.account.with(|world| {
        let managed = |secret: &&Secret| secret.name.starts_with("rds!");
        world.secrets.secrets.values().filter(managed).map(|secret| secret.arn.clone()).collect()
    });
    let scope = Scope { database: Some("my-instance".to_owned()), functions, function_roles, secrets, ..scope() };
    let spec = end_to_end("my-instance");
    bed.gate.account.with(|world| world.rds.instances.get_mut("my-instance").unwrap().iam_auth = false);
    let features = [Feature::EnableIamAuth, Feature::Probe];
    let up = policies(&[Verb::Up, Verb::Status, Verb::Verify], &features, &scope);
    let teardown = policies(&[Verb::Teardown], &features, &scope);
    restrict(&bed, &up);
    drop(bed.up(&spec).await);
    drop(bed.up(&spec).await);
    drop(verify(&bed, &spec).await);
    assert_eq!(denials(&bed), [""; 0]);
    restrict(&bed, &teardown);
    drop(bed.down(&spec).await);
    assert_eq!(denials(&bed), [""; 0]);

    // What can take over an account or a database reaches no further than what was named.
    let dangerous = [
        "iam:AttachRolePolicy",
        "iam:PassRole",
        "rds:ModifyDBInstance",
        "rds:ModifyDBCluster",
        "lambda:UpdateFunctionConfiguration",
        "lambda:PublishVersion",
    ];
    for document in up.iter().chain(&teardown) {
        for statement in document["Statement"].as_array().unwrap() {
            let named = |action: &Value| dangerous.contains(&action.as_str().unwrap());
            if statement["Action"].as_array().unwrap().iter().any(named) {
                for resource in statement["Resource"].as_array().unwrap() {
                    let resource = resource.as_str().unwrap();
                    let any = ["role/*", "function:*", "db:*", "cluster:*"].iter().any(|any| resource.ends_with(any));
                    assert!(!any && resource != "*", "{statement}");
                }
            }
        }
    }
}

#[test]
fn rights_of_features_are_printed_only_when_asked_for() {
    let plain = policies(&[Verb::Up, Verb::Status, Verb::Teardown, Verb::Doctor], &[], &scope());
    let text = Value::from(plain).to_string();
    for action in [
        "rds:ModifyDBInstance",
        "rds:ModifyDBCluster",
        "secretsmanager:GetSecretValue",
        "secretsmanager:CreateSecret",
        "kms:Decrypt",
        "kms:CreateGrant",
        "lambda:CreateFunction",
        "lambda:InvokeFunction",
    ] {
        assert!(!text.contains(action), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn law_9_each_run_works_under_exactly_what_is_printed_for_it() {
    for id in ["my-instance", "my-cluster"] {
        let scope = Scope { database: Some(id.to_owned()), ..scope() };
        let bed = Bed::new(NEVER, false);
        restrict(&bed, &policies(&[Verb::Up, Verb::Status], &[], &scope));
        assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)), "{id}");
        let since = bed.logged();
        assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)), "{id}");
        assert_eq!(bed.mutations(since), [""; 0], "{id}");
        restrict(&bed, &policies(&[Verb::Status, Verb::Doctor], &[], &scope));
        drop(Box::pin(doctor::examine(&bed.cloud, &wish(id), Timeouts::default())).await);
        assert_eq!(denials(&bed), [""; 0], "{id}");
    }
}

/// A rehearsal works under exactly what is printed for it, which changes nothing.
#[tokio::test(start_paused = true)]
async fn law_9_a_rehearsal_only_reads() {
    for id in ["my-instance", "my-cluster"] {
        let scope = Scope { database: Some(id.to_owned()), ..scope() };
        let policy = policies(&[Verb::Rehearse], &[], &scope);
        let actions = policy.iter().flat_map(|document| document["Statement"].as_array().unwrap());
        let actions = actions.flat_map(|statement| statement["Action"].as_array().unwrap());
        for action in actions.map(|action| action.as_str().unwrap()) {
            let verb = action.split_once(':').unwrap().1;
            let reads = ["Describe", "Get", "List", "Simulate"].iter().any(|read| verb.starts_with(read));
            assert!(reads && action != "secretsmanager:GetSecretValue", "{action}");
        }
        // Before there is a proxy, and with one.
        for with_proxy in [false, true] {
            let bed = Bed::new(NEVER, false);
            if with_proxy {
                assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)), "{id}");
            }
            restrict(&bed, &policy);
            let survey = bed.survey(&wish(id)).await.unwrap();
            drop(Box::pin(doctor::before(&bed.cloud, &survey)).await);
            drop(Box::pin(doctor::of(&bed.cloud, &survey)).await);
            let spec = wish(id);
            Box::pin(teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database))).await.unwrap();
            rehearse::look_closer(&bed.cloud, &survey).await.unwrap();
            assert_eq!(denials(&bed), [""; 0], "{id}, {with_proxy}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn law_9_with_a_boundary_roles_are_created_and_given_rights_with_it_alone() {
    let boundary = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole".to_owned();
    let scope = Scope { database: Some("my-instance".to_owned()), boundary: Some(boundary.clone()), ..scope() };
    let up = policies(&[Verb::Up, Verb::Status], &[], &scope);
    let with = Spec { permissions_boundary: Some(boundary.clone()), ..wish("my-instance") };
    let bed = Bed::new(NEVER, false);
    restrict(&bed, &up);
    drop(bed.up(&with).await);
    assert_eq!(denials(&bed), [""; 0]);
    // One that lost its boundary gets it again, and no rights before.
    bed.gate.account.with(|world| {
        let role = world.iam.roles.get_mut("my-instance-proxy-eu-central-1").unwrap();
        role.boundary = None;
        role.inline.clear();
    });
    let since = bed.logged();
    drop(bed.up(&with).await);
    assert_eq!(denials(&bed), [""; 0]);
    let written: Vec<String> = bed.mutations(since).into_iter().filter(|action| action.starts_with("Put")).collect();
    assert_eq!(written, ["PutRolePermissionsBoundary", "PutRolePolicy"]);
    // Without the boundary nothing is created.
    let bed = Bed::new(NEVER, false);
    restrict(&bed, &up);
    drop(bed.up(&wish("my-instance")).await);
    assert_eq!(denials(&bed), ["CreateRole"]);
}
