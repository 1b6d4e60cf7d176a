"""An account made with boto3: a network, a database, a secret, roles and functions, and much of it someone else's."""

import json

from account import REGION, client
from documents import allow, package, trust

PASSWORD = "not-a-real-password"


class Scene:
    """What the set-up made, and what is in the account now: an instance whose functions can log in with IAM tokens."""

    name, family, port, user, client_auth, target = "shop-db", "MYSQL", 3306, "admin", "iam", "RDS_INSTANCE"
    members = ()

    def __init__(self, url):
        self.ec2, self.rds, self.iam, self.secrets, self.functions, self.logs, self.cloudwatch = (
            client(service, url) for service in ("ec2", "rds", "iam", "secretsmanager", "lambda", "logs", "cloudwatch")
        )
        self.rule = {"IpProtocol": "tcp", "FromPort": self.port, "ToPort": self.port}
        self.secret_name = f"{self.name}/{self.user}"
        self.network()
        self.login()
        self.database()
        self.callers()

    def network(self):
        self.vpc = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=self.vpc, **{attribute: {"Value": True}})
        self.subnets = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.20.{at}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
            for at, zone in enumerate("ab")
        ]
        self.database_group, self.function_group = (
            self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"] for name in ("database", "functions")
        )
        # Rules of someone else's, one of them on the very port.
        theirs = [
            {**self.rule, "UserIdGroupPairs": [{"GroupId": self.function_group, "Description": "theirs"}]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]},
        ]
        self.ec2.authorize_security_group_ingress(GroupId=self.database_group, IpPermissions=theirs)

    def login(self):
        text = json.dumps({"username": self.user, "password": PASSWORD})
        self.secret = self.secrets.create_secret(Name=self.secret_name, SecretString=text)["ARN"]

    def database(self):
        self.rds.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=self.subnets)
        self.rds.create_db_instance(
            DBInstanceIdentifier=self.name, Engine="mysql", EngineVersion="8.0.40", DBInstanceClass="db.t3.medium", AllocatedStorage=20,
            MasterUsername=self.user, MasterUserPassword=PASSWORD, DBSubnetGroupName="private", VpcSecurityGroupIds=[self.database_group],
            EnableIAMDatabaseAuthentication=True, Tags=[{"Key": "team", "Value": "shop"}],
        )
        made = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]
        self.host, self.arns = made["Endpoint"]["Address"], [made["DBInstanceArn"]]

    def environments(self):
        return {
            "orders": {"DB_HOST": self.host, "STAGE": "prod"},
            "invoices": {"DATABASE_URL": f"mysql://{self.host}:3306/shop", "KEEP": "me"},
        }

    def callers(self):
        self.role = self.iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
        self.iam.put_role_policy(RoleName="caller", PolicyName="theirs", PolicyDocument=allow("s3:ListAllMyBuckets"))
        arn = self.iam.create_policy(PolicyName="theirs", PolicyDocument=allow("s3:ListAllMyBuckets"))["Policy"]["Arn"]
        self.iam.attach_role_policy(RoleName="caller", PolicyArn=arn)
        for name, variables in (self.environments() | {"stranger": {"DB_HOST": "elsewhere.example.org"}}).items():
            self.functions.create_function(
                FunctionName=name, Runtime="python3.12", Role=self.role, Handler="app.handler", Code={"ZipFile": package()},
                VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [self.function_group]},
                Environment={"Variables": variables}, Tags={"team": "shop"},
            )
            self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
            # As its first call would.
            self.logs.create_log_group(logGroupName=f"/aws/lambda/{name}")

    def deploy(self, name, **variables):
        """Someone else adds variables to a function."""
        held = self.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        self.functions.update_function_configuration(FunctionName=name, Environment={"Variables": held | variables})
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def account(self):
        """Everything that the program could touch, by names and content."""
        return {
            "proxies": {row["DBProxyName"]: self.proxy(row) for row in self.rds.describe_db_proxies()["DBProxies"]},
            "database": {arn: self.rds.list_tags_for_resource(ResourceName=arn)["TagList"] for arn in self.arns},
            "groups": {row["GroupId"]: self.group(row) for row in self.ec2.describe_security_groups()["SecurityGroups"]},
            "roles": {row["RoleName"]: self.grants(row["RoleName"]) for row in self.iam.list_roles()["Roles"]},
            "policies": sorted(row["PolicyName"] for row in self.iam.list_policies(Scope="Local")["Policies"]),
            "functions": {row["FunctionName"]: self.function(row["FunctionName"]) for row in self.functions.list_functions()["Functions"]},
            "secrets": {row["Name"]: row.get("Tags", []) for row in self.secrets.list_secrets()["SecretList"]},
            "logs": sorted(row["logGroupName"] for row in self.logs.describe_log_groups()["logGroups"]),
        }

    def proxy(self, row):
        targets = self.rds.describe_db_proxy_targets(DBProxyName=row["DBProxyName"])["Targets"]
        return {
            "role": row["RoleArn"].rsplit("/", 1)[-1],
            "family": row["EngineFamily"],
            "tls": row["RequireTLS"],
            "auth": [(auth["AuthScheme"], auth["SecretArn"], auth["IAMAuth"]) for auth in row["Auth"]],
            "subnets": sorted(row["VpcSubnetIds"]),
            "groups": row["VpcSecurityGroupIds"],
            "targets": [(target["RdsResourceId"], target["Type"], target["TargetHealth"]["State"]) for target in targets],
            "host": row["Endpoint"],
        }

    def group(self, row):
        def rules(permissions):
            for rule in permissions:
                ports = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
                yield from ((*ports, pair["GroupId"]) for pair in rule.get("UserIdGroupPairs", []))
                yield from ((*ports, block["CidrIp"]) for block in rule.get("IpRanges", []))

        return {"name": row["GroupName"], "in": sorted(rules(row["IpPermissions"])), "out": sorted(map(str, rules(row["IpPermissionsEgress"])))}

    def grants(self, role):
        inline = self.iam.list_role_policies(RoleName=role)["PolicyNames"]
        return {
            "trust": self.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"],
            "inline": {name: self.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in inline},
            "attached": sorted(row["PolicyName"] for row in self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]),
        }

    def function(self, name):
        found = self.functions.get_function(FunctionName=name)
        held = found["Configuration"]
        return {"variables": held["Environment"]["Variables"], "role": held["Role"], "handler": held["Handler"], "tags": found.get("Tags", {})}


