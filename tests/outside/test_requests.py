"""The program's own requests, recorded on their way, each held to botocore's model of the operation's input."""

import concurrent.futures
import json
import tempfile
import time
import unittest

import botocore.session
import inputs
from account import against, client, program, served
from documents import allow, trust
from lens import Lens

FAST = 3600
# No request of their own: who creates with a role, with tags or under a key, or reads tags along, is asked for them.
NO_REQUEST = {
    "iam:PassRole", "secretsmanager:TagResource", "kms:GenerateDataKey", "kms:Decrypt", "lambda:ListTags", "logs:TagResource", "cloudwatch:TagResource",
}
# The newcomer's account has RDS's own role, and parameter groups that are AWS's own; no client can change that.
NOT_HERE = {"iam:CreateServiceLinkedRole", "rds:DescribeDBParameters", "rds:DescribeDBClusterParameters"}
FEATURES = "enable-iam-auth,inspect-secret,create-secret,generate-password,adopt,probe,log-retention,hand-over,canary,alarms,read-log"
# The permissions that are not called as signature and operation are.
WATCH = ("GetMetricData", "DescribeAlarms", "PutMetricAlarm", "DeleteAlarms", "ListTagsForResource", "ListMetrics", "GetDashboard", "PutDashboard",
         "DeleteDashboards")
ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"} | {f"monitoring:{call}": f"cloudwatch:{call}" for call in WATCH}
# AWS asks for no permission.
FREE = {"sts:GetCallerIdentity"}


class Bench:
    """An account, and the program against it through a recording lens."""

    def __init__(self, case, url, lens):
        self.case, self.url, self.lens = case, url, lens

    def __getattr__(self, service):
        return client({"functions": "lambda", "secrets": "secretsmanager"}.get(service, service), self.url)

    def run(self, *arguments, code=0):
        """Runs the program to its end, and gives what it asked for."""
        mark = len(self.lens.exchanges)
        run = against(self.lens.url, *arguments)
        self.case.assertEqual(code, run.returncode, f"{arguments}: {run.stderr}")
        return self.lens.since(mark)

    def up(self, database, *options):
        return self.run("up", "--db", database, "--yes", *options)

    def down(self, database, *options):
        return self.run("teardown", "--db", database, "--yes", *options)

    def round(self, database, *options):
        """All commands; the second `up`, the looks and the second `teardown` ask for no change."""
        self.up(database, *options)
        still = self.up(database, *options)
        still += self.run("status", "--db", database, "--exit-code") + self.run("status") + self.run("doctor", "--db", database)
        self.down(database)
        still += self.down(database)
        self.case.assertEqual([], [str(exchange) for exchange in still if exchange.changes])


def instance(bench):
    bench.round("my-instance")
    # The versions of functions that are named are asked for one by one.
    bench.run("up", "--db", "my-instance", "--function", "DBAppFunction", "--dry-run")


def canary(bench):
    """CloudWatch is asked before a function moves, and after; time runs too fast here for it to show anything."""
    bench.run("up", "--db", "my-instance", "--yes", "--canary", "--soak", "1s", "--timeout", "canary=2s", code=8)
    bench.down("my-instance")


def cluster(bench):
    bench.round("my-cluster", "--reader-endpoint", "always")


def settings(bench):
    bench.up("my-instance", "--max-connections-percent", 60, "--max-idle-connections-percent", 10, "--tag", "team=shop")
    more = ("--connection-borrow-timeout", 30, "--init-query", "SET x=1", "--session-pinning-filter", "EXCLUDE_VARIABLE_SETS")
    boundary = bench.iam.create_policy(PolicyName="boundary", PolicyDocument=allow("*"))["Policy"]["Arn"]
    bench.up("my-instance", "--permissions-boundary", boundary)
    bench.up("my-instance", "--idle-client-timeout", 900, "--no-require-tls", "--debug-logging", *more)


