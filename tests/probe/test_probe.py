"""The probe's handler, as it is sent to Lambda, against real servers and against small ones that do something wrong."""

import contextlib
import importlib.util
import io
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import types
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import fakes
import servers
from servers import PROXY

HERE = Path(__file__).parent
HANDLER = HERE.parent.parent / "templates/probe/handler.py"
SERVICE = f"rdsproxy-probe-{os.getpid()}"
REGION = "eu-central-1"
# As long as a token of a role with a session token, and of the same look.
TOKEN = (f"{PROXY}:3306/?Action=connect&DBUser=app&X-Amz-Security-Token=" + "IQoJb3JpZ2luX2Vj%2F" * 80)[:1200]
PASSWORD = "cörrect horse % battery"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN": "FwoGZXIvYXdzEBYaD+EXAMPLE/" * 40}

spec = importlib.util.spec_from_file_location("handler", HANDLER)
handler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handler)


class World:
    """Everything that runs while the tests do."""


def setUpModule():
    # Below /tmp and not below TMPDIR, which may be one user's own: PostgreSQL's user must get there.
    World.folder = Path(tempfile.mkdtemp(prefix="rdsproxy-probe-", dir="/tmp"))
    World.folder.chmod(0o755)
    unittest.addModuleCleanup(shutil.rmtree, World.folder)
    World.ours, World.others = (servers.Authority(World.folder / name, name) for name in ("ours", "others"))
    World.good = World.ours.sign("good", [PROXY, "localhost"])
    World.expired = World.ours.sign("expired", [PROXY], "-20 days", "-10 days")
    World.foreign = World.others.sign("foreign", [PROXY])
    (World.folder / "none").mkdir()

    scripts = World.folder / "pam"
    scripts.mkdir()
    shutil.copy(HERE / "pam_script_auth", scripts)
    (scripts / "app.password").write_text(TOKEN)
    # PostgreSQL's own user loads the module, and may not be able to enter the checkout.
    module = Path(shutil.copy(next(servers.UNPACKED.glob("lib/*/security/pam_script.so")), scripts))
    pam = Path("/etc/pam.d") / SERVICE
    pam.write_text(f"auth required {module} dir={scripts} onerr=fail\naccount required pam_permit.so\n")
    unittest.addModuleCleanup(pam.unlink)
    World.scripts = scripts

    World.pg = servers.PostgreSql(World.folder / "postgresql", World.good, SERVICE)
    unittest.addModuleCleanup(World.pg.stop)
    for role in ("app", "scram", "plainscram", "plain", "radius", "signed", "crowd"):
        World.pg.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{TOKEN if role == 'app' else PASSWORD}'")
    World.pg.sql("CREATE ROLE typed LOGIN PASSWORD 'Ⅷ ﬁne words'")
    World.pg.sql("ALTER ROLE crowd CONNECTION LIMIT 0")
    World.pg.sql(f"SET password_encryption = md5; CREATE ROLE md5 LOGIN PASSWORD '{PASSWORD}'")
    World.pg.sql("CREATE DATABASE shop")

    World.maria = servers.MariaDb(World.folder / "mariadb", World.good)
    unittest.addModuleCleanup(lambda: World.maria.stop())
    for user, how in {
        "app": f"VIA pam USING '{SERVICE}' REQUIRE SSL", "signed": f"VIA pam USING '{SERVICE}' REQUIRE SSL",
        "plain": f"VIA pam USING '{SERVICE}'",
        "native": f"BY '{PASSWORD}'", "nativetls": f"BY '{PASSWORD}' REQUIRE SSL", "empty": "BY ''",
    }.items():
        World.maria.sql(f"CREATE USER {user}@'%' IDENTIFIED {how}")
    World.maria.sql("CREATE DATABASE shop; GRANT ALL ON *.* TO nativetls@'%'")
    for user in ("app", "signed", "native"):
        World.maria.sql(f"GRANT ALL ON shop.* TO {user}@'%'")


class Resolver:
    """Names that lead to loopback."""

    NAMES = {PROXY: ["127.0.0.1"], "other.example": ["127.0.0.1"], "two.example": ["127.0.0.2", "127.0.0.1"]}

    def __init__(self):
        self.real = socket.getaddrinfo

    def __call__(self, host, *arguments, **options):
        return [entry for address in self.NAMES.get(host, [host]) for entry in self.real(address, *arguments, **options)]