class Cluster(Scene):
    """The same with an Aurora cluster of a writer and a reader, whose functions log in with a password."""

    name, family, port, user, client_auth, target = "stock-db", "POSTGRESQL", 5432, "postgres", "password", "TRACKED_CLUSTER"
    members = ("stock-db-1", "stock-db-2")

    def database(self):
        self.rds.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=self.subnets)
        self.rds.create_db_cluster(
            DBClusterIdentifier=self.name, Engine="aurora-postgresql", EngineVersion="15.10", Port=self.port, MasterUsername=self.user,
            MasterUserPassword=PASSWORD, DBSubnetGroupName="private", VpcSecurityGroupIds=[self.database_group],
            Tags=[{"Key": "team", "Value": "stock"}],
        )
        for member in self.members:
            self.rds.create_db_instance(
                DBInstanceIdentifier=member, DBClusterIdentifier=self.name, Engine="aurora-postgresql", DBInstanceClass="db.r6g.large",
                DBSubnetGroupName="private",
            )
        made = self.rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0]
        rows = (self.rds.describe_db_instances(DBInstanceIdentifier=member)["DBInstances"][0] for member in self.members)
        self.host, self.arns = made["Endpoint"], [made["DBClusterArn"], *(row["DBInstanceArn"] for row in rows)]

    def environments(self):
        return {
            "orders": {"DATABASE_URL": f"postgresql://shop:{PASSWORD}@{self.host}:5432/stock?sslmode=require", "STAGE": "prod"},
            "invoices": {"PGHOST": self.host, "PGUSER": "shop", "PGPASSWORD": PASSWORD, "KEEP": "me"},
        }
