//! What AWS refused to the caller is refused in the copy.
//!
//! The caller may do everything in the copy but what it was refused. A refused read of a list needs an action on all of
//! its resources, `db:*`, and a denial of that would take every single one away as well. So what other reads of the
//! same action proved is excepted, and where the very same permission was used elsewhere with success, nothing is
//! denied: conditions that the copy does not know must have decided, and a denial would take more away than AWS did.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::{Asked, Principal, Request, Service, World};
use serde_json::{Value, json};

use super::{Build, verdicts};
use crate::facts::Kind;
use crate::read::iam;

/// The access key of the rehearsal's caller.
pub const REHEARSER: &str = "AKIAREHEARSAL0000000";

/// What was asked, and whether AWS allowed it.
#[derive(Clone, Default)]
pub(crate) struct Asks {
    asks: BTreeMap<(Service, String, String), Ask>,
}

#[derive(Clone)]
struct Ask {
    request: Request,
    allowed: bool,
}

impl Asks {
    /// Remembers an answer. One that came once proves the right to ask, however often it was refused before.
    pub(crate) fn note(&mut self, asked: &Asked, request: &Request, allowed: bool) {
        let key = (asked.service, asked.action.clone(), asked.input.to_string());
        let ask = self.asks.entry(key).or_insert_with(|| Ask { request: bare(asked.service, request), allowed });
        ask.allowed |= allowed;
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.asks.len()
    }

    fn denied(&self) -> impl Iterator<Item = (&str, &Request)> {
        self.asks.iter().filter(|(_, ask)| !ask.allowed).map(|((_, action, _), ask)| (action.as_str(), &ask.request))
    }

    fn allowed(&self) -> impl Iterator<Item = &Request> {
        self.asks.values().filter(|ask| ask.allowed).map(|ask| &ask.request)
    }
}

/// A request without its signature and tokens: what it asks for stays.
fn bare(service: Service, request: &Request) -> Request {
    let mut headers: BTreeMap<String, String> = request
        .headers
        .iter()
        .filter(|(name, _)| ["content-type", "smithy-protocol", "x-amz-target"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let scope = format!("AWS4-HMAC-SHA256 Credential={REHEARSER}/20260101/-/{}/aws4_request", service.scope());
    headers.insert("authorization".to_owned(), scope);
    Request { headers, ..request.clone() }
}

pub(super) fn build(build: &mut Build<'_>, asks: &Asks, caller: &str) {
    let mut refused: BTreeSet<Permission> = BTreeSet::new();
    let proven = proven(&build.world, asks);
    for (action, request) in asks.denied() {
        let needed = needs(&build.world, request);
        let named = needed.iter().any(|need| !proven.contains(need));
        let why = if named {
            "was refused to you for at least one resource, and is refused in the copy"
        } else {
            "was refused to you once, but not elsewhere with the same permission, and is answered in the copy"
        };
        build.gap(format!("what {action} says"), why);
        refused.extend(needed);
    }
    for (function, _) in build.facts.all(Kind::FunctionTagsHidden) {
        let name = function.rsplit(':').next().unwrap_or_default();
        build.gap(
            format!("the right to see the tags of the function {name}"),
            "was refused to you, and is refused in the copy",
        );
        refused.insert(("lambda:ListTags".to_owned(), function.to_owned()));
    }
    let mut statements = deny(&refused, &proven);
    statements.extend(judged(build, caller));
    let policies = (!statements.is_empty()).then(|| {
        let all = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
        vec![
            json!({ "Version": "2012-10-17", "Statement": [all] }),
            json!({ "Version": "2012-10-17", "Statement": statements }),
        ]
    });
    build.world.principals.insert(REHEARSER.to_owned(), Principal { arn: caller.to_owned(), policies });
}

/// An action and a resource.
type Permission = (String, String);

fn needs(world: &World, request: &Request) -> Vec<Permission> {
    world.needed(request).into_iter().map(|need| (need.action, need.resource)).collect()
}

/// What the caller was allowed where it was asked.
fn proven(world: &World, asks: &Asks) -> BTreeSet<Permission> {
    if asks.denied().next().is_none() {
        return BTreeSet::new();
    }
    asks.allowed().flat_map(|request| needs(world, request)).collect()
}

/// Statements that deny what was refused, and nothing that was answered.
fn deny(refused: &BTreeSet<Permission>, proven: &BTreeSet<Permission>) -> Vec<Value> {
    let mut statements = Vec::new();
    for need in refused.difference(proven) {
        let (action, resource) = need;
        let same = proven.iter().filter(|(own, _)| own == action && resource.contains('*'));
        let excepted: Vec<&String> = same.map(|(_, resource)| resource).collect();
        statements.push(if excepted.is_empty() {
            verdicts::statement("Deny", &[action], &[resource])
        } else {
            json!({ "Effect": "Deny", "Action": [action], "NotResource": excepted })
        });
    }
    statements
}

/// What the simulator said that the caller itself may not do.
fn judged(build: &Build<'_>, caller: &str) -> Vec<Value> {
    let of_caller =
        |principal: &str| principal == caller || role_of(caller).is_some_and(|role| is_role(principal, role));
    let denied = build.facts.parts(Kind::Verdict).filter(|(principal, ..)| of_caller(principal));
    let denied = denied.filter(|(_, _, said)| !said.contains_key("allowed"));
    let statement = |asked: &str| {
        let (action, resource) = asked.split_once('\n')?;
        Some(verdicts::statement("Deny", &[action], &[resource]))
    };
    denied.filter_map(|(_, asked, _)| statement(asked)).collect()
}

/// The name of the role in the ARN of a session.
fn role_of(caller: &str) -> Option<&str> {
    caller.split_once(":assumed-role/").and_then(|(_, session)| session.split('/').next())
}

fn is_role(principal: &str, name: &str) -> bool {
    iam(principal, "role").is_some_and(|(_, _, own)| own == name)
}
