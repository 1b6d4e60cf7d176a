//! `permissions --discover`: what a policy must name, read from the account as `up` reads it.

use std::collections::BTreeSet;

use documents::Discovered;

use crate::cli::{For, Global, Permissions};
use crate::cloud::ec2::Group;
use crate::commands::session::Session;
use crate::discover::keys::customers;
use crate::discover::{Problem, functions};
use crate::engine::{Observed, Timeouts};
use crate::error::Failure;
use crate::exit::Exit;
use crate::permissions::{Feature, Known, Scope};
use crate::report;
use crate::spec::{self, CreateSecret, DatabaseRef, Spec};
use crate::survey::Survey;

/// Narrows a scope to what the account has, and says what that is.
pub(super) async fn read(global: &Global, args: &Permissions, scope: Scope) -> Result<(Scope, Discovered), Failure> {
    let spec = settings(args)?;
    let session = Session::open(global).await?;
    let survey = session.reading(Box::pin(Survey::read(&session.cloud, &spec, Timeouts::default()))).await?;
    whole(&session, args, &survey).await?;
    for warning in &survey.warnings {
        report::warn(session.json, warning);
    }
    let scope = narrowed(args, &survey, scope)?;
    let encrypted: Vec<&str> = survey
        .functions
        .iter()
        .filter(|found| found.function.kms_key.is_some())
        .map(|found| found.function.name.as_str())
        .collect();
    if !encrypted.is_empty() && !args.features.contains(&Feature::EncryptedVariables) {
        let names = encrypted.join(", ");
        report::warn(
            session.json,
            &format!("The variables of {names} are under a customer key: add --with encrypted-variables."),
        );
    }
    let known = known(args, &survey);
    let found = Discovered {
        account: scope.account.clone(),
        region: scope.region.clone(),
        database: scope.database.clone(),
        proxy: survey.names.stack.clone(),
        functions: scope.functions.clone(),
        function_roles: scope.function_roles.clone(),
        secrets: scope.secrets.clone(),
        vpc: known.vpc.clone(),
        security_groups: known.groups.clone(),
        keys: known.keys.clone(),
    };
    if !global.quiet {
        let list = |what: &str, names: &[String]| {
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            report::note(session.json, &format!("{what}: {names}"));
        };
        list("Functions", &scope.functions);
        list("Their roles", &scope.function_roles);
        list("Secrets", &scope.secrets);
        list("Security groups", &known.groups);
        list("Customer keys", &known.keys);
    }
    Ok((Scope { known: Some(known), ..scope }, found))
}

/// What `up` would be asked for.
fn settings(args: &Permissions) -> Result<Spec, Failure> {
    let database = DatabaseRef::parse(args.db.as_deref().unwrap_or_default())?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let creates = args.features.contains(&Feature::CreateSecret) && !args.db_users.is_empty();
    let (db_users, any_user) = spec::db_users(&args.db_users, creates)?;
    let users = db_users.clone();
    let create_secret =
        creates.then(|| CreateSecret { users, kms_key: args.kms_keys.first().cloned(), generate: true });
    Ok(Spec {
        functions: args.functions.clone(),
        excluded_functions: args.excluded_functions.clone(),
        secrets: args.secrets.clone(),
        client_auth: args.client_auth,
        permissions_boundary: args.permissions_boundary.clone(),
        role_arn: args.role_arn.clone(),
        connect_policy_arn: args.connect_policy_arn.clone(),
        db_users,
        any_user,
        create_secret,
        ..Spec::of(database, stack)
    })
}

