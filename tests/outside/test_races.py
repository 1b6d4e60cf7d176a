"""Eight processes of the program at once over one served account."""

import concurrent.futures
import re
import time
import unittest

from bench import DATABASES, Clean, dice, end, lost, once, seeds, start, world

AT_ONCE = 4
# A run that waits for what another has just made again would wait for an hour.
IMPATIENT = ("--timeout", "20s", "--timeout", "propagation=20s")
# How a run may end that met another at work: what it was doing, to which thing, and what AWS answered to which request;
# or what it waited for in vain; or what another has changed meanwhile.
PRECISE = (
    (1, r"[a-z' -]+ \([^)]+\): (rds|ec2|iam|lambda):[A-Za-z]+ answered [A-Za-z.]+: .+"),
    (4, r"[a-z' -]+ \([^)]+\): .+"),
    (5, r"[a-z' -]+ \([^)]+\): still .+ after 20 s"),
)


def together(lens, verbs, database, moments=(), options=()):
    """All of them, each at its moment: how they ended."""
    begin, processes = time.monotonic(), []
    for at, verb in enumerate(verbs):
        time.sleep(max(0, begin + (moments[at] if moments else 0) - time.monotonic()))
        processes.append(start(lens.url, verb, database, *options))
    return [end(process) for process in processes]


class Races(unittest.TestCase):
    """One set of resources, one value in each function, nothing foreign touched."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with concurrent.futures.ThreadPoolExecutor(len(DATABASES)) as pool:
            cls.clean = list(pool.map(Clean, DATABASES))
        for made in cls.clean:
            cls.addClassCleanup(made.close)

    def each(self, runs):
        """Some at a time, so that the machine is busy and no process starves."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for told, run in [(told, pool.submit(*run)) for told, *run in runs]:
                with self.subTest(told):
                    run.result()

    def eight(self, clean):
        with world() as (folder, lens):
            self.assertEqual([(0, None)] * 8, together(lens, ["up"] * 8, clean.database))
            self.assertEqual([], lost(folder, clean.with_proxy))
            written = [row for row in lens.exchanges if row.operation == "UpdateFunctionConfiguration" and row.status == 200]
            self.assertEqual(2, len(written), "each function is written once")
            self.assertEqual([(0, None)] * 8, together(lens, ["teardown"] * 8, clean.database))
            self.assertEqual([], lost(folder, clean.without))

    def four_and_four(self, clean, seed):
        """From either end; each that stops says why, and one more run comes to where it always comes."""
        chance = dice(seed, clean.database)
        verbs, last = chance.sample(["up", "teardown"] * 4, 8), chance.choice(["up", "teardown"])
        moments = sorted(chance.uniform(0, chance.choice([0.5, 12])) for _ in verbs)
        with world(chance.choice([None, clean.file])) as (folder, lens):
            ends = together(lens, verbs, clean.database, moments, IMPATIENT)
            told = [(verb, code, error) for verb, (code, error) in zip(verbs, ends) if code != 0]
            self.assertEqual((0, None), once(lens.url, last, clean.database), f"after {told}")
            self.assertEqual([], lost(folder, clean.wanted(last)), f"{verbs}, {told}, then {last}")
        vague = [row for row in told if not any(row[1] == code and re.fullmatch(cause, row[2] or "") for code, cause in PRECISE)]
        self.assertEqual([], vague)

    def test_eight_at_once(self):
        self.each((clean.database, self.eight, clean) for clean in self.clean)

    def test_four_and_four_at_once(self):
        self.each((f"{clean.database}, seed {seed}", self.four_and_four, clean, seed) for seed in seeds(2, "RDSPROXY_TEST_RACES") for clean in self.clean)


if __name__ == "__main__":
    unittest.main()
