//! Secrets, keys, roles and tokens: whether the proxy logs in, and the functions may.

use super::facts::{Facts, Unread};
use super::{Check, CheckResult, Finding};
use crate::catalogue::StepId;
use crate::catalogue::checks::{CheckId, Severity};
use crate::cloud::iam::Judgement;
use crate::cloud::secrets::Secret;
use crate::discover::secrets::missing_user;
use crate::names::last_of_path;
use crate::plan::Verdict;

pub(super) const CHECKS: &[(CheckId, Check)] = &[
    (CheckId::SecretOfUser, users),
    (CheckId::SecretShape, shape),
    (CheckId::SecretDeleted, deleted),
    (CheckId::SecretStatus, status),
    (CheckId::RoleReadsSecret, reads_secret),
    (CheckId::RoleTrust, trust),
    (CheckId::KeyPolicy, key_policy),
    (CheckId::KeyDisabled, key_disabled),
    (CheckId::IamOff, iam_off),
    (CheckId::Rotation, rotation),
    (CheckId::Connect, connect),
    (CheckId::RoleConnects, connects_database),
];

fn users(facts: &Facts<'_>) -> CheckResult {
    let survey = facts.survey;
    if survey.login.end_to_end || survey.login.users.is_empty() {
        return CheckResult::Beside;
    }
    // The survey stops where no secret is for a user; one that the proxy does not have yet is reported here.
    if let Some(proxy) = facts.proxy() {
        let has = |secret: &&Secret| proxy.auth.iter().any(|auth| auth.secret == secret.arn) && !secret.deleted;
        let have: Vec<Secret> = survey.secrets.found.iter().filter(has).cloned().collect();
        if let Some(user) = missing_user(&survey.login.users, &have) {
            let clause = survey.login.logins.clause(user);
            let finding =
                Finding::of(CheckId::SecretOfUser, [format!("{clause}, and the proxy has no secret for {user}.")]);
            let stack = (&survey.database.id, &survey.names.stack);
            let fix = format!("Carry out step 3: rdsproxy-setup up --db {} --name {}.", stack.0, stack.1);
            return CheckResult::Found(Finding { severity: Severity::Warning, ..finding }.with_fixes([fix]));
        }
    }
    let unknown: Vec<&str> =
        survey.secrets.found.iter().filter(|secret| secret.user.is_none()).map(|secret| secret.name.as_str()).collect();
    if unknown.is_empty() {
        return CheckResult::Fine(format!("each of {} has a secret", survey.login.users.join(", ")));
    }
    let secrets = unknown.join(", ");
    CheckResult::Unchecked(format!(
        "the user that {secrets} is for is part of its value, which --inspect-secret reads once"
    ))
}

fn shape(facts: &Facts<'_>) -> CheckResult {
    let survey = facts.survey;
    let customers: Vec<&str> = survey
        .secrets
        .found
        .iter()
        .filter(|secret| secret.owning_service.is_none())
        .map(|secret| secret.name.as_str())
        .collect();
    match (survey.login.end_to_end, customers.is_empty(), survey.spec.inspect_secret) {
        (true, _, _) => CheckResult::Beside,
        (_, true, _) => CheckResult::Fine("RDS writes the secret itself".to_owned()),
        // The survey stops where a value has another shape.
        (_, _, true) => CheckResult::Fine("the secrets have the keys username and password".to_owned()),
        (_, _, false) => {
            CheckResult::Unchecked(format!("the value of {} is read on --inspect-secret alone", customers.join(", ")))
        }
    }
}

fn deleted(facts: &Facts<'_>) -> CheckResult {
    let survey = facts.survey;
    let Some(proxy) = facts.proxy().filter(|_| !survey.login.end_to_end) else { return CheckResult::Beside };
    // A secret that is gone is no longer among those that were found.
    let gone = proxy
        .auth
        .iter()
        .filter(|auth| !survey.secrets.found.iter().any(|secret| secret.arn == auth.secret && !secret.deleted));
    let evidence: Vec<String> = gone
        .map(|auth| format!("The proxy logs in with {}, which is deleted, or scheduled for it.", auth.secret))
        .collect();
    let name = proxy.auth.first().map(|auth| auth.secret.clone()).unwrap_or_default();
    match CheckResult::by(CheckId::SecretDeleted, evidence, "every secret of the proxy is there") {
        CheckResult::Found(finding) => {
            CheckResult::Found(finding.with("--secret-id NAME", &format!("--secret-id {name}")))
        }
        opinion => opinion,
    }
}

