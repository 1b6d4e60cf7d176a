"""From flags, environment and configuration files to a connection: proxies, endpoints, limits, and what answers."""

import contextlib
import datetime
import email.utils
import pathlib
import subprocess
import tempfile
import time
import unittest

from account import ended, environment, served
from stubs import BINARY, DENIED, KEYS, Person, Stub, Tunnels, authority, denied

PROXY = (
    b"<DescribeDBProxiesResponse><DescribeDBProxiesResult><DBProxies><member><DBProxyName>my-instance-proxy</DBProxyName>"
    b"<DBProxyArn>arn:aws:rds:eu-central-1:123456789012:db-proxy:prx-1</DBProxyArn><Status>available</Status><EngineFamily>MYSQL</EngineFamily>"
    b"<Endpoint>p.proxy-x.eu-central-1.rds.amazonaws.com</Endpoint></member></DBProxies></DescribeDBProxiesResult></DescribeDBProxiesResponse>"
)
MIB = 1024 * 1024


def closed_port():
    with Stub() as stub:
        return stub.port


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def person(self, config="", credentials=""):
        return Person(self.folder, config, credentials)

    def says(self, run, code, *parts):
        self.assertEqual(run.returncode, code, run.stderr)
        for part in parts:
            self.assertIn(part, run.stderr)


class Proxies(Case):
    def setUp(self):
        super().setUp()
        self.bundle, self.context = authority(self.folder)
        self.trust = {**KEYS, "AWS_CA_BUNDLE": str(self.bundle)}

    def test_requests_go_through_the_proxy_with_its_user_and_password(self):
        for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            with self.subTest(variable), Stub(tls=self.context) as aws, Tunnels(aws.port) as proxy:
                run = self.person().runs(**self.trust, **{variable: f"http://user:pa%40ss@{proxy.address}"})
                self.says(run, 4, "AccessDenied")
                self.assertTrue(aws.requests)
                self.assertIn("CONNECT sts.eu-central-1.amazonaws.com:443 ", proxy.asked[0])
                self.assertIn("Proxy-Authorization: Basic dXNlcjpwYUBzcw==", proxy.asked[0])

    def test_a_proxy_needs_no_scheme_and_lower_case_goes_first(self):
        with Stub(tls=self.context) as aws, Tunnels(aws.port) as proxy:
            run = self.person().runs(**self.trust, https_proxy=proxy.address, HTTPS_PROXY="http://127.0.0.1:9")
            self.says(run, 4, "AccessDenied")

    def test_no_proxy_is_reached_directly(self):
        with Stub(tls=self.context) as aws, Tunnels(aws.port) as proxy:
            for variable in ("NO_PROXY", "no_proxy"):
                variables = {"HTTPS_PROXY": f"http://{proxy.address}", "AWS_ENDPOINT_URL": f"https://127.0.0.1:{aws.port}", variable: "127.0.0.0/8"}
                self.says(self.person().runs(**self.trust, **variables), 4, "AccessDenied")
            self.assertEqual(proxy.asked, [])

    def test_a_proxy_that_wants_a_password_or_refuses_says_so_at_once(self):
        for status, words in (("407 Proxy Authentication Required", "wants a user and a password"), ("403 Forbidden", "refuses the CONNECT request")):
            with self.subTest(status), Tunnels(1, refuse=status) as proxy:
                began = time.monotonic()
                run = self.person().runs(**self.trust, HTTPS_PROXY=f"http://user:geheim@{proxy.address}")
                self.assertEqual(len(proxy.asked), 1)
                self.assertLess(time.monotonic() - began, 3)
                self.assertIn(words, run.stderr)
                self.assertIn(proxy.address, run.stderr)
                self.assertNotIn("geheim", run.stderr)

    def test_a_proxy_that_cannot_be_used_is_wrong_usage(self):
        run = self.person().runs(**self.trust, ALL_PROXY="socks5://user:geheim@127.0.0.1:1080")
        self.says(run, 64, "ALL_PROXY (socks5://127.0.0.1:1080) is not usable")
        self.assertNotIn("geheim", run.stderr)

    def test_plain_requests_to_this_machine_go_through_no_proxy(self):
        with Stub() as aws, Tunnels(1) as proxy:
            run = self.person().runs(**KEYS, HTTP_PROXY=f"http://{proxy.address}", ALL_PROXY=f"http://{proxy.address}", AWS_ENDPOINT_URL=aws.url)
            self.says(run, 4, "AccessDenied")
            self.assertEqual(proxy.asked, [])

    def test_an_unknown_authority_hints_at_the_bundle(self):
        with Stub(tls=self.context) as aws:
            run = self.person().runs(**KEYS, AWS_ENDPOINT_URL=aws.url)
            self.says(run, 4, "is not trusted", "UnknownIssuer", "AWS_CA_BUNDLE")

    def test_the_bundle_may_stand_in_the_profile(self):
        with Stub(tls=self.context) as aws:
            person = self.person(f"[default]\nca_bundle = {self.bundle}\n")
            self.says(person.runs(**KEYS, AWS_ENDPOINT_URL=aws.url), 4, "AccessDenied")
            self.says(person.runs(**KEYS, AWS_CA_BUNDLE="/no/such.pem"), 4, "AWS_CA_BUNDLE")


