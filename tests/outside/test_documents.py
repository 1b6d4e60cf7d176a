"""Every document and event that the program prints, held to its schema by a validator that others wrote, and the schemas to mutations."""

import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from account import BINARY, ROOT, ended, environment
from jsonschema import Draft202012Validator

SCHEMAS = ROOT / "docs" / "schemas"
# What the account does takes hours of its own.
SPEED = 600
DB = ("--db", "my-instance")
# Parts whose form AWS or Terraform defines, and a value of any simple type.
FOREIGN, ANY = {"permissions": "documents"}, {"settings": ("settings", "[]", "value")}


def schemas():
    """Each schema as the program prints it."""
    return {name: json.loads(program("schema", name).stdout) for name in names()}


def plain():
    """Without a runner of GitHub, where stderr has lines for it too."""
    return {key: held for key, held in environment().items() if not key.startswith("GITHUB_")}


def names():
    listed = json.loads(program("schema", "--output", "json").stdout)["schemas"]
    # The file of settings is written by people, and no document.
    return [schema["name"] for schema in listed if schema["name"] != "config"]


def program(*arguments, cwd=None):
    return subprocess.run([BINARY, *map(str, arguments)], env=plain(), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)


# Objects with any keys, whose values alone are of a type.
MAPS = {"plan": [("settings",), ("entries", "[]", "basis")]}


