"""An account made with boto3: a network, a database, a secret, roles and functions, and much of it someone else's."""

import json

from account import REGION, client
from documents import allow, package, trust

DATABASE = "shop-db"
SECRET = "shop-db/admin"
PASSWORD = "not-a-real-password"
PORT = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}


class Scene:
    """What the set-up made, and what is in the account now."""

    def __init__(self, url):
        self.ec2, self.rds, self.iam, self.secrets, self.functions = (
            client(service, url) for service in ("ec2", "rds", "iam", "secretsmanager", "lambda")
        )
        self.network()
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
            {**PORT, "UserIdGroupPairs": [{"GroupId": self.function_group, "Description": "theirs"}]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]},
        ]
        self.ec2.authorize_security_group_ingress(GroupId=self.database_group, IpPermissions=theirs)

    def database(self):
        text = json.dumps({"username": "admin", "password": PASSWORD})
        self.secret = self.secrets.create_secret(Name=SECRET, SecretString=text)["ARN"]
        self.rds.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=self.subnets)
        self.rds.create_db_instance(
            DBInstanceIdentifier=DATABASE, Engine="mysql", EngineVersion="8.0.40", DBInstanceClass="db.t3.medium", AllocatedStorage=20,
            MasterUsername="admin", MasterUserPassword=PASSWORD, DBSubnetGroupName="private", VpcSecurityGroupIds=[self.database_group],
            EnableIAMDatabaseAuthentication=True, Tags=[{"Key": "team", "Value": "shop"}],
        )
        self.host = self.rds.describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"][0]["Endpoint"]["Address"]

    def callers(self):
        self.role = self.iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
        self.iam.put_role_policy(RoleName="caller", PolicyName="theirs", PolicyDocument=allow("s3:ListAllMyBuckets"))
        arn = self.iam.create_policy(PolicyName="theirs", PolicyDocument=allow("s3:ListAllMyBuckets"))["Policy"]["Arn"]
        self.iam.attach_role_policy(RoleName="caller", PolicyArn=arn)
        self.variables = {
            "orders": {"DB_HOST": self.host, "STAGE": "prod"},
            "invoices": {"DATABASE_URL": f"mysql://{self.host}:3306/shop", "KEEP": "me"},
            "stranger": {"DB_HOST": "elsewhere.example.org"},
        }
        for name, variables in self.variables.items():
            self.functions.create_function(
                FunctionName=name, Runtime="python3.12", Role=self.role, Handler="app.handler", Code={"ZipFile": package()},
                VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [self.function_group]},
                Environment={"Variables": variables}, Tags={"team": "shop"},
            )
            self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def deploy(self, name, **variables):
        """Someone else adds variables to a function."""
        held = self.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        self.functions.update_function_configuration(FunctionName=name, Environment={"Variables": held | variables})
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def account(self):
        """Everything that the program could touch, by names and content."""
        return {
            "proxies": {row["DBProxyName"]: self.proxy(row) for row in self.rds.describe_db_proxies()["DBProxies"]},
            "database": self.rds.list_tags_for_resource(
                ResourceName=self.rds.describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"][0]["DBInstanceArn"]
            )["TagList"],
            "groups": {row["GroupId"]: self.group(row) for row in self.ec2.describe_security_groups()["SecurityGroups"]},
            "roles": {row["RoleName"]: self.grants(row["RoleName"]) for row in self.iam.list_roles()["Roles"]},
            "policies": sorted(row["PolicyName"] for row in self.iam.list_policies(Scope="Local")["Policies"]),
            "functions": {row["FunctionName"]: self.function(row["FunctionName"]) for row in self.functions.list_functions()["Functions"]},
            "secrets": {row["Name"]: row.get("Tags", []) for row in self.secrets.list_secrets()["SecretList"]},
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
