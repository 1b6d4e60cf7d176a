//! States in their order: what others published of how things come and go, and what the simulated account shows.
//!
//! The sources are AWS's reference, and what tools that others wrote wait for: those stop at any state that is not in
//! their list, so their lists are what thousands of runs have met.

use serde_json::{Value, json};

use super::asked::{Asked, element};
use super::{TRUST, hold};

/// What follows when nothing is there any more.
const GONE: &str = "gone";

/// A course that was published.
struct Course {
    what: &'static str,
    states: &'static [&'static str],
    source: &'static str,
    /// What the source says of it.
    note: &'static str,
    /// Sets it off, and looks.
    seen: fn(&mut Asked) -> Vec<String>,
}

const TERRAFORM: &str = "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/rds/proxy.go";
const TERRAFORM_ENDPOINT: &str =
    "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/rds/proxy_endpoint.go";
const LAMBDA: &str = "https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html";

const COURSES: &[Course] = &[
    Course {
        what: "proxy, created",
        states: &["creating", "available"],
        source: "https://github.com/aws-controllers-k8s/rds-controller/pull/137",
        note: "about ten minutes",
        seen: |a| {
            create_proxy(a);
            proxy(a)
        },
    },
    Course {
        what: "proxy, modified",
        states: &["modifying", "available"],
        source: TERRAFORM,
        note: "waits through the first for the second, and stops at any other",
        seen: |a| {
            create_proxy(a);
            a.pass(3_600);
            a.must("RDS", "ModifyDBProxy", &json!({ "DBProxyName": "p", "RequireTLS": true }));
            proxy(a)
        },
    },
    Course {
        what: "proxy, deleted",
        states: &["deleting", GONE],
        source: "https://github.com/aws-controllers-k8s/rds-controller/pull/137",
        note: "",
        seen: |a| {
            create_proxy(a);
            a.pass(3_600);
            a.must("RDS", "DeleteDBProxy", &json!({ "DBProxyName": "p" }));
            proxy(a)
        },
    },
    Course {
        what: "further endpoint, created",
        states: &["creating", "available"],
        source: TERRAFORM_ENDPOINT,
        note: "waits through the first for the second, and stops at any other",
        seen: |a| {
            create_endpoint(a);
            endpoint(a)
        },
    },
    Course {
        what: "further endpoint, modified",
        states: &["modifying", "available"],
        source: TERRAFORM_ENDPOINT,
        note: "likewise",
        seen: |a| {
            let group = create_endpoint(a);
            a.pass(3_600);
            let members = json!({ "DBProxyEndpointName": "r", "VpcSecurityGroupIds": [group] });
            a.must("RDS", "ModifyDBProxyEndpoint", &members);
            endpoint(a)
        },
    },
    Course {
        what: "further endpoint, deleted",
        states: &["deleting", GONE],
        source: TERRAFORM_ENDPOINT,
        note: "waits through the first",
        seen: |a| {
            create_endpoint(a);
            a.pass(3_600);
            a.must("RDS", "DeleteDBProxyEndpoint", &json!({ "DBProxyEndpointName": "r" }));
            endpoint(a)
        },
    },
    Course {
        what: "target, registered",
        states: &["REGISTERING", "UNAVAILABLE", "AVAILABLE"],
        source: "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_TargetHealth.html",
        note: "AWS calls it a typical lifecycle, which may go on between the last two",
        seen: |a| {
            create_proxy(a);
            a.pass(3_600);
            let members = json!({ "DBProxyName": "p", "DBInstanceIdentifiers": ["my-instance"] });
            a.must("RDS", "RegisterDBProxyTargets", &members);
            watch(a, |a| {
                let found = a.must("RDS", "DescribeDBProxyTargets", &json!({ "DBProxyName": "p" }));
                Some(element(&found, "State"))
            })
        },
    },
    Course {
        what: "instance, IAM authentication turned on",
        states: &["modifying", "configuring-iam-database-auth", "available"],
        source: "https://github.com/hashicorp/terraform-provider-aws/pull/6597",
        note: "met before available; that modifying comes first is not in it",
        seen: |a| {
            let members = json!({ "DBInstanceIdentifier": "my-instance", "EnableIAMDatabaseAuthentication": true });
            a.world.rds.instances.get_mut("my-instance").unwrap().iam_auth = false;
            a.must("RDS", "ModifyDBInstance", &members);
            watch(a, |a| {
                let members = json!({ "DBInstanceIdentifier": "my-instance" });
                let found = a.must("RDS", "DescribeDBInstances", &members);
                let state = element(&found, "DBInstanceStatus");
                // Pending until it is done.
                let (in_force, pending) = apart(&found);
                assert_eq!(pending, state != "available", "{state}");
                assert_eq!(element(&in_force, "IAMDatabaseAuthenticationEnabled"), (!pending).to_string());
                Some(state)
            })
        },
    },
    Course {
        what: "cluster, IAM authentication turned on",
        states: &["modifying", "configuring-iam-database-auth", "available"],
        source: "https://github.com/hashicorp/terraform-provider-aws/issues/10197",
        note: "likewise",
        seen: |a| {
            let members = json!({ "DBClusterIdentifier": "my-cluster", "EnableIAMDatabaseAuthentication": true });
            a.world.rds.clusters.get_mut("my-cluster").unwrap().iam_auth = false;
            a.must("RDS", "ModifyDBCluster", &members);
            watch(a, |a| {
                let found = a.must("RDS", "DescribeDBClusters", &json!({ "DBClusterIdentifier": "my-cluster" }));
                let text = found.as_str().unwrap();
                let own = text.split("</DBClusterMembers>").last().unwrap();
                let whole = Value::String(if own.contains("<Status>") { own.to_owned() } else { text.to_owned() });
                Some(element(&whole, "Status"))
            })
        },
    },
    Course {
        what: "function, its last update after a change of its configuration",
        states: &["InProgress", "Successful"],
        source: LAMBDA,
        note: "",
        seen: |a| update(a, "LastUpdateStatus"),
    },
    Course {
        what: "function, its state after a change of its configuration",
        states: &["Active"],
        source: LAMBDA,
        note: "it serves all the while",
        seen: |a| update(a, "State"),
    },
    Course {
        what: "function in a VPC, created",
        states: &["Pending", "Active"],
        source: LAMBDA,
        note: "",
        seen: |a| {
            let like = &a.world.lambda.functions["OrdersFunction"].latest;
            let (role, vpc) = (like.role.clone(), like.vpc.clone().unwrap());
            let members = json!({ "FunctionName": "new", "Role": role, "Runtime": "python3.13", "Handler": "a.b", "Code": { "ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==" },
                "VpcConfig": { "SubnetIds": vpc.subnets, "SecurityGroupIds": vpc.groups } });
            a.lambda("CreateFunction", "POST /2015-03-31/functions", &members);
            configuration(a, "new", "State")
        },
    },
];

