//! The static verification: from what AWS says, whether a function gets through the proxy to the database.

use super::facts::{Facts, Unread, connects};
use super::{CheckResult, Diagnosis, Finding, clients, credentials, network};
use crate::catalogue::checks::CheckId;
use crate::cloud::Cloud;
use crate::survey::Survey;

/// One part of the way, and what is known to break it.
struct Part {
    title: &'static str,
    checks: &'static [CheckId],
}

const PARTS: [Part; 5] = [
    Part {
        title: "Functions reach the proxy",
        checks: &[CheckId::ProxyIngress, CheckId::FunctionEgress, CheckId::AclToProxy, CheckId::Route],
    },
    Part {
        title: "Functions may log in at the proxy",
        checks: &[CheckId::Connect, CheckId::LoginMismatch, CheckId::SecretOfUser],
    },
    Part { title: "TLS fits", checks: &[CheckId::WithoutTls, CheckId::WrongCa] },
    Part {
        title: "Proxy reaches the database",
        checks: &[CheckId::DatabaseIngress, CheckId::SharedGroup, CheckId::ProxyEgress, CheckId::AclToDatabase],
    },
    Part {
        title: "Proxy may log in at the database",
        checks: &[
            CheckId::RoleReadsSecret,
            CheckId::RoleTrust,
            CheckId::KeyPolicy,
            CheckId::KeyDisabled,
            CheckId::SecretDeleted,
            CheckId::SecretStatus,
            CheckId::SecretShape,
            CheckId::IamOff,
            CheckId::RoleConnects,
        ],
    },
];

/// How a part of the way stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is in the way, as far as AWS reports.
    Open,
    /// Something is.
    Broken,
    /// Something could not be looked at, and nothing else is in the way.
    Unchecked,
}

impl Standing {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "yes",
            Self::Broken => "no",
            Self::Unchecked => "not checked",
        }
    }
}

/// One part of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aspect {
    /// What it is.
    pub title: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// The failures that were found.
    pub found: Vec<CheckId>,
    /// Why, one sentence each; none where it is open.
    pub because: Vec<String>,
}

/// Whether a failure is one of the way's.
#[must_use]
pub fn is_part(check: CheckId) -> bool {
    PARTS.iter().any(|part| part.checks.contains(&check))
}

/// The way from the functions to the database, in parts.
#[must_use]
pub fn aspects(diagnosis: &Diagnosis) -> Vec<Aspect> {
    let mut aspects: Vec<Aspect> = PARTS.iter().map(|part| aspect(diagnosis, part)).collect();
    let ill: Vec<String> = diagnosis.symptoms.iter().map(ToString::to_string).collect();
    let standing = match (ill.is_empty(), diagnosis.finds(CheckId::NotRegistered)) {
        (true, false) => Standing::Open,
        _ => Standing::Broken,
    };
    let because =
        if ill.is_empty() && standing == Standing::Broken { vec!["The proxy has no target.".to_owned()] } else { ill };
    aspects.push(Aspect { title: "Target is available", standing, found: Vec::new(), because });
    aspects
}

fn aspect(diagnosis: &Diagnosis, part: &Part) -> Aspect {
    let found: Vec<&Finding> =
        diagnosis.findings.iter().filter(|finding| part.checks.contains(&finding.check)).collect();
    if !found.is_empty() {
        let told = |finding: &&Finding| {
            let name = finding.check.info().name();
            finding.evidence.iter().map(|evidence| format!("{name}: {evidence}")).collect::<Vec<_>>()
        };
        let because = found.iter().flat_map(told).collect();
        let found = found.iter().map(|finding| finding.check).collect();
        return Aspect { title: part.title, standing: Standing::Broken, found, because };
    }
    let unchecked: Vec<String> = diagnosis
        .unchecked
        .iter()
        // What a secret's value says is asked for by a flag alone; the target's health speaks for it.
        .filter(|(check, _)| {
            part.checks.contains(check) && !matches!(check, CheckId::SecretShape | CheckId::SecretOfUser)
        })
        .map(|(check, why)| format!("{}: {why}.", check.info().name()))
        .collect();
    let standing = if unchecked.is_empty() { Standing::Open } else { Standing::Unchecked };
    Aspect { title: part.title, standing, found: Vec::new(), because: unchecked }
}

/// What was seen of the functions' way before they are pointed at the proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// What would keep them from it.
    pub(crate) in_the_way: Vec<Finding>,
    /// What could not be judged, one sentence each: no reason to stop.
    pub(crate) unjudged: Vec<String>,
}

/// What would keep functions from the proxy once they are pointed there: looked at while the proxy is being made, so
/// that it costs no time. What may not be looked at is no reason to stop.
pub(crate) async fn before_repoint(cloud: &Cloud, survey: &Survey, proxy_id: Option<&str>) -> Ahead {
    let (mut facts, connects) = tokio::join!(Facts::of_clients(cloud, survey), connects(cloud, survey, proxy_id));
    facts.connects = connects.map_err(|_| Unread::Unasked);
    let checks = [network::acl_to_proxy, network::routes, credentials::connect, clients::without_tls];
    let mut ahead = Ahead::default();
    for check in checks {
        match check(&facts) {
            CheckResult::Found(finding) => ahead.in_the_way.push(finding),
            CheckResult::Unchecked(why) => ahead.unjudged.push(format!("It could not be judged from here: {why}.")),
            CheckResult::Fine(_) | CheckResult::Beside => {}
        }
    }
    ahead
}
