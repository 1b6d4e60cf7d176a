"""The ten experiments: what AWS does where nobody here has seen it. Each records a question, what was done and what was seen."""

import contextlib
import json
import secrets
import time
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from kit.account import code, tags
from kit.clock import wait_until
from kit.evidence import DESCRIBED
from kit.functions import created, invoke
from kit.leftovers import OURS
from kit.stops import Failed, Missing

AVAILABLE = 25 * 60
DELETED = 70 * 60
# Those that cost more than the rest, and need their own databases.
DEARER = {5, 6}


class Lab:
    """What the experiments share."""

    def __init__(self, stack, program, report, mysql):
        self.stack, self.account, self.program, self.report, self.mysql = stack, stack.account, program, report, mysql
        self.rds, self.ec2 = self.account.client("rds"), self.account.client("ec2")
        self.operator = None

    def subnets(self, key="Subnets"):
        return self.stack.outputs[key].split(",")

    def name(self, number):
        return f"{self.stack.name}-x{number}"

    def proxy(self, name, subnets=None, group=None, secret="MysqlAppSecret", **auth):
        """Asks for a proxy; the moment when it was asked for."""
        began = time.monotonic()
        self.account.asked(
            self.rds.create_db_proxy, DBProxyName=name, EngineFamily="MYSQL", RoleArn=self.stack.outputs["ExperimentRole"], VpcSubnetIds=subnets or self.subnets(),
            VpcSecurityGroupIds=[group or self.stack.outputs["ExperimentGroup"]], Tags=tags(self.stack.run),
            Auth=[{"AuthScheme": "SECRETS", "SecretArn": self.stack.outputs[secret], "IAMAuth": "DISABLED", **auth}],
        )
        return began

    def row(self, name):
        try:
            return self.rds.describe_db_proxies(DBProxyName=name)["DBProxies"][0]
        except ClientError as error:
            if code(error) == "DBProxyNotFoundFault":
                return None
            raise

    def available(self, name):
        return wait_until(lambda: (self.row(name) or {}).get("Status") == "available", self.account.pause, self.account.patience(AVAILABLE))

    def targets(self, name):
        try:
            rows = self.rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]
        except ClientError as error:
            return code(error)
        return [{"id": row.get("RdsResourceId"), "type": row.get("Type"), "role": row.get("Role"), **row.get("TargetHealth", {})} for row in rows]

    def register(self, name, **target):
        try:
            self.rds.register_db_proxy_targets(DBProxyName=name, **target)
            return "accepted"
        except ClientError as error:
            return f"{code(error)}: {error.response['Error'].get('Message', '')}"

    def registered(self, name, **target):
        """Registers a target as soon as RDS takes it."""
        return wait_until(lambda: self.register(name, **target) == "accepted", self.account.pause, self.account.patience(300))

    def gone(self, name):
        return wait_until(lambda: self.row(name) is None, self.account.pause, self.account.patience(DELETED))

    @contextlib.contextmanager
    def temporary(self, name):
        """A proxy of an experiment, deleted with the block; the clean-up finds what this cannot delete."""
        try:
            yield
        finally:
            with contextlib.suppress(BotoCoreError, ClientError):
                self.rds.delete_db_proxy(DBProxyName=name)

    def interfaces(self, name):
        rows = self.account.all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": "vpc-id", "Values": [self.stack.outputs["VpcId"]]}])
        return [row["NetworkInterfaceId"] for row in rows if row.get("Description") == f"{DESCRIBED}{name}"]

    def changes(self, look, until, pause, limit):
        """What a look shows each time that it shows something new, with the seconds since the first."""
        began, seen = time.monotonic(), []

        def again():
            shown = json.dumps(look(), default=str)
            if not seen or seen[-1][1] != shown:
                seen.append((round(time.monotonic() - began), shown))
            return until()

        wait_until(again, min(self.account.pause, pause), self.account.patience(limit))
        return [f"after {at} s: {shown}" for at, shown in seen]


