//! Step 3: the proxy.
//!
//! `CreateDBProxy` answers at once with the ARN and continues for minutes. That a proxy is available
//! proves nothing about its role, secret or network; step 11 does
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-creating.html>).

mod removal;

use std::time::Duration;

use crate::catalogue::StepId;
use crate::cloud::rds::{EngineFamily, NewProxy, Proxy as Found, ProxyAuth, ProxyEdit, TaggedProxy};
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal, Tags, tags};
use crate::discover::selection;
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Timeouts, Wait};
use crate::names::{Names, last_of_path};
use crate::ownership;
use crate::plan::{PlannedStep, Terms};
use crate::resources::{not_ours, settling};
use crate::spec::NetworkType;

pub use removal::ProxyRemoval;

/// An adopted proxy that had a target.
pub const WITH_TARGET: &str = "with-target";
/// An adopted proxy that had none, so that teardown takes it off again.
pub const WITHOUT_TARGET: &str = "without-target";

/// What AWS needs to know about the proxy.
pub struct Proxy<'a> {
    /// The name.
    pub name: &'a str,
    /// All names of the stack.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// The engine family.
    pub family: EngineFamily,
    /// The database's VPC.
    pub vpc: &'a str,
    /// The subnets for a new proxy.
    pub subnets: &'a [String],
    /// The subnets that the user named: an existing proxy must have them.
    pub named_subnets: &'a [String],
    /// What the endpoint is to speak, where the user asked.
    pub network_type: Option<NetworkType>,
    /// The role's ARN, once it exists.
    pub role: Option<&'a str>,
    /// The security group, once it exists.
    pub group: Option<&'a str>,
    /// The secrets and how clients log in.
    pub auth: Vec<ProxyAuth>,
    /// How clients send their passwords.
    pub client_password: ClientPassword,
    /// Whether the proxy logs in at the database with IAM.
    pub end_to_end: bool,
    /// TLS for a new proxy.
    pub require_tls: bool,
    /// TLS, where the user asked.
    pub asked_tls: Option<bool>,
    /// Idle client time-out, where the user asked.
    pub idle_client_timeout: Option<i32>,
    /// Debug logging, where the user asked.
    pub debug_logging: Option<bool>,
    /// What its tags are to remember of the flags.
    pub wishes: Tags,
    /// For a proxy that is taken over: what its tag remembers.
    pub adopting: Option<&'a str>,
    /// Whether RDS's service-linked role may be created: not where an administrator creates roles.
    pub service_role: bool,
    /// Whether its target allows to take it over.
    pub adoptable: bool,
    /// The limits.
    pub timeouts: Timeouts,
    /// Further lines for the plan.
    pub notes: Vec<String>,
}

/// How clients send their passwords (`ClientPasswordAuthType`), where AWS's own choice does not do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientPassword {
    /// For a secret that the proxy does not have yet.
    pub new: Option<&'static str>,
    /// For every secret of ours: the user asked.
    pub asked: Option<&'static str>,
}

/// Reads a proxy and its tags.
///
/// # Errors
/// When AWS refuses.
pub async fn observe(cloud: &Cloud, name: &str, known: Option<&TaggedProxy>) -> Answer<Observed<TaggedProxy>> {
    let Some(proxy) = cloud.rds.proxy(name).await? else { return Ok(Observed::Absent) };
    let tags = match known {
        // Tags of the same proxy are not asked for at every look.
        Some(known) if known.proxy.arn == proxy.arn => known.tags.clone(),
        _ => match cloud.rds.tags(&proxy.arn).await {
            Err(refusal) if refusal.kind == Kind::NotFound => Tags::new(),
            answer => answer?,
        },
    };
    Ok(Observed::Present(TaggedProxy { proxy, tags }))
}

