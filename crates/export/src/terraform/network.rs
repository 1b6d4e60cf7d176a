//! The proxy's security groups, and the rules on them and on groups of others.

use super::refer::Refer;
use super::section;
use crate::Stack;
use crate::hcl_text::{Section, attribute, block, reference, tags, text};
use crate::stack::{Group, Peer, Rule};

/// The sections of the file.
pub(super) fn sections(stack: &Stack, refer: &Refer) -> Vec<Section> {
    let mut sections = Vec::new();
    for group in &stack.groups {
        let Some(label) = refer.own_group(&group.id) else { continue };
        let comment = ["Without inline rules: those that others add stay."];
        sections.push(section(&comment, [block("resource", &["aws_security_group", label], group_body(group, stack))]));
    }
    for rule in &stack.rules {
        let Some(label) = refer.rule(&rule.id) else { continue };
        sections.push(section(&[], [block("resource", &[kind(rule), label], rule_body(rule, refer))]));
    }
    sections
}

/// The type of a rule's resource.
pub(super) fn kind(rule: &Rule) -> &'static str {
    if rule.egress { "aws_vpc_security_group_egress_rule" } else { "aws_vpc_security_group_ingress_rule" }
}

fn group_body(group: &Group, stack: &Stack) -> Vec<hcl::Structure> {
    let vpc = if group.vpc == stack.proxy.vpc { reference(&["var", "vpc_id"]) } else { text(&group.vpc) };
    vec![
        attribute("name", text(&group.name)),
        attribute("description", text(&group.description)),
        attribute("vpc_id", vpc),
        attribute("tags", tags(&group.tags)),
    ]
}

fn rule_body(rule: &Rule, refer: &Refer) -> Vec<hcl::Structure> {
    let mut body = vec![attribute("security_group_id", refer.group(&rule.group))];
    body.push(match &rule.peer {
        Peer::Group(peer) => attribute("referenced_security_group_id", refer.group(peer)),
        Peer::Ipv4(block) => attribute("cidr_ipv4", text(block)),
        Peer::Ipv6(block) => attribute("cidr_ipv6", text(block)),
    });
    body.push(attribute("ip_protocol", text(&rule.protocol)));
    if let Some((first, last)) = rule.ports {
        body.push(attribute("from_port", first));
        body.push(attribute("to_port", last));
    }
    body.extend(rule.description.as_ref().map(|what| attribute("description", text(what))));
    if !rule.tags.is_empty() {
        body.push(attribute("tags", tags(&rule.tags)));
    }
    body
}
