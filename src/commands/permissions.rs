//! `permissions`: the minimum IAM policies that a command needs.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use documents::{Discovered, Foreign, Version};
use serde_json::Value;

use crate::cli::{For, Form, Global, Output, Permissions};
use crate::error::Failure;
use crate::exit::Exit;
use crate::permissions::{Feature, Given, LIMIT, Scope, Verb, as_cloudformation, as_terraform, policies, size};
use crate::report;
use crate::spec::{self, DatabaseRef};

mod discover;

/// Runs it.
pub(super) fn run(global: &Global, args: &Permissions) -> Result<Exit, Failure> {
    print(global, args, &scope(global, args)?, None)
}

/// Reads the account first.
pub(super) async fn discovered(global: &Global, args: &Permissions) -> Result<Exit, Failure> {
    let (scope, found) = Box::pin(discover::read(global, args, scope(global, args)?)).await?;
    print(global, args, &scope, Some(found))
}

fn print(global: &Global, args: &Permissions, scope: &Scope, found: Option<Discovered>) -> Result<Exit, Failure> {
    if args.verb == For::Administrator {
        return administrator(global, args, scope);
    }
    let mut verbs = match args.verb {
        For::Up => vec![Verb::Up, Verb::Status],
        For::Status => vec![Verb::Status],
        For::Teardown => vec![Verb::Teardown],
        For::Restore => vec![Verb::Restore],
        For::CloseDirect => vec![Verb::CloseDirect, Verb::Status],
        For::Rehearse => vec![Verb::Rehearse],
        For::Advise => vec![Verb::Advise],
        For::Export => vec![Verb::Export],
        For::Watch => vec![Verb::Watch],
        For::Alarms => vec![Verb::Alarms],
        For::Doctor => vec![Verb::Status, Verb::Doctor],
        // Its static part looks at what a diagnosis does.
        For::Verify => vec![Verb::Verify, Verb::Status, Verb::Doctor],
        For::All | For::Administrator => {
            vec![
                Verb::Up,
                Verb::Status,
                Verb::Teardown,
                Verb::CloseDirect,
                Verb::Advise,
                Verb::Export,
                Verb::Watch,
                Verb::Alarms,
                Verb::Doctor,
                Verb::Verify,
            ]
        }
    };
    let mut features = args.features.clone();
    match args.verb {
        // The command is printed for the sake of its probe.
        For::Verify => features.push(Feature::Probe),
        For::Up if features.contains(&Feature::Probe) => verbs.push(Verb::Verify),
        _ => {}
    }
    let documents = policies(&verbs, &features, scope);
    let stem = stem(args.verb, scope);
    match args.form {
        Form::Json => {}
        Form::Cloudformation => return template(global, args, &as_cloudformation(&stem, &documents)),
        Form::Terraform => return template(global, args, &as_terraform(&stem, &documents)),
    }
    let files = args.output_dir.as_deref().map(|folder| write(folder, &stem, &documents)).transpose()?;
    show(global, documents, files.as_deref(), found);
    Ok(Exit::Done)
}

/// Where the policy is to hold.
fn scope(global: &Global, args: &Permissions) -> Result<Scope, Failure> {
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
    Ok(Scope {
        partition: partition.to_owned(),
        region,
        account: account.unwrap_or_else(|| "*".to_owned()),
        database: database.map(|database| database.id),
        stack,
        functions: args.functions.clone(),
        function_roles: args.function_roles.clone(),
        secrets: args.secrets.clone(),
        known: None,
        boundary: args.permissions_boundary.clone(),
        role: args.role_arn.clone(),
        connect_policy: args.connect_policy_arn.clone(),
    })
}

/// Prints what an administrator creates once, and how `up` is run then.
fn administrator(global: &Global, args: &Permissions, scope: &Scope) -> Result<Exit, Failure> {
    let refuse = |why: &str, hint: &str| {
        Err(Failure::new(Exit::Decide, format!("permissions (--for administrator): {why}"), [hint]))
    };
    if args.features.len() + args.functions.len() > 0 || args.role_arn.is_some() || args.connect_policy_arn.is_some() {
        return refuse(
            "it creates the role and the policy, and so takes none of --with, --function, --role-arn, --connect-policy-arn",
            "Leave them away; --function-role names the roles that the connect policy is attached to.",
        );
    }
    // An account or a region that is not known would be a wildcard in a right that lasts.
    if scope.account == "*" || scope.region == "*" || scope.secrets.is_empty() {
        let hint = "Give --region, --account and, for each secret that the proxy reads, --secret ARN.";
        return refuse("account, region and the proxy's secrets must be known", hint);
    }
    let users = args.db_users.iter().map(|user| spec::db_user(user)).collect::<Result<Vec<_>, _>>()?;
    if users.is_empty() && !scope.function_roles.is_empty() {
        let hint = "Give --db-user for log-ins with IAM; log-ins with passwords need no connect policy.";
        return refuse("--function-role names who gets the connect policy, and there is no user for one", hint);
    }
    let Some(given) = Given::new(scope, &users, &args.kms_keys) else {
        return refuse("the stack's name must be known", "Give --db.");
    };
    let document = match args.form {
        Form::Json => {
            return refuse("policies alone do not create a role", "Give --as cloudformation or --as terraform.");
        }
        Form::Cloudformation => given.cloudformation(),
        Form::Terraform => given.terraform(),
    };
    if !global.quiet {
        let policy = given.policy_arn().map(|arn| format!(" --connect-policy-arn {arn}")).unwrap_or_default();
        let then = format!("Then: rdsproxy-setup up … --role-arn {}{policy}", given.role_arn());
        report::note(global.output == Output::Json, &then);
    }
    template(global, args, &document)
}

