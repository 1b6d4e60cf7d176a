//! Ownership as tags: how we know what is ours.

use std::collections::BTreeMap;

/// Tags of a resource, by key.
pub type Tags = BTreeMap<String, String>;

/// The tag that makes a resource ours; its value is the stack's name.
pub const STACK: &str = "rdsproxy-setup:stack";
/// The tag that names the database that a stack serves.
pub const DATABASE: &str = "rdsproxy-setup:database";
/// The tag that identifies the document that a version of the connect policy holds (`v1:<digest>`).
pub const DOCUMENT: &str = "rdsproxy-setup:document";
/// The tag on a stack's first connect policy that says that there are, or were, further ones beside it.
pub const FURTHER: &str = "rdsproxy-setup:further";
/// The tag on a proxy which remembers the database's own host, and its port.
pub const WRITER: &str = "rdsproxy-setup:writer";
/// The tag on a proxy which remembers the host of the cluster's readers.
pub const READER: &str = "rdsproxy-setup:reader";

/// The beginning of the tags that remember what cannot be derived of a function's former hosts; the variable's name
/// follows. Version 0.1 wrote them on every function.
pub const FORMER: &str = "rdsproxy-setup:former:";

/// The beginning of version 0.1's tags that remember which version an alias pointed at; the alias's name follows.
pub const FORMER_VERSION: &str = "rdsproxy-setup:former-version:";
/// The tag on a secret that this tool created that names its database user.
pub const USER: &str = "rdsproxy-setup:user";
/// The tag on a proxy that was taken over; its value says whether it had a target then.
pub const ADOPTED: &str = "rdsproxy-setup:adopted";
/// The tag on a database whose IAM authentication a stack turned on, with the stack's name; and on that stack's role,
/// with the database's id. A teardown turns it off again only where both say so: one right alone writes only one of
/// them.
pub const IAM_AUTH: &str = "rdsproxy-setup:iam-auth";

/// The tag on a proxy which remembers how functions log in, where a flag asked for it: `iam`, `password`.
pub const LOGIN: &str = "rdsproxy-setup:client-auth";
/// The tag on a proxy which remembers the database users that flags named.
pub const USERS: &str = "rdsproxy-setup:db-users";

/// The tag on a proxy which remembers the functions that flags limited it to; more of them in `…:2`, `…:3`.
pub const FUNCTIONS: &str = "rdsproxy-setup:functions";
/// The tag on a proxy which remembers the functions that flags left out, in the same way.
pub const EXCLUDED: &str = "rdsproxy-setup:exclude-functions";
/// The tag on a proxy which remembers the variables that flags had stay as they are, in the same way.
pub const EXCLUDED_VARIABLES: &str = "rdsproxy-setup:exclude-variables";
/// The tag on a proxy which remembers the variables that flags had moved although their names ask for a direct
/// connection.
pub const INCLUDED_VARIABLES: &str = "rdsproxy-setup:include-variables";

/// The tag on a proxy which remembers the connect policy that an administrator gave.
pub const CONNECT_POLICY: &str = "rdsproxy-setup:connect-policy";

/// The tag on a proxy which remembers for how many days its log group is to keep events.
pub const LOG_RETENTION: &str = "rdsproxy-setup:log-retention";

/// The tag on a proxy that says that its stack was handed over to infrastructure as code: nothing here changes it.
pub const HANDED_OVER: &str = "rdsproxy-setup:handed-over";
/// The tag on a proxy which remembers a canary that is not complete: when it began, and how many functions were there
/// before.
pub const CANARY: &str = "rdsproxy-setup:canary";

/// The beginning of the tags on the proxy's group which remember rules that let functions reach the database directly
/// and were removed; the rule follows, and the value is its description.
pub const CLOSED: &str = "rdsproxy-setup:closed:";

/// The tag on a temporary function that names the functions it stands in for.
pub const PROBE: &str = "rdsproxy-setup:probe";

/// Who owns what a stack consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The stack's name.
    pub stack: String,
    /// The database's id.
    pub database: String,
    /// Tags that the user wants on everything.
    pub extra: Tags,
}

impl Owner {
    /// The tags that every resource of the stack is created with.
    #[must_use]
    pub fn tags(&self) -> Tags {
        let mut tags = self.extra.clone();
        tags.insert(STACK.to_owned(), self.stack.clone());
        tags.insert(DATABASE.to_owned(), self.database.clone());
        tags
    }

    /// Whether a resource with these tags belongs to the stack.
    #[must_use]
    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(STACK) == Some(&self.stack)
    }
}
