"""The program under test: found, asked what it can do, run, recorded, and killed."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from kit.clock import calm
from kit.stops import Failed, Interrupted, Missing, Refused, TimeUp

ROOT = Path(__file__).parents[3]


def ends_with_parent():
    """On Linux, the program ends when this script is killed, and does not go on alone: prctl(PR_SET_PDEATHSIG, SIGINT)."""
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


def found(given):
    """Where the program is: as given, as built here, or on the PATH."""
    places = [given] if given else [ROOT / "target" / "release" / "rdsproxy-setup", ROOT / "target" / "debug" / "rdsproxy-setup", shutil.which("rdsproxy-setup")]
    for place in filter(None, places):
        if os.access(place, os.X_OK) and Path(place).is_file():
            return Path(place).resolve()
    raise Refused(f"the program is not at {given}" if given else "the program is not built: cargo build --release, or --program PATH")


class Done:
    """A command at its end."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    @property
    def document(self):
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise Failed(f"{self.command} printed no JSON document") from error

    def exits(self, *codes):
        """Failed unless the exit code is one of these; the last thing that the program said is the reason."""
        if self.code in codes:
            return self
        said = "no message"
        for line in [*self.err.splitlines(), self.out]:
            with contextlib.suppress(ValueError, AttributeError):
                said = json.loads(line).get("error") or said
        raise Failed(f"`{self.command}` ended with {self.code}: {said}"[:500])


class Program:
    """One binary, for one Region."""

    def __init__(self, path, account, report):
        self.path, self.account, self.report, self.helps, self.processes = path, account, report, {}, []
        self.version = self.plain("--version").stdout.strip()

    def environment(self, account):
        # A variable that leads the program to a simulated account would make every row a lie.
        kept = {name: held for name, held in os.environ.items() if not name.startswith("RDSPROXY_")}
        if account.credentials:
            kept = {name: held for name, held in kept.items() if not name.startswith("AWS_") or name in ("AWS_CA_BUNDLE",)}
            kept |= dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), account.credentials))
        return kept

    def plain(self, *arguments):
        return subprocess.run([self.path, *arguments], env=self.environment(self.account), capture_output=True, text=True, check=False)

    def help(self, *command):
        if command not in self.helps:
            done = self.plain(*command, "--help")
            self.helps[command] = done.stdout if done.returncode == 0 else ""
        return self.helps[command]

    def has(self, command, flag=None):
        """Whether there is such a command, and such a flag of it."""
        text = self.help(command)
        return bool(text) and (flag is None or f"{flag} " in text)

    def started(self, name, *arguments, account=None):
        """A command under way, and what it is to be called."""
        account = account or self.account
        command = [str(self.path), "--region", self.account.region, "--output", "json"]
        command += ["--endpoint-url", account.endpoint_url] if account.endpoint_url else []
        command += ["--profile", account.profile] if account.profile and not account.credentials else []
        command += list(map(str, arguments))
        if self.has(arguments[0], "--record"):
            command += ["--record", str(self.report.folder / f"{self.report.files + 1:02}-{name}.recording.jsonl")]
        # In a session of its own: a Ctrl-C is for this script, which then ends the program in its own way.
        process = subprocess.Popen(
            command, env=self.environment(account), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=ends_with_parent if sys.platform == "linux" else None,
        )
        self.processes.append(process)
        process.shown = " ".join(["rdsproxy-setup", *map(str, arguments)])
        return process

    def ended(self, process, name):
        """Its end. Where this script is to end first, so is the program, which then says how to resume."""
        try:
            out, err = process.communicate()
        except BaseException as error:
            if isinstance(error, (Interrupted, TimeUp)):
                calm()
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
            self.written(name, process, out, err)
            raise
        return self.written(name, process, out, err)

    def end_all(self):
        """Ends what still runs, so that nothing creates what the clean-up deletes."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def written(self, name, process, out, err):
        self.report.file(f"{name}.txt", f"$ {process.shown}\n(exit code {process.returncode})\n\nstdout:\n{out}\nstderr:\n{err}")
        return Done(process.shown, process.returncode, out, err)

    def run(self, name, *arguments, account=None):
        """A command, run to its end."""
        if not self.has(arguments[0]):
            raise Missing(f"this program has no `{arguments[0]}`: {self.version}")
        return self.ended(self.started(name, *arguments, account=account), name)

    def killed(self, name, *arguments, when, account=None):
        """A command, killed at once when `when()` says so; None where it ended before."""
        process = self.started(name, *arguments, account=account)
        try:
            while process.poll() is None:
                if when():
                    process.kill()
                    break
        except BaseException as error:
            if isinstance(error, (Interrupted, TimeUp)):
                calm()
            process.kill()
            raise
        finally:
            out, err = process.communicate()
            done = self.written(name, process, out, err)
        return done if process.returncode == -signal.SIGKILL else None
