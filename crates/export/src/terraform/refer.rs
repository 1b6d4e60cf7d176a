//! What each thing is called in the configuration, and how others refer to it.

use std::collections::BTreeMap;

use hcl::Expression;

use crate::hcl_text::{Instead, reference, text};
use crate::labels::Labels;
use crate::policy::path_and_name;
use crate::stack::{Peer, Rule};
use crate::{Stack, policy};

/// The labels of a stack's resources and data sources.
pub(super) struct Refer {
    own_groups: BTreeMap<String, String>,
    other_groups: BTreeMap<String, String>,
    own_secrets: BTreeMap<String, String>,
    other_secrets: BTreeMap<String, String>,
    policies: BTreeMap<String, String>,
    roles: BTreeMap<String, String>,
    inline: BTreeMap<String, String>,
    rules: BTreeMap<String, String>,
    given_role: Option<String>,
}

impl Refer {
    /// Names everything.
    pub(super) fn of(stack: &Stack) -> Self {
        let mut labels = Labels::default();
        let one = stack.groups.len() == 1;
        let own_groups: BTreeMap<String, String> = (stack.groups.iter())
            .map(|group| (group.id.clone(), labels.of(&group.id, if one { "proxy" } else { &group.name })))
            .collect();
        let peers = stack.rules.iter().flat_map(|rule| {
            let peer = if let Peer::Group(peer) = &rule.peer { Some(peer) } else { None };
            [Some(&rule.group), peer]
        });
        let proxies = stack.proxy.groups.iter().chain(stack.reader.iter().flat_map(|reader| &reader.groups));
        let mut other_groups = BTreeMap::new();
        for id in peers.flatten().chain(proxies).filter(|id| !own_groups.contains_key(*id)) {
            other_groups.insert(id.clone(), labels.of(id, id));
        }
        let mut labels = Labels::default();
        let own_secrets: BTreeMap<String, String> =
            (stack.secrets.iter()).map(|secret| (secret.arn.clone(), labels.of(&secret.arn, &secret.name))).collect();
        let mut other_secrets = BTreeMap::new();
        for auth in stack.proxy.auth.iter().filter(|auth| !own_secrets.contains_key(&auth.secret)) {
            let name = auth.secret.splitn(7, ':').nth(6).unwrap_or(&auth.secret);
            other_secrets.insert(auth.secret.clone(), labels.of(&auth.secret, name));
        }
        let mut labels = Labels::default();
        let policies = (stack.policies.iter().enumerate())
            .map(|(at, policy)| {
                let name = if at == 0 { "connect".to_owned() } else { path_and_name(&policy.arn).1 };
                (policy.arn.clone(), labels.of(&policy.arn, &name))
            })
            .collect();
        let mut labels = Labels::default();
        let roles = (stack.policies.iter().flat_map(|policy| &policy.roles))
            .map(|role| (role.clone(), labels.of(role, role)))
            .collect();
        let given_role = stack.role.is_none().then(|| labels.of(&stack.proxy.role, "proxy"));
        let mut labels = Labels::default();
        let inline = (stack.role.iter().flat_map(|role| role.inline.keys()))
            .map(|name| (name.clone(), labels.of(name, name)))
            .collect();
        let mut labels = Labels::default();
        let named = |id: &String| own_groups.get(id).or_else(|| other_groups.get(id)).cloned().unwrap_or_default();
        let rules =
            stack.rules.iter().map(|rule| (rule.id.clone(), labels.of(&rule.id, &rule_name(rule, named)))).collect();
        Self { own_groups, other_groups, own_secrets, other_secrets, policies, roles, inline, rules, given_role }
    }

    /// A group's ID.
    pub(super) fn group(&self, id: &str) -> Expression {
        match (self.own_groups.get(id), self.other_groups.get(id)) {
            (Some(label), _) => reference(&["aws_security_group", label, "id"]),
            (_, Some(label)) => reference(&["data", "aws_security_group", label, "id"]),
            (None, None) => text(id),
        }
    }

