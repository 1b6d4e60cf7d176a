"""Real servers for the probe: PostgreSQL 15 and MariaDB 10.11, from Debian's packages, on loopback."""

import os
import shlex
import socket
import subprocess
import time
from pathlib import Path

POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
# Where tests/probe/run unpacks what is not installed.
UNPACKED = Path(os.environ.get("PROBE_UNPACKED", "/"))
# The certificate's host name, long like a proxy's own.
PROXY = "my-instance-proxy.proxy-c9akciq32abc.eu-central-1.rds.amazonaws.com"


def run(*command, user=None, **options):
    """Run a command to its end, and show what it said only if it failed."""
    if user:
        command = ("runuser", "-u", user, "--", *command)
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def patiently(call, *arguments):
    """Call until it no longer fails."""
    end = time.monotonic() + 30
    while True:
        try:
            return call(*arguments)
        except RuntimeError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Authority:
    """A certificate authority, and the server certificates that the scenarios need."""

    CONFIG = """
[ca]
default_ca = here
[here]
database = {dir}/index.txt
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = {name}
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        folder.mkdir()
        (folder / "index.txt").touch()
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        config = self.config("authority", name, "DNS:none")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-config", config, "-extensions", "authority", "-keyout", self.key, "-out", self.certificate)

    def config(self, file, name, names):
        path = self.folder / f"{file}.cnf"
        path.write_text(self.CONFIG.format(dir=self.folder, name=name, names=names))
        return path

    def sign(self, file, names, start="-1 day", end="+30 days"):
        """Make a server's key and certificate."""
        key, request, certificate = (self.folder / f"{file}.{kind}" for kind in ("key", "csr", "pem"))
        config = self.config(file, "server", ",".join(f"DNS:{name}" for name in names))
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", config,
            "-keyout", key, "-out", request)
        start, end = (run("date", "-u", "-d", when, "+%Y%m%d%H%M%SZ").strip() for when in (start, end))
        run("openssl", "ca", "-batch", "-notext", "-config", config, "-extensions", "server", "-startdate", start,
            "-enddate", end, "-cert", self.certificate, "-keyfile", self.key, "-in", request, "-out", certificate)
        return certificate, key


class Server:
    """What both servers have in common."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.log, self.certificate, self.key = folder / "log", folder / "server.pem", folder / "server.key"

    def ready(self):
        """Wait until it answers, or leave nothing behind."""
        try:
            patiently(self.sql, "SELECT 1")
        except RuntimeError as error:
            self.process.terminate()
            raise RuntimeError(f"{error}\n{self.log.read_text()[-3000:]}") from None

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)

    def install(self, pair):
        """Put a certificate and its key where the server reads them."""
        for source, target in zip(pair, (self.certificate, self.key)):
            run("install", "-m", "600", "-o", self.USER, source, target)


class PostgreSql(Server):
    """PostgreSQL 15 with TLS."""

    USER = "postgres"

    def __init__(self, folder, pair, service):
        folder.mkdir()
        super().__init__(folder)
        run("chown", self.USER, folder)
        self.data = folder / "data"
        run(POSTGRESQL / "initdb", "-D", self.data, "-U", "master", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "--auth-local=trust", "--auth-host=reject", user=self.USER)
        self.install(pair)
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{folder}'\n"
                       f"ssl = on\nssl_cert_file = '{self.certificate}'\nssl_key_file = '{self.key}'\nfsync = off\n"
                       "password_encryption = 'scram-sha-256'\n")
        (self.data / "pg_hba.conf").write_text(
            "local all all trust\n"
            "hostssl all scram,typed 127.0.0.1/32 scram-sha-256\n"
            "host all plainscram 127.0.0.1/32 scram-sha-256\n"
            "host all md5 127.0.0.1/32 md5\n"
            "host all plain 127.0.0.1/32 password\n"
            "host all radius 127.0.0.1/32 ident\n"
            f"hostssl all signed 127.0.0.1/32 pam pamservice={service}\n"
            "hostssl all all 127.0.0.1/32 password\n"
            "hostnossl all all 127.0.0.1/32 reject\n")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(["runuser", "-u", self.USER, "--", POSTGRESQL / "postgres", "-D", self.data],
                                            stdout=log, stderr=log)
        self.ready()

    def sql(self, statement):
        """Run a statement as the superuser."""
        return run(POSTGRESQL / "psql", "-h", self.folder, "-p", self.port, "-U", "master", "-d", "postgres", "-v", "ON_ERROR_STOP=1",
                   "-Atqc", statement, cwd="/")

    def reload(self):
        """Let new connections see a changed file or setting."""
        def reloads():
            return self.log.read_text().count("received SIGHUP")
        before = reloads()
        self.sql("SELECT pg_reload_conf()")
        while reloads() == before:
            time.sleep(0.01)
        time.sleep(0.1)

    def stop(self):
        if self.process:
            run(POSTGRESQL / "pg_ctl", "-D", self.data, "-m", "immediate", "stop", user=self.USER, cwd="/")
            self.process.wait(30)


class MariaDb(Server):
    """MariaDB 10.11 with TLS and PAM, which asks for the password in clear as RDS does for a token."""

    USER = "root"

    def __init__(self, folder, pair):
        folder.mkdir()
        super().__init__(folder)
        self.install(pair)
        run("mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", "--auth-root-authentication-method=socket",
            "--skip-test-db", "--user=root")
        self.start()

    def start(self, *options):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/mariadbd", "--no-defaults", "--user=root", f"--datadir={self.folder}/data", "--bind-address=127.0.0.1",
                 f"--port={self.port}", f"--socket={self.folder}/socket", "--skip-name-resolve", "--skip-log-bin",
                 f"--pid-file={self.folder}/pid", f"--plugin-dir={UNPACKED}/usr/lib/mysql/plugin", "--plugin-load-add=auth_pam",
                 "--pam-use-cleartext-plugin=ON", f"--ssl-cert={self.certificate}", f"--ssl-key={self.key}", *options],
                stdout=log, stderr=log)
        self.ready()

    def sql(self, statements):
        """Run statements as root."""
        return run("mariadb", "--no-defaults", "-S", self.folder / "socket", "-u", "root", "-N", "-e", statements)

    def reload(self):
        """Let new connections see a changed certificate."""
        self.sql("FLUSH SSL")
