"""What a run may leave in an account: found by name and by tag, with no file of the run, and deleted.

Everything that a run creates has a name that begins with its prefix, or stands under an IAM path that contains it, or is in its VPC.
"""

import time
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from kit.account import TAG, code
from kit.clock import wait_until
from kit.evidence import DESCRIBED
from kit.stack import Stack

PREFIX = "rdsproxy-live-"
OURS = "/rdsproxy-live/"
TOOL = "/rdsproxy-setup/"
PROBES = "rdsproxy-setup-probe-"
LOGS = ("/aws/lambda/", "/aws/rds/proxy/", "/aws/rds/instance/", "/aws/rds/cluster/")


@dataclass(frozen=True)
class Left:
    """One thing that is there."""

    kind: str
    name: str

    def __str__(self):
        return f"{self.kind} {self.name}"


@dataclass
class Found:
    """What was found, what could not be listed, and what was looked for."""

    rows: list = field(default_factory=list)
    unknown: list = field(default_factory=list)
    looked: list = field(default_factory=list)
    scheduled: list = field(default_factory=list)

    @property
    def nothing(self):
        return not self.rows and not self.unknown


def proxies(account, prefix):
    return [row["DBProxyName"] for row in account.all("rds", "describe_db_proxies", "DBProxies") if row["DBProxyName"].startswith(prefix)]


def instances(account, prefix):
    return [row["DBInstanceIdentifier"] for row in account.all("rds", "describe_db_instances", "DBInstances") if row["DBInstanceIdentifier"].startswith(prefix)]


def clusters(account, prefix):
    return [row["DBClusterIdentifier"] for row in account.all("rds", "describe_db_clusters", "DBClusters") if row["DBClusterIdentifier"].startswith(prefix)]


def snapshots(account, prefix):
    return [row["DBSnapshotIdentifier"] for row in account.all("rds", "describe_db_snapshots", "DBSnapshots") if row["DBInstanceIdentifier"].startswith(prefix)]


def subnet_groups(account, prefix):
    return [row["DBSubnetGroupName"] for row in account.all("rds", "describe_db_subnet_groups", "DBSubnetGroups") if row["DBSubnetGroupName"].startswith(prefix)]


def functions(account, prefix):
    return [row["FunctionName"] for row in account.all("lambda", "list_functions", "Functions") if row["FunctionName"].startswith(prefix)]


def probes(account, prefix):
    """Temporary functions of the tool, for a database of ours by their tag."""
    client, found = account.client("lambda"), []
    for row in account.all("lambda", "list_functions", "Functions"):
        if row["FunctionName"].startswith(PROBES):
            try:
                held = client.list_tags(Resource=row["FunctionArn"])["Tags"]
            except ClientError as error:
                if code(error) == "ResourceNotFoundException":
                    continue  # of another stack, and gone a moment ago
                raise
            if any(value.startswith(prefix) for key, value in held.items() if key.startswith("rdsproxy-setup")):
                found.append(row["FunctionName"])
    return found


def named(row, name, prefix):
    inside = row["Path"].removeprefix(OURS) if row["Path"].startswith(OURS) else row["Path"].removeprefix(TOOL).partition("/")[2] if row["Path"].startswith(TOOL) else ""
    return name.startswith(prefix) or inside.startswith(prefix)


def roles(account, prefix):
    return [row["RoleName"] for row in account.all("iam", "list_roles", "Roles") if named(row, row["RoleName"], prefix)]


def policies(account, prefix):
    return [row["Arn"] for row in account.all("iam", "list_policies", "Policies", Scope="Local") if named(row, row["PolicyName"], prefix)]


def of_vpc(row, prefix):
    return any(tag["Key"] == TAG and f"{PREFIX}{tag['Value']}".startswith(prefix) or tag["Key"] == "Name" and tag["Value"].startswith(prefix) for tag in row.get("Tags", []))


def vpcs(account, prefix):
    return [row["VpcId"] for row in account.all("ec2", "describe_vpcs", "Vpcs") if of_vpc(row, prefix)]


def group_rows(account, prefix):
    ours = set(vpcs(account, prefix))
    rows = account.all("ec2", "describe_security_groups", "SecurityGroups")
    return [row for row in rows if row["GroupName"] != "default" and (row["GroupName"].startswith(prefix) or row.get("VpcId") in ours)]


def groups(account, prefix):
    return [row["GroupId"] for row in group_rows(account, prefix)]


def interfaces(account, prefix):
    ours = set(vpcs(account, prefix))
    rows = account.all("ec2", "describe_network_interfaces", "NetworkInterfaces")
    return [row["NetworkInterfaceId"] for row in rows if row.get("VpcId") in ours or row.get("Description", "").startswith((prefix, f"{DESCRIBED}{prefix}"))]


