//! The proxy's role with its policies, and the secrets that the stack created.

use hcl::Expression;
use hcl::expr::FuncCall;

use super::refer::Refer;
use super::section;
use crate::Stack;
use crate::hcl_text::{Section, attribute, block, document, reference, tags, text};
use crate::policy::path_and_name;
use crate::stack::{Role, Secret};

/// For how many days a deleted secret can be restored, as `teardown` has it. Without it, the provider would read 0 from
/// the state of an imported secret, and delete it at once.
const RECOVERY_DAYS: i32 = 30;

/// The sections of the file.
pub(super) fn sections(stack: &Stack, refer: &Refer) -> Vec<Section> {
    let mut sections = Vec::new();
    if let Some(role) = &stack.role {
        let mut locals = vec![attribute("proxy_trust", document(&role.trust, &[]))];
        for (name, policy) in &role.inline {
            if let Some(label) = refer.inline(name) {
                locals.push(attribute(&local(label), document(policy, &refer.instead(stack, false))));
            }
        }
        sections.push(section(
            &["RDS supports no conditions in the trust policy of a proxy's role."],
            [block("locals", &[], locals)],
        ));
        sections.push(section(&[], [role_block(role)]));
        for name in role.inline.keys() {
            let Some(label) = refer.inline(name) else { continue };
            let body = [
                attribute("name", text(name)),
                attribute("role", reference(&["aws_iam_role", "proxy", "name"])),
                attribute("policy", json(&local(label))),
            ];
            sections.push(section(&[], [block("resource", &["aws_iam_role_policy", label], body)]));
        }
    }
    for secret in &stack.secrets {
        let Some(label) = refer.own_secret(&secret.arn) else { continue };
        sections.push(section(
            &[
                "Its value is in Secrets Manager alone: neither here nor in Terraform's state.",
                "recovery_window_in_days is in the state alone, so the first plan shows it as a change in place.",
            ],
            [block("resource", &["aws_secretsmanager_secret", label], secret_body(secret))],
        ));
    }
    sections
}

fn local(label: &str) -> String {
    format!("proxy_policy_{label}")
}

/// A document of this configuration as JSON.
pub(super) fn json(local: &str) -> Expression {
    Expression::from(FuncCall::builder("jsonencode").arg(reference(&["local", local])).build())
}

fn role_block(role: &Role) -> hcl::Block {
    let (path, _) = path_and_name(&role.arn);
    let mut body = vec![attribute("name", text(&role.name)), attribute("path", text(&path))];
    body.extend(role.description.as_ref().map(|what| attribute("description", text(what))));
    body.push(attribute("assume_role_policy", json("proxy_trust")));
    body.extend(role.boundary.as_ref().map(|arn| attribute("permissions_boundary", text(arn))));
    body.push(attribute("tags", tags(&role.tags)));
    block("resource", &["aws_iam_role", "proxy"], body)
}

fn secret_body(secret: &Secret) -> Vec<hcl::Structure> {
    let mut body = vec![attribute("name", text(&secret.name))];
    body.extend(secret.description.as_ref().map(|what| attribute("description", text(what))));
    body.extend(secret.kms_key.as_ref().map(|key| attribute("kms_key_id", text(key))));
    body.push(attribute("recovery_window_in_days", RECOVERY_DAYS));
    body.push(attribute("tags", tags(&secret.tags)));
    body
}
