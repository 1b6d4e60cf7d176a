"""Prove from a function's own seat that its database answers.

The event:
    {"schema": 1, "engine": "mysql" | "postgresql", "host": "...", "port": 3306, "region": "eu-west-1",
     "login": "iam" | "password" | "greeting", "user": "app" | null, "password": "..." (only with login=password),
     "database": "shop" | null, "tls": true,
     "seconds": {"dns": 5, "tcp": 5, "tls": 5, "login": 15, "query": 5} (any of them may be absent)}

The answer:
    {"schema": 1, "ok": bool,
     "stages": [{"stage": "dns" | "tcp" | "tls" | "login" | "query", "ok": bool, "ms": float, "evidence": "...",
                 "fault": "..." (only where ok is false)}]}

Stages come in that order and end with the first that failed. Without `tls` there is no stage tls, and with
login=greeting none after it. An IAM token is only ever sent inside TLS, so login=iam implies `tls`. A database of null
is none for MySQL and `postgres` for PostgreSQL. docs/verify.md explains the fault codes.

Nothing is printed, logged or raised, and no evidence holds a password or a token. Both protocols are spoken by hand, so
that nothing is needed but what the Lambda runtime brings along.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import queue
import re
import secrets
import socket
import ssl
import struct
import threading
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

SECONDS = {"dns": 5.0, "tcp": 5.0, "tls": 5.0, "login": 15.0, "query": 5.0}
# Kept of the function's own time, so that the answer still gets out.
RESERVE = 0.5
# Nothing that a greeting, a login or `SELECT 1` brings is longer: what is, is another protocol's text read as a length.
LONGEST = 1 << 16

# OpenSSL's X509_V_ERR_ numbers.
CERTIFICATE_FAULTS = {number: fault for fault, numbers in {
    "certificate_host_name": [62, 64],
    "certificate_expired": [9, 10],
    "certificate_unknown_ca": [2, 18, 19, 20, 21],
}.items() for number in numbers}
# Where addresses fail in several ways, the first of these is the stage's fault.
CONNECT_FAULTS = ["timed_out", "refused", "closed_by_peer", "no_route"]
# What RDS Proxy and servers say goes before their codes, which several causes share.
SERVER_WORDS = {
    "requires TLS": "tls_required", "only with SSL": "tls_required",
    "insecure transport": "tls_required", "no encryption": "tls_required",
    "has no credentials for the role": "no_credentials_for_user",
    "Timed-out waiting to acquire": "borrow_timed_out",
}
SERVER_CODES = {code: fault for fault, codes in {
    "tls_required": "3159",
    "login_denied": "1044 1045 1130 1698 1862 28000 28P01 42501",
    "too_many_connections": "1040 1203 1226 53300",
    "login_unsupported": "1251 1524",
    "database_unknown": "1049 3D000",
    "borrow_timed_out": "9501",
}.items() for code in codes.split()}


class Failed(Exception):
    """A failure that has a name."""

    def __init__(self, fault: str, evidence: str):
        super().__init__(fault)
        self.fault, self.evidence = fault, evidence


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Go through the stages and tell how far it went."""
    try:
        left = context.get_remaining_time_in_millis() / 1000 - RESERVE if context else 300.0
        stages = Probe(event, time.monotonic() + left).run()
    except Exception as error:  # an event that is not as above
        stages = [{"stage": "dns", "ok": False, "ms": 0.0, "evidence": type(error).__name__, "fault": "unexpected"}]
    return {"schema": 1, "ok": all(stage["ok"] for stage in stages), "stages": stages}


