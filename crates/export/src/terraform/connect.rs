//! The policies that let functions log in with IAM tokens, and the roles that carry them.

use hcl::Expression;
use hcl::expr::FuncCall;

use super::access::json;
use super::refer::Refer;
use super::section;
use crate::Stack;
use crate::hcl_text::{Section, attribute, block, document, reference, tags, text};
use crate::policy::path_and_name;

/// The part of an ARN that is the resource's ID: `arn:PARTITION:rds:REGION:ACCOUNT:db-proxy:ID`.
const ID: i32 = 6;

/// The sections of the file.
pub(super) fn sections(stack: &Stack, refer: &Refer) -> Vec<Section> {
    if stack.policies.is_empty() {
        return Vec::new();
    }
    let with_proxy = Refer::names_proxy(stack);
    let mut locals = Vec::new();
    if with_proxy {
        let arn = reference(&["aws_db_proxy", "proxy", "arn"]);
        let parts = Expression::from(FuncCall::builder("split").arg(text(":")).arg(arn).build());
        let id = FuncCall::builder("element").arg(parts).arg(Expression::from(ID)).build();
        locals.push(attribute("proxy_id", Expression::from(id)));
    }
    for policy in &stack.policies {
        if let Some(label) = refer.policy(&policy.arn) {
            let written = document(&policy.document, &refer.instead(stack, with_proxy));
            locals.push(attribute(&local(label), written));
        }
    }
    let comment = ["The policies name the proxy by its ID, which is a new one where a proxy is replaced."];
    let mut sections = vec![section(if with_proxy { &comment[..] } else { &[] }, [block("locals", &[], locals)])];
    for policy in &stack.policies {
        let Some(label) = refer.policy(&policy.arn) else { continue };
        let (path, name) = path_and_name(&policy.arn);
        let mut body = vec![attribute("name", text(&name)), attribute("path", text(&path))];
        body.extend(policy.description.as_ref().map(|what| attribute("description", text(what))));
        body.push(attribute("policy", json(&local(label))));
        body.push(attribute("tags", tags(&policy.tags)));
        sections.push(section(&[], [block("resource", &["aws_iam_policy", label], body)]));
        for role in &policy.roles {
            let Some(of_role) = refer.roles().get(role) else { continue };
            let body = [
                attribute("role", reference(&["data", "aws_iam_role", of_role, "name"])),
                attribute("policy_arn", reference(&["aws_iam_policy", label, "arn"])),
            ];
            let attached = attachment(label, of_role);
            sections.push(section(&[], [block("resource", &["aws_iam_role_policy_attachment", &attached], body)]));
        }
    }
    sections
}

/// The label of an attachment.
pub(super) fn attachment(policy: &str, role: &str) -> String {
    format!("{policy}_of_{role}")
}

fn local(label: &str) -> String {
    format!("policy_{label}")
}