class Printed:
    """What a life of a stack prints: documents by schema, and events."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.documents, self.events, self.wrong = {}, [], []

    def base(self):
        return ["--sandbox", "--sandbox-file", str(self.folder / "world.json"), "--sandbox-speed", str(SPEED), "--output", "json"]

    def run(self, name, code, *arguments):
        """A command whose document is to be of this schema."""
        done = program(*self.base(), *arguments, cwd=self.folder)
        self.events += [json.loads(line) for line in done.stderr.splitlines()]
        self.hours_later()
        if done.returncode != code:
            self.wrong.append(f"{arguments} exits with {done.returncode}: {done.stdout[-2000:]}")
        document = json.loads(done.stdout)
        self.documents.setdefault(name, []).append(document)
        return document

    def lines(self, name, count, *arguments):
        """A command that prints a line again and again, until it is ended."""
        command = [BINARY, *self.base(), *arguments]
        process = subprocess.Popen(command, env=plain(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        with ended(process), process.stdout:
            self.documents.setdefault(name, []).extend(json.loads(process.stdout.readline()) for _ in range(count))

    def served(self):
        """`sandbox serve` prints its document, and serves until it is ended."""
        command = [BINARY, "--sandbox-file", str(self.folder / "world.json"), "--output", "json", "sandbox", "serve", "--port", "0"]
        process = subprocess.Popen(command, env=plain(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        text = ""
        with ended(process), process.stdout:
            while not text.endswith("}\n"):
                text += process.stdout.readline()
        self.documents.setdefault("sandbox-serve", []).append(json.loads(text))

    def saved(self):
        """The file of a saved plan is a document too; with another basis, it is refused."""
        file = self.folder / "plan.json"
        plan = json.loads(file.read_text("utf-8"))
        self.documents.setdefault("plan", []).append(plan)
        file.write_text(json.dumps(put(plan, ("entries", 0, "basis", "resource ID"), "db-OTHER")), "utf-8")
        self.run("plan-refused", 9, "up", "--plan", "plan.json")

    @contextlib.contextmanager
    def changed(self):
        """The account, changed by hand while nobody uses it."""
        file = self.folder / "world.json"
        held = json.loads(file.read_text("utf-8"))
        yield held
        file.write_text(json.dumps(held), "utf-8")

    def hours_later(self):
        """Two hours of the account's time: metrics come late, and what is deleted goes slowly."""
        with self.changed() as held:
            held["at"] -= 2 * 3_600_000 // SPEED

    def whole_life(self):
        run = self.run
        run("list", 0, "list")
        run("schemas", 0, "schema")
        run("advise", 0, "advise", *DB)
        run("advise-all", 0, "advise", "--all")
        run("settings", 0, "up", *DB, "--show-config")
        run("rehearsal", 0, "rehearse", *DB)
        run("up-plan", 0, "up", *DB, "--dry-run")
        run("up-plan", 0, "up", *DB, "--dry-run", "--canary", "--verify", "probe")
        run("up-plan", 2, "up", *DB, "--dry-run", "--detailed-exitcode")
        run("up-plan", 0, "up", *DB, "--plan-out", "plan.json")
        self.saved()
        run("up-pending", 2, "up", *DB, "--yes", "--wait=false", "--detailed-exitcode")
        run("up", 0, "up", *DB, "--yes", "--verify", "probe", "--verbose", "--timeout", "12h")
        run("up", 0, "up", *DB, "--yes")
        run("alarms-plan", 0, "alarms", *DB, "--dashboard", "--dry-run")
        run("alarms", 0, "alarms", *DB, "--dashboard", "--yes")
        run("status", 0, "status")
        run("list", 0, "list")
        run("wait", 0, "wait", *DB, "--for", "functions")
        run("watch", 0, "watch", *DB, "--once")
        self.lines("watch-line", 3, "watch", *DB)
        run("doctor", 0, "doctor", *DB)
        run("verify", 0, "verify", *DB)
        run("verify", 0, "verify", *DB, "--probe", "--yes")
        run("token", 0, "token", *DB)
        run("connect", 0, "connect", *DB)
        run("permissions", 0, "permissions", "--for", "all")
        run("permissions", 0, "permissions", "--for", "up", "--as", "cloudformation")
        run("permissions", 0, "permissions", "--for", "status", "--discover", *DB, "--output-dir", "policies")
        run("export", 0, "export", *DB, "--to", "terraform", "--dir", "terraform")
        run("export", 0, "export", *DB, "--to", "cloudformation", "--dir", "cloudformation")
        run("export-mark", 0, "export", *DB, "--hand-over", "--yes")
        run("error", 4, "up", *DB, "--yes", "--require-tls")
        run("rehearsal", 4, "rehearse", *DB)
        run("export-mark", 0, "export", *DB, "--take-back", "--yes")
        run("error", 64, "status", "--nonsense")
        run("error", 4, "up", "--db", "absent", "--yes")
        run("removal-plan", 0, "alarms", *DB, "--remove", "--dry-run")
        run("alarms-removal", 0, "alarms", *DB, "--remove", "--yes")
        run("alarms-removal", 0, "alarms", *DB, "--remove", "--yes")
        run("close-direct-plan", 0, "close-direct", *DB, "--dry-run")
        run("close-direct", 0, "close-direct", *DB, "--yes")
        run("close-direct", 0, "close-direct", *DB, "--yes")
        run("status", 0, "status")
        run("removal-plan", 0, "restore", *DB, "--dry-run")
        run("restore", 0, "restore", *DB, "--yes")
        run("restore", 0, "restore", *DB, "--yes")
        # Too little time to tell, and then a function that the proxy refuses.
        run("up-canary", 8, "up", *DB, "--yes", "--canary", "--soak", "1s", "--timeout", "canary=2s", "--on-unknown", "stop")
        run("restore", 0, "restore", *DB, "--yes")
        run("sandbox-load", 0, "sandbox", "load", "--function", "InvoiceFunction", "--at-proxy", "refused")
        run("sandbox-load", 0, "sandbox", "load", "--function", "DBAppFunction", "--preset", "busy")
        run("up-canary", 7, "up", *DB, "--yes", "--canary", "--waves", "100%", "--on-unknown", "stop", "--timeout", "12h")
        run("sandbox-load", 0, "sandbox", "load", "--function", "InvoiceFunction", "--at-proxy", "works")
        run("up", 0, "up", *DB, "--yes", "--canary", "--waves", "100%", "--on-unknown", "continue")
        with self.changed() as held:
            group = next(group for group in held["world"]["ec2"]["groups"].values() if group["name"] == "app-functions")
            group["rules"] = {key: rule for key, rule in group["rules"].items() if not rule["egress"]}
        run("doctor", 3, "doctor", *DB)
        run("rehearsal", 0, "rehearse", *DB)
        run("rehearsal", 3, "rehearse", "--db", "my-cluster", "--timeout", "proxy=60s")
        run("verify", 6, "verify", *DB)
        run("status", 3, "status", "--exit-code")
        # A password that does not fit: a wait that runs long, and ends with a diagnosis.
        with self.changed() as held:
            secret = next(secret for secret in held["world"]["secrets"]["secrets"].values() if secret["name"] == "my-cluster/app")
            for version in secret["versions"]:
                version["*text"] = "does-not-fit"
        run("error", 4, "up", "--db", "my-cluster", "--yes")
        run("status", 0, "status")
        run("doctor", 3, "doctor", "--db", "my-cluster")
        run("removal-plan", 0, "teardown", *DB, "--dry-run")
        run("teardown", 0, "teardown", *DB, "--yes")
        run("teardown", 0, "teardown", *DB, "--yes")
        run("teardown", 0, "teardown", "--db", "my-cluster", "--yes")
        run("teardown", 0, "teardown", "--yes")
        run("restore", 0, "restore", "--yes")
        run("sandbox-reset", 0, "sandbox", "reset")
        self.served()


def places(value, name, path=()):
    """Every place in a document, one of each kind: lists are known by their first element of a kind."""
    yield path, value
    if isinstance(value, dict) and not (len(path) == 2 and path[0] == FOREIGN.get(name)):
        for key, held in value.items():
            yield from places(held, name, (*path, key))
    elif isinstance(value, list):
        for at, held in enumerate(value):
            yield from places(held, name, (*path, at))


