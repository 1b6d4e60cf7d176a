//! What a diagnosis looks at, and nothing else does: VPCs and their routes.

use aws_sdk_ec2::types::{RouteState, RouteTable as SdkTable, VpcEncryptionControlMode};

use super::{Ec2, filter};
use crate::error::{Answer, refuse};
use crate::pages::capped;

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// `vpc-…`.
    pub id: String,
    /// Its IPv4 blocks.
    pub cidrs: Vec<String>,
    /// Whether instances in it are on dedicated hardware.
    pub dedicated: bool,
    /// Whether its encryption control is in enforce mode.
    pub enforces_encryption: bool,
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// `rtb-…`.
    pub id: String,
    /// Whether it holds for the subnets of its VPC that have none of their own.
    pub main: bool,
    /// The subnets that are bound to it.
    pub subnets: Vec<String>,
    /// Its routes.
    pub routes: Vec<Route>,
}

/// A route to an IPv4 block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The block.
    pub cidr: String,
    /// What it leads to; `local` within the VPC.
    pub to: String,
    /// Whether what it leads to is gone.
    pub blackhole: bool,
}

impl Ec2 {
    /// Reads a VPC, by id.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn vpc(&self, id: &str) -> Answer<Option<Vpc>> {
        let call = self.client.describe_vpcs().vpc_ids(id).send().await;
        let answer = call.map_err(|error| refuse("ec2:DescribeVpcs", &error))?;
        Ok(answer.vpcs.unwrap_or_default().into_iter().find_map(plain_vpc))
    }

    /// Lists the route tables of a VPC.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn routes_of_vpc(&self, vpc: &str) -> Answer<Vec<RouteTable>> {
        let mut tables = Vec::new();
        let mut pages =
            capped(self.client.describe_route_tables().filters(filter("vpc-id", vpc)).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("ec2:DescribeRouteTables", &error))?;
            tables.extend(page.route_tables.unwrap_or_default().into_iter().filter_map(plain_table));
        }
        Ok(tables)
    }
}

fn plain_vpc(vpc: aws_sdk_ec2::types::Vpc) -> Option<Vpc> {
    let more = vpc.cidr_block_association_set.unwrap_or_default().into_iter().filter_map(|block| block.cidr_block);
    let mut cidrs: Vec<String> = vpc.cidr_block.into_iter().chain(more).collect();
    cidrs.dedup();
    Some(Vpc {
        id: vpc.vpc_id?,
        cidrs,
        dedicated: vpc.instance_tenancy.is_some_and(|tenancy| tenancy.as_str() == "dedicated"),
        enforces_encryption: vpc
            .encryption_control
            .and_then(|control| control.mode)
            .is_some_and(|mode| mode == VpcEncryptionControlMode::Enforce),
    })
}

fn plain_table(table: SdkTable) -> Option<RouteTable> {
    let associations = table.associations.unwrap_or_default();
    let route = |route: aws_sdk_ec2::types::Route| {
        let ways = [
            route.gateway_id,
            route.nat_gateway_id,
            route.transit_gateway_id,
            route.vpc_peering_connection_id,
            route.network_interface_id,
            route.instance_id,
            route.core_network_arn,
            route.local_gateway_id,
            route.carrier_gateway_id,
        ];
        Some(Route {
            cidr: route.destination_cidr_block?,
            to: ways.into_iter().flatten().next().unwrap_or_default(),
            blackhole: route.state == Some(RouteState::Blackhole),
        })
    };
    Some(RouteTable {
        id: table.route_table_id?,
        main: associations.iter().any(|association| association.main == Some(true)),
        subnets: associations.into_iter().filter_map(|association| association.subnet_id).collect(),
        routes: table.routes.unwrap_or_default().into_iter().filter_map(route).collect(),
    })
}