def secret(bench):
    """A secret with a key of the customer's is made, deleted, taken back and read."""
    key = bench.kms.create_key(Description="shop")["KeyMetadata"]["KeyId"]
    bench.kms.create_alias(AliasName="alias/shop", TargetKeyId=key)
    made = ("--create-secret", "--db-user", "app", "--generate-password", "--secret-kms-key", "alias/shop")
    bench.up("my-cluster", *made)
    bench.down("my-cluster")
    bench.up("my-cluster", *made)
    bench.up("my-cluster", *made, "--inspect-secret")


def end_to_end(bench):
    """The database's IAM authentication is turned on for the proxy, and off again."""
    bench.rds.modify_db_instance(DBInstanceIdentifier="my-instance", EnableIAMDatabaseAuthentication=False, ApplyImmediately=True)
    time.sleep(1)
    flags = ("--database-auth", "iam", "--client-auth", "iam", "--enable-iam-auth")
    bench.round("my-instance", *flags)
    bench.up("my-cluster", *flags)
    bench.down("my-cluster")


def drift(bench):
    """What was changed by hand is put back, and a policy's oldest version makes room for the sixth."""
    role, users = "my-instance-proxy-eu-central-1", ("app", "other", "third", "fourth", "fifth", "sixth")
    master = bench.rds.describe_db_instances(DBInstanceIdentifier="my-instance")["DBInstances"][0]["MasterUserSecret"]["SecretArn"]
    for user in users:
        # The functions' own user keeps its secret, and the other is for the user that is added.
        bench.up("my-instance", "--client-auth", "iam", "--db-user", user, "--secret", master, "--secret", "my-cluster/app")
        bench.iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust("ec2.amazonaws.com"))
        arn = next(row["Arn"] for row in bench.iam.list_policies(Scope="Local")["Policies"])
        bench.iam.untag_policy(PolicyArn=arn, TagKeys=["rdsproxy-setup:document"])
        group = bench.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["my-instance-db"]}])["SecurityGroups"][0]
        bench.rds.modify_db_proxy(DBProxyName="my-instance-proxy", SecurityGroups=[group["GroupId"]])


def closed_group(bench):
    """A function's group that lets nothing out gets the one rule that it needs, and loses it again."""
    group = bench.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["app-functions"]}])["SecurityGroups"][0]
    bench.ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    subnets = bench.rds.describe_db_subnet_groups(DBSubnetGroupName="private")["DBSubnetGroups"][0]["Subnets"]
    named = [text for subnet in subnets[:2] for text in ("--subnet", subnet["SubnetIdentifier"])]
    bench.round("my-instance", *named)


def by_hand(bench, names):
    """Proxies that someone else made."""
    subnets = bench.rds.describe_db_subnet_groups(DBSubnetGroupName="private")["DBSubnetGroups"][0]
    database = bench.rds.describe_db_instances(DBInstanceIdentifier="my-instance")["DBInstances"][0]
    secret = database["MasterUserSecret"]["SecretArn"]
    group = bench.ec2.create_security_group(GroupName="rdsproxy-1", Description="by the wizard", VpcId=subnets["VpcId"])["GroupId"]
    role = bench.iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=trust("rds.amazonaws.com"))["Role"]["Arn"]
    bench.iam.put_role_policy(RoleName="by-hand", PolicyName="read", PolicyDocument=allow("secretsmanager:GetSecretValue", secret))
    time.sleep(0.5)  # half an hour of the account: the role is known everywhere
    for name in names:
        bench.rds.create_db_proxy(
            DBProxyName=name, EngineFamily="MYSQL", RoleArn=role, RequireTLS=True, VpcSecurityGroupIds=[group],
            VpcSubnetIds=[subnet["SubnetIdentifier"] for subnet in subnets["Subnets"]],
            Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "REQUIRED"}],
        )


def adoption(bench):
    """A proxy of someone else's is borrowed and handed back."""
    by_hand(bench, ["by-hand"])
    bench.up("my-instance", "--name", "by-hand", "--adopt", "--client-auth", "iam")
    bench.down("my-instance", "--name", "by-hand")


