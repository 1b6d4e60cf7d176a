"""Two emulators of AWS that others wrote, each on a free loopback port."""

import contextlib
import pathlib
import socket
import subprocess
import sys
import time

from account import ended, environment

TOOLS = pathlib.Path(sys.executable).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command, port, folder, variables):
    """The emulator, from its first answer until the end of the block."""
    log = pathlib.Path(folder) / "emulator.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(command, cwd=folder, env={**environment(), **variables}, stdout=sink, stderr=sink)
    with ended(server):
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the emulator does not answer: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"


def moto(folder):
    port = free_port()
    return running([TOOLS / "moto_server", "-H", "127.0.0.1", "-p", str(port)], port, folder, {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"})


def ministack(folder):
    port = free_port()
    # The host of every instance; a bare "localhost", as is its default, is no endpoint of RDS.
    host = "shop-db.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com"
    return running([TOOLS / "ministack"], port, folder, {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "MINISTACK_HOST": host})
