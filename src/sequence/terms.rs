//! The thirteen steps as a saved plan holds them.

use crate::catalogue::StepId;
use crate::engine::Observed;
use crate::names::with_letters_to_come;
use crate::plan::{PlannedStep as _, Terms};
use crate::survey::Survey;

impl Survey {
    /// What is left to do, step by step, and what it builds on.
    ///
    /// What the stack creates is called by its name and not by its ID, so that a plan from before its creation and one
    /// from after it say the same.
    #[must_use]
    pub fn terms(&self) -> Vec<(String, Terms)> {
        let seen = &self.seen;
        let group = self.group();
        let group_id = group.present().map_or(self.names.group.as_str(), |group| group.id.as_str());
        let own_role = self.names.role_arn(&self.identity.partition, &self.identity.account);
        let role = self.role_arn(&seen.role).unwrap_or(&own_role);
        let (arn, id) = (self.policy_arn(), self.proxy_id());
        let (endpoint, reader) = self.hosts();
        let known = self.known(Some(&endpoint), reader.as_deref());
        let mut groups = seen.groups.clone();
        if group.is_absent() && !self.adopted {
            groups.push(self.proxy_group().new_group(group_id.to_owned()));
        }
        let groups = Observed::Present(groups);

        let mut proxy = self.proxy(Some(role), Some(group_id), &self.secrets.arns()).terms(&seen.proxy);
        if self.wants_reader {
            proxy.extend(self.reader_endpoint(seen.proxy.present()).terms(&seen.reader));
        }
        if self.log_group().days.is_some() {
            proxy.extend(self.log_group().terms(&seen.log_group));
        }
        let functions = Observed::Present(self.functions.clone());
        let mut repoint = self.repoint(&known, &endpoint, reader.as_deref()).terms(&functions);
        repoint.extend(Terms::of(self.release().actions()));
        if self.spec.prepare {
            repoint.actions.clear();
        }
        let steps = [
            (StepId::ProxyRole, self.proxy_role().terms(&seen.role)),
            (StepId::ProxyGroup, self.proxy_group().terms(&group)),
            (StepId::Proxy, proxy),
            (StepId::ConnectPolicy, self.connect_policies(&arn, id).terms(&seen.rights.policies)),
            (StepId::AttachPolicy, self.attach(id).terms(&seen.rights.attached)),
            (StepId::SecretAccess, self.secret_access().terms(&seen.access)),
            (StepId::DatabaseIngress, self.database_ingress(Some(group_id)).terms(&groups)),
            (StepId::Target, self.target().terms(&seen.registered)),
            (StepId::ProxyIngress, self.proxy_ingress(Some(group_id)).terms(&groups)),
            (StepId::Repoint, repoint),
        ];
        let steps = steps.into_iter().map(|(step, terms)| (step.to_string(), self.by_name(terms)));
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
