"""Where the emulators depart from AWS, by name.

What stops the program is mended on the wire, and the test fails when it was not met. What merely lets a mistake pass is
looked at with boto3, and the test fails when it is gone: an upgrade that changes either is noticed.
"""

import html
import json
import re
import urllib.parse

import cbor2
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

NO_ENDPOINTS = (
    b'<DescribeDBProxyEndpointsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBProxyEndpointsResult>'
    b"<DBProxyEndpoints/></DescribeDBProxyEndpointsResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
    b"</DescribeDBProxyEndpointsResponse>"
)

DENIED = (
    b'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>AccessDenied</Code>'
    b"<Message>Not to be simulated</Message></Error><RequestId>0</RequestId></ErrorResponse>"
)


def members_listed(scene):
    """Adds the rows of a cluster's members, each with the health that the emulator tells of the cluster."""
    row = re.compile(rb"<member>(?:(?!</?member>).)*<Type>TRACKED_CLUSTER</Type>(?:(?!</?member>).)*</member>", re.DOTALL)

    def of_member(found, name, role):
        told = {"RdsResourceId": name, "TrackedClusterId": scene.name, "Type": "RDS_INSTANCE", "Role": role, "Port": scene.port}
        rest = re.sub(rf"<(?:{'|'.join(told)}|TargetArn|Endpoint)(?:/>|>[^<]*</\w+>)".encode(), b"", found[0])
        return rest.replace(b"<member>", b"<member>" + "".join(f"<{key}>{held}</{key}>" for key, held in told.items()).encode())

    def members(exchange):
        if exchange.operation != "DescribeDBProxyTargets" or b"RDS_INSTANCE" in exchange.answer:
            return exchange.status, exchange.answer
        held = scene.rds.describe_db_clusters(DBClusterIdentifier=scene.name)["DBClusters"][0]["DBClusterMembers"]
        roles = [(member["DBInstanceIdentifier"], "READ_WRITE" if member["IsClusterWriter"] else "READ_ONLY") for member in held]
        return exchange.status, row.sub(lambda found: found[0] + b"".join(of_member(found, *told) for told in roles), exchange.answer)

    return {"a cluster's members are not among the targets": members} if scene.members else {}


def members_grouped(scene):
    """Gives a cluster's members its security groups: of an Aurora instance, they are the cluster's (API reference, `CreateDBInstance`)."""

    def grouped(exchange):
        if exchange.operation != "DescribeDBInstances":
            return exchange.status, exchange.answer
        row = b"<VpcSecurityGroupMembership><VpcSecurityGroupId>%s</VpcSecurityGroupId><Status>active</Status></VpcSecurityGroupMembership>"
        groups = b"<VpcSecurityGroups>" + row % scene.database_group.encode() + b"</VpcSecurityGroups>"
        return exchange.status, re.sub(rb"<VpcSecurityGroups>\s*</VpcSecurityGroups>|<VpcSecurityGroups\s*/>", groups, exchange.answer)

    return {"a cluster's members have no security groups": grouped} if scene.members else {}


