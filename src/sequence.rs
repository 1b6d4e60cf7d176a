//! The documented procedure, top to bottom: the file to open first.
//!
//! [`Survey::read`] reads the account once and changes nothing; [`Survey::entries`] is the plan and the
//! status; [`converge`] carries out what is missing, in the order of the data, and overlaps what does not
//! depend on each other. Each step takes the results of earlier ones as fields.

use std::collections::BTreeSet;

use crate::catalogue::StepId;
use crate::cloud::Tags;
use crate::cloud::rds::{ProxyAuth, Target as Row};
use crate::discover::hosts::KnownHost;
use crate::discover::{FunctionUse, remembered};
use crate::engine::event::{Ending, Event};
use crate::engine::ledger::{Entry, Verdict};
use crate::engine::{Change, Run, Seen, Step, Stop, Until, all2};
use crate::gate;
use crate::names::{DATABASE_POLICY, SECRET_POLICY};
use crate::probe::{self, Hosts, Proof};
use crate::spec::NetworkType;
use crate::steps::attach::Attach;
use crate::steps::connect_policy::ConnectPolicy;
use crate::steps::ingress::{Ingress, Path};
use crate::steps::proxy::{Owned, Proxy, WITH_TARGET, WITHOUT_TARGET};
use crate::steps::proxy_group::ProxyGroup;
use crate::steps::proxy_role::ProxyRole;
use crate::steps::reader_endpoint::ReaderEndpoint;
use crate::steps::release::Release;
use crate::steps::repoint::Repoint;
use crate::steps::secret_access::{BySecret, EndToEnd, SecretAccess, Way};
use crate::steps::target::{Health, Target};
use crate::survey::Survey;
use crate::templates;

const PASSWORD_LOGIN: &str = "the functions log in with a password";
const NO_FUNCTION: &str = "no function uses the database";

/// What a run ends with.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The proxy's endpoint.
    pub endpoint: String,
    /// The functions that point at it.
    pub functions: Vec<String>,
    /// What was proven before they were pointed there.
    pub proofs: Vec<Proof>,
}

