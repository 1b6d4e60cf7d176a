//! From the SDK's answers to our plain structs.

use aws_sdk_rds::types::{
    ConnectionPoolConfigurationInfo, DbCluster, DbInstance, DbProxy, DbProxyTarget, DbProxyTargetGroup, IamAuthMode,
    MasterUserSecret, Tag, TargetType, VpcSecurityGroupMembership,
};

use super::proxy::{EngineFamily, Pool, Proxy, ProxyAuth, Target, TargetGroup, TargetKind};
use super::{Cluster, Instance, MasterSecret, Member, Parameters};
use crate::Tags;

fn port(port: Option<i32>) -> Option<u16> {
    port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
}

fn master_secret(secret: Option<MasterUserSecret>) -> Option<MasterSecret> {
    let secret = secret?;
    Some(MasterSecret {
        arn: secret.secret_arn?,
        kms_key: secret.kms_key_id,
        status: secret.secret_status.unwrap_or_default(),
    })
}

fn groups(groups: Option<Vec<VpcSecurityGroupMembership>>) -> Vec<String> {
    groups.unwrap_or_default().into_iter().filter_map(|group| group.vpc_security_group_id).collect()
}

pub(super) fn instance(found: DbInstance) -> Option<Instance> {
    let (endpoint, own_port) = match found.endpoint {
        Some(endpoint) => (endpoint.address, port(endpoint.port)),
        None => (None, None),
    };
    let (vpc, subnets) = match found.db_subnet_group {
        Some(group) => (
            group.vpc_id,
            group.subnets.unwrap_or_default().into_iter().filter_map(|subnet| subnet.subnet_identifier).collect(),
        ),
        None => (None, Vec::new()),
    };
    let id = found.db_instance_identifier?;
    let parameters = found.db_parameter_groups.unwrap_or_default().into_iter().filter_map(|group| {
        Some(Parameters {
            group: group.db_parameter_group_name?,
            cluster: false,
            of: id.clone(),
            status: group.parameter_apply_status.unwrap_or_default(),
        })
    });
    let parameters = parameters.collect();
    Some(Instance {
        id,
        arn: found.db_instance_arn.unwrap_or_default(),
        engine: found.engine.unwrap_or_default(),
        version: found.engine_version.unwrap_or_default(),
        class: found.db_instance_class.unwrap_or_default(),
        status: found.db_instance_status.unwrap_or_default(),
        endpoint,
        port: own_port.or_else(|| port(found.db_instance_port)),
        vpc,
        subnets,
        security_groups: groups(found.vpc_security_groups),
        cluster: found.db_cluster_identifier,
        replica_of: found.read_replica_source_db_instance_identifier,
        master_user: found.master_username,
        master_secret: master_secret(found.master_user_secret),
        iam_authentication: found
            .pending_modified_values
            .and_then(|pending| pending.iam_database_authentication_enabled)
            .or(found.iam_database_authentication_enabled)
            .unwrap_or(false),
        resource_id: found.dbi_resource_id.unwrap_or_default(),
        tags: tags(found.tag_list),
        parameters,
        multi_az: found.multi_az,
        allocated_gib: found.allocated_storage.and_then(|gib| u64::try_from(gib).ok()),
    })
}

pub(super) fn tags(tags: Option<Vec<Tag>>) -> Tags {
    tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

/// A capacity in tenths of an ACU.
fn capacity(acus: Option<f64>) -> Option<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "capacities are small positive multiples of 0.5"
    )]
    acus.map(|acus| (acus * 10.0).round() as u32)
}