/// Reads a proxy out of the region's list, with its tags, and returns the list, too.
///
/// # Errors
/// When AWS refuses.
pub async fn among_all(cloud: &Cloud, name: &str) -> Answer<(Observed<TaggedProxy>, Vec<Found>)> {
    let all = cloud.rds.proxies().await?;
    let Some(proxy) = all.iter().find(|proxy| proxy.name.eq_ignore_ascii_case(name)).cloned() else {
        return Ok((Observed::Absent, all));
    };
    let tags = match cloud.rds.tags(&proxy.arn).await {
        Err(refusal) if refusal.kind == Kind::NotFound => Tags::new(),
        answer => answer?,
    };
    Ok((Observed::Present(TaggedProxy { proxy, tags }), all))
}

impl Proxy<'_> {
    /// The secrets as a proxy gets them that has none of them yet.
    fn new_auth(&self) -> Vec<ProxyAuth> {
        let kind = self.client_password.asked.or(self.client_password.new);
        let with = |auth: &ProxyAuth| ProxyAuth { client_password: kind.map(str::to_owned), ..auth.clone() };
        self.auth.iter().map(with).collect()
    }

    fn auth_of(&self, found: &Found) -> Vec<ProxyAuth> {
        // Secrets that someone added beside ours stay as they are, and so does what someone set on ours.
        let mut auth = self.new_auth();
        for want in &mut auth {
            let Some(have) = found.auth.iter().find(|have| have.secret == want.secret) else { continue };
            want.description.clone_from(&have.description);
            want.client_password = self.client_password.asked.map(str::to_owned).or(have.client_password.clone());
        }
        auth.extend(
            found
                .auth
                .iter()
                .filter(|have| !auth.iter().any(|want| want.secret == have.secret))
                .cloned()
                .collect::<Vec<_>>(),
        );
        auth.sort();
        auth
    }

    fn edit(&self, found: &Found) -> (ProxyEdit, Vec<String>) {
        let mut edit = ProxyEdit::default();
        let mut fields = Vec::new();
        let mut have = found.auth.clone();
        have.sort();
        let want = self.auth_of(found);
        if want != have {
            fields.push("secrets and client authentication".to_owned());
            edit.auth = Some(want);
        }
        if self.end_to_end != found.iam_to_database {
            fields.push(format!("login at the database: {}", if self.end_to_end { "IAM" } else { "secrets" }));
            edit.iam_to_database = Some(self.end_to_end);
        }
        if let Some(role) = self.role.filter(|role| *role != found.role) {
            fields.push("role".to_owned());
            edit.role = Some(role.to_owned());
        }
        if let Some(group) = self.group.filter(|group| !found.security_groups.iter().any(|have| have == group)) {
            fields.push("security groups".to_owned());
            let mut groups = found.security_groups.clone();
            groups.push(group.to_owned());
            edit.security_groups = Some(groups);
        }
        if let Some(tls) = self.asked_tls.filter(|tls| *tls != found.require_tls) {
            fields.push(format!("TLS required: {tls}"));
            edit.require_tls = Some(tls);
        }
        if let Some(timeout) = self.idle_client_timeout.filter(|timeout| Some(*timeout) != found.idle_client_timeout) {
            fields.push(format!("idle client timeout: {timeout} s"));
            edit.idle_client_timeout = Some(timeout);
        }
        if let Some(debug) = self.debug_logging.filter(|debug| *debug != found.debug_logging) {
            fields.push(format!("debug logging: {debug}"));
            edit.debug_logging = Some(debug);
        }
        (edit, fields)
    }

    /// The tags that make it remember what is wanted, and nothing that is not wanted any more.
    fn unremembered(&self, found: &TaggedProxy) -> Tags {
        let mut tags = selection::cleared(&found.tags, &self.wishes);
        let missing = self.wishes.iter().filter(|(key, value)| found.tags.get(*key) != Some(*value));
        tags.extend(missing.map(|(key, value)| (key.clone(), value.clone())));
        tags
    }

    /// What creating it says to AWS, as far as the account has a say in it.
    fn created(&self) -> String {
        let auth: Vec<String> = self.new_auth().iter().map(shown).collect();
        let network = self.network_type.map_or("IPV4", NetworkType::word);
        let tls = if self.require_tls { "required" } else { "accepted" };
        let database = if self.end_to_end { "IAM" } else { "secrets" };
        let mut subnets = self.subnets.to_vec();
        subnets.sort();
        format!(
            "create {}: {} in {}, {network}, subnets {}, group {}, role {}, login at the database {database}, TLS {tls}, clients {}",
            self.name,
            self.family,
            self.vpc,
            subnets.join(" "),
            self.group.unwrap_or_default(),
            self.role.unwrap_or_default(),
            auth.join("; "),
        )
    }

    /// What changing it says to AWS, a setting each.
    fn changed(&self, found: &TaggedProxy) -> Vec<String> {
        let name = self.name;
        if self.adopting.is_some() {
            let takes = !self.taken_over(found);
            return takes.then(|| format!("take {name} over, and leave it as it is")).into_iter().collect();
        }
        let (edit, _) = self.edit(&found.proxy);
        let auth = edit.auth.map(|auth| auth.iter().map(shown).collect::<Vec<_>>().join("; "));
        let word = |set: Option<bool>| set.map(|set| set.to_string());
        let edits = [
            ("clients", auth),
            ("login at the database with IAM", word(edit.iam_to_database)),
            ("role", edit.role),
            ("security groups", edit.security_groups.map(|groups| groups.join(" "))),
            ("TLS required", word(edit.require_tls)),
            ("idle client timeout", edit.idle_client_timeout.map(|seconds| format!("{seconds} s"))),
            ("debug logging", word(edit.debug_logging)),
        ];
        let edits = edits.into_iter().filter_map(|(what, value)| Some(format!("change {name}: {what} {}", value?)));
        edits.chain(self.unremembered(found).iter().map(|(key, value)| format!("tag {name}: {key}={value}"))).collect()
    }

    fn taken_over(&self, found: &TaggedProxy) -> bool {
        self.owner.owns(&found.tags) && found.tags.contains_key(tags::ADOPTED)
    }

    fn conflicts(&self, found: &TaggedProxy) -> Vec<String> {
        let proxy = &found.proxy;
        let mut conflicts = Vec::new();
        let own_groups: Vec<String> = self.group.map(str::to_owned).into_iter().collect();
        if self.adopting.is_none() && !ownership::proxy(self.owner, self.names, found, &own_groups) {
            conflicts = not_ours("a proxy", &proxy.name);
        }
        if proxy.family != Some(self.family) {
            conflicts.push(format!("its engine family is not {} and cannot be changed", self.family));
        }
        if proxy.vpc != self.vpc {
            conflicts.push(format!("it is in {}, the database in {}", proxy.vpc, self.vpc));
        }
        if !self.named_subnets.iter().all(|subnet| proxy.subnets.contains(subnet)) {
            conflicts.push(format!("its subnets are {} and cannot be changed", proxy.subnets.join(", ")));
        }
        if let Some(wanted) = self.network_type.filter(|wanted| wanted.word() != proxy.network_type) {
            conflicts.push(format!(
                "its endpoint speaks {} and cannot be changed to {}",
                proxy.network_type,
                wanted.word()
            ));
        }
        if self.adopting.is_some() {
            // What someone else set up is compared, never changed.
            let (_, differing) = self.edit(proxy);
            conflicts.extend(
                differing
                    .into_iter()
                    .map(|field| format!("an adopted proxy is not changed, and it differs in: {field}")),
            );
        } else if self.adoptable
            && conflicts.len() == 1
            && !self.owner.owns(&found.tags)
            && !found.tags.contains_key(tags::STACK)
        {
            conflicts.push("--adopt takes it over and leaves it as it is".to_owned());
        }
        conflicts
    }
}