impl Survey {
    fn proxy_role(&self) -> ProxyRole<'_> {
        let not_needed = self.kept("role");
        ProxyRole { names: &self.names, owner: &self.owner, not_needed, limit: self.patience.propagation }
    }

    fn secret_access(&self) -> SecretAccess<'_> {
        let (names, owner, patience, who) = (&self.names, &self.owner, self.patience, &self.identity);
        if self.login.end_to_end {
            let (id, users) = (&self.database.resource_id, &self.login.users);
            let document = templates::connect_database(&who.partition, &self.region, &who.account, id, users);
            let enable = self.spec.enable_iam_auth;
            return SecretAccess {
                names,
                owner,
                policy: DATABASE_POLICY,
                subject: format!("rds-db:connect on {id} as {}", self.users()),
                not_needed: self.kept("role and its rights"),
                way: Way::Iam(EndToEnd { database: &self.database, enable, document }),
                notes: vec![self.database.family.iam_user().to_owned()],
                patience,
            };
        }
        let generate = self.spec.create_secret.as_ref().is_some_and(|wanted| wanted.generate);
        let (secrets, passwords, region) = (&self.secrets, &self.passwords, self.region.as_str());
        SecretAccess {
            names,
            owner,
            policy: SECRET_POLICY,
            subject: secrets.names().join(", "),
            not_needed: self.kept("role and its rights"),
            way: Way::Secrets(BySecret { secrets, passwords, generate, region, identity: who }),
            notes: vec![format!("why: {}", self.secrets.why)],
            patience,
        }
    }

    /// What a proxy that someone else made keeps of its own.
    fn kept(&self, what: &str) -> Option<String> {
        self.adopted.then(|| format!("the adopted proxy keeps its own {what}"))
    }

    /// The groups that the proxy is in.
    fn proxy_groups(&self, own: Option<&str>) -> Option<Vec<String>> {
        match self.seen.proxy.present().filter(|_| self.adopted) {
            Some(found) => Some(found.proxy.security_groups.clone()),
            None => own.map(|group| vec![group.to_owned()]),
        }
    }

    /// The database users that may log in, for people.
    fn users(&self) -> String {
        if self.login.users.is_empty() { "any user".to_owned() } else { self.login.users.join(", ") }
    }

    pub(crate) fn proxy_group(&self) -> ProxyGroup<'_> {
        let (names, owner, vpc) = (&self.names, &self.owner, self.database.vpc.as_str());
        ProxyGroup { names, owner, vpc, not_needed: self.kept("security groups"), limit: self.patience.propagation }
    }

    fn proxy<'a>(&'a self, role: Option<&'a str>, group: Option<&'a str>, secrets: &[String]) -> Proxy<'a> {
        let iam = self.login.iam;
        let mut notes = Vec::new();
        if let Some(subnets) = &self.subnets {
            notes.push(format!("in {}: {}", subnets.zones.join(", "), subnets.why));
            notes.push(format!("subnets {}", subnets.ids.join(", ")));
            notes.extend(subnets.left_out.iter().map(|why| format!("left out: subnet {why}")));
        }
        if let Some(kind) = self.spec.network_type.filter(|kind| *kind != NetworkType::Ipv4) {
            notes.push(format!(
                "endpoint: {}; only functions with IPv6 allowed for dual stack reach it over IPv6",
                kind.word()
            ));
        }
        let how = if iam { "IAM tokens" } else { "password" };
        notes.push(format!("client authentication: {how}; {}", self.login.why));
        if self.login.end_to_end {
            notes.push("login at the database: IAM, end to end; no secret".to_owned());
        }
        let tls = if self.requires_tls() { "required" } else { "accepted, not required (--require-tls to require it)" };
        notes.push(format!("TLS {tls}"));
        let rows = self.seen.registered.present().map(|found| found.rows.as_slice()).unwrap_or_default();
        // One that another run deletes meanwhile comes back where it was.
        let former = || self.seen.proxy.present().map(|found| found.proxy.subnets.as_slice());
        Proxy {
            name: &self.names.stack,
            owner: &self.owner,
            family: self.database.family,
            vpc: &self.database.vpc,
            subnets: self.subnets.as_ref().map(|subnets| subnets.ids.as_slice()).or_else(former).unwrap_or_default(),
            named_subnets: &self.spec.subnets,
            network_type: self.spec.network_type,
            role,
            group,
            auth: secrets.iter().map(|secret| ProxyAuth { secret: secret.clone(), iam }).collect(),
            end_to_end: self.login.end_to_end,
            require_tls: self.requires_tls(),
            asked_tls: self.spec.require_tls,
            idle_client_timeout: self.spec.idle_client_timeout,
            debug_logging: self.spec.debug_logging,
            // What someone else set up is handed back as it was.
            wishes: if self.adopted { Tags::new() } else { remembered::wishes(&self.spec) },
            adopting: self.adopted.then_some(if rows.is_empty() { WITHOUT_TARGET } else { WITH_TARGET }),
            adoptable: rows.is_empty() || rows.iter().any(|row| row.id.eq_ignore_ascii_case(&self.database.id)),
            patience: self.patience,
            notes,
        }
    }

    pub(crate) fn connect_policy<'a>(&'a self, arn: &'a str, proxy_id: Option<&str>) -> ConnectPolicy<'a> {
        let document = proxy_id.map(|id| {
            let who = &self.identity;
            templates::connect(&who.partition, &self.region, &who.account, id, &self.login.users)
        });
        ConnectPolicy {
            names: &self.names,
            owner: &self.owner,
            arn,
            document,
            not_needed: (!self.login.iam).then(|| PASSWORD_LOGIN.to_owned()),
            limit: self.patience.propagation,
        }
    }

    pub(crate) fn attach<'a>(&'a self, arn: &'a str) -> Attach<'a> {
        let roles: BTreeSet<String> = self.functions.iter().map(|found| found.role_name().to_owned()).collect();
        let not_needed = match (self.login.iam, roles.is_empty()) {
            (false, _) => Some(PASSWORD_LOGIN.to_owned()),
            (true, true) => Some(NO_FUNCTION.to_owned()),
            (true, false) => None,
        };
        Attach { policy: arn, roles: roles.into_iter().collect(), not_needed, limit: self.patience.propagation }
    }

    fn database_ingress(&self, group: Option<&str>) -> Ingress<'_> {
        let path =
            Path { from: self.proxy_groups(group), to: Some(self.database.security_groups.clone()), open_egress: true };
        Ingress {
            step: StepId::DatabaseIngress,
            owner: &self.owner,
            vpc: &self.database.vpc,
            paths: vec![path],
            port: self.database.port,
            who: "the proxy".to_owned(),
            not_needed: None,
            limit: self.patience.propagation,
        }
    }

    fn proxy_ingress(&self, group: Option<&str>) -> Ingress<'_> {
        let path = |found: &FunctionUse| Path {
            from: self.proxy_groups(group).map(|_| found.function.security_groups.clone()),
            to: self.proxy_groups(group),
            open_egress: true,
        };
        Ingress {
            step: StepId::ProxyIngress,
            owner: &self.owner,
            vpc: &self.database.vpc,
            paths: self.functions.iter().map(path).collect(),
            port: self.database.family.proxy_port(),
            who: "the functions".to_owned(),
            not_needed: self.functions.is_empty().then(|| NO_FUNCTION.to_owned()),
            limit: self.patience.propagation,
        }
    }

    fn target(&self) -> Target<'_> {
        Target {
            proxy: &self.names.stack,
            database: &self.database.id,
            cluster: self.database.cluster,
            pool: &self.spec.pool,
            patience: self.patience,
        }
    }

    fn health(&self) -> Health<'_> {
        Health { proxy: &self.names.stack, database: &self.database.id, patience: self.patience }
    }

    pub(crate) fn repoint<'a>(
        &'a self,
        known: &'a [KnownHost],
        endpoint: &'a str,
        reader: Option<&'a str>,
    ) -> Repoint<'a> {
        Repoint {
            known,
            endpoint,
            reader,
            proxy_port: self.database.family.proxy_port(),
            database_port: self.database.port,
            functions: &self.functions,
            patience: self.patience,
        }
    }

    fn reader_endpoint<'a>(&'a self, proxy: Option<&'a Owned>) -> ReaderEndpoint<'a> {
        ReaderEndpoint {
            name: &self.names.reader,
            proxy: &self.names.stack,
            owner: &self.owner,
            subnets: proxy.map(|found| found.proxy.subnets.as_slice()).unwrap_or_default(),
            security_groups: proxy.map(|found| found.proxy.security_groups.as_slice()).unwrap_or_default(),
            patience: self.patience,
        }
    }

    /// The proxy's row, with its read-only endpoint where there is to be one.
    fn with_reader(&self, mut row: Entry) -> Entry {
        if !self.wants_reader {
            return row;
        }
        let reader = self.reader_endpoint(self.seen.proxy.present()).entry(&self.seen.reader);
        let missing = || format!("{}: missing", reader.subject);
        row.verdict = match (row.verdict, reader.verdict) {
            (Verdict::InPlace, Verdict::Create) => Verdict::Update(vec![missing()]),
            (Verdict::Update(mut fields), Verdict::Create) => {
                fields.push(missing());
                Verdict::Update(fields)
            }
            // What is in place, or in the way, is told by the worse of the two.
            (Verdict::InPlace, verdict) | (_, verdict @ Verdict::Conflict(_)) | (verdict, _) => verdict,
        };
        row.details.push(format!("{}, for variables that hold the cluster's reader endpoint", reader.subject));
        row
    }

    fn release(&self) -> Release<'_> {
        Release { frozen: &self.frozen, mark: self.names.version_mark(), patience: self.patience }
    }

    /// All thirteen steps as they stand: the plan, and the status.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let seen = &self.seen;
        let group = self.group();
        let group_id = group.present().map(|group| group.id.as_str());
        let role = seen.role.present().map(|role| role.arn.as_str());
        let arn = self.policy_arn();
        let id = self.proxy_id();
        let (endpoint, reader) = self.hosts();
        let known = self.known(Some(&endpoint), reader.as_deref());
        let groups = Seen::Present(seen.groups.clone());
        let health = Seen::Present(seen.registered.present().map(|found| found.rows.clone()).unwrap_or_default());
        let mut health = self.health().entry(&health);
        if seen.registered.present().is_none_or(|found| found.rows.is_empty()) {
            health.verdict = Verdict::Await("not registered yet".to_owned());
        }
        let local = |step, subject: String| {
            let verdict = match (self.login.iam, id) {
                (false, _) => Verdict::NotNeeded(PASSWORD_LOGIN.to_owned()),
                (true, None) => Verdict::Await("known once the proxy exists".to_owned()),
                (true, Some(_)) => Verdict::InPlace,
            };
            Entry { step, verdict, subject, details: Vec::new() }
        };
        let seen_functions = Seen::Present(self.functions.clone());
        let mut repointing = self.repoint(&known, &endpoint, reader.as_deref()).entry(&seen_functions);
        repointing.verdict = match (repointing.verdict, self.release().intentions()) {
            (verdict, aliases) if aliases.is_empty() => verdict,
            (Verdict::Update(fields), aliases) => Verdict::Update(fields.into_iter().chain(aliases).collect()),
            (Verdict::InPlace | Verdict::Await(_), aliases) => Verdict::Update(aliases),
            (verdict, _) => verdict,
        };
        vec![
            self.proxy_role().entry(&seen.role),
            self.proxy_group().entry(&group),
            self.with_reader(self.proxy(role, group_id, &self.secrets.arns()).entry(&seen.proxy)),
            local(StepId::ConnectDocument, format!("rds-db:connect as {}", self.users())),
            local(StepId::ProxyId, id.unwrap_or("prx-…").to_owned()),
            self.connect_policy(&arn, id).entry(&seen.policy),
            self.attach(&arn).entry(&seen.attached),
            self.secret_access().entry(&seen.access),
            self.database_ingress(group_id).entry(&groups),
            self.target().entry(&seen.registered),
            health,
            self.proxy_ingress(group_id).entry(&groups),
            repointing,
        ]
    }
}