class Endpoints(Case):
    def test_endpoints_of_environment_and_files(self):
        nowhere = "http://127.0.0.1:9"
        with Stub() as aws:
            ways = [
                ({"AWS_ENDPOINT_URL": aws.url}, ""),
                ({"AWS_ENDPOINT_URL": nowhere, "AWS_ENDPOINT_URL_STS": aws.url}, ""),
                ({}, f"[default]\nendpoint_url = {aws.url}\n"),
                ({}, f"[default]\nservices = mine\nendpoint_url = {nowhere}\n[services mine]\nsts =\n  endpoint_url = {aws.url}\n"),
                ({"AWS_ENDPOINT_URL": aws.url}, f"[default]\nendpoint_url = {nowhere}\n"),
                ({"AWS_PROFILE": "other"}, f"[default]\n[profile other]\nendpoint_url = {aws.url}\n"),
                ({"AWS_CONFIG_FILE": str(self.folder / "elsewhere")}, ""),
            ]
            (self.folder / "elsewhere").write_text(f"[default]\nendpoint_url = {aws.url}\n")
            for variables, config in ways:
                with self.subTest(variables, config=config):
                    aws.requests.clear()
                    self.says(self.person(config).runs(**KEYS, **variables), 4, "AccessDenied")
                    self.assertIn("lib/rdsproxy-setup/", aws.requests[0]["headers"]["x-amz-user-agent"])
                    self.assertIn("lib/rdsproxy-setup/", aws.requests[0]["headers"]["user-agent"])

    def test_configured_endpoints_can_be_ignored(self):
        with Stub() as aws:
            run = self.person().runs(**KEYS, AWS_ENDPOINT_URL=aws.url, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true", HTTPS_PROXY="http://127.0.0.1:9")
            self.says(run, 1, "the HTTP proxy http://127.0.0.1:9 gives no connection to https://sts.eu-central-1.amazonaws.com")
            self.assertEqual(aws.requests, [])

    def test_names_of_fips_and_dual_stack_endpoints(self):
        for variables, host in (
            ({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_REGION": "us-east-1"}, "sts-fips.us-east-1.amazonaws.com"),
            ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "sts.eu-central-1.api.aws"),
        ):
            with self.subTest(host), Tunnels(1, refuse="403 Forbidden") as proxy:
                self.person().runs(**KEYS | variables, HTTPS_PROXY=f"http://{proxy.address}")
                self.assertIn(f"CONNECT {host}:443 ", proxy.asked[0])

    def test_plain_http_is_for_this_machine_wherever_it_was_set(self):
        remote = "http://aws.example.com"
        section = f"[default]\nservices = mine\n[services mine]\nrds =\n  endpoint_url = {remote}\n"
        for variables, config, flags, place in (
            ({}, "", ("--endpoint-url", remote), "--endpoint-url"),
            ({"AWS_ENDPOINT_URL": remote}, "", (), "AWS_ENDPOINT_URL"),
            ({"AWS_ENDPOINT_URL_LAMBDA": remote}, "", (), "AWS_ENDPOINT_URL_LAMBDA"),
            ({"AWS_ENDPOINT_URL": "rds.example.com"}, "", (), "AWS_ENDPOINT_URL"),
            ({}, f"[default]\nendpoint_url = {remote}\n", (), "endpoint_url of the profile default"),
            ({}, section, (), "rds in [services mine]"),
        ):
            with self.subTest(place, variables=variables):
                self.says(self.person(config).runs(*flags, **KEYS, **variables), 64, place, "is not usable", "http://127.0.0.1:PORT")

    def test_an_endpoint_that_refuses_or_has_no_name_is_reported_at_once(self):
        for url, words in ((f"http://127.0.0.1:{closed_port()}", "refuses connections"), ("https://nowhere.invalid", "cannot be resolved")):
            with self.subTest(url):
                began = time.monotonic()
                self.says(self.person().runs("--endpoint-url", url, **KEYS), 1, words, url)
                self.assertLess(time.monotonic() - began, 5)


class Settings(Case):
    def test_an_explicit_number_of_attempts_goes_before_our_own(self):
        def broken(_):
            return 503, {}, b""

        for variables, config, attempts in (
            ({"AWS_MAX_ATTEMPTS": "2"}, "", 2),
            ({}, "[default]\nmax_attempts = 1\n", 1),
            ({"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "2"}, "", 2),
        ):
            with self.subTest(variables), Stub(broken) as aws:
                self.person(config).runs(**KEYS, **variables, AWS_ENDPOINT_URL=aws.url)
                self.assertEqual(len(aws.requests), attempts)
        for variables in ({"AWS_MAX_ATTEMPTS": "many"}, {"AWS_RETRY_MODE": "sometimes"}):
            self.says(self.person().runs(**KEYS, **variables), 64, next(iter(variables)))

    def test_a_region_that_is_empty_is_unset_and_a_malformed_one_is_wrong_usage(self):
        self.says(self.person().runs(**KEYS | {"AWS_REGION": ""}), 4, "no AWS region is set")
        self.says(self.person().runs(**KEYS | {"AWS_REGION": "eu central 1"}), 64, "AWS_REGION", "eu central 1")
        self.says(self.person("[default]\nregion = -x\n").runs(**KEYS | {"AWS_REGION": ""}), 64, "region of the profile default")
        with Stub() as aws:
            self.person().runs(**KEYS | {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-3", "AWS_ENDPOINT_URL": aws.url})
            self.assertIn("/eu-west-3/", aws.requests[0]["headers"]["Authorization"])

    @unittest.skipUnless(pathlib.Path("/proc/self/limits").exists(), "no /proc")
    def test_no_core_dump_is_written_of_a_process_that_may_hold_a_password(self):
        command = [BINARY, "--sandbox-file", self.folder / "world.json", "sandbox", "serve", "--port", "0"]
        with ended(subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)) as server, server.stdout:
            server.stdout.readline()
            limits = pathlib.Path(f"/proc/{server.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        self.assertEqual(core.split()[4:6], ["0", "0"])


class Answers(Case):
    def run_against(self, answer, **variables):
        with Stub(answer) as aws:
            return aws, self.person().runs(**KEYS, AWS_ENDPOINT_URL=aws.url, AWS_MAX_ATTEMPTS="1", **variables)

    def test_what_is_not_aws_is_shown_by_status_endpoint_and_first_words(self):
        page = b"<!DOCTYPE html>\r\n<title>\x1b[31mGuest WLAN\xe2\x80\xae</title>" + b"x" * 5000
        for answer, words in (
            ((200, {"Content-Type": "text/html"}, page), 'status 200, "<!DOCTYPE html> <title> [31mGuest WLAN'),
            ((403, {}, b"blocked by policy"), 'status 403, "blocked by policy"'),
            ((302, {"Location": "https://login.example.com/x?token=1"}, b""), "status 302, a redirect to https://login.example.com"),
            ((200, {}, b"\x00\x01garbage"), 'status 200, "garbage"'),
        ):
            with self.subTest(words):
                aws, run = self.run_against(lambda _, answer=answer: answer)
                self.says(run, 1, f"{aws.url} does not answer as AWS does: {words}")
                self.assertNotIn("passes by itself", run.stderr)
                self.assertNotIn("\x1b", run.stderr)
                self.assertNotIn("\u202e", run.stderr)
                self.assertLess(len(run.stderr), 1200)

    def test_an_expired_signature_is_about_the_clock(self):
        late = email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=20), usegmt=True)
        body = DENIED.replace(b"AccessDenied", b"SignatureDoesNotMatch").replace(b">no<", b">Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z<")

        def answer(request):
            request["handler"].date_time_string = lambda timestamp=None: late
            return 403, {"Content-Type": "text/xml"}, body

        _, run = self.run_against(answer)
        self.assertRegex(run.stderr, r"clock is 1(199|200|201) s behind the server's")
        self.assertIn("clock", run.stderr.partition("hint")[2])

    def measured(self, answer, **variables):
        out = self.folder / "peak"
        with Stub(answer) as aws:
            run = self.person().runs(**KEYS, AWS_ENDPOINT_URL=aws.url, measure=out, **variables)
        return run, int(out.read_text()) / 1024

    def test_an_answer_without_end_is_cut_off(self):
        def endless(request):
            handler = request["handler"]
            handler.send_response(200)
            handler.send_header("Content-Length", str(3 << 30))
            handler.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(3 << 10):
                    handler.wfile.write(b"<" + b"x" * (MIB - 1))

        run, peak = self.measured(endless)
        self.says(run, 1, "is larger than 16 MiB")
        self.assertLess(peak, 100)

    def test_pages_without_end_are_cut_off(self):
        def pages(fresh, size):
            turned = iter(range(10**9))

            def answer(request):
                if "Action=DescribeDBProxies&" in request["body"]:
                    return 200, {"Content-Type": "text/xml"}, PROXY
                marker = f"t{next(turned) if fresh else 0}"
                body = f"<DescribeDBProxyEndpointsResponse><DescribeDBProxyEndpointsResult><Marker>{marker}</Marker></DescribeDBProxyEndpointsResult><!--{'x' * size}--></DescribeDBProxyEndpointsResponse>"
                return 200, {"Content-Type": "text/xml"}, body.encode()

            return answer

        for fresh, size, words in ((False, 0, "name the same next page"), (True, 8 * MIB, "stopped at page")):
            with self.subTest(words):
                run, peak = self.measured(pages(fresh, size), verb=("token", "--db", "my-instance", "--reader", "--db-user", "app"))
                self.assertIn(words, run.stderr)
                self.assertLess(peak, 100)

    def test_a_server_that_drips_is_left_in_time(self):
        def drip(request):
            handler = request["handler"]
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    handler.wfile.write(b"x")
                    handler.wfile.flush()
                    time.sleep(0.2)

        began = time.monotonic()
        _, run = self.run_against(drip)
        self.says(run, 1, "no complete answer in time")
        self.assertLess(time.monotonic() - began, 25)


class Sandbox(Case):
    def test_the_served_account_is_reached_by_the_environment_alone(self):
        with served(self.folder, 3600) as url:
            run = self.person().runs(**KEYS, AWS_ENDPOINT_URL=url)
            self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
