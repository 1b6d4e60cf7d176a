"""The program against two emulators that others wrote; boto3 makes the account and looks at it after every command."""

import copy
import json
import tempfile
import unittest

import deviations
import emulators
from account import REGION, against
from documents import trust
from lens import Lens
from scene import Cluster, Scene


class Round:
    """Every command in its turn, by the program that is built."""

    maxDiff = None
    made = Scene

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.upstream = self.enterContext(self.emulator(folder))
        self.scene = self.made(self.upstream)
        self.proxy = f"{self.scene.name}-proxy"
        # No variable says as whom the functions log in, and a right to connect names the user.
        user = ("--db-user", self.scene.user) if self.scene.client_auth == "iam" else ()
        self.up = ("up", "--secret", self.scene.secret_name, *user, "--yes", "--timeout", "60s")
        self.lens = self.enterContext(Lens(self.upstream, self.mended(self.scene)))
        self.before = self.scene.account()

    def run_program(self, *arguments, code=0):
        """Runs it to its end: what it said, and what it changed."""
        mark = len(self.lens.exchanges)
        run = against(self.lens.url, *arguments, "--db", self.scene.name, "--output", "json")
        self.assertEqual(code, run.returncode, run.stderr)
        passed = self.lens.since(mark)
        self.assertEqual([], [finding for exchange in passed for finding in exchange.findings])
        return json.loads(run.stdout), [str(exchange) for exchange in passed if exchange.changes]

    def test_up_up_status_teardown_teardown(self):
        _, changes = self.run_program(*self.up)
        self.assertIn("rds:CreateDBProxy", changes)
        self.is_in_front(self.before)
        _, changes = self.run_program(*self.up)
        self.assertEqual([], changes, "a second up changes nothing")
        self.is_in_front(self.before)
        told, changes = self.run_program("status", "--exit-code")
        self.assertEqual([], changes, "looking changes nothing")
        self.assertEqual([(self.proxy, True)], [(stack["proxy"], stack["in_place"]) for stack in told["stacks"]])
        self.scene.deploy("orders", ADDED="since then")
        self.scene.deploy("stranger", ADDED="since then")
        wanted = copy.deepcopy(self.before)
        for name in ("orders", "stranger"):
            wanted["functions"][name]["variables"]["ADDED"] = "since then"
        self.is_in_front(wanted)
        _, changes = self.run_program("teardown", "--yes", "--timeout", "60s")
        self.assertIn("rds:DeleteDBProxy", changes)
        self.assertEqual(wanted, self.scene.account())
        _, changes = self.run_program("teardown", "--yes")
        self.assertEqual([], changes, "a second teardown changes nothing")
        self.assertEqual(wanted, self.scene.account())
        self.assertEqual(set(self.lens.deviations), set(self.lens.seen), "every deviation that is mended was met")

    def is_in_front(self, before):
        """The account is as before, and has what is ours: nothing less and nothing more."""
        held, wanted = self.scene.account(), copy.deepcopy(before)
        scene, proxy, role = self.scene, held["proxies"].get(self.proxy, {}), f"{self.proxy}-{REGION}"
        tokens = scene.client_auth == "iam"
        ours = next(group for group, row in held["groups"].items() if row["name"] == self.proxy)
        wanted["proxies"] = {
            self.proxy: {
                "role": role, "family": scene.family, "tls": tokens, "auth": [("SECRETS", scene.secret, "REQUIRED" if tokens else "DISABLED")],
                "subnets": sorted(scene.subnets), "groups": [ours], "targets": [(scene.name, scene.target, "AVAILABLE")], "host": proxy.get("host"),
            }
        }
        port = ("tcp", scene.port, scene.port)
        wanted["groups"][ours] = {"name": self.proxy, "in": [(*port, scene.function_group)], "out": held["groups"][ours]["out"]}
        rules = wanted["groups"][scene.database_group]["in"]
        wanted["groups"][scene.database_group]["in"] = sorted([*rules, (*port, ours)])
        if tokens:
            policy = f"{role}-connect"
            wanted["policies"] = sorted([*wanted["policies"], policy])
            wanted["roles"]["caller"]["attached"] = sorted([*wanted["roles"]["caller"]["attached"], policy])
        made = held["roles"].get(role, {})
        self.assertIn(scene.secret, json.dumps(made.get("inline")))
        self.assertEqual(json.loads(trust("rds.amazonaws.com"))["Statement"][0]["Principal"], made["trust"]["Statement"][0]["Principal"])
        wanted["roles"][role] = made
        for name in ("orders", "invoices"):
            function = wanted["functions"][name]
            function["variables"] = {key: text.replace(scene.host, proxy.get("host")) for key, text in function["variables"].items()}
        self.assertEqual(wanted, held)

    def test_every_other_deviation_is_as_it_was(self):
        """What lets a mistake of ours pass here, so that the simulated account alone proves it."""
        for name, met in self.others.items():
            with self.subTest(name):
                self.assertTrue(met(self.scene), f"no longer: {name}")