def put(document, path, held):
    """The document with something else in one place."""
    if not path:
        return held
    first, rest = path[0], path[1:]
    if isinstance(document, list):
        return [put(value, rest, held) if at == first else value for at, value in enumerate(document)]
    return {key: put(value, rest, held) if key == first else value for key, value in document.items()}


def mutations(document, name):
    """The document with a key less, a key more, or a value of another type."""
    for path, value in places(document, name):
        kind = tuple("[]" if isinstance(step, int) else step for step in path)
        foreign = len(path) == 2 and path[0] == FOREIGN.get(name)
        if isinstance(value, dict) and not foreign and kind not in MAPS.get(name, ()):
            for key in value:
                yield (*kind, key), "a key less", put(document, path, {other: held for other, held in value.items() if other != key})
            yield kind, "a key more", put(document, path, value | {"unexpected": None})
        yield kind, "another type", put(document, path, ["unexpected"] if isinstance(value, dict) else {"unexpected": None})
        if kind != ANY.get(name) and isinstance(value, (bool, int, float)):
            yield kind, "a text", put(document, path, "unexpected")
        if kind != ANY.get(name) and isinstance(value, str):
            yield kind, "a number", put(document, path, 12.5)
    yield (), "the version", put(document, ("schema",), 2)


class Documents(unittest.TestCase):
    """Held by jsonschema, and by check-jsonschema as the documents have it."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.printed = Printed(folder.name)
        cls.printed.whole_life()
        cls.schemas = schemas()
        cls.validators = {name: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER) for name, schema in cls.schemas.items()}

    def all(self):
        yield from ((name, document) for name, found in self.printed.documents.items() for document in found)
        yield from (("event", event) for event in self.printed.events)

    def test_the_commands_end_as_they_should(self):
        self.assertEqual("", "\n".join(self.printed.wrong))

    def test_every_schema_is_one_and_is_the_file(self):
        for name, schema in self.schemas.items():
            Draft202012Validator.check_schema(schema)
            self.assertEqual(json.loads((SCHEMAS / f"{name}.json").read_text("utf-8")), schema)

    def test_everything_that_is_printed_fits_its_schema(self):
        wrong = [
            f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for name, document in self.all() for error in self.validators[name].iter_errors(document)
        ]
        self.assertEqual("", "\n".join(wrong))

    def test_every_schema_and_every_kind_of_event_was_seen(self):
        self.assertEqual(set(self.schemas), {name for name, _ in self.all()})
        kinds = {choice["properties"]["event"]["const"] for choice in self.schemas["event"]["oneOf"]}
        self.assertEqual(kinds, {event["event"] for event in self.printed.events})

    def test_a_document_fits_no_schema_but_its_own(self):
        for name, document in self.all():
            fits = {other for other, validator in self.validators.items() if validator.is_valid(document)}
            self.assertEqual({name}, fits, document)

    def test_every_schema_refuses_what_is_mutated(self):
        tried, seen, accepted = 0, set(), []
        for name, document in self.all():
            for path, how, mutated in mutations(document, name):
                what = (name, document.get("event"), path, how)
                if what in seen:
                    continue
                seen.add(what)
                tried += 1
                if self.validators[name].is_valid(mutated):
                    accepted.append(what)
        self.assertEqual([], accepted)
        self.assertGreater(tried, 2000)

    def test_every_word_is_one_of_those_that_there_are(self):
        event = next(event for event in self.printed.events if event["event"] == "ended")
        self.assertFalse(self.validators["event"].is_valid(event | {"ending": "unheard_of"}))
        self.assertFalse(self.validators["event"].is_valid(event | {"event": "unheard_of"}))
        plan = self.printed.documents["up-plan"][0]
        self.assertFalse(self.validators["up-plan"].is_valid(put(plan, ("plan", 0, "state"), "unheard_of")))

    def test_check_jsonschema_says_the_same(self):
        def checked(*arguments):
            return subprocess.run([sys.executable, "-m", "check_jsonschema", *map(str, arguments)], capture_output=True, text=True, check=False)

        done = checked("--check-metaschema", *(SCHEMAS / f"{name}.json" for name in self.schemas))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        good, bad = self.folder / "good.json", self.folder / "bad.json"
        status = self.printed.documents["status"][0]
        good.write_text(json.dumps(status), "utf-8")
        bad.write_text(json.dumps(status | {"unexpected": None}), "utf-8")
        for code, file in ((0, good), (1, bad)):
            done = checked("--schemafile", SCHEMAS / "status.json", file)
            self.assertEqual(code, done.returncode, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
