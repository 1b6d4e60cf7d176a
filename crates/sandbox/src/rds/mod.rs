//! RDS: databases to be looked at, proxies to be made.

mod answers;
mod checks;
mod create;
mod databases;
mod dispatch;
mod endpoints;
mod needs;
mod parameters;
mod pool;
mod proxies;
mod state;
mod tags;
pub(super) mod targets;

use answers::paged;
pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
use state::record;
pub(super) use state::tick;
pub use state::{
    Auth, Cluster, CustomEndpoint, Endpoint, Event, IamChange, Instance, Proxy, Rds, Status, SubnetGroup, Target,
    TargetGroup, Trouble,
};
