"""What `permissions` prints and what the simulated account asks for, held to AWS's Service Authorization Reference; and the lint of others."""

import json
import tempfile
import unittest

import parliament
import test_sandbox
from account import REGION, program, served
from cloudsplaining.scan import policy_document
from reference import Action

COMMANDS = ("up", "status", "teardown", "close-direct", "doctor", "verify", "all")
ACCOUNT = ("--account", "123456789012")
EVERY = ("--with", "enable-iam-auth,inspect-secret,create-secret,generate-password,adopt,probe,close-direct")
NAMED = (
    "--db", "my-instance", "--function", "DBAppFunction", "--function-role", "arn:aws:iam::123456789012:role/DBAppFunctionRole",
    "--secret", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-a1B2c3",
)
ROLE, POLICY = "arn:aws:iam::123456789012:role/platform/proxy", "arn:aws:iam::123456789012:policy/platform/connect"
SPLIT = ("--role-arn", ROLE, "--connect-policy-arn", POLICY)
BOUND = ("--permissions-boundary", "arn:aws:iam::123456789012:policy/limits")
SCOPES = (
    (), EVERY, (*ACCOUNT, *EVERY), ("--db", "my-instance", *ACCOUNT, *EVERY), (*NAMED, *ACCOUNT), (*NAMED, *ACCOUNT, *EVERY),
    (*NAMED, *ACCOUNT, *SPLIT), (*NAMED, *ACCOUNT, *BOUND),
)
SHOW = "x-sandbox-permissions"
# Required together in the reference, although a target is the one or the other.
ALTERNATIVES = {"rds:DeregisterDBProxyTargets": {"db", "cluster"}}
# The reference gives the action its target group alone; a database is what it hands to the proxy, as with its counterpart
# `DeregisterDBProxyTargets`, which has all four. Policies grant them and the account asks for them, so that either holds.
BEYOND = {"rds:RegisterDBProxyTargets": ("db-proxy", "db", "cluster")}


def printed(*arguments):
    run = program("--region", REGION, "--output", "json", "permissions", *arguments)
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout)["documents"]


def every_print():
    for command in COMMANDS:
        for scope in SCOPES:
            yield f"--for {command} {' '.join(scope)}", printed("--for", command, *scope)


def missing(action, kinds):
    """The required types that are not among these."""
    return action.required() - kinds - (ALTERNATIVES.get(action.name, set()) if kinds & ALTERNATIVES.get(action.name, set()) else set())


class Printed(unittest.TestCase):
    """The policies that `permissions` prints."""

    maxDiff = None

    def test_each_action_has_what_the_reference_requires(self):
        found = set()
        for told, documents in every_print():
            granted = {}
            for statement in (statement for document in documents for statement in document["Statement"]):
                for name in statement["Action"]:
                    granted.setdefault(name, []).append(statement)
            for name, statements in granted.items():
                found.update(f"{name}: {finding}" for finding in self.findings(Action(name), statements))
            self.assertGreater(len(granted), 20, told)
        self.assertEqual(set(), found)

    def findings(self, action, statements):
        if not action.exists:
            yield "no such action"
            return
        all_kinds = set()
        for statement in statements:
            kinds = set().union(*(action.of(resource) for resource in statement["Resource"]))
            all_kinds |= kinds
            everything = statement["Resource"] == ["*"]
            if everything and action.required():
                yield f"granted on everything, and could be narrowed to {sorted(action.required())}"
            if not everything and not kinds:
                yield f"{statement['Resource']} are not of its types {action.types()}"
            for operator, keys in statement.get("Condition", {}).items():
                for key in keys:
                    if not action.supports(key, kinds):
                        yield f"no condition key {key} ({operator}) on {sorted(kinds)}"
        if lacking := missing(action, all_kinds):
            yield f"not granted on {sorted(lacking)}"

    def test_a_linter_finds_nothing(self):
        found = {}
        for told, documents in every_print():
            for document in documents:
                for finding in parliament.analyze_policy_string(json.dumps(document)).findings:
                    found.setdefault(f"{finding.issue}: {finding.detail}", told)
        self.assertEqual({}, found)


