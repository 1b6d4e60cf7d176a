//! An AWS account that runs inside the program.
//!
//! `--sandbox` points the product's own SDK clients at [`World::handle`], one function from a signed
//! HTTP request to an HTTP response. Behind the real wire protocols stands a state machine, not
//! canned answers: resources take time to come and go, target health is computed from the account's
//! actual state, and every call is checked against the caller's IAM policies.
//!
//! The same function is mounted three times: in process under virtual time (tests), in process over
//! one file (`--sandbox`), and on a loopback port (`sandbox serve`) for any other AWS client.
//!
//! Nothing here knows the product: the room depends on std, http and serde alone.

mod account;
mod conditions;
mod connector;
mod dial;
mod ec2;
mod fault;
mod health;
mod iam;
mod input;
mod kms;
mod lambda;
mod limits;
mod load;
mod logs;
mod monitoring;
mod newcomer;
mod page;
mod policy;
mod pricing;
mod profile;
mod quotas;
mod rds;
mod secrets;
mod serve;
mod store;
mod sts;
#[cfg(test)]
mod tests;
mod wire;
mod world;

/// The things of an account, for those who set one up or change one by hand.
pub mod parts {
    pub use super::ec2::{Acl, AclEntry, Ec2, Group, Interface, Peer, RouteTable, Rule, Subnet, Vpc};
    pub use super::iam::{Iam, InForce, Policy, Role, Version};
    pub use super::kms::{Key, Kms};
    pub use super::lambda::{
        Alias, Configuration, Function, KeyGrants, Lambda, Mapping, State, Update, Vpc as FunctionVpc,
    };
    pub use super::logs::{LogGroup, Logs};
    pub use super::monitoring::{Alarm, Dashboard, Monitoring};
    pub use super::rds::{
        Auth, Cluster, CustomEndpoint, Endpoint, Event, IamChange, Instance, Proxy, Rds, Status, SubnetGroup, Target,
        TargetGroup, Trouble as TargetTrouble,
    };
    pub use super::secrets::{Deletion, Secret, SecretVersion, Secrets};
}

pub use account::{AwsError, Call, Handled, Logged, Moment, Need, Principal, Reply, Request, Response, Service, World};
pub use connector::{Account, InMemory, Wait, mount, mount_on};
pub use fault::{Fault, Trigger, Trouble};
pub use iam::{Organization, Simulator};
pub use limits::Limits;
pub use load::{AtProxy, Change, Load, Loads, Preset, Rate};
pub use profile::Profile;
pub use serve::serve;
pub use store::Store;
pub use world::Asked;
