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


class PostgreSql:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        run("chown", "postgres", folder)
        run(POSTGRESQL / "initdb", "-D", folder / "data", "-U", "master", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "--auth-local=trust", "--auth-host=scram-sha-256", user="postgres", cwd="/")
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses = '{DATABASE}'\nport = {PORT}\nunix_socket_directories = '{folder}'\nfsync = off\n"
                       f"max_connections = {CONNECTIONS}\nsuperuser_reserved_connections = {RESERVED}\n")
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

    def __init__(self, folder):
        folder.mkdir()
        (folder / "users").write_text(f'"{USER}" "{PASSWORD}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\npostgres = host={DATABASE} port={PORT} dbname=postgres pool_size={POOL}\n"
            f"[pgbouncer]\nlisten_addr = {PROXY}\nlisten_port = {PORT}\nauth_type = scram-sha-256\nauth_file = {folder}/users\n"
            "pool_mode = transaction\nmax_client_conn = 300\nunix_socket_dir =\nignore_startup_parameters = extra_float_digits\n")
        run("chown", "-R", "postgres", folder)
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(["runuser", "-u", "postgres", "--", os.environ["QUEUE_POOLER"], folder / "pgbouncer.ini"],
                                            stdout=log, stderr=log, cwd="/")
        patiently(self.answers)

    @staticmethod
    def answers():
        try:
            psycopg.connect(host=PROXY, port=PORT, user=USER, password=PASSWORD, dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError as error:
            raise RuntimeError(error) from None

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def name_hosts(names):
    """What the machine's own file of hosts is for everything in this network."""
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in names.items())]
    # Written in place: another file would not be the one that is mounted.
    Path(os.environ["LAB_HOSTS"]).write_text("\n".join(lines) + "\n")