impl Step<Aws> for Proxy<'_> {
    type State = TaggedProxy;

    fn id(&self) -> StepId {
        StepId::Proxy
    }

    fn subject(&self) -> String {
        self.name.to_owned()
    }

    fn doing(&self, change: &Diff) -> String {
        let verb = match change {
            Diff::Create => "creating",
            Diff::Await(_) => "waiting for",
            Diff::Conflict(_) => "checking",
            _ => "updating",
        };
        format!("{verb} the proxy ({})", self.name)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<TaggedProxy>> {
        observe(cloud, self.name, None).await
    }

    async fn look_again(&self, cloud: &Cloud, seen: &Observed<TaggedProxy>) -> Answer<Observed<TaggedProxy>> {
        match observe(cloud, self.name, seen.present()).await? {
            // Reads lag behind creation: what AWS just answered is not forgotten at one "not found".
            Observed::Absent if seen.present().is_some_and(|found| found.proxy.status == "creating") => {
                Ok(seen.clone())
            }
            now => Ok(now),
        }
    }

    fn compare(&self, seen: &Observed<TaggedProxy>) -> Diff {
        let Some(found) = seen.present() else { return Diff::Create };
        let status = found.proxy.status.as_str();
        let conflicts = self.conflicts(found);
        if status != "deleting" && !conflicts.is_empty() {
            return Diff::Conflict(conflicts);
        }
        let wait = |usable, grace| Diff::Await(Wait { state: status.to_owned(), usable, grace });
        match status {
            "available" if found.proxy.is_available() => {}
            // The model makes no promise that the endpoint is there as soon as the status is: it is part of available.
            "available" => {
                let state = "available, without an endpoint yet".to_owned();
                return Diff::Await(Wait { state, usable: true, grace: None });
            }
            "deleting" => return wait(false, None),
            _ if found.proxy.is_stuck() => return wait(false, Some(Duration::ZERO)),
            // The endpoint comes with the proxy's answer or shortly after it.
            _ => return wait(true, None),
        }
        if self.adopting.is_some() && !self.taken_over(found) {
            return Diff::Update(vec!["taken over: ownership tags".to_owned()]);
        }
        let (_, mut fields) = self.edit(&found.proxy);
        if !self.unremembered(found).is_empty() {
            fields.push("what is remembered of the flags".to_owned());
        }
        if fields.is_empty() { Diff::None } else { Diff::Update(fields) }
    }

    async fn apply(&self, cloud: &Cloud, change: &Diff, seen: Observed<TaggedProxy>) -> Answer<Observed<TaggedProxy>> {
        if let (Diff::Update(_), Observed::Present(found)) = (change, seen) {
            if let Some(memory) = self.adopting.filter(|_| !self.taken_over(&found)) {
                let mut ours = Owner { extra: Tags::new(), ..self.owner.clone() }.tags();
                ours.insert(tags::ADOPTED.to_owned(), memory.to_owned());
                cloud.rds.add_tags(&found.proxy.arn, &ours).await?;
                let tags = found.tags.into_iter().chain(ours).collect();
                return Ok(Observed::Present(TaggedProxy { tags, ..found }));
            }
            // Before the change that it is about: a later run must want the same.
            let memory = self.unremembered(&found);
            if !memory.is_empty() {
                cloud.rds.add_tags(&found.proxy.arn, &memory).await?;
                let tags = found.tags.into_iter().chain(memory).collect();
                return Ok(Observed::Present(TaggedProxy { tags, ..found }));
            }
            let (edit, _) = self.edit(&found.proxy);
            let proxy = cloud.rds.modify_proxy(self.name, &edit).await?;
            return Ok(Observed::Present(TaggedProxy { proxy, ..found }));
        }
        let mut tags = self.owner.tags();
        tags.extend(self.wishes.clone());
        let wanted = NewProxy {
            name: self.name.to_owned(),
            family: self.family,
            auth: self.new_auth(),
            network_type: self.network_type.map(NetworkType::word),
            iam_to_database: self.end_to_end,
            role: self.role.unwrap_or_default().to_owned(),
            subnets: self.subnets.to_vec(),
            security_groups: self.group.map(str::to_owned).into_iter().collect(),
            require_tls: self.require_tls,
            idle_client_timeout: self.idle_client_timeout,
            debug_logging: self.debug_logging.unwrap_or(false),
            tags: tags.clone(),
        };
        match cloud.rds.create_proxy(&wanted).await {
            Err(refusal) if self.service_role && needs_service_role(&refusal) => {
                // A new account: AWS creates this role on the first request for it, and so do we.
                cloud.iam.create_rds_service_role().await?;
                Err(refusal)
            }
            answer => Ok(Observed::Present(TaggedProxy { proxy: answer?, tags })),
        }
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        if refusal.kind == Kind::NotYet {
            return Some(RetryPolicy { limit: self.timeouts.proxy, pace: PollInterval::Minutes, look: true });
        }
        // No public record shows how AWS words it that a new role is not visible yet; all wordings name the role.
        let about_role = refusal.operation == "rds:CreateDBProxy"
            && refusal.is(&["InvalidParameterValue"])
            && ["role", "IAM", "assume"].iter().any(|word| refusal.message.contains(word));
        if about_role || (self.service_role && needs_service_role(refusal)) {
            return Some(RetryPolicy { limit: self.timeouts.propagation, pace: PollInterval::Dense, look: false });
        }
        settling(refusal, self.timeouts.propagation)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.timeouts.proxy, PollInterval::Minutes)
    }

    fn result(&self, seen: &Observed<TaggedProxy>) -> String {
        let endpoint = seen.present().and_then(|found| found.proxy.endpoint.clone());
        endpoint.unwrap_or_else(|| self.subject())
    }
}

