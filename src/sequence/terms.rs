//! The thirteen steps as a saved plan holds them.

use super::list::{Given, Visitor};
use crate::catalogue::StepId;
use crate::engine::Observed;
use crate::names::with_letters_to_come;
use crate::plan::{PlannedStep, Terms};
use crate::resources::release::Release;
use crate::survey::Survey;

impl Survey {
    /// What is left to do, step by step, and what it builds on.
    ///
    /// What the stack creates is called by its name and not by its ID, so that a plan from before its creation and one
    /// from after it say the same.
    #[must_use]
    pub fn terms(&self) -> Vec<(String, Terms)> {
        let group = self.group();
        let group_id = group.present().map_or(self.names.group.as_str(), |group| group.id.as_str());
        let own_role = self.names.role_arn(&self.identity.partition, &self.identity.account);
        let mut groups = self.seen.groups.clone();
        if group.is_absent() && !self.adopted {
            groups.push(self.proxy_group().new_group(group_id.to_owned()));
        }
        let given = Given {
            role: Some(self.role_arn(&self.seen.role).unwrap_or(&own_role)),
            group: Some(group_id),
            groups: Observed::Present(groups),
        };
        let mut all = AllTerms { prepare: self.spec.prepare, steps: Vec::new() };
        self.visit(&given, &mut all);
        let steps = all.steps.into_iter().map(|(step, terms)| (step.to_string(), self.by_name(terms)));
        [("database".to_owned(), self.terms_of_database())].into_iter().chain(steps).collect()
    }

    /// What the whole plan builds on.
    fn terms_of_database(&self) -> Terms {
        let database = &self.database;
        let login = if self.login.iam { "IAM tokens" } else { "password" };
        Terms::default()
            .on("ARN", Some(database.arn.clone()))
            .on("resource ID", Some(database.resource_id.clone()))
            .on("host", Some(format!("{}:{}", database.host(), database.port)))
            .on("login", Some(login.to_owned()))
    }

    /// The actions with names in place of IDs that are known only once a thing exists.
    fn by_name(&self, terms: Terms) -> Terms {
        let region = &self.region;
        let to_come = |host: String| with_letters_to_come(&host);
        let mut names: Vec<(String, String)> = Vec::new();
        names.extend(self.reader_host().map(|host| (host, to_come(self.names.reader_host_like(region)))));
        let endpoint = self.endpoint().map(str::to_owned);
        names.extend(endpoint.map(|host| (host, to_come(self.names.endpoint_like(region)))));
        names.extend(self.group().present().map(|group| (group.id.clone(), group.name.clone())));
        names.extend(self.secrets.found.iter().map(|secret| (secret.arn.clone(), secret.name.clone())));
        let basis = terms.basis.clone();
        let named = |text: String| names.iter().fold(text, |text, (from, to)| text.replace(from, to));
        Terms { basis, ..terms.map(named) }
    }
}

/// What a saved plan holds of the steps.
struct AllTerms {
    prepare: bool,
    steps: Vec<(StepId, Terms)>,
}

impl Visitor for AllTerms {
    fn step<S: PlannedStep>(&mut self, step: &S, seen: &Observed<S::State>) {
        // What is only waited for is no part of a plan.
        if step.id() != StepId::TargetHealth {
            self.steps.push((step.id(), step.terms(seen)));
        }
    }

    fn part<S: PlannedStep>(&mut self, part: &S, seen: &Observed<S::State>, _: &str) {
        if let Some((_, terms)) = self.steps.last_mut() {
            terms.extend(part.terms(seen));
        }
    }

    fn local(&mut self, _: StepId, _: String) {}

    fn aliases(&mut self, release: &Release<'_>) {
        if let Some((_, terms)) = self.steps.last_mut() {
            terms.extend(Terms::of(release.actions()));
            if self.prepare {
                terms.actions.clear();
            }
        }
    }
}
