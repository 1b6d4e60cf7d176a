"""What every test of the lab stands on: a shop's account and database, the pooler, and the built program between them."""

import json
import os
import tempfile
import unittest
from pathlib import Path

import wire  # noqa: I001  (adds the folders of the other tests)
import deviations
import emulators
from account import against
from lens import Lens
from runtime import Function
from scene import Scene
from wire import DATABASE, PASSWORD, PROXY, USER

DOCUMENT = Path(__file__).parents[2] / "docs" / "lab.md"


class Shop(Scene):
    """An instance of PostgreSQL, and one function that logs in with a password."""

    name, family, port, user, client_auth = "shop-db", "POSTGRESQL", 5432, USER, "password"

    def database(self):
        self.rds.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=self.subnets)
        self.rds.create_db_instance(
            DBInstanceIdentifier=self.name, Engine="postgres", EngineVersion="15.10", DBInstanceClass="db.t3.medium", AllocatedStorage=20,
            Port=self.port, MasterUsername=self.user, MasterUserPassword=PASSWORD, DBSubnetGroupName="private",
            VpcSecurityGroupIds=[self.database_group],
        )
        made = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]
        self.host, self.arns = made["Endpoint"]["Address"], [made["DBInstanceArn"]]

    def environments(self):
        return {"orders": {"DB_HOST": self.host, "DB_USER": USER, "DB_PASSWORD": PASSWORD}}


class Bench(unittest.TestCase):
    maxDiff = None
    scene_class = Shop

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="lab-")))
        self.folder.chmod(0o755)
        upstream = self.enterContext(emulators.ministack(self.folder))
        self.scene = self.scene_class(upstream)
        self.lens = self.enterContext(Lens(upstream, deviations.ministack_mended(self.scene)))

    def serve(self, **how):
        self.postgresql = wire.PostgreSql(self.folder / "postgresql", **how)
        self.addCleanup(self.postgresql.stop)
        wire.name_hosts({self.scene.host: DATABASE})

    def pool(self, **how):
        self.pooler = wire.Pooler(self.folder / "pooler", **how)
        self.addCleanup(self.pooler.stop)

    def deployed(self, name):
        function = Function(self.scene.functions, name)
        self.addCleanup(function.stop)
        return function

    def program(self, *arguments, code=0):
        run = against(self.lens.url, *arguments, "--db", self.scene.name, "--yes", "--output", "json")
        self.assertEqual(code, run.returncode, f"{run.stdout}\n{run.stderr}")
        return json.loads(run.stdout)

    def prepare(self):
        """The proxy stands, and its name leads to where the pooler listens; no function is touched."""
        names = self.scene.environments()
        before = [self.scene.function(name) for name in names]
        self.program("up", "--prepare", "--secret", self.scene.secret_name)
        self.assertEqual(before, [self.scene.function(name) for name in names])
        self.host = self.scene.rds.describe_db_proxies()["DBProxies"][0]["Endpoint"]
        self.assertNotEqual(self.scene.host, self.host)
        wire.name_hosts({self.scene.host: DATABASE, self.host: PROXY})


def document(name, table):
    """Writes the block of the document, where it was asked for."""
    if not os.environ.get("LAB_DOCUMENT"):
        return
    head, tail = f"<!-- measured: {name} -->\n", "<!-- end -->"
    before, rest = DOCUMENT.read_text().split(head)
    DOCUMENT.write_text(f"{before}{head}{table}{tail}{rest.split(tail, 1)[1]}")
