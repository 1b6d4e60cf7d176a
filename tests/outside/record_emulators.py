"""Records `up` and `teardown` against both emulators: record_emulators.py FOLDER, with the interpreter that tests/outside/run made."""

import pathlib
import sys
import tempfile

import deviations
import emulators
from account import against
from lens import Lens
from scene import Scene


def record(name, emulator, mended, into):
    with tempfile.TemporaryDirectory() as folder, emulator(folder) as upstream:
        scene = Scene(upstream)
        user = ("--db-user", scene.user) if scene.client_auth == "iam" else ()
        with Lens(upstream, mended(scene)) as lens:
            for verb, more in (("up", ("--secret", scene.secret_name, *user)), ("teardown", ())):
                file = into / f"{name}-{verb}.jsonl"
                file.unlink(missing_ok=True)
                run = against(lens.url, verb, "--db", scene.name, *more, "--yes", "--timeout", "60s", "--record", file)
                if run.returncode != 0:
                    raise RuntimeError(f"{name} {verb}: {run.stderr}")


if __name__ == "__main__":
    into = pathlib.Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    record("moto", emulators.moto, deviations.moto_mended, into)
    record("ministack", emulators.ministack, deviations.ministack_mended, into)
