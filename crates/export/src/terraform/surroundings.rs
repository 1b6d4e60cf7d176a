//! The provider, variables, data sources and outputs.

use hcl::{Expression, Structure};

use super::refer::Refer;
use super::section;
use crate::Stack;
use crate::hcl_text::{Section, attribute, block, map, reference, text, texts};
use crate::policy::path_and_name;

/// The provider's versions: the first whose schema the configuration was held to, and none of the next major version.
const PROVIDER: &str = ">= 6.25.0, < 7.0.0";

/// Terraform and the provider.
pub(super) fn versions() -> Vec<Section> {
    let source = ("source".to_owned(), text("hashicorp/aws"));
    let version = ("version".to_owned(), text(PROVIDER));
    let aws = map([&source, &version].map(|(key, value)| (key, value.clone())));
    // Since 1.5 there are import blocks (https://developer.hashicorp.com/terraform/language/import).
    let terraform = [
        attribute("required_version", text(">= 1.5.0")),
        Structure::from(block("required_providers", &[], [attribute("aws", aws)])),
    ];
    vec![
        section(&[], [block("terraform", &[], terraform)]),
        section(&[], [block("provider", &["aws"], [attribute("region", reference(&["var", "region"]))])]),
    ]
}

/// The variables, which hold what the account has now.
pub(super) fn variables(stack: &Stack) -> Vec<Section> {
    let one = |name: &str, kind: Expression, what: &str, default: Expression| {
        let body = [attribute("type", kind), attribute("description", text(what)), attribute("default", default)];
        section(&[], [block("variable", &[name], body)])
    };
    let string = || reference(&["string"]);
    let list = Expression::from(hcl::expr::FuncCall::builder("list").arg(string()).build());
    let database =
        if stack.database.cluster { "The cluster behind the proxy." } else { "The instance behind the proxy." };
    vec![
        one("region", string(), "The Region.", text(&stack.region)),
        one("database", string(), database, text(&stack.database.id)),
        one("vpc_id", string(), "The database's VPC.", text(&stack.proxy.vpc)),
        one("subnet_ids", list, "The proxy's subnets, in two Availability Zones or more.", texts(&stack.proxy.subnets)),
    ]
}

/// What belongs to others.
pub(super) fn data(stack: &Stack, refer: &Refer) -> Vec<Section> {
    let one =
        |kind: &str, label: &str, key: &str, value: Expression| block("data", &[kind, label], [attribute(key, value)]);
    let (kind, key) = database_source(stack);
    let mut sections = vec![section(&["The database."], [one(kind, "database", key, reference(&["var", "database"]))])];
    let groups = refer.other_groups();
    if !groups.is_empty() {
        let all = groups.iter().map(|(id, label)| one("aws_security_group", label, "id", text(id)));
        sections.push(section(&["Security groups of the database and of functions."], all));
    }
    let secrets = refer.other_secrets();
    if !secrets.is_empty() {
        let all = secrets.iter().map(|(arn, label)| one("aws_secretsmanager_secret", label, "arn", text(arn)));
        sections.push(section(&["Secrets that the proxy reads; this reads no value of theirs."], all));
    }
    let roles = refer.roles();
    if !roles.is_empty() {
        let all = roles.iter().map(|(name, label)| one("aws_iam_role", label, "name", text(name)));
        sections.push(section(&["Roles of functions."], all));
    }
    if let Some(label) = refer.given_role() {
        let name = path_and_name(&stack.proxy.role).1;
        sections.push(section(
            &["The proxy's role, which an administrator created."],
            [one("aws_iam_role", label, "name", text(&name))],
        ));
    }
    sections
}

/// The data source of the database, and the argument that names it.
pub(super) fn database_source(stack: &Stack) -> (&'static str, &'static str) {
    if stack.database.cluster {
        ("aws_rds_cluster", "cluster_identifier")
    } else {
        ("aws_db_instance", "db_instance_identifier")
    }
}

/// What functions need.
pub(super) fn outputs(stack: &Stack) -> Vec<Section> {
    let one = |name: &str, what: &str, value: Expression| {
        section(&[], [block("output", &[name], [attribute("description", text(what)), attribute("value", value)])])
    };
    let mut all = vec![
        one("endpoint", "The host that functions connect to.", reference(&["aws_db_proxy", "proxy", "endpoint"])),
        one("port", "The port that the proxy listens on.", Expression::from(i64::from(stack.proxy.port))),
        one("proxy_arn", "The proxy's ARN.", reference(&["aws_db_proxy", "proxy", "arn"])),
    ];
    if stack.reader.is_some() {
        let value = reference(&["aws_db_proxy_endpoint", "reader", "endpoint"]);
        all.push(one("reader_endpoint", "The host that leads to the readers.", value));
    }
    all
}
