"""The queue model beside pgbouncer in transaction mode before PostgreSQL 15.

Requests arrive at random and sleep in the database for a random time, so that the pool is the queue and not the
processor. pgbouncer itself counts how long clients waited for a connection and how long each was held; the model is asked
with the measured rate and the measured time held, so a busy machine, on which everything is held longer, is no error.

Two comparisons, for each pool:

1. pgbouncer against one line before as many servers, fed with the very requests that were sent. Nothing is left to chance
   here, so the allowance is small.
2. The model against pgbouncer. The mean wait of a run of a minute differs from the mean of all runs by chance; how much,
   400 simulated runs as long show. A measured mean outside all of them, by more than the allowance, is a divergence.
"""

import asyncio
import json
import random
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from databases import MODEL, Client, Pooler, PostgreSql
from line import band, waits

# Name: connections of the pool, share of them that is busy, seconds held, whether all are held equally long.
POOLS = {
    "two": (2, 0.60, 0.05, False),
    "five": (5, 0.80, 0.10, False),
    "ten": (10, 0.90, 0.10, False),
    "constant": (5, 0.80, 0.10, True),
}
SECONDS = 40
# Waits that are no queue's: a turn of pgbouncer's and the clients' loops, and of a busy machine.
ALLOWANCE = 0.004
# A machine that sends requests this much later than planned on average sends no Poisson process.
LATE = 0.02
ATTEMPTS = 3


def model(servers, rate, seconds, constant):
    """Ask the Rust model."""
    arguments = [str(servers), repr(rate), repr(seconds), "0" if constant else "1"]
    return json.loads(subprocess.run([MODEL / "erlang", *arguments], capture_output=True, text=True, check=True).stdout)


class Load:
    """Requests at random times to one pool, over connections that are there before."""

    def __init__(self, port, name, seed):
        self.port, self.name = port, name
        servers, busy, seconds, constant = POOLS[name]
        chance = random.Random(seed)
        self.planned, at = [], 0.0
        while at < SECONDS:
            at += chance.expovariate(servers * busy / seconds)
            self.planned.append((at, seconds if constant else chance.expovariate(1 / seconds)))
        self.sent, self.idle = [], []

    async def connect(self):
        # As many clients as may wait in a run.
        self.idle = [await Client.connect(self.port, "app", self.name) for _ in range(30 * POOLS[self.name][0])]
        # Every connection of the pool is opened once before anything is counted.
        await asyncio.gather(*(client.query("SELECT pg_sleep(0.3)") for client in self.idle[:POOLS[self.name][0]]))

    async def request(self, seconds):
        # On a machine that is too busy, more wait than were thought of.
        client = self.idle.pop() if self.idle else await Client.connect(self.port, "app", self.name)
        await client.query(f"SELECT pg_sleep({seconds:.6f})")
        self.idle.append(client)

    async def run(self):
        start = asyncio.get_running_loop().time()
        tasks = []
        for at, seconds in self.planned:
            delay = start + at - asyncio.get_running_loop().time()
            if delay > 0:
                await asyncio.sleep(delay)
            self.sent.append(asyncio.get_running_loop().time() - start)
            tasks.append(asyncio.ensure_future(self.request(seconds)))
        await asyncio.gather(*tasks)
        for client in self.idle:
            await client.close()

    def lateness(self):
        return sum(sent - at for sent, (at, _) in zip(self.sent, self.planned)) / len(self.sent)


async def measure(pooler, seed):
    """Run the load of all pools at once, and return it with what pgbouncer counted."""
    loads = [Load(pooler.port, name, seed + name) for name in POOLS]
    for load in loads:
        await load.connect()
    before = await pooler.stats()
    await asyncio.gather(*(load.run() for load in loads))
    after = await pooler.stats()
    counted = {name: {key: after[name][key] - before[name][key] for key in after[name]} for name in POOLS}
    return loads, counted


class Queue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="queue-")
        cls.addClassCleanup(folder.cleanup)
        Path(folder.name).chmod(0o755)
        server = PostgreSql(Path(folder.name) / "postgresql", max_connections=60)
        cls.addClassCleanup(server.stop)
        cls.pooler = Pooler(Path(folder.name) / "pooler", server, {name: pool[0] for name, pool in POOLS.items()})
        cls.addClassCleanup(cls.pooler.stop)

    def test_pooler_and_model(self):
        # Chance puts one run in 200 or so outside, and a stall of the machine another: what is wrong is so in every attempt.
        for attempt in range(1, ATTEMPTS + 1):
            loads, counted = asyncio.run(measure(self.pooler, f"{time.time_ns()} "))
            late = max(load.lateness() for load in loads)
            wrong = [] if late < LATE else [f"requests were sent {late * 1e3:.0f} ms late on average: the machine is too busy"]
            print(f"\nattempt {attempt}, requests {late * 1e3:.1f} ms late on average")
            print("pool      requests  busy   held  waited   line  model      95% of runs of the model")
            for load in loads:
                wrong += self.compare(load, counted[load.name])
            if not wrong:
                return
            print("\n".join(wrong), flush=True)
        self.fail("\n".join(wrong))

    def compare(self, load, counted):
        servers, _, planned, constant = POOLS[load.name]
        requests = counted["queries"]
        self.assertEqual(requests, len(load.sent))
        waited = counted["waited"] / requests
        # pgbouncer's query time runs from the client's request on, and so has the wait in it.
        held = counted["answered"] / requests - waited
        rate = requests / load.sent[-1]
        # Requests are held a little longer than they sleep, each by about as much.
        longer = held - sum(seconds for _, seconds in load.planned) / requests
        line = waits(load.sent, [max(seconds + longer, 0.0) for _, seconds in load.planned], servers)
        line = sum(line) / len(line)
        said = model(servers, rate, held, constant)
        runs = band(servers, rate, held, requests, constant)
        low, high = runs[0], runs[-1]
        print(f"{load.name:9} {requests:8} {rate * held / servers:5.0%} {held * 1e3:6.1f} {waited * 1e3:7.1f} {line * 1e3:6.1f} "
              f"{said['mean_wait'] * 1e3:6.1f}   {runs[len(runs) // 40] * 1e3:8.1f} to {runs[-len(runs) // 40] * 1e3:.1f} ms")
        wrong = []
        if longer > 0.25 * planned:
            wrong.append(f"{load.name}: connections were held {longer * 1e3:.1f} ms longer than asked for: the machine is too busy")
        if abs(waited - line) > ALLOWANCE + 0.15 * line:
            wrong.append(f"{load.name}: pgbouncer's clients waited {waited * 1e3:.1f} ms, those of one line {line * 1e3:.1f} ms")
        if not low - ALLOWANCE <= waited <= high + ALLOWANCE:
            wrong.append(f"{load.name}: measured {waited * 1e3:.1f} ms, and runs of the model came to {low * 1e3:.1f} to {high * 1e3:.1f} ms")
        # The model's formula against the mean of its runs, which start from an empty line and so wait a little less.
        mean = sum(runs) / len(runs)
        if abs(said["mean_wait"] - mean) > 0.002 + 0.12 * mean:
            wrong.append(f"{load.name}: the formula says {said['mean_wait'] * 1e3:.1f} ms, its runs {mean * 1e3:.1f} ms")
        return wrong


if __name__ == "__main__":
    unittest.main()