def probe(bench):
    """A connection is proven by short-lived functions, before step 13 and on its own; a person's token is made of one read."""
    bench.up("my-instance", "--verify", "probe")
    bench.run("verify", "--db", "my-instance", "--probe", "--yes")
    bench.case.assertEqual(["rds:DescribeDBProxies"], [str(exchange) for exchange in bench.run("token", "--db", "my-instance", "--db-user", "admin")])
    bench.down("my-instance")


def advice(bench):
    """What a database needs: load, limits, prices and quotas are read, for one database and for all."""
    bench.functions.put_function_concurrency(FunctionName="DBAppFunction", ReservedConcurrentExecutions=5)
    # The account's own quota is asked for where the one that every account has is used up.
    by_hand(bench, [f"by-hand-{number}" for number in range(20)])
    bench.run("advise", "--db", "my-instance")
    bench.run("advise", "--all")


def watching(bench):
    """A proxy is watched: one reading is one call for all metrics."""
    for name in ("my-instance", "my-cluster"):
        bench.up(name)
        asked = [exchange.operation for exchange in bench.run("watch", "--db", name, "--once")]
        bench.case.assertEqual(1, asked.count("GetMetricData"), asked)


def alarms(bench):
    """A proxy is watched, repaired, and no longer watched; the teardown takes what is left."""
    bench.up("my-instance")
    time.sleep(0.5)  # half an hour of the account: the proxy has metrics
    bench.run("alarms", "--db", "my-instance", "--dashboard", "--yes")
    bench.run("alarms", "--db", "my-instance", "--threshold", "pool=90", "--yes")
    still = bench.run("alarms", "--db", "my-instance", "--yes") + bench.run("status", "--db", "my-instance")
    bench.case.assertEqual([], [str(exchange) for exchange in still if exchange.changes])
    bench.run("alarms", "--db", "my-instance", "--remove", "--yes")
    bench.run("alarms", "--db", "my-instance", "--dashboard", "--yes")
    bench.run("doctor", "--db", "my-instance", "--logs")
    bench.down("my-instance")


def direct_path(bench):
    """The functions' way around the proxy is closed, opened again before they use it, closed, and opened by the teardown."""
    bench.up("my-instance")
    for verb in ("restore", "teardown"):
        closed = bench.run("close-direct", "--db", "my-instance", "--yes")
        bench.case.assertEqual(["ec2:CreateTags", "ec2:RevokeSecurityGroupIngress"], [str(exchange) for exchange in closed if exchange.changes])
        opened = [str(exchange) for exchange in bench.run(verb, "--db", "my-instance", "--yes") if exchange.changes]
        bench.case.assertEqual("ec2:AuthorizeSecurityGroupIngress", opened[0], opened)
        bench.case.assertIn("ec2:DeleteTags", opened)
        if verb == "restore":
            bench.up("my-instance")


def log_group(bench):
    """The proxy's log group is made before the proxy, and goes with it."""
    bench.up("my-instance", "--log-retention", 30)
    bench.down("my-instance")


def exporting(bench):
    """A stack is written down, handed over and taken back; only the mark is a change."""
    bench.up("my-cluster", "--create-secret", "--db-user", "app", "--generate-password")
    with tempfile.TemporaryDirectory() as folder:
        for to in ("terraform", "cloudformation"):
            written = bench.run("export", "--db", "my-cluster", "--to", to, "--dir", f"{folder}/{to}")
            bench.case.assertEqual([], [str(exchange) for exchange in written if exchange.changes])
    marked = bench.run("export", "--db", "my-cluster", "--hand-over", "--yes")
    refused = bench.run("up", "--db", "my-cluster", "--yes", code=4) + bench.run("teardown", "--db", "my-cluster", "--yes", code=4)
    back = bench.run("export", "--db", "my-cluster", "--take-back", "--yes")
    changes = [str(exchange) for exchange in marked + refused + back if exchange.changes]
    bench.case.assertEqual(["rds:AddTagsToResource", "rds:RemoveTagsFromResource"], changes)


