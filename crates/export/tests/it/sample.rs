//! Stacks as `up` creates them.

use export::stack::{
    Auth, Database, Endpoint, Function, Group, Holds, LogGroup, Peer, Policy, Pool, Proxy, Role, Rule, Secret, Stack,
    Tags, Variable,
};
use serde_json::json;

fn tags() -> Tags {
    [("rdsproxy-setup:stack", "orders-proxy"), ("rdsproxy-setup:database", "orders")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// A stack with everything that a stack may have.
#[expect(clippy::too_many_lines, reason = "one field after another")]
pub(crate) fn whole() -> Stack {
    let secret =
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rdsproxy-setup/orders-proxy/app-AbCdEf".to_owned();
    let master = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1-XyZ123".to_owned();
    let key = "arn:aws:kms:eu-central-1:123456789012:key/1234";
    let role = "arn:aws:iam::123456789012:role/rdsproxy-setup/eu-central-1/orders-proxy/orders-proxy-eu-central-1";
    Stack {
        name: "orders-proxy".into(),
        tool: "rdsproxy-setup 0.1.0".into(),
        region: "eu-central-1".into(),
        account: "123456789012".into(),
        partition: "aws".into(),
        mark: ("rdsproxy-setup:handed-over".into(), "yes".into()),
        database: Database { id: "orders".into(), cluster: true },
        proxy: Proxy {
            arn: "arn:aws:rds:eu-central-1:123456789012:db-proxy:prx-0123456789abcdef0".into(),
            family: "POSTGRESQL".into(),
            vpc: "vpc-0b0b0b0b0b0b0b0b1".into(),
            subnets: vec!["subnet-0c0c0c0c0c0c0c0c1".into(), "subnet-0c0c0c0c0c0c0c0c2".into()],
            groups: vec!["sg-0a0a0a0a0a0a0a0a1".into()],
            auth: [&secret, &master]
                .map(|secret| Auth {
                    secret: secret.clone(),
                    iam: "REQUIRED".into(),
                    description: None,
                    client_password: None,
                })
                .into(),
            iam_to_database: false,
            role: role.into(),
            require_tls: true,
            idle_client_timeout: Some(1800),
            debug_logging: false,
            network_type: "IPV4".into(),
            port: 5432,
            tags: tags(),
        },
        pool: Pool {
            max_connections_percent: Some(60),
            max_idle_connections_percent: Some(30),
            connection_borrow_timeout: Some(120),
            init_query: Some("SET a = '${x}'".into()),
            session_pinning_filters: vec![],
        },
        reader: Some(Endpoint {
            name: "orders-proxy-ro".into(),
            subnets: vec!["subnet-0c0c0c0c0c0c0c0c1".into(), "subnet-0c0c0c0c0c0c0c0c2".into()],
            groups: vec!["sg-0a0a0a0a0a0a0a0a1".into()],
            tags: tags(),
        }),
        role: Some(Role {
            name: "orders-proxy-eu-central-1".into(),
            arn: role.into(),
            description: Some("Lets RDS Proxy read the database's credentials.".into()),
            trust: json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}]}),
            boundary: None,
            inline: [(
                "read-secrets".to_owned(),
                json!({"Version": "2012-10-17", "Statement": [
                    {"Sid": "ReadSecrets", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [secret, master]},
                    {"Sid": "DecryptSecrets", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": [key],
                     "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}}]}),
            )]
            .into(),
            tags: tags(),
        }),
        policies: vec![Policy {
            arn: "arn:aws:iam::123456789012:policy/rdsproxy-setup/eu-central-1/orders-proxy/orders-proxy-eu-central-1-connect".into(),
            description: Some("Lets functions log in through an RDS Proxy.".into()),
            document: json!({"Version": "2012-10-17", "Statement": [{"Sid": "ConnectThroughProxy", "Effect": "Allow",
                "Action": "rds-db:connect",
                "Resource": ["arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-0123456789abcdef0/app"]}]}),
            roles: vec!["orders-role".into(), "billing-role".into()],
            tags: tags(),
        }],
        groups: vec![Group {
            id: "sg-0a0a0a0a0a0a0a0a1".into(),
            name: "orders-proxy".into(),
            description: "RDS Proxy orders-proxy".into(),
            vpc: "vpc-0b0b0b0b0b0b0b0b1".into(),
            tags: tags(),
        }],
        rules: vec![
            rule("sgr-1", "sg-0a0a0a0a0a0a0a0a2", false, Peer::Group("sg-0a0a0a0a0a0a0a0a1".into()), Some(5433)),
            rule("sgr-2", "sg-0a0a0a0a0a0a0a0a1", false, Peer::Group("sg-0a0a0a0a0a0a0a0a3".into()), Some(5432)),
            rule("sgr-3", "sg-0a0a0a0a0a0a0a0a1", true, Peer::Ipv4("0.0.0.0/0".into()), None),
        ],
        secrets: vec![Secret {
            arn: secret,
            name: "rdsproxy-setup/orders-proxy/app".into(),
            description: Some("A database user's login for RDS Proxy".into()),
            kms_key: Some(key.into()),
            tags: tags(),
        }],
        log_group: Some(LogGroup { name: "/aws/rds/proxy/orders-proxy".into(), retention: Some(30), tags: tags() }),
        functions: vec![Function {
            name: "OrdersFunction".into(),
            variables: vec![
                Variable { name: "DB_HOST".into(), holds: Holds::Host, reader: false },
                Variable { name: "DB_PORT".into(), holds: Holds::Port, reader: false },
                Variable { name: "DB_READER".into(), holds: Holds::Host, reader: true },
                Variable { name: "DATABASE_URL".into(), holds: Holds::More, reader: false },
            ],
        }],
        left_out: vec![],
    }
}

fn rule(id: &str, group: &str, egress: bool, peer: Peer, port: Option<i32>) -> Rule {
    let all = port.is_none();
    Rule {
        id: id.into(),
        group: group.into(),
        egress,
        protocol: if all { "-1" } else { "tcp" }.into(),
        peer,
        ports: port.map(|port| (port, port)),
        description: (!all).then(|| "rdsproxy-setup orders-proxy".into()),
        tags: if all { Tags::new() } else { tags() },
    }
}

/// A stack of an instance with as little as a stack may have.
pub(crate) fn least() -> Stack {
    let whole = whole();
    Stack {
        database: Database { id: "orders".into(), cluster: false },
        proxy: Proxy { auth: vec![], iam_to_database: true, idle_client_timeout: None, ..whole.proxy.clone() },
        pool: Pool::default(),
        reader: None,
        role: None,
        policies: vec![],
        secrets: vec![],
        log_group: None,
        functions: vec![],
        left_out: vec!["The role is an administrator's.".into()],
        ..whole
    }
}
