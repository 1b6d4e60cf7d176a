//! `permissions`: the least IAM policy that a command needs.

use crate::cli::{For, Global, Permissions};
use crate::error::Failure;
use crate::exit::Exit;
use crate::permissions::{Scope, Verb, policy};
use crate::report;
use crate::spec::{self, DatabaseRef};

/// Runs it.
pub(super) fn run(global: &Global, args: &Permissions) -> Result<Exit, Failure> {
    let verbs: &[Verb] = match args.verb {
        For::Up => &[Verb::Up, Verb::Status],
        For::Status => &[Verb::Status],
        For::Teardown => &[Verb::Teardown],
        For::Doctor => &[Verb::Status, Verb::Doctor],
        // Its static part looks at what a diagnosis does.
        For::Verify => &[Verb::Verify, Verb::Status, Verb::Doctor],
        For::All => &[Verb::Up, Verb::Status, Verb::Teardown, Verb::Doctor, Verb::Verify],
    };
    let database = args.db.as_deref().map(DatabaseRef::parse).transpose()?;
    let stack = database.as_ref().map(|database| spec::stack(args.name.as_deref(), database)).transpose()?;
    let place = database.as_ref().and_then(|database| database.place.as_ref());
    let region =
        global.region.clone().or_else(|| place.map(|place| place.region.clone())).or_else(region_of_environment);
    let account = args.account.clone().or_else(|| place.map(|place| place.account.clone()));
    let region = region.unwrap_or_else(|| "*".to_owned());
    let partition = match region.split_once('-').map(|(head, _)| head) {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let scope = Scope {
        partition: partition.to_owned(),
        region,
        account: account.unwrap_or_else(|| "*".to_owned()),
        database: database.map(|database| database.id),
        stack,
    };
    report::document(&policy(verbs, &scope));
    Ok(Exit::Done)
}

fn region_of_environment() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}
