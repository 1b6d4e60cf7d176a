"""The simulated account, seen by boto3: every action that it knows, each raw answer held to botocore's model."""

import datetime
import json
import tempfile
import time
import unittest

import botocore.session
import shapes
from account import KEYS, REGION, SERVICES, alone, client, served
from botocore.config import Config
from botocore.exceptions import ClientError
from documents import allow, package, trust

FAST = 3600
# What AWS itself answers outside of its own models, and the account with it.
AWS_DEPARTS = {
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html (example)
    "ec2 CreateSecurityGroup.return: unknown member",
    # AWS calls an update under way "Creating", as the logs of https://github.com/appleboy/lambda-action/issues/65 show.
    "lambda UpdateFunctionCode.LastUpdateStatusReasonCode: 'Creating' is none of the enum",
    "lambda UpdateFunctionConfiguration.LastUpdateStatusReasonCode: 'Creating' is none of the enum",
}
# Whoever may ask STS without a signature is refused for the lack of it, before the account looks for the action.
UNKNOWN = ("InvalidAction", "UnknownOperationException", "MissingAuthenticationToken")


class Watched:
    """Clients whose every successful answer is held to its model, and whose every operation is noted."""

    def __init__(self, url, protocol=None):
        self.done, self.findings, self.clients = set(), [], {}
        for service in SERVICES:
            made = client(service, url) if protocol is None or service != "cloudwatch" else speaking(url, protocol)
            made.meta.events.register("before-parse.*", self.hold(service, made.meta.service_model))
            self.clients[service] = made

    def hold(self, service, model):
        def look(operation_model, response_dict, **_):
            if response_dict["status_code"] < 300:
                self.done.add((service, operation_model.name))
                found = shapes.answer(model, operation_model, response_dict["status_code"], response_dict["headers"], response_dict["body"])
                self.findings += [f"{service} {finding}" for finding in found]

        return look

    def __getattr__(self, service):
        return self.clients[{"functions": "lambda", "secrets": "secretsmanager", "quotas": "service-quotas"}.get(service, service)]


def speaking(url, protocol):
    """A client of CloudWatch that knows one protocol alone, of those that the model lists."""
    session = botocore.session.get_session()
    model = session.get_component("data_loader").load_service_model("cloudwatch", "service-2")
    assert protocol in model["metadata"]["protocols"]
    model["metadata"].update(protocol=protocol, protocols=[protocol])
    session.set_credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    return alone(session.create_client("cloudwatch", region_name=REGION, endpoint_url=url, config=Config(retries={"total_max_attempts": 1})))


def until(look, wanted, what):
    """Asks until the account has come so far: its time runs 3,600 times as fast."""
    deadline = time.monotonic() + 30
    while not wanted(held := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} does not come: {held}")
        time.sleep(0.05)
    return held


def known(url):
    """The actions that the account knows, found from outside: every operation of every model is asked for, without input."""
    found = set()
    for service in SERVICES:
        asking = client(service, url, parameter_validation=False)
        codes = []
        asking.meta.events.register("after-call.*", lambda parsed, codes=codes, **_: codes.append(parsed.get("Error", {}).get("Code")))
        for python, name in asking.meta.method_to_api_mapping.items():
            codes.clear()
            shape = asking.meta.service_model.operation_model(name).input_shape
            members = shape.members if shape is not None else {}
            labels = {key: "x" for key, member in members.items() if member.serialization.get("location") == "uri"}
            if "SourceRegion" in members:  # boto3 signs a second address for it, and needs its region
                labels["SourceRegion"] = REGION
            try:
                getattr(asking, python)(**labels)
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])
            if not any(code in UNKNOWN for code in codes):
                found.add((service, name))
    return found


