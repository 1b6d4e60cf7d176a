//! EC2: the network around databases, proxies and functions.

mod acls;
mod answers;
mod dispatch;
mod filters;
mod groups;
mod interfaces;
mod needs;
mod network;
mod reach;
mod rules;
mod state;
mod tags;
mod types;

pub(super) use acls::acls_pass;
pub(super) use dispatch::{handle, mutating};
pub(super) use interfaces::{attach_interfaces, regroup_interfaces, release_interfaces, tick};
pub(super) use needs::needs;
pub(super) use network::free_addresses;
pub(super) use reach::reaches;
pub use state::{Acl, AclEntry, Ec2, Group, Interface, Peer, RouteTable, Rule, Subnet, Vpc};
