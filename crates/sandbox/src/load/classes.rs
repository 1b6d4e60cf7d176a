//! Instance types: memory and vCPUs (<https://aws.amazon.com/ec2/instance-types/>).

/// An EC2 instance type; a database class is one with `db.` before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    /// `t3.medium`.
    pub(crate) name: &'static str,
    /// MiB.
    pub(crate) memory: u32,
    /// Virtual processors.
    pub(crate) vcpus: u32,
}

const fn row(name: &'static str, gibibytes: u32, vcpus: u32) -> Type {
    Type { name, memory: gibibytes * 1024, vcpus }
}

/// The types that the account knows.
pub(crate) const TYPES: &[Type] = &[
    row("t3.micro", 1, 2),
    row("t3.small", 2, 2),
    row("t3.medium", 4, 2),
    row("t3.large", 8, 2),
    row("t3.xlarge", 16, 4),
    row("t3.2xlarge", 32, 8),
    row("t4g.micro", 1, 2),
    row("t4g.small", 2, 2),
    row("t4g.medium", 4, 2),
    row("t4g.large", 8, 2),
    row("t4g.xlarge", 16, 4),
    row("t4g.2xlarge", 32, 8),
    row("m5.large", 8, 2),
    row("m5.xlarge", 16, 4),
    row("m5.2xlarge", 32, 8),
    row("m5.4xlarge", 64, 16),
    row("m5.8xlarge", 128, 32),
    row("m6g.large", 8, 2),
    row("m6g.xlarge", 16, 4),
    row("m6g.2xlarge", 32, 8),
    row("m6g.4xlarge", 64, 16),
    row("m6g.8xlarge", 128, 32),
    row("r5.large", 16, 2),
    row("r5.xlarge", 32, 4),
    row("r5.2xlarge", 64, 8),
    row("r5.4xlarge", 128, 16),
    row("r5.8xlarge", 256, 32),
    row("r6g.large", 16, 2),
    row("r6g.xlarge", 32, 4),
    row("r6g.2xlarge", 64, 8),
    row("r6g.4xlarge", 128, 16),
    row("r6g.8xlarge", 256, 32),
    row("r7g.large", 16, 2),
    row("r7g.xlarge", 32, 4),
    row("r7g.2xlarge", 64, 8),
];

/// The type of a database class, if it is known.
pub(super) fn of_class(class: &str) -> Option<Type> {
    let name = class.strip_prefix("db.")?;
    TYPES.iter().find(|each| each.name == name).copied()
}

impl Type {
    /// `DBInstanceClassMemory`: what is left of the memory for the database, in bytes.
    ///
    /// AWS says that it is less than the class has, and no more. People measured about 630 connections on MySQL with 8
    /// GiB and 60 with 1 GiB, where the whole memory would give 683 and 85; a quarter of a GiB and 4.6 % off give
    /// both.
    pub(super) fn database_memory(self) -> f64 {
        (f64::from(self.memory) * 0.954 - 256.0) * 1024.0 * 1024.0
    }
}