class Moto(Round, unittest.TestCase):
    emulator = staticmethod(emulators.moto)
    mended = staticmethod(deviations.moto_mended)
    others = deviations.MOTO


class MotoCluster(Round, unittest.TestCase):
    made = Cluster
    emulator = staticmethod(emulators.moto)
    mended = staticmethod(deviations.moto_mended)
    others = deviations.MOTO_CLUSTER


class Ministack(Round, unittest.TestCase):
    emulator = staticmethod(emulators.ministack)
    mended = staticmethod(deviations.ministack_mended)
    others = deviations.MINISTACK

    def test_verify_probes_from_the_functions_seat(self):
        """The very package that the program sends to Lambda is made, called and removed; here it runs for real."""
        self.lens.deviations = deviations.ministack_probed(self.scene)
        self.run_program(*self.up)
        before = self.scene.account()
        host = before["proxies"][self.proxy]["host"]
        # The latter where this machine reaches no name server.
        faults = [[("dns", False, fault)] for fault in ("name_not_found", "dns_timeout")]
        self.assertIn(self.probed(["invoices", "orders"], host), faults)
        self.assertEqual(before, self.scene.account())
        self.lens.deviations |= {"the proxy is at loopback": deviations.at_loopback}
        self.assertEqual([("dns", True, None), ("tcp", False, "refused")], self.probed(["orders"], "127.0.0.2", "--function", "orders"))
        self.assertEqual(before, self.scene.account())
        self.assertEqual(set(self.lens.deviations), set(self.lens.seen), "every deviation that is mended was met")

    def probed(self, seat, host, *more):
        """How far a probe came: each stage, and its fault."""
        told, changes = self.run_program("verify", "--probe", "--yes", *more, code=6)
        probes = told["probes"]
        self.assertEqual(["lambda:CreateFunction", *["lambda:Invoke"] * len(probes), "lambda:DeleteFunction"], changes)
        self.assertEqual([], [part for part in told["static"] if not part["open"]], "the probe alone fails")
        self.assertEqual((True, False), (told["probed"], told["verified"]))
        self.assertEqual(seat, [name for probe in probes for name in probe["functions"]])
        row = (host, 3306, "iam", self.scene.user, False)
        self.assertEqual({row}, {tuple(probe[key] for key in ("host", "port", "login", "user", "ok")) for probe in probes})
        # However each function logs in, it comes equally far from one seat.
        (stages,) = {tuple((stage["stage"], stage["ok"], stage["fault"]) for stage in probe["stages"]) for probe in probes}
        return list(stages)


class MinistackCluster(Round, unittest.TestCase):
    made = Cluster
    emulator = staticmethod(emulators.ministack)
    mended = staticmethod(deviations.ministack_mended)
    others = deviations.MINISTACK_CLUSTER


if __name__ == "__main__":
    unittest.main()