/// Carries out what is missing.
///
/// # Errors
/// The first step that stopped, by number; the others rest where they are.
pub async fn converge(run: &Run<'_>, survey: &Survey) -> Result<Outcome, Stop> {
    let seen = &survey.seen;

    // Steps 1 and 8: role and right, before the proxy needs them. Step 2: the group, meanwhile.
    let role = async {
        let role = run.converge(&survey.proxy_role(), seen.role.clone(), Until::Ready).await?;
        let access = run.converge(&survey.secret_access(), seen.access.clone(), Until::Ready).await?;
        let secrets = access.present().map(|access| access.secrets.as_slice()).unwrap_or_default();
        let secrets: Vec<String> = secrets.iter().map(|secret| secret.arn.clone()).collect();
        Ok::<_, Stop>((role, secrets))
    };
    let (group_step, group_seen) = (survey.proxy_group(), survey.group());
    let group = run.converge(&group_step, group_seen, Until::Ready);
    let (role, group) = tokio::join!(role, group);
    let ((role, secrets), group) = all2(role, group)?;
    let role = role.present().map(|role| role.arn.as_str());
    let group_id = group.present().map(|group| group.id.as_str());

    // Step 3: accepted is enough to go on; it becomes available below.
    let proxy_step = survey.proxy(role, group_id, &secrets);
    let created = run.converge(&proxy_step, seen.proxy.clone(), Until::Usable).await?;
    let id = created.present().and_then(|found| found.proxy.id()).map(str::to_owned);

    let arn = survey.policy_arn();
    let mut groups = seen.groups.clone();
    if let Some(group) = group.present().filter(|group| !groups.iter().any(|have| have.id == group.id)) {
        groups.push(group.clone());
    }
    let groups = Seen::Present(groups);

    let ready = async {
        // Told once: where nothing is left to wait for, the step has ended above.
        if proxy_step.compare(&created) == Change::None {
            return Ok(created.clone());
        }
        let so_far = if seen.proxy.is_absent() { Ending::Created } else { Ending::Unchanged };
        run.finish(&proxy_step, created.clone(), so_far).await
    };
    let connect = async {
        // Steps 4 and 5 are read and rendered here; 6 and 7 carry them to IAM.
        local_steps(run, survey, id.as_deref());
        run.converge(&survey.connect_policy(&arn, id.as_deref()), seen.policy.clone(), Until::Ready).await?;
        run.converge(&survey.attach(&arn), seen.attached.clone(), Until::Ready).await?;
        // Told only once the target is available: until then, much else is under way.
        Ok::<_, Stop>(gate::look_ahead(run, survey, id.as_deref()).await)
    };
    let (database_ingress, proxy_ingress) = (survey.database_ingress(group_id), survey.proxy_ingress(group_id));
    let admit_proxy = run.converge(&database_ingress, groups.clone(), Until::Ready);
    let admit_functions = run.converge(&proxy_ingress, groups.clone(), Until::Ready);
    let register_step = survey.target();
    let register = run.converge(&register_step, seen.registered.clone(), Until::Ready);
    let serving = async {
        // The target cannot be available before its proxy is, so its patience begins with the proxy's end.
        let (ready, registered) = tokio::join!(ready, register);
        let (ready, registered) = all2(ready, registered)?;
        let rows = registered.present().map(|found| found.rows.clone()).unwrap_or_default();
        let fresh = created == ready;
        let health = async {
            let rows = if fresh { Seen::Present(rows) } else { look_at_health(run, survey, rows).await? };
            run.converge(&survey.health(), rows, Until::Ready).await
        };
        let reader = async {
            if !survey.wants_reader {
                return Ok(Seen::Absent);
            }
            run.converge(&survey.reader_endpoint(ready.present()), seen.reader.clone(), Until::Ready).await
        };
        let (health, reader) = tokio::join!(health, reader);
        let (_, reader) = all2(health, reader)?;
        Ok((ready, reader))
    };
    let (ready, connect, admit_proxy, admit_functions) = tokio::join!(serving, connect, admit_proxy, admit_functions);
    let ((ready, reader), (in_the_way, _)) = all2(ready, all2(connect, all2(admit_proxy, admit_functions)))?;

    // Step 13: last, and only now that the target is available.
    let endpoint = ready.present().and_then(|found| found.proxy.endpoint.clone()).unwrap_or_default();
    let reader = reader.present().and_then(|found| found.endpoint.host.clone());
    let known = survey.known(Some(&endpoint), reader.as_deref());
    let functions: Vec<FunctionUse> =
        survey.functions.iter().map(|found| FunctionUse::of(found.function.clone(), &known, found.named)).collect();
    let repoint = survey.repoint(&known, &endpoint, reader.as_deref());
    let functions = Seen::Present(functions);
    let moves = matches!(repoint.compare(&functions), Change::Create | Change::Update(_)) || !survey.frozen.is_empty();
    let hosts = Hosts { proxy: &endpoint, reader: reader.as_deref() };
    if moves {
        gate::unblocked(survey, &in_the_way)?;
    }
    let proofs = probe::before_repoint(run, survey, hosts, moves).await?;
    run.converge(&repoint, functions, Until::Ready).await?;
    if !survey.frozen.is_empty() {
        let release = survey.release();
        run.converge(&release, Seen::Present(release.start()), Until::Ready).await?;
    }
    let functions = survey.functions.iter().map(|found| found.function.name.clone()).collect();
    Ok(Outcome { endpoint, functions, proofs })
}

/// What the registration told of the target's health is minutes old by the time that the proxy is ready.
async fn look_at_health(run: &Run<'_>, survey: &Survey, rows: Vec<Row>) -> Result<Seen<Vec<Row>>, Stop> {
    match survey.health().observe(run.cloud).await {
        Ok(now) => Ok(now),
        // The wait that follows asks again.
        Err(_) => Ok(Seen::Present(rows)),
    }
}

fn local_steps(run: &Run<'_>, survey: &Survey, id: Option<&str>) {
    let iam = survey.login.iam;
    let ending = if iam { Ending::Ready } else { Ending::NotNeeded };
    let detail = |text: &str| if iam { text.to_owned() } else { PASSWORD_LOGIN.to_owned() };
    for (step, text) in [
        (StepId::ProxyId, id.unwrap_or_default().to_owned()),
        (StepId::ConnectDocument, format!("rds-db:connect as {}", survey.users())),
    ] {
        run.tell(&Event::Began { step, detail: detail(&text) });
        run.tell(&Event::Ended { step, ending, detail: detail(&text), elapsed: std::time::Duration::ZERO });
    }
}
