"""`rehearse` against the simulated account, on the wire: it looks and changes nothing, its policy is the least, and what it saves works."""

import concurrent.futures
import contextlib
import json
import pathlib
import tempfile
import time
import unittest

from account import against, begun, program, served, world_file
from lens import Lens
from reference import Action
from rehearsing import READ, Refusing, action, actions, changed, held, level, limited, no_reads, policy

FAST = 3600
MINE, CLUSTER = ("--db", "my-instance"), ("--db", "my-cluster")
NEW_SECRET = ("--create-secret", "--db-user", "app2", "--generate-password")
# What is rehearsed, how it ends (`None`: `GoesWell` says), and what its policy has besides.
CASES = {
    "an instance": (0, MINE, ""),
    "a cluster": (0, (*CLUSTER, "--reader-endpoint", "always"), ""),
    "two functions": (0, (*MINE, "--function", "DBAppFunction", "--function", "InvoiceFunction"), ""),
    "settings": (0, (*MINE, "--log-retention", "30", "--tag", "team=shop", "--init-query", "SET x=1", "--debug-logging"), "log-retention"),
    "secrets are looked into": (0, (*MINE, "--inspect-secret"), "inspect-secret"),
    "a new secret": (None, (*CLUSTER, *NEW_SECRET), "create-secret,generate-password"),
    "end to end": (0, (*MINE, "--database-auth", "iam", "--client-auth", "iam", "--enable-iam-auth"), "enable-iam-auth"),
    "advice": (0, (*MINE, "--sizing", "advise"), None),
    "no such database": (4, ("--db", "nothing"), ""),
    "in front already": (None, MINE, ""),
    "a database that has no proxies": (4, ("--db", "legacy-oracle"), ""),
    "a secret that is not there": (4, (*CLUSTER, "--secret", "my-cluster/ap"), ""),
}
# Read only of an account that has what the sample account has not: parameter groups and keys of its own, alarms of a stack, functions whose
# packages are elsewhere, a policy without its tag, a quota that is used up. `ListRoles` is what finds stacks of databases that are not named.
NOT_ASKED = {
    "cloudwatch:ListTagsForResource", "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:ListRoles", "kms:DescribeKey", "kms:GetKeyPolicy",
    "lambda:ListTags", "rds:DescribeDBClusterParameters", "rds:DescribeDBParameters", "servicequotas:GetServiceQuota",
}
FREE = {"sts:GetCallerIdentity"}


def granted(features):
    if features is None:  # advice is a command, and no feature
        return [*policy("--for", "rehearse"), *policy("--for", "advise")]
    return policy("--for", "rehearse", *(("--with", features) if features else ()))


def told(run):
    """What went wrong, of a document."""
    document = json.loads(run.stdout)
    return {key: held for key, held in document.items() if key in ("error", "infeasible", "otherwise", "again", "left", "went_well", "days")}


def in_front(url):
    """The stack is there already."""
    run = against(url, "up", *MINE, "--yes")
    if run.returncode != 0:
        raise RuntimeError(run.stderr)


class Account:
    """The sample account in a folder, as `change` leaves it, served behind a lens; `documents` are all that its caller may do."""

    def __init__(self, stack, documents=None, deviations=None, prepare=None, change=None):
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.file = world_file(self.folder)
        program("--sandbox", "--sandbox-file", self.file, "sandbox", "reset", "--yes")
        if prepare:
            with served(self.folder, FAST) as url:
                prepare(url)
        if documents is not None:
            self.file.write_text(json.dumps(limited(held(self.file), documents)), "utf-8")
        if change:
            self.file.write_text(json.dumps(change(held(self.file))), "utf-8")
        self.url = stack.enter_context(served(self.folder, FAST))
        self.lens = stack.enter_context(Lens(self.url, deviations))
        self.before = held(self.file)

    def rehearse(self, *arguments):
        return against(self.lens.url, "rehearse", *arguments, "--output", "json")

    def files(self, pseudonyms):
        more = ("--pseudonymize",) if pseudonyms else ()
        return ("--save", self.folder / "copy.json", *more, "--report", self.folder / "report.md")


