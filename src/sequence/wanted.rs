//! The steps as a survey wants them: each with what earlier ones gave.

use std::collections::{BTreeMap, BTreeSet};

use crate::advise;
use crate::catalogue::CERTIFICATE;
use crate::catalogue::StepId;
use crate::cloud::Tags;
use crate::cloud::rds::ProxyAuth;
use crate::cloud::rds::TaggedProxy;
use crate::discover::grants::users_in;
use crate::discover::home::Home;
use crate::discover::hosts::{Host, KnownHost};
use crate::discover::releases::Frozen;
use crate::discover::selection::Selection;
use crate::discover::{FunctionUse, direct, remembered, secrets};
use crate::names::{DATABASE_POLICY, SECRET_POLICY};
use crate::resources::NO_FUNCTION;
use crate::resources::ingress::{Ingress, Path};
use crate::resources::log_group::{self, Logging};
use crate::resources::proxy::{ClientPassword, Proxy, WITH_TARGET, WITHOUT_TARGET};
use crate::resources::proxy_group::ProxyGroup;
use crate::resources::proxy_role::ProxyRole;
use crate::resources::reader_endpoint::ReaderEndpoint;
use crate::resources::release::Release;
use crate::resources::repoint::Repoint;
use crate::resources::secret_access::{BySecret, EndToEnd, SecretAccess, Way};
use crate::resources::target::{Health, Target};
use crate::spec::{ANY_USER, ClientPasswordAuth, NetworkType};
use crate::sql;
use crate::survey::Survey;
use crate::templates;