def experiment_01(lab, done, seen):
    """Can the printed permissions be stored as policies, and are they enough for the whole cycle?"""
    told = lab.program.run("permissions", "permissions", "--for", "all", "--db", lab.mysql.identifier, "--account", lab.account.number, "--with", "probe").exits(0).document
    iam, path, name = lab.account.client("iam"), f"{OURS}{lab.stack.name}/", f"{lab.stack.name}-operator"
    external = secrets.token_hex(16)
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:{lab.account.partition}:iam::{lab.account.number}:root"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": external}}}],
    }
    role = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust), Tags=tags(lab.stack.run))["Role"]["Arn"]
    for at, document in enumerate(told["documents"]):
        text = json.dumps(document, separators=(",", ":"))
        arn = iam.create_policy(PolicyName=f"{name}-{at}", Path=path, PolicyDocument=text, Tags=tags(lab.stack.run))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        done.append(f"create-policy with document {at + 1} of {len(told['documents'])}, {len(text)} characters, and attached it to a role")
    # A new role, and what is attached to it, count after some seconds.
    lab.operator = wait_until(lambda: assumed(lab, role, external), lab.account.pause, lab.account.patience(120))
    if not lab.operator:
        raise Failed("the role cannot be assumed after two minutes")
    time.sleep(min(lab.account.pause, 10))
    lab.mysql.acting = lambda: lab.account.assumed(role, external)
    done.append("carried out the cycle of the MySQL database under that role")
    seen.append("stored; whether they are enough, the rows of the MySQL database show")


def assumed(lab, role, external):
    try:
        return lab.account.assumed(role, external)
    except ClientError:
        return None


def experiment_02(lab, done, seen):
    """Does GetFunction show tags to that role?"""
    if not lab.operator:
        raise Missing("needs experiment 1")
    asked = lab.operator.client("lambda").get_function(FunctionName=lab.stack.function("token"))
    done.append("get-function under the role of experiment 1, Tags and TagsError alone")
    seen.append(f"Tags: {sorted(asked['Tags']) if 'Tags' in asked else 'absent'}; TagsError: {asked.get('TagsError', 'absent')}")


def experiment_03(lab, done, seen):
    """What does SimulatePrincipalPolicy say with and without aws:RequestedRegion, where a Region is fenced?"""
    iam = lab.account.client("iam")
    user = f"arn:{lab.account.partition}:rds-db:{lab.account.region}:{lab.account.number}:dbuser:{lab.stack.outputs['MysqlResource']}/token"
    for context in ([], [{"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": [lab.account.region], "ContextKeyType": "string"}]):
        asked = lab.account.asked(
            iam.simulate_principal_policy, PolicySourceArn=lab.stack.outputs["FencedRole"], ActionNames=["rds-db:connect"], ResourceArns=[user], ContextEntries=context
        )["EvaluationResults"][0]
        told = {key: asked.get(key) for key in ("EvalDecision", "MissingContextValues", "OrganizationsDecisionDetail", "PermissionsBoundaryDecisionDetail")}
        told["ResourceSpecificResults"] = [row.get("EvalResourceDecision") for row in asked.get("ResourceSpecificResults", [])]
        done.append(f"simulate-principal-policy {'with' if context else 'without'} aws:RequestedRegion, for a role with a boundary that denies other Regions")
        seen.append(json.dumps(told))
    seen.append("a policy of an organization can only be tried in an account that has one: OrganizationsDecisionDetail says whether this one does")


def experiment_04(lab, done, seen):
    """From which moment on does RDS take a target, and which states do its rows go through?"""
    name = lab.name(4)
    with lab.temporary(name):
        began = lab.proxy(name)
        done.append(f"create-db-proxy, then register-db-proxy-targets every 5 s with {lab.mysql.identifier}, until the target is AVAILABLE")
        answers, taken = [], False

        def look():
            nonlocal taken
            if not taken:
                answer = lab.register(name, DBInstanceIdentifiers=[lab.mysql.identifier])
                taken = answer == "accepted"
                if not answers or answers[-1] != answer:
                    answers.append(answer)
                    seen.append(f"after {time.monotonic() - began:.0f} s, proxy {(lab.row(name) or {}).get('Status')}: {answer}")
            return {"proxy": (lab.row(name) or {}).get("Status"), "targets": lab.targets(name)}

        def until():
            rows = lab.targets(name)
            return taken and isinstance(rows, list) and any(row.get("State") == "AVAILABLE" for row in rows)

        seen += lab.changes(look, until, 5, AVAILABLE)
        if not taken:
            raise Failed("no registration was accepted")