class Probe:
    """One connection, from the name to the first row."""

    def __init__(self, event: dict[str, Any], end: float):
        if event["schema"] != 1 or event["login"] not in ("iam", "password", "greeting"):
            raise ValueError
        self.end, self.limits = end, SECONDS | (event.get("seconds") or {})
        self.host, self.port, self.region = event["host"], int(event["port"]), event["region"]
        self.login, self.user, self.database = event["login"], event.get("user"), event.get("database")
        self.tls = bool(event["tls"]) or self.login == "iam"
        engines: dict[str, type[MySql | PostgreSql]] = {"mysql": MySql, "postgresql": PostgreSql}
        self.engine = engines[event["engine"]]
        self.password: str = event["password"] if self.login == "password" else ""
        # Reading the trust store takes a small function some time, which is not the handshake's.
        self.trust = ssl.create_default_context() if self.tls else None
        self.opened: list[socket.socket] = []

    def run(self) -> list[dict[str, Any]]:
        """Do one stage after another until one fails."""
        # The token first: servers give little time between connection and login, and a small function signs slowly.
        self.no_token = self.sign() if self.login == "iam" else None
        steps = [("dns", self.resolve), ("tcp", self.connect)]
        steps += [("tls", self.secure)] if self.tls else []
        steps += [("login", self.authenticate), ("query", self.query)] if self.login != "greeting" else []
        stages: list[dict[str, Any]] = []
        try:
            for name, step in steps:
                stages.append(self.stage(name, step))
                if not stages[-1]["ok"]:
                    break
        finally:
            for one in self.opened:
                one.close()
        return stages

    def stage(self, name: str, step: Callable[[], str]) -> dict[str, Any]:
        """Take the time of one step and note what came of it."""
        began = time.monotonic()
        self.limit = max(min(float(self.limits[name]), self.end - began), 0.001)
        self.until = began + self.limit
        failed = None
        try:
            evidence = step()
        except Exception as error:  # whatever it is, the caller gets an answer
            failed = self.named(error)
            evidence = failed.evidence
        ms = round((time.monotonic() - began) * 1000, 1)
        result = {"stage": name, "ok": failed is None, "ms": ms, "evidence": scrub(evidence, self.password)}
        return result | {"fault": failed.fault} if failed else result

    def named(self, error: Exception) -> Failed:
        """Name what a step ran into."""
        match error:
            case Failed():
                return error
            case TimeoutError():
                return Failed("timed_out", f"no answer within {self.limit:.1f} s")
            case ssl.SSLCertVerificationError():
                return Failed(CERTIFICATE_FAULTS.get(error.verify_code, "tls_failed"), error.verify_message)
            case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionError():
                return Failed("closed_by_peer", f"the other side closed the connection ({type(error).__name__})")
            case ssl.SSLError():
                return Failed("tls_failed", error.reason or type(error).__name__)
        return Failed("unexpected", type(error).__name__)

    def sign(self) -> Failed | None:
        """Make an IAM token with the role's credentials."""
        def token() -> str:
            import boto3

            rds = boto3.client("rds", region_name=self.region)
            return str(rds.generate_db_auth_token(DBHostname=self.host, Port=self.port, DBUsername=self.user))

        limit = min(float(self.limits["login"]), self.end - time.monotonic())
        try:
            self.password = within(limit, token)
        except TimeoutError:
            return Failed("token_failed", f"no IAM token within {limit:.1f} s")
        except Exception as error:
            return Failed("token_failed", f"no IAM token: {type(error).__name__}: {error}")
        return None

    def resolve(self) -> str:
        """Look the name up."""
        try:
            found = within(self.limit, socket.getaddrinfo, self.host, self.port, 0, socket.SOCK_STREAM)
        except TimeoutError:
            raise Failed("dns_timeout", f"no answer for {self.host} within {self.limit:.1f} s") from None
        except socket.gaierror as error:
            unknown = error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)
            raise Failed("name_not_found" if unknown else "dns_timeout", f"{self.host}: {error.strerror}") from None
        except UnicodeError:
            raise Failed("name_not_found", f"{self.host} is no host name") from None
        self.addresses = list(dict.fromkeys(entry[4][:2] for entry in found))
        return f"{self.host} is {', '.join(address for address, _ in self.addresses)}"

    def connect(self) -> str:
        """Connect to every address at once, and go on with the first in order that answers."""
        with ThreadPoolExecutor(len(self.addresses)) as pool:
            tried = list(pool.map(self.knock, self.addresses))
        self.opened = [one for one in tried if not isinstance(one, Failed)]
        said = [f"{address} port {port} {one.evidence if isinstance(one, Failed) else 'accepts'}"
                for (address, port), one in zip(self.addresses, tried)]
        if not self.opened:
            fault = min((one.fault for one in tried if isinstance(one, Failed)), key=CONNECT_FAULTS.index)
            raise Failed(fault, "; ".join(said))
        self.wire = Wire(self.opened[0], self.until)
        self.peer = self.engine(self.wire, self.tls, self.database)
        if self.login == "greeting" and not self.tls:
            said.append(self.peer.greet())
        return "; ".join(said)

    def knock(self, address: tuple[str, int]) -> socket.socket | Failed:
        """Open one connection."""
        try:
            return socket.create_connection(address, self.limit)
        except TimeoutError:
            return Failed("timed_out", f"does not answer within {self.limit:.1f} s")
        except ConnectionRefusedError:
            return Failed("refused", "refuses")
        except ConnectionError:
            return Failed("closed_by_peer", "closes the connection")
        except OSError as error:
            return Failed("no_route", f"cannot be reached: {errno.errorcode.get(error.errno or 0, 'no route')}")

    def secure(self) -> str:
        """Ask for TLS in the engine's way, and verify the chain and the host's name."""
        assert self.trust
        self.wire.until = self.until
        said = self.peer.greet()
        self.peer.ask_for_tls()
        self.wire.allow()
        self.wire.socket = wrapped = self.trust.wrap_socket(self.wire.socket, server_hostname=self.host)
        self.opened.append(wrapped)
        certificate: Any = wrapped.getpeercert()
        names = {key: value for part in certificate["issuer"] for key, value in part}
        issuer = names.get("organizationName") or names.get("commonName")
        return f"{said}; {wrapped.version()}, certificate for the host by {issuer} until {certificate['notAfter']}"

    def authenticate(self) -> str:
        """Log in with the token or the password."""
        if self.no_token:
            raise self.no_token
        self.wire.until = self.until
        how = self.peer.login(self.user or "", self.password)
        return f"logged in as {self.user} ({how})"

    def query(self) -> str:
        """Read one row."""
        self.wire.until = self.until
        if self.peer.select_1() != b"1":
            raise Failed("query_failed", "SELECT 1 answered something else")
        return "SELECT 1 answered 1"


