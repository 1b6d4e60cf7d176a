"""PostgreSQL 15, MariaDB 10.11 and pgbouncer from Debian's packages, on loopback, each in a folder of its own."""

import asyncio
import os
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "probe"))

from servers import POSTGRESQL, free_port, patiently, run  # noqa: E402  (the probe's)

POOLER = Path(os.environ.get("QUEUE_POOLER", "/usr/sbin/pgbouncer"))
MODEL = Path(os.environ.get("QUEUE_MODEL", "target/debug/examples"))


class Refused(RuntimeError):
    """The server's error, with its code."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Client:
    """As much of PostgreSQL's protocol as a log-in without password and simple queries need."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port, user, database):
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        words = b"".join(word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
        client.writer.write(struct.pack("!II", len(words) + 8, 196608) + words)
        try:
            await client.ready()
        except BaseException:
            client.writer.close()
            raise
        return client

    async def ready(self):
        """Read until the server is ready, and return the rows."""
        rows, error = [], None
        while True:
            kind, length = struct.unpack("!cI", await self.reader.readexactly(5))
            body = await self.reader.readexactly(length - 4)
            if kind == b"D":
                rows.append(self.row(body))
            elif kind == b"E":
                fields = dict((part[:1], part[1:].decode()) for part in body.split(b"\0") if part)
                error = Refused(fields.get(b"C"), fields.get(b"M"))
                if fields.get(b"S") == "FATAL":
                    raise error
            elif kind == b"Z":
                if error:
                    raise error
                return rows

    @staticmethod
    def row(body):
        values, at = [], 2
        for _ in range(struct.unpack_from("!H", body)[0]):
            (size,) = struct.unpack_from("!i", body, at)
            at += 4
            values.append(None if size < 0 else body[at:at + size].decode())
            at += max(size, 0)
        return values

    async def query(self, statement):
        text = statement.encode() + b"\0"
        self.writer.write(b"Q" + struct.pack("!I", len(text) + 4) + text)
        return await self.ready()

    async def close(self):
        self.writer.write(b"X" + struct.pack("!I", 4))
        self.writer.close()


class PostgreSql:
    """PostgreSQL without passwords: `master` is its superuser, `app` is nobody special."""

    def __init__(self, folder, **settings):
        self.folder, self.port, self.process = folder, free_port(), None
        folder.mkdir()
        run("chown", "postgres", folder)
        run(POSTGRESQL / "initdb", "-D", folder / "data", "-U", "master", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "--auth=trust", user="postgres", cwd="/")
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{folder}'\nfsync = off\n")
            conf.writelines(f"{name} = {value}\n" for name, value in settings.items())
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(["runuser", "-u", "postgres", "--", POSTGRESQL / "postgres", "-D", folder / "data"],
                                            stdout=log, stderr=log, cwd="/")
        patiently(self.sql, "SELECT 1")
        self.sql("CREATE ROLE app LOGIN")

    def sql(self, statement):
        return run(POSTGRESQL / "psql", "-h", self.folder, "-p", self.port, "-U", "master", "-d", "postgres", "-v", "ON_ERROR_STOP=1",
                   "-Atqc", statement, cwd="/")

    def stop(self):
        run(POSTGRESQL / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop", user="postgres", cwd="/")
        self.process.wait(30)


class Pooler:
    """pgbouncer in transaction mode, with a pool of its own for each database name."""

    def __init__(self, folder, postgresql, pools):
        self.folder, self.port = folder, free_port()
        folder.mkdir()
        databases = "".join(f"{name} = host=127.0.0.1 port={postgresql.port} dbname=postgres pool_size={size}\n"
                            for name, size in pools.items())
        (folder / "users").write_text('"app" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{databases}[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nauth_type = trust\n"
            f"auth_file = {folder}/users\nadmin_users = app\npool_mode = transaction\nmax_client_conn = 900\n"
            "unix_socket_dir =\nserver_idle_timeout = 0\nserver_lifetime = 86400\nlog_connections = 0\nlog_disconnections = 0\n")
        run("chown", "-R", "postgres", folder)
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(["runuser", "-u", "postgres", "--", POOLER, folder / "pgbouncer.ini"],
                                            stdout=log, stderr=log, cwd="/")
        patiently(self.answers)

    def answers(self):
        try:
            asyncio.run(self.stats())
        except OSError as error:
            if self.process.poll() is not None:
                raise SystemExit((self.folder / "log").read_text()) from None
            raise RuntimeError(error) from None

    async def stats(self):
        """Counts and times by database, in seconds."""
        client = await Client.connect(self.port, "app", "pgbouncer")
        try:
            rows = await client.query("SHOW STATS")
        finally:
            await client.close()
        # database, xacts, queries, received, sent, xact time, query time, wait time, averages …
        return {row[0]: {"queries": int(row[2]), "answered": int(row[6]) / 1e6, "waited": int(row[7]) / 1e6} for row in rows}

    def stop(self):
        # The pooler is the child of runuser, and both get the signal.
        self.process.terminate()
        self.process.wait(30)


class MariaDb:
    """MariaDB with `root` over its socket, who may administer connections, and `app`, who may not."""

    def __init__(self, folder, *options):
        self.folder, self.process = folder, None
        folder.mkdir()
        run("mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", "--auth-root-authentication-method=socket",
            "--skip-test-db", "--user=root")
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/mariadbd", "--no-defaults", "--user=root", f"--datadir={folder}/data", "--skip-networking",
                 f"--socket={folder}/socket", "--skip-log-bin", f"--pid-file={folder}/pid", *options], stdout=log, stderr=log)
        patiently(self.sql, "SELECT 1")
        self.sql("CREATE USER app@localhost IDENTIFIED VIA mysql_native_password")

    def command(self, user, statements):
        return ["mariadb", "--no-defaults", "-S", self.folder / "socket", "-u", user, "-N", "-e", statements]

    def sql(self, statements, user="root"):
        return run(*self.command(user, statements))

    def hold(self, user):
        """Open a connection, and keep it until the process ends."""
        return subprocess.Popen(self.command(user, "SELECT SLEEP(300)"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
