"""What was rehearsed comes true in two emulators that others wrote.

Steps that do not wait for each other are carried out side by side, and which of them is first differs from run to run, in the emulators as in the
copy: so the calls are compared step by step, in their order within each, and beside that the order of those that build on each other.
Within the steps of `SIDE_BY_SIDE`, each function, role and group is a branch of its own.
"""

import ast
import collections
import json
import pathlib
import re
import tempfile
import unittest

import deviations
import emulators
from account import against
from lens import READS, Lens
from rehearsing import no_reads
from scene import Cluster, Scene

SIDE_BY_SIDE = ("repoint", "database-ingress", "proxy-ingress", "attach-policy")
CHAINS = {
    "up": (
        ("iam:CreateRole", "iam:PutRolePolicy", "rds:CreateDBProxy", "rds:RegisterDBProxyTargets", "lambda:UpdateFunctionConfiguration"),
        ("ec2:CreateSecurityGroup", "rds:CreateDBProxy", "ec2:AuthorizeSecurityGroupIngress", "lambda:UpdateFunctionConfiguration"),
        ("rds:CreateDBProxy", "iam:CreatePolicy", "iam:AttachRolePolicy", "lambda:UpdateFunctionConfiguration"),
    ),
    "teardown": (
        ("lambda:UpdateFunctionConfiguration", "rds:DeleteDBProxy", "iam:DeleteRolePolicy", "iam:DeleteRole"),
        ("lambda:UpdateFunctionConfiguration", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup"),
        ("lambda:UpdateFunctionConfiguration", "iam:DetachRolePolicy", "iam:DeletePolicy"),
        ("rds:DeleteDBProxy", "ec2:DeleteSecurityGroup"),
    ),
}
NAMED = (
    "DBProxyName", "DBInstanceIdentifiers", "DBClusterIdentifiers", "RoleName", "PolicyName", "PolicyArn", "GroupName", "GroupId", "FunctionName",
)
# Neither emulator has interfaces of proxies and functions, as deviations.py has it ("functions have no network interfaces").
NOT_THERE = [("ec2", "interfaces")]


def target(call, groups):
    """What a recorded call changes, as a rehearsal names it: written after the request, and without the program's code."""
    given = dict(call["request"]["body"]["members"] or {})
    named = re.search("/functions/([^/]+)/", call["request"]["path"])
    given |= {"FunctionName": named[1]} if named else {}
    names = []
    for key in NAMED:
        held = given.get(key, [])
        for text in [held] if isinstance(held, str) else held:
            names.append(groups.get(text, text.rsplit("/", 1)[-1] if text.startswith("arn:") else text))
    rules, way = [], "to" if call["operation"].endswith("Egress") else "from"
    for rule in given.get("IpPermissions", []):
        peers = ", ".join(groups[pair["GroupId"]] for pair in rule["Groups"])
        rules.append(f"{rule['IpProtocol']} {rule['FromPort']} {way} {peers}")
    return ", ".join(dict.fromkeys(names)) + (f": {', '.join(rules)}" if rules else "")


def really(file, groups):
    """The changes in a recording that were not refused: step, operation, target."""
    calls = [row for row in map(json.loads, file.read_text("utf-8").splitlines()) if row["kind"] == "call"]
    for call in calls:
        if not call["operation"].startswith(READS) and call["status"] < 300:
            yield call["step"], f"{call['service'].lower()}:{call['operation']}", target(call, groups)


def by_step(changes):
    found = collections.defaultdict(list)
    for step, *change in changes:
        found[step].append(change)
    return {step: sorted(held) if step in SIDE_BY_SIDE else held for step, held in found.items()}


def out_of_order(verb, changes):
    """Calls that come before what they build on."""
    operations = [operation for _, operation, _ in changes]
    for chain in CHAINS[verb]:
        there = [operation for operation in chain if operation in operations]
        for first, then in zip(there, there[1:]):
            last = len(operations) - 1 - operations[::-1].index(first)
            if operations.index(then) < last:
                yield f"{then} before {first}"


def fits(copied, real):
    """Whether a text is the other one, whose words may be crossed out."""
    return len(copied) == len(real) and all(mine in (its, "x") for mine, its in zip(copied, real))


class ComesTrue:
    """Rehearsed, carried out, and torn down."""

    maxDiff = None
    made = Scene

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        upstream = self.enterContext(self.emulator(self.folder))
        self.scene = self.made(upstream)
        user = ("--db-user", self.scene.user) if self.scene.client_auth == "iam" else ()
        self.choices = ("--db", self.scene.name, "--secret", self.scene.secret_name, *user)
        self.lens = self.enterContext(Lens(upstream, self.mended(self.scene)))

    def rehearsal(self):
        before = self.scene.account()
        run = against(self.lens.url, "rehearse", *self.choices, "--output", "json")
        self.assertEqual(0, run.returncode, run.stdout[-3000:] + run.stderr)
        self.assertEqual([], list(no_reads(self.lens.exchanges)))
        self.assertEqual(before, self.scene.account())
        document = json.loads(run.stdout)
        self.assertEqual((True, [], [], []), tuple(document[key] for key in ("went_well", "left", "again", "otherwise")))
        return before, document

    def carried_out(self, verb, *arguments):
        file = self.folder / f"{verb}.jsonl"
        run = against(self.lens.url, verb, *arguments, "--yes", "--timeout", "60s", "--record", file, "--record-plain")
        self.assertEqual(0, run.returncode, run.stderr)
        return file

    def test_the_same_calls_and_the_same_account(self):
        before, document = self.rehearsal()
        file = self.carried_out("up", *self.choices)
        groups = {group: row["name"] for group, row in self.scene.account()["groups"].items()}
        self.same_calls("up", document["changes"], list(really(file, groups)))
        self.assertEqual(self.rehearsed(document, before), self.found(before))
        file = self.carried_out("teardown", "--db", self.scene.name)
        self.same_calls("teardown", document["teardown"], list(really(file, groups)))
        self.assertEqual(before, self.scene.account())

    def same_calls(self, verb, rehearsed, real):
        rehearsed = [(change["step"], change["operation"], change["target"]) for change in rehearsed]
        self.assertEqual(by_step(real), by_step(rehearsed))
        for changes in (real, rehearsed):
            self.assertEqual([], list(out_of_order(verb, changes)))
        self.assertGreater(len(real), 7)

    def bare(self, document):
        """A policy without what each account numbers on its own."""
        return re.sub("prx-[0-9a-z]+", "prx-…", json.dumps(document if isinstance(document, dict) else json.loads(document), sort_keys=True))

    def rehearsed(self, document, before):
        """What the rehearsal says is new, in the words of `found`."""
        names = {group: row["name"] for group, row in before["groups"].items()}
        rows = [(tuple(row["path"]), *(json.loads(row[key]) if row[key] else None for key in ("before", "after"))) for row in document["differences"]]
        names |= {path[2]: after["name"] for path, _, after in rows if path[:2] == ("ec2", "groups") and len(path) == 3}
        found = {"proxies": {}, "groups": {}, "rules": [], "roles": {}, "policies": {}, "attached": [], "variables": {}}

        def rule(group, held):
            peer = held["peer"].get("cidr") or names[held["peer"]["group"]]
            ports = (held["protocol"], None if held["protocol"] == "-1" else held["from_port"])
            found["rules"].append((names[group], "out" if held["egress"] else "in", *ports, peer))

        for path, had, has in rows:
            if path[:2] in NOT_THERE:
                continue
            if path[:2] == ("rds", "proxies") and len(path) == 3:
                host = has["endpoint"]
                found["proxies"][path[2]] = {
                    "role": has["role_arn"].rsplit("/", 1)[-1], "family": has["engine_family"], "tls": has["require_tls"],
                    "auth": [(auth["scheme"], auth["secret_arn"], auth["iam_auth"]) for auth in has["auth"]], "subnets": sorted(has["subnets"]),
                    "groups": [names[group] for group in has["groups"]], "target": has["target_group"]["target"]["id"], "tags": has["tags"],
                }
            elif path[:2] == ("ec2", "groups") and len(path) == 3:
                found["groups"][has["name"]] = has["tags"]
                for held in has["rules"].values():
                    rule(path[2], held)
            elif path[:2] == ("ec2", "groups") and path[3] == "rules" and len(path) == 5:
                rule(path[2], has)
            elif path[:2] == ("iam", "roles") and len(path) == 3:
                found["roles"][has["name"]] = {name: self.bare(text) for name, text in has["inline"].items()}
            elif path[:2] == ("iam", "roles") and path[3] == "attached":
                found["attached"].append((path[2], has.rsplit("/", 1)[-1]))
            elif path[:2] == ("iam", "policies") and len(path) == 3:
                found["policies"][has["name"]] = self.bare(next(row["document"] for row in has["versions"] if row["number"] == has["default"]))
            elif path[:2] == ("lambda", "functions") and path[3:5] == ("latest", "environment"):
                found["variables"][path[2], path[5]] = (had, has)
            else:
                self.fail(f"a difference that is not known here: {path}")
        for (function, variable), (had, has) in found["variables"].items():
            real = before["functions"][function]["variables"][variable]
            self.assertTrue(fits(had, real), f"{function} {variable}: {had}")
            # Its words are crossed out: the account's own stand for them, so that the rest is compared.
            self.assertIn(host, has)
            found["variables"][function, variable] = real.replace(self.scene.host, "the proxy") if fits(has, real.replace(self.scene.host, host)) else has
        return self.ordered(found)

    def found(self, before):
        """What the emulator has that it did not have before."""
        scene, after = self.scene, self.scene.account()
        names = {group: row["name"] for group, row in after["groups"].items()}
        proxies = {row["DBProxyName"]: row for row in scene.rds.describe_db_proxies()["DBProxies"]}
        tags = lambda rows: {row["Key"]: row["Value"] for row in rows}
        found = {"proxies": {}, "groups": {}, "rules": [], "roles": {}, "policies": {}, "attached": [], "variables": {}}
        for name in after["proxies"].keys() - before["proxies"].keys():
            held = after["proxies"][name]
            found["proxies"][name] = {key: held[key] for key in ("role", "family", "tls", "auth", "subnets")} | {
                "groups": [names[group] for group in held["groups"]], "target": held["targets"][0][0],
                "tags": tags(scene.rds.list_tags_for_resource(ResourceName=proxies[name]["DBProxyArn"])["TagList"]),
            }
        for row in scene.ec2.describe_security_groups()["SecurityGroups"]:
            if row["GroupId"] not in before["groups"]:
                found["groups"][row["GroupName"]] = tags(row.get("Tags", []))
        for group, held in after["groups"].items():
            for way, there in (("in", held["in"]), ("out", [ast.literal_eval(text) for text in held["out"]])):
                had = before["groups"].get(group, {"in": [], "out": []})[way]
                for rule in there:
                    if (rule if way == "in" else str(rule)) not in had:
                        found["rules"].append((names[group], way, rule[0], None if rule[0] == "-1" else rule[1], names.get(rule[3], rule[3])))
        for name, held in after["roles"].items():
            if name not in before["roles"]:
                found["roles"][name] = {key: self.bare(text) for key, text in held["inline"].items()}
            had = before["roles"].get(name, {"attached": []})["attached"]
            found["attached"] += [(name, policy) for policy in held["attached"] if policy not in had]
        for row in scene.iam.list_policies(Scope="Local")["Policies"]:
            if row["PolicyName"] not in before["policies"]:
                version = scene.iam.get_policy_version(PolicyArn=row["Arn"], VersionId=row["DefaultVersionId"])["PolicyVersion"]
                found["policies"][row["PolicyName"]] = self.bare(version["Document"])
        for name, held in after["functions"].items():
            for variable, text in held["variables"].items():
                if text != before["functions"][name]["variables"].get(variable):
                    for proxy in proxies.values():
                        text = text.replace(proxy["Endpoint"], "the proxy")
                    found["variables"][name, variable] = text
        return self.ordered(found)

    def ordered(self, found):
        return found | {key: sorted(found[key], key=str) for key in ("rules", "attached")}


class Moto(ComesTrue, unittest.TestCase):
    emulator = staticmethod(emulators.moto)
    mended = staticmethod(deviations.moto_mended)


class MotoCluster(Moto):
    made = Cluster


class Ministack(ComesTrue, unittest.TestCase):
    emulator = staticmethod(emulators.ministack)
    mended = staticmethod(deviations.ministack_mended)


class MinistackCluster(Ministack):
    made = Cluster


class TheComparison(unittest.TestCase):
    """The comparison itself."""

    def test_another_order_within_a_step_and_across_a_chain_is_seen(self):
        first, then = ("proxy-role", "iam:DeleteRolePolicy", "r"), ("proxy-role", "iam:DeleteRole", "r")
        self.assertNotEqual(by_step([first, then]), by_step([then, first]))
        self.assertEqual(["iam:DeleteRole before iam:DeleteRolePolicy"], list(out_of_order("teardown", [then, first])))
        self.assertEqual([], list(out_of_order("teardown", [first, then])))
        self.assertEqual([True, False, False], [fits("xxxxx://a/b", text) for text in ("mysql://a/b", "mysql://a/c", "mysqls://a/b")])


if __name__ == "__main__":
    unittest.main()
