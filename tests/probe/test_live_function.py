"""The function of the first real run, from the very package that is uploaded, with its drivers, against a real PostgreSQL and a real MariaDB."""

import importlib
import json
import os
import subprocess
import sys
import types
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import test_probe
from test_probe import TOKEN, World

setUpModule = test_probe.setUpModule
RUN = Path(__file__).parent.parent / "live" / "run"
ADMINISTRATOR, APP = "adm1n1strators-passw0rd", "functi0ns-passw0rd"


class Function(unittest.TestCase):
    """Each call of the handler; no answer holds a password."""

    @classmethod
    def setUpClass(cls):
        folder = World.folder / "function"
        folder.mkdir()
        subprocess.run([RUN, "--package", folder / "package.zip"], check=True)
        zipfile.ZipFile(folder / "package.zip").extractall(folder)
        # As the script puts the certificates of RDS into it.
        (folder / "rds.pem").write_bytes(World.ours.certificate.read_bytes())
        sys.path.insert(0, str(folder))
        cls.addClassCleanup(sys.path.remove, str(folder))
        cls.live = importlib.import_module("live")
        World.pg.sql(f"CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '{ADMINISTRATOR}'")
        World.pg.sql("CREATE DATABASE live OWNER postgres")
        World.maria.sql(f"CREATE DATABASE live; CREATE USER admin@'%' IDENTIFIED BY '{ADMINISTRATOR}'; GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION")
        World.maria.sql("GRANT SELECT ON live.* TO app@'%'")

    def called(self, variables, event=None):
        given = {**variables, "PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1"}
        token = types.SimpleNamespace(client=lambda service, region_name: types.SimpleNamespace(generate_db_auth_token=lambda **_: TOKEN))
        with mock.patch.dict(os.environ, given, clear=True), mock.patch.dict(sys.modules, {"boto3": token}):
            answer = self.live.handler(event or {}, None)
        for secret in (TOKEN, APP, ADMINISTRATOR):
            self.assertNotIn(secret, json.dumps(answer))
        return answer

    def users(self, engine, port, **more):
        variables = {f"{engine.upper()}_ADMIN": ADMINISTRATOR, f"{engine.upper()}_APP": APP}
        return self.called(variables, {"do": "users", "engine": engine, "host": "localhost", "port": port, **more})

    def saw(self, answer, **wanted):
        self.assertTrue(answer["ok"], answer)
        wanted = {"host": "localhost", "peer": "127.0.0.1", "client": "127.0.0.1", "value": 42, "issuer": "ours", "subject": "server", **wanted}
        self.assertEqual(wanted, {key: answer[key] for key in wanted})
        self.assertTrue(answer["tls"].startswith("TLSv1."))

    def test_postgresql_knows_the_user_by_its_verifier_and_the_function_logs_in(self):
        self.assertEqual({"ok": True, "users": {"app": mock.ANY}}, self.users("postgresql", World.pg.port))
        # The probe's tests have a user of this name: then the password is another, which the servers tells apart.
        World.pg.sql("DROP ROLE IF EXISTS app")
        self.assertEqual({"ok": True, "users": {"app": "created"}}, self.users("postgresql", World.pg.port))
        url = f"postgresql://app:{APP}@localhost:{World.pg.port}/live"
        self.saw(self.called({"DATABASE_URL": url}), engine="postgresql", user="app", server="127.0.0.1")
        split = {"ENGINE": "postgresql", "DB_HOST": "localhost", "DB_PORT": str(World.pg.port), "DB_USER": "app", "DB_NAME": "live", "DB_PASSWORD": APP}
        self.saw(self.called(split), engine="postgresql", user="app", server="127.0.0.1")
        wrong = self.called({**split, "DB_PASSWORD": f"{APP}-no-more"})
        self.assertFalse(wrong["ok"])
        self.assertIn("password authentication failed", wrong["message"])

    def test_mysql_takes_a_token_in_clear_and_a_password(self):
        made = self.users("mysql", World.maria.port, plugins=True)
        self.assertTrue(made["ok"], made)
        # RDS alone has that plugin; the user that the probe's tests have is asked for a token by PAM, as RDS asks for one.
        self.assertIn("AWSAuthenticationPlugin", made["users"]["token"]["message"])
        token = {"ENGINE": "mysql", "DB_HOST": "localhost", "DB_PORT": str(World.maria.port), "DB_USER": "app", "DB_NAME": "live", "DB_IAM_AUTH": "true"}
        self.saw(self.called(token), engine="mysql", user="app@%")
        World.maria.sql(f"CREATE USER other@'%' IDENTIFIED BY '{APP}'; GRANT SELECT ON live.* TO other@'%'")
        password = {**token, "DB_USER": "other", "DB_IAM_AUTH": "false", "DB_PASSWORD": APP}
        self.saw(self.called(password), engine="mysql", user="other@%")
        self.assertFalse(self.called({**password, "DB_PASSWORD": "wrong"})["ok"])

    def test_an_authority_that_is_not_known_is_refused(self):
        with mock.patch.object(self.live, "HERE", World.folder / "none"):
            answer = self.called({"DATABASE_URL": f"postgresql://app:{APP}@localhost:{World.pg.port}/live"})
        self.assertEqual((False, "SSLCertVerificationError"), (answer["ok"], answer["error"]))

    def test_experiment_5_tries_each_user_with_and_without_tls(self):
        World.maria.sql(f"CREATE USER IF NOT EXISTS native5@'%' IDENTIFIED BY '{APP}'; CREATE USER IF NOT EXISTS tls5@'%' IDENTIFIED BY '{APP}' REQUIRE SSL")
        told = self.called({"MYSQL_APP": APP}, {"do": "try", "host": "localhost", "port": World.maria.port, "users": ["native5", "tls5"]})
        outcomes = {name: outcome if isinstance(outcome, str) else outcome["error"] for name, outcome in told["tried"].items()}
        self.assertEqual(
            {"native5, with TLS": "logged in", "native5, without TLS": "logged in", "tls5, with TLS": "logged in", "tls5, without TLS": "OperationalError"}, outcomes
        )


if __name__ == "__main__":
    unittest.main()