fn status(facts: &Facts<'_>) -> CheckResult {
    let Some(secret) = &facts.survey.database.master_secret else { return CheckResult::Beside };
    if matches!(secret.status.as_str(), "active" | "rotating" | "") {
        return CheckResult::Fine(format!("RDS calls the master user's secret {}", secret.status));
    }
    let evidence = format!("RDS calls the master user's secret {}: {}.", secret.status, secret.arn);
    CheckResult::Found(Finding::of(CheckId::SecretStatus, [evidence]))
}

/// How a step stands, where IAM's simulator may not be asked: then our own documents are compared.
fn by_step(facts: &Facts<'_>, check: CheckId, step: StepId, why: &Unread) -> CheckResult {
    match (why, facts.verdict(step)) {
        (Unread::Unasked, _) => CheckResult::Beside,
        (Unread::Refused(_), Verdict::InPlace) => CheckResult::Fine(format!(
            "step {} is in place, as its own policy says; IAM's simulator could not be asked",
            step.number()
        )),
        (Unread::Refused(_), Verdict::Create | Verdict::Update(_)) => CheckResult::Found(Finding::of(
            check,
            [format!("Step {} is not in place; IAM's simulator could not be asked.", step.number())],
        )),
        (Unread::Refused(why), _) => CheckResult::Unchecked(why.clone()),
    }
}

/// A finding where something is denied for sure; what only the simulator denies was not checked.
fn judged_by(check: CheckId, denied: Vec<String>, doubted: impl Iterator<Item = String>, fine: &str) -> CheckResult {
    let doubted: Vec<String> = doubted.collect();
    if denied.is_empty() && !doubted.is_empty() {
        return CheckResult::Unchecked(doubted.join("; "));
    }
    CheckResult::by(check, denied, fine)
}

fn denied(facts: &Facts<'_>, check: CheckId, fine: &str) -> CheckResult {
    match &facts.reads {
        Ok(judged) => {
            let evidence = judged
                .iter()
                .filter(|judgement| judgement.denied())
                .map(|judgement| format!("{} on {}: {}.", judgement.action, judgement.resource, judgement.decision));
            judged_by(check, evidence.collect(), judged.iter().filter_map(Judgement::doubted), fine)
        }
        // Its own documents were not written here, so they are not compared.
        Err(why) if facts.survey.given.is_some() => CheckResult::unread(why),
        Err(why) => by_step(facts, check, StepId::SecretAccess, why),
    }
}

/// Whether the proxy's role must have its rights by now: the proxy is there, or someone else made the role.
fn is_to_log_in(facts: &Facts<'_>) -> bool {
    facts.proxy().is_some() || facts.survey.given.is_some()
}

fn reads_secret(facts: &Facts<'_>) -> CheckResult {
    if facts.survey.login.end_to_end || !is_to_log_in(facts) {
        return CheckResult::Beside;
    }
    denied(facts, CheckId::RoleReadsSecret, "the proxy's role may read every secret")
}

fn connects_database(facts: &Facts<'_>) -> CheckResult {
    if !facts.survey.login.end_to_end || !is_to_log_in(facts) {
        return CheckResult::Beside;
    }
    denied(facts, CheckId::RoleConnects, "the proxy's role may connect to the database")
}

fn trust(facts: &Facts<'_>) -> CheckResult {
    let given = facts.survey.given.as_ref().map(|given| &given.role);
    let Some(role) = given.unwrap_or(&facts.survey.seen.role).present() else { return CheckResult::Beside };
    let statements = match &role.trust["Statement"] {
        serde_json::Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    };
    let rds = statements.iter().find(|statement| {
        let service = &statement["Principal"]["Service"];
        let named = |name: &serde_json::Value| name == "rds.amazonaws.com";
        named(service) || service.as_array().is_some_and(|all| all.iter().any(named))
    });
    let evidence = match rds {
        None => vec![format!("The trust policy of {} does not name rds.amazonaws.com.", role.name)],
        Some(statement) if statement.get("Condition").is_some() => {
            vec![format!("The trust policy of {} has a condition: {}.", role.name, statement["Condition"])]
        }
        Some(_) => Vec::new(),
    };
    CheckResult::by(CheckId::RoleTrust, evidence, "the role trusts rds.amazonaws.com without conditions")
}