def secrets(account, prefix):
    return [row["Name"] for row in account.all("secretsmanager", "list_secrets", "SecretList") if row["Name"].startswith(prefix)]


def log_groups(account, prefix):
    return [row["logGroupName"] for start in LOGS for row in account.all("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=f"{start}{prefix}")]


def stacks(account, prefix):
    rows = account.all("cloudformation", "describe_stacks", "Stacks")
    return [row["StackName"] for row in rows if row["StackName"].startswith(prefix) and row["StackStatus"] != "DELETE_COMPLETE"]


def tagged(account, prefix):
    """What AWS's index of tags has. It lags behind, so what was deleted a moment ago may still be in it."""
    rows = account.all("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=[{"Key": TAG}])
    return [row["ResourceARN"] for row in rows if any(tag["Key"] == TAG and f"{PREFIX}{tag['Value']}".startswith(prefix) for tag in row["Tags"])]


EVERYTHING = {
    "stack": stacks, "proxy": proxies, "database": instances, "cluster": clusters, "snapshot": snapshots, "subnet group": subnet_groups, "function": functions,
    "temporary function": probes, "role": roles, "policy": policies, "network interface": interfaces, "security group": groups, "VPC": vpcs, "secret": secrets,
    "log group": log_groups,
}


def looked_for(account, prefix, kinds):
    found = Found()
    for kind, listed in kinds.items():
        try:
            found.rows += [Left(kind, name) for name in listed(account, prefix)]
            found.looked.append(kind)
        except (BotoCoreError, ClientError) as error:
            if not account.lacking(error):
                found.unknown.append(f"{kind}: {code(error)}")
    return found


def everything(account, prefix):
    """All that is there by name, and what only the index of tags still has."""
    found = looked_for(account, prefix, EVERYTHING)
    try:
        names = {row.name for row in found.rows}
        for arn in tagged(account, prefix):
            if not any(name in arn for name in names):
                found.scheduled.append(f"{arn}, by its tag alone")
        found.looked.append("tag")
    except (BotoCoreError, ClientError) as error:
        if not account.lacking(error):
            found.unknown.append(f"tag: {code(error)}")
    return found


def of_proxies(account, identifier, vpc):
    """What the tool creates for a database, after its teardown. The log group that RDS creates is no part of it."""

    def ours(account, prefix):
        rows = account.all("ec2", "describe_security_groups", "SecurityGroups", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        return [row["GroupId"] for row in rows if row["GroupName"].startswith(f"{prefix}-proxy")]

    def described(account, prefix):
        rows = account.all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        return [row["NetworkInterfaceId"] for row in rows if row.get("Description", "").startswith(f"{DESCRIBED}{prefix}")]

    def remembered(account, prefix):
        """Tags of the tool on the database."""
        row = account.client("rds").describe_db_instances(DBInstanceIdentifier=prefix)["DBInstances"][0]
        held = account.client("rds").list_tags_for_resource(ResourceName=row["DBInstanceArn"])["TagList"]
        return [tag["Key"] for tag in held if tag["Key"].startswith("rdsproxy-setup")]

    def by_the_tool(listed):
        return lambda account, prefix: [name for name in listed(account, f"{prefix}-proxy")]

    kinds = {
        "proxy": by_the_tool(proxies), "role": by_the_tool(roles), "policy": by_the_tool(policies), "security group": ours, "network interface": described,
        "temporary function": by_the_tool(probes), "tag of the database": remembered,
    }
    return looked_for(account, identifier, kinds)


# Deleting. Each takes one name, and does nothing that another run could miss.


def delete_proxy(account, name):
    rds = account.client("rds")
    try:
        for row in account.all("rds", "describe_db_proxy_endpoints", "DBProxyEndpoints", DBProxyName=name):
            if not row.get("IsDefault"):
                rds.delete_db_proxy_endpoint(DBProxyEndpointName=row["DBProxyEndpointName"])
    except (BotoCoreError, ClientError):
        pass  # the proxy takes its endpoints along
    rds.delete_db_proxy(DBProxyName=name)


def delete_policy(account, arn):
    iam = account.client("iam")
    for role in account.all("iam", "list_entities_for_policy", "PolicyRoles", PolicyArn=arn):
        iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
    for version in account.all("iam", "list_policy_versions", "Versions", PolicyArn=arn):
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


def delete_role(account, name):
    iam = account.client("iam")
    for policy in account.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name):
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in account.all("iam", "list_role_policies", "PolicyNames", RoleName=name):
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def delete_group(account, identifier):
    """A group, and the rules of other groups that name it."""
    ec2 = account.client("ec2")
    for row in account.all("ec2", "describe_security_groups", "SecurityGroups"):
        for rules, revoke in (("IpPermissions", ec2.revoke_security_group_ingress), ("IpPermissionsEgress", ec2.revoke_security_group_egress)):
            for rule in row.get(rules, []):
                pairs = [pair for pair in rule.get("UserIdGroupPairs", []) if pair.get("GroupId") == identifier]
                if pairs:
                    only = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
                    revoke(GroupId=row["GroupId"], IpPermissions=[{**only, "UserIdGroupPairs": [{"GroupId": identifier}]}])
    ec2.delete_security_group(GroupId=identifier)


def delete_vpc(account, identifier):
    ec2 = account.client("ec2")
    here = [{"Name": "vpc-id", "Values": [identifier]}]
    for row in account.all("ec2", "describe_subnets", "Subnets", Filters=here):
        ec2.delete_subnet(SubnetId=row["SubnetId"])
    ec2.delete_vpc(VpcId=identifier)


def deleters(account):
    rds, ec2 = account.client("rds"), account.client("ec2")
    return {
        "proxy": lambda name: delete_proxy(account, name),
        "temporary function": lambda name: account.client("lambda").delete_function(FunctionName=name),
        "function": lambda name: account.client("lambda").delete_function(FunctionName=name),
        "database": lambda name: rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True),
        "cluster": lambda name: rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True),
        "snapshot": lambda name: rds.delete_db_snapshot(DBSnapshotIdentifier=name),
        "subnet group": lambda name: rds.delete_db_subnet_group(DBSubnetGroupName=name),
        "role": lambda name: delete_role(account, name),
        "policy": lambda name: delete_policy(account, name),
        "network interface": lambda name: ec2.delete_network_interface(NetworkInterfaceId=name),
        "security group": lambda name: delete_group(account, name),
        "VPC": lambda name: delete_vpc(account, name),
        "secret": lambda name: account.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True),
        "log group": lambda name: account.client("logs").delete_log_group(logGroupName=name),
    }