def experiment_05(lab, done, seen):
    """How do clients send passwords: MySQL 8.0, 8.4 and MariaDB, with both plugins, with and without TLS?"""
    for key in ("mysql", "mysql80", "mariadb"):
        identifier, name = f"{lab.stack.name}-{key}", lab.name(f"5-{key}")
        row = lab.rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        host, version = row["Endpoint"]["Address"], row["EngineVersion"]
        seen.append(f"{key} {version}: users: {created(lab.stack, 'mysql', host, 3306, plugins=True)}")
        seen.append(f"{key} {version}, directly: {json.dumps(invoke(lab.stack, 'setup', {'do': 'try', 'host': host, 'port': 3306, 'users': ['app', 'native', 'sha2']}).get('tried'))}")
        with lab.temporary(name):
            lab.proxy(name)
            lab.available(name)
            lab.registered(name, DBInstanceIdentifiers=[identifier])
            wait_until(lambda: any(one.get("State") == "AVAILABLE" for one in lab.targets(name) if isinstance(one, dict)), lab.account.pause, lab.account.patience(600))
            held = lab.row(name)
            seen.append(f"{key} {version}: Auth without a choice: {[one.get('ClientPasswordAuthType', 'absent') for one in held['Auth']]}")
            for choice in (None, "MYSQL_NATIVE_PASSWORD", "MYSQL_CACHING_SHA2_PASSWORD"):
                if choice:
                    auth = [{"AuthScheme": "SECRETS", "SecretArn": lab.stack.outputs["MysqlAppSecret"], "IAMAuth": "DISABLED", "ClientPasswordAuthType": choice}]
                    lab.account.asked(lab.rds.modify_db_proxy, DBProxyName=name, Auth=auth)
                    lab.available(name)
                tried = invoke(lab.stack, "setup", {"do": "try", "host": held["Endpoint"], "port": 3306, "users": ["app"]})
                seen.append(f"{key} {version}, at the proxy, {choice or 'without a choice'}: {json.dumps(tried.get('tried'))}")
        done.append(f"{key}: created users with both plugins, logged in directly and through a proxy with each ClientPasswordAuthType")


def experiment_06(lab, done, seen):
    """Which states do the rows of an Aurora cluster with one reader go through? Is there UNUSED?"""
    name = lab.name(6)
    with lab.temporary(name):
        lab.proxy(name, secret="MysqlAdminSecret")
        lab.available(name)
        if not lab.registered(name, DBClusterIdentifiers=[f"{lab.stack.name}-aurora"]):
            raise Failed("no registration was accepted")
        done.append("registered the cluster, and read describe-db-proxy-targets every 10 s for ten minutes")
        seen += lab.changes(lambda: lab.targets(name), lambda: False, 10, 600)


def experiment_07(lab, done, seen):
    """Does TagResource move a function's RevisionId?"""
    functions, name = lab.account.client("lambda"), lab.stack.function("url")

    def revision():
        return functions.get_function_configuration(FunctionName=name)["RevisionId"]

    before, arn = revision(), functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    again = revision()
    functions.tag_resource(Resource=arn, Tags={"rdsproxy-live-experiment": "7"})
    after = revision()
    time.sleep(min(lab.account.pause, 10))
    later = revision()
    functions.untag_resource(Resource=arn, TagKeys=["rdsproxy-live-experiment"])
    done.append("read RevisionId twice, tagged the function, read it at once and 10 s later")
    seen.append(f"two reads: {'the same' if before == again else 'another'}; after the tag: {'the same' if after == again else 'another'}; later: {'the same' if later == after else 'another'}")


def experiment_08(lab, done, seen):
    """What becomes of a proxy in two /28 subnets with five free addresses each?"""
    name, made = lab.name(8), []
    try:
        for subnet in lab.subnets("SmallSubnets"):
            free = lab.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
            # A /28 has eleven at most.
            for _ in range(min(free, 11) - 5):
                given = [{"ResourceType": "network-interface", "Tags": tags(lab.stack.run)}]
                made.append(lab.ec2.create_network_interface(SubnetId=subnet, Description=f"{lab.stack.name} experiment 8", TagSpecifications=given)["NetworkInterface"]["NetworkInterfaceId"])
        done.append(f"filled two /28 subnets up to five free addresses with {len(made)} interfaces, created a proxy there, registered a target")
        with lab.temporary(name):
            began = datetime.now(UTC)
            lab.proxy(name, subnets=lab.subnets("SmallSubnets"))
            lab.available(name)
            seen.append(f"proxy: {(lab.row(name) or {}).get('Status')}")
            seen.append(f"registration: {lab.register(name, DBInstanceIdentifiers=[lab.mysql.identifier])}")
            seen += lab.changes(lambda: {"proxy": (lab.row(name) or {}).get("Status"), "targets": lab.targets(name)}, lambda: any(isinstance(one, dict) and one.get("State") == "AVAILABLE" for one in lab.targets(name)), 10, 600)
            free = {row["SubnetId"]: row["AvailableIpAddressCount"] for row in lab.ec2.describe_subnets(SubnetIds=lab.subnets("SmallSubnets"))["Subnets"]}
            seen.append(f"free addresses afterwards: {sorted(free.values())}")
            events = lab.account.asked(lab.rds.describe_events, SourceIdentifier=name, SourceType="db-proxy", StartTime=began)["Events"]
            seen += [f"event: {row['Message']}" for row in events] or ["no event"]
    finally:
        for interface in made:
            with contextlib.suppress(BotoCoreError, ClientError):
                lab.ec2.delete_network_interface(NetworkInterfaceId=interface)


