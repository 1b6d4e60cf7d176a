//! From where and as whom to try: each distinct role and network of the functions, and the logins of those in it.

use crate::names::last_of_path;
use std::time::Duration;

use serde_json::json;
use zeroize::Zeroizing;

use crate::cloud::Password;
use crate::cloud::rds::EngineFamily;
use crate::discover::FunctionUse;
use crate::discover::credentials::Own;
use crate::discover::hosts::HostKind;
use crate::names;
use crate::survey::Survey;

/// The version of event and answer.
pub(super) const SCHEMA: u32 = 1;

/// For how many seconds a probe may run: all of its stages, and a start that is cold.
pub(super) const TIMEOUT: i32 = 60;
/// How long a call of it may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// How a probe logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// With a token that the role signs.
    Iam,
    /// With the function's own password.
    Password,
    /// Not at all: it goes as far as the server's greeting.
    Greeting,
}

impl How {
    /// As event and output say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Password => "password",
            Self::Greeting => "greeting",
        }
    }
}

/// One login to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The functions that log in this way.
    pub functions: Vec<String>,
    /// The proxy's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The protocol, as the event names it.
    engine: &'static str,
    /// How.
    pub login: How,
    /// As whom.
    pub user: Option<String>,
    /// With which password: only in the request, and nowhere else.
    pub password: Option<Password>,
    /// The database within the server.
    pub database: Option<String>,
}

impl Attempt {
    /// The event that the probe is called with.
    pub(super) fn event(&self, region: &str) -> Zeroizing<String> {
        let mut event = json!({
            "schema": SCHEMA, "engine": self.engine, "host": self.host, "port": self.port, "region": region,
            "login": self.login.word(), "user": self.user, "database": self.database, "tls": true,
            "seconds": { "dns": 5, "tcp": 5, "tls": 5, "login": 20, "query": 15 },
        });
        if let Some(password) = &self.password {
            event["password"] = json!(password.expose());
        }
        Zeroizing::new(event.to_string())
    }
}

/// What the network and IAM see of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// What the name of the temporary function will look like.
    pub name: String,
    /// The stack, whose name the function's begins with.
    pub(super) stack: String,
    /// The functions in it.
    pub functions: Vec<String>,
    /// The role's ARN.
    pub role: String,
    /// The subnets.
    pub subnets: Vec<String>,
    /// The security groups.
    pub security_groups: Vec<String>,
    /// Whether IPv6 is allowed.
    pub ipv6: bool,
    /// Where the functions log: a probe that logs elsewhere would leave a log group behind.
    pub log_group: Option<String>,
    /// The logins to be tried.
    pub attempts: Vec<Attempt>,
}

impl Seat {
    fn of(found: &FunctionUse, stack: &str) -> Self {
        let function = &found.function;
        let sorted = |ids: &[String]| {
            let mut ids = ids.to_vec();
            ids.sort();
            ids
        };
        let (subnets, groups) = (sorted(&function.subnets), sorted(&function.security_groups));
        Self {
            name: names::probes_of(stack),
            stack: stack.to_owned(),
            functions: Vec::new(),
            role: function.role.clone(),
            subnets,
            security_groups: groups,
            ipv6: function.ipv6,
            log_group: function.log_group.clone(),
            attempts: Vec::new(),
        }
    }

    /// Whether a function with this role and network would be the same.
    fn is_like(&self, other: &Self) -> bool {
        let of = |seat: &Self| (seat.role.clone(), seat.subnets.clone(), seat.security_groups.clone(), seat.ipv6);
        of(self) == of(other)
    }

    /// The role's name.
    #[must_use]
    pub fn role_name(&self) -> &str {
        last_of_path(&self.role)
    }

    fn add(&mut self, attempt: Attempt) {
        let same = |have: &&mut Attempt| {
            let bare = |attempt: &Attempt| Attempt { functions: Vec::new(), ..attempt.clone() };
            bare(have) == bare(&attempt)
        };
        match self.attempts.iter_mut().find(same) {
            Some(have) => have.functions.extend(attempt.functions),
            None => self.attempts.push(attempt),
        }
    }
}

/// The proxy's hosts.
#[derive(Debug, Clone, Copy)]
pub struct Hosts<'a> {
    /// Of its default endpoint.
    pub proxy: &'a str,
    /// Of its read-only endpoint.
    pub reader: Option<&'a str>,
}

/// The roles and networks of a database's functions, with the logins to be tried from each.
#[must_use]
pub fn seats(survey: &Survey, hosts: Hosts<'_>, with_password: bool) -> Vec<Seat> {
    let engine = match survey.database.family {
        EngineFamily::MySql => "mysql",
        EngineFamily::PostgreSql => "postgresql",
        EngineFamily::SqlServer => return Vec::new(),
    };
    let known = user_of_all(survey);
    let mut seats: Vec<Seat> = Vec::new();
    for found in &survey.functions {
        let name = &found.function.name;
        let seat = Seat::of(found, &survey.names.stack);
        let at = seats.iter().position(|have| have.is_like(&seat)).unwrap_or_else(|| {
            seats.push(seat);
            seats.len() - 1
        });
        let Some(seat) = seats.get_mut(at) else { continue };
        seat.functions.push(name.clone());
        let own = Own::of(found);
        let user = own.user.or_else(|| known.clone());
        let (login, user, password) = match (survey.login.iam, user, own.password) {
            (true, Some(user), _) => (How::Iam, Some(user), None),
            (false, Some(user), Some(password)) if with_password => (How::Password, Some(user), Some(password)),
            _ => (How::Greeting, None, None),
        };
        let database = own.database.filter(|_| login != How::Greeting);
        for host in hosts_of(found, hosts) {
            seat.add(Attempt {
                functions: vec![name.clone()],
                host: host.to_owned(),
                port: survey.database.family.proxy_port(),
                engine,
                login,
                user: user.clone(),
                password: password.clone(),
                database: database.clone(),
            });
        }
    }
    seats
}

/// Where a function connects: to readers alone only if that is all that it does.
fn hosts_of<'a>(found: &FunctionUse, hosts: Hosts<'a>) -> Vec<&'a str> {
    let reads = |kind| matches!(kind, HostKind::Reader | HostKind::ReaderProxy);
    let reader = hosts.reader.filter(|_| !found.holding(reads).is_empty());
    let writes = reader.is_none() || !found.holding(|kind| !reads(kind)).is_empty();
    writes.then_some(hosts.proxy).into_iter().chain(reader).collect()
}

/// The user of functions that do not name theirs: the only one that there is.
fn user_of_all(survey: &Survey) -> Option<String> {
    let only = |mut users: Vec<String>| {
        users.sort();
        users.dedup();
        (users.len() == 1).then(|| users.remove(0))
    };
    let of_secrets = || only(survey.secrets.found.iter().filter_map(|secret| secret.user.clone()).collect());
    only(survey.login.users.clone()).or_else(of_secrets)
}
