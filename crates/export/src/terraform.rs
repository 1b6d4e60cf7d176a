//! A stack as a Terraform configuration that takes it over with `import` blocks.
//!
//! Resources are those of the AWS provider 6
//! (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs>). What belongs to others is read by data sources
//! or comes in as a variable. The order of the files is the order in which one reads them.

mod access;
mod connect;
mod imports;
mod network;
mod proxy;
mod readme;
mod refer;
mod snippet;
mod surroundings;

use hcl::{Body, Structure};

use self::refer::Refer;
use crate::hcl_text::{Section, file};
use crate::{Error, File, Stack};

/// Writes a stack as Terraform.
///
/// # Errors
/// When `hcl-rs` cannot print a structure, which would be a bug.
pub fn terraform(stack: &Stack) -> Result<Vec<File>, Error> {
    let refer = &Refer::of(stack);
    let mut files = Vec::new();
    for (name, what, sections) in [
        ("versions.tf", "Terraform, the provider and its Region", surroundings::versions()),
        ("variables.tf", "what another account would set differently", surroundings::variables(stack)),
        ("data.tf", "what belongs to others and is only read", surroundings::data(stack, refer)),
        ("proxy.tf", "the proxy, its target and its endpoints", proxy::sections(stack, refer)),
        ("access.tf", "how the proxy logs in at the database", access::sections(stack, refer)),
        ("network.tf", "security groups and rules", network::sections(stack, refer)),
        ("connect.tf", "how functions may log in with IAM", connect::sections(stack, refer)),
        ("outputs.tf", "endpoint and port", surroundings::outputs(stack)),
        ("imports.tf", "what Terraform takes over; delete it afterwards", imports::sections(stack, refer)),
    ] {
        if !sections.is_empty() {
            files.push(File { name, what, text: file(name, &[head(stack)], &sections)? });
        }
    }
    let name = snippet::NAME;
    if let Some(sections) = snippet::sections(stack) {
        let what = "lines to paste into your functions' resources";
        files.push(File { name, what, text: file(name, &snippet::head(), &sections)? });
    }
    files.push(File { name: "README.md", what: "how to take the stack over", text: readme::text(stack, refer) });
    Ok(files)
}

fn head(stack: &Stack) -> String {
    format!("The proxy {} as {} exported it.", stack.name, stack.tool)
}

fn section(comment: &[&str], structures: impl IntoIterator<Item = impl Into<Structure>>) -> Section {
    Section {
        comment: comment.iter().map(|&line| line.to_owned()).collect(),
        body: structures.into_iter().map(Into::into).collect::<Body>(),
    }
}
