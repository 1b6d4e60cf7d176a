//! Further endpoints of a proxy.

use aws_sdk_rds::types::{DbProxyEndpoint, DbProxyEndpointTargetRole, Tag};

use super::Rds;
use crate::Tags;
use crate::error::{Answer, Kind, Refusal, refuse};
use crate::pages::capped;

/// An endpoint of a proxy besides its default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// `creating`, `available`, …
    pub status: String,
    /// The host name, once there is one.
    pub host: Option<String>,
    /// Whether it leads to readers alone.
    pub read_only: bool,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
}

/// A read-only endpoint to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// The proxy's name.
    pub proxy: String,
    /// The name.
    pub name: String,
    /// Subnets of two zones at least.
    pub subnets: Vec<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Tags.
    pub tags: Tags,
}

impl Rds {
    /// Lists a proxy's endpoints, without its default one.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is no such proxy.
    pub async fn endpoints(&self, proxy: &str) -> Answer<Vec<Endpoint>> {
        const CALL: &str = "rds:DescribeDBProxyEndpoints";
        let mut found = Vec::new();
        let mut pages = capped(self.client.describe_db_proxy_endpoints().db_proxy_name(proxy).into_paginator().send());
        while let Some(page) = pages.next().await {
            match page.map_err(|error| refuse(CALL, &error)) {
                Ok(page) => found.extend(page.db_proxy_endpoints.unwrap_or_default().into_iter().filter_map(plain)),
                Err(refusal) if refusal.kind == Kind::NotFound => return Ok(Vec::new()),
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(found)
    }

    /// Creates a read-only endpoint; it takes minutes to become available.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the name is taken, [`Kind::NotYet`] while the proxy is on its way, or when AWS refuses
    /// otherwise.
    pub async fn create_reader(&self, wanted: &NewEndpoint) -> Answer<Endpoint> {
        const CALL: &str = "rds:CreateDBProxyEndpoint";
        let tags = wanted.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = self
            .client
            .create_db_proxy_endpoint()
            .db_proxy_name(&wanted.proxy)
            .db_proxy_endpoint_name(&wanted.name)
            .target_role(DbProxyEndpointTargetRole::ReadOnly)
            .set_vpc_subnet_ids(Some(wanted.subnets.clone()))
            .set_vpc_security_group_ids(Some(wanted.security_groups.clone()))
            .set_tags(Some(tags));
        let answer = call.send().await.map_err(|error| refuse(CALL, &error))?;
        answer.db_proxy_endpoint.and_then(plain).ok_or_else(|| Refusal::incomplete(CALL, "the endpoint's name or ARN"))
    }

    /// Deletes an endpoint; one that is gone already is fine.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while it is being made, or when AWS refuses otherwise.
    pub async fn delete_endpoint(&self, name: &str) -> Answer<()> {
        let call = self.client.delete_db_proxy_endpoint().db_proxy_endpoint_name(name).send().await;
        match call.map(drop).map_err(|error| refuse("rds:DeleteDBProxyEndpoint", &error)) {
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(()),
            answer => answer,
        }
    }
}

fn plain(found: DbProxyEndpoint) -> Option<Endpoint> {
    if found.is_default.unwrap_or(false) {
        return None;
    }
    Some(Endpoint {
        name: found.db_proxy_endpoint_name?,
        arn: found.db_proxy_endpoint_arn?,
        status: found.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        host: found.endpoint.filter(|host| !host.is_empty()),
        read_only: found.target_role == Some(DbProxyEndpointTargetRole::ReadOnly),
        subnets: found.vpc_subnet_ids.unwrap_or_default(),
        security_groups: found.vpc_security_group_ids.unwrap_or_default(),
    })
}