class Answers(unittest.TestCase):
    """One walk through the account that uses every action."""

    maxDiff = None

    def test_every_action_answers_as_its_model_says(self):
        with tempfile.TemporaryDirectory() as folder, served(folder, FAST) as url:
            aws = Watched(url)
            self.network(aws)
            self.roles(aws)
            self.keys_and_secrets(aws)
            self.databases(aws)
            self.proxies(aws)
            self.functions(aws)
            self.logs(aws)
            self.metrics(aws)
            self.alarms(aws)
            self.lists(aws)
        with tempfile.TemporaryDirectory() as folder, served(folder, FAST) as url:
            every = known(url)
        self.assertEqual(AWS_DEPARTS, set(aws.findings))
        # One action has no counterpart that would let a client make what it shows.
        only_refused = {("lambda", "GetPolicy")}
        self.assertEqual(set(), every - aws.done - only_refused, "actions that this walk does not use")
        self.assertEqual(set(), aws.done & only_refused, "an action that was only refused is answered now")
        self.assertEqual(set(), aws.done - every, "actions that were answered and are not known")
        self.assertGreater(len(every), 100)

    def refused(self, code, call, **given):
        with self.assertRaises(ClientError) as refusal:
            call(**given)
        self.assertEqual(code, refusal.exception.response["Error"]["Code"])
        self.assertTrue(refusal.exception.response["ResponseMetadata"].get("RequestId"), f"{code} has no request id")

    def network(self, aws):
        ec2 = aws.ec2
        self.account = aws.sts.get_caller_identity()["Account"]
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        inside = [{"Name": "vpc-id", "Values": [vpc]}]
        self.subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=inside)["Subnets"]]
        self.assertGreaterEqual(len(self.subnets), 2)
        self.assertTrue(ec2.describe_network_acls(Filters=inside)["NetworkAcls"])
        self.assertTrue(ec2.describe_route_tables(Filters=inside)["RouteTables"])
        self.assertTrue(ec2.describe_network_interfaces()["NetworkInterfaces"])
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "1"}]}]
        self.group = ec2.create_security_group(GroupName="outside", Description="from outside", VpcId=vpc, TagSpecifications=tags)["GroupId"]
        self.refused("InvalidGroup.Duplicate", ec2.create_security_group, GroupName="outside", Description="x", VpcId=vpc)
        port = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}
        rules = [{**port, "UserIdGroupPairs": [{"GroupId": self.group, "Description": "itself"}]}, {**port, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]
        made = ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=rules)["SecurityGroupRules"]
        self.assertEqual(2, len(made))
        self.refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=self.group, IpPermissions=rules)
        out = ec2.authorize_security_group_egress(GroupId=self.group, IpPermissions=[{**port, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
        seen = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [self.group]}])["SecurityGroupRules"]
        self.assertEqual(4, len(seen), "two inward, two outward")
        ec2.revoke_security_group_egress(GroupId=self.group, SecurityGroupRuleIds=[out["SecurityGroupRules"][0]["SecurityGroupRuleId"]])
        gone = ec2.revoke_security_group_ingress(GroupId=self.group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"] for rule in made])
        self.assertEqual([self.group], [rule["ReferencedGroupId"] for rule in gone["RevokedSecurityGroupRules"] if "ReferencedGroupId" in rule])
        ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=rules[:1])
        ec2.create_tags(Resources=[self.group], Tags=[{"Key": "b", "Value": "<&\">"}])
        ec2.delete_tags(Resources=[self.group], Tags=[{"Key": "a"}])
        group = ec2.describe_security_groups(GroupIds=[self.group])["SecurityGroups"][0]
        self.assertEqual([{"Key": "b", "Value": "<&\">"}], group["Tags"])
        self.assertEqual("itself", group["IpPermissions"][0]["UserIdGroupPairs"][0]["Description"])
        spare = ec2.create_security_group(GroupName="spare", Description="goes again", VpcId=vpc)["GroupId"]
        ec2.delete_security_group(GroupId=spare)
        self.refused("InvalidGroup.NotFound", ec2.delete_security_group, GroupId=spare)

    def roles(self, aws):
        iam, role, policy = aws.iam, "outside", "outside-policy"
        made = iam.create_role(RoleName=role, Path="/of/tests/", AssumeRolePolicyDocument=trust("rds.amazonaws.com"), Tags=[{"Key": "a", "Value": "1"}])
        self.role = made["Role"]["Arn"]
        self.assertEqual(json.loads(trust("rds.amazonaws.com")), iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
        self.refused("EntityAlreadyExists", iam.create_role, RoleName=role, AssumeRolePolicyDocument=trust("rds.amazonaws.com"))
        self.refused("NoSuchEntity", iam.get_role, RoleName="nobody")
        self.refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="rds.amazonaws.com")
        iam.create_service_linked_role(AWSServiceName="lambda.amazonaws.com")
        self.assertIn(role, [row["RoleName"] for page in iam.get_paginator("list_roles").paginate(MaxItems=2) for row in page["Roles"]])
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust("rds.amazonaws.com"))
        iam.tag_role(RoleName=role, Tags=[{"Key": "b", "Value": "2"}])
        iam.untag_role(RoleName=role, TagKeys=["a"])
        self.assertEqual([{"Key": "b", "Value": "2"}], iam.list_role_tags(RoleName=role)["Tags"])
        iam.put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=allow("s3:ListAllMyBuckets"))
        self.assertEqual(json.loads(allow("s3:ListAllMyBuckets")), iam.get_role_policy(RoleName=role, PolicyName="inline")["PolicyDocument"])
        self.assertEqual(["inline"], iam.list_role_policies(RoleName=role)["PolicyNames"])
        self.refused("DeleteConflict", iam.delete_role, RoleName=role)
        iam.delete_role_policy(RoleName=role, PolicyName="inline")
        arn = iam.create_policy(PolicyName=policy, PolicyDocument=allow("s3:ListAllMyBuckets"), Tags=[{"Key": "a", "Value": "1"}])["Policy"]["Arn"]
        self.refused("MalformedPolicyDocument", iam.create_policy, PolicyName="broken", PolicyDocument="{")
        iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
        self.assertEqual([{"Key": "b", "Value": "2"}], iam.list_policy_tags(PolicyArn=arn)["Tags"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("s3:GetObject"), SetAsDefault=True)
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
        self.assertEqual(json.loads(allow("s3:GetObject")), iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"])
        self.assertEqual(2, len(iam.list_policy_versions(PolicyArn=arn)["Versions"]))
        iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        self.assertEqual(1, iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"])
        self.assertEqual([arn], [row["PolicyArn"] for row in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]])
        self.assertEqual([role], [row["RoleName"] for row in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]])
        self.assertIn(arn, [row["Arn"] for row in iam.list_policies(Scope="Local")["Policies"]])
        self.refused("NoSuchEntity", iam.put_role_permissions_boundary, RoleName=role, PermissionsBoundary=arn + "-none")
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=arn)
        self.assertEqual(arn, iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"])
        iam.delete_role_permissions_boundary(RoleName=role)
        judged = iam.simulate_principal_policy(PolicySourceArn=self.role, ActionNames=["s3:ListAllMyBuckets", "s3:GetObject"])["EvaluationResults"]
        self.assertEqual(["allowed", "implicitDeny"], [row["EvalDecision"] for row in judged])
        buckets = ["arn:aws:s3:::one", "arn:aws:s3:::two"]
        judged = iam.simulate_principal_policy(PolicySourceArn=self.role, ActionNames=["s3:GetObject"], ResourceArns=buckets)["EvaluationResults"]
        self.assertEqual(buckets, [found["EvalResourceName"] for found in judged[0]["ResourceSpecificResults"]])
        self.refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        iam.delete_policy(PolicyArn=arn)
        iam.create_role(RoleName="spare", AssumeRolePolicyDocument=trust("rds.amazonaws.com"))
        iam.delete_role(RoleName="spare")

    def keys_and_secrets(self, aws):
        kms, secrets = aws.kms, aws.secrets
        key = kms.create_key(Description="outside")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/outside", TargetKeyId=key)
        self.assertIn("alias/outside", [row["AliasName"] for row in kms.list_aliases()["Aliases"]])
        self.assertEqual(key, kms.describe_key(KeyId="alias/outside")["KeyMetadata"]["KeyId"])
        self.refused("NotFoundException", kms.describe_key, KeyId="alias/nothing")
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=kms.get_key_policy(KeyId=key)["Policy"])
        kms.disable_key(KeyId=key)
        self.assertEqual("Disabled", kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"])
        kms.enable_key(KeyId=key)
        word = secrets.get_random_password(PasswordLength=24, ExcludePunctuation=True)["RandomPassword"]
        self.assertEqual(24, len(word))
        text = json.dumps({"username": "outside", "password": word})
        self.secret = secrets.create_secret(Name="outside/db", SecretString=text, KmsKeyId=key, Tags=[{"Key": "a", "Value": "1"}])["ARN"]
        self.refused("ResourceExistsException", secrets.create_secret, Name="outside/db", SecretString=text)
        self.refused("ResourceNotFoundException", secrets.describe_secret, SecretId="nothing")
        secrets.put_secret_value(SecretId=self.secret, SecretString=text)
        secrets.update_secret(SecretId=self.secret, Description="changed")
        self.assertEqual(text, secrets.get_secret_value(SecretId=self.secret)["SecretString"])
        secrets.tag_resource(SecretId=self.secret, Tags=[{"Key": "b", "Value": "2"}])
        secrets.untag_resource(SecretId=self.secret, TagKeys=["a"])
        self.assertEqual([{"Key": "b", "Value": "2"}], secrets.describe_secret(SecretId=self.secret)["Tags"])
        secrets.get_resource_policy(SecretId=self.secret)
        secrets.delete_secret(SecretId=self.secret, RecoveryWindowInDays=7)
        self.refused("InvalidRequestException", secrets.get_secret_value, SecretId=self.secret)
        secrets.restore_secret(SecretId=self.secret)
        self.assertIn(self.secret, [row["ARN"] for row in secrets.list_secrets()["SecretList"]])

    def databases(self, aws):
        rds = aws.rds
        self.assertEqual(4, sum(len(page["DBInstances"]) for page in rds.get_paginator("describe_db_instances").paginate()))
        self.refused("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="nothing")
        instance = rds.describe_db_instances(DBInstanceIdentifier="my-instance")["DBInstances"][0]
        cluster = rds.describe_db_clusters(DBClusterIdentifier="my-cluster")["DBClusters"][0]
        rds.describe_db_cluster_endpoints(DBClusterIdentifier="my-cluster")
        self.assertTrue(rds.describe_db_subnet_groups()["DBSubnetGroups"][0]["Subnets"])
        rds.describe_db_parameters(DBParameterGroupName=instance["DBParameterGroups"][0]["DBParameterGroupName"])
        rds.describe_db_cluster_parameters(DBClusterParameterGroupName=cluster["DBClusterParameterGroup"])
        rds.modify_db_instance(DBInstanceIdentifier="my-instance", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True)
        rds.modify_db_cluster(DBClusterIdentifier="my-cluster", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True)

        def settled():
            found = [rds.describe_db_clusters()["DBClusters"][0]["Status"]]
            return found + [row["DBInstanceStatus"] for row in rds.describe_db_instances()["DBInstances"]]

        until(settled, lambda held: set(held) == {"available"}, "the databases' peace")

    def proxies(self, aws):
        rds, name = aws.rds, "outside"
        asked = {
            "EngineFamily": "POSTGRESQL", "RoleArn": self.role, "VpcSubnetIds": self.subnets, "VpcSecurityGroupIds": [self.group],
            "Auth": [{"AuthScheme": "SECRETS", "SecretArn": self.secret, "IAMAuth": "DISABLED"}], "Tags": [{"Key": "a", "Value": "1"}],
        }
        arn = rds.create_db_proxy(DBProxyName=name, **asked)["DBProxy"]["DBProxyArn"]
        self.refused("DBProxyAlreadyExistsFault", rds.create_db_proxy, DBProxyName=name, **asked)
        self.refused("DBProxyNotFoundFault", rds.describe_db_proxies, DBProxyName="nothing")

        def status():
            return rds.describe_db_proxies(DBProxyName=name)["DBProxies"][0]["Status"]

        until(status, lambda held: held == "available", "the proxy")
        rds.modify_db_proxy(DBProxyName=name, RequireTLS=True)
        until(status, lambda held: held == "available", "the proxy's change")
        rds.modify_db_proxy_target_group(DBProxyName=name, TargetGroupName="default", ConnectionPoolConfig={"MaxConnectionsPercent": 80})
        pool = rds.describe_db_proxy_target_groups(DBProxyName=name)["TargetGroups"][0]["ConnectionPoolConfig"]
        self.assertEqual(80, pool["MaxConnectionsPercent"])
        rds.register_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=["my-cluster"])
        self.refused("DBProxyTargetAlreadyRegisteredFault", rds.register_db_proxy_targets, DBProxyName=name, DBClusterIdentifiers=["my-cluster"])
        kinds = {row["Type"] for row in rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]}
        self.assertIn("TRACKED_CLUSTER", kinds)
        self.assertIn("RDS_INSTANCE", kinds)
        given = {"DBProxyName": name, "DBProxyEndpointName": "outside-ro", "VpcSubnetIds": self.subnets, "TargetRole": "READ_ONLY"}
        rds.create_db_proxy_endpoint(**given)

        def endpoint():
            found = [row for row in rds.describe_db_proxy_endpoints(DBProxyName=name)["DBProxyEndpoints"] if not row["IsDefault"]]
            return found[0]["Status"] if found else "gone"

        until(endpoint, lambda held: held == "available", "the endpoint")
        rds.modify_db_proxy_endpoint(DBProxyEndpointName="outside-ro", VpcSecurityGroupIds=[self.group])
        until(endpoint, lambda held: held == "available", "the endpoint's change")
        rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "b", "Value": "2"}])
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
        self.assertEqual([{"Key": "b", "Value": "2"}], rds.list_tags_for_resource(ResourceName=arn)["TagList"])
        rds.describe_events(Duration=10080)
        rds.delete_db_proxy_endpoint(DBProxyEndpointName="outside-ro")
        rds.deregister_db_proxy_targets(DBProxyName=name, DBClusterIdentifiers=["my-cluster"])
        until(endpoint, lambda held: held == "gone", "the endpoint's end")
        rds.delete_db_proxy(DBProxyName=name)

    def functions(self, aws):
        functions, name = aws.functions, "outside"
        role = aws.iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
        aws.iam.attach_role_policy(RoleName="caller", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole")
        time.sleep(0.2)  # twelve minutes of the account: the role is known everywhere
        arn = functions.create_function(
            FunctionName=name, Runtime="python3.12", Role=role, Handler="app.handler", Code={"ZipFile": package()}, Publish=False,
            VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [self.group]}, Environment={"Variables": {"STAGE": "1", "TEXT": "ß <&>"}}, Tags={"a": "1"},
        )["FunctionArn"]
        self.refused("ResourceNotFoundException", functions.get_function, FunctionName="nothing")

        def ready():
            found = functions.get_function_configuration(FunctionName=name)
            return found["State"], found.get("LastUpdateStatus")

        until(ready, lambda held: held == ("Active", "Successful"), "the function")
        self.assertEqual("ß <&>", functions.get_function(FunctionName=name)["Configuration"]["Environment"]["Variables"]["TEXT"])
        revision = functions.get_function_configuration(FunctionName=name)["RevisionId"]
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"STAGE": "2"}}, RevisionId=revision)
        until(ready, lambda held: held == ("Active", "Successful"), "the update")
        self.refused("PreconditionFailedException", functions.update_function_configuration, FunctionName=name, Timeout=5, RevisionId=revision)
        functions.update_function_code(FunctionName=name, ZipFile=package())
        until(ready, lambda held: held == ("Active", "Successful"), "the code")
        self.assertEqual(b"{}", functions.invoke(FunctionName=name)["Payload"].read())
        version = functions.publish_version(FunctionName=name)["Version"]
        self.assertEqual(["$LATEST", version], [row["Version"] for row in functions.list_versions_by_function(FunctionName=name)["Versions"]])
        functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        functions.update_alias(FunctionName=name, Name="live", Description="changed")
        self.assertEqual(version, functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"])
        self.assertEqual(1, len(functions.list_aliases(FunctionName=name)["Aliases"]))
        functions.tag_resource(Resource=arn, Tags={"b": "2"})
        functions.untag_resource(Resource=arn, TagKeys=["a"])
        self.assertEqual({"b": "2"}, functions.list_tags(Resource=arn)["Tags"])
        queue = f"arn:aws:sqs:eu-central-1:{self.account}:queue"
        mapping = functions.create_event_source_mapping(FunctionName=name, EventSourceArn=queue)["UUID"]
        self.assertEqual(queue, functions.get_event_source_mapping(UUID=mapping)["EventSourceArn"])
        self.assertEqual(1, len(functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]))
        one = {"FunctionName": name, "Qualifier": "live"}
        stream = f"arn:aws:kinesis:eu-central-1:{self.account}:stream/s"
        functions.create_event_source_mapping(FunctionName=name, EventSourceArn=stream, StartingPosition="LATEST", ParallelizationFactor=4)
        limited = functions.create_event_source_mapping(FunctionName=f"{name}:live", EventSourceArn=queue, ScalingConfig={"MaximumConcurrency": 20})
        self.assertEqual({"MaximumConcurrency": 20}, functions.get_event_source_mapping(UUID=limited["UUID"])["ScalingConfig"])
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
        self.assertEqual(7, functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"])
        self.assertEqual(993, functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])
        self.refused("InvalidParameterValueException", functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=901)
        functions.delete_function_concurrency(FunctionName=name)
        functions.put_provisioned_concurrency_config(**one, ProvisionedConcurrentExecutions=1)
        functions.get_provisioned_concurrency_config(**one)
        self.assertEqual(1, len(functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]))
        functions.delete_provisioned_concurrency_config(**one)
        self.refused("ResourceNotFoundException", functions.get_policy, FunctionName=name)
        functions.delete_alias(FunctionName=name, Name="live")
        self.assertIn(name, [row["FunctionName"] for page in functions.get_paginator("list_functions").paginate(MaxItems=2) for row in page["Functions"]])
        functions.delete_function(FunctionName=name)

    def logs(self, aws):
        logs, name = aws.logs, "/outside/group"
        logs.create_log_group(logGroupName=name, tags={"a": "1"})
        self.refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=name)
        self.refused("InvalidParameterException", logs.create_log_group, logGroupName="aws/x")
        logs.put_retention_policy(logGroupName=name, retentionInDays=14)
        self.refused("InvalidParameterException", logs.put_retention_policy, logGroupName=name, retentionInDays=15)
        self.refused("ResourceNotFoundException", logs.put_retention_policy, logGroupName="nothing", retentionInDays=14)
        group = logs.describe_log_groups(logGroupNamePrefix="/outside/")["logGroups"][0]
        self.assertEqual((14, f"{group['logGroupArn']}:*"), (group["retentionInDays"], group["arn"]))
        arn = group["logGroupArn"]
        logs.tag_resource(resourceArn=arn, tags={"b": "2"})
        logs.untag_resource(resourceArn=arn, tagKeys=["a"])
        self.assertEqual({"b": "2"}, logs.list_tags_for_resource(resourceArn=arn)["tags"])
        logs.delete_retention_policy(logGroupName=name)
        self.assertNotIn("retentionInDays", logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0])
        logs.create_log_group(logGroupName=f"{name}/2")
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name, PaginationConfig={"PageSize": 1})
        self.assertEqual([name, f"{name}/2"], [row["logGroupName"] for page in pages for row in page["logGroups"]])
        # The proxy of the walk made its own while it was there.
        now = int(time.time() * 1000)
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/rds/proxy/outside", startTime=now - 3_600_000, filterPattern='?"was pinned" ?failed', limit=10)
        self.assertTrue(all("events" in page for page in pages))
        self.refused("ResourceNotFoundException", logs.filter_log_events, logGroupName="nothing")
        self.assertTrue(logs.describe_log_groups(logGroupNamePrefix="/aws/rds/proxy/outside")["logGroups"])
        logs.delete_log_group(logGroupName=name)

    FUNCTION = [{"Name": "FunctionName", "Value": "DBAppFunction"}]

    def metrics(self, aws):
        watch = aws.cloudwatch
        now = datetime.datetime.now(datetime.UTC)
        span = {"StartTime": now - datetime.timedelta(days=14), "EndTime": now}
        metric = {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": self.FUNCTION}
        queries = [
            {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}},
            {"Id": "m2", "MetricStat": {"Metric": {**metric, "MetricName": "Duration"}, "Period": 3600, "Stat": "p90"}, "ReturnData": False},
            {"Id": "e1", "Expression": "m1 * m2 / 3600000", "Label": "concurrency"},
        ]
        found = watch.get_metric_data(MetricDataQueries=queries, **span)["MetricDataResults"]
        self.assertEqual(["m1", "e1"], [row["Id"] for row in found])
        for row in found:
            self.assertGreater(len(row["Values"]), 300)
            self.assertEqual(sorted(row["Timestamps"], reverse=True), row["Timestamps"])
        pages = watch.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, MaxDatapoints=100, **span)
        self.assertLess(300, sum(len(row["Values"]) for page in pages for row in page["MetricDataResults"] if row["Id"] == "m1"))
        self.refused("ValidationError", watch.get_metric_data, MetricDataQueries=queries, StartTime=now, EndTime=now)
        given = {**metric, **span, "Period": 3600, "Statistics": ["Sum", "Maximum"], "ExtendedStatistics": ["p99"]}
        points = watch.get_metric_statistics(**given)["Datapoints"]
        self.assertGreater(len(points), 300)
        self.assertIn("p99", points[0]["ExtendedStatistics"])
        self.refused("InvalidParameterCombination", watch.get_metric_statistics, **{**given, "Period": 60})
        rows = [row for page in watch.get_paginator("list_metrics").paginate(Namespace="AWS/RDS") for row in page["Metrics"]]
        self.assertIn([{"Name": "DBInstanceIdentifier", "Value": "my-instance"}], [row["Dimensions"] for row in rows])

    def dashboards(self, watch):
        body = '{"widgets": [{"type": "text", "properties": {"markdown": "<\u00df>"}}]}'
        self.assertEqual([], watch.put_dashboard(DashboardName="outside", DashboardBody=body).get("DashboardValidationMessages", []))
        self.refused("InvalidParameterInput", watch.put_dashboard, DashboardName="outside", DashboardBody="{}")
        self.assertEqual(body, watch.get_dashboard(DashboardName="outside")["DashboardBody"])
        self.assertEqual(len(body.encode()), watch.list_dashboards(DashboardNamePrefix="out")["DashboardEntries"][0]["Size"])
        watch.delete_dashboards(DashboardNames=["outside"])
        self.refused("ResourceNotFound", watch.get_dashboard, DashboardName="outside")
        self.refused("ResourceNotFound", watch.delete_dashboards, DashboardNames=["outside"])

    def alarms(self, aws):
        watch, name = aws.cloudwatch, "outside"
        asked = {
            "AlarmName": name, "Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": self.FUNCTION, "Statistic": "Sum",
            "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 0.5, "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching", "AlarmActions": [f"arn:aws:sns:eu-central-1:{self.account}:topic"], "AlarmDescription": "<ß>",
        }
        watch.put_metric_alarm(**asked, Tags=[{"Key": "a", "Value": "1"}])
        self.refused("ValidationError", watch.put_metric_alarm, **{**asked, "TreatMissingData": "never"})

        def state():
            return watch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]

        until(state, lambda held: held == "ALARM", "the alarm")
        shown = watch.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"][0]
        for member in asked:
            self.assertEqual(asked[member], shown[member], member)
        arn = shown["AlarmArn"]
        watch.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
        watch.untag_resource(ResourceARN=arn, TagKeys=["a"])
        self.assertEqual([{"Key": "b", "Value": "2"}], watch.list_tags_for_resource(ResourceARN=arn)["Tags"])
        self.refused("ResourceNotFoundException", watch.list_tags_for_resource, ResourceARN=f"{arn}-none")
        banded = {
            "AlarmName": f"{name}-2", "EvaluationPeriods": 3, "ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "band",
            "Metrics": [
                {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": self.FUNCTION},
                                            "Period": 300, "Stat": "Sum"}},
                {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)"},
            ],
        }
        watch.put_metric_alarm(**banded)
        self.refused("ValidationError", watch.put_metric_alarm, **{**banded, "Threshold": 1.0})
        self.assertEqual("band", watch.describe_alarms(AlarmNames=[f"{name}-2"])["MetricAlarms"][0]["ThresholdMetricId"])
        watch.delete_alarms(AlarmNames=[f"{name}-2"])
        self.dashboards(watch)
        watch.delete_alarms(AlarmNames=[name])
        self.refused("ResourceNotFound", watch.delete_alarms, AlarmNames=[name])

    def lists(self, aws):
        quotas = aws.quotas
        self.assertEqual("Proxies", quotas.get_service_quota(ServiceCode="rds", QuotaCode="L-D94C7EA3")["Quota"]["QuotaName"])
        self.assertEqual(1000, quotas.get_aws_default_service_quota(ServiceCode="lambda", QuotaCode="L-B99A9384")["Quota"]["Value"])
        pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="rds", PaginationConfig={"PageSize": 1})
        self.assertIn("L-D94C7EA3", [row["QuotaCode"] for page in pages for row in page["Quotas"]])
        self.refused("NoSuchResourceException", quotas.get_service_quota, ServiceCode="rds", QuotaCode="L-00000000")
        wanted = [("regionCode", "us-east-1"), ("productFamily", "RDSProxy"), ("databaseEngine", "PostgreSQL")]
        filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted]
        found = [json.loads(row) for row in aws.pricing.get_products(ServiceCode="AmazonRDS", Filters=filters)["PriceList"]]
        self.assertEqual(["USE1-RDS:ProxyUsage"], [row["product"]["attributes"]["usagetype"] for row in found])
        self.refused("NotFoundException", aws.pricing.get_products, ServiceCode="AmazonNothing")
        kinds = aws.ec2.describe_instance_types(InstanceTypes=["t3.medium", "r6g.large"])["InstanceTypes"]
        self.assertEqual({"t3.medium": 4096, "r6g.large": 16384}, {row["InstanceType"]: row["MemoryInfo"]["SizeInMiB"] for row in kinds})
        self.refused("InvalidInstanceType", aws.ec2.describe_instance_types, InstanceTypes=["db.t3.medium"])

    def test_cloudwatch_answers_in_the_other_protocols_too(self):
        """botocore's model lists three protocols: boto3 speaks JSON, the Rust SDK CBOR, and Query is what all spoke before."""
        with tempfile.TemporaryDirectory() as folder, served(folder, FAST) as url:
            for protocol in ("smithy-rpc-v2-cbor", "query"):
                aws = Watched(url, protocol)
                self.account = aws.sts.get_caller_identity()["Account"]
                self.metrics(aws)
                self.alarms(aws)
                self.assertEqual([], aws.findings, protocol)


if __name__ == "__main__":
    unittest.main()
