"""An account full of canaries, made with boto3: in everything that people write, and in the names of things."""

import contextlib
import json

from account import REGION, client
from botocore.exceptions import ClientError, ParamValidationError
from documents import package

PASSWORD = "not-a-real-password"


class Birds:
    """`written` are values, tags and descriptions; `named` are names, ids, hosts and addresses."""

    def __init__(self):
        self.written, self.named = [], []

    def canary(self):
        """A text like no other."""
        self.written.append(f"kanarie{len(self.written):02}vqzt")
        return self.written[-1]

    def name(self, kind):
        """A name like no other, with a word in it that says what it is."""
        self.named.append(f"{kind}zeisig{len(self.named):02}wpk")
        return self.named[-1]


class Aviary(Birds):
    """A database, functions and what is around them."""

    def __init__(self, url):
        super().__init__()
        self.ec2, self.rds, self.iam, self.secrets, self.functions, self.logs, self.kms, self.alarms = (
            client(service, url) for service in ("ec2", "rds", "iam", "secretsmanager", "lambda", "logs", "kms", "cloudwatch")
        )
        self.network()
        self.keys()
        self.databases()
        self.roles()
        self.deploy()
        self.others()

    def known(self, *ids):
        self.named += ids
        return ids[0]

    def tags(self):
        return [{"Key": "Team", "Value": self.canary()}]

    def tagged(self, kind):
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": self.canary()}]}]

    def statement(self, service=None, resource="*", action="s3:ListAllMyBuckets"):
        """A policy document that someone wrote by hand."""
        given = {"Sid": self.canary(), "Effect": "Allow", "Action": "sts:AssumeRole" if service else action}
        given |= {"Principal": {"Service": service}} if service else {"Resource": resource}
        return json.dumps({"Version": "2012-10-17", "Statement": [given]})

    @contextlib.contextmanager
    def where_it_can(self):
        """Not every emulator has every service; what was not planted is no canary."""
        kept = len(self.written), len(self.named)
        try:
            yield
        except (ClientError, ParamValidationError):
            del self.written[kept[0]:], self.named[kept[1]:]

    def network(self):
        self.vpc = self.known(self.ec2.create_vpc(CidrBlock="10.213.0.0/16", TagSpecifications=self.tagged("vpc"))["Vpc"]["VpcId"])
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=self.vpc, **{attribute: {"Value": True}})
        self.subnets = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.213.{at}.0/24", AvailabilityZone=f"{REGION}{zone}", TagSpecifications=self.tagged("subnet"))["Subnet"]["SubnetId"]
            for at, zone in ((71, "a"), (72, "b"))
        ]
        self.known("10.213.", "198.51.100.", "203.0.113.7", *self.subnets)
        self.database_group, self.function_group = (
            self.known(self.ec2.create_security_group(GroupName=self.name("group"), Description=self.canary(), VpcId=self.vpc, TagSpecifications=self.tagged("security-group"))["GroupId"])
            for _ in range(2)
        )
        port = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}
        theirs = [
            {**port, "UserIdGroupPairs": [{"GroupId": self.function_group, "Description": self.canary()}]},
            {**port, "IpRanges": [{"CidrIp": "198.51.100.0/24", "Description": self.canary()}, {"CidrIp": "203.0.113.7/32", "Description": self.canary()}]},
        ]
        self.ec2.authorize_security_group_ingress(GroupId=self.database_group, IpPermissions=theirs)

    def keys(self):
        self.key = None
        with self.where_it_can():
            tags = [{"TagKey": "Team", "TagValue": self.canary()}]
            made = self.kms.create_key(Description=self.canary(), Tags=tags)["KeyMetadata"]["KeyId"]
            self.kms.create_alias(AliasName=f"alias/{self.name('key')}", TargetKeyId=made)
            self.key = self.known(made)

    def databases(self):
        self.master, self.database, self.db = self.name("master"), self.name("schema"), self.name("db")
        subnets, parameters = self.name("subnets"), self.name("parameters")
        self.rds.create_db_subnet_group(DBSubnetGroupName=subnets, DBSubnetGroupDescription=self.canary(), SubnetIds=self.subnets, Tags=self.tags())
        more = {}
        with self.where_it_can():
            self.rds.create_db_parameter_group(DBParameterGroupName=parameters, DBParameterGroupFamily="mysql8.0", Description=self.canary(), Tags=self.tags())
            more = {"DBParameterGroupName": parameters}
        self.rds.create_db_instance(
            DBInstanceIdentifier=self.db, DBName=self.database, Engine="mysql", EngineVersion="8.0.40", DBInstanceClass="db.t3.medium",
            AllocatedStorage=20, MasterUsername=self.master, MasterUserPassword=self.canary(), DBSubnetGroupName=subnets,
            VpcSecurityGroupIds=[self.database_group], EnableIAMDatabaseAuthentication=True, Tags=self.tags(), **more,
        )
        made = self.rds.describe_db_instances(DBInstanceIdentifier=self.db)["DBInstances"][0]
        self.host = made["Endpoint"]["Address"]
        self.known(self.host, made["DbiResourceId"])
        key = {"KmsKeyId": self.key} if self.key else {}
        for user in (self.master, self.name("user")):
            text = json.dumps({"username": user, "password": self.canary(), "note": self.canary()})
            made = self.secrets.create_secret(Name=f"{self.name('secret')}/{user}", SecretString=text, Description=self.canary(), Tags=self.tags(), **key)
            self.known(made["ARN"], made["ARN"].rsplit("-", 1)[-1])
            with self.where_it_can():
                self.secrets.put_resource_policy(SecretId=made["ARN"], ResourcePolicy=self.statement("lambda.amazonaws.com"))
        self.user, self.secret = user, made["ARN"]

    def roles(self):
        self.role_arns = []
        for kind in ("caller", "other"):
            path, name = f"/{self.name('path')}/", self.name(kind)
            role = self.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=self.statement("lambda.amazonaws.com"), Description=self.canary(), Tags=self.tags())
            self.iam.put_role_policy(RoleName=name, PolicyName=self.name("inline"), PolicyDocument=self.statement())
            made = self.iam.create_policy(PolicyName=self.name("policy"), PolicyDocument=self.statement(), Description=self.canary(), Tags=self.tags())
            self.iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
            self.role_arns.append(self.known(role["Role"]["Arn"]))
            self.known(role["Role"]["RoleId"])

    def deploy(self):
        elsewhere = self.name("host")
        variables = (
            {"DB_HOST": self.host, "DB_USER": self.user, "DB_PASSWORD": self.canary(), "DB_NAME": self.database, "API_KEY": self.canary(), "GREETING": f"hello, {self.canary()}"},
            {"DATABASE_URL": f"mysql://{self.user}:{self.canary()}@{self.host}:3306/{self.database}?note={self.canary()}", "SENTRY": f"https://{self.canary()}@sentry.example.com/1"},
            {"DB_HOST": f"{elsewhere}.example.org", "REDIS_URL": f"redis://:{self.canary()}@cache.example.org:6379", "JSON": json.dumps({"key": self.canary()})},
        )
        for at, given in enumerate(variables):
            name = self.name("function")
            made = self.functions.create_function(
                FunctionName=name, Runtime="python3.12", Role=self.role_arns[at % 2], Handler=f"{self.name('module')}.handler", Code={"ZipFile": package()},
                VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [self.function_group]}, Description=self.canary(),
                Environment={"Variables": given}, Tags={"Team": self.canary()},
            )
            self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
            self.known(made["FunctionArn"])
            with self.where_it_can():
                version = self.functions.publish_version(FunctionName=name, Description=self.canary())["Version"]
                self.functions.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version)
                self.functions.create_alias(FunctionName=name, Name=self.name("alias"), FunctionVersion=version, Description=self.canary())
            self.logs.create_log_group(logGroupName=f"/aws/lambda/{name}", tags={"Team": self.canary()})

    def others(self):
        """A proxy of someone else's, in front of the same database, and its log group; an alarm."""
        name, role = self.name("proxy"), self.name("proxyrole")
        made = self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=self.statement("rds.amazonaws.com"), Description=self.canary(), Tags=self.tags())["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=role, PolicyName=self.name("inline"), PolicyDocument=self.statement(resource=self.secret, action="secretsmanager:GetSecretValue"))
        with self.where_it_can():
            auth = {"AuthScheme": "SECRETS", "SecretArn": self.secret, "IAMAuth": "DISABLED", "Description": self.canary()}
            self.rds.create_db_proxy(
                DBProxyName=name, EngineFamily="MYSQL", RoleArn=made, VpcSubnetIds=self.subnets, VpcSecurityGroupIds=[self.database_group], Auth=[auth], Tags=self.tags(),
            )
        with self.where_it_can():
            self.rds.register_db_proxy_targets(DBProxyName=name, DBInstanceIdentifiers=[self.db])
        self.logs.create_log_group(logGroupName=f"/aws/rds/proxy/{name}", tags={"Team": self.canary()})
        with self.where_it_can():
            self.alarms.put_metric_alarm(
                AlarmName=self.name("alarm"), AlarmDescription=self.canary(), Namespace="AWS/RDS", MetricName="DatabaseConnections", Period=60,
                EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum", Tags=self.tags(),
                Dimensions=[{"Name": "DBInstanceIdentifier", "Value": self.db}],
            )


# Names in the sample account, and parts of them.
SAMPLE = (
    "my-instance", "my-cluster", "legacy-oracle", "app-functions", "reporting-functions", "billing-functions", "DBAppFunction", "InvoiceFunction",
    "OrdersFunction", "ReportsFunction", "ThumbnailFunction", "WebhookFunction", "c9akciq32abc", "shop-reports", "shop-pictures", "teams/billing",
    "hooks.example.com", "private-a", "private-b", "private-c", "public-a",
)


class Sample(Birds):
    """The sample account with other names, and canaries wherever people write."""

    def __init__(self, file):
        super().__init__()
        text = file.read_text("utf-8")
        for name in SAMPLE:
            text = text.replace(name, self.name("bird"))
        found = json.loads(text)
        world = found["world"]
        self.known(world)
        for kind in ("vpcs", "subnets", "groups"):
            for row in world["ec2"][kind].values():
                row["tags"]["Team"] = self.canary()
        for group in world["ec2"]["groups"].values():
            group["description"] = self.canary()
            for rule in group["rules"].values():
                rule["description"], rule["tags"]["Team"] = self.canary(), self.canary()
        for row in (*world["rds"]["instances"].values(), *world["rds"]["clusters"].values()):
            row["tags"]["Team"] = self.canary()
        for role in world["iam"]["roles"].values():
            if not role["path"].startswith("/aws-"):
                role["description"], role["tags"]["Team"] = self.canary(), self.canary()
                role["inline"]["mine"] = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": self.canary(), "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]})
        for secret in world["secrets"]["secrets"].values():
            # RDS's own secret is known by its description.
            secret["description"] = secret["description"] if secret["owner"] else self.canary()
            secret["tags"]["Team"] = self.canary()
            for version in secret["versions"]:
                version["*text"] = json.dumps(json.loads(version["*text"]) | {"note": self.canary()})
        for function in world["lambda"]["functions"].values():
            for row in (function["latest"], *function["versions"].values()):
                row["description"] = self.canary()
                row["environment"] = (row["environment"] or {}) | {"API_KEY": self.canary()}
            function["tags"]["Team"] = self.canary()
            for alias in function["aliases"].values():
                alias["description"] = self.canary()
        self.databases = sorted(world["rds"]["clusters"]) + [name for name, row in world["rds"]["instances"].items() if row["engine"] == "mysql"]
        file.write_text(json.dumps(found), "utf-8")

    def known(self, world):
        for kind in ("vpcs", "subnets", "groups"):
            self.named += list(world["ec2"][kind])
        rows = (*world["rds"]["instances"].values(), *world["rds"]["clusters"].values())
        self.named += [world["account"], *(row["resource_id"] for row in rows), *(row["id"] for row in world["iam"]["roles"].values() if not row["path"].startswith("/aws-"))]
        self.named += [row["cidr"].removesuffix("0/24") for row in world["ec2"]["subnets"].values()]
