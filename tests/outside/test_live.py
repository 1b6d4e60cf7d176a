"""The kit of the first real run, from its template to an account with nothing left in it. No real account is near: the emulator is ministack, and `stage.py`
adds what it lacks."""

import concurrent.futures
import contextlib
import fnmatch
import io
import itertools
import json
import os
import pathlib
import pty
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest
import zipfile
from unittest import mock

import yaml
from account import BINARY, KEYS, REGION, ROOT, client, environment
from emulators import ministack, moto
from stage import Stage

LIVE = ROOT / "tests" / "live"
sys.path.insert(0, str(LIVE))
from kit import cost, evidence, experiments, package  # noqa: E402
from kit.cycle import Cycle  # noqa: E402
from kit.program import Program  # noqa: E402
from kit.report import RESULTS, Report, document  # noqa: E402
from kit.stops import Missing  # noqa: E402

TOOLS = pathlib.Path(sys.executable).parent
TEMPLATE = LIVE / "template.yaml"
ACCOUNT = "000000000000"
HAS_REHEARSE = "\n  rehearse " in subprocess.run([BINARY, "--help"], capture_output=True, text=True, env=environment(), check=True).stdout
AT_ONCE = 5
# What CloudFormation's own handlers may need for what the template does not have: replicas, snapshots, buckets, file systems, layers, customer keys, policies on logs.
UNUSED = {
    "ec2:CreateVpcEncryptionControl", "elasticfilesystem:DescribeMountTargets", "firehose:TagDeliveryStream", "iam:AttachGroupPolicy", "iam:AttachUserPolicy", "iam:DetachGroupPolicy",
    "iam:DetachUserPolicy", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "lambda:AssociateRuntimeAlias", "lambda:GetLayerVersion", "lambda:PassCapacityProvider",
    "lambda:PutFunctionConcurrency", "lambda:PutFunctionRecursionConfig", "lambda:PutFunctionScalingConfig", "lambda:PutProvisionedConcurrencyConfig", "logs:CreateLogDelivery",
    "logs:DeleteDataProtectionPolicy", "logs:PutBearerTokenAuthentication", "logs:PutDataProtectionPolicy", "logs:PutIndexPolicy", "logs:PutResourcePolicy", "rds:AddRoleToDBCluster",
    "rds:AddRoleToDBInstance", "rds:CreateDBClusterSnapshot", "rds:CreateDBInstanceReadReplica", "rds:CreateDBSnapshot", "rds:EnableHttpEndpoint", "rds:RemoveFromGlobalCluster",
    "rds:RestoreDBClusterFromSnapshot", "rds:RestoreDBClusterToPointInTime", "rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime",
    "rds:StartDBInstanceAutomatedBackupsReplication", "s3:GetObject", "s3:GetObjectVersion", "s3:REST.PUT.OBJECT", "s3files:ListMountTargets",
    "secretsmanager:RemoveRegionsFromReplication", "secretsmanager:ReplicateSecretToRegions",
}


def allowed():
    """The actions of the policy that `--rights` prints."""
    printed = subprocess.run([sys.executable, LIVE / "main.py", "run", "--rights"], capture_output=True, text=True, check=True).stdout
    given = [statement["Action"] for statement in json.loads(printed)["Statement"]]
    return {action for actions in given for action in ([actions] if isinstance(actions, str) else actions)}


def lets(patterns, action):
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def setUpModule():
    folder = tempfile.TemporaryDirectory(prefix="live-")
    unittest.addModuleCleanup(folder.cleanup)
    Kit.home = folder.name


def lint(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "template.yaml")
        path.write_text(text)
        return subprocess.run([TOOLS / "cfn-lint", "--regions", REGION, "us-east-1", "--", path], capture_output=True, text=True, check=False)


class Loader(yaml.SafeLoader):
    """Reads a template's short forms as what they stand for."""


