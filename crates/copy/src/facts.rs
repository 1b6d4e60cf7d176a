//! What was heard, thing by thing, before it becomes an account.
//!
//! Facts are joined, and a join does not depend on who came first: answers may be heard in any order and many times.
//! Where two answers differ in a member, what says more wins, and then what is greater as text. So a thing that changed
//! while it was read may be a mixture of both states, and is the same mixture however the answers came.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde_json::{Map, Value};

/// What a fact is about. The comments say what the two parts of its key are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Who calls.
    Caller,
    /// A database instance: identifier.
    Instance,
    /// A database cluster: identifier.
    Cluster,
    /// A custom endpoint: cluster, identifier.
    ClusterEndpoint,
    /// A subnet group of databases: name.
    SubnetGroup,
    /// A parameter group that was read: name.
    ParameterGroup,
    /// A parameter: group, name.
    Parameter,
    /// A line of RDS's event list: date, what it says.
    Event,
    /// A proxy: name.
    Proxy,
    /// The target group of a proxy: name of the proxy.
    TargetGroup,
    /// A row of a proxy's targets: name of the proxy, what it is.
    Target,
    /// A further endpoint of a proxy: name.
    ProxyEndpoint,
    /// Tags of something of RDS's: ARN.
    RdsTags,
    /// A role: name.
    Role,
    /// A role that is not there: name.
    NoRole,
    /// An inline policy: role, name.
    Inline,
    /// A list of a role's inline policies was read: role.
    InlineListed,
    /// A managed policy: ARN.
    Policy,
    /// A version of a managed policy: ARN, `v1`.
    PolicyVersion,
    /// A managed policy on a role: role, ARN.
    Attached,
    /// A list of a role's managed policies was read: role.
    AttachedListed,
    /// What IAM's simulator said: principal, action and resource.
    Verdict,
    /// A VPC: id.
    Vpc,
    /// A subnet: id.
    Subnet,
    /// A security group: id.
    Group,
    /// A rule of a security group: group, id.
    Rule,
    /// A network ACL: id.
    Acl,
    /// A route table: id.
    RouteTable,
    /// A network interface: id.
    Interface,
    /// A version of a function: name of the function, `$LATEST` or number.
    Version,
    /// Tags of a function: name.
    FunctionTags,
    /// Tags of a function that the caller may not see: ARN.
    FunctionTagsHidden,
    /// Reserved concurrency of a function: name.
    Reserved,
    /// An alias: name of the function, name.
    Alias,
    /// Provisioned concurrency: name of the function, alias or version.
    Provisioned,
    /// The resource policy of a function: name.
    FunctionPolicy,
    /// An event source mapping: UUID.
    Mapping,
    /// Settings of Lambda for the account.
    Lambda,
    /// A secret: ARN.
    Secret,
    /// The value of a secret, masked: ARN or name as it was asked for.
    SecretValue,
    /// The resource policy of a secret: ARN.
    SecretPolicy,
    /// A key: id.
    Key,
    /// The policy of a key: id.
    KeyPolicy,
    /// An alias of a key: `alias/…`.
    KeyAlias,
    /// A log group: name.
    LogGroup,
    /// Tags of a log group: name.
    LogTags,
    /// An alarm: name.
    Alarm,
    /// Tags of an alarm: name.
    AlarmTags,
    /// A dashboard: name.
    Dashboard,
    /// A quota as it is applied: code.
    Quota,
    /// A quota as AWS sets it: code.
    DefaultQuota,
}

/// The members of a fact.
pub(crate) type Thing = Map<String, Value>;

/// All facts.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    things: BTreeMap<(Kind, String, String), Thing>,
}

impl fmt::Debug for Facts {
    /// Says how much was heard, and nothing of it: there are variables in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").field("things", &self.things.len()).finish()
    }
}

impl Facts {
    /// Joins what an answer says to what is known of a thing with a key of one part.
    pub(crate) fn note(&mut self, kind: Kind, name: &str, said: &Value) {
        self.note_part(kind, name, "", said);
    }

    /// Joins what an answer says to what is known of a thing.
    pub(crate) fn note_part(&mut self, kind: Kind, owner: &str, name: &str, said: &Value) {
        let thing = self.things.entry((kind, owner.to_owned(), name.to_owned())).or_default();
        for (member, value) in said.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            match thing.entry(member) {
                serde_json::map::Entry::Vacant(place) => drop(place.insert(value.clone())),
                serde_json::map::Entry::Occupied(mut held) if says_more(value, held.get()) => {
                    held.insert(value.clone());
                }
                serde_json::map::Entry::Occupied(_) => {}
            }
        }
    }

    /// All things of a kind whose keys have one part.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = (&str, &Thing)> {
        self.parts(kind).map(|(owner, _, thing)| (owner, thing))
    }

    /// All things of a kind.
    pub(crate) fn parts(&self, kind: Kind) -> impl Iterator<Item = (&str, &str, &Thing)> {
        let range = self.things.range((kind, String::new(), String::new())..);
        let range = range.take_while(move |((own, ..), _)| *own == kind);
        range.map(|((_, owner, name), thing)| (owner.as_str(), name.as_str(), thing))
    }

    /// The things of a kind that belong to one owner.
    pub(crate) fn of<'a>(&'a self, kind: Kind, owner: &'a str) -> impl Iterator<Item = (&'a str, &'a Thing)> {
        let range = self.things.range((kind, owner.to_owned(), String::new())..);
        let range = range.take_while(move |((own, of, _), _)| *own == kind && of == owner);
        range.map(|((_, _, name), thing)| (name.as_str(), thing))
    }

    /// One thing with a key of one part.
    pub(crate) fn one(&self, kind: Kind, name: &str) -> Option<&Thing> {
        self.things.get(&(kind, name.to_owned(), String::new()))
    }

    /// Whether anything is known of a thing with a key of one part.
    pub(crate) fn knows(&self, kind: Kind, name: &str) -> bool {
        self.one(kind, name).is_some()
    }
}

fn says_more(value: &Value, held: &Value) -> bool {
    if value == held {
        return false;
    }
    let rank = |value: &Value| {
        let empty = match value {
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        (!empty, value.to_string())
    };
    rank(value) > rank(held)
}

/// Remembers that a list was read, even if it is empty.
pub(crate) fn read_once() -> Value {
    serde_json::json!({ "read": true })
}

/// Inserts where nothing is yet.
pub(crate) fn fill<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: impl FnOnce() -> V) -> bool {
    match map.entry(key) {
        Entry::Vacant(place) => {
            place.insert(value());
            true
        }
        Entry::Occupied(_) => false,
    }
}
