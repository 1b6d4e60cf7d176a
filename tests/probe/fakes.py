"""Small servers that do one thing wrong, or that Debian has no package for."""

import contextlib
import hashlib
import socket
import ssl
import struct
import threading


class Fake:
    """A listener on loopback that gives every connection to a function."""

    def __init__(self, script):
        self.script, self.faults, self.open = script, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        for connection in self.open:
            connection.close()
        assert not self.faults, self.faults

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.open.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.script(connection)
        except OSError:
            pass  # the probe left
        except Exception as error:
            self.faults.append(repr(error))


def exactly(connection, size):
    """Read so many bytes."""
    data = b""
    while len(data) < size:
        got = connection.recv(size - len(data))
        if not got:
            raise ConnectionResetError
        data += got
    return data


def silence(connection):
    """Wait until the other side leaves."""
    while connection.recv(4096):
        pass


def says(text):
    """Speak first, as SSH and mail servers do, and then wait."""
    def script(connection):
        connection.sendall(text)
        silence(connection)
    return script


def tls(pair):
    """Make a server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


def postgres(pair, *messages):
    """Answer an SSLRequest, and the startup message with what is given."""
    def script(connection):
        assert exactly(connection, 8) == struct.pack("!II", 8, 80877103)
        connection.sendall(b"S")
        with tls(pair).wrap_socket(connection, server_side=True) as connection:
            exactly(connection, struct.unpack("!I", exactly(connection, 4))[0] - 4)
            for kind, body in messages:
                connection.sendall(kind + struct.pack("!I", len(body) + 4) + body)
            silence(connection)
    return script


def scram(pair):
    """Go through SCRAM without knowing the password, and claim that it was right."""
    def script(connection):
        exactly(connection, 8)
        connection.sendall(b"S")
        with tls(pair).wrap_socket(connection, server_side=True) as connection:
            exactly(connection, struct.unpack("!I", exactly(connection, 4))[0] - 4)
            nonce = ""
            for step, text in (10, "SCRAM-SHA-256\0\0"), (11, "r={}xyz,s=QSXCR+Q6sek8bf92,i=4096"), (12, "v=" + "A" * 43 + "="):
                text = text.format(nonce).encode()
                connection.sendall(b"R" + struct.pack("!II", len(text) + 8, step) + text)
                if step < 12:
                    assert exactly(connection, 1) == b"p"
                    said = exactly(connection, struct.unpack("!I", exactly(connection, 4))[0] - 4)
                    nonce = said.rpartition(b"r=")[2].decode()
            connection.sendall(b"R" + struct.pack("!II", 8, 0) + b"Z" + struct.pack("!I", 5) + b"I")
            silence(connection)
    return script


def postgres_error(code, text):
    """Make an ErrorResponse."""
    return b"E", b"SFATAL\0VFATAL\0C" + code.encode() + b"\0M" + text.encode() + b"\0\0"


class MySql:
    """A MySQL 8 server as far as the login, after the protocol's documentation.

    Debian has no Oracle MySQL, and MariaDB 10.11 no caching_sha2_password. This one really checks scramble and password,
    so that a probe that computes one of them wrongly is denied.
    """

    SSL, LENENC = 0x800, 0x200000
    BASE = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000

    def __init__(self, pair, password, plugin="caching_sha2_password", switch=None, cached=True, flags=SSL | LENENC, refuse=None):
        self.pair, self.password, self.plugin, self.switch = pair, password.encode(), plugin, switch
        self.cached, self.flags, self.refuse = cached, self.BASE | flags, refuse
        self.nonce = bytes(range(1, 21))
        self.paths = []

    def send(self, connection, payload):
        connection.sendall(len(payload).to_bytes(3, "little") + bytes([self.sequence]) + payload)
        self.sequence += 1

    def packet(self, connection):
        header = exactly(connection, 4)
        assert header[3] == self.sequence, f"packet {header[3]} where {self.sequence} was due"
        self.sequence += 1
        return exactly(connection, int.from_bytes(header[:3], "little"))

    def greeting(self):
        return (b"\x0a8.0.36\0" + struct.pack("<I", 7) + self.nonce[:8] + b"\0" + struct.pack("<H", self.flags & 0xFFFF) + b"\xff"
                + struct.pack("<HH", 2, self.flags >> 16) + bytes([21]) + bytes(10) + self.nonce[8:] + b"\0" + self.plugin.encode() + b"\0")

    def expected(self, plugin):
        """What the client must send for a plugin."""
        if plugin == "mysql_clear_password":
            return self.password + b"\0"
        once = hashlib.sha256(self.password).digest()
        mask = hashlib.sha256(hashlib.sha256(once).digest() + self.nonce).digest()
        return bytes(a ^ b for a, b in zip(once, mask))

    def error(self, connection, code, text):
        self.send(connection, b"\xff" + struct.pack("<H", code) + b"#HY000" + text.encode())

    def __call__(self, connection):
        self.sequence = 0
        self.send(connection, self.greeting())
        first = self.packet(connection)
        flags = int.from_bytes(first[:4], "little")
        if flags & self.SSL:
            assert len(first) == 32
            with tls(self.pair).wrap_socket(connection, server_side=True) as connection:
                return self.login(connection, self.packet(connection))
        self.login(connection, first)

    def login(self, connection, first):
        flags = int.from_bytes(first[:4], "little")
        if self.refuse:
            return self.error(connection, *self.refuse)
        user, _, rest = first[32:].partition(b"\0")
        assert user == b"app"
        size, start = rest[0], 1
        if flags & self.LENENC and size == 0xFC:
            size, start = int.from_bytes(rest[1:3], "little"), 3
        answer, rest = rest[start:start + size], rest[start + size:]
        if flags & 0x8:
            _, _, rest = rest.partition(b"\0")
        plugin = rest.rstrip(b"\0").decode()
        assert plugin in ("mysql_native_password", "mysql_clear_password", "caching_sha2_password"), "a login packet out of shape"
        if self.switch and plugin != self.switch:
            self.send(connection, b"\xfe" + self.switch.encode() + b"\0" + self.nonce + b"\0")
            plugin, answer = self.switch, self.packet(connection)
            self.paths.append("switch")
        right = answer == self.expected(plugin)
        if plugin == "caching_sha2_password":
            if self.cached and right:
                self.paths.append("fast")
                self.send(connection, b"\1\3")
            else:
                self.paths.append("full")
                self.send(connection, b"\1\4")
                answer = self.packet(connection)
                right = answer == self.password + b"\0"
        else:
            self.paths.append(plugin)
        if not right:
            # Some servers are as careless as this, and the probe must not pass it on.
            return self.error(connection, 1045, f"Access denied for user 'app' with {answer.decode('utf-8', 'replace')}")
        self.send(connection, b"\0\0\0\2\0\0\0")
        self.sequence = 0
        assert self.packet(connection) == b"\3SELECT 1"
        for packet in (b"\1", b"\3def\0\0\0\x011\0\x0c\x3f\0\1\0\0\0\x08\x81\0\0\0\0", b"\xfe\0\0\2\0", b"\x011", b"\xfe\0\0\2\0"):
            self.send(connection, packet)
        silence(connection)