def rehearsing(bench):
    """A rehearsal asks, whatever it rehearses; of a function behind a proxy too."""
    asked = bench.run("rehearse", "--db", "my-instance", "--inspect-secret") + bench.run("rehearse", "--db", "my-cluster", "--sizing", "advise")
    bench.up("my-instance")
    asked += bench.run("rehearse", "--db", "my-cluster")
    bench.case.assertEqual([], [str(exchange) for exchange in asked if exchange.changes])
    bench.down("my-instance")


def refusals(bench):
    """What is named in vain is looked for, and the nearest is proposed."""
    bench.run("up", "--db", "my-cluster", "--secret", "my-cluster/ap", "--dry-run", code=4)
    bench.run("up", "--db", "legacy-oracle", "--dry-run", code=4)
    bench.run("up", "--db", "nothing", "--dry-run", code=4)


CASES = (instance, canary, cluster, settings, secret, end_to_end, drift, closed_group, adoption, probe, advice, watching, alarms, direct_path, log_group, rehearsing, refusals, exporting)


class Requests(unittest.TestCase):
    """Every request of the program."""

    maxDiff = None

    def recorded(self, case):
        """The exchanges of one case, in an account of its own."""
        with tempfile.TemporaryDirectory() as folder, served(folder, FAST) as url, Lens(url) as lens:
            case(Bench(self, url, lens))
        return lens.exchanges

    def test_every_request_is_one_that_aws_would_take(self):
        findings, asked = {}, set()
        with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
            runs = {case: pool.submit(self.recorded, case) for case in CASES}
        for case, run in runs.items():
            with self.subTest(case.__name__):
                for exchange in run.result():
                    asked.add(ACTIONS.get(str(exchange), str(exchange)))
                    for finding in exchange.findings:
                        findings.setdefault(finding, f"{case.__name__}: {exchange.body!r}")
        self.assertEqual({}, findings)
        printed = json.loads(program("permissions", "--for", "all", "--with", FEATURES, "--output", "json").stdout)["documents"]
        allowed = {action for document in printed for statement in document["Statement"] for action in statement["Action"]}
        self.assertEqual(NO_REQUEST | NOT_HERE, allowed - asked, "permissions of operations that no case asks for")
        self.assertEqual(FREE, asked - allowed, "operations without a permission")


class Checks(unittest.TestCase):
    """The check itself: what departs from a model is found."""

    def test_each_kind_of_departure_is_found(self):
        models = botocore.session.get_session().get_service_model
        form = (
            b"Action=CreateDBProxy&Version=2014-10-31&DBProxyName=-x&EngineFamily=ORACLE&Auth.member.2.AuthScheme=SECRETS"
            b"&VpcSubnetIds.member.1=subnet-1&RoleArn=arn:aws:iam::123456789012:role/x&Secret=x&IdleClientTimeout=soon"
        )
        name, found = inputs.request(models("rds"), "POST", "/", {}, form)
        self.assertEqual("CreateDBProxy", name)
        for part in ("'-x' does not match", "'ORACLE' is none of the enum", "Auth: numbered [2]", "Secret: unknown member", "'soon' is no integer"):
            self.assertTrue(any(part in finding for finding in found), f"{part}: {found}")
        body = b'{"Environment": {"Variables": {"1X": "y"}}, "MemorySize": 1, "Memory": 128, "Layers": "x"}'
        target = "/2015-03-31/functions/f/configuration"
        name, found = inputs.request(models("lambda"), "PUT", target, {}, body)
        self.assertEqual("UpdateFunctionConfiguration", name)
        for part in ("'1X' does not match", "1 is not within", "Memory: unknown member", "'x' is no list"):
            self.assertTrue(any(part in finding for finding in found), f"{part}: {found}")
        _, found = inputs.request(models("secretsmanager"), "POST", "/", {"X-Amz-Target": "secretsmanager.DescribeSecret"}, b"{}")
        self.assertEqual(["DescribeSecret: SecretId is required and missing"], found)


if __name__ == "__main__":
    unittest.main()