impl PlannedStep for Proxy<'_> {
    fn details(&self, seen: &Observed<TaggedProxy>) -> Vec<String> {
        let mut details = self.notes.clone();
        if let Some(found) = seen.present().filter(|_| self.adopting.is_some()) {
            let role = last_of_path(&found.proxy.role);
            details.push(format!(
                "adopted: keeps its role {role} and its groups {}",
                found.proxy.security_groups.join(", ")
            ));
            details.push("teardown hands it back and does not delete it".to_owned());
        }
        if let Some(endpoint) = seen.present().and_then(|found| found.proxy.endpoint.as_deref()) {
            details.push(format!("endpoint {endpoint}"));
        }
        details
    }

    fn terms(&self, seen: &Observed<TaggedProxy>) -> Terms {
        let Some(found) = seen.present() else {
            let memory = self.wishes.iter().map(|(key, value)| format!("tag {}: {key}={value}", self.name));
            let all = memory.chain([self.created()]);
            return Terms::of(all).on("ARN", None).on("endpoint", None);
        };
        let actions = match self.compare(seen) {
            Diff::Conflict(_) => Vec::new(),
            // Created again once it is gone.
            _ if found.proxy.status == "deleting" => vec![self.created()],
            // While it waits, too: what it is to be afterwards is known.
            _ => self.changed(found),
        };
        Terms::of(actions).on("ARN", Some(found.proxy.arn.clone())).on("endpoint", found.proxy.endpoint.clone())
    }
}

/// A secret and how clients log in with it.
fn shown(auth: &ProxyAuth) -> String {
    let how = match (auth.iam, auth.either) {
        (_, true) => "IAM or password",
        (true, false) => "IAM",
        (false, false) => "password",
    };
    let kind = auth.client_password.as_ref().map(|kind| format!(" {kind}")).unwrap_or_default();
    format!("{} by {how}{kind}", auth.secret)
}

fn needs_service_role(refusal: &Refusal) -> bool {
    refusal.message.to_ascii_lowercase().contains("service-linked role")
}
