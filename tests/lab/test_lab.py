"""The built program moves functions that run for real: before, after, and on the way back.

The account is ministack's, an emulator that others wrote; PostgreSQL 15 has few connections; pgbouncer stands where the proxy's host leads.
"""

import json
import os
import tempfile
import time
import unittest
from pathlib import Path

import wire  # noqa: I001  (adds the folders of the other tests)
import deviations
import emulators
from account import against
from lens import Lens
from load import Load
from runtime import Function
from scene import Scene
from wire import DATABASE, PASSWORD, POOL, PROXY, USER

DOCUMENT = Path(__file__).parents[2] / "docs" / "lab.md"
TOO_MANY = "53300"
# Callers of a load that the database does not bear, and of one that it bears beside the pool.
MANY, FEW = 30, 6
SECONDS = 8


class Shop(Scene):
    """An instance of PostgreSQL, and one function that logs in with a password."""

    name, family, port, user, client_auth = "shop-db", "POSTGRESQL", 5432, USER, "password"

    def database(self):
        self.rds.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=self.subnets)
        self.rds.create_db_instance(
            DBInstanceIdentifier=self.name, Engine="postgres", EngineVersion="15.10", DBInstanceClass="db.t3.medium", AllocatedStorage=20,
            Port=self.port, MasterUsername=self.user, MasterUserPassword=PASSWORD, DBSubnetGroupName="private",
            VpcSecurityGroupIds=[self.database_group],
        )
        made = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]
        self.host, self.arns = made["Endpoint"]["Address"], [made["DBInstanceArn"]]

    def environments(self):
        return {"orders": {"DB_HOST": self.host, "DB_USER": USER, "DB_PASSWORD": PASSWORD}}


class Lab(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="lab-")))
        folder.chmod(0o755)
        self.postgresql = wire.PostgreSql(folder / "postgresql")
        self.addCleanup(self.postgresql.stop)
        self.pooler = wire.Pooler(folder / "pooler")
        self.addCleanup(self.pooler.stop)
        upstream = self.enterContext(emulators.ministack(folder))
        self.scene = Shop(upstream)
        self.lens = self.enterContext(Lens(upstream, deviations.ministack_mended(self.scene)))
        wire.name_hosts({self.scene.host: DATABASE})
        self.function = Function(self.scene.functions, "orders")
        self.addCleanup(self.function.stop)

    def program(self, *arguments):
        run = against(self.lens.url, *arguments, "--db", self.scene.name, "--yes", "--output", "json")
        self.assertEqual(0, run.returncode, run.stderr)
        return json.loads(run.stdout)

    def prepared(self):
        """The proxy stands, and its name leads to the pooler; no function is touched."""
        before = self.function.configuration()
        self.program("up", "--prepare", "--secret", self.scene.secret_name)
        self.assertEqual(before, self.function.configuration())
        self.host = self.scene.rds.describe_db_proxies()["DBProxies"][0]["Endpoint"]
        self.assertNotEqual(self.scene.host, self.host)
        wire.name_hosts({self.scene.host: DATABASE, self.host: PROXY})

    def until_at(self, host):
        """Waits until new environments have it; Lambda's update takes a moment."""
        end = time.monotonic() + 30
        while self.function.variables["DB_HOST"] != host:
            self.assertLess(time.monotonic(), end, self.function.variables)
            time.sleep(0.05)

    def test_a_load_that_exhausts_the_database_passes_through_the_pool(self):
        self.prepared()
        with Load(self.function, MANY) as load:
            warm = load.warm()
            time.sleep(SECONDS)
            moved = time.monotonic()
            self.program("up", "--secret", self.scene.secret_name)
            self.until_at(self.host)
            settled = load.warm()
            time.sleep(SECONDS)
            sessions = self.postgresql.sessions()
        before, during, after = load.outcomes(warm, moved), load.outcomes(moved, settled), load.outcomes(settled)
        show(f"{MANY} callers, before", before), show("while up moves", during), show("after", after)
        self.assertEqual([], load.others("ok", TOO_MANY), "nothing else went wrong at any time")
        self.assertGreater(before[TOO_MANY], 20, "the database was exhausted before")
        self.assertGreater(before["ok"], 20)
        self.assertEqual({"ok"}, set(after), "after up, nothing is refused")
        self.assertGreater(after["ok"], 20)
        self.assertLessEqual(sessions, POOL)
        figures("up", [(f"before `up`, {SECONDS} s", before), ("while step 13 moves the function", during), (f"after `up`, {SECONDS} s", after)])

    def test_restore_under_load_loses_nothing(self):
        self.prepared()
        self.program("up", "--secret", self.scene.secret_name)
        self.until_at(self.host)
        with Load(self.function, FEW) as load:
            warm = load.warm()
            time.sleep(SECONDS)
            began = time.monotonic()
            self.program("restore")
            took = time.monotonic() - began
            self.until_at(self.scene.host)
            back = load.warm()
            time.sleep(SECONDS)
        before, during, after = load.outcomes(warm, began), load.outcomes(began, back), load.outcomes(back)
        show(f"{FEW} callers, at the pooler", before), show(f"restore, {took:.1f} s", during), show("at the database", after)
        self.assertEqual([], load.others("ok"), "no invocation was lost")
        for part in (before, after):
            self.assertGreater(part["ok"], 20)
        figures("restore", [(f"at the pooler, {SECONDS} s", before), ("while `restore` runs", during), (f"at the database again, {SECONDS} s", after)])

    def test_restore_under_too_much_load_loses_only_what_the_database_refuses(self):
        self.prepared()
        self.program("up", "--secret", self.scene.secret_name)
        self.until_at(self.host)
        with Load(self.function, MANY) as load:
            warm = load.warm()
            time.sleep(SECONDS)
            began = time.monotonic()
            self.program("restore")
            self.until_at(self.scene.host)
            back = load.warm()
            time.sleep(SECONDS)
        before, during, after = load.outcomes(warm, began), load.outcomes(began, back), load.outcomes(back)
        show(f"{MANY} callers, at the pooler", before), show("while restore runs", during), show("at the database", after)
        self.assertEqual({"ok"}, set(before), "the pool bears it")
        self.assertEqual([], load.others("ok", TOO_MANY), "the database refuses some, as before up, and nothing else goes wrong")
        self.assertGreater(after[TOO_MANY], 0)
        figures("restore beyond the limit", [(f"at the pooler, {SECONDS} s", before), ("while `restore` runs", during), (f"at the database again, {SECONDS} s", after)])


def show(what, outcomes):
    print(f"  {what}: {outcomes['ok']} succeeded, {outcomes[TOO_MANY]} refused with {TOO_MANY}", flush=True)


def figures(name, rows):
    """Writes the block of a document, where it was asked for."""
    if not os.environ.get("LAB_DOCUMENT"):
        return
    table = "| | invocations | succeeded | refused: too many connections |\n| --- | ---: | ---: | ---: |\n"
    table += "".join(f"| {what} | {sum(of.values())} | {of['ok']} | {of[TOO_MANY]} |\n" for what, of in rows)
    head, tail = f"<!-- measured: {name} -->\n", "<!-- end -->"
    before, rest = DOCUMENT.read_text().split(head)
    DOCUMENT.write_text(f"{before}{head}{table}{tail}{rest.split(tail, 1)[1]}")


if __name__ == "__main__":
    unittest.main()