def spoken_as_cbor(cloudwatch):
    """Asks the emulator in a protocol that it speaks, and hands its answer on in the one that was spoken."""

    def translated(exchange):
        if exchange.service != "monitoring" or exchange.status != 404:
            return exchange.status, exchange.answer
        call = getattr(cloudwatch, xform_name(exchange.operation))
        try:
            told = call(**cbor2.loads(exchange.body))
        except ClientError as error:
            told = {"__type": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
            return error.response["ResponseMetadata"]["HTTPStatusCode"], cbor2.dumps(told)
        return 200, cbor2.dumps({name: held for name, held in told.items() if name != "ResponseMetadata"}, datetime_as_timestamp=True)

    return translated


def moto_mended(scene):
    def vpc(exchange):
        return exchange.status, exchange.answer.replace(b"vpc-123abc", scene.vpc.encode())

    def endpoints(exchange):
        lacks = exchange.status == 500 and exchange.operation == "DescribeDBProxyEndpoints"
        return (200, NO_ENDPOINTS) if lacks else (exchange.status, exchange.answer)

    described = {}

    def descriptions(exchange):
        if exchange.operation.startswith("AuthorizeSecurityGroup"):
            given = dict(urllib.parse.parse_qsl(exchange.body.decode())).get("IpPermissions.1.Groups.1.Description")
            rules = re.findall(rb"<securityGroupRuleId>([^<]+)<", exchange.answer)
            described.update(dict.fromkeys(rules, html.escape(given).encode()) if given else {})
        if exchange.operation != "DescribeSecurityGroupRules":
            return exchange.status, exchange.answer
        rule = re.compile(rb"(<securityGroupRuleId>([^<]+)</securityGroupRuleId>)")
        told = lambda found: found[0] + (b"<description>" + described[found[2]] + b"</description>" if found[2] in described else b"")
        return exchange.status, rule.sub(told, exchange.answer)

    return {
        "every function is in the VPC vpc-123abc": vpc,
        "DescribeDBProxyEndpoints is not there": endpoints,
        "a rule between groups has no description": descriptions,
        "CloudWatch does not speak CBOR": spoken_as_cbor(scene.cloudwatch),
    } | members_listed(scene)


def none_provisioned(exchange):
    """Programs that list provisioned concurrency for every function of an account get an empty list from AWS."""
    refused = exchange.status == 404 and exchange.operation == "ListProvisionedConcurrencyConfigs"
    return (200, b'{"ProvisionedConcurrencyConfigs": []}') if refused else (exchange.status, exchange.answer)


def moto_with_aliases(scene):
    """What functions with aliases meet besides."""
    return moto_mended(scene) | {"ListProvisionedConcurrencyConfigs is not there": none_provisioned}


def ministack_mended(scene):
    def without_empty(name):
        element = re.compile(rf"<{name}>\s*</{name}>|<{name}\s*/>".encode())
        return lambda exchange: (exchange.status, element.sub(b"", exchange.answer))

    mended = {"an instance that is no replica has the source ''": without_empty("ReadReplicaSourceDBInstanceIdentifier")}
    if not scene.members:
        mended["an instance of no cluster is in the cluster ''"] = without_empty("DBClusterIdentifier")
    return mended | members_listed(scene) | members_grouped(scene)


def ministack_with_aliases(scene):
    """What functions with aliases meet besides."""

    def versions(exchange):
        if exchange.operation != "ListFunctions" or "FunctionVersion=ALL" not in exchange.target:
            return exchange.status, exchange.answer
        names = [row["FunctionName"] for row in json.loads(exchange.answer)["Functions"]]
        every = [row for name in names for row in scene.functions.list_versions_by_function(FunctionName=name)["Versions"]]
        return 200, json.dumps({"Functions": every}, default=str).encode()

    return ministack_mended(scene) | {
        "ListProvisionedConcurrencyConfigs finds none, and that is an error": none_provisioned,
        "ListFunctions lists no versions": versions,
    }


def ministack_probed(scene):
    """What `verify` meets besides. The program judges a role by itself where it may not ask."""

    def simulated(exchange):
        asked = exchange.operation == "SimulatePrincipalPolicy" and re.search(rb"PolicySourceArn=[^&]*role%2F[^&]*%2F", exchange.body)
        return (403, DENIED) if asked and b"implicitDeny" in exchange.answer else (exchange.status, exchange.answer)

    return ministack_mended(scene) | {"SimulatePrincipalPolicy finds no policy of a role with a path": simulated}


def at_loopback(exchange):
    """No deviation: the proxy is where nothing listens."""
    return exchange.status, re.sub(rb"<Endpoint>[\w-]+\.proxy-[^<]*</Endpoint>", b"<Endpoint>127.0.0.2</Endpoint>", exchange.answer)


def code(call, **given):
    """The code of a call's refusal, or None."""
    try:
        call(**given)
    except ClientError as error:
        return error.response["Error"]["Code"]
    except ResponseParserError:
        return "no answer of AWS's form"
    return None


def make_proxy(scene, name, **more):
    auth = [{"AuthScheme": "SECRETS", "SecretArn": scene.secret, "IAMAuth": "DISABLED"}]
    given = {"EngineFamily": scene.family, "RoleArn": scene.role, "VpcSubnetIds": scene.subnets, "Auth": auth} | more
    return scene.rds.create_db_proxy(DBProxyName=name, **given)["DBProxy"]


def proxy_at_once(scene):
    make_proxy(scene, "at-once")
    return scene.rds.describe_db_proxies(DBProxyName="at-once")["DBProxies"][0]["Status"] == "available"


def no_modify_proxy(scene):
    make_proxy(scene, "modified")
    return code(scene.rds.modify_db_proxy, DBProxyName="modified", RequireTLS=True) == "no answer of AWS's form"


def no_end_to_end(scene):
    given = {"EngineFamily": "MYSQL", "RoleArn": scene.role, "VpcSubnetIds": scene.subnets, "DefaultAuthScheme": "IAM_AUTH"}
    return code(scene.rds.create_db_proxy, DBProxyName="end-to-end", **given) == "no answer of AWS's form"


def role_unseen(scene):
    return make_proxy(scene, "roleless", RoleArn=f"{scene.role}-of-nobody") is not None


def registered_twice(scene):
    make_proxy(scene, "twice")
    given = {"DBProxyName": "twice", "DBInstanceIdentifiers": [scene.name]}
    scene.rds.register_db_proxy_targets(**given)
    return code(scene.rds.register_db_proxy_targets, **given) is None


def used_group_deleted(scene):
    group = scene.ec2.create_security_group(GroupName="used", Description="used", VpcId=scene.vpc)["GroupId"]
    make_proxy(scene, "user", VpcSecurityGroupIds=[group])
    return code(scene.ec2.delete_security_group, GroupId=group) is None


def duplicate_rule(scene):
    group = scene.ec2.create_security_group(GroupName="double", Description="double", VpcId=scene.vpc)["GroupId"]
    rule = {"GroupId": group, "IpPermissions": [{**scene.rule, "UserIdGroupPairs": [{"GroupId": scene.function_group}]}]}
    scene.ec2.authorize_security_group_ingress(**rule)
    return code(scene.ec2.authorize_security_group_ingress, **rule) is None


def stale_revision(scene):
    given = {"FunctionName": "stranger", "RevisionId": "0f6d8a52-0000-4000-8000-000000000001"}
    return code(scene.functions.update_function_configuration, Description="stale", **given) is None


def updated_at_once(scene):
    return scene.functions.update_function_configuration(FunctionName="stranger", Description="once")["LastUpdateStatus"] == "Successful"


def update_upon_update(scene):
    first = scene.functions.update_function_configuration(FunctionName="stranger", Description="first")["LastUpdateStatus"]
    return first == "InProgress" and code(scene.functions.update_function_configuration, FunctionName="stranger", Description="second") is None


def no_interfaces(scene):
    return scene.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def malformed_trust(scene):
    return code(scene.iam.create_role, RoleName="malformed", AssumeRolePolicyDocument="{") is None


def filter_ignored(scene):
    named = [{"Name": "ip-permission.group-id", "Values": ["sg-0123456789abcdef0"]}]
    return scene.ec2.describe_security_groups(Filters=named)["SecurityGroups"] != []


def nothing_revoked(scene):
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    return code(scene.ec2.revoke_security_group_ingress, GroupId=scene.function_group, IpPermissions=[rule]) is None


def cluster_row_healthy(scene):
    make_proxy(scene, "tracking")
    scene.rds.register_db_proxy_targets(DBProxyName="tracking", DBClusterIdentifiers=[scene.name])
    return "TargetHealth" in scene.rds.describe_db_proxy_targets(DBProxyName="tracking")["Targets"][0]


def member_without_subnets(scene):
    given = {"DBClusterIdentifier": scene.name, "Engine": "aurora-postgresql", "DBInstanceClass": "db.r6g.large"}
    return "DBSubnetGroup" not in scene.rds.create_db_instance(DBInstanceIdentifier="untold", **given)["DBInstance"]


def one_host(scene):
    cluster = scene.rds.describe_db_clusters(DBClusterIdentifier=scene.name)["DBClusters"][0]
    return cluster["Endpoint"] == cluster["ReaderEndpoint"]


BOTH = {
    "a proxy is available at once": proxy_at_once,
    "a proxy takes a role that does not exist": role_unseen,
    "a group that a proxy uses can be deleted": used_group_deleted,
    "functions have no network interfaces": no_interfaces,
    "a role's trust may be malformed": malformed_trust,
}

MOTO = BOTH | {
    "ModifyDBProxy is not there": no_modify_proxy,
    "CreateDBProxy fails without Auth": no_end_to_end,
    "a target can be registered twice": registered_twice,
    "Lambda ignores RevisionId": stale_revision,
    "an update of a function is done at once": updated_at_once,
}

MINISTACK = BOTH | {
    "a rule can be made twice": duplicate_rule,
    "a function can be updated during an update": update_upon_update,
    "a filter by the group that a rule names is ignored": filter_ignored,
    "a rule that is not there can be revoked": nothing_revoked,
}

BOTH_CLUSTERS = {
    "a cluster's own row among the targets has a health": cluster_row_healthy,
}

MOTO_CLUSTER = BOTH_CLUSTERS | {
    "a cluster's member has no subnet group unless told": member_without_subnets,
}

MINISTACK_CLUSTER = BOTH_CLUSTERS | {
    "a cluster's reader endpoint is its writer's": one_host,
}
