"""Small servers on loopback that stand for AWS, a company's proxy, and what should not be there."""

import contextlib
import datetime
import http.server
import ipaddress
import os
import pathlib
import socket
import ssl
import subprocess
import threading

from account import BINARY
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DENIED = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
ROLE = (
    "<AssumeRole{0}Response><AssumeRole{0}Result><Credentials><AccessKeyId>{1}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    "<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><Arn>"
    "arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>"
    "</AssumeRole{0}Result></AssumeRole{0}Response>"
)


def denied(_request):
    return 403, {"Content-Type": "text/xml"}, DENIED


def assumes(key):
    """STS that gives out this key for any role, and denies the rest."""

    def answer(request):
        for kind in ("WithWebIdentity", ""):
            if f"Action=AssumeRole{kind}&" in request["body"]:
                return 200, {"Content-Type": "text/xml"}, ROLE.format(kind, key).encode()
        return denied(request)

    return answer


class Stub:
    """An HTTP server; `answer` gets each request and returns status, headers and body, or writes to the socket itself."""

    def __init__(self, answer=denied, tls=None):
        self.requests, stub = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                request = {"method": self.command, "path": self.path, "headers": self.headers, "body": body, "handler": self}
                stub.requests.append(request)
                given = answer(request)
                if given is None:
                    self.close_connection = True
                    return
                status, headers, content = given
                self.send_response(status)
                for name, value in {"Content-Length": len(content), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_any

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def keys(self):
        """The access keys that requests were signed with, in order, each once."""
        found = []
        for request in self.requests:
            key = request["headers"].get("Authorization", "").partition("Credential=")[2].partition("/")[0]
            if key and key not in found:
                found.append(key)
        return found


class Tunnels:
    """An HTTP proxy that takes CONNECT alone, and leads every host to one port."""

    def __init__(self, port, refuse=None):
        self.port, self.refuse, self.asked = port, refuse, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.asked.append(head.decode())
            if self.refuse:
                client.sendall(f"HTTP/1.1 {self.refuse}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                threading.Thread(target=pump, args=(server, client), daemon=True).start()
                pump(client, server)


def pump(source, sink):
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


def authority(folder):
    """A certificate authority of a company's own: its PEM file, and a server's context with a certificate of it."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(name, issuer, key, signer, authority, names=()):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
        built = built.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        built = built.not_valid_after(now + datetime.timedelta(days=2))
        built = built.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if names:
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return built.sign(signer, hashes.SHA256())

    folder = pathlib.Path(folder)
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    top = certificate("Company CA", None, root, root, True)
    names = [x509.DNSName("*.amazonaws.com"), x509.DNSName("*.eu-central-1.amazonaws.com"), x509.DNSName("localhost")]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    served = certificate("AWS", top.subject, leaf, root, False, names)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(top.public_bytes(pem))
    (folder / "server.pem").write_bytes(
        leaf.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + served.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context


class Person:
    """Somebody with a home folder, a configuration, and an environment of their own."""

    def __init__(self, folder, config="", credentials=""):
        self.home = pathlib.Path(folder)
        (self.home / ".aws").mkdir(exist_ok=True)
        (self.home / ".aws" / "config").write_text(config)
        (self.home / ".aws" / "credentials").write_text(credentials)

    def runs(self, *arguments, timeout=120, measure=None, verb=("status", "--db", "my-instance"), **variables):
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "LD_LIBRARY_PATH") if key in os.environ}
        kept |= {"HOME": str(self.home), "AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true"}
        environment = {**kept, **variables}
        command = [str(BINARY), *arguments, *verb]
        if measure:
            command = ["/usr/bin/env", "python3", "-c", MEASURE, str(measure), *command]
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)


# Runs a command and writes its peak memory in KiB to a file.
MEASURE = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[2:]); "
    "open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)); sys.exit(code)"
)
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "secret"}
