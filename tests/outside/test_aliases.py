"""A canary that shifts an alias by weight, against two emulators that others wrote: what stands, and every way on from there."""

import tempfile
import unittest

import deviations
import emulators
from account import against
from lens import Lens
from scene import Scene


class Weighted:
    """No emulator counts invocations, so every watch ends with "unknown": a share stands, and stays."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.upstream = self.enterContext(self.emulator(folder))
        self.scene = Scene(self.upstream)
        self.lens = self.enterContext(Lens(self.upstream, self.mended(self.scene)))
        self.functions = self.scene.functions
        self.functions.publish_version(FunctionName="orders")
        self.functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
        self.before = self.calls()
        user = ("--db-user", self.scene.user) if self.scene.client_auth == "iam" else ()
        self.up = ("up", "--secret", self.scene.secret_name, *user, "--function", "orders", "--yes", "--timeout", "60s")
        canary = ("--canary", "--alias-weight", "25%", "--soak", "1s", "--timeout", "canary=1s")
        self.run_program(*self.up, *canary, code=8)
        self.canary = canary

    def run_program(self, *arguments, code=0):
        mark = len(self.lens.exchanges)
        run = against(self.lens.url, *arguments, "--db", self.scene.name)
        self.assertEqual(code, run.returncode, run.stdout + run.stderr)
        passed = self.lens.since(mark)
        self.assertEqual([], [finding for exchange in passed for finding in exchange.findings])
        return run.stdout, [str(exchange) for exchange in passed if exchange.changes]

    def calls(self):
        """Where callers of the alias get to, and which versions there are, by their hosts."""
        alias = self.functions.get_alias(FunctionName="orders", Name="live")
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        versions = self.functions.list_versions_by_function(FunctionName="orders")["Versions"]
        hosts = {row["Version"]: sorted(row["Environment"]["Variables"].items()) for row in versions}
        return alias["FunctionVersion"], weights, hosts

    def test_a_share_stands_and_up_completes_it(self):
        version, weights, hosts = self.calls()
        self.assertEqual(("1", {"2": 0.25}), (version, weights))
        self.assertNotEqual(hosts["1"], hosts["2"])
        told, changes = self.run_program("status")
        self.assertEqual([], changes)
        self.assertIn("with only 25 % of the calls of orders:live", " ".join(told.split()))
        # The same command watches the share again, and leaves it.
        _, changes = self.run_program(*self.up, *self.canary, code=8)
        self.assertEqual([], [change for change in changes if change.startswith("lambda:") and change != "lambda:PublishVersion"])
        self.assertEqual((version, weights, hosts), self.calls())
        self.run_program(*self.up)
        self.assertEqual(("2", {}, hosts), self.calls())
        _, changes = self.run_program(*self.up)
        self.assertEqual([], changes, "a second up changes nothing")

    def test_restore_takes_it_away(self):
        self.run_program("restore", "--yes")
        self.assertEqual(self.before, self.calls())

    def test_teardown_takes_it_away(self):
        self.run_program("teardown", "--yes", "--timeout", "60s")
        self.assertEqual(self.before, self.calls())

    def test_a_share_of_somebody_else_is_refused_and_stays(self):
        self.run_program("restore", "--yes")
        theirs = self.functions.publish_version(FunctionName="orders", Description="theirs")["Version"]
        if theirs == "1":
            self.scene.deploy("orders", ADDED="since then")
            theirs = self.functions.publish_version(FunctionName="orders", Description="theirs")["Version"]
        weights = {theirs: 0.5}
        self.functions.update_alias(FunctionName="orders", Name="live", RoutingConfig={"AdditionalVersionWeights": weights})
        held = self.calls()
        self.assertEqual(weights, held[1])
        self.run_program(*self.up, *self.canary, "--publish-pending", code=4)
        self.assertEqual(held, self.calls())


class Moto(Weighted, unittest.TestCase):
    emulator = staticmethod(emulators.moto)
    mended = staticmethod(deviations.moto_with_aliases)


class Ministack(Weighted, unittest.TestCase):
    emulator = staticmethod(emulators.ministack)
    mended = staticmethod(deviations.ministack_with_aliases)


if __name__ == "__main__":
    unittest.main()