/// An answer without the values that are pending, and whether there are some.
fn apart(answer: &Value) -> (Value, bool) {
    let text = answer.as_str().unwrap();
    let Some((before, rest)) = text.split_once("<PendingModifiedValues><") else { return (answer.clone(), false) };
    let (_, after) = rest.split_once("</PendingModifiedValues>").unwrap();
    (Value::String(format!("{before}{after}")), true)
}

/// The states in which something is found, every few seconds for an hour, without repeats.
fn watch(a: &mut Asked, look: impl Fn(&mut Asked) -> Option<String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..1_200 {
        let state = look(a).unwrap_or_else(|| GONE.to_owned());
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        a.pass(3);
    }
    seen
}

fn proxy(a: &mut Asked) -> Vec<String> {
    watch(a, |a| {
        let found = a.ask("RDS", "DescribeDBProxies", "", &json!({ "DBProxyName": "p" }));
        found.map(|found| element(&found, "Status")).ok()
    })
}

fn endpoint(a: &mut Asked) -> Vec<String> {
    watch(a, |a| {
        let found = a.ask("RDS", "DescribeDBProxyEndpoints", "", &json!({ "DBProxyEndpointName": "r" }));
        found.map(|found| element(&found, "Status")).ok()
    })
}

fn configuration(a: &mut Asked, name: &str, member: &str) -> Vec<String> {
    watch(a, |a| {
        let target = format!("GET /2015-03-31/functions/{name}/configuration");
        let found = a.lambda("GetFunctionConfiguration", &target, &Value::Null);
        found.get(member).and_then(Value::as_str).map(str::to_owned)
    })
}