def short(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    return {name: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", short)


class Template(unittest.TestCase):
    """The CloudFormation template, beside what the whole run deploys of it."""

    def setUp(self):
        self.text = TEMPLATE.read_text()
        self.held = yaml.load(self.text, Loader)  # noqa: S506 - a safe loader with more tags

    def test_cfn_lint_finds_nothing_and_sees_what_is_wrong(self):
        found = lint(self.text)
        self.assertEqual((0, ""), (found.returncode, found.stdout + found.stderr))
        self.assertNotEqual(0, lint(self.text.replace("EnableDnsSupport: true", "EnableDnsSupports: true")).returncode)

    def test_it_fits_a_request_and_has_no_way_out_of_the_vpc(self):
        self.assertLess(len(self.text.encode()), 51_200)
        kinds = {row["Type"] for row in self.held["Resources"].values()}
        for kind in ("NatGateway", "InternetGateway", "VPCEndpoint", "Route"):
            self.assertNotIn(f"AWS::EC2::{kind}", kinds)

    def test_nothing_outlives_the_stack(self):
        for name, row in self.held["Resources"].items():
            self.assertIn(row.get("DeletionPolicy", "Delete"), ("Delete",), name)
            held = row["Properties"]
            if row["Type"].startswith("AWS::RDS::DB") and row["Type"] != "AWS::RDS::DBSubnetGroup":
                # The default for an instance is a snapshot, which stays and is billed.
                self.assertEqual("Delete", row["DeletionPolicy"], name)
                self.assertFalse(held.get("PubliclyAccessible", False), name)
                self.assertFalse(held.get("EnableCloudwatchLogsExports"), name)
            if row["Type"] == "AWS::IAM::Role":
                self.assertNotIn("logs:CreateLogGroup", json.dumps(held), name)
        functions = [row for row in self.held["Resources"].values() if row["Type"] == "AWS::Lambda::Function"]
        logs = [row["Properties"]["LogGroupName"]["Fn::Sub"] for row in self.held["Resources"].values() if row["Type"] == "AWS::Logs::LogGroup"]
        self.assertEqual(sorted(f"/aws/lambda/{row['Properties']['FunctionName']['Fn::Sub']}" for row in functions), sorted(logs))

    def test_no_password_is_in_the_template(self):
        for name, row in self.held["Resources"].items():
            for value in re.findall(r'"(?:MasterUserPassword|DB_PASSWORD|\w+_ADMIN|\w+_APP|DATABASE_URL)": (\{.*?\}|".*?")', json.dumps(row)):
                self.assertIn("{{resolve:secretsmanager:", value, name)

    def test_the_rights_that_are_printed_are_those_that_cloudformation_needs(self):
        """As the schema of each type says of its handlers."""
        from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

        needed = set()
        for kind in {row["Type"] for row in self.held["Resources"].values()}:
            handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema.get("handlers", {})
            needed |= {action for verb in ("create", "read", "delete") for action in handlers.get(verb, {}).get("permissions", [])}
        patterns = allowed()
        self.assertGreater(len(needed), 80)
        self.assertEqual(UNUSED, {action for action in needed if not lets(patterns, action)})

    def test_moto_deploys_what_it_knows_of_it(self):
        """Its CloudFormation has neither secrets nor versions, and knows no endpoint before an instance is there: network and log groups are left."""
        known = ("AWS::EC2::", "AWS::Logs::")
        kept = {name: row for name, row in self.held["Resources"].items() if row["Type"].startswith(known)}
        self.assertGreaterEqual(len(kept), 12)
        template = {key: held for key, held in self.held.items() if key not in ("Outputs", "Conditions")} | {"Resources": kept}
        with tempfile.TemporaryDirectory() as folder, moto(folder) as url:
            cloud, ec2 = client("cloudformation", url), client("ec2", url)
            zones = [{"ParameterKey": f"Zone{letter}", "ParameterValue": f"{REGION}{letter.lower()}"} for letter in "AB"]
            cloud.create_stack(StackName="rdsproxy-live-abc123", TemplateBody=json.dumps(template), Parameters=zones)
            self.assertEqual("CREATE_COMPLETE", cloud.describe_stacks(StackName="rdsproxy-live-abc123")["Stacks"][0]["StackStatus"])
            made = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in cloud.list_stack_resources(StackName="rdsproxy-live-abc123")["StackResourceSummaries"]}
            self.assertEqual(set(kept), set(made))
            groups = ec2.describe_security_groups(GroupIds=[made["DatabaseGroup"]])["SecurityGroups"]
            rules = {(rule["FromPort"], pair["GroupId"]) for rule in groups[0]["IpPermissions"] for pair in rule["UserIdGroupPairs"]}
            self.assertEqual({(3306, made["FunctionGroup"]), (5432, made["FunctionGroup"]), (3306, made["ExperimentGroup"])}, rules)
            cloud.delete_stack(StackName="rdsproxy-live-abc123")
            self.assertNotIn(made["Vpc"], [row["VpcId"] for row in ec2.describe_vpcs()["Vpcs"]])


class Evidence(unittest.TestCase):
    """What passes for a query through the proxy, and what does not."""

    PROXY, FUNCTION = "sg-proxy", "sg-function"
    ANSWER = {"ok": True, "value": 42, "engine": "postgresql", "host": "p.proxy-x.eu-central-1.rds.amazonaws.com", "client": "10.0.0.1", "peer": "10.0.0.2", "server": "10.0.0.3"}
    INTERFACES = [
        {"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.1", "Groups": [{"GroupId": PROXY}], "Description": "Network interface for DBProxy p"},
        {"NetworkInterfaceId": "eni-4", "PrivateIpAddress": "10.0.0.4", "Groups": [{"GroupId": FUNCTION}], "Description": "AWS Lambda VPC ENI-x"},
        {"NetworkInterfaceId": "eni-5", "PrivateIpAddress": "10.0.0.5", "Groups": [{"GroupId": PROXY}], "Description": "Network interface for DBProxy another"},
    ]

    def passes(self, judge, **changed):
        return all(point.held for point in judge({**self.ANSWER, **changed}))

    def through(self, answer):
        return evidence.through(answer, self.INTERFACES, self.ANSWER["host"], ("p", "prx-0"), self.PROXY)

    def direct(self, answer):
        return evidence.direct(answer, self.INTERFACES, "d.eu-central-1.rds.amazonaws.com", self.FUNCTION)

    def test_only_a_query_through_this_proxy_passes(self):
        self.assertTrue(self.passes(self.through))
        wrong = [
            {"ok": False, "error": "OperationalError", "message": "no"}, {"value": 41}, {"host": "d.eu-central-1.rds.amazonaws.com"}, {"client": "10.0.0.4"}, {"client": "10.0.0.5"},
            {"client": "10.0.0.9"}, {"client": None}, {"client": ""}, {"peer": "10.0.0.3"},
        ]
        for changed in wrong:
            self.assertFalse(self.passes(self.through, **changed), changed)

    def test_only_a_query_past_every_proxy_is_direct(self):
        right = {"host": "d.eu-central-1.rds.amazonaws.com", "client": "10.0.0.4", "peer": "10.0.0.3"}
        self.assertTrue(self.passes(self.direct, **right))
        for changed in ({"host": self.ANSWER["host"]}, {"client": "10.0.0.1"}, {"client": "10.0.0.9"}, {"ok": False}, {"value": None}):
            self.assertFalse(self.passes(self.direct, **{**right, **changed}), changed)

    def test_no_answer_is_both(self):
        hosts, addresses = (self.ANSWER["host"], "d.eu-central-1.rds.amazonaws.com"), ("10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.9")
        for host, address, peer, engine in itertools.product(hosts, addresses, ("10.0.0.2", "10.0.0.3"), ("mysql", "postgresql")):
            changed = {"host": host, "client": address, "peer": peer, "engine": engine}
            self.assertFalse(self.passes(self.through, **changed) and self.passes(self.direct, **changed), changed)


class Cost(unittest.TestCase):
    def test_every_price_has_a_source_and_what_is_uncertain_says_so(self):
        rows = json.loads((LIVE / "prices.json").read_text())["rows"]
        for row in rows:
            self.assertTrue(row["source"], row)
            self.assertGreater(row["price"], 0, row)
            self.assertTrue(row["date"] or row["source"].startswith("unverified"), row)
        # What is not of the Region, and what has no date.
        text = cost.text("eu-central-1", 5, engines=True, aurora=True)
        lines = [line for line in text.splitlines() if re.match(r"  +\d+\.\d\d  .* at [\d.]+", line)]
        self.assertEqual(7, len(lines), text)
        self.assertEqual([], [line for line in lines if "uncertain" not in line], "no price is known for this Region")
        self.assertNotIn("uncertain: ", cost.text("us-east-1", 5, engines=True))

    def test_a_usual_run_costs_a_dollar_or_two_at_most(self):
        self.assertLess(cost.most(cost.lines("eu-central-1", 5)), 2)
        self.assertLess(cost.most(cost.lines("us-east-1", 5)), 1)

    def test_more_hours_and_more_experiments_cost_more(self):
        amounts = [cost.most(cost.lines("eu-central-1", hours, **more)) for hours, more in ((3, {}), (5, {}), (5, {"aurora": True}), (5, {"aurora": True, "engines": True}))]
        self.assertEqual(sorted(amounts), amounts)
        self.assertEqual(len(amounts), len(set(amounts)))


class Package(unittest.TestCase):
    """The functions' code."""

    @classmethod
    def setUpClass(cls):
        cls.content = package.package(b"certificates")

    def test_the_same_input_gives_the_same_package(self):
        self.assertEqual(self.content, package.package(b"certificates"))
        names = zipfile.ZipFile(io.BytesIO(self.content)).namelist()
        for name in ("live.py", "rds.pem", "pymysql/__init__.py", "pg8000/__init__.py"):
            self.assertIn(name, names)
        self.assertFalse([name for name in names if name.startswith("/") or ".." in name])

    def test_every_driver_is_pinned_by_its_hash_and_is_pure_python(self):
        for line in package.REQUIRED.read_text().splitlines():
            self.assertRegex(line, r"^#|^[\w-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}$")
        self.assertEqual([], [wheel.name for wheel in package.wheels() if not wheel.name.endswith("-none-any.whl")])

    def test_the_script_runs_with_what_these_tests_run_with(self):
        pinned = (ROOT / "tests" / "outside" / "requirements.txt").read_text()
        for line in (LIVE / "requirements.txt").read_text().splitlines():
            self.assertIn(line.rstrip(" \\"), pinned)

    def test_the_code_runs_with_its_drivers_alone_and_says_no_password(self):
        canary = "C4n4ry-0f-4-p4ssw0rd"
        with tempfile.TemporaryDirectory() as folder:
            zipfile.ZipFile(io.BytesIO(self.content)).extractall(folder)
            code = (
                "import json, live; "
                "print(json.dumps([live.handler({}, None), live.handler({'do': 'users', 'engine': 'postgresql', 'host': '127.0.0.1', 'port': 1}, None)])); "
                "hidden = []; live.settings(hidden); print(live.said(ValueError(f'near {hidden[0]} at'), hidden))"
            )
            variables = {"DATABASE_URL": f"postgresql://app:{canary}@127.0.0.1:1/live", "POSTGRESQL_ADMIN": canary, "POSTGRESQL_APP": canary, "PATH": os.environ["PATH"]}
            done = subprocess.run([sys.executable, "-S", "-c", code], cwd=folder, env=variables, capture_output=True, text=True, check=False)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            told = json.loads(done.stdout.splitlines()[0])
            self.assertEqual(["ConnectionRefusedError"] * 2, [answer["error"] for answer in told])
            self.assertIn("near … at", done.stdout)
            self.assertNotIn(canary, done.stdout)

    def test_a_verifier_is_what_postgresql_computes(self):
        """RFC 7677's example has the stored and the server key of `pencil`, with a salt and rounds of its own."""
        with tempfile.TemporaryDirectory() as folder:
            zipfile.ZipFile(io.BytesIO(self.content)).extractall(folder)
            code = (
                "import base64, live, hashlib, hmac; live.secrets.token_bytes = lambda _: base64.b64decode('W22ZaJ0SNY7soEsUEjb6gQ=='); made = live.verifier('pencil'); "
                "_, rest, keys = made.split('$'); proof = base64.b64decode('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='); "
                "message = b'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'; "
                "stored, served = (base64.b64decode(part) for part in keys.split(':')); signed = hmac.digest(stored, message, 'sha256'); "
                "key = bytes(a ^ b for a, b in zip(proof, signed)); print(rest.split(':')[0], hashlib.sha256(key).digest() == stored, "
                "base64.b64encode(hmac.digest(served, message, 'sha256')).decode())"
            )
            done = subprocess.run([sys.executable, "-S", "-c", code], cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual("4096 True 6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\n", done.stdout, done.stderr)


LISTS = {
    "rds": ("describe_db_proxies", "describe_db_instances", "describe_db_clusters", "describe_db_subnet_groups", "describe_db_snapshots"),
    "lambda": ("list_functions",), "iam": ("list_roles",), "secretsmanager": ("list_secrets",), "logs": ("describe_log_groups",),
    "ec2": ("describe_vpcs", "describe_subnets", "describe_security_groups", "describe_network_interfaces"), "cloudformation": ("list_exports",),
}


def remains(url, prefix):
    """What is in the emulator under a prefix: looked at here, and not by the kit's own eyes."""
    found = []
    for service, operations in LISTS.items():
        for operation in operations:
            for rows in getattr(client(service, url), operation)().values():
                for row in rows if isinstance(rows, list) else []:
                    if prefix in json.dumps(row, default=str):
                        found.append((operation, json.dumps(row, default=str)[:300]))
    for row in client("iam", url).list_policies(Scope="Local")["Policies"]:
        if prefix in row["Arn"]:
            found.append(("list_policies", row["Arn"]))
    for row in client("cloudformation", url).describe_stacks()["Stacks"]:
        if prefix in row["StackName"] and row["StackStatus"] != "DELETE_COMPLETE":
            found.append(("describe_stacks", row["StackStatus"]))
    return found


class Kit:
    """One run of the script, line by line."""

    numbers = itertools.count(1)

    def __init__(self, url, *arguments, command="run", account=ACCOUNT, identity=None, typed=None, variables=()):
        self.identity = identity or f"t{next(self.numbers):05}"
        self.prefix, self.folder = f"rdsproxy-live-{self.identity}", tempfile.mkdtemp(dir=self.home)
        words = [sys.executable, LIVE / "main.py", command, "--account", account, "--region", REGION, *(("--endpoint-url", url) if url else ()), "--id", self.identity, "--folder", self.folder]
        words += ["--program", BINARY] if command == "run" else []
        given = {}
        if typed is not None:
            self.terminal, given["stdin"] = pty.openpty()
            os.write(self.terminal, typed.encode())
        self.process = subprocess.Popen(
            [*map(str, words), *arguments], env={**environment(), "PYTHONDONTWRITEBYTECODE": "1", **dict(variables)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            **{"stdin": subprocess.DEVNULL, **given},
        )
        self.lines = []

    def until(self, text):
        """Reads on until a line begins so; whether there is one."""
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith(text):
                return True
        return False

    def ended(self):
        self.lines += self.process.stdout.readlines()
        self.process.stdout.close()
        return self.process.wait(), "".join(self.lines)

    def results(self):
        return json.loads(pathlib.Path(self.folder, "results.json").read_text())

    def files(self):
        return {path.name: path.read_text() for path in sorted(pathlib.Path(self.folder).iterdir())}


class Emulated(unittest.TestCase):
    """With one emulator for all runs of a class, as an account has many things at once."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.held = contextlib.ExitStack()
        cls.addClassCleanup(cls.held.close)
        cls.upstream = cls.held.enter_context(ministack(cls.held.enter_context(tempfile.TemporaryDirectory())))
        cls.stage = cls.held.enter_context(Stage(cls.upstream))

    def is_clean(self, kit, told):
        self.assertEqual([], remains(self.upstream, kit.prefix), told)
        self.assertIn("Nothing is left in the account", told)


class Whole(Emulated):
    """The whole run, once, and everything that is to be seen of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = RESULTS.read_text()
        cls.kit = Kit(cls.stage.url, "--yes")
        cls.code, cls.told = cls.kit.ended()
        cls.results = cls.kit.results()

    def test_every_row_passes_and_what_is_missing_is_named(self):
        rows = {row["name"]: row["status"] for row in self.results["rows"]}
        expected = {"create the stack", "upload the functions", "publish a version and its alias"}
        expected |= {experiments.title(number) for number in experiments.ALL if number not in experiments.DEARER}
        for name in ("mysql", "postgres"):
            expected |= {f"create the users of {name}", *Cycle.__new__(Cycle).named(name)}
        self.assertEqual(expected, set(rows))
        missing = set() if HAS_REHEARSE else {"mysql: rehearse", "postgres: rehearse"}
        self.assertEqual(missing, {name for name, status in rows.items() if status == "missing"}, self.told)
        self.assertEqual(set(), {name for name, status in rows.items() if status not in ("passed", "missing")}, self.told)
        self.assertEqual(2 if missing else 0, self.code, self.told)
        for name in missing:
            self.assertRegex(self.told, f"missing  {name}: this program has no `rehearse`")

    def test_nothing_is_left(self):
        self.is_clean(self.kit, self.told)

    def test_every_experiment_records_a_question_what_was_done_and_what_was_seen(self):
        self.assertEqual(sorted(set(experiments.ALL) - experiments.DEARER), sorted(one["number"] for one in self.results["experiments"]))
        for one in self.results["experiments"]:
            self.assertTrue(one["question"].endswith("?") and one["done"] and one["seen"], one)

    def test_an_emulator_never_passes_for_an_account(self):
        self.assertEqual(self.page, RESULTS.read_text())
        self.assertIn("NO REAL ACCOUNT", self.told)
        self.assertIn("**This is no real account**", self.kit.files()["live-results.md"])

    def test_the_page_of_results_has_no_account_number(self):
        for name in ("live-results.md", "results.json"):
            self.assertNotIn(ACCOUNT, self.kit.files()[name])

    def test_no_password_is_printed_or_stored(self):
        self.assertGreaterEqual(len(self.stage.canaries), 4)
        texts = {**self.kit.files(), "stdout": self.told}
        for canary in self.stage.canaries:
            for name, text in texts.items():
                self.assertNotIn(canary, text, name)
        self.assertNotIn("GetSecretValue", {exchange.operation for exchange in self.stage.exchanges if exchange.service == "secretsmanager"})

    def test_the_rights_that_are_printed_are_enough(self):
        prefixes, names = {"monitoring": "cloudwatch", "tagging": "tag"}, {"Invoke": "InvokeFunction"}
        asked = {
            f"{prefixes.get(exchange.service, exchange.service)}:{names.get(exchange.operation, exchange.operation)}"
            for exchange in self.stage.exchanges if exchange.headers.get("user-agent", "").startswith("Boto3/")
        }
        self.assertGreater(len(asked), 40)
        # Nobody needs a right to ask who they are.
        patterns = allowed()
        self.assertEqual([], [action for action in asked - {"sts:GetCallerIdentity"} if not lets(patterns, action)])

    def test_the_cycle_of_mysql_runs_under_the_role_of_experiment_1(self):
        made = {}
        for exchange in self.stage.exchanges:
            name = re.search(rb"DBProxyName=([\w-]+)", exchange.body)
            if exchange.service == "rds" and exchange.operation == "CreateDBProxy" and not exchange.headers.get("user-agent", "").startswith("Boto3/"):
                made.setdefault(name[1].decode(), set()).add(re.search(r"Credential=([^/]+)/", exchange.headers["authorization"])[1])
        own = KEYS["AWS_ACCESS_KEY_ID"]
        self.assertNotIn(own, made[f"{self.kit.prefix}-mysql-proxy"])
        self.assertEqual({own}, made[f"{self.kit.prefix}-postgres-proxy"])

    def test_what_the_emulator_lacks_is_known_by_name(self):
        self.assertEqual(set(self.stage.deviations) | {"a function of a stack is in no VPC"}, set(self.stage.seen))


# A program of the future, in front of the one of today: it has `rehearse`, and `up` has `--record`.
SHIM = """#!{python}
import pathlib, subprocess, sys
words = sys.argv[1:]
if "rehearse" in words:
    print("Rehearses" if "--help" in words else '{{"rehearsed": true}}')
    sys.exit(0)
if "--record" in words:
    at = words.index("--record")
    pathlib.Path(words[at + 1]).write_text("recorded")
    del words[at : at + 2]
done = subprocess.run([{binary!r}, *words], check=False)
if words[0] == "up" and "--help" in words:
    print("      --record <FILE>  Record")
sys.exit(done.returncode)
"""


class Clock(unittest.TestCase):
    """A stop is not lost where Python drops what a signal's handler raises."""

    def test_a_stop_that_a_callback_swallows_strikes_again(self):
        code = (
            "import os, signal, time\n"
            "from kit.clock import limited\n"
            "from kit.stops import Interrupted, TimeUp\n"
            "class Swallows:\n"
            "    def __del__(self):\n"
            "        os.kill(os.getpid(), signal.SIGTERM)\n"
            "        time.sleep(0.1)\n"
            "began = time.monotonic()\n"
            "try:\n"
            "    with limited(60):\n"
            "        Swallows()\n"
            "        print('swallowed', flush=True)\n"
            "        time.sleep(30)\n"
            "except Interrupted as stop:\n"
            "    print(stop, time.monotonic() - began < 10)\n"
            "time.sleep(1.5)\n"
            "try:\n"
            "    with limited(0.2, interruptible=False):\n"
            "        os.kill(os.getpid(), signal.SIGTERM)\n"
            "        time.sleep(30)\n"
            "except TimeUp:\n"
            "    print('time')\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=LIVE, env={**environment(), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual("swallowed\nSIGTERM True\ntime\n", done.stdout, done.stderr)


class Detected(unittest.TestCase):
    """What the script asks the program's help for."""

    def test_rehearse_and_record_are_used_where_the_program_has_them_and_named_where_not(self):
        with tempfile.TemporaryDirectory() as folder:
            shim = pathlib.Path(folder, "rdsproxy-setup")
            shim.write_text(SHIM.format(python=sys.executable, binary=str(BINARY)))
            shim.chmod(0o755)
            account = types.SimpleNamespace(region=REGION, endpoint_url="http://127.0.0.1:1", profile=None, credentials=None)
            variables = {"RDSPROXY_SANDBOX": "1", "AWS_MAX_ATTEMPTS": "1", **KEYS}
            with mock.patch.dict(os.environ, variables):
                future, today = (Program(path, account, Report(pathlib.Path(folder, name))) for path, name in ((shim, "future"), (BINARY, "today")))
                self.assertTrue(future.has("rehearse"))
                self.assertEqual({"rehearsed": True}, future.run("rehearsal", "rehearse", "--db", "x").exits(0).document)
                done = future.run("up", "up", "--db", "x", "--dry-run")
                # The variable would have led it to a simulated account; it went to the endpoint, where nothing listens.
                self.assertNotEqual(0, done.code)
                self.assertEqual(["recorded"], [path.read_text() for path in pathlib.Path(folder, "future").glob("*-up.recording.jsonl")])
                if not HAS_REHEARSE:
                    with self.assertRaisesRegex(Missing, "this program has no `rehearse`"):
                        today.run("rehearsal", "rehearse", "--db", "x")


class Page(unittest.TestCase):
    def test_the_page_of_results_says_that_there_are_none(self):
        """Until someone with an account runs it; then this test is theirs to change."""
        self.assertEqual(document(None), RESULTS.read_text())
        self.assertIn("No run has happened yet", RESULTS.read_text())


class Refused(Emulated):
    """What ends before anything is created."""

    def nothing_happened(self, kit, code, why):
        ended, told = kit.ended()
        self.assertEqual(code, ended, told)
        self.assertIn(why, told)
        self.assertIn("Nothing was created or deleted", told)
        self.assertEqual([], [str(exchange) for exchange in self.stage.exchanges if exchange.changes and exchange.service != "sts"])
        self.assertEqual([], remains(self.upstream, kit.prefix))
        return told

    def test_another_account_than_the_credentials_are_for(self):
        self.nothing_happened(Kit(self.stage.url, "--yes", account="123456789012"), 4, "are for account 000000000000, and --account says 123456789012")
        self.nothing_happened(Kit(self.stage.url, "--yes", account="123456789012", command="clean"), 4, "are for account 000000000000")
        self.assertEqual({"sts"}, {exchange.service for exchange in self.stage.exchanges})

    def test_an_emulator_that_only_a_variable_names(self):
        """Otherwise its rows would be taken for those of a real account."""
        variables = {"AWS_ENDPOINT_URL": self.stage.url}
        self.nothing_happened(Kit(None, "--yes", variables=variables), 4, "sts is at 127.0.0.1, which is not AWS")

    def test_consent_that_is_not_given(self):
        for typed in ("no\n", "\n", "yes\n"):
            told = self.nothing_happened(Kit(self.stage.url, typed=typed), 4, "not confirmed")
            self.assertIn("Expected cost in", told.split("Type the account's number")[0])
        self.nothing_happened(Kit(self.stage.url), 4, "there is no terminal to ask at")

    def test_settings_that_make_no_sense(self):
        self.nothing_happened(Kit(self.stage.url, "--yes", "--experiments", "11"), 4, "--experiments takes numbers from 1 to 10")
        self.nothing_happened(Kit(self.stage.url, "--yes", "--databases", "oracle"), 4, "--databases takes mysql and postgres")
        self.nothing_happened(Kit("http://example.org", "--yes"), 4, "--endpoint-url is for emulators on this machine")
        self.nothing_happened(Kit(self.stage.url, "--yes", account="12"), 4, "--account takes the twelve digits")


class Stopped(Emulated):
    """Wherever a run ends, nothing is left."""

    CHOSEN = ("--yes", "--databases", "mysql", "--experiments", "1,4,8,9")

    def rows(self):
        return [
            "create the stack", "upload the functions", "publish a version and its alias", "create the users of mysql", experiments.title(1), *Cycle.__new__(Cycle).named("mysql"),
            *map(experiments.title, (4, 8, 9)),
        ]

    def one(self, at, row, number):
        kit = Kit(self.stage.url, *self.CHOSEN)
        self.assertTrue(kit.until(f"-> {row}"), f"{row}: {''.join(kit.lines)}")
        time.sleep(random.Random(at).uniform(0, 0.7))
        kit.process.send_signal(number)
        # A second one, as an impatient person sends it, and a third during the clean-up.
        threading.Timer(0.3, kit.process.send_signal, [signal.SIGINT]).start()
        threading.Timer(1, kit.process.send_signal, [signal.SIGTERM]).start()
        code, told = kit.ended()
        return kit, code, told

    def test_a_signal_at_every_row_cleans_up(self):
        rows = self.rows()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            numbers = itertools.cycle((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
            runs = {row: pool.submit(self.one, at, row, number) for at, (row, number) in enumerate(zip(rows, numbers))}
            for row, run in runs.items():
                with self.subTest(row=row):
                    kit, code, told = run.result()
                    self.is_clean(kit, told)
                    self.assertEqual(130, code, told)
                    held = {one["name"]: one["status"] for one in kit.results()["rows"]}
                    self.assertEqual(set(rows), set(held), "rows that the run did not come to are named")
                    # Some rows take less time than a signal.
                    self.assertLess(sum(status == "passed" for status in held.values()), len(rows))
                    self.assertTrue({"interrupted", "not run"} & set(held.values()))

    def test_the_time_limit_cleans_up(self):
        for minutes in ("0.02", "0.15"):
            kit = Kit(self.stage.url, "--databases", "postgres", "--experiments", "none", "--time-limit", minutes, typed=f"{ACCOUNT}\n")
            code, told = kit.ended()
            self.is_clean(kit, told)
            self.assertEqual(1, code, told)
            self.assertIn("the time limit of", told)
            self.assertIn("not run  postgres: teardown: the time limit was reached", told)

    def test_what_a_killed_script_leaves_is_found_and_cleaned(self):
        kit = Kit(self.stage.url, "--yes", "--databases", "postgres", "--experiments", "1")
        self.assertTrue(kit.until("-> postgres: up --verify probe, resumed"))
        time.sleep(1)
        kit.process.kill()
        kit.ended()
        self.assertNotEqual([], remains(self.upstream, kit.prefix))
        # The program ends with the script, and not by itself in the midst of the clean-up.
        time.sleep(2)
        mark = len(self.stage.exchanges)
        code, told = Kit(self.stage.url, command="clean", identity=kit.identity).ended()
        self.assertEqual(4, code, told)
        self.assertIn(f"stack {kit.prefix}", told)
        self.assertEqual([], [str(exchange) for exchange in self.stage.since(mark) if exchange.changes and kit.prefix.encode() in exchange.body])
        code, told = Kit(self.stage.url, "--yes", command="clean", identity=kit.identity).ended()
        self.assertEqual(0, code, told)
        self.is_clean(kit, told)

    def test_a_clean_up_that_is_refused_goes_on_and_tries_again(self):
        with Stage(self.upstream) as stage:
            stage.refused = {"DeleteStack": 2, "DeleteRole": 1, "DescribeDBProxies": 1}
            kit = Kit(stage.url, "--yes", "--databases", "mysql", "--experiments", "1")
            self.assertTrue(kit.until("-> mysql: the functions reach the database itself"))
            kit.process.terminate()
            code, told = kit.ended()
        self.assertEqual({"DeleteStack": 0, "DeleteRole": 0, "DescribeDBProxies": 0}, stage.refused)
        self.assertEqual(130, code, told)
        self.is_clean(kit, told)

    def test_what_cannot_be_deleted_is_named(self):
        with Stage(self.upstream) as stage:
            kit = Kit(stage.url, "--yes", "--databases", "mysql", "--experiments", "none")
            self.assertTrue(kit.until("-> upload the functions"))
            stage.refused = {"DeleteStack": 100, "DeleteDBInstance": 1000}
            kit.process.terminate()
            code, told = kit.ended()
        self.assertEqual(3, code, told)
        self.assertIn("LEFT IN THE ACCOUNT", told)
        self.assertIn(f"  stack {kit.prefix}\n", told)
        self.assertIn(f"tests/live/clean --account {ACCOUNT} --region {REGION} --id {kit.identity}", told)
        code, told = Kit(self.stage.url, "--yes", command="clean", identity=kit.identity).ended()
        self.assertEqual(0, code, told)
        self.is_clean(kit, told)

    def test_a_function_that_goes_past_the_proxy_is_caught(self):
        with Stage(self.upstream, bypass=True) as stage:
            kit = Kit(stage.url, "--yes", "--databases", "postgres", "--experiments", "none")
            code, told = kit.ended()
        held = {row["name"]: row["status"] for row in kit.results()["rows"]}
        for row in ("the functions go through the proxy", "CloudWatch counts their connections at the proxy"):
            self.assertEqual("failed", held[f"postgres: {row}"], told)
        self.assertEqual(1, code, told)
        self.is_clean(kit, told)

    def test_without_a_data_plane_the_rows_that_need_one_fail_by_name(self):
        """The bare emulator runs the functions' own code with its drivers; their hosts are nowhere."""
        kit = Kit(self.upstream, "--yes", "--databases", "postgres", "--experiments", "none")
        code, told = kit.ended()
        held = {row["name"]: row["seen"] for row in kit.results()["rows"] if row["status"] == "failed"}
        self.assertRegex(held["create the users of postgres"], "gaierror")
        self.assertRegex(held["postgres: the functions reach the database itself"], "password: the query succeeded \\(gaierror")
        self.assertEqual(1, code, told)
        self.is_clean(kit, told)


if __name__ == "__main__":
    unittest.main()