/// Prints one document that holds everything.
fn template(global: &Global, args: &Permissions, document: &Value) -> Result<Exit, Failure> {
    if args.output_dir.is_some() {
        let hint = "Redirect the output to a file, named *.template.json or *.tf.json.";
        return Err(Failure::new(Exit::Decide, "permissions (--output-dir): it is for --as json alone", [hint]));
    }
    if global.output == Output::Json {
        let documents = foreign([document.clone()]);
        report::document(&documents::Permissions { schema: Version, documents, discovered: None, files: None });
    } else {
        report::foreign(document);
    }
    Ok(Exit::Done)
}

/// Prints the documents, or where they are.
fn show(global: &Global, documents: Vec<Value>, files: Option<&[PathBuf]>, discovered: Option<Discovered>) {
    if global.output == Output::Json {
        let files = files.map(|files| files.iter().map(|file| file.display().to_string()).collect());
        let documents = foreign(documents);
        return report::document(&documents::Permissions { schema: Version, documents, discovered, files });
    }
    if let Some(files) = files {
        let lines: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        return report::result(&lines.join("\n"));
    }
    // Headings go to stderr, so that stdout is JSON alone whatever it is piped into.
    for (at, document) in documents.iter().enumerate() {
        if documents.len() > 1 && !global.quiet {
            let (number, count, size) = (at + 1, documents.len(), size(document));
            report::say(&format!("Policy {number} of {count} ({size} of {LIMIT} characters):"));
        }
        report::foreign(document);
    }
    if documents.len() > 1 && !global.quiet {
        let count = documents.len();
        report::say(&format!(
            "All {count} are needed: one managed policy holds {LIMIT} characters. --output-dir writes a file for each."
        ));
    }
}

/// Policies and templates are objects, whose form others define.
fn foreign(documents: impl IntoIterator<Item = Value>) -> Vec<Foreign> {
    let object = |document| match document {
        Value::Object(members) => Some(Foreign(members)),
        _ => None,
    };
    documents.into_iter().filter_map(object).collect()
}

/// What the names of the files begin with.
fn stem(verb: For, scope: &Scope) -> String {
    let verb = verb.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let stack = scope.stack().map(|stack| format!("-{stack}")).unwrap_or_default();
    format!("rdsproxy-setup-{verb}{stack}")
}

/// Writes each document to a file of its own; a file that holds something else stops it before anything is written.
fn write(folder: &Path, stem: &str, documents: &[Value]) -> Result<Vec<PathBuf>, Failure> {
    let failed = |path: &Path, why: &str| {
        let hint = "Name an empty folder, or delete the file.";
        Failure::new(Exit::Decide, format!("writing the policies ({}): {why}", path.display()), [hint])
    };
    let text = |document: &Value| format!("{document:#}\n");
    let file = |number: usize| folder.join(format!("{stem}-{number}.json"));
    let mut missing = Vec::new();
    for (number, document) in (1..).zip(documents) {
        let path = file(number);
        match std::fs::read(&path) {
            Ok(held) if held == text(document).as_bytes() => {}
            Ok(_) => return Err(failed(&path, "the file holds something else")),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push((path, text(document))),
            Err(error) => return Err(failed(&path, &error.to_string())),
        }
    }
    // Anyone who attaches all files of this name would attach it too.
    let next = file(documents.len() + 1);
    if next.exists() {
        return Err(failed(&next, "the file is left from a run that needed more policies"));
    }
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error.to_string()))?;
    for (path, text) in missing {
        let made = std::fs::File::create_new(&path).and_then(|mut made| made.write_all(text.as_bytes()));
        made.map_err(|error| failed(&path, &error.to_string()))?;
    }
    Ok((1..=documents.len()).map(file).collect())
}

fn region_of_environment() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}
