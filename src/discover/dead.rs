//! Functions that point at a proxy which does not exist.
//!
//! A proxy's host is its name, `proxy-` with letters of the account's in the region, and the region: the same letters
//! as in the hosts of databases there
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html>). A host with other letters is of
//! another account, of which nothing is known here.

use std::collections::BTreeSet;
use std::fmt;

use super::database::Database;
use super::hosts::{HostKind, KnownHost, Shaped, shaped};
use crate::cloud::Cloud;
use crate::cloud::lambda::Function;
use crate::names::Names;

/// A variable that holds the host of a proxy which does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// The function.
    pub function: String,
    /// The variable.
    pub variable: String,
    /// The host.
    pub host: String,
    /// What it led to, where that is known: to this database, by its name or since the function was named.
    kind: Option<HostKind>,
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, variable, host, .. } = self;
        write!(f, "{variable} of {function} holds {host}, and no proxy of this account has that endpoint")
    }
}

/// Which proxies and endpoints are there, as far as that was read.
#[derive(Debug, Clone, Copy)]
pub struct There<'a> {
    /// The stack's names.
    pub names: &'a Names,
    /// The endpoint of the stack's proxy.
    pub endpoint: Option<&'a str>,
    /// Whether the stack's proxy is missing.
    pub proxy_missing: bool,
    /// Whether its read-only endpoint is missing.
    pub reader_missing: bool,
    /// Whether the user named the functions.
    pub named: bool,
}

/// Finds them among the functions of the database's VPC; calls AWS only where a host is not of our own proxy.
///
/// What could not be read counts as there.
pub async fn find<'a>(
    cloud: &Cloud,
    database: &Database,
    functions: impl Iterator<Item = &'a Function>,
    there: There<'_>,
) -> Vec<Dead> {
    let letters: BTreeSet<&str> = letters(database).into_iter().chain(there.endpoint.and_then(letters_of)).collect();
    let functions = functions.filter(|function| function.vpc.as_deref() == Some(database.vpc.as_str()));
    let (mut dead, mut others) = (Vec::new(), Vec::new());
    for function in functions {
        for (variable, value) in &function.variables.0 {
            for Shaped { host, name, further } in letters.iter().flat_map(|own| shaped(own, &cloud.region, value)) {
                let mut found = Dead { function: function.name.clone(), variable: variable.clone(), host, kind: None };
                let reader = further && name.eq_ignore_ascii_case(&there.names.reader);
                let ours = !further && name.eq_ignore_ascii_case(&there.names.stack);
                if reader || ours {
                    found.kind = Some(if reader { HostKind::DeadReader } else { HostKind::Dead });
                    let missing = there.proxy_missing || (reader && there.reader_missing);
                    dead.extend(missing.then_some(found));
                } else if !further {
                    found.kind = there.named.then_some(HostKind::Dead);
                    others.push(found);
                }
            }
        }
    }
    if !others.is_empty()
        && let Ok(proxies) = cloud.rds.proxies().await
    {
        let is_there = |host: &str| {
            let mut hosts = proxies.iter().filter_map(|proxy| proxy.endpoint.as_deref());
            hosts.any(|endpoint| endpoint.eq_ignore_ascii_case(host))
        };
        // One that is being created has no endpoint yet, but its name.
        let is_coming = |host: &str| proxies.iter().any(|proxy| host.starts_with(&format!("{}.", proxy.name)));
        others.retain(|found| !is_there(&found.host) && !is_coming(&found.host));
        dead.extend(others);
    }
    dead
}

/// The hosts among them that are to lead to this database's proxy again.
#[must_use]
pub fn hosts(dead: &[Dead]) -> Vec<KnownHost> {
    let host = |found: &Dead| Some(KnownHost { name: found.host.clone(), kind: found.kind? });
    let mut hosts: Vec<KnownHost> = dead.iter().filter_map(host).collect();
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    hosts.dedup();
    hosts
}

/// The account's letters in the region, as the database's own host has them.
fn letters(database: &Database) -> Option<&str> {
    let writer = database.hosts.iter().find(|host| host.kind == HostKind::Writer)?;
    letters_of(&writer.name)
}

fn letters_of(host: &str) -> Option<&str> {
    host.split('.').nth(1)?.rsplit('-').next().filter(|letters| !letters.is_empty())
}