def within(seconds: float, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call what knows no time limit of its own, and leave it behind after one."""
    done: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            done.put((call(*arguments), None))
        except Exception as error:
            done.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        value, error = done.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise TimeoutError from None
    if error:
        raise error
    return value


def scrub(text: str, secret: str) -> str:
    """Mask what a server repeats of a secret, be it a piece, and make one short line."""
    # Of a token, the rest is no secret and worth reading: host, user, region, time.
    for part in re.findall("X-Amz-(?:Security-Token|Signature)=([^&]+)", secret) or [secret]:
        width = min(8, len(part)) or 1
        found = [at for at in range(len(text) - width + 1) if text[at:at + width] in part] if part else []
        hidden = {at + offset for at in found for offset in range(width)}
        text = re.sub("\0+", "***", "".join("\0" if at in hidden else char for at, char in enumerate(text)))
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= 300 else text[:299] + "…"


class Wire:
    """A connection that keeps to a moment, not to a pause between two bytes."""

    def __init__(self, opened: socket.socket, until: float):
        self.socket, self.until = opened, until

    def allow(self) -> None:
        """Give the next operation what time is left."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)

    def send(self, data: bytes) -> None:
        self.allow()
        self.socket.sendall(data)

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes: none too many, since TLS may begin right behind them."""
        data = b""
        while len(data) < size:
            self.allow()
            got = self.socket.recv(size - len(data))
            if not got:
                raise ConnectionResetError
            data += got
        return data


def refused(code: str, text: str, otherwise: str) -> Failed:
    """Name a server's error."""
    known = [fault for words, fault in SERVER_WORDS.items() if words in text]
    return Failed(known[0] if known else SERVER_CODES.get(code, otherwise), f"the server says {code}: {text}")


class MySql:
    """The MySQL protocol, as far as `SELECT 1`: https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html"""

    WITH_DATABASE, SSL, LENENC = 0x8, 0x800, 0x200000
    # Long password, protocol 4.1, transactions, secure connection, plugins.
    ALWAYS = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x80000
    UTF8MB4 = 45

    def __init__(self, wire: Wire, tls: bool, database: str | None):
        self.wire, self.tls, self.database, self.offered, self.sequence = wire, tls, database, 0, 0

    def greet(self) -> str:
        """Read the greeting, which the server sends unasked."""
        try:
            packet = self.packet()
        except TimeoutError:
            raise Failed("timed_out", "it accepts the connection and then sends no MySQL greeting") from None
        if packet[0] == 0xFF:
            raise self.error(packet, "login_failed")
        version, _, rest = packet[1:].partition(b"\0")
        if packet[0] != 10 or len(rest) < 31:
            raise Failed("not_this_engine", "what it sends is no MySQL greeting")
        low, high = struct.unpack_from("<H", rest, 13)[0], struct.unpack_from("<H", rest, 18)[0]
        self.offered = low | high << 16
        size = max(13, rest[20] - 8)
        self.nonce = (rest[4:12] + rest[31:31 + size])[:20]
        self.plugin = rest[31 + size:].partition(b"\0")[0].decode("ascii", "replace")
        return f"MySQL greeting of {version.decode('ascii', 'replace').removeprefix('5.5.5-')[:40]}"

    def ask_for_tls(self) -> None:
        """Send the first half of the login, after which TLS begins."""
        if not self.offered & self.SSL:
            raise Failed("tls_not_offered", "the server does not offer TLS")
        self.send(self.flags())

    def flags(self) -> bytes:
        """Say what this client does, the same before TLS and inside: MariaDB goes by the first, MySQL by the second."""
        flags = self.ALWAYS | self.offered & self.LENENC
        flags |= (self.SSL if self.tls else 0) | (self.WITH_DATABASE if self.database else 0)
        return struct.pack("<IIB23x", flags, LONGEST, self.UTF8MB4)

    def login(self, user: str, password: str) -> str:
        """Answer the greeting, and then whatever plugin the server asks for."""
        if not self.offered:
            self.greet()
        self.password = password.encode()
        # Like the drivers: begin with what the greeting names, and let the server switch to what the account needs.
        plugin = self.plugin
        fits = len(self.password) < 250 or self.offered & self.LENENC
        if not (plugin == "caching_sha2_password" or plugin == "mysql_clear_password" and self.tls and fits):
            plugin = "mysql_native_password"
        answer = self.proof(plugin, self.nonce)
        size = bytes([len(answer)]) if len(answer) < 251 else b"\xfc" + struct.pack("<H", len(answer))
        name = self.database.encode() + b"\0" if self.database else b""
        self.send(self.flags() + user.encode() + b"\0" + size + answer + name + plugin.encode() + b"\0")
        while True:
            packet = self.packet()
            kind, body = packet[0], packet[1:]
            if kind == 0:
                return plugin
            if kind == 0xFF:
                raise self.error(packet, "login_failed")
            if kind == 0xFE and body:
                name, _, nonce = body.partition(b"\0")
                plugin = name.decode("ascii", "replace")
                self.send(self.proof(plugin, nonce[:20]))
            elif kind == 1 and body == b"\4" and plugin == "caching_sha2_password":
                # The server does not remember the password's hash and wants the password itself.
                self.send(self.proof("mysql_clear_password", b""))
            elif not (kind == 1 and body == b"\3"):
                raise Failed("login_unsupported", f"the server goes on with {plugin} in a way this probe does not know")

    def proof(self, plugin: str, nonce: bytes) -> bytes:
        """Prove the password in the plugin's way."""
        if plugin == "mysql_clear_password":
            if not self.tls:
                raise Failed("tls_required", "the server wants the password in clear, which is only sent inside TLS")
            return self.password + b"\0"
        if plugin == "mysql_native_password":
            once = hashlib.sha1(self.password).digest()
            mask = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
        elif plugin == "caching_sha2_password":
            once = hashlib.sha256(self.password).digest()
            mask = hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest()
        else:
            raise Failed("login_unsupported", f"the server asks for the plugin {plugin}")
        return xor(once, mask) if self.password else b""

    def select_1(self) -> bytes:
        """Send COM_QUERY and read its columns and rows."""
        self.sequence = 0
        self.send(b"\3SELECT 1")
        value, ends = b"", 0
        while ends < 2:
            packet = self.packet()
            if packet[0] == 0xFF:
                raise self.error(packet, "query_failed")
            if packet[0] == 0xFE and len(packet) < 9:
                ends += 1
            elif ends == 1:
                value = packet[1:]
        self.sequence = 0
        self.send(b"\1")
        return value

    def packet(self) -> bytes:
        header = self.wire.read(4)
        size, self.sequence = int.from_bytes(header[:3], "little"), header[3] + 1 & 0xFF
        if not 0 < size < LONGEST:
            raise Failed("not_this_engine", "what it sends is no MySQL packet")
        return self.wire.read(size)

    def send(self, payload: bytes) -> None:
        self.wire.send(len(payload).to_bytes(3, "little") + bytes([self.sequence]) + payload)
        self.sequence = self.sequence + 1 & 0xFF

    def error(self, packet: bytes, otherwise: str) -> Failed:
        """Read an error packet, which before the login has no SQL state."""
        code, text = int.from_bytes(packet[1:3], "little"), packet[9:] if packet[3:4] == b"#" else packet[3:]
        # A server that wants TLS may say no more than that to a login without.
        hint = "" if self.tls or code != 1045 else " (asked without TLS)"
        return refused(str(code), text.decode("utf-8", "replace") + hint, otherwise)


class PostgreSql:
    """The PostgreSQL protocol 3.0, as far as `SELECT 1`: https://www.postgresql.org/docs/current/protocol.html"""

    def __init__(self, wire: Wire, tls: bool, database: str | None):
        self.wire, self.tls, self.database = wire, tls, database or "postgres"

    def greet(self) -> str:
        """Send an SSLRequest, the one thing that makes this server speak before a login."""
        self.wire.send(struct.pack("!II", 8, 80877103))
        try:
            self.answer = self.wire.read(1)
        except TimeoutError:
            raise Failed("timed_out", "it accepts the connection and does not answer an SSLRequest") from None
        if self.answer == b"E":
            self.fail(self.message(b"E")[1], "login_failed")
        # More than the one byte is another protocol's text, or someone's words put before the encrypted ones.
        if self.answer not in (b"S", b"N") or self.more():
            raise Failed("not_this_engine", "what it answers to an SSLRequest is not PostgreSQL's")
        return f"PostgreSQL answers an SSLRequest with {self.answer.decode()}"

    def more(self) -> bool:
        """Look whether anything waits behind what was read."""
        self.wire.socket.setblocking(False)
        try:
            return bool(self.wire.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    def ask_for_tls(self) -> None:
        """Go by the answer to the SSLRequest, which asked already."""
        if self.answer == b"N":
            raise Failed("tls_not_offered", "the server does not offer TLS")

    def login(self, user: str, password: str) -> str:
        """Start up and do what the server asks for until it is ready."""
        names = {"user": user, "database": self.database, "application_name": "rdsproxy-setup probe"}
        start = b"".join(key.encode() + b"\0" + value.encode() + b"\0" for key, value in names.items()) + b"\0"
        self.wire.send(struct.pack("!II", len(start) + 8, 196608) + start)
        how, scram = "the server asked for no password", None
        while True:
            kind, body = self.message()
            if kind == b"E":
                self.fail(body, "login_failed")
            elif kind == b"Z":
                return how
            elif kind != b"R":
                continue
            step, data = int.from_bytes(body[:4], "big"), body[4:]
            if step == 3:
                if not self.tls:
                    raise Failed("tls_required", "the server wants the password in clear, which is only sent inside TLS")
                how = "password in TLS"
                self.send(b"p", password.encode() + b"\0")
            elif step == 5:
                how = "md5"
                inner = hashlib.md5(password.encode() + user.encode()).hexdigest().encode()
                self.send(b"p", b"md5" + hashlib.md5(inner + data).hexdigest().encode() + b"\0")
            elif step == 10 and b"SCRAM-SHA-256" in data.split(b"\0"):
                how, scram = "SCRAM-SHA-256", Scram(password)
                first = scram.first()
                self.send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first)
            elif step == 11 and scram:
                self.send(b"p", scram.final(data))
            elif step == 12 and scram:
                scram.verify(data)
            elif step != 0:
                raise Failed("login_unsupported", f"the server asks for authentication {step}, which this probe does not do")
            elif scram and not scram.verified:
                raise Failed("login_unsupported", "the server broke its own login off")

    def select_1(self) -> bytes:
        """Send a simple query and read until the server is ready again."""
        self.send(b"Q", b"SELECT 1\0")
        value = b""
        while True:
            kind, body = self.message()
            if kind == b"E":
                self.fail(body, "query_failed")
            elif kind == b"D":
                value = body[6:]
            elif kind == b"Z":
                self.send(b"X", b"")
                return value

    def message(self, kind: bytes = b"") -> tuple[bytes, bytes]:
        """Read one message, whose kind may be read already."""
        kind = kind or self.wire.read(1)
        size = int.from_bytes(self.wire.read(4), "big")
        if not 4 <= size < LONGEST:
            raise Failed("not_this_engine", "what it sends is no PostgreSQL message")
        return kind, self.wire.read(size - 4)

    def send(self, kind: bytes, body: bytes) -> None:
        self.wire.send(kind + struct.pack("!I", len(body) + 4) + body)

    def fail(self, body: bytes, otherwise: str) -> NoReturn:
        """Raise what an ErrorResponse says."""
        fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
        raise refused(fields.get(b"C", "?????"), f"{fields.get(b'S', '')} {fields.get(b'M', '')}", otherwise)


class Scram:
    """SCRAM-SHA-256 (RFC 5802 and 7677) without channel binding."""

    def __init__(self, password: str):
        # What SASLprep comes to for a password that a person can type.
        self.password = unicodedata.normalize("NFKC", password).encode()
        self.bare = f"n=,r={secrets.token_urlsafe(18)}".encode()
        self.expected, self.verified = b"", False

    def first(self) -> bytes:
        return b"n,," + self.bare

    def final(self, challenge: bytes) -> bytes:
        """Prove the password without sending it."""
        parts = dict(part.split(b"=", 1) for part in challenge.split(b",") if b"=" in part)
        nonce, rounds = parts[b"r"], int(parts[b"i"])
        if not nonce.startswith(self.bare[5:]) or not 0 < rounds <= 1_000_000:
            raise Failed("login_unsupported", "the server's SCRAM challenge is not in order")
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(parts[b"s"]), rounds)
        key = hmac.digest(salted, b"Client Key", "sha256")
        said = b"c=biws,r=" + nonce
        whole = b",".join([self.bare, challenge, said])
        proof = xor(key, hmac.digest(hashlib.sha256(key).digest(), whole, "sha256"))
        self.expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), whole, "sha256")
        return said + b",p=" + base64.b64encode(proof)

    def verify(self, answer: bytes) -> None:
        """Believe a server only if it knows the password too."""
        if not self.expected or not hmac.compare_digest(b"v=" + base64.b64encode(self.expected), answer):
            raise Failed("login_denied", "the server did not prove that it knows the password")
        self.verified = True


def xor(left: bytes, right: bytes) -> bytes:
    """Combine two digests."""
    return bytes(a ^ b for a, b in zip(left, right))
