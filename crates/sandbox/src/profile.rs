//! How long AWS takes: every duration of the world, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The durations of one AWS account on one kind of day.
///
/// The three ready-made profiles carry figures from public logs and write-ups; `docs/aws-facts.md`
/// names them. Zero is allowed everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// From a request to its answer.
    pub api_latency: Duration,
    /// From `CreateDBProxy` to `available`.
    pub proxy_create: Duration,
    /// From `ModifyDBProxy` to `available` again.
    pub proxy_modify: Duration,
    /// From `DeleteDBProxy` to `DBProxyNotFoundFault`.
    pub proxy_delete: Duration,
    /// How long `Endpoint` is absent from a new proxy's description.
    pub endpoint_visible: Duration,
    /// From registration (or the proxy's `available`, whichever is later) to the end of `PENDING_PROXY_CAPACITY`.
    pub target_capacity: Duration,
    /// How long a target stays `REGISTERING`.
    pub target_registering: Duration,
    /// From the fixing of a target's cause of trouble to the health that shows it.
    pub target_recovery: Duration,
    /// How long network interfaces outlive the proxy or function that they belonged to.
    pub interface_release: Duration,
    /// From a change of a policy to its effect.
    pub iam_propagation: Duration,
    /// From `CreateRole` to the moment a service can assume the role.
    pub role_assumable: Duration,
    /// From `UpdateFunctionConfiguration` to `LastUpdateStatus` `Successful`.
    pub lambda_update: Duration,
    /// From `PublishVersion` to the version's `Active`.
    pub lambda_publish: Duration,
    /// The same for a version that is started from a snapshot.
    pub lambda_snapshot: Duration,
    /// From the move of an alias that has provisioned concurrency to the end of the weight that its former version
    /// keeps. Terraform's provider waits for that (<https://github.com/hashicorp/terraform-provider-aws/pull/48116>); nobody has
    /// published a figure.
    #[serde(default = "lambda_provisioned")]
    pub lambda_provisioned: Duration,
    /// From `CreateDBProxyEndpoint` to `available`.
    pub endpoint_create: Duration,
    /// From `DeleteDBProxyEndpoint` to its being gone.
    pub endpoint_delete: Duration,
    /// From `ModifyDBInstance` or `ModifyDBCluster` to `available` again.
    pub database_modify: Duration,
    /// From the creation of a role or policy to the moment at which its tags count in conditions. Nobody has published
    /// a figure, so it is zero unless a test asks for one.
    #[serde(default)]
    pub tag_conditions: Duration,
    /// From a proxy's `available` to the first line in its log, and from the deletion of its log group to the next
    /// line. Nobody has published a figure.
    #[serde(default = "first_log")]
    pub proxy_log: Duration,
    /// From the end of a minute to the moment at which CloudWatch shows what happened in it.
    #[serde(default = "metric_lag")]
    pub metric_lag: Duration,
}

/// Metrics of AWS services come a minute or some minutes late.
fn metric_lag() -> Duration {
    seconds(120)
}

fn lambda_provisioned() -> Duration {
    seconds(90)
}

fn first_log() -> Duration {
    seconds(60)
}

impl Profile {
    /// A quick day: the short end of what people saw.
    #[must_use]
    pub fn fast() -> Self {
        Self {
            api_latency: Duration::from_millis(100),
            proxy_create: seconds(180),
            proxy_modify: seconds(20),
            proxy_delete: seconds(60),
            endpoint_visible: Duration::ZERO,
            target_capacity: seconds(60),
            target_registering: seconds(5),
            target_recovery: seconds(30),
            interface_release: Duration::ZERO,
            iam_propagation: seconds(2),
            role_assumable: seconds(2),
            lambda_update: seconds(1),
            lambda_publish: seconds(1),
            lambda_snapshot: seconds(60),
            lambda_provisioned: seconds(30),
            endpoint_create: seconds(60),
            endpoint_delete: seconds(30),
            database_modify: seconds(30),
            tag_conditions: Duration::ZERO,
            proxy_log: seconds(30),
            metric_lag: seconds(60),
        }
    }

    /// The usual day.
    #[must_use]
    pub fn median() -> Self {
        Self {
            api_latency: Duration::from_millis(250),
            proxy_create: seconds(300),
            proxy_modify: seconds(60),
            proxy_delete: seconds(300),
            endpoint_visible: Duration::ZERO,
            target_capacity: seconds(240),
            target_registering: seconds(10),
            target_recovery: seconds(60),
            interface_release: seconds(60),
            iam_propagation: seconds(8),
            role_assumable: seconds(8),
            lambda_update: seconds(3),
            lambda_publish: seconds(3),
            lambda_snapshot: seconds(120),
            lambda_provisioned: lambda_provisioned(),
            endpoint_create: seconds(180),
            endpoint_delete: seconds(120),
            database_modify: seconds(120),
            tag_conditions: Duration::ZERO,
            proxy_log: seconds(60),
            metric_lag: seconds(120),
        }
    }

    /// A bad day: the long end of what people saw and still got through.
    #[must_use]
    pub fn slow() -> Self {
        Self {
            api_latency: Duration::from_millis(800),
            proxy_create: seconds(900),
            proxy_modify: seconds(300),
            proxy_delete: seconds(1800),
            endpoint_visible: seconds(10),
            target_capacity: seconds(600),
            target_registering: seconds(30),
            target_recovery: seconds(120),
            interface_release: seconds(1200),
            iam_propagation: seconds(47),
            role_assumable: seconds(47),
            lambda_update: seconds(10),
            lambda_publish: seconds(10),
            lambda_snapshot: seconds(300),
            lambda_provisioned: seconds(300),
            endpoint_create: seconds(600),
            endpoint_delete: seconds(600),
            database_modify: seconds(600),
            tag_conditions: Duration::ZERO,
            proxy_log: seconds(300),
            metric_lag: seconds(180),
        }
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Default for Profile {
    fn default() -> Self {
        Self::median()
    }
}
