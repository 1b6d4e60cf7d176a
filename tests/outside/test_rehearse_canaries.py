"""What others wrote in an account is in nothing that `rehearse` prints or writes; under pseudonyms, neither are their names."""

import json
import pathlib
import re
import tempfile
import unittest

import deviations
import emulators
from account import against, program, served, world_file
from aviary import Aviary, Sample
from lens import Lens

FAST = 3600


def kept(canaries, text):
    """The canaries in a text, whole or in their larger part, in any case."""
    text = text.lower()
    return [canary for canary in canaries if canary.lower() in text]


class Canaries:
    """An account with canaries in all of it."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        upstream = self.begin()
        self.lens = self.enterContext(Lens(upstream, self.mended(self.aviary)))

    def begin(self):
        upstream = self.enterContext(self.emulator(self.folder))
        self.aviary = Aviary(upstream)
        self.choices = ("--db", self.aviary.db, "--secret", self.aviary.secret, "--publish-pending", "--db-user", self.aviary.user)
        return upstream

    def rehearse(self, at, *arguments):
        """Everything that a rehearsal printed and wrote, by what it is."""
        files = {name: self.folder / f"{name}-{at}" for name in ("save", "report", "record")}
        flags = (f"--{name}={file}" for name, file in files.items())
        run = against(self.lens.url, "rehearse", *self.choices, *flags, *arguments)
        self.assertIn(run.returncode, (0, 3), run.stdout + run.stderr)
        self.assertRegex(run.stdout, "iam:CreateRole")
        return {"stdout": run.stdout, "stderr": run.stderr} | {name: file.read_text("utf-8") for name, file in files.items()}

    def test_nothing_that_others_wrote_is_kept(self):
        written = self.aviary.written
        self.assertGreaterEqual(len(written), 40)
        found = []
        for at, arguments in enumerate((("-v",), ("-v", "--output", "json", "--record-plain"), ("--pseudonymize", "--inspect-secret", "-v"), ("--output", "json", "--inspect-secret"))):
            found += [(arguments, where, canary) for where, text in self.rehearse(at, *arguments).items() for canary in kept(written, text)]
        self.assertEqual([], found)
        heard = b"".join(exchange.answer for exchange in self.lens.exchanges).decode("utf-8", "replace")
        self.assertGreaterEqual(len(kept(written, heard)), self.heard, "what was not heard cannot be kept")

    def test_under_pseudonyms_no_name_is_kept(self):
        named = self.aviary.named
        self.assertGreaterEqual(len(named), 40)
        plain, masked = (self.rehearse(at, *arguments)["save"] for at, arguments in enumerate(((), ("--pseudonymize",))))
        self.assertEqual([], kept(named, masked))
        self.assertGreaterEqual(len(kept(named, plain)), 30, "the same file with names has them")


class Simulated(Canaries, unittest.TestCase):
    heard = 40

    def mended(self, _):
        return {}

    def begin(self):
        file = world_file(self.folder)
        program("--sandbox", "--sandbox-file", file, "sandbox", "reset", "--yes")
        self.aviary = Sample(file)
        self.choices = ("--db", self.aviary.databases[-1])
        return self.enterContext(served(self.folder, FAST))


class SimulatedCluster(Simulated):
    def begin(self):
        upstream = super().begin()
        self.choices = ("--db", self.aviary.databases[0], "--publish-pending")
        return upstream


def as_scene(mended):
    """The mends, for an account without a cluster."""

    def of(aviary):
        aviary.members, aviary.cloudwatch = (), aviary.alarms
        return mended(aviary)

    return staticmethod(of)


class Moto(Canaries, unittest.TestCase):
    emulator, mended, heard = staticmethod(emulators.moto), as_scene(deviations.moto_with_aliases), 20


class Ministack(Canaries, unittest.TestCase):
    emulator, mended, heard = staticmethod(emulators.ministack), as_scene(deviations.ministack_mended), 20


if __name__ == "__main__":
    unittest.main()
