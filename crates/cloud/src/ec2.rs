//! Amazon EC2: security groups, subnets and network interfaces.

mod classes;
mod interfaces;
mod look;
mod plain;

use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::types::{Filter, IpPermission, ResourceType, Tag, TagSpecification, UserIdGroupPair};

use super::Tags;
use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};
use super::pages::capped;

pub use classes::Size;
pub use interfaces::Interface;
pub use look::{Route, RouteTable, Vpc};

/// The EC2 client.
#[derive(Debug, Clone)]
pub struct Ec2 {
    client: Client,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `sg-…`.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it was described by when it was created.
    pub description: String,
    /// The VPC.
    pub vpc: String,
    /// The tags.
    pub tags: Tags,
    /// What may come in.
    pub ingress: Vec<Permission>,
    /// What may go out.
    pub egress: Vec<Permission>,
}

/// What a group lets through, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// `tcp`, `udp`, …, or `-1` for everything.
    pub protocol: String,
    /// The first port; `None` for all.
    pub from: Option<i32>,
    /// The last port; `None` for all.
    pub to: Option<i32>,
    /// Groups on the other side.
    pub groups: Vec<String>,
    /// IPv4 and IPv6 ranges on the other side.
    pub ranges: Vec<String>,
    /// Managed prefix lists on the other side.
    pub prefix_lists: Vec<String>,
}

/// Which way traffic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Into the members of the group.
    Ingress,
    /// Out of them.
    Egress,
}

