//! From answers to facts: one file a service.

mod ec2;
mod iam;
mod kms;
mod lambda;
mod logs;
mod monitoring;
mod quotas;
mod rds;
mod secrets;
mod sts;

use sandbox::Service;
use serde_json::Value;

use crate::facts::{Facts, Kind, Thing};

/// An operation with its input and its answer.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    /// `DescribeDBProxies`.
    pub(crate) action: &'a str,
    /// As the simulated account reads it.
    pub(crate) input: &'a Thing,
    /// The members of the answer.
    pub(crate) answer: &'a Thing,
}

impl Said<'_> {
    /// Notes each item of a list under the name that it has in a member.
    fn each(&self, facts: &mut Facts, list: &str, kind: Kind, name: &str) {
        for item in crate::read::list(self.answer, list) {
            if let Some(name) = crate::read::part(item, name) {
                facts.note(kind, name, item);
            }
        }
    }

    /// Notes a structure of the answer under a name.
    fn inner(&self, facts: &mut Facts, member: &str, kind: Kind, name: &str) {
        let Some(said) = self.answer.get(member).filter(|said| said.is_object()) else { return };
        if let Some(name) = crate::read::part(said, name) {
            facts.note(kind, name, said);
        }
    }

    fn whole(&self) -> Value {
        Value::Object(self.answer.clone())
    }
}

/// Learns from the answer of a service.
pub(crate) fn learn(facts: &mut Facts, service: Service, said: Said<'_>) {
    match service {
        Service::Ec2 => ec2::learn(facts, said),
        Service::Iam => iam::learn(facts, said),
        Service::Kms => kms::learn(facts, said),
        Service::Lambda => lambda::learn(facts, said),
        Service::Logs => logs::learn(facts, said),
        Service::Monitoring => monitoring::learn(facts, said),
        Service::Pricing => {}
        Service::Rds => rds::learn(facts, said),
        Service::SecretsManager => secrets::learn(facts, said),
        Service::ServiceQuotas => quotas::learn(facts, said),
        Service::Sts => sts::learn(facts, said),
    }
}
