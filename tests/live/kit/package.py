"""The functions' code with its drivers, as a zip: the drivers are wheels that are pinned by their hashes."""

import io
import os
import ssl
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

from kit.stops import Failed, Missing

HERE = Path(__file__).parents[1]
REQUIRED = HERE / "function" / "requirements.txt"
WHEELS = HERE.parents[1] / "target" / "live" / "wheels"
BUNDLE = "https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"
# A date that every zip can hold: the same input gives the same package.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def wheels():
    """The drivers' wheels, downloaded once. pip checks each against its hash."""
    held = WHEELS / "fetched.txt"
    if not held.exists() or held.read_text() != REQUIRED.read_text():
        WHEELS.mkdir(parents=True, exist_ok=True)
        for old in WHEELS.glob("*.whl"):
            old.unlink()
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:",
            "--requirement", str(REQUIRED), "--dest", str(WHEELS),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"the drivers could not be downloaded: {done.stderr.strip()[-300:]}")
        held.write_text(REQUIRED.read_text())
    return sorted(WHEELS.glob("*.whl"))


def authorities(region):
    """The certificates of RDS in a Region, from AWS's own address, by a connection that is verified."""
    try:
        with urllib.request.urlopen(BUNDLE.format(region=region), timeout=20, context=ssl.create_default_context()) as answer:
            return answer.read()
    except OSError as error:
        raise Missing(f"the certificates of RDS could not be read: {error}") from error


def package(bundle=None):
    """The zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:

        def put(name, data):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            made.writestr(entry, data)

        put("live.py", (HERE / "function" / "live.py").read_bytes())
        if bundle:
            put("rds.pem", bundle)
        for wheel in wheels():
            with zipfile.ZipFile(wheel) as opened:
                for name in sorted(opened.namelist()):
                    # Its metadata too: scramp asks for its own version.
                    if not name.endswith("/") and os.path.normpath(name) == name and not name.startswith("/"):
                        put(name, opened.read(name))
    return content.getvalue()