fn update(a: &mut Asked, member: &str) -> Vec<String> {
    let target = "PUT /2015-03-31/functions/OrdersFunction/configuration";
    a.lambda("UpdateFunctionConfiguration", target, &json!({ "Timeout": 20 }));
    configuration(a, "OrdersFunction", member)
}

/// A proxy for the sample instance, that can log in and reach it; its security group is returned.
fn create_proxy(a: &mut Asked) -> String {
    let instance = a.world.rds.instances["my-instance"].clone();
    let subnets = a.world.rds.subnet_groups[&instance.subnet_group].clone();
    let group = json!({ "GroupName": "proxy", "GroupDescription": "d", "VpcId": subnets.vpc_id });
    let group = element(&a.must("EC2", "CreateSecurityGroup", &group), "groupId");
    let permission = json!({ "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "Groups": [{ "GroupId": group }] });
    let rule = json!({ "GroupId": instance.groups[0], "IpPermissions": [permission] });
    a.must("EC2", "AuthorizeSecurityGroupIngress", &rule);
    let role = a.must("IAM", "CreateRole", &json!({ "RoleName": "proxy", "AssumeRolePolicyDocument": TRUST }));
    let secret = instance.master_secret.clone().unwrap();
    let statement =
        json!({ "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"], "Resource": "*" });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    a.must("IAM", "PutRolePolicy", &json!({ "RoleName": "proxy", "PolicyName": "p", "PolicyDocument": document }));
    a.pass(60);
    let auth = json!([{ "AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "DISABLED" }]);
    let proxy = json!({ "DBProxyName": "p", "EngineFamily": "MYSQL", "RoleArn": element(&role, "Arn"), "Auth": auth,
        "VpcSubnetIds": subnets.subnets, "VpcSecurityGroupIds": [group] });
    a.must("RDS", "CreateDBProxy", &proxy);
    group
}

/// A reader's endpoint of a proxy of the sample cluster; the proxy's security group is returned.
fn create_endpoint(a: &mut Asked) -> String {
    let group = create_proxy(a);
    a.pass(3_600);
    let instance = &a.world.rds.instances["my-instance"];
    let subnets = a.world.rds.subnet_groups[&instance.subnet_group].subnets.clone();
    let members =
        json!({ "DBProxyName": "p", "DBProxyEndpointName": "r", "VpcSubnetIds": subnets, "TargetRole": "READ_ONLY" });
    a.must("RDS", "CreateDBProxyEndpoint", &members);
    group
}

#[test]
fn states_come_in_the_order_in_which_others_saw_them() {
    let mut text = String::from("| what | states | source | note |\n| --- | --- | --- | --- |\n");
    for Course { what, states, source, note, seen } in COURSES {
        assert_eq!(seen(&mut Asked::newcomer()), *states, "{what}");
        assert!(source.starts_with("https://"), "{what}");
        let name = source.rsplit('/').next().unwrap_or_default();
        text.push_str(&format!("| {what} | {} | [{name}]({source}) | {note} |\n", states.join(", ")));
    }
    hold("states", &text);
}