class Escalation(unittest.TestCase):
    """Cloudsplaining's judgement of what the printed policies would let an abuser do."""

    KINDS = (
        "allows_privilege_escalation", "permissions_management_without_constraints", "credentials_exposure",
        "allows_data_exfiltration_actions", "service_wildcard", "infrastructure_modification",
    )

    def findings(self, document):
        judged = policy_document.PolicyDocument(document)
        return {kind: found for kind in self.KINDS if (found := getattr(judged, kind))}

    def test_a_narrowed_and_a_split_policy_have_no_finding(self):
        for command in COMMANDS:
            for scope in (NAMED, (*NAMED, *SPLIT), (*NAMED, *BOUND), ("--db", "my-instance", *SPLIT)):
                for document in printed("--for", command, *ACCOUNT, *scope):
                    self.assertEqual({}, self.findings(document), (command, scope))

    def test_no_document_combines_what_escalates(self):
        """Cloudsplaining judges one document at a time; together they must not hold what it looks for, either."""
        for scope in (NAMED, (*NAMED, *SPLIT)):
            statements = [statement for document in printed(*ACCOUNT, *scope) for statement in document["Statement"]]
            self.assertEqual({}, self.findings({"Version": "2012-10-17", "Statement": statements}), scope)

    def test_the_judge_sees_an_administrator(self):
        wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*"}]}
        self.assertIn("allows_privilege_escalation", self.findings(wide))
        self.assertIn("permissions_management_without_constraints", self.findings(wide))

    def test_a_split_policy_writes_nothing_to_iam(self):
        for command in COMMANDS:
            for document in printed("--for", command, *ACCOUNT, "--db", "my-instance", *SPLIT):
                for statement in document["Statement"]:
                    for action in statement["Action"]:
                        self.assertNotRegex(action, "^iam:(Create|Put|Attach|Detach|Tag|Untag|Update|Delete|Set)")


class Asking(test_sandbox.Watched):
    """Clients that have each answer name the permissions that its request needs."""

    def __init__(self, url):
        self.demands = []
        super().__init__(url)
        for made in self.clients.values():
            made.meta.events.register("before-call.*", lambda params, **_: params["headers"].update({SHOW: "show"}))

    def hold(self, service, model):
        def look(operation_model, response_dict, **_):
            if response_dict["status_code"] < 300:
                self.done.add((service, operation_model.name))
                self.demands.append(json.loads(response_dict["headers"][SHOW]))

        return look


class Demanded(unittest.TestCase):
    """The permissions that the simulated account asks for."""

    maxDiff = None

    def test_each_call_needs_at_least_what_the_reference_requires(self):
        walk = test_sandbox.Answers()
        with tempfile.TemporaryDirectory() as folder, served(folder, test_sandbox.FAST) as url:
            aws = Asking(url)
            for part in (walk.network, walk.roles, walk.keys_and_secrets, walk.databases, walk.proxies, walk.functions, walk.logs, walk.metrics, walk.alarms, walk.lists):
                part(aws)
            self.tagged(aws)
        found, seen = set(), set()
        for demands in aws.demands:
            for name in {demand["action"] for demand in demands}:
                seen.add(name)
                mine = [demand for demand in demands if demand["action"] == name]
                found.update(f"{name}: {finding}" for finding in self.findings(Action(name), mine))
        self.assertEqual(set(), found)
        self.assertGreater(len(seen), 100)

    def tagged(self, aws):
        """Tags in calls that make something are asked for, on what is made."""
        tags = [{"Key": "a", "Value": "1"}]
        group = aws.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        mark = len(aws.demands)
        aws.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}],
            TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": tags}],
        )
        asked = {(demand["action"], demand["resource"].rsplit(":", 1)[-1].split("/")[0]) for demand in aws.demands[mark]}
        wanted = {"ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags"}
        self.assertLessEqual({(action, "security-group-rule") for action in wanted}, asked)

    def findings(self, action, demands):
        if not action.exists:
            yield "no such action"
            return
        all_kinds = set()
        beyond = tuple(f":{kind}:" for kind in BEYOND.get(action.name, ()))
        for demand in demands:
            if any(kind in demand["resource"] for kind in beyond):
                continue
            kinds = action.of(demand["resource"])
            all_kinds |= kinds
            if demand["resource"] != "*" and not kinds:
                yield f"{demand['resource']} is not of its types {action.types()}"
            if demand["resource"] == "*" and demands == [demand] and action.required():
                yield f"asked for on everything, and not on {sorted(action.required())}"
            for key in demand["keys"]:
                if not action.supports(key, kinds):
                    yield f"no condition key {key} on {sorted(kinds)}"
        if lacking := missing(action, all_kinds):
            yield f"not asked for on {sorted(lacking)}"


if __name__ == "__main__":
    unittest.main()
