//! Names that differ between the wire and the models.

use crate::account::Service;

/// The model's name of a list of EC2's, from the name on the wire.
pub(super) fn ec2_member(wire: &str) -> &str {
    match wire {
        "Filter" => "Filters",
        "Value" => "Values",
        "Tag" => "Tags",
        "TagSpecification" => "TagSpecifications",
        "Groups" => "UserIdGroupPairs",
        "GroupId" => "GroupIds",
        "GroupName" => "GroupNames",
        "SecurityGroupRuleId" => "SecurityGroupRuleIds",
        "SubnetId" => "SubnetIds",
        "VpcId" => "VpcIds",
        "NetworkInterfaceId" => "NetworkInterfaceIds",
        "NetworkAclId" => "NetworkAclIds",
        "RouteTableId" => "RouteTableIds",
        "InstanceType" => "InstanceTypes",
        "ResourceId" => "Resources",
        "SecurityGroupRule" => "SecurityGroupRules",
        same => same,
    }
}

/// The element around each item of a list in an answer of the Query protocol.
pub(super) fn item(service: Service, list: &str) -> &str {
    if service != Service::Rds {
        return "member";
    }
    match list {
        "DBInstances" => "DBInstance",
        "DBClusters" => "DBCluster",
        "DBSubnetGroups" => "DBSubnetGroup",
        "DBSecurityGroups" => "DBSecurityGroup",
        "VpcSecurityGroups" => "VpcSecurityGroupMembership",
        "DBParameterGroups" => "DBParameterGroup",
        "DBClusterMembers" => "DBClusterMember",
        // The model calls the items so, like a list.
        "DBClusterEndpoints" => "DBClusterEndpointList",
        "Subnets" => "Subnet",
        "AvailabilityZones" => "AvailabilityZone",
        "ReadReplicaDBInstanceIdentifiers" => "ReadReplicaDBInstanceIdentifier",
        "ReadReplicaDBClusterIdentifiers" => "ReadReplicaDBClusterIdentifier",
        "ReadReplicaIdentifiers" => "ReadReplicaIdentifier",
        "OptionGroupMemberships" => "OptionGroupMembership",
        "TagList" => "Tag",
        "Events" => "Event",
        "EventCategories" => "EventCategory",
        "Parameters" => "Parameter",
        _ => "member",
    }
}

/// Whether the Query protocol has an element around the output of an operation that answers nothing.
pub(super) fn empty_result(service: Service, action: &str) -> bool {
    // Of the operations spoken here, these alone have an output without members; the others have no output.
    match service {
        Service::Monitoring => matches!(action, "TagResource" | "DeleteDashboards" | "UntagResource"),
        _ => action == "DeregisterDBProxyTargets",
    }
}

/// The XML namespace of a Query service.
pub(super) fn namespace(service: Service) -> &'static str {
    match service {
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Monitoring => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
        _ => "http://rds.amazonaws.com/doc/2014-10-31/",
    }
}

/// Whether IAM answers a member as a percent-encoded policy document.
pub(super) fn encoded_document(service: Service, member: &str) -> bool {
    service == Service::Iam && matches!(member, "AssumeRolePolicyDocument" | "PolicyDocument" | "Document")
}