class Case(unittest.TestCase):
    """One call of the handler, and what holds for every answer."""

    def setUp(self):
        trust = {"SSL_CERT_FILE": str(World.ours.certificate), "SSL_CERT_DIR": str(World.folder / "none")}
        self.start(mock.patch.dict(os.environ, trust))
        self.start(mock.patch.object(socket, "getaddrinfo", Resolver()))
        rds = types.SimpleNamespace(generate_db_auth_token=self.token)
        self.boto3 = types.SimpleNamespace(client=lambda service, region_name: rds)
        self.start(mock.patch.dict(sys.modules, {"boto3": self.boto3}))

    def start(self, patch):
        patch.start()
        self.addCleanup(patch.stop)

    def token(self, DBHostname, Port, DBUsername):
        """What stands for boto3 where no signature is checked."""
        self.assertIsInstance(Port, int)
        return TOKEN

    def probe(self, event, context=None, secrets=()):
        """Call the handler, and check what holds whatever it found."""
        event = {"schema": 1, "host": PROXY, "region": REGION, "login": "iam", "user": "app", "database": "shop", "tls": True} | event
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            answer = handler.handler(event, context)
        self.assertEqual(said.getvalue(), "")
        self.assertEqual(set(answer), {"schema", "ok", "stages"})
        self.assertEqual(answer["ok"], all(stage["ok"] for stage in answer["stages"]))
        for stage in answer["stages"]:
            self.assertEqual(set(stage), {"stage", "ok", "ms", "evidence"} | (set() if stage["ok"] else {"fault"}))
            self.assertTrue(0 < len(stage["evidence"]) <= 300, stage)
        whole = repr(answer) + json.dumps(answer) + json.dumps(answer, ensure_ascii=False)
        for secret in (TOKEN, TOKEN[-40:], PASSWORD, event.get("password"), *secrets):
            if secret:
                self.assertNotIn(secret, whole)
        if os.environ.get("PROBE_SHOW"):
            print(f"\n{self.id().partition('.')[2]}: {json.dumps(answer, indent=1)}", file=sys.stderr)
        return answer

    def passes(self, event, *stages, **options):
        """Expect success at exactly these stages."""
        answer = self.probe(event, **options)
        self.assertTrue(answer["ok"], answer)
        self.assertEqual([stage["stage"] for stage in answer["stages"]], list(stages or ("dns", "tcp", "tls", "login", "query")))
        return answer["stages"][-1]["evidence"]

    def fails(self, stage, fault, event, **options):
        """Expect exactly this stage to fail for exactly this cause."""
        answer = self.probe(event, **options)
        self.assertFalse(answer["ok"], answer)
        self.assertEqual((answer["stages"][-1]["stage"], answer["stages"][-1]["fault"]), (stage, fault), answer)
        self.assertTrue(all(earlier["ok"] for earlier in answer["stages"][:-1]))
        order = ["dns", "tcp", "tls", "login", "query"]
        if not event.get("tls", True):
            order.remove("tls")
        self.assertEqual([entry["stage"] for entry in answer["stages"]], order[:order.index(stage) + 1])
        return answer["stages"][-1]["evidence"]


