//! A stack as CloudFormation: a template that takes it over, and one that makes the same proxy elsewhere.
//!
//! Property names and identifiers are those of the resource types' schemas
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/>).

mod elsewhere;
mod fragments;
mod import;
mod readme;

use serde_json::Value;

use crate::{Error, File, Stack};

/// Writes a stack as CloudFormation.
///
/// # Errors
/// When a template cannot be printed, which would be a bug.
pub fn cloudformation(stack: &Stack) -> Result<Vec<File>, Error> {
    let resources = import::resources(stack);
    let named = [
        ("template.json", "what CloudFormation takes over", import::template(stack, &resources)),
        ("resources-to-import.json", "which resources these are", import::identifiers(&resources)),
        (
            "pool.json",
            "the same template with the pool's settings, which cannot be imported",
            import::with_pool(stack, &resources),
        ),
        ("stackset.json", "the same proxy for other accounts and Regions", elsewhere::template(stack)),
    ];
    let mut files = Vec::new();
    for (name, what, value) in named {
        files.push(File { name, what, text: printed(name, &value)? });
    }
    files.push(File { name: "README.md", what: "how to take the stack over", text: readme::text(stack, &resources) });
    Ok(files)
}

fn printed(file: &'static str, value: &Value) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value).map_err(|source| Error::Json { file, source })?;
    Ok(text + "\n")
}
