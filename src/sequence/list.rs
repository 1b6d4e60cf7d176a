//! The thirteen steps as they stand: one list, for plan, status and saved plans.
//!
//! [`super::converge`] takes the same steps in the order of the data. That neither has a step which the other lacks,
//! and that the plan comes true, is law 5 (`tests/it/laws.rs`).

use crate::catalogue::StepId;
use crate::cloud::ec2::Group;
use crate::engine::Observed;
use crate::plan::{Entry, PlannedStep, Verdict};
use crate::resources::release::Release;
use crate::survey::Survey;

/// Why steps 4 to 7 do not apply.
pub(super) const PASSWORD_LOGIN: &str = "the functions log in with a password";

/// Why step 13 does not apply.
pub(super) const PREPARED: &str = "--prepare leaves the functions as they are";

/// What earlier steps give, or what stands for it.
pub(super) struct Given<'a> {
    /// The role's ARN.
    pub(super) role: Option<&'a str>,
    /// The ID of the proxy's own group.
    pub(super) group: Option<&'a str>,
    /// The groups whose rules are wanted.
    pub(super) groups: Observed<Vec<Group>>,
}

/// Takes the steps one by one.
pub(super) trait Visitor {
    /// A step.
    fn step<S: PlannedStep>(&mut self, step: &S, seen: &Observed<S::State>);

    /// A resource of its own that belongs to the step before; `what` goes on after its name.
    fn part<S: PlannedStep>(&mut self, part: &S, seen: &Observed<S::State>, what: &str);

    /// A step that is taken here and not in the account.
    fn local(&mut self, step: StepId, subject: String);

    /// The aliases, which belong to the step before.
    fn aliases(&mut self, release: &Release<'_>);
}

impl Survey {
    /// Shows all thirteen steps to a visitor, in their order.
    pub(super) fn visit(&self, given: &Given<'_>, visitor: &mut impl Visitor) {
        let seen = &self.seen;
        let id = self.proxy_id();
        let (endpoint, reader) = self.hosts();
        let known = self.known(Some(&endpoint), reader.as_deref());
        let arn = self.policy_arn();
        let rows = seen.registered.present().map(|found| found.rows.clone()).unwrap_or_default();

        visitor.step(&self.proxy_role(), &seen.role);
        visitor.step(&self.proxy_group(), &self.group());
        visitor.step(&self.proxy(given.role, given.group, &self.secrets.arns()), &seen.proxy);
        if self.wants_reader {
            let what = ", for variables that hold the cluster's reader endpoint";
            visitor.part(&self.reader_endpoint(seen.proxy.present()), &seen.reader, what);
        }
        let log_group = self.log_group();
        if let Some(days) = log_group.days {
            visitor.part(&log_group, &seen.log_group, &format!(": events kept {days} days"));
        }
        visitor.local(StepId::ConnectDocument, self.connect_document_for());
        visitor.local(StepId::ProxyId, id.unwrap_or("prx-…").to_owned());
        visitor.step(&self.connect_policies(&arn, id), &seen.rights.policies);
        visitor.step(&self.attach(id), &seen.rights.attached);
        visitor.step(&self.secret_access(), &seen.access);
        visitor.step(&self.database_ingress(given.group), &given.groups);
        visitor.step(&self.target(), &seen.registered);
        visitor.step(&self.health(), &Observed::Present(rows));
        visitor.step(&self.proxy_ingress(given.group), &given.groups);
        let functions = Observed::Present(self.functions.clone());
        visitor.step(&self.repoint(&known, &endpoint, reader.as_deref()), &functions);
        visitor.aliases(&self.release());
    }

    /// All thirteen steps as they stand: the plan, and the status.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let group = self.group();
        let given = Given {
            role: self.role_arn(&self.seen.role),
            group: group.present().map(|group| group.id.as_str()),
            groups: Observed::Present(self.seen.groups.clone()),
        };
        let mut rows = Rows { survey: self, entries: Vec::new() };
        self.visit(&given, &mut rows);
        rows.entries
    }
}

/// The rows of plan and status.
struct Rows<'a> {
    survey: &'a Survey,
    entries: Vec<Entry>,
}

impl Visitor for Rows<'_> {
    fn step<S: PlannedStep>(&mut self, step: &S, seen: &Observed<S::State>) {
        let mut row = step.entry(seen);
        let registered = self.survey.seen.registered.present();
        if row.step == StepId::TargetHealth && registered.is_none_or(|found| found.rows.is_empty()) {
            row.verdict = Verdict::Await("not registered yet".to_owned());
        }
        self.entries.push(row);
    }

    fn part<S: PlannedStep>(&mut self, part: &S, seen: &Observed<S::State>, what: &str) {
        if let Some(row) = self.entries.pop() {
            self.entries.push(with_part(row, part.entry(seen), what));
        }
    }

    fn local(&mut self, step: StepId, subject: String) {
        let verdict = match (self.survey.login.iam, self.survey.proxy_id()) {
            (false, _) => Verdict::NotNeeded(PASSWORD_LOGIN.to_owned()),
            (true, None) => Verdict::Await("known once the proxy exists".to_owned()),
            (true, Some(_)) => Verdict::InPlace,
        };
        self.entries.push(Entry { step, verdict, subject, details: Vec::new(), redirects: Vec::new() });
    }

    fn aliases(&mut self, release: &Release<'_>) {
        let Some(mut row) = self.entries.pop() else { return };
        row.verdict = match (row.verdict, release.intentions()) {
            (verdict, aliases) if aliases.is_empty() => verdict,
            (Verdict::Update(fields), aliases) => Verdict::Update(fields.into_iter().chain(aliases).collect()),
            (Verdict::InPlace | Verdict::Await(_) | Verdict::NotNeeded(_), aliases) => Verdict::Update(aliases),
            (verdict, _) => verdict,
        };
        if self.survey.spec.prepare && row.verdict.changes() {
            let verdict = Verdict::NotNeeded(PREPARED.to_owned());
            row = Entry { verdict, details: Vec::new(), redirects: Vec::new(), ..row };
        }
        self.entries.push(row);
    }
}

/// The proxy's row, with a part of the proxy that is a resource of its own.
fn with_part(mut row: Entry, part: Entry, what: &str) -> Entry {
    let missing = || format!("{}: missing", part.subject);
    row.verdict = match (row.verdict, part.verdict) {
        (Verdict::InPlace, Verdict::Create) => Verdict::Update(vec![missing()]),
        (Verdict::Update(mut fields), Verdict::Create) => {
            fields.push(missing());
            Verdict::Update(fields)
        }
        (Verdict::Update(fields), Verdict::Update(more)) => Verdict::Update([fields, more].concat()),
        // A resumed run still creates it once the proxy is there.
        (Verdict::Await(state), Verdict::Create) => {
            row.details.push(format!("the proxy is {state}: that is waited for first"));
            Verdict::Update(vec![missing()])
        }
        // The worse of the two says what is in place or in conflict.
        (Verdict::InPlace, verdict) | (_, verdict @ Verdict::Conflict(_)) | (verdict, _) => verdict,
    };
    row.details.push(format!("{}{what}", part.subject));
    row
}
