"""The built program moves functions that run for real: before, after, and on the way back.

The account is ministack's, an emulator that others wrote; PostgreSQL 15 has few connections; pgbouncer stands where the proxy's host leads.
"""

import time
import unittest

from load import Load
from shop import Bench, document
from wire import POOL

TOO_MANY = "53300"
# Callers of a load that the database does not bear, and of one that it bears beside the pool.
MANY, FEW = 30, 6
SECONDS = 8


class Lab(Bench):
    def setUp(self):
        super().setUp()
        self.serve()
        self.pool()
        self.function = self.deployed("orders")

    def until_at(self, host):
        """Waits until new environments have it; Lambda's update takes a moment."""
        end = time.monotonic() + 30
        while self.function.variables["DB_HOST"] != host:
            self.assertLess(time.monotonic(), end, self.function.variables)
            time.sleep(0.05)

    def test_a_load_that_exhausts_the_database_passes_through_the_pool(self):
        self.prepare()
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
        self.prepare()
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
        self.prepare()
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
    table = "| | invocations | succeeded | refused: too many connections |\n| --- | ---: | ---: | ---: |\n"
    table += "".join(f"| {what} | {sum(of.values())} | {of['ok']} | {of[TOO_MANY]} |\n" for what, of in rows)
    document(name, table)


if __name__ == "__main__":
    unittest.main()
