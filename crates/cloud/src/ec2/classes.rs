//! What instance types have: RDS names its classes after them, and has no call of its own for it.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::InstanceType;

use super::Ec2;
use crate::error::{Answer, refuse};

/// What an instance type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Its vCPUs.
    pub vcpus: u64,
    /// Its memory in bytes.
    pub memory: u64,
}

const MIB: u64 = 1024 * 1024;

impl Ec2 {
    /// Reads instance types, by name; those that EC2 does not describe are left out.
    ///
    /// # Errors
    /// When AWS refuses: for all of them, where it does not know one.
    pub async fn sizes(&self, types: &[String]) -> Answer<BTreeMap<String, Size>> {
        let types = types.iter().map(|name| InstanceType::from(name.as_str())).collect();
        let call = self.client.describe_instance_types().set_instance_types(Some(types)).send().await;
        let answer = call.map_err(|error| refuse("ec2:DescribeInstanceTypes", &error))?;
        let size = |found: aws_sdk_ec2::types::InstanceTypeInfo| {
            let vcpus = u64::try_from(found.v_cpu_info?.default_v_cpus?).ok()?;
            let memory = u64::try_from(found.memory_info?.size_in_mib?).ok()?.checked_mul(MIB)?;
            Some((found.instance_type?.as_str().to_owned(), Size { vcpus, memory }))
        };
        Ok(answer.instance_types.unwrap_or_default().into_iter().filter_map(size).collect())
    }
}
