"""What the tests of races and kills share: clean runs to compare with, seeds, and a start from a world that is kept."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import tempfile
import time

from account import begun, served, shown, world_file
from lens import Lens
from worlds import difference, shape

DATABASES = ("my-instance", "my-cluster")
# As fast as --sandbox has it: waits of AWS's own, such as a new role's, are still felt.
SPEED = 60


def seeds(few, many):
    """The one that was asked for, or the first so many."""
    asked = os.environ.get("RDSPROXY_TEST_SEED")
    return [int(asked)] if asked else range(int(os.environ.get(many, few)))


def dice(seed, what):
    return random.Random(f"{what} {seed}")


def start(url, verb, database, *options):
    return begun(url, "--output", "json", verb, "--db", database, "--yes", *options)


def end(process, timeout=280):
    """How a process ended: its exit code, and its error if it had one."""
    try:
        out, _ = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    told = json.loads(out) if out.strip() else {}
    return process.returncode, told.get("error")


def once(url, verb, database):
    return end(start(url, verb, database))


@contextlib.contextmanager
def world(origin=None):
    """A served account that begins as the newcomer's, or as a file that was kept: its folder, and a lens before it."""
    with tempfile.TemporaryDirectory() as folder:
        if origin:
            shutil.copy(origin, world_file(folder))
        with served(folder, SPEED) as url, Lens(url) as lens:
            yield folder, lens


class Clean:
    """The accounts without and with a database's proxy, as one undisturbed run leaves them."""

    def __init__(self, database):
        self.database, self.folder = database, tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.folder.name) / "with.json"
        with world() as (folder, lens):
            self.without = shape(shown(folder))
            code, error = once(lens.url, "up", database)
            if code != 0:
                raise RuntimeError(error)
            settle(folder)
            self.with_proxy = shape(shown(folder))
            shutil.copy(world_file(folder), self.file)

    def close(self):
        self.folder.cleanup()

    def wanted(self, verb):
        return self.with_proxy if verb == "up" else self.without


def settle(folder, still=3):
    """Waits until the account has stopped to change by itself: what AWS still does after a run."""
    before = None
    for _ in range(60):
        held = shown(folder)
        if held == before:
            still -= 1
            if still == 0:
                return held
        before = held
        time.sleep(0.3)
    raise RuntimeError("the account does not come to rest")


def lost(folder, wanted):
    """Where the account differs from a clean run's."""
    return list(difference(shape(settle(folder)), wanted))
