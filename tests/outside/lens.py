"""A loopback proxy that records what passes, and mends by name what an emulator misstates."""

import collections
import dataclasses
import functools
import http.client
import http.server
import re
import sys
import threading
import urllib.parse

import botocore.session
import inputs

HOP_BY_HOP = ("content-length", "transfer-encoding", "connection", "date", "server")
READS = ("Describe", "Get", "List", "Simulate")


# Services that botocore calls otherwise than signatures do.
NAMES = {"monitoring": "cloudwatch", "servicequotas": "service-quotas", "tagging": "resourcegroupstaggingapi"}


@functools.cache
def model(service):
    return botocore.session.get_session().get_service_model(NAMES.get(service, service))


@dataclasses.dataclass(frozen=True)
class Exchange:
    """One request, and what the upstream answered before anything was mended."""

    method: str
    target: str
    headers: dict
    body: bytes
    status: int
    answer: bytes

    @functools.cached_property
    def service(self):
        """As the signature names it."""
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", self.headers["authorization"])
        return scope[1]

    @functools.cached_property
    def read(self):
        """The operation's name, and what in the request departs from its model."""
        return inputs.request(model(self.service), self.method, self.target, self.headers, self.body)

    @property
    def operation(self):
        return self.read[0]

    @property
    def findings(self):
        return [f"{self.service} {finding}" for finding in self.read[1]]

    @property
    def changes(self):
        """Whether the operation is one that changes something."""
        return not self.operation.startswith(READS)

    def __str__(self):
        return f"{self.service}:{self.operation}"


class Server(http.server.ThreadingHTTPServer):
    """Many connections at once; one that its client leaves, or whose upstream is gone, is no error of ours."""

    request_queue_size = 64
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Lens:
    """Between the program and an endpoint. A deviation is `mend(exchange) -> (status, answer)`, under its name."""

    def __init__(self, upstream, deviations=None):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.deviations = deviations or {}
        self.seen = collections.Counter()
        self.exchanges = []

    def since(self, mark):
        """What has passed since `len(lens.exchanges)` was `mark`."""
        return self.exchanges[mark:]

    def pass_on(self, method, target, headers, body):
        """The upstream's answer: as it came, and as it is handed on."""
        upstream = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=60)
        upstream.request(method, target, body, headers)
        answer = upstream.getresponse()
        content, kept = answer.read(), answer.getheaders()
        upstream.close()
        exchange = Exchange(method, target, {name.lower(): held for name, held in headers.items()}, body, answer.status, content)
        self.exchanges.append(exchange)
        for name, mend in self.deviations.items():
            mended = mend(exchange)
            if mended != (exchange.status, exchange.answer):
                self.seen[name] += 1
                exchange = dataclasses.replace(exchange, status=mended[0], answer=mended[1])
        if exchange.status != answer.status:
            cbor = exchange.headers.get("smithy-protocol") == "rpc-v2-cbor"
            kept = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")] if cbor else [("content-type", "text/xml")]
        return exchange.status, kept, exchange.answer

    def __enter__(self):
        lens = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def relay(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, answer = lens.pass_on(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                for name, held in headers:
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, held)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = relay

            def log_message(self, *_):
                """Says nothing: what passes is recorded."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
