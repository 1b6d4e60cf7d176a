//! What closing and opening the direct path takes: who is in a group, one rule by itself, and tags.

use aws_sdk_ec2::types::{IpPermission, NetworkInterface, Tag, UserIdGroupPair};

use super::{Ec2, filter};
use crate::Tags;
use crate::error::{Answer, refuse};
use crate::pages::capped;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// `lambda`, `interface`, …; `None` where AWS does not say.
    pub kind: Option<String>,
    /// The account that it is of.
    pub account: Option<String>,
    /// What it was described by.
    pub description: String,
    /// Whether a service of AWS keeps it.
    pub managed: bool,
}

impl Ec2 {
    /// Lists the network interfaces that are in a security group.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn interfaces_of(&self, group: &str) -> Answer<Vec<Interface>> {
        let mut found = Vec::new();
        let call = self.client.describe_network_interfaces().filters(filter("group-id", group));
        let mut pages = capped(call.into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("ec2:DescribeNetworkInterfaces", &error))?;
            found.extend(page.network_interfaces.unwrap_or_default().into_iter().map(plain));
        }
        Ok(found)
    }

    /// Lets TCP from the members of `peer` into a group's on one port, by a rule without tags.
    ///
    /// # Errors
    /// [`Kind::Exists`](crate::Kind::Exists) when the rule is there already, or when AWS refuses otherwise.
    pub async fn let_in(&self, group: &str, peer: &str, port: u16, description: Option<&str>) -> Answer<()> {
        let pair = UserIdGroupPair::builder().group_id(peer).set_description(description.map(str::to_owned)).build();
        let permission = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(i32::from(port))
            .to_port(i32::from(port))
            .user_id_group_pairs(pair)
            .build();
        let call = self.client.authorize_security_group_ingress().group_id(group).ip_permissions(permission);
        call.send().await.map(drop).map_err(|error| refuse("ec2:AuthorizeSecurityGroupIngress", &error))
    }

    /// Adds tags to a resource.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tag(&self, id: &str, tags: &Tags) -> Answer<()> {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = self.client.create_tags().resources(id).set_tags(Some(tags)).send().await;
        call.map(drop).map_err(|error| refuse("ec2:CreateTags", &error))
    }

    /// Removes tags of a resource, whatever their values are.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn untag(&self, id: &str, keys: &[String]) -> Answer<()> {
        let tags = keys.iter().map(|key| Tag::builder().key(key).build()).collect();
        let call = self.client.delete_tags().resources(id).set_tags(Some(tags)).send().await;
        call.map(drop).map_err(|error| refuse("ec2:DeleteTags", &error))
    }
}

fn plain(found: NetworkInterface) -> Interface {
    Interface {
        id: found.network_interface_id.unwrap_or_default(),
        kind: found.interface_type.map(|kind| kind.as_str().to_owned()),
        account: found.owner_id,
        description: found.description.unwrap_or_default(),
        managed: found.requester_managed.unwrap_or(false),
    }
}
