"""PostgreSQL 15 with few connections, and pgbouncer in the place of the proxy, each at an address of loopback and its port of AWS."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "probe"), str(HERE.parent / "outside")]

import psycopg  # noqa: E402
from servers import POSTGRESQL, patiently, run  # noqa: E402

DATABASE, PROXY, PORT = "127.0.0.2", "127.0.0.3", 5432
# Three are the superuser's, as by default.
CONNECTIONS, RESERVED = 15, 3
POOL = 5
USER, PASSWORD = "app", "not-a-real-password"


def readable(pair, folder):
    """A certificate and its key where a server may read them: the settings of both, by their names' first words."""
    for source, name in zip(pair, ("server.pem", "server.key")):
        run("install", "-m", "600", "-o", "postgres", source, folder / name)
    return folder / "server.pem", folder / "server.key"


class PostgreSql:
    def __init__(self, folder, connections=CONNECTIONS, pair=None):
        self.folder = folder
        folder.mkdir()
        run("chown", "postgres", folder)
        run(POSTGRESQL / "initdb", "-D", folder / "data", "-U", "master", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "--auth-local=trust", "--auth-host=scram-sha-256", user="postgres", cwd="/")
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses = '{DATABASE}'\nport = {PORT}\nunix_socket_directories = '{folder}'\nfsync = off\n"
                       f"max_connections = {connections}\nsuperuser_reserved_connections = {RESERVED}\n")
            if pair:
                certificate, key = readable(pair, folder)
                conf.write(f"ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n")
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 127.0.0.0/8 scram-sha-256\n")
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(["runuser", "-u", "postgres", "--", POSTGRESQL / "postgres", "-D", folder / "data"],
                                            stdout=log, stderr=log, cwd="/")
        patiently(self.sql, "SELECT 1")
        self.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")

    def sql(self, statement):
        return run(POSTGRESQL / "psql", "-h", self.folder, "-p", PORT, "-U", "master", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-Atqc",
                   statement, cwd="/").strip()

    def sessions(self):
        """How many connections clients hold."""
        return int(self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}'"))

    def stop(self):
        run(POSTGRESQL / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop", user="postgres", cwd="/")
        self.process.wait(30)


class Pooler:
    """pgbouncer in transaction mode: clients log in with a password, and share a few connections."""

    def __init__(self, folder, pair=None):
        folder.mkdir()
        self.log = folder / "log"
        tls = "client_tls_sslmode = allow\nclient_tls_cert_file = {}\nclient_tls_key_file = {}\n".format(*readable(pair, folder)) if pair else ""
        (folder / "users").write_text(f'"{USER}" "{PASSWORD}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\npostgres = host={DATABASE} port={PORT} dbname=postgres pool_size={POOL}\n"
            f"[pgbouncer]\nlisten_addr = {PROXY}\nlisten_port = {PORT}\nauth_type = scram-sha-256\nauth_file = {folder}/users\n"
            "pool_mode = transaction\nmax_client_conn = 300\nunix_socket_dir =\nignore_startup_parameters = extra_float_digits\n"
            f"stats_users = {USER}\n{tls}")
        run("chown", "-R", "postgres", folder)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(["runuser", "-u", "postgres", "--", os.environ["QUEUE_POOLER"], folder / "pgbouncer.ini"],
                                            stdout=log, stderr=log, cwd="/")
        patiently(self.answers)

    @staticmethod
    def answers():
        try:
            psycopg.connect(host=PROXY, port=PORT, user=USER, password=PASSWORD, dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError as error:
            raise RuntimeError(error) from None

    def shows(self, what):
        """The rows that its console has of the database (https://www.pgbouncer.org/usage.html#show-commands)."""
        with psycopg.connect(host=PROXY, port=PORT, user=USER, password=PASSWORD, dbname="pgbouncer", sslmode="disable", autocommit=True,
                             prepare_threshold=None, row_factory=psycopg.rows.dict_row, cursor_factory=psycopg.ClientCursor) as console:
            return [row for row in console.execute(f"SHOW {what}").fetchall() if row["database"] == "postgres"]

    def logged(self, *words):
        """How many lines of its log have one of these words: of its own connections to the database, which begin with S."""
        return sum(" S-" in line and any(word in line for word in words) for line in self.log.read_text().splitlines())

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def name_hosts(names):
    """What the machine's own file of hosts is for everything in this network."""
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in names.items())]
    # Written in place: another file would not be the one that is mounted.
    Path(os.environ["LAB_HOSTS"]).write_text("\n".join(lines) + "\n")