    /// The IDs of groups.
    pub(super) fn groups(&self, ids: &[String]) -> Expression {
        Expression::Array(ids.iter().map(|id| self.group(id)).collect())
    }

    /// A secret's ARN.
    pub(super) fn secret(&self, arn: &str) -> Expression {
        match (self.own_secrets.get(arn), self.other_secrets.get(arn)) {
            (Some(label), _) => reference(&["aws_secretsmanager_secret", label, "arn"]),
            (_, Some(label)) => reference(&["data", "aws_secretsmanager_secret", label, "arn"]),
            (None, None) => text(arn),
        }
    }

    /// The ARN of the proxy's role.
    pub(super) fn role_arn(&self) -> Expression {
        match &self.given_role {
            Some(label) => reference(&["data", "aws_iam_role", label, "arn"]),
            None => reference(&["aws_iam_role", "proxy", "arn"]),
        }
    }

    /// What documents refer to: the secrets, and the proxy's ID, where they name it.
    pub(super) fn instead<'a>(&self, stack: &'a Stack, with_proxy: bool) -> Vec<Instead<'a>> {
        let arn = |label: &String, head: &str| format!("{head}aws_secretsmanager_secret.{label}.arn");
        let own = stack.secrets.iter().map(|secret| (secret.arn.as_str(), ""));
        let others = stack.proxy.auth.iter().map(|auth| (auth.secret.as_str(), "data."));
        let secrets = own.chain(others).filter_map(|(text, head)| {
            let known = if head.is_empty() { &self.own_secrets } else { &self.other_secrets };
            Some(Instead { text, reference: arn(known.get(text)?, head), whole: true })
        });
        let id = Instead { text: stack.proxy.id(), reference: "local.proxy_id".to_owned(), whole: false };
        secrets.chain(with_proxy.then_some(id)).collect()
    }

    /// Whether any connect policy names the proxy's ID.
    pub(super) fn names_proxy(stack: &Stack) -> bool {
        let id = stack.proxy.id();
        stack.policies.iter().any(|policy| policy::strings(&policy.document).iter().any(|text| text.contains(id)))
    }

    pub(super) fn own_group(&self, id: &str) -> Option<&str> {
        self.own_groups.get(id).map(String::as_str)
    }

    pub(super) fn other_groups(&self) -> &BTreeMap<String, String> {
        &self.other_groups
    }

    pub(super) fn own_secret(&self, arn: &str) -> Option<&str> {
        self.own_secrets.get(arn).map(String::as_str)
    }

    pub(super) fn other_secrets(&self) -> &BTreeMap<String, String> {
        &self.other_secrets
    }

    pub(super) fn policy(&self, arn: &str) -> Option<&str> {
        self.policies.get(arn).map(String::as_str)
    }

    /// The roles of functions: name and label.
    pub(super) fn roles(&self) -> &BTreeMap<String, String> {
        &self.roles
    }

    pub(super) fn given_role(&self) -> Option<&str> {
        self.given_role.as_deref()
    }

    pub(super) fn inline(&self, name: &str) -> Option<&str> {
        self.inline.get(name).map(String::as_str)
    }

    pub(super) fn rule(&self, id: &str) -> Option<&str> {
        self.rules.get(id).map(String::as_str)
    }
}

/// What a rule is called: who lets whom in, or out.
fn rule_name(rule: &Rule, named: impl Fn(&String) -> String) -> String {
    let group = named(&rule.group);
    match (&rule.peer, rule.egress) {
        (Peer::Group(peer), false) => format!("{group}_from_{}", named(peer)),
        (Peer::Group(peer), true) => format!("{group}_to_{}", named(peer)),
        (Peer::Ipv4(_) | Peer::Ipv6(_), false) => format!("{group}_in"),
        (Peer::Ipv4(_) | Peer::Ipv6(_), true) => format!("{group}_out"),
    }
}
