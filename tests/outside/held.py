"""An account as the AWS provider reads it: the arguments of each resource type, found by its import ID alone.

Written after the provider's documentation (https://registry.terraform.io/providers/hashicorp/aws/latest/docs), and with boto3: nothing of it
comes from the program under test.
"""

import json
from urllib.parse import unquote

from account import client


def tags(rows):
    return {row["Key"]: row["Value"] for row in rows or []}


def document(value):
    """A policy as `jsonencode` writes it."""
    value = json.loads(unquote(value)) if isinstance(value, str) else value
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class Account:
    """What is there, by import ID."""

    def __init__(self, url):
        self.rds, self.iam, self.ec2, self.secrets, self.logs = (client(service, url) for service in ("rds", "iam", "ec2", "secretsmanager", "logs"))

    def tagged(self, arn):
        found = tags(self.rds.list_tags_for_resource(ResourceName=arn)["TagList"])
        return {"tags": found, "tags_all": found}

    def aws_db_proxy(self, name):
        row = self.rds.describe_db_proxies(DBProxyName=name)["DBProxies"][0]
        auth = [
            {
                "auth_scheme": one["AuthScheme"], "iam_auth": one["IAMAuth"], "secret_arn": one["SecretArn"],
                "description": one.get("Description") or None, "client_password_auth_type": one.get("ClientPasswordAuthType"),
            }
            for one in row.get("Auth", [])
        ]
        return {
            "name": row["DBProxyName"], "arn": row["DBProxyArn"], "endpoint": row["Endpoint"], "engine_family": row["EngineFamily"], "auth": auth,
            "role_arn": row["RoleArn"], "vpc_subnet_ids": row["VpcSubnetIds"], "vpc_security_group_ids": row["VpcSecurityGroupIds"],
            "require_tls": row["RequireTLS"], "debug_logging": row["DebugLogging"], "idle_client_timeout": row["IdleClientTimeout"],
            "default_auth_scheme": row.get("DefaultAuthScheme"), "endpoint_network_type": row.get("EndpointNetworkType"),
        } | self.tagged(row["DBProxyArn"])

    def aws_db_proxy_default_target_group(self, name):
        row = self.rds.describe_db_proxy_target_groups(DBProxyName=name)["TargetGroups"][0]
        pool = row["ConnectionPoolConfig"]
        return {
            "db_proxy_name": row["DBProxyName"], "name": row["TargetGroupName"], "arn": row["TargetGroupArn"],
            "connection_pool_config": [{
                "max_connections_percent": pool["MaxConnectionsPercent"], "max_idle_connections_percent": pool["MaxIdleConnectionsPercent"],
                "connection_borrow_timeout": pool["ConnectionBorrowTimeout"], "init_query": pool.get("InitQuery") or None,
                "session_pinning_filters": pool.get("SessionPinningFilters") or None,
            }],
        }

    def aws_db_proxy_target(self, identifier):
        proxy, group, kind, database = identifier.split("/")
        rows = self.rds.describe_db_proxy_targets(DBProxyName=proxy, TargetGroupName=group)["Targets"]
        row = next(row for row in rows if row["Type"] == kind and row["RdsResourceId"] == database)
        key = "db_cluster_identifier" if kind == "TRACKED_CLUSTER" else "db_instance_identifier"
        return {"db_proxy_name": proxy, "target_group_name": group, key: row["RdsResourceId"]}

    def aws_db_proxy_endpoint(self, identifier):
        proxy, name = identifier.split("/")
        row = self.rds.describe_db_proxy_endpoints(DBProxyName=proxy, DBProxyEndpointName=name)["DBProxyEndpoints"][0]
        return {
            "db_proxy_name": row["DBProxyName"], "db_proxy_endpoint_name": row["DBProxyEndpointName"], "target_role": row["TargetRole"],
            "vpc_subnet_ids": row["VpcSubnetIds"], "vpc_security_group_ids": row["VpcSecurityGroupIds"], "arn": row["DBProxyEndpointArn"],
            "endpoint": row["Endpoint"],
        } | self.tagged(row["DBProxyEndpointArn"])

    def aws_cloudwatch_log_group(self, name):
        row = next(row for row in self.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] if row["logGroupName"] == name)
        found = self.logs.list_tags_for_resource(resourceArn=row["arn"].removesuffix(":*"))["tags"]
        return {"name": name, "retention_in_days": row.get("retentionInDays"), "tags": found, "tags_all": found}

    def aws_iam_role(self, name):
        row = self.iam.get_role(RoleName=name)["Role"]
        found = tags(row.get("Tags"))
        return {
            "name": row["RoleName"], "path": row["Path"], "arn": row["Arn"], "description": row.get("Description"), "tags": found, "tags_all": found,
            "assume_role_policy": document(row["AssumeRolePolicyDocument"]),
            "permissions_boundary": row.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        }

    def aws_iam_role_policy(self, identifier):
        role, name = identifier.split(":")
        row = self.iam.get_role_policy(RoleName=role, PolicyName=name)
        return {"role": row["RoleName"], "name": row["PolicyName"], "policy": document(row["PolicyDocument"])}

    def aws_iam_policy(self, arn):
        row = self.iam.get_policy(PolicyArn=arn)["Policy"]
        version = self.iam.get_policy_version(PolicyArn=arn, VersionId=row["DefaultVersionId"])["PolicyVersion"]
        found = tags(row.get("Tags"))
        return {
            "name": row["PolicyName"], "path": row["Path"], "arn": arn, "description": row.get("Description"), "policy": document(version["Document"]),
            "tags": found, "tags_all": found,
        }

    def aws_iam_role_policy_attachment(self, identifier):
        role, arn = identifier.split("/", 1)
        attached = self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {"role": role, "policy_arn": next(row["PolicyArn"] for row in attached if row["PolicyArn"] == arn)}

    def aws_secretsmanager_secret(self, arn):
        row = self.secrets.describe_secret(SecretId=arn)
        found = tags(row.get("Tags"))
        return {"name": row["Name"], "arn": row["ARN"], "description": row.get("Description"), "kms_key_id": row.get("KmsKeyId"), "tags": found, "tags_all": found}

    def aws_security_group(self, identifier):
        row = self.ec2.describe_security_groups(GroupIds=[identifier])["SecurityGroups"][0]
        found = tags(row.get("Tags"))
        return {"name": row["GroupName"], "description": row["Description"], "vpc_id": row["VpcId"], "tags": found, "tags_all": found}

    def rule(self, identifier, egress):
        row = self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[identifier])["SecurityGroupRules"][0]
        if row["IsEgress"] != egress:
            raise KeyError(f"{identifier} is the other way")
        found, every = tags(row.get("Tags")), row["IpProtocol"] == "-1"
        return {
            "security_group_id": row["GroupId"], "ip_protocol": row["IpProtocol"], "from_port": None if every else row["FromPort"],
            "to_port": None if every else row["ToPort"], "description": row.get("Description") or None, "cidr_ipv4": row.get("CidrIpv4"),
            "referenced_security_group_id": row.get("ReferencedGroupInfo", {}).get("GroupId"), "tags": found or None, "tags_all": found,
        }

    def aws_vpc_security_group_ingress_rule(self, identifier):
        return self.rule(identifier, False)

    def aws_vpc_security_group_egress_rule(self, identifier):
        return self.rule(identifier, True)

    def data_aws_db_instance(self, asked):
        row = self.rds.describe_db_instances(DBInstanceIdentifier=asked["db_instance_identifier"])["DBInstances"][0]
        return {"db_instance_identifier": row["DBInstanceIdentifier"]}

    def data_aws_rds_cluster(self, asked):
        row = self.rds.describe_db_clusters(DBClusterIdentifier=asked["cluster_identifier"])["DBClusters"][0]
        return {"cluster_identifier": row["DBClusterIdentifier"]}

    def data_aws_security_group(self, asked):
        row = self.ec2.describe_security_groups(GroupIds=[asked["id"]])["SecurityGroups"][0]
        return {"id": row["GroupId"], "name": row["GroupName"]}

    def data_aws_iam_role(self, asked):
        row = self.iam.get_role(RoleName=asked["name"])["Role"]
        return {"name": row["RoleName"], "arn": row["Arn"]}

    def data_aws_secretsmanager_secret(self, asked):
        row = self.secrets.describe_secret(SecretId=asked["arn"])
        return {"arn": row["ARN"], "name": row["Name"]}
