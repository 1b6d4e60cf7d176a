//! The functions: what their variables, versions and updates say. Values are never shown.

use super::facts::Facts;
use super::{Check, CheckResult};
use crate::catalogue::checks::CheckId;
use crate::cloud::lambda::Update;
use crate::cloud::rds::EngineFamily;
use crate::discover::hosts::HostKind;
use crate::discover::phrases::{self, says};

pub(super) const CHECKS: &[(CheckId, Check)] = &[
    (CheckId::FrozenVersion, frozen),
    (CheckId::UpdateFailed, failed),
    (CheckId::WithoutTls, without_tls),
    (CheckId::WrongCa, wrong_ca),
    (CheckId::StartupOptions, options),
    (CheckId::LoginMismatch, mismatch),
    (CheckId::GoesPast, goes_past),
    (CheckId::HiddenHost, hidden),
];

/// Whether the proxy is there and serves: only then does it matter who goes past it.
fn serves(facts: &Facts<'_>) -> bool {
    let rows = facts.survey.seen.registered.present().map(|found| found.rows.as_slice()).unwrap_or_default();
    facts.proxy().is_some_and(|proxy| proxy.status == "available")
        && rows.iter().any(|row| row.state.as_deref() == Some("AVAILABLE"))
}

fn frozen(facts: &Facts<'_>) -> CheckResult {
    if !serves(facts) {
        return CheckResult::Beside;
    }
    let evidence = facts.survey.frozen.iter().map(|frozen| {
        let (function, alias, version) = (&frozen.function, &frozen.alias.name, &frozen.alias.version);
        format!("The alias {alias} of {function} calls version {version}, which holds the database's own host.")
    });
    CheckResult::by(CheckId::FrozenVersion, evidence.collect(), "no alias calls a version with the database's host")
}

fn failed(facts: &Facts<'_>) -> CheckResult {
    let evidence = facts.survey.functions.iter().filter_map(|found| match &found.function.update {
        Update::Failed(why) => {
            Some(format!("The last update of {} failed: {}.", found.function.name, why.trim_end_matches('.')))
        }
        _ => None,
    });
    CheckResult::by(CheckId::UpdateFailed, evidence.collect(), "every function's last update succeeded")
}

/// A sentence for each variable that speaks of it, by name alone.
fn speaking(facts: &Facts<'_>, what: &str, says: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for function in &facts.survey.functions {
        for (name, value) in &function.function.variables.0 {
            if says(&name.to_ascii_uppercase(), &value.to_ascii_lowercase()) {
                found.push(format!("{name} of {} {what}.", function.function.name));
            }
        }
    }
    found
}

/// Words in a name that speak of a database.
const DATABASE: [&str; 8] = ["DB", "DATABASE", "MYSQL", "MARIADB", "PG", "POSTGRES", "RDS", "AURORA"];

fn about_database(name: &str) -> bool {
    DATABASE.iter().any(|word| name.starts_with(word) || name.contains(&format!("_{word}")))
}

fn turns_tls_off(name: &str, value: &str) -> bool {
    let off = ["false", "0", "no", "off", "disable", "disabled"].contains(&value);
    let named = about_database(name) && (name.contains("SSL") || name.contains("TLS"));
    (named && off) || says(value, &phrases::NO_TLS)
}

pub(super) fn without_tls(facts: &Facts<'_>) -> CheckResult {
    if !facts.survey.requires_tls() {
        return CheckResult::Beside;
    }
    let evidence = speaking(facts, "turns TLS off, and the proxy requires it", turns_tls_off);
    CheckResult::by(CheckId::WithoutTls, evidence, "no variable turns TLS off")
}

/// Whether a value names one of the bundles that AWS offers for connections straight to a database.
fn names_rds_bundle(value: &str) -> bool {
    says(value, &phrases::RDS_BUNDLES)
}

fn wrong_ca(facts: &Facts<'_>) -> CheckResult {
    let evidence = speaking(facts, "names a certificate bundle of RDS", |_, value| names_rds_bundle(value));
    CheckResult::by(CheckId::WrongCa, evidence, "no variable names a certificate bundle of RDS")
}

fn sends_options(name: &str, value: &str) -> bool {
    let url = says(value, &phrases::CONNECTION);
    name == "PGOPTIONS" || (url && says(value, &phrases::OPTIONS))
}

/// What the checks read of a variable, for tests.
#[cfg(test)]
pub(crate) fn spoken(name: &str, value: &str) -> [bool; 3] {
    let (name, value) = (name.to_ascii_uppercase(), value.to_ascii_lowercase());
    [turns_tls_off(&name, &value), names_rds_bundle(&value), sends_options(&name, &value)]
}

fn options(facts: &Facts<'_>) -> CheckResult {
    if facts.survey.database.family != EngineFamily::PostgreSql {
        return CheckResult::Beside;
    }
    let evidence = speaking(facts, "sends a start-up option that RDS Proxy refuses", sends_options);
    CheckResult::by(CheckId::StartupOptions, evidence, "no variable sends a start-up option that the proxy refuses")
}

fn mismatch(facts: &Facts<'_>) -> CheckResult {
    let login = &facts.survey.login;
    let Some(proxy) = facts.proxy().filter(|proxy| !proxy.auth.is_empty() && !facts.survey.functions.is_empty()) else {
        return CheckResult::Beside;
    };
    let takes = |iam: bool| if iam { "IAM tokens alone" } else { "passwords alone" };
    let of_others = &facts.survey.secrets.of_others;
    let other = proxy.auth.iter().filter(|auth| auth.iam != login.iam && !of_others.contains(&auth.secret));
    let evidence: Vec<String> =
        other.map(|auth| format!("For {} the proxy takes {}; {}.", auth.secret, takes(auth.iam), login.why)).collect();
    CheckResult::by(CheckId::LoginMismatch, evidence, "the proxy takes what the functions send")
}

fn goes_past(facts: &Facts<'_>) -> CheckResult {
    if !serves(facts) {
        return CheckResult::Beside;
    }
    let evidence: Vec<String> = facts
        .survey
        .functions
        .iter()
        .filter_map(|found| {
            let reader = facts.survey.wants_reader;
            let direct = found.holding(|kind| kind == HostKind::Writer || (reader && kind == HostKind::Reader));
            let sentence =
                || format!("{} of {} holds the database's own host.", direct.join(", "), found.function.name);
            (!direct.is_empty()).then(sentence)
        })
        .collect();
    CheckResult::by(CheckId::GoesPast, evidence, "every function uses the proxy")
}

fn hidden(facts: &Facts<'_>) -> CheckResult {
    let evidence = facts.survey.hidden.iter().map(|hidden| format!("{hidden}."));
    CheckResult::by(
        CheckId::HiddenHost,
        evidence.collect(),
        "no variable holds the database's host in a form of its own",
    )
}
