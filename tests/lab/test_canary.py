"""`up --canary` before real drivers and a real pooler: what is fine moves, and what is not is found and goes back.

The metrics that it judges from are counted from the invocations and the pooler of this test (meter.py), and kept by the emulator's CloudWatch.
"""

import contextlib
import tempfile
import time
import unittest
from pathlib import Path

from load import Load
from meter import Meter
from shop import Bench, Shop, document  # noqa: I001  (adds the folders of the other tests)
from servers import Authority


class Mixed(Shop):
    """One function that is fine, and three that work before the database and not before the pooler."""

    authority = None

    def environments(self):
        [orders] = super().environments().values()
        return {
            "orders": orders,
            # Its driver insists on channel binding (SCRAM-SHA-256-PLUS), which PostgreSQL offers and pgbouncer 1.18 does not.
            "legacy": orders | {"PGSSLMODE": "require", "PGCHANNELBINDING": "require"},
            # It trusts the authority of the database's certificate alone; the pooler's has another.
            "strict": orders | {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self.authority.certificate)},
            # Fifteen at a time hold a connection for a fifth of a second each, and the pool has five.
            "reports": orders | {"WORK_SECONDS": "0.2"},
        }


CALLERS = {"orders": 3, "legacy": 2, "strict": 2, "reports": 15}
# What is wrong with each, and the measure that shows it.
BAD = {
    "legacy": ("its driver cannot log in (channel binding)", "errors"),
    "strict": ("it trusts another authority", "errors"),
    "reports": ("it is slow: it waits for a connection", "duration"),
}
SETTLED = 10


class Canary(Bench):
    scene_class = Mixed

    def setUp(self):
        keys = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="lab-keys-")))
        Mixed.authority, pooled = Authority(keys / "database", "Database"), Authority(keys / "pooler", "Pooler")
        super().setUp()
        # More connections than all callers need: what is looked for is not the database's limit.
        self.serve(connections=60, pair=Mixed.authority.sign("server", [self.scene.host]))
        self.prepare()
        self.pool(pair=pooled.sign("server", [self.host]))

    def canary(self, *arguments, code):
        """Runs one in the midst of a minute, so that its first look, a minute later, sees a part of the first whole minute after the change."""
        at = time.time() % 60
        if not 15 <= at <= 40:
            time.sleep((15 - at) % 60)
        began = time.monotonic()
        told = self.program("up", "--canary", "--soak", "1m", "--secret", self.scene.secret_name, *arguments, code=code)
        return told["canary"], began

    def test_what_is_worse_goes_back_by_itself_and_the_others_stay(self):
        loads = {name: Load(self.deployed(name), callers) for name, callers in CALLERS.items()}
        before = {name: self.scene.function(name) for name in BAD}
        with contextlib.ExitStack() as stack:
            for load in loads.values():
                stack.enter_context(load)
            meter = stack.enter_context(Meter(self.scene.cloudwatch, f"{self.scene.name}-proxy", self.host, self.pooler, loads))
            for load in loads.values():
                load.warm()
            # The time before the change counts in whole minutes: at least twenty seconds of one.
            at = time.time() % 60
            time.sleep(60 - at if at <= 40 else 120 - at)
            good, _ = self.canary("--function", "orders", code=0)
            self.assertEqual(("complete", ["orders"]), (good["ending"], good["moved"]))
            self.assertEqual(["not_worse"], [wave["judgement"]["answer"] for wave in good["waves"]])
            worse, tried = self.canary("--all-functions", "--waves", "100%", code=7)
            back = loads["orders"].warm()
            for name in BAD:
                back = max(back, loads[name].warm())
            time.sleep(SETTLED)
        self.assertEqual([], meter.failed)
        self.assertEqual(("worse", sorted(BAD), ["orders"]), (worse["ending"], sorted(worse["back"]), worse["moved"]))
        [judged] = worse["waves"]
        found = {one["subject"]["function"]: one for one in judged["judgement"]["findings"] if isinstance(one["subject"], dict)}
        self.assertEqual({name: measure for name, (_, measure) in BAD.items()}, {name: one["measure"] for name, one in found.items()}, judged)
        self.assertEqual(before, {name: self.scene.function(name) for name in BAD})
        for name in BAD:
            self.assertEqual({"ok"}, set(loads[name].outcomes(until=tried)), f"{name} works before it moves")
            self.assertEqual({"ok"}, set(loads[name].outcomes(since=back)), f"{name} works again")
        self.assertEqual([], loads["orders"].others("ok"), "the one that is fine fails at no time")
        rows = [row(name, loads[name].outcomes(tried, back), found.get(name)) for name in CALLERS]
        print("\n".join(rows), flush=True)
        document("canary", "| function | invocations in the second canary | failed | what the canary saw |\n| --- | ---: | ---: | --- |\n" + "\n".join(rows) + "\n")


def row(name, outcomes, finding):
    """A line of the document."""
    what = f"`{name}`" + (f": {BAD[name][0]}" if name in BAD else "")
    every, good = sum(outcomes.values()), outcomes["ok"]
    return f"| {what} | {every} | {every - good} | {seen(finding) if finding else 'not moved by it'} |"


def seen(finding):
    numbers = finding["numbers"]
    if "shares" in numbers:
        (bad, every), (bad_before, before) = numbers["shares"]["after"], numbers["shares"]["before"]
        return f"{finding['measure']}: {bad} of {every}, and {bad_before} of {before} before"
    values = numbers["values"]
    return f"{finding['measure']}: {values['after']:.0f} ms at the 95th percentile, and {values['before']:.0f} ms before"


if __name__ == "__main__":
    unittest.main()
