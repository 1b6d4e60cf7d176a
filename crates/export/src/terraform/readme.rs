//! How to take the stack over, for people.

use super::imports;
use super::refer::Refer;
use crate::{Stack, one_line};

/// The text of `README.md`.
pub(super) fn text(stack: &Stack, refer: &Refer) -> String {
    let imports = imports::all(stack, refer);
    let count = imports.len();
    let (name, database) = (one_line(&stack.name), one_line(&stack.database.id));
    let mut text = format!(
        "# {name}, in front of {database}\n\n\
         Terraform configuration of the RDS Proxy {name} in {region}, account {account}, exported by {tool}.\n\n\
         ## Take it over\n\n\
         ```console\n\
         $ terraform init\n\
         $ terraform plan -out take-over.tfplan\n\
         $ terraform apply take-over.tfplan\n\
         ```\n\n\
         The plan must say **{count} to import, 0 to add, {change}, 0 to destroy**. If it says anything else, do not apply \
         it: compare the attribute that it names with the account, and export again.\n\n\
         {secrets}\
         Then delete `imports.tf`, and mark the stack as handed over, so that `rdsproxy-setup up` and `teardown` no longer \
         change it:\n\n\
         ```console\n\
         $ rdsproxy-setup export --db {database_quoted}{named} --hand-over\n\
         ```\n\n\
         Do not change the stack with `rdsproxy-setup` between the export and the hand-over.\n",
        region = stack.region,
        account = stack.account,
        tool = stack.tool,
        change = if stack.secrets.is_empty() {
            "0 to change".to_owned()
        } else {
            format!("{} to change", stack.secrets.len())
        },
        secrets = if stack.secrets.is_empty() {
            ""
        } else {
            "The change in place of a secret sets `recovery_window_in_days` and `force_overwrite_replica_secret`, which Terraform \
             keeps in its state alone.\n\n"
        },
        database_quoted = database,
        named = if stack.name == format!("{}-proxy", stack.database.id) {
            String::new()
        } else {
            format!(" --name {name}")
        },
    );
    text.push_str("\n## What is where\n\n| resource | ID in AWS |\n| --- | --- |\n");
    for import in &imports {
        text.push_str(&format!(
            "| `{}.{}` | `{}` |\n",
            import.kind,
            import.label,
            one_line(&import.id).replace('|', "\\|")
        ));
    }
    text.push_str(
        "\n## What is not here\n\n\
         - The database, the functions, their roles and the security groups of others: data sources, and never changed, but for \
         the rules and attachments listed above.\n\
         - The functions' variables: paste `functions.tf.txt` into the functions' own resources.\n\
         - Values of secrets.\n",
    );
    for left in &stack.left_out {
        text.push_str(&format!("- {}\n", one_line(left)));
    }
    text.push_str(
        "\nThe tags that begin with `rdsproxy-setup:` are part of the configuration. `status`, `doctor` and `verify` find the \
         stack by them; keep them as long as you use these commands.\n",
    );
    text
}