impl Survey {
    pub(super) fn proxy_role(&self) -> ProxyRole<'_> {
        let not_needed = self.kept("role").or_else(|| self.by_administrator("is used as it is and never changed"));
        let boundary = self.spec.permissions_boundary.as_deref();
        ProxyRole { names: &self.names, owner: &self.owner, boundary, not_needed, limit: self.timeouts.propagation }
    }

    /// What a role that was given spares.
    fn by_administrator(&self, what: &str) -> Option<String> {
        self.given.as_ref().map(|given| format!("the role {} {what}", given.name()))
    }

    /// What a person runs in the database before its users can log in with IAM.
    fn statements(&self) -> Vec<String> {
        let one = |user: &String| {
            let [new, existing] = sql::log_in_with_iam(self.database.family, user);
            [format!("if {user} is new: {new}"), format!("if {user} exists: {existing}")]
        };
        let first = "in the database, where it is not so yet (a password does not work from then on):".to_owned();
        [first].into_iter().chain(self.login.users.iter().flat_map(one)).collect()
    }

    /// What a person runs in the database for a user with fewer rights, where the functions log in as the master user.
    fn user_of_their_own(&self) -> Vec<String> {
        if secrets::master_alone(&self.database, &self.secrets).is_none() {
            return Vec::new();
        }
        let statements = sql::work_with_data(self.database.family, self.database.is_mariadb(), "app", "DATABASE");
        if statements.is_empty() {
            return Vec::new();
        }
        let first = "a user app with fewer rights than the master user, for the data of DATABASE:".to_owned();
        [first].into_iter().chain(statements).collect()
    }

    pub(super) fn secret_access(&self) -> SecretAccess<'_> {
        let (names, owner, timeouts, who) = (&self.names, &self.owner, self.timeouts, &self.identity);
        if self.login.end_to_end {
            let id = &self.database.resource_id;
            let users = self.database_users();
            let document = templates::connect_database(&who.partition, &self.region, &who.account, id, &users);
            let enable = self.spec.enable_iam_auth;
            return SecretAccess {
                names,
                owner,
                policy: DATABASE_POLICY,
                subject: format!("rds-db:connect on {id} as {}", named(&users)),
                not_needed: self.kept("role and its rights"),
                given: self.given.is_some(),
                fresh: self.seen.role.is_absent(),
                way: Way::Iam(EndToEnd { database: &self.database, enable, document }),
                notes: self.statements(),
                timeouts,
            };
        }
        let generate = self.spec.create_secret.as_ref().is_some_and(|wanted| wanted.generate);
        let (secrets, passwords, region) = (&self.secrets, &self.passwords, self.region.as_str());
        SecretAccess {
            names,
            owner,
            policy: SECRET_POLICY,
            subject: secrets.names().join(", "),
            not_needed: self
                .kept("role and its rights")
                .or_else(|| self.by_administrator("reads the secret by policies of its own")),
            given: self.given.is_some(),
            fresh: self.seen.role.is_absent(),
            way: Way::Secrets(BySecret { secrets, passwords, generate, region, identity: who }),
            notes: [format!("why: {}", self.secrets.why)].into_iter().chain(self.user_of_their_own()).collect(),
            timeouts,
        }
    }

    /// What the proxy's role must be allowed.
    pub(crate) fn role_document(&self) -> serde_json::Value {
        match self.secret_access().way {
            Way::Iam(end_to_end) => end_to_end.document,
            Way::Secrets(by_secret) => by_secret.document(&self.secrets.found),
        }
    }

    /// What a proxy that someone else made keeps of its own.
    pub(super) fn kept(&self, what: &str) -> Option<String> {
        self.adopted.then(|| format!("the adopted proxy keeps its own {what}"))
    }

    /// What the proxy's tags remember: the way back, and what flags asked for.
    fn wishes(&self) -> Tags {
        let mut wishes = Home::of(&self.database).map(|home| home.tags()).unwrap_or_default();
        wishes.extend(Selection::of(&self.spec).tags().unwrap_or_default());
        wishes.extend(direct::tags(&self.spec.variables).unwrap_or_default());
        // What someone else set up is handed back as it was.
        if !self.adopted {
            wishes.extend(remembered::wishes(&self.spec));
        }
        wishes
    }

    /// The groups that the proxy is in.
    pub(super) fn proxy_groups(&self, own: Option<&str>) -> Option<Vec<String>> {
        match self.seen.proxy.present().filter(|_| self.adopted) {
            Some(found) => Some(found.proxy.security_groups.clone()),
            None => own.map(|group| vec![group.to_owned()]),
        }
    }

    /// The database users that may log in, for people.
    pub(super) fn users(&self) -> String {
        named(&self.grants.users())
    }

    /// What the document of step 4 allows, and for whom.
    pub(super) fn connect_document_for(&self) -> String {
        format!("rds-db:connect as {}", self.users())
    }

    /// The users that the proxy logs in as at the database, with IAM. Where no function is left, those that it may log
    /// in as already stay: the functions at the proxy are not known then.
    fn database_users(&self) -> Vec<String> {
        let mut users: BTreeSet<String> = self.grants.users().into_iter().collect();
        if self.functions.is_empty() && !self.grants.any() {
            let document = self.seen.access.present().and_then(|access| access.document.as_ref());
            users.extend(document.into_iter().flat_map(|document| users_in(document, &self.database.resource_id)));
        }
        users.into_iter().collect()
    }

    pub(crate) fn proxy_group(&self) -> ProxyGroup<'_> {
        let (names, owner, vpc) = (&self.names, &self.owner, self.database.vpc.as_str());
        ProxyGroup { names, owner, vpc, not_needed: self.kept("security groups"), limit: self.timeouts.propagation }
    }

    pub(super) fn proxy<'a>(&'a self, role: Option<&'a str>, group: Option<&'a str>, secrets: &[String]) -> Proxy<'a> {
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
        let password = self.client_password();
        if let Some(kind) = password.asked.or(password.new) {
            let why = if password.asked.is_some() { "asked for" } else { "as the database has it by default" };
            notes.push(format!("client passwords: {kind}; {why}"));
        }
        let tls = if self.requires_tls() { "required" } else { "accepted, not required (--require-tls to require it)" };
        notes.push(format!("TLS {tls}"));
        if self.seen.proxy.is_absent() {
            notes.push(advise::monthly(&self.region, &self.database.classes));
        }
        notes.push(CERTIFICATE.to_owned());
        notes.extend(self.ground.others.iter().flat_map(|others| others.told(&self.database.id)));
        notes.extend(Selection::of(&self.spec).unremembered());
        notes.extend(direct::unremembered(&self.spec.variables));
        let rows = self.seen.registered.present().map(|found| found.rows.as_slice()).unwrap_or_default();
        let hidden = self.seen.registered.present().is_none_or(|found| found.unreadable);
        // One that another run deletes meanwhile comes back where it was.
        let former = || self.seen.proxy.present().map(|found| found.proxy.subnets.as_slice());
        Proxy {
            name: &self.names.stack,
            names: &self.names,
            owner: &self.owner,
            family: self.database.family,
            vpc: &self.database.vpc,
            subnets: self.subnets.as_ref().map(|subnets| subnets.ids.as_slice()).or_else(former).unwrap_or_default(),
            named_subnets: &self.spec.subnets,
            network_type: self.spec.network_type,
            role,
            group,
            auth: secrets
                .iter()
                .filter(|secret| !self.secrets.of_others.contains(*secret))
                .map(|secret| ProxyAuth::of(secret, iam))
                .collect(),
            client_password: self.client_password(),
            end_to_end: self.login.end_to_end,
            require_tls: self.requires_tls(),
            asked_tls: self.spec.require_tls,
            idle_client_timeout: self.spec.idle_client_timeout,
            debug_logging: self.spec.debug_logging,
            wishes: self.wishes(),
            // Targets that AWS does not show may be there: what is not known is never taken off again.
            adopting: self.adopted.then_some(if rows.is_empty() && !hidden { WITHOUT_TARGET } else { WITH_TARGET }),
            service_role: self.given.is_none(),
            adoptable: (rows.is_empty() && !hidden)
                || rows.iter().any(|row| row.id.eq_ignore_ascii_case(&self.database.id)),
            timeouts: self.timeouts,
            notes,
        }
    }

    /// How clients send their passwords.
    ///
    /// AWS's own choice for the MySQL family is caching_sha2
    /// (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_UserAuthConfig.html>), which older drivers do not
    /// speak and MariaDB does not know; so it is what the database has by default for users of its own.
    fn client_password(&self) -> ClientPassword {
        let asked = self.spec.client_password_auth.map(ClientPasswordAuth::word);
        let native = ClientPasswordAuth::MysqlNativePassword.word();
        let new = (!self.login.iam && self.plugin.native).then_some(native);
        ClientPassword { new, asked }
    }

    pub(super) fn database_ingress(&self, group: Option<&str>) -> Ingress<'_> {
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
            limit: self.timeouts.propagation,
        }
    }

    pub(super) fn proxy_ingress(&self, group: Option<&str>) -> Ingress<'_> {
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
            limit: self.timeouts.propagation,
        }
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target {
            proxy: &self.names.stack,
            database: &self.database.id,
            cluster: self.database.cluster,
            pool: &self.spec.pool,
            proxy_available: self.seen.proxy.present().is_some_and(|found| found.proxy.is_available()).into(),
            timeouts: self.timeouts,
        }
    }

    pub(super) fn health(&self) -> Health<'_> {
        Health { proxy: &self.names.stack, database: &self.database.id, timeouts: self.timeouts }
    }

    pub(crate) fn repoint<'a>(&'a self, known: &'a [KnownHost], endpoint: &str, reader: Option<&str>) -> Repoint<'a> {
        Repoint {
            known,
            home: Home::of(&self.database),
            endpoint: Host::parse(endpoint),
            reader: reader.and_then(Host::parse),
            adopted: self.adopted,
            functions: &self.functions,
            variables: &self.spec.variables,
            timeouts: self.timeouts,
        }
    }

    pub(super) fn reader_endpoint<'a>(&'a self, proxy: Option<&'a TaggedProxy>) -> ReaderEndpoint<'a> {
        ReaderEndpoint {
            name: &self.names.reader,
            proxy: &self.names.stack,
            owner: &self.owner,
            subnets: proxy.map(|found| found.proxy.subnets.as_slice()).unwrap_or_default(),
            security_groups: proxy.map(|found| found.proxy.security_groups.as_slice()).unwrap_or_default(),
            timeouts: self.timeouts,
        }
    }

    pub(super) fn log_group(&self) -> Logging<'_> {
        let days = self.spec.log_retention.filter(|_| !self.adopted);
        let name = log_group::name_of(&self.names.stack);
        Logging { name, owner: &self.owner, days, limit: self.timeouts.propagation }
    }

    pub(super) fn release(&self) -> Release<'_> {
        self.release_of(&self.frozen, BTreeMap::new())
    }

    /// The release of some of the aliases, those that are named with a share of their calls alone.
    pub(crate) fn release_of<'a>(&self, frozen: &'a [Frozen], shares: BTreeMap<String, u8>) -> Release<'a> {
        Release { frozen, mark: self.names.version_mark(), shares, timeouts: self.timeouts }
    }
}

/// Database users, for people.
fn named(users: &[String]) -> String {
    match users {
        [] => "nobody: no function uses the database".to_owned(),
        [any] if any == ANY_USER => "any user".to_owned(),
        users => users.join(", "),
    }
}