def of_the_stack(account, prefix):
    """Security groups and roles that CloudFormation deletes itself."""
    rows = [name for name in stacks(account, prefix) for name in account.all("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name)]
    return {row.get("PhysicalResourceId") for row in rows}


def clean(account, prefix, say):
    """Deletes all of it, in an order in which AWS lets it go; what is left afterwards."""
    delete = deleters(account)

    def away(kinds, kept=frozenset(), limit=0):
        """Deletes what is there of some kinds, again until it is gone or the limit is reached."""
        last = {}

        def once():
            found = looked_for(account, prefix, {kind: EVERYTHING[kind] for kind in kinds})
            rows = [row for row in found.rows if row.name not in kept]
            for row in rows:
                try:
                    delete[row.kind](row.name)
                    say(f"   deleting {row}")
                except (BotoCoreError, ClientError) as error:
                    last[row] = error
            return not rows

        if not wait_until(once, account.pause, account.patience(limit)):
            for row, error in last.items():
                say(f"   {row}: {code(error)}")

    def part(work, *arguments, failed=None, **given):
        """What the work returns; where AWS refuses, `failed`, and the next part begins."""
        try:
            return work(*arguments, **given)
        except (BotoCoreError, ClientError, OSError) as error:
            say(f"   {code(error)}: {error}")
            return failed

    part(away, ["proxy"], limit=70 * 60)
    kept = part(of_the_stack, account, prefix)
    # Where it cannot be known what is the stack's, the stack goes first.
    if kept is not None:
        part(away, ["temporary function", "policy", "role", "security group"], kept, limit=45 * 60)
        part(interfaces_of_ours, account, prefix)
    for name in part(stacks, account, prefix) or []:
        for _ in range(4):
            say(f"   deleting stack {name}")
            why = part(Stack(account, name, name.removeprefix(PREFIX)).delete, failed="DeleteStack was refused")
            if not why:
                break
            say(f"   {why}")
            time.sleep(account.pause)
    part(away, ["database", "cluster"], limit=30 * 60)
    part(away, ["function", "temporary function", "snapshot", "subnet group", "policy", "role", "secret", "log group"], limit=5 * 60)
    part(away, ["network interface", "security group"], limit=45 * 60)
    part(away, ["VPC"], limit=10 * 60)
    return everything(account, prefix)


def interfaces_of_ours(account, prefix):
    """Those of experiment 8, which nobody else deletes."""
    ec2 = account.client("ec2")
    for row in account.all("ec2", "describe_network_interfaces", "NetworkInterfaces"):
        if row.get("Description", "").startswith(prefix):
            ec2.delete_network_interface(NetworkInterfaceId=row["NetworkInterfaceId"])