/// One rule of a group, with its own id and tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `sgr-…`.
    pub id: String,
    /// The group that has it.
    pub group: String,
    /// Its direction.
    pub direction: Direction,
    /// `tcp`, `udp`, …, or `-1` for everything.
    pub protocol: String,
    /// The group on the other side, if it names one.
    pub peer: Option<String>,
    /// The account of that group, where AWS says.
    pub peer_account: Option<String>,
    /// The peering connection that leads to that group, where it is of another VPC.
    pub peering: Option<String>,
    /// The managed prefix list on the other side, if it names one.
    pub prefix_list: Option<String>,
    /// The block of addresses on the other side, if it names one.
    pub range: Option<String>,
    /// The first port.
    pub port: Option<i32>,
    /// The last port.
    pub last_port: Option<i32>,
    /// What it is described by.
    pub description: Option<String>,
    /// The tags.
    pub tags: Tags,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-…`.
    pub id: String,
    /// The VPC.
    pub vpc: String,
    /// The zone's name in this account, `eu-central-1a`.
    pub zone: String,
    /// The zone's id in every account, `euc1-az2`.
    pub zone_id: String,
    /// Free IPv4 addresses.
    pub free: i32,
    /// The IPv4 block.
    pub cidr: String,
    /// Whether it has an IPv6 block.
    pub ipv6: bool,
}

/// A network ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// `acl-…`.
    pub id: String,
    /// Whether it holds for the subnets of its VPC that have none of their own.
    pub default: bool,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its entries.
    pub entries: Vec<AclEntry>,
}

/// An entry of a network ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclEntry {
    /// Its number: the lowest that fits decides.
    pub number: i32,
    /// Whether it is for what goes out.
    pub egress: bool,
    /// Whether it lets through.
    pub allow: bool,
    /// The protocol's number, or `-1` for all.
    pub protocol: String,
    /// The IPv4 block on the other side.
    pub cidr: String,
    /// The ports; all where unset.
    pub ports: Option<(i32, i32)>,
}

impl Permission {
    /// Whether it lets TCP through on `port`.
    #[must_use]
    pub fn covers(&self, port: u16) -> bool {
        let port = i32::from(port);
        match self.protocol.as_str() {
            "-1" => true,
            "tcp" | "6" => self.from.unwrap_or(0) <= port && port <= self.to.unwrap_or(65_535),
            _ => false,
        }
    }

    /// Whether the other side is everything.
    #[must_use]
    pub fn open_to_all(&self) -> bool {
        self.ranges.iter().any(|range| range == "0.0.0.0/0")
    }
}

impl Group {
    /// Whether members of `peer` may come in on `port`, by a rule that names their group.
    #[must_use]
    pub fn admits(&self, peer: &str, port: u16) -> bool {
        self.ingress.iter().any(|rule| rule.covers(port) && rule.groups.iter().any(|group| group == peer))
    }

    /// Whether members may go out to the members of `peer` on `port`.
    #[must_use]
    pub fn lets_out_to(&self, peer: &str, port: u16) -> bool {
        self.egress
            .iter()
            .any(|rule| rule.covers(port) && (rule.open_to_all() || rule.groups.iter().any(|group| group == peer)))
    }
}

impl Ec2 {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Lists the security groups of a VPC.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn groups_of_vpc(&self, vpc: &str) -> Answer<Vec<Group>> {
        self.groups(filter("vpc-id", vpc)).await
    }

    /// Lists the security groups that carry a tag, with any value.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn groups_tagged(&self, key: &str) -> Answer<Vec<Group>> {
        self.groups(filter("tag-key", key)).await
    }

    /// Lists the security groups that carry a tag with this value.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn groups_tagged_with(&self, key: &str, value: &str) -> Answer<Vec<Group>> {
        self.groups(filter(&format!("tag:{key}"), value)).await
    }

    async fn groups(&self, filter: Filter) -> Answer<Vec<Group>> {
        let mut groups = Vec::new();
        let mut pages = capped(self.client.describe_security_groups().filters(filter).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("ec2:DescribeSecurityGroups", &error))?;
            groups.extend(page.security_groups.unwrap_or_default().into_iter().filter_map(plain::group));
        }
        Ok(groups)
    }

    /// Lists the rules that carry a tag with this value.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn rules_tagged_with(&self, key: &str, value: &str) -> Answer<Vec<Rule>> {
        self.rules(filter(&format!("tag:{key}"), value)).await
    }

    /// Lists the rules of a security group.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn rules_of(&self, group: &str) -> Answer<Vec<Rule>> {
        self.rules(filter("group-id", group)).await
    }

    async fn rules(&self, wanted: Filter) -> Answer<Vec<Rule>> {
        let mut rules = Vec::new();
        let mut pages = capped(self.client.describe_security_group_rules().filters(wanted).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("ec2:DescribeSecurityGroupRules", &error))?;
            rules.extend(page.security_group_rules.unwrap_or_default().into_iter().filter_map(plain::rule));
        }
        Ok(rules)
    }

    /// Creates a security group; AWS gives it a rule that lets everything out.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the VPC has one of this name, or when AWS refuses otherwise.
    pub async fn create_group(&self, name: &str, description: &str, vpc: &str, tags: &Tags) -> Answer<String> {
        const CALL: &str = "ec2:CreateSecurityGroup";
        let answer = self
            .client
            .create_security_group()
            .group_name(name)
            .description(description)
            .vpc_id(vpc)
            .tag_specifications(specification(ResourceType::SecurityGroup, tags))
            .send()
            .await
            .map_err(|error| refuse(CALL, &error))?;
        answer.group_id.ok_or_else(|| Refusal::incomplete(CALL, "the group's id"))
    }

    /// Deletes a security group; one that is gone already is fine.
    ///
    /// # Errors
    /// [`Kind::InUse`] while an interface or a rule still refers to it, or when AWS refuses otherwise.
    pub async fn delete_group(&self, id: &str) -> Answer<()> {
        let call = self.client.delete_security_group().group_id(id).send().await;
        gone_is_fine(call.map(drop).map_err(|error| refuse("ec2:DeleteSecurityGroup", &error)))
    }

    /// Lets TCP through between a group's members and those of `peers` on `port`.
    ///
    /// # Errors
    /// [`Kind::Exists`] when one of the rules is there already (then none is created), or when AWS refuses otherwise.
    pub async fn authorize(
        &self,
        direction: Direction,
        group: &str,
        peers: &[(String, String)],
        port: u16,
        tags: &Tags,
    ) -> Answer<()> {
        let pairs = peers
            .iter()
            .map(|(peer, why)| UserIdGroupPair::builder().group_id(peer).description(why).build())
            .collect();
        let permission = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(i32::from(port))
            .to_port(i32::from(port))
            .set_user_id_group_pairs(Some(pairs))
            .build();
        let tags = specification(ResourceType::SecurityGroupRule, tags);
        match direction {
            Direction::Ingress => {
                let call = self.client.authorize_security_group_ingress().group_id(group);
                let call = call.ip_permissions(permission).tag_specifications(tags).send().await;
                call.map(drop).map_err(|error| refuse("ec2:AuthorizeSecurityGroupIngress", &error))
            }
            Direction::Egress => {
                let call = self.client.authorize_security_group_egress().group_id(group);
                let call = call.ip_permissions(permission).tag_specifications(tags).send().await;
                call.map(drop).map_err(|error| refuse("ec2:AuthorizeSecurityGroupEgress", &error))
            }
        }
    }

    /// Deletes rules, by id; those that are gone already are fine.
    ///
    /// AWS deletes none of a call's rules when one of them is gone, so then each is deleted by itself.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn revoke(&self, direction: Direction, group: &str, rules: Vec<String>) -> Answer<()> {
        match self.revoke_all(direction, group, rules.clone()).await {
            // One unknown id fails the whole call, and the others stay: each is asked for by itself.
            Err(refusal) if refusal.kind == Kind::NotFound && rules.len() > 1 => {
                for rule in rules {
                    gone_is_fine(self.revoke_all(direction, group, vec![rule]).await)?;
                }
                Ok(())
            }
            answer => gone_is_fine(answer),
        }
    }

    async fn revoke_all(&self, direction: Direction, group: &str, rules: Vec<String>) -> Answer<()> {
        match direction {
            Direction::Ingress => {
                let call = self.client.revoke_security_group_ingress().group_id(group);
                let call = call.set_security_group_rule_ids(Some(rules)).send().await;
                call.map(drop).map_err(|error| refuse("ec2:RevokeSecurityGroupIngress", &error))
            }
            Direction::Egress => {
                let call = self.client.revoke_security_group_egress().group_id(group);
                let call = call.set_security_group_rule_ids(Some(rules)).send().await;
                call.map(drop).map_err(|error| refuse("ec2:RevokeSecurityGroupEgress", &error))
            }
        }
    }

    /// Reads subnets, by id.
    ///
    /// # Errors
    /// When AWS refuses, also where one of them does not exist.
    pub async fn subnets(&self, ids: &[String]) -> Answer<Vec<Subnet>> {
        let call = self.client.describe_subnets().set_subnet_ids(Some(ids.to_vec())).send().await;
        let answer = call.map_err(|error| refuse("ec2:DescribeSubnets", &error))?;
        Ok(answer.subnets.unwrap_or_default().into_iter().filter_map(plain::subnet).collect())
    }

    /// Lists the subnets of a VPC.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn subnets_of_vpc(&self, vpc: &str) -> Answer<Vec<Subnet>> {
        let mut found = Vec::new();
        let mut pages = capped(self.client.describe_subnets().filters(filter("vpc-id", vpc)).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("ec2:DescribeSubnets", &error))?;
            found.extend(page.subnets.unwrap_or_default().into_iter().filter_map(plain::subnet));
        }
        Ok(found)
    }

    /// Lists the network ACLs of a VPC.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn acls_of_vpc(&self, vpc: &str) -> Answer<Vec<Acl>> {
        let call = self.client.describe_network_acls().filters(filter("vpc-id", vpc)).send().await;
        let answer = call.map_err(|error| refuse("ec2:DescribeNetworkAcls", &error))?;
        Ok(answer.network_acls.unwrap_or_default().into_iter().filter_map(plain::acl).collect())
    }
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

fn gone_is_fine(answer: Answer<()>) -> Answer<()> {
    match answer {
        Err(refusal) if refusal.kind == Kind::NotFound => Ok(()),
        answer => answer,
    }
}

fn specification(kind: ResourceType, tags: &Tags) -> TagSpecification {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()
}