def experiment_09(lab, done, seen):
    """What does delete-db-proxy answer right after delete-db-proxy-endpoint, and when can interfaces and group go?"""
    name, endpoint = lab.name(9), lab.name("9-endpoint")
    group = lab.ec2.create_security_group(
        GroupName=name, Description="Experiment 9 of a live test", VpcId=lab.stack.outputs["VpcId"], TagSpecifications=[{"ResourceType": "security-group", "Tags": tags(lab.stack.run)}]
    )["GroupId"]
    with lab.temporary(name):
        lab.proxy(name, group=group)
        if not lab.available(name):
            raise Failed("the proxy is not available")
        lab.account.asked(
            lab.rds.create_db_proxy_endpoint, DBProxyName=name, DBProxyEndpointName=endpoint, VpcSubnetIds=lab.subnets(), VpcSecurityGroupIds=[group], TargetRole="READ_WRITE", Tags=tags(lab.stack.run)
        )

        def ready():
            return lab.rds.describe_db_proxy_endpoints(DBProxyEndpointName=endpoint)["DBProxyEndpoints"][0]["Status"] == "available"

        wait_until(ready, lab.account.pause, lab.account.patience(AVAILABLE))
        seen.append(f"interfaces of the proxy with one more endpoint: {len(lab.interfaces(name))}")
        lab.rds.delete_db_proxy_endpoint(DBProxyEndpointName=endpoint)
        began = time.monotonic()
        try:
            lab.rds.delete_db_proxy(DBProxyName=name)
            seen.append("delete-db-proxy right after delete-db-proxy-endpoint: accepted")
        except ClientError as error:
            seen.append(f"delete-db-proxy right after delete-db-proxy-endpoint: {code(error)}: {error.response['Error'].get('Message', '')}")
            wait_until(lambda: deleted(lab, name), lab.account.pause, lab.account.patience(600))
        done.append("created a second endpoint, deleted it, deleted the proxy at once, and tried to delete its group until it could go")
        lab.gone(name)
        seen.append(f"the proxy is gone after {time.monotonic() - began:.0f} s")
        wait_until(lambda: not lab.interfaces(name), lab.account.pause, lab.account.patience(DELETED))
        seen.append(f"its interfaces are gone after {time.monotonic() - began:.0f} s")
        refused = set()

        def went():
            try:
                lab.ec2.delete_security_group(GroupId=group)
                return True
            except ClientError as error:
                refused.add(code(error))
                return False

        wait_until(went, lab.account.pause, lab.account.patience(DELETED))
        seen.append(f"its group could go after {time.monotonic() - began:.0f} s; refusals before: {sorted(refused) or 'none'}")


def deleted(lab, name):
    try:
        lab.rds.delete_db_proxy(DBProxyName=name)
        return True
    except ClientError as error:
        return code(error) == "DBProxyNotFoundFault"


def experiment_10(lab, done, seen):
    """Does the whole cycle work, with a kill while the proxy is being created?"""
    done.append("the rows of both databases: killed while creating, resumed with --verify probe, status, teardown")
    held = [row for row in lab.report.rows if row["name"].startswith(("mysql: ", "postgres: "))]
    for status in ("failed", "missing", "not run"):
        seen += [f"{status}: {row['name']}" for row in held if row["status"] == status]
    seen.append(f"{sum(row['status'] == 'passed' for row in held)} of {len(held)} rows passed")
    if any(row["status"] == "failed" for row in held):
        raise Failed("see the rows")


# Before the cycles, and after them.
BEFORE = {1: experiment_01, 2: experiment_02, 3: experiment_03, 7: experiment_07}
AFTER = {4: experiment_04, 5: experiment_05, 6: experiment_06, 8: experiment_08, 9: experiment_09, 10: experiment_10}
ALL = BEFORE | AFTER


def title(number):
    return f"experiment {number}: {ALL[number].__doc__.strip()}"


def carried_out(lab, number):
    """One experiment, as a row and as a record of its own."""
    record = {"number": number, "question": ALL[number].__doc__.strip(), "done": [], "seen": [], "status": "interrupted"}
    lab.report.experiments.append(record)

    def work():
        ALL[number](lab, record["done"], record["seen"])
        return "; ".join(record["seen"])[:600]

    try:
        lab.report.row(title(number), work)
    finally:
        record["status"] = lab.report.status(title(number))
        if record["status"] in ("failed", "missing"):
            record["seen"].append(next(row["seen"] for row in lab.report.rows if row["name"] == title(number)))
