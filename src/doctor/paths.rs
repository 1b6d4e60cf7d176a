//! Whether security groups let a connection through, and what they do instead.

use crate::cloud::ec2::{Group, Permission};
use crate::discover::acls::holds;

/// One end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    /// Its groups.
    pub(super) groups: &'a [String],
    /// The blocks of the subnets that it may be in.
    pub(super) blocks: &'a [&'a str],
}

/// What the groups of both ends say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// It is open.
    Open,
    /// The near end's groups let nothing out to the far end: what they do let out.
    ClosedOut(String),
    /// The far end's groups do not let the near end in: whom they do let in.
    ClosedIn(String),
    /// It is unknown: why.
    Unknown(String),
}

/// Whether TCP gets from one end to the other on a port.
pub(super) fn way(known: &[Group], from: End<'_>, to: End<'_>, port: u16) -> Way {
    let find = |end: End<'_>| -> Result<Vec<&Group>, String> {
        let find = |id: &String| known.iter().find(|group| group.id == *id).ok_or_else(|| id.clone());
        end.groups.iter().map(find).collect()
    };
    let (near, far) = match (find(from), find(to)) {
        (Ok(near), Ok(far)) => (near, far),
        (Err(id), _) | (_, Err(id)) => {
            return Way::Unknown(format!("the security group {id} is not among those of the database's VPC"));
        }
    };
    let out: Vec<&Permission> = near.iter().flat_map(|group| &group.egress).collect();
    let inward: Vec<&Permission> = far.iter().flat_map(|group| &group.ingress).collect();
    for (rules, peer, closed) in [(out, to, Way::ClosedOut as fn(String) -> Way), (inward, from, Way::ClosedIn)] {
        let fitting: Vec<&Permission> = rules.into_iter().filter(|rule| rule.covers(port)).collect();
        if fitting.iter().any(|rule| admits(rule, peer)) {
            continue;
        }
        if let Some(list) = fitting.iter().find_map(|rule| rule.prefix_lists.first()) {
            return Way::Unknown(format!("a rule names the prefix list {list}, which is not followed"));
        }
        let mut others: Vec<&str> =
            fitting.iter().flat_map(|rule| rule.groups.iter().chain(&rule.ranges)).map(String::as_str).collect();
        others.sort_unstable();
        others.dedup();
        return closed(if others.is_empty() { "nothing".to_owned() } else { format!("only {}", others.join(", ")) });
    }
    Way::Open
}

fn admits(rule: &Permission, peer: End<'_>) -> bool {
    let covers = |range: &String| !peer.blocks.is_empty() && peer.blocks.iter().all(|block| holds(range, block));
    rule.open_to_all() || rule.groups.iter().any(|group| peer.groups.contains(group)) || rule.ranges.iter().any(covers)
}
