//! The `import` blocks, with the ID that the provider's documentation states for each type, on the page of the type
//! under <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/>.

use super::connect::attachment;
use super::network::kind;
use super::refer::Refer;
use super::section;
use crate::Stack;
use crate::hcl_text::{Section, attribute, block, reference, text};

/// The only target group that a proxy has.
const TARGET_GROUP: &str = "default";

/// One resource to import.
pub(super) struct Import {
    /// Its type.
    pub(super) kind: &'static str,
    /// Its label.
    pub(super) label: String,
    /// The ID by which the provider finds it.
    pub(super) id: String,
}

/// Everything to import, in the order of the files.
pub(super) fn all(stack: &Stack, refer: &Refer) -> Vec<Import> {
    let mut all = Vec::new();
    let mut add = |kind, label: &str, id: String| all.push(Import { kind, label: label.to_owned(), id });
    let name = &stack.name;
    // "import DB proxies using the `name`"
    add("aws_db_proxy", "proxy", name.clone());
    // "import DB proxy default target groups using the `db_proxy_name`"
    add("aws_db_proxy_default_target_group", "proxy", name.clone());
    // "using the `db_proxy_name`, `target_group_name`, target type and resource identifier separated by forward
    // slashes"
    let target = if stack.database.cluster { "TRACKED_CLUSTER" } else { "RDS_INSTANCE" };
    add("aws_db_proxy_target", "database", format!("{name}/{TARGET_GROUP}/{target}/{}", stack.database.id));
    if let Some(reader) = &stack.reader {
        // "using the `DB-PROXY-NAME/DB-PROXY-ENDPOINT-NAME`"
        add("aws_db_proxy_endpoint", "reader", format!("{name}/{}", reader.name));
    }
    if let Some(group) = &stack.log_group {
        // "import Cloudwatch Log Groups using the `name`"
        add("aws_cloudwatch_log_group", "proxy", group.name.clone());
    }
    if let Some(role) = &stack.role {
        // "import IAM Roles using the `name`"
        add("aws_iam_role", "proxy", role.name.clone());
        for policy in role.inline.keys() {
            if let Some(label) = refer.inline(policy) {
                // "import IAM Role Policies using the `role_name:role_policy_name`"
                add("aws_iam_role_policy", label, format!("{}:{policy}", role.name));
            }
        }
    }
    for secret in &stack.secrets {
        if let Some(label) = refer.own_secret(&secret.arn) {
            // "import `aws_secretsmanager_secret` using the secret Amazon Resource Name (ARN)"
            add("aws_secretsmanager_secret", label, secret.arn.clone());
        }
    }
    for group in &stack.groups {
        if let Some(label) = refer.own_group(&group.id) {
            // "import Security Groups using the security group `id`"
            add("aws_security_group", label, group.id.clone());
        }
    }
    for rule in &stack.rules {
        if let Some(label) = refer.rule(&rule.id) {
            // "import security group ingress rules using the `security_group_rule_id`", and egress rules as well
            add(kind(rule), label, rule.id.clone());
        }
    }
    for policy in &stack.policies {
        let Some(label) = refer.policy(&policy.arn) else { continue };
        // "import IAM Policies using the `arn`"
        add("aws_iam_policy", label, policy.arn.clone());
        for role in &policy.roles {
            if let Some(of_role) = refer.roles().get(role) {
                // "import IAM role policy attachments using the role name and policy ARN separated by `/`"
                add("aws_iam_role_policy_attachment", &attachment(label, of_role), format!("{role}/{}", policy.arn));
            }
        }
    }
    all
}

/// The sections of the file.
pub(super) fn sections(stack: &Stack, refer: &Refer) -> Vec<Section> {
    let one = |import: Import| {
        let body = [attribute("to", reference(&[import.kind, &import.label])), attribute("id", text(&import.id))];
        block("import", &[], body)
    };
    vec![section(&[], all(stack, refer).into_iter().map(one))]
}