class OnTheWire(unittest.TestCase):
    """Whatever `rehearse` is asked for, the account hears questions alone."""

    maxDiff = None

    def one(self, name):
        """A case under its least policy: what it did, and what went wrong."""
        code, arguments, features = CASES[name]
        documents = granted(features)
        prepare = in_front if name == "in front already" else None
        with contextlib.ExitStack() as stack:
            account = Account(stack, documents, prepare=prepare)
            run = account.rehearse(*arguments, *account.files(len(name) % 2), "--record", account.folder / "record.jsonl")
            wrong = list(no_reads(account.lens.exchanges))
            wrong += [f"refused: {exchange}" for exchange in account.lens.exchanges if exchange.status in (401, 403) or b"UnauthorizedOperation" in exchange.answer]
            if run.returncode not in ((0, 3) if code is None else (code,)):
                wrong.append(f"exit code {run.returncode}: {run.stderr[-500:]}{told(run)}")
            wrong += changed(account.file, account.before)
            asked = {action(exchange) for exchange in account.lens.exchanges}
            wrong += [f"not in its policy: {name}" for name in asked - actions(documents) - FREE]
            return asked, wrong

    def test_every_case_asks_only_and_needs_only_its_policy(self):
        asked = set()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = {name: pool.submit(self.one, name) for name in CASES}
            for name, run in runs.items():
                with self.subTest(name):
                    names, wrong = run.result()
                    asked |= names
                    self.assertEqual([], wrong)
                    self.assertGreater(len(names), 1)
        self.assertEqual(NOT_ASKED, actions(granted("")) - asked, "allowed, and of no use")

    def test_a_rehearsal_that_fails_has_asked_only_and_leaves_no_file(self):
        for allowed in (1, 4, 9, 15, 22, 30):
            with self.subTest(allowed), contextlib.ExitStack() as stack:
                refusing = Refusing(allowed)
                account = Account(stack, deviations={"refused": refusing})
                run = account.rehearse(*MINE, *account.files(False))
                self.assertGreater(refusing.seen, allowed)
                self.assertEqual([], list(no_reads(account.lens.exchanges)))
                self.assertEqual([], changed(account.file, account.before))
                if run.returncode in (0, 3):  # what is missing is only read where it can be
                    continue
                self.assertEqual({"world.json"}, {file.name for file in account.folder.iterdir()} - {"world.json.lock"}, run.stderr)

    def test_a_rehearsal_that_is_killed_has_asked_only(self):
        for requests in (3, 12, 24):
            with self.subTest(requests), contextlib.ExitStack() as stack:
                account = Account(stack)
                process = begun(account.lens.url, "rehearse", *MINE, *account.files(False))
                deadline = time.monotonic() + 60
                while len(account.lens.exchanges) < requests and time.monotonic() < deadline and process.poll() is None:
                    time.sleep(0.001)
                process.kill()
                process.communicate()
                self.assertGreaterEqual(len(account.lens.exchanges), requests)
                self.assertEqual([], list(no_reads(account.lens.exchanges)))
                self.assertEqual([], changed(account.file, account.before))

    def test_the_check_sees_a_change(self):
        with contextlib.ExitStack() as stack:
            account = Account(stack)
            self.assertEqual(0, against(account.lens.url, "up", *MINE, "--yes").returncode)
            wrong = list(no_reads(account.lens.exchanges))
            for call in ("rds:CreateDBProxy is Write", "ec2:CreateSecurityGroup is Write", "iam:AttachRolePolicy is Permissions management"):
                self.assertIn(call, wrong)
            self.assertTrue(any(place.startswith("/world/rds/proxies/my-instance-proxy") for place in changed(account.file, account.before)))


class GoesWell(unittest.TestCase):
    """What comes to its end as it should is said to go well."""

    def outcome(self, *arguments, prepare=None):
        with contextlib.ExitStack() as stack:
            run = Account(stack, prepare=prepare).rehearse(*arguments)
            self.assertEqual((0, True), (run.returncode, json.loads(run.stdout)["went_well"]), told(run))

    # What `teardown` deletes stays for its recovery window, as `teardown` says; the rehearsal takes it for something that is left.
    def test_with_a_new_secret(self):
        self.outcome(*CLUSTER, *NEW_SECRET)

    # A teardown leaves less than the stack that was there before; the rehearsal takes it for something that is gone.
    def test_where_the_stack_is_there_already(self):
        self.outcome(*MINE, prepare=in_front)


class LeastPolicy(unittest.TestCase):
    """`permissions --for rehearse` by the Service Authorization Reference."""

    FEATURES = "enable-iam-auth,create-secret,generate-password,adopt,log-retention,alarms,close-direct"

    def test_it_reads(self):
        for scope in ((), ("--db", "my-instance", "--account", "123456789012"), ("--with", self.FEATURES)):
            names = actions(policy("--for", "rehearse", *scope))
            self.assertGreater(len(names), 25)
            # The reference has it as a write; a new secret's key is of a feature.
            writes = {"kms:Decrypt"} if "--with" in scope else set()
            self.assertEqual({}, {name: level(name) for name in names if level(name) not in READ and name not in writes})
            self.assertEqual(set(), names & {"secretsmanager:GetSecretValue", "lambda:InvokeFunction", "logs:FilterLogEvents"})
            self.assertIn("iam:SimulatePrincipalPolicy", names)

    def test_secrets_are_read_and_variables_decrypted_only_where_that_is_asked_for(self):
        plain = actions(policy("--for", "rehearse"))
        inspecting = actions(policy("--for", "rehearse", "--with", "inspect-secret"))
        self.assertIn("secretsmanager:GetSecretValue", inspecting - plain)
        self.assertEqual(set(), {name for name in inspecting if level(name) not in READ} - {"kms:Decrypt"})
        encrypted = actions(policy("--for", "rehearse", "--with", "encrypted-variables"))
        self.assertEqual({"kms:Decrypt"}, encrypted - plain)

    def test_the_reference_has_every_level(self):
        """The check itself: what writes is no read."""
        for name, wanted in (("rds:CreateDBProxy", "Write"), ("ec2:CreateTags", "Tagging"), ("iam:PutRolePolicy", "Permissions management"), ("rds:DescribeDBProxies", "List")):
            self.assertEqual(wanted, Action(name).row["access_level"])

    def test_without_one_permission_it_says_what_it_could_not_read(self):
        """The policy is enforced: less than it is refused."""
        documents = json.loads(json.dumps(policy("--for", "rehearse")).replace('"rds:DescribeDBInstances"', '"rds:DescribeDBSnapshots"'))
        with contextlib.ExitStack() as stack:
            account = Account(stack, documents)
            run = account.rehearse(*MINE)
            self.assertNotEqual(0, run.returncode)
            self.assertIn("rds:DescribeDBInstances", run.stdout)
            self.assertEqual([], list(no_reads(account.lens.exchanges)))


if __name__ == "__main__":
    unittest.main()
