"""kill -9 of the program, many times over, at moments that a seed tells; then one run that is left alone."""

import concurrent.futures
import time
import unittest

from bench import DATABASES, Clean, dice, lost, once, seeds, start, world

AT_ONCE = 6


class Kills(unittest.TestCase):
    """A run that was killed is the same as one that never began."""

    maxDiff = None

    def killed(self, lens, verb, database, chance):
        """One run, killed a moment after so many of its requests, or after a span of time."""
        mark, calls, pause = len(lens.exchanges), chance.randrange(60), chance.uniform(0, 0.06)
        deadline = time.monotonic() + chance.uniform(1, 15)
        process = start(lens.url, verb, database)
        while len(lens.exchanges) - mark < calls and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.001)
        time.sleep(pause)
        process.kill()
        process.communicate()
        return f"{verb} after {len(lens.exchanges) - mark} requests"

    def one(self, clean, seed):
        chance = dice(seed, clean.database)
        victim, last = chance.choice(["up", "teardown"]), chance.choice(["up", "teardown"])
        origin = None if victim == "up" and chance.random() < 0.8 else clean.file
        with world(origin) as (folder, lens):
            kills = [self.killed(lens, victim, clean.database, chance) for _ in range(chance.randint(1, 4))]
            told = f"seed {seed}: {', '.join(kills)}; then {last} of {clean.database}"
            self.assertEqual((0, None), once(lens.url, last, clean.database), told)
            self.assertEqual([], lost(folder, clean.wanted(last)), told)

    def test_killed_at_any_moment(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            clean = dict(zip(DATABASES, pool.map(Clean, DATABASES)))
            for made in clean.values():
                self.addCleanup(made.close)
            runs = {seed: pool.submit(self.one, clean[DATABASES[seed % 2]], seed) for seed in seeds(14, "RDSPROXY_TEST_KILLS")}
            for seed, run in runs.items():
                with self.subTest(seed=seed):
                    run.result()


if __name__ == "__main__":
    unittest.main()
