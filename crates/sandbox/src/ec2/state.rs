//! What EC2 remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::account::Moment;

/// The network of the account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ec2 {
    /// VPCs by id.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Subnets by id.
    pub subnets: BTreeMap<String, Subnet>,
    /// Security groups by id.
    pub groups: BTreeMap<String, Group>,
    /// Network interfaces by id.
    pub interfaces: BTreeMap<String, Interface>,
    /// Network ACLs by id.
    pub acls: BTreeMap<String, Acl>,
    /// Route tables by id.
    pub route_tables: BTreeMap<String, RouteTable>,
}

/// A VPC.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Vpc {
    /// `10.0.0.0/16`.
    pub cidr: String,
    /// An IPv6 block, if any.
    pub ipv6_cidr: Option<String>,
    /// `default` or `dedicated`.
    pub tenancy: String,
    /// The mode of its encryption control, `monitor` or `enforce`, if it has one.
    #[serde(default)]
    pub encryption: Option<String>,
    /// Whether it is the region's default VPC.
    pub default: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A subnet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Subnet {
    /// The VPC.
    pub vpc_id: String,
    /// `10.0.1.0/24`.
    pub cidr: String,
    /// An IPv6 block, if any.
    pub ipv6_cidr: Option<String>,
    /// `eu-central-1a`.
    pub zone: String,
    /// `euc1-az2`.
    pub zone_id: String,
    /// Addresses that are free when the sandbox's own interfaces are not counted.
    pub free_addresses: u32,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A security group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// The VPC.
    pub vpc_id: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Rules by `sgr-…`.
    pub rules: BTreeMap<String, Rule>,
}

/// One security group rule: one source or destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Egress rather than ingress.
    pub egress: bool,
    /// `tcp`, `udp`, `icmp`, `-1` for all.
    pub protocol: String,
    /// First port, -1 for all.
    pub from_port: i64,
    /// Last port, -1 for all.
    pub to_port: i64,
    /// Who is on the other side.
    pub peer: Peer,
    /// The rule's own description.
    pub description: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Rule {
    /// The rule that every new group has: all traffic out, over IPv4
    /// (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html>).
    #[must_use]
    pub fn everything_out() -> Self {
        Self {
            egress: true,
            protocol: "-1".to_owned(),
            from_port: -1,
            to_port: -1,
            peer: Peer::Cidr("0.0.0.0/0".to_owned()),
            description: None,
            tags: BTreeMap::new(),
        }
    }

    /// Whether two rules are the same one for AWS: description and tags do not count.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.egress == other.egress
            && self.protocol == other.protocol
            && self.from_port == other.from_port
            && self.to_port == other.to_port
            && self.peer == other.peer
    }

    /// Whether the rule lets TCP through on a port.
    pub(super) fn covers(&self, port: u16) -> bool {
        let port = i64::from(port);
        match self.protocol.as_str() {
            "-1" => true,
            "tcp" => self.from_port <= port && port <= self.to_port,
            _ => false,
        }
    }
}

/// The other side of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// A security group.
    Group(String),
    /// An IPv4 block.
    Cidr(String),
    /// An IPv6 block.
    Cidr6(String),
    /// A prefix list.
    PrefixList(String),
}

/// A network interface.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Interface {
    /// What it belongs to, `db-proxy:prx-…` or `lambda:name`.
    pub owner: String,
    /// The description that AWS gives it.
    pub description: String,
    /// `interface`, `lambda`, …
    pub kind: String,
    /// The subnet.
    pub subnet_id: String,
    /// Security groups.
    pub groups: Vec<String>,
    /// Its address.
    pub address: String,
    /// When it goes, if its owner is gone.
    pub released: Option<Moment>,
}

/// A network ACL.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Acl {
    /// The VPC.
    pub vpc_id: String,
    /// Whether it is the VPC's default one.
    pub default: bool,
    /// The subnets that it stands before.
    pub subnets: Vec<String>,
    /// Its entries.
    pub entries: Vec<AclEntry>,
}

/// One entry of a network ACL.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AclEntry {
    /// Entries are read in the order of their numbers.
    pub number: u32,
    /// `-1`, `6` for TCP.
    pub protocol: String,
    /// Allow rather than deny.
    pub allow: bool,
    /// Egress rather than ingress.
    pub egress: bool,
    /// The block.
    pub cidr: String,
    /// First and last port, if it is limited.
    pub ports: Option<(u16, u16)>,
}

/// A route table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RouteTable {
    /// The VPC.
    pub vpc_id: String,
    /// Whether it is the VPC's main one.
    pub main: bool,
    /// The subnets that use it by name.
    pub subnets: Vec<String>,
    /// Destination block and target (`local`, `igw-…`, `nat-…`).
    pub routes: Vec<(String, String)>,
}
