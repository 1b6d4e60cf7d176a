"""What PostgreSQL and MariaDB do at max_connections, beside what the arithmetic keeps back."""

import asyncio
import json
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from databases import MODEL, Client, MariaDb, PostgreSql, Refused


def known(value):
    return {"state": "known", "value": value, "origin": "configured", "source": "the test"}


def unknown():
    return {"state": "unknown", "why": "the test"}


def advice(engine, max_connections, superuser_reserved):
    """Ask the arithmetic about a database with that limit and no functions."""
    facts = {
        "region": "us-east-1",
        "database": {
            "name": "limits", "engine": engine, "engine_version": "15.0",
            "instances": [{"name": "limits", "class": "db.m5.large", "vcpus": known(2), "memory_bytes": known(8 << 30)}],
            "serverless": None,
            "parameter": known({"text": str(max_connections), "group": "limits", "pending_reboot": False}),
            "superuser_reserved": known(superuser_reserved), "rds_reserved": known(0),
            "measured_connections": unknown(), "other_connections": known(0), "fails_over": known(False),
            "allocated_storage_bytes": None, "port": None, "monthly_cents": unknown(), "larger_classes": known([]),
            "data_api": known(False),
        },
        "functions": [],
        "account": {"concurrency": known(1000), "unreserved_concurrency": known(1000), "proxies_quota": unknown(),
                    "proxies": known(0), "secrets": known(1), "extra_endpoints": known(0)},
        "proxy": None,
        "prices": {"vcpu_hour": unknown(), "acu_hour": unknown(), "endpoint_zone_hour": unknown(), "log_gigabyte": unknown(),
                   "log_bytes": known(0), "endpoint_zones": 2, "million_requests": unknown(),
                   "million_gigabyte_seconds": unknown(), "million_gigabyte_seconds_arm": unknown()},
        "days": 14,
        "assumptions": {name: {"percent": percent, "origin": "assumed", "source": "the test"}
                        for name, percent in (("lingering", 200), ("sqs_overshoot", 150), ("headroom", 130), ("usable", 70),
                                              ("pooled_per_vcpu", 2500))} | {"wait_target_us": 10000},
        "gaps": [],
    }
    done = subprocess.run([MODEL / "advise"], input=json.dumps(facts), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["supply"]


class Limits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="limits-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.folder.chmod(0o755)

    def test_postgresql(self):
        """A user gets max_connections less superuser_reserved_connections; a superuser gets the rest, and no more."""
        for reserved in (3, 5):
            with self.subTest(reserved=reserved):
                server = PostgreSql(self.folder / f"postgresql{reserved}", max_connections=12, superuser_reserved_connections=reserved)
                self.addCleanup(server.stop)
                supply = advice("postgresql", 12, reserved)
                self.assertEqual(supply["reserved"]["amount"], {"known": "exactly", "value": reserved})

                async def fill(user, opened):
                    while True:
                        try:
                            opened.append(await Client.connect(server.port, user, "postgres"))
                        except Refused as error:
                            return error

                async def both():
                    opened = []
                    refused = await fill("app", opened)
                    as_user = len(opened)
                    full = await fill("master", opened)
                    for client in opened:
                        await client.close()
                    return as_user, refused, len(opened), full

                as_user, refused, in_all, full = asyncio.run(both())
                self.assertEqual(as_user, 12 - supply["reserved"]["amount"]["value"])
                self.assertEqual((refused.code, full.code), ("53300", "53300"))
                self.assertIn("reserved", str(refused))
                self.assertEqual(in_all, supply["max_connections"]["amount"]["value"])

    def test_mariadb(self):
        """A user gets all of max_connections; an administrator gets one more, on top of it."""
        server = MariaDb(self.folder / "mariadb", "--max-connections=10")
        self.addCleanup(server.stop)
        supply = advice("mariadb", 10, None)
        self.assertEqual(supply["reserved"]["amount"], {"known": "exactly", "value": 0})
        most = supply["max_connections"]["amount"]["value"]
        held = []
        self.addCleanup(lambda: [process.kill() or process.communicate() for process in held])
        end = time.monotonic() + 60
        # The administrator's own connection is the one on top, and sees all of them.
        while (there := server.sql("SHOW STATUS LIKE 'Threads_connected'").split()[1]) != str(most + 1):
            self.assertLess(time.monotonic(), end, f"{there} connections, not {most + 1}")
            # One that came while the administrator's was among the first ten was refused, and comes again.
            held = [process for process in held if process.poll() is None]
            held += [server.hold("app") for _ in range(most - len(held))]
            time.sleep(0.5)
        with self.assertRaisesRegex(RuntimeError, "1040"):
            server.sql("SELECT 1", user="app")
        # A second administrator beside the first finds no room.
        first = server.hold("root")
        self.addCleanup(lambda: first.kill() or first.communicate())
        while True:
            self.assertLess(time.monotonic(), end, "two administrators got in")
            if first.poll() is not None:
                first = server.hold("root")
            try:
                server.sql("SELECT 1")
            except RuntimeError as error:
                self.assertIn("1040", str(error))
                break
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