/// Stops where something that decides what a policy names could not be read: it would be too wide or too narrow.
async fn whole(session: &Session, args: &Permissions, survey: &Survey) -> Result<(), Failure> {
    fn of<T>(what: &str, seen: &Observed<T>) -> Option<String> {
        match seen {
            Observed::Unknown(why) => Some(format!("{what}: {why}")),
            Observed::Absent | Observed::Present(_) => None,
        }
    }
    let seen = &survey.seen;
    let mut unread: Vec<String> =
        of("the proxy", &seen.proxy).into_iter().chain(of("its read-only endpoint", &seen.reader)).collect();
    if args.functions.is_empty() {
        // One whose variables are not shown may use the database, too.
        let listed = functions::read(&session.cloud, &[]).await.map_err(Problem::refused("listing the functions"))?;
        let functions = listed.0.into_iter().filter_map(|(_, function)| function);
        let of_vpc = functions.filter(|function| function.vpc.as_ref() == Some(&survey.database.vpc));
        let hidden = of_vpc.filter(|function| !args.excluded_functions.contains(&function.name));
        unread
            .extend(hidden.filter_map(|function| {
                function.hidden.map(|why| format!("the variables of {}: {why}", function.name))
            }));
    }
    if unread.is_empty() {
        return Ok(());
    }
    let headline = format!("reading what the policy must name ({}): {}", survey.database.id, unread.join("; "));
    let hint = "Use credentials that may read it: permissions --for status prints what that takes, --with encrypted-variables \
                also for functions under a customer key; --exclude-function leaves one out.";
    let other = "Or name functions, roles and secrets by flags, without --discover.";
    Err(Failure::new(Exit::Decide, headline, [hint, other]))
}

fn sorted(all: impl Iterator<Item = String>) -> Vec<String> {
    let all: BTreeSet<String> = all.collect();
    all.into_iter().collect()
}

/// The functions, roles and secrets of the account in place of any.
fn narrowed(args: &Permissions, survey: &Survey, scope: Scope) -> Result<Scope, Failure> {
    let used = || survey.functions.iter().map(|found| &found.function);
    let functions = sorted(used().map(|function| function.name.clone()));
    // Nothing named would mean any: a policy that is wider than what was found.
    if functions.is_empty() && args.verb != For::Administrator {
        let id = &survey.database.id;
        let headline = format!("reading what the policy must name ({id}): no function uses the database");
        let hints = [
            "Name the functions that are to use it: --function NAME.",
            "Or print a policy for any function, without --discover.",
        ];
        return Err(Failure::new(Exit::Decide, headline, hints));
    }
    let roles = used().map(|function| function.role.clone()).chain(args.function_roles.iter().cloned());
    Ok(Scope {
        partition: survey.identity.partition.clone(),
        region: survey.region.clone(),
        account: survey.identity.account.clone(),
        function_roles: sorted(roles),
        secrets: sorted(survey.secrets.found.iter().map(|secret| secret.arn.clone())),
        functions,
        ..scope
    })
}

/// What only the account shows.
fn known(args: &Permissions, survey: &Survey) -> Known {
    let used = || survey.functions.iter().map(|found| &found.function);
    let secrets = &survey.secrets;
    let keys = customers(&secrets.found).into_iter().chain(secrets.kms_key.clone());
    let keys = keys.chain(used().filter_map(|function| function.kms_key.clone())).chain(args.kms_keys.iter().cloned());
    let of_proxy: Vec<String> = match (survey.seen.proxy.present(), survey.group().present()) {
        (Some(found), _) => found.proxy.security_groups.clone(),
        (None, Some(group)) => vec![group.id.clone()],
        (None, None) => Vec::new(),
    };
    // What an earlier run opened goes with the stack, also where a function has left the group since.
    let opened = |group: &&Group| {
        let mut peers = group.ingress.iter().chain(&group.egress).flat_map(|rule| &rule.groups);
        peers.any(|peer| of_proxy.contains(peer))
    };
    let opened: Vec<String> = survey.seen.groups.iter().filter(opened).map(|group| group.id.clone()).collect();
    let groups = survey.database.security_groups.iter().cloned();
    let groups =
        groups.chain(used().flat_map(|function| function.security_groups.clone())).chain(opened).chain(of_proxy);
    Known { vpc: survey.database.vpc.clone(), groups: sorted(groups), keys: sorted(keys) }
}
