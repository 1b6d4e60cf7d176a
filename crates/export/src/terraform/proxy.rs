//! The proxy, its default target group, its target, its read-only endpoint and its log group.

use hcl::expr::{Traversal, Variable};
use hcl::{Block, Expression, Structure};

use super::refer::Refer;
use super::section;
use super::surroundings::database_source;
use crate::Stack;
use crate::hcl_text::{Section, attribute, block, reference, tags, text, texts};
use crate::stack::{Auth, LogGroup};

/// The sections of the file.
pub(super) fn sections(stack: &Stack, refer: &Refer) -> Vec<Section> {
    let ignored =
        format!("The tag {} is left alone: it says that rdsproxy-setup does not change this stack.", stack.mark.0);
    let mut sections = vec![
        section(&[ignored.as_str()], [proxy(stack, refer)]),
        section(&["The group exists as long as the proxy does: Terraform only changes its settings."], [pool(stack)]),
        section(&[], [target(stack)]),
    ];
    if let Some(reader) = &stack.reader {
        let body = [
            attribute("db_proxy_name", of_proxy("name")),
            attribute("db_proxy_endpoint_name", text(&reader.name)),
            attribute("target_role", text("READ_ONLY")),
            attribute("vpc_subnet_ids", subnets(&reader.subnets, stack)),
            attribute("vpc_security_group_ids", refer.groups(&reader.groups)),
            attribute("tags", tags(&reader.tags)),
        ];
        let endpoint = block("resource", &["aws_db_proxy_endpoint", "reader"], body);
        sections.push(section(&["For functions that read from replicas."], [endpoint]));
    }
    sections.extend(stack.log_group.as_ref().map(|group| section(&[], [log_group(group)])));
    sections
}

fn of_proxy(attribute: &str) -> Expression {
    reference(&["aws_db_proxy", "proxy", attribute])
}

/// The subnets, by the variable where they are the proxy's.
fn subnets(ids: &[String], stack: &Stack) -> Expression {
    if ids == stack.proxy.subnets { reference(&["var", "subnet_ids"]) } else { texts(ids) }
}

fn proxy(stack: &Stack, refer: &Refer) -> Block {
    let proxy = &stack.proxy;
    let mut body = vec![
        attribute("name", text(&stack.name)),
        attribute("engine_family", text(&proxy.family)),
        attribute("role_arn", refer.role_arn()),
        attribute("vpc_subnet_ids", subnets(&proxy.subnets, stack)),
        attribute("vpc_security_group_ids", refer.groups(&proxy.groups)),
        attribute("require_tls", proxy.require_tls),
        attribute("debug_logging", proxy.debug_logging),
    ];
    body.extend(proxy.idle_client_timeout.map(|seconds| attribute("idle_client_timeout", seconds)));
    if proxy.iam_to_database {
        body.push(attribute("default_auth_scheme", text("IAM_AUTH")));
    }
    if !matches!(proxy.network_type.as_str(), "" | "IPV4") {
        // Since version 6.26 or later of the provider; AWS's default needs no attribute.
        body.push(attribute("endpoint_network_type", text(&proxy.network_type)));
    }
    body.push(attribute("tags", tags(&proxy.tags)));
    body.extend(proxy.auth.iter().map(|one| Structure::from(auth(one, refer))));
    let mark = Traversal::builder(Variable::sanitized("tags")).index(text(&stack.mark.0)).build();
    let ignore = attribute("ignore_changes", Expression::Array(vec![Expression::from(mark)]));
    body.push(Structure::from(block("lifecycle", &[], [ignore])));
    let first = before_proxy(stack, refer);
    if !first.is_empty() {
        body.push(attribute("depends_on", Expression::Array(first)));
    }
    block("resource", &["aws_db_proxy", "proxy"], body)
}

/// What a proxy that is created needs first: its role's policies, and the log group that it would create itself.
fn before_proxy(stack: &Stack, refer: &Refer) -> Vec<Expression> {
    let inline = stack.role.iter().flat_map(|role| role.inline.keys());
    let inline = inline.filter_map(|name| refer.inline(name)).map(|label| reference(&["aws_iam_role_policy", label]));
    let log = stack.log_group.iter().map(|_| reference(&["aws_cloudwatch_log_group", "proxy"]));
    inline.chain(log).collect()
}

fn auth(auth: &Auth, refer: &Refer) -> Block {
    let mut body = vec![
        attribute("auth_scheme", text("SECRETS")),
        attribute("iam_auth", text(&auth.iam)),
        attribute("secret_arn", refer.secret(&auth.secret)),
    ];
    body.extend(auth.description.as_ref().map(|what| attribute("description", text(what))));
    body.extend(auth.client_password.as_ref().map(|how| attribute("client_password_auth_type", text(how))));
    block("auth", &[], body)
}

fn pool(stack: &Stack) -> Block {
    let pool = &stack.pool;
    let mut config = Vec::new();
    for (key, value) in [
        ("max_connections_percent", pool.max_connections_percent),
        ("max_idle_connections_percent", pool.max_idle_connections_percent),
        ("connection_borrow_timeout", pool.connection_borrow_timeout),
    ] {
        config.extend(value.map(|value| attribute(key, value)));
    }
    config.extend(pool.init_query.as_ref().map(|sql| attribute("init_query", text(sql))));
    if !pool.session_pinning_filters.is_empty() {
        config.push(attribute("session_pinning_filters", texts(&pool.session_pinning_filters)));
    }
    let mut body = vec![attribute("db_proxy_name", of_proxy("name"))];
    if !config.is_empty() {
        body.push(Structure::from(block("connection_pool_config", &[], config)));
    }
    body.push(replaced_with_proxy());
    block("resource", &["aws_db_proxy_default_target_group", "proxy"], body)
}

fn target(stack: &Stack) -> Block {
    let (kind, key) = database_source(stack);
    let database = if stack.database.cluster { "db_cluster_identifier" } else { "db_instance_identifier" };
    let body = [
        attribute("db_proxy_name", of_proxy("name")),
        attribute("target_group_name", reference(&["aws_db_proxy_default_target_group", "proxy", "name"])),
        attribute(database, reference(&["data", kind, "database", key])),
        replaced_with_proxy(),
    ];
    block("resource", &["aws_db_proxy_target", "database"], body)
}

/// As the provider's documentation asks for: a proxy that is replaced has neither settings nor a target
/// (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/db_proxy_target>).
fn replaced_with_proxy() -> Structure {
    let trigger = attribute("replace_triggered_by", Expression::Array(vec![of_proxy("id")]));
    Structure::from(block("lifecycle", &[], [trigger]))
}

fn log_group(group: &LogGroup) -> Block {
    let mut body = vec![attribute("name", text(&group.name))];
    body.extend(group.retention.map(|days| attribute("retention_in_days", days)));
    body.push(attribute("tags", tags(&group.tags)));
    block("resource", &["aws_cloudwatch_log_group", "proxy"], body)
}
