"""docs/schemas/config.json, held to the program by an independent validator: what one takes, the other takes."""

import json
import pathlib
import tempfile
import tomllib
import unittest

import jsonschema

from account import ROOT, program

SCHEMA = json.loads((ROOT / "docs" / "schemas" / "config.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "config.md").read_text("utf-8")
# Files of which every key is one of up: whether it is taken, and why.
FILES = [
    (True, ""),
    (True, "[defaults]\nregion = 'eu-central-1'\ntimeout = ['target=45m', '1h']"),
    (True, "[defaults.up]\nfunction = ['A', 'B']\ncanary = true\nsoak = '10m'"),
    (True, "[database.my-instance]\nname = 'orders'\n[database.my-instance.up]\nmax-connections-percent = 60\nrequire-tls = false"),
    (True, "[database.'arn:aws:rds:eu-central-1:123456789012:db:other'.up]\nverify = 'probe'"),
    (True, "[defaults.up]\nfunction = 'A'"),
    (False, "name = 'orders'"),
    (False, "[default]"),
    (False, "[defaults]\nname = 'orders'"),
    (False, "[defaults.up]\nname = 'orders'"),
    (False, "[defaults]\nfunction = ['A']"),
    (False, "[defaults]\nyes = true"),
    (False, "[defaults]\nendpoint-url = 'http://127.0.0.1'"),
    (False, "[defaults]\nprofile = 'x'"),
    (False, "[defaults.up]\nmax_connections_percent = 60"),
    (False, "[defaults.up]\nmax-connections-percent = '60'"),
    (False, "[defaults.up]\nfunction = [1]"),
    (False, "[defaults.up]\ncanary = 'yes'"),
    (False, "[defaults.up]\nverify = 'none'"),
    (False, "[defaults.up]\nverify = 'sometimes'"),
    (False, "[defaults.up]\npassword-stdin = true"),
    (False, "[defaults.sandbox]\nport = 1"),
    (False, "[database]\nmy-instance = 'x'"),
    (False, "[database.my-instance.up.function]\nname = 'A'"),
]


class Settings(unittest.TestCase):
    def fits(self, text):
        try:
            jsonschema.Draft7Validator(SCHEMA).validate(tomllib.loads(text))
        except jsonschema.ValidationError:
            return False
        return True

    def test_the_schema_is_one(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_what_the_schema_takes_the_program_takes_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "f.toml"
            for taken, text in FILES:
                with self.subTest(text):
                    path.write_text(text + "\n", "utf-8")
                    done = program("up", "--db", "my-instance", "--config", path, "--show-config", "--output", "json")
                    self.assertEqual((taken, 0 if taken else 64), (self.fits(text), done.returncode), done.stderr)
                    if not taken:
                        self.assertRegex(json.loads(done.stdout)["error"], rf"^{path}:[1-3]: ")

    def test_the_example_of_the_page_fits(self):
        text = PAGE.split("```toml\n", 1)[1].split("```", 1)[0]
        self.assertTrue(self.fits(text))
        self.assertIn("#:schema ", text)