fn key_policy(facts: &Facts<'_>) -> CheckResult {
    if facts.survey.login.end_to_end {
        return CheckResult::Beside;
    }
    let mut fixes = facts.closed.clone();
    let mut evidence: Vec<String> = match &facts.decrypts {
        Ok(judged) if judged.is_empty() => return CheckResult::Beside,
        Ok(judged) => judged
            .iter()
            .filter(|judgement| judgement.denied())
            .map(|judgement| format!("kms:Decrypt on {}: {}.", judgement.resource, judgement.decision))
            .collect(),
        Err(why) if fixes.is_empty() => return by_step(facts, CheckId::KeyPolicy, StepId::SecretAccess, why),
        Err(_) => Vec::new(),
    };
    if !fixes.is_empty() {
        evidence.insert(0, "The policy of the secret's key does not admit the proxy's role.".to_owned());
    }
    if fixes.is_empty() {
        fixes.push(CheckId::RoleReadsSecret.info().advice());
    }
    let doubted = facts.decrypts.iter().flatten().filter_map(Judgement::doubted);
    match judged_by(CheckId::KeyPolicy, evidence, doubted, "the role may decrypt with the secrets' keys") {
        CheckResult::Found(finding) => CheckResult::Found(finding.with_fixes(fixes)),
        opinion => opinion,
    }
}

fn key_disabled(facts: &Facts<'_>) -> CheckResult {
    let keys = match &facts.keys {
        Ok(keys) if keys.is_empty() => return CheckResult::Beside,
        Ok(keys) => keys,
        Err(why) => return CheckResult::unread(why),
    };
    let unusable = keys.iter().filter(|(_, key)| key.as_ref().is_none_or(|key| !key.enabled));
    let names: Vec<&String> = unusable.map(|(arn, _)| arn).collect();
    let Some(first) = names.first() else { return CheckResult::Fine("the secrets' keys are enabled".to_owned()) };
    let evidence = names.iter().map(|arn| format!("The key {arn} is disabled, about to be deleted, or gone."));
    CheckResult::Found(Finding::of(CheckId::KeyDisabled, evidence).with("--key-id KEY", &format!("--key-id {first}")))
}

fn iam_off(facts: &Facts<'_>) -> CheckResult {
    let (survey, database) = (facts.survey, &facts.survey.database);
    if !survey.login.end_to_end || facts.proxy().is_none() {
        return CheckResult::Beside;
    }
    let off = format!("IAM authentication of {} is off.", database.id);
    let evidence = if database.iam_authentication { Vec::new() } else { vec![off] };
    CheckResult::by(CheckId::IamOff, evidence, "IAM authentication of the database is on")
}

fn rotation(facts: &Facts<'_>) -> CheckResult {
    let alternating = facts.survey.secrets.found.iter().filter_map(crate::discover::secrets::alternating);
    CheckResult::by(CheckId::Rotation, alternating.collect(), "no secret alternates between users")
}

pub(super) fn connect(facts: &Facts<'_>) -> CheckResult {
    if !facts.survey.login.iam || facts.survey.functions.is_empty() {
        return CheckResult::Beside;
    }
    match &facts.connects {
        Ok(judged) => {
            let short = |role: &str| last_of_path(role).to_owned();
            let refused = judged.iter().filter(|(_, judgement)| judgement.denied()).map(|(role, judgement)| {
                format!("{}: rds-db:connect on {}: {}.", short(role), judgement.resource, judgement.decision)
            });
            let doubted =
                judged.iter().filter_map(|(role, judged)| Some(format!("{}: {}", short(role), judged.doubted()?)));
            judged_by(CheckId::Connect, refused.collect(), doubted, "the functions' roles may connect to this proxy")
        }
        Err(why) => by_step(facts, CheckId::Connect, StepId::AttachPolicy, why),
    }
}
