"""`sandbox serve` on raw sockets: who is answered, and who is not waited for."""

import socket
import tempfile
import time
import unittest
from urllib.parse import urlsplit

from account import client, served

REQUEST = "GET /2015-03-31/functions HTTP/1.1\r\n{host}Connection: close\r\n\r\n"


def said(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(text.encode())
        held = b""
        while part := line.recv(65536):
            held += part
    return held.decode().split("\r\n", 1)[0]


class Serve(unittest.TestCase):
    def test_only_names_of_this_machine_are_answered(self):
        with tempfile.TemporaryDirectory() as folder, served(folder, 60) as url:
            port = urlsplit(url).port
            for host in (f"127.0.0.1:{port}", "localhost", f"[::1]:{port}"):
                # No signature: the account itself refuses.
                self.assertIn(" 403 ", said(port, REQUEST.format(host=f"Host: {host}\r\n")))
            for host in ("Host: evil.example\r\n", f"Host: evil.example:{port}\r\n", "Host: 127.0.0.1.evil.example\r\n", ""):
                self.assertIn(" 421 ", said(port, REQUEST.format(host=host)))

    def test_who_sends_no_headers_is_not_waited_for(self):
        with tempfile.TemporaryDirectory() as folder, served(folder, 60) as url:
            port = urlsplit(url).port
            with socket.create_connection(("127.0.0.1", port), timeout=180) as slow:
                slow.sendall(b"GET / HTTP/1.1\r\nHost: 127")
                began = time.monotonic()
                self.assertIn(" 403 ", said(port, REQUEST.format(host="Host: localhost\r\n")))
                slow.recv(65536)
                self.assertLess(time.monotonic() - began, 120)

    def test_no_call_of_these_tests_waits_on_a_connection_that_may_be_closed(self):
        with tempfile.TemporaryDirectory() as folder, served(folder, 60) as url:
            answer = client("sts", url).get_caller_identity()
            self.assertEqual("close", answer["ResponseMetadata"]["HTTPHeaders"].get("connection"))


if __name__ == "__main__":
    unittest.main()