class BothEngines:
    """What every engine must do alike; `engine` and `port` come from the class."""

    def at(self, **changes):
        return {"engine": self.engine, "port": self.port} | changes

    def with_password(self, user, **changes):
        return self.at(login="password", user=user, password=PASSWORD) | changes

    def test_token(self):
        self.assertEqual(self.passes(self.at()), "SELECT 1 answered 1")

    def test_token_is_never_sent_without_tls(self):
        self.passes(self.at(tls=False))

    def test_no_database(self):
        self.passes(self.at(database=None))

    def test_greeting(self):
        self.passes(self.at(login="greeting", user=None), "dns", "tcp", "tls")
        evidence = self.passes(self.at(login="greeting", user=None, tls=False), "dns", "tcp")
        self.assertIn({"mysql": "MySQL greeting of 10.11.", "postgresql": "PostgreSQL answers an SSLRequest"}[self.engine], evidence)

    def test_wrong_token(self):
        for wrong in (TOKEN[:-1], TOKEN + "x", TOKEN[:511], "x" * 1200):
            rds = types.SimpleNamespace(generate_db_auth_token=mock.Mock(return_value=wrong))
            self.boto3.client = mock.Mock(return_value=rds)
            self.fails("login", "login_denied", self.at(), secrets=[wrong])

    def test_wrong_user(self):
        self.fails("login", "login_denied", self.at(user="nobody"))

    def test_wrong_password(self):
        self.fails("login", "login_denied", self.at(login="password", user=self.hashed, password="not this one"))

    def test_unknown_database(self):
        self.fails("login", "database_unknown", self.at(database="absent", **self.for_unknown_database))

    def test_other_host_on_the_certificate(self):
        self.assertIn("other.example", self.fails("tls", "certificate_host_name", self.at(host="other.example")))
        self.fails("tls", "certificate_host_name", self.at(host="127.0.0.1"))

    def test_unknown_ca(self):
        with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(World.others.certificate)}):
            self.fails("tls", "certificate_unknown_ca", self.at())

    def test_expired_certificate(self):
        with self.certificate(World.expired):
            self.fails("tls", "certificate_expired", self.at())

    def test_certificate_of_a_stranger(self):
        with self.certificate(World.foreign):
            self.fails("tls", "certificate_unknown_ca", self.at())

    @contextlib.contextmanager
    def certificate(self, pair):
        """Let the server show another certificate for a while."""
        self.server.install(pair)
        self.server.reload()
        try:
            yield
        finally:
            self.server.install(World.good)
            self.server.reload()

    def test_closed_port(self):
        self.fails("tcp", "refused", self.at(port=servers.free_port()))

    def test_black_hole(self):
        # A listener whose queue is full drops what comes, as a security group does.
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            port = full.getsockname()[1]
            with contextlib.ExitStack() as waiting:
                for _ in range(4):
                    client = waiting.enter_context(socket.socket())
                    client.setblocking(False)
                    client.connect_ex(("127.0.0.1", port))
                began = time.monotonic()
                self.fails("tcp", "timed_out", self.at(port=port, seconds={"tcp": 0.5}))
                self.assertLess(time.monotonic() - began, 2)
                self.fails("tcp", "timed_out", self.at(host="two.example", port=port, seconds={"tcp": 0.5}))

    def test_one_of_two_addresses(self):
        evidence = self.passes(self.at(host="two.example", login="greeting", tls=False), "dns", "tcp")
        self.assertRegex(evidence, r"^127\.0\.0\.2 port \d+ refuses; 127\.0\.0\.1 port \d+ accepts; ")

    def test_no_route(self):
        self.fails("tcp", "no_route", self.at(host="255.255.255.255"))

    def test_unknown_name(self):
        def unknown(*_, **__):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        with mock.patch.object(socket, "getaddrinfo", unknown):
            self.fails("dns", "name_not_found", self.at())

    def test_silent_resolver(self):
        with mock.patch.object(socket, "getaddrinfo", lambda *_, **__: time.sleep(2)):
            self.fails("dns", "dns_timeout", self.at(seconds={"dns": 0.3}))

    def test_no_tls_offered(self):
        with self.without_tls():
            self.fails("tls", "tls_not_offered", self.at())

    def test_too_many_connections(self):
        with self.crowded() as (stage, event):
            self.fails(stage, "too_many_connections", event)

    def test_password_in_clear_only_inside_tls(self):
        self.fails("login", "tls_required", self.with_password("plain", tls=False))

    def test_no_credentials(self):
        class NoCredentialsError(Exception):
            pass

        def none(**_):
            raise NoCredentialsError("Unable to locate credentials")
        self.boto3.client = lambda *_, **__: types.SimpleNamespace(generate_db_auth_token=none)
        self.assertIn("NoCredentialsError", self.fails("login", "token_failed", self.at()))

    def test_slow_credentials(self):
        self.boto3.client = lambda *_, **__: time.sleep(2)
        self.fails("login", "token_failed", self.at(seconds={"login": 0.3}))

    def test_closes_at_once(self):
        with fakes.Fake(lambda connection: connection.close()) as fake:
            self.fails("tls", "closed_by_peer", self.at(port=fake.port))
            self.fails("tcp", "closed_by_peer", self.at(port=fake.port, tls=False, login="greeting"))

    def test_hangs_before_the_greeting(self):
        with fakes.Fake(fakes.silence) as fake:
            self.fails("tls", "timed_out", self.at(port=fake.port, seconds={"tls": 0.3}))
            self.fails("tcp", "timed_out", self.at(port=fake.port, tls=False, login="greeting", seconds={"tcp": 0.3}))

    def test_drips_for_ever(self):
        def drip(connection):
            connection.sendall(self.begins)
            while True:
                connection.sendall(b"\0")
                time.sleep(0.05)
        with fakes.Fake(drip) as fake:
            began = time.monotonic()
            self.fails("tls", "timed_out", self.at(port=fake.port, seconds={"tls": 0.5}))
            self.assertLess(time.monotonic() - began, 2)

    def test_other_protocols(self):
        for text in (b"SSH-2.0-OpenSSH_9.2p1\r\n", b"220 mail.example ESMTP\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n",
                     b"N" * 300, b"E" * 300, b"\x15\x03\x01\x00\x02\x02\x50" * 9):
            with self.subTest(text=text), fakes.Fake(fakes.says(text)) as fake:
                self.fails("tls", "not_this_engine", self.at(port=fake.port))

    def test_garbage(self):
        """What is almost right gives a name, or at worst a class of error, and never hangs."""
        dice = random.Random(5)
        for _ in range(25):
            text = bytearray(self.begins + self.sound)
            for _ in range(dice.randrange(1, 4)):
                text[dice.randrange(len(text))] = dice.randrange(256)
            with self.subTest(text=text), fakes.Fake(fakes.says(bytes(text[:dice.randrange(len(text))]))) as fake:
                for tls in (True, False):
                    limits = {"tls": 0.05, "login": 0.05}
                    self.assertFalse(self.probe(self.with_password("app", port=fake.port, tls=tls, seconds=limits))["ok"])

    def test_time_of_the_function(self):
        with fakes.Fake(fakes.silence) as fake:
            began = time.monotonic()
            context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 1200)
            self.fails("tls", "timed_out", self.at(port=fake.port, seconds={"tls": 60}), context=context)
            self.assertLess(time.monotonic() - began, 1.2)

    def test_no_time_at_all(self):
        context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 10)
        self.assertFalse(self.probe(self.at(), context=context)["ok"])

    def test_surprise(self):
        def surprise(*_, **__):
            raise MemoryError(TOKEN)
        with mock.patch.object(socket, "getaddrinfo", surprise):
            self.assertEqual(self.fails("dns", "unexpected", self.at()), "MemoryError")

    def test_signature_of_a_real_token(self):
        (World.scripts / "signed.signed").write_text(f"{PROXY}:{self.port} {REGION} {KEYS['AWS_SECRET_ACCESS_KEY']}")
        del sys.modules["boto3"]
        import boto3  # the real one
        boto3.DEFAULT_SESSION = None
        made = []
        real = boto3.client

        def client(*arguments, **options):
            rds = real(*arguments, **options)
            generate = rds.generate_db_auth_token

            def noted(**parts):
                made.append(generate(**parts))
                return made[-1]
            rds.generate_db_auth_token = noted
            return rds
        with mock.patch.dict(os.environ, KEYS), mock.patch.object(boto3, "client", client):
            self.passes(self.at(user="signed"))
            self.assertGreater(len(made[0]), 1200)
            self.assertTrue(made[0].startswith(f"{PROXY}:{self.port}/?Action=connect&DBUser=signed&"), made[0])
            self.fails("login", "login_denied", self.at(user="signed", region="eu-west-1"), secrets=made)
            self.fails("login", "login_denied", self.at(user="signed", host="localhost"), secrets=made)
        boto3.DEFAULT_SESSION = None
        with mock.patch.dict(os.environ, KEYS | {"AWS_SECRET_ACCESS_KEY": "another"}):
            self.fails("login", "login_denied", self.at(user="signed"))

    def test_as_lambda_has_it(self):
        """The file in a zip, called in a fresh process: nothing but the answer comes out."""
        event = self.with_password(self.hashed, schema=1, host="localhost", region=REGION, database="shop", tls=True)
        with zipfile.ZipFile(World.folder / "probe.zip", "w") as archive:
            archive.write(HANDLER, "handler.py")
        code = ("import json, sys; sys.path.insert(0, sys.argv[1]); import handler; answer = handler.handler(json.load(sys.stdin), None); "
                "assert 'boto3' not in sys.modules; json.dump(answer, sys.stdout)")
        done = subprocess.run([sys.executable, "-I", "-W", "error", "-c", code, World.folder / "probe.zip"], input=json.dumps(event),
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        self.assertTrue(json.loads(done.stdout)["ok"], done.stdout)


class MariaDb(BothEngines, Case):
    """MariaDB 10.11 asks for the token with mysql_clear_password, as RDS does."""

    engine, hashed = "mysql", "nativetls"
    for_unknown_database = {"login": "password", "user": "nativetls", "password": PASSWORD}
    begins = b"\xff\x01\0\0\x0a"
    sound = b"8.0.36\0\7\0\0\0abcdefgh\0\xff\xff\xff\2\0\xff\xdf\x15" + bytes(10) + b"ijklmnopqrst\0caching_sha2_password\0" * 6

    def setUp(self):
        super().setUp()
        self.server, self.port = World.maria, World.maria.port

    def without_tls(self):
        return self.restarted("--skip-ssl")

    @contextlib.contextmanager
    def restarted(self, *options):
        World.maria.stop()
        World.maria.start(*options)
        try:
            yield
        finally:
            World.maria.stop()
            World.maria.start()

    @contextlib.contextmanager
    def crowded(self):
        World.maria.sql("SET GLOBAL max_connections = 10")
        with contextlib.ExitStack() as crowd:
            for _ in range(11):
                crowd.enter_context(socket.create_connection(("127.0.0.1", self.port))).recv(1)
            yield "tls", self.at()
        # The server may take a moment to see that the crowd is gone.
        servers.patiently(World.maria.sql, "SET GLOBAL max_connections = 100")

    def test_native_password(self):
        self.passes(self.with_password("native"))
        self.passes(self.with_password("nativetls"))
        self.passes(self.with_password("native", tls=False), "dns", "tcp", "login", "query")
        self.passes(self.at(login="password", user="empty", password="", database=None))

    def test_no_tls_where_the_server_wants_it(self):
        # MariaDB says no more than 1045; what MySQL and RDS Proxy say is tested with the small server below.
        self.assertIn("asked without TLS", self.fails("login", "login_denied", self.with_password("nativetls", tls=False)))
        World.maria.sql("SET GLOBAL require_secure_transport = ON")
        self.addCleanup(World.maria.sql, "SET GLOBAL require_secure_transport = OFF")
        self.assertIn("asked without TLS", self.fails("login", "login_denied", self.with_password("native", tls=False)))

    def test_no_right_on_the_database(self):
        self.fails("login", "login_denied", self.at(login="password", user="empty", password="", database="shop"))


class PostgreSql(BothEngines, Case):
    """PostgreSQL 15 with `hostssl … password`, SCRAM and MD5."""

    engine, hashed, for_unknown_database = "postgresql", "scram", {}
    begins = b"E\0\0\x0f\xff"
    sound = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0R\0\0\0\x1a\0\0\0\x0br=abc,s=QSXC,i=4096Z\0\0\0\5I"

    def setUp(self):
        super().setUp()
        self.server, self.port = World.pg, World.pg.port

    @contextlib.contextmanager
    def without_tls(self):
        World.pg.sql("ALTER SYSTEM SET ssl = off")
        World.pg.reload()
        try:
            yield
        finally:
            World.pg.sql("ALTER SYSTEM RESET ssl")
            World.pg.reload()

    @contextlib.contextmanager
    def crowded(self):
        yield "login", self.with_password("crowd")

    def test_no_tls_where_the_server_wants_it(self):
        self.fails("login", "tls_required", self.with_password("scram", tls=False))

    def test_scram(self):
        self.passes(self.with_password("scram"))
        self.passes(self.with_password("plainscram", tls=False), "dns", "tcp", "login", "query")
        self.passes(self.at(login="password", user="typed", password="Ⅷ ﬁne words"))

    def test_md5(self):
        self.passes(self.with_password("md5"))
        self.passes(self.with_password("md5", tls=False), "dns", "tcp", "login", "query")
        self.fails("login", "login_denied", self.at(login="password", user="md5", password="not this one"))

    def test_words_of_rds_proxy(self):
        for code, text, fault in [
            ("28000", "This RDS Proxy requires TLS connections", "tls_required"),
            ("28000", "IAM authentication is allowed only with SSL connections.", "tls_required"),
            ("28000", "This RDS proxy has no credentials for the role app. Check the credentials for this role and try again.",
             "no_credentials_for_user"),
            ("28P01", "The password that was provided for the role app is wrong.", "login_denied"),
            ("28000", "The IAM authentication failed for the role app. Check the IAM token for this role and try again.", "login_denied"),
            ("08000", "Timed-out waiting to acquire database connection", "borrow_timed_out"),
            ("0A000", "Feature not supported: RDS Proxy currently doesn't support the option search_path.", "login_failed"),
            ("28P01", f"wrong: {TOKEN}", "login_denied"), ("XX000", f"wrong: {TOKEN[700:760]}", "login_failed"),
        ]:
            with self.subTest(text=text), fakes.Fake(fakes.postgres(World.good, fakes.postgres_error(code, text))) as fake:
                self.fails("login", fault, self.at(port=fake.port), secrets=[TOKEN[700:760]])

    def test_login_that_we_do_not_speak(self):
        for kind, what in ((7, b""), (10, b"SCRAM-SHA-512\0\0"), (12, b"v=x")):
            with fakes.Fake(fakes.postgres(World.good, (b"R", struct.pack("!I", kind) + what))) as fake:
                self.fails("login", "login_unsupported", self.at(port=fake.port))

    def test_server_that_does_not_know_the_password(self):
        first = struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0"
        with fakes.Fake(fakes.postgres(World.good, (b"R", first), (b"R", struct.pack("!I", 0)), (b"Z", b"I"))) as fake:
            self.fails("login", "login_unsupported", self.at(port=fake.port))

        with fakes.Fake(fakes.scram(World.good)) as fake:
            self.assertIn("did not prove", self.fails("login", "login_denied", self.with_password("scram", port=fake.port)))

    def test_hangs_in_the_login(self):
        with fakes.Fake(fakes.postgres(World.good)) as fake:
            self.fails("login", "timed_out", self.at(port=fake.port, seconds={"login": 0.3}))

    def test_hangs_in_the_handshake(self):
        with fakes.Fake(fakes.says(b"S")) as fake:
            self.fails("tls", "timed_out", self.at(port=fake.port, seconds={"tls": 0.3}))

    def test_handshake_that_breaks_off(self):
        def alert(connection):
            fakes.exactly(connection, 8)
            connection.sendall(b"S")
            connection.recv(4096)
            connection.sendall(b"\x15\x03\x03\0\2\2\x28")
            fakes.silence(connection)
        with fakes.Fake(alert) as fake:
            self.fails("tls", "tls_failed", self.at(port=fake.port))

    def test_hangs_at_the_query(self):
        ready = (b"R", struct.pack("!I", 0)), (b"Z", b"I")
        with fakes.Fake(fakes.postgres(World.good, *ready)) as fake:
            self.fails("query", "timed_out", self.at(port=fake.port, seconds={"query": 0.3}))
        with fakes.Fake(fakes.postgres(World.good, *ready, fakes.postgres_error("57P01", "going down"))) as fake:
            self.fails("query", "query_failed", self.at(port=fake.port))
        other = (b"D", struct.pack("!hi", 1, 1) + b"2"), (b"Z", b"I")
        with fakes.Fake(fakes.postgres(World.good, *ready, *other)) as fake:
            self.fails("query", "query_failed", self.at(port=fake.port))

    def test_the_other_engine(self):
        self.fails("tls", "not_this_engine", self.at(port=World.maria.port))


class FakeMySql(Case):
    """What MariaDB 10.11 does not have, against a small server written from MySQL's documentation."""

    def at(self, fake, **changes):
        return {"engine": "mysql", "port": fake.port, "login": "password", "password": PASSWORD} | changes

    def test_caching_sha2_fast(self):
        with fakes.Fake(server := fakes.MySql(World.good, PASSWORD)) as fake:
            self.passes(self.at(fake))
            self.passes(self.at(fake, tls=False), "dns", "tcp", "login", "query")
        self.assertEqual(server.paths, ["fast", "fast"])

    def test_caching_sha2_full(self):
        with fakes.Fake(server := fakes.MySql(World.good, PASSWORD, cached=False)) as fake:
            self.passes(self.at(fake))
            self.fails("login", "login_denied", self.at(fake, password="not this one"))
            self.fails("login", "tls_required", self.at(fake, tls=False))
        self.assertEqual(server.paths, ["full"] * 3)

    def test_switch_to_caching_sha2(self):
        server = fakes.MySql(World.good, PASSWORD, plugin="mysql_native_password", switch="caching_sha2_password")
        with fakes.Fake(server) as fake:
            self.passes(self.at(fake))
        self.assertEqual(server.paths, ["switch", "fast"])

    def test_token_in_the_first_answer(self):
        with fakes.Fake(server := fakes.MySql(World.good, TOKEN, plugin="mysql_clear_password")) as fake:
            self.passes(self.at(fake, login="iam"))
        self.assertEqual(server.paths, ["mysql_clear_password"])

    def test_token_that_does_not_fit_the_first_answer(self):
        server = fakes.MySql(World.good, TOKEN, plugin="mysql_clear_password", switch="mysql_clear_password", flags=fakes.MySql.SSL)
        with fakes.Fake(server) as fake:
            self.passes(self.at(fake, login="iam"))
        self.assertEqual(server.paths, ["switch", "mysql_clear_password"])

    def test_no_password_in_clear_for_a_greeting_that_asks_for_it(self):
        with fakes.Fake(server := fakes.MySql(World.good, PASSWORD, plugin="mysql_clear_password", switch="mysql_clear_password")) as fake:
            self.fails("login", "tls_required", self.at(fake, tls=False))
        self.assertEqual(server.paths, [])

    def test_plugin_that_we_do_not_speak(self):
        with fakes.Fake(fakes.MySql(World.good, PASSWORD, switch="client_ed25519")) as fake:
            self.assertIn("client_ed25519", self.fails("login", "login_unsupported", self.at(fake)))

    def test_no_tls_offered(self):
        with fakes.Fake(fakes.MySql(World.good, PASSWORD, flags=0)) as fake:
            self.fails("tls", "tls_not_offered", self.at(fake))

    def test_hangs_in_the_handshake(self):
        def hang(connection):
            server = fakes.MySql(World.good, PASSWORD)
            server.sequence = 0
            server.send(connection, server.greeting())
            fakes.silence(connection)
        with fakes.Fake(hang) as fake:
            self.fails("tls", "timed_out", self.at(fake, seconds={"tls": 0.3}))
            self.fails("login", "timed_out", self.at(fake, tls=False, seconds={"login": 0.3}))

    def test_words_of_rds_proxy(self):
        for code, text, fault in [
            (3159, "This RDS Proxy requires TLS connections.", "tls_required"),
            (1045, "This RDS Proxy requires TLS connections", "tls_required"),
            (1045, "Access denied for user 'app'@'%' (using password: YES)", "login_denied"),
            (1040, "IAM authentication rate limit exceeded", "too_many_connections"),
            (9501, "Timed-out waiting to acquire database connection", "borrow_timed_out"),
            (1105, f"Unknown error {PASSWORD}", "login_failed"),
        ]:
            with self.subTest(text=text), fakes.Fake(fakes.MySql(World.good, PASSWORD, refuse=(code, text))) as fake:
                self.fails("login", fault, self.at(fake))

    def test_answers_nobody(self):
        for event in ({}, {"schema": 2}, {"engine": "oracle"}, {"port": "x"}, {"login": "kerberos"}):
            answer = handler.handler({"schema": 1, "engine": "mysql", "login": "iam", **event}, None)
            self.assertEqual([stage["fault"] for stage in answer["stages"]], ["unexpected"])


class Scrub(unittest.TestCase):
    """What is said of a secret by others."""

    def test_pieces(self):
        self.assertEqual(handler.scrub(f"denied: {TOKEN} (app)", TOKEN), f"denied: {TOKEN.partition('Token=')[0]}Token=*** (app)")
        self.assertEqual(handler.scrub(f"no such host {PROXY} in {REGION}", TOKEN), f"no such host {PROXY} in {REGION}")
        self.assertEqual(handler.scrub(f"denied: {PASSWORD[:12]}…", PASSWORD), "denied: ***…")
        self.assertEqual(handler.scrub("denied: pw pw", "pw"), "denied: *** ***")
        self.assertEqual(handler.scrub("a\r\n\x1b[31mb", ""), "a [31mb")
        self.assertEqual(len(handler.scrub("x" * 999, "")), 300)


if __name__ == "__main__":
    unittest.main()
