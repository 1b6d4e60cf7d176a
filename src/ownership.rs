//! What proves that a resource is this tool's: the ownership tag, and what only its own create call can have written.
//!
//! A tag alone proves nothing: `ec2:CreateTags`, `iam:TagRole` or `rds:AddTagsToResource` writes it on anyone's
//! resource. So each kind of resource must show something besides that cannot be changed after it was created (a
//! group's name and description, a role's path), or that takes another right to change (a rule's description).

use crate::cloud::ec2::{Group, Rule};
use crate::cloud::iam::Role;
use crate::cloud::rds::TaggedProxy;
use crate::cloud::{Owner, tags};
use crate::names::{Names, rule_description};

/// Whether a security group is the stack's own.
///
/// Name and description of a group cannot be changed
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>).
#[must_use]
pub fn group(owner: &Owner, names: &Names, found: &Group) -> bool {
    owner.owns(&found.tags) && found.name == names.group && found.description == names.group_description()
}

/// Whether a rule is one that the stack added: one TCP port between a group of the proxy and another group.
///
/// `proxy_groups` are the groups that the proxy is or was in.
#[must_use]
pub fn rule(owner: &Owner, found: &Rule, proxy_groups: &[String]) -> bool {
    let of_the_proxy = |group: &String| proxy_groups.contains(group);
    let one_port = found.protocol == "tcp" && found.port.is_some() && found.port == found.last_port;
    owner.owns(&found.tags)
        && found.description.as_deref() == Some(rule_description(&owner.stack).as_str())
        && one_port
        && found.peer.as_ref().is_some_and(|peer| of_the_proxy(peer) || of_the_proxy(&found.group))
}

/// Whether a proxy is the stack's own, and not one that was adopted: besides the tag it has the stack's role or is in
/// the stack's group, which takes `rds:ModifyDBProxy` to change. `own_groups` are the ids of the stack's group.
#[must_use]
pub fn proxy(owner: &Owner, names: &Names, found: &TaggedProxy, own_groups: &[String]) -> bool {
    let with_our_role = found.proxy.role.ends_with(&own_role(names));
    let in_our_group = found.proxy.security_groups.iter().any(|group| own_groups.contains(group));
    owner.owns(&found.tags) && (with_our_role || in_our_group)
}

/// Whether a proxy is one of someone else's that the stack took over: the tags say so, and it has neither the stack's
/// role nor its group, which no such proxy has. So write access to tags alone cannot have ours taken for one.
#[must_use]
pub fn adopted(owner: &Owner, names: &Names, found: &TaggedProxy, own_groups: &[String]) -> bool {
    owner.owns(&found.tags) && found.tags.contains_key(tags::ADOPTED) && !proxy(owner, names, found, own_groups)
}

/// Whether a role is the stack's own: its path is part of its ARN and cannot be changed
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
#[must_use]
pub fn role(owner: &Owner, names: &Names, found: &Role) -> bool {
    owner.owns(&found.tags) && found.arn.ends_with(&own_role(names))
}

fn own_role(names: &Names) -> String {
    format!(":role{}{}", names.path, names.role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Tags;
    use crate::cloud::ec2::Direction;

    fn owner() -> Owner {
        Owner { stack: "main-proxy".to_owned(), database: "main".to_owned(), extra: Tags::new() }
    }

    #[test]
    fn a_rule_of_ours_shows_more_than_the_tag() {
        let owner = owner();
        let ours = Rule {
            id: "sgr-1".to_owned(),
            group: "sg-database".to_owned(),
            direction: Direction::Ingress,
            protocol: "tcp".to_owned(),
            peer: Some("sg-proxy".to_owned()),
            peer_account: None,
            peering: None,
            prefix_list: None,
            range: None,
            port: Some(3306),
            last_port: Some(3306),
            description: Some("rdsproxy-setup main-proxy".to_owned()),
            tags: owner.tags(),
        };
        let of = ["sg-proxy".to_owned()];
        assert!(rule(&owner, &ours, &of));
        for other in [
            Rule { tags: Tags::new(), ..ours.clone() },
            Rule { peer: Some("sg-app".to_owned()), ..ours.clone() },
            Rule { peer: None, ..ours.clone() },
            Rule { last_port: Some(3310), ..ours.clone() },
            Rule { protocol: "-1".to_owned(), port: None, last_port: None, ..ours.clone() },
            Rule { description: None, ..ours.clone() },
            Rule { description: Some("production".to_owned()), ..ours.clone() },
        ] {
            assert!(!rule(&owner, &other, &of), "{other:?}");
        }
        assert!(!rule(&owner, &ours, &[]));
    }
}