pub(super) fn cluster(found: DbCluster) -> Option<Cluster> {
    Some(Cluster {
        id: found.db_cluster_identifier?,
        arn: found.db_cluster_arn.unwrap_or_default(),
        engine: found.engine.unwrap_or_default(),
        version: found.engine_version.unwrap_or_default(),
        mode: found.engine_mode.unwrap_or_default(),
        status: found.status.unwrap_or_default(),
        endpoint: found.endpoint,
        reader_endpoint: found.reader_endpoint,
        custom_endpoints: found.custom_endpoints.unwrap_or_default(),
        port: port(found.port),
        security_groups: groups(found.vpc_security_groups),
        members: found
            .db_cluster_members
            .unwrap_or_default()
            .into_iter()
            .filter_map(|member| {
                let writer = member.is_cluster_writer.unwrap_or(false);
                Some(Member { instance: member.db_instance_identifier?, writer })
            })
            .collect(),
        replica_of: found.replication_source_identifier.filter(|source| !source.is_empty()),
        master_user: found.master_username,
        master_secret: master_secret(found.master_user_secret),
        iam_authentication: found
            .pending_modified_values
            .and_then(|pending| pending.iam_database_authentication_enabled)
            .or(found.iam_database_authentication_enabled)
            .unwrap_or(false),
        resource_id: found.db_cluster_resource_id.unwrap_or_default(),
        tags: tags(found.tag_list),
        parameter_group: found.db_cluster_parameter_group,
        io_optimized: found.storage_type.as_deref() == Some("aurora-iopt1"),
        data_api: found.http_endpoint_enabled.unwrap_or(false),
        serverless_floor: capacity(
            found.serverless_v2_scaling_configuration.as_ref().and_then(|scaling| scaling.min_capacity),
        ),
        serverless_ceiling: capacity(
            found.serverless_v2_scaling_configuration.and_then(|scaling| scaling.max_capacity),
        ),
    })
}

pub(super) fn proxy(found: DbProxy) -> Option<Proxy> {
    Some(Proxy {
        name: found.db_proxy_name?,
        arn: found.db_proxy_arn?,
        status: found.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        endpoint: found.endpoint.filter(|host| !host.is_empty()),
        family: found.engine_family.as_deref().and_then(EngineFamily::parse),
        vpc: found.vpc_id.unwrap_or_default(),
        subnets: found.vpc_subnet_ids.unwrap_or_default(),
        security_groups: found.vpc_security_group_ids.unwrap_or_default(),
        auth: found
            .auth
            .unwrap_or_default()
            .into_iter()
            .filter_map(|auth| {
                let mode = auth.iam_auth.as_ref().map(IamAuthMode::as_str);
                Some(ProxyAuth {
                    secret: auth.secret_arn?,
                    iam: mode == Some("REQUIRED"),
                    either: mode == Some("ENABLED"),
                    description: auth.description.filter(|text| !text.is_empty()),
                    client_password: auth.client_password_auth_type.map(|kind| kind.as_str().to_owned()),
                })
            })
            .collect(),
        network_type: found.endpoint_network_type.map_or_else(|| "IPV4".to_owned(), |kind| kind.as_str().to_owned()),
        iam_to_database: found.default_auth_scheme.as_deref() == Some("IAM_AUTH"),
        role: found.role_arn.unwrap_or_default(),
        require_tls: found.require_tls.unwrap_or(false),
        idle_client_timeout: found.idle_client_timeout,
        debug_logging: found.debug_logging.unwrap_or(false),
    })
}

pub(super) fn target_group(found: DbProxyTargetGroup) -> TargetGroup {
    let pool = found.connection_pool_config.map(pool).unwrap_or_default();
    TargetGroup { status: found.status.unwrap_or_default(), pool }
}

fn pool(config: ConnectionPoolConfigurationInfo) -> Pool {
    Pool {
        max_connections_percent: config.max_connections_percent,
        max_idle_connections_percent: config.max_idle_connections_percent,
        connection_borrow_timeout: config.connection_borrow_timeout,
        init_query: config.init_query.filter(|query| !query.is_empty()),
        session_pinning_filters: config.session_pinning_filters.filter(|filters| !filters.is_empty()),
    }
}

pub(super) fn target(found: DbProxyTarget) -> Target {
    let health = found.target_health;
    Target {
        kind: match found.r#type {
            Some(TargetType::RdsInstance) => TargetKind::Instance,
            Some(TargetType::TrackedCluster) => TargetKind::Cluster,
            _ => TargetKind::Other,
        },
        id: found.rds_resource_id.unwrap_or_default(),
        state: health.as_ref().and_then(|health| health.state.as_ref()).map(|state| state.as_str().to_owned()),
        reason: health.as_ref().and_then(|health| health.reason.as_ref()).map(|reason| reason.as_str().to_owned()),
        description: health.and_then(|health| health.description).filter(|text| !text.is_empty()),
        role: found.role.map(|role| role.as_str().to_owned()),
    }
}
