"""Credentials as the AWS CLI finds them: each source reaches the wire, each failure says what helps."""

import datetime
import hashlib
import json
import os
import pathlib
import pty
import select
import subprocess
import tempfile
import time
import unittest

from stubs import BINARY, KEYS, Person, Stub, assumes, denied

HOUR = datetime.timedelta(hours=1)


def stamp(ahead):
    return (datetime.datetime.now(datetime.timezone.utc) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def person(self, config="", credentials=""):
        return Person(self.folder, config, credentials)

    def signed_with(self, keys, answer, config="", credentials="", flags=(), **variables):
        """Runs against a server, and holds the requests' keys to these."""
        with Stub(answer) as aws:
            run = self.person(config, credentials).runs(*flags, AWS_ENDPOINT_URL=aws.url, **variables)
            self.assertEqual(aws.keys(), keys, run.stderr)
            return aws, run

    def fails(self, *parts, config="", credentials="", flags=(), code=4, **variables):
        with Stub() as aws:
            variables = {"AWS_ENDPOINT_URL": aws.url, **variables}
            run = self.person(config, credentials).runs(*flags, **variables)
        self.assertEqual(run.returncode, code, run.stderr)
        for part in parts:
            self.assertIn(part, run.stderr)
        return run

    def script(self, name, text):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def sso(self, expires):
        """A session of `aws sso login`, as the AWS CLI keeps it."""
        cache = self.folder / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha1(b"corp").hexdigest()
        (cache / f"{name}.json").write_text(json.dumps({"accessToken": "token", "expiresAt": stamp(expires), "region": "eu-central-1", "startUrl": "https://x.awsapps.com/start"}))


SSO = "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://x.awsapps.com/start\n"
BASE = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
ROLE = "role_arn = arn:aws:iam::123456789012:role/r\n"
MFA = f"[profile dev]\n{ROLE}source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n"


class Sources(Case):
    def test_keys_of_environment_and_files(self):
        self.signed_with(["AKIAENVIRONMENT"], denied, credentials="[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n", **KEYS)
        self.signed_with(["AKIABASE"], denied, credentials=BASE, AWS_PROFILE="base")
        self.signed_with(["AKIABASE"], denied, credentials=BASE, flags=("--profile", "base"), **KEYS)
        (self.folder / "other").write_text("[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = s\n")
        self.signed_with(["AKIAOTHER"], denied, AWS_SHARED_CREDENTIALS_FILE=str(self.folder / "other"))

    def test_a_role_by_source_profile_and_by_credential_source(self):
        config = f"[profile dev]\n{ROLE}source_profile = base\nexternal_id = x\n"
        aws, _ = self.signed_with(["AKIABASE", "ASIAROLE"], assumes("ASIAROLE"), config, BASE, ("--profile", "dev"))
        self.assertIn("ExternalId=x", aws.requests[0]["body"])
        config = f"[profile dev]\n{ROLE}credential_source = Environment\n"
        self.signed_with(["AKIAENVIRONMENT", "ASIAROLE"], assumes("ASIAROLE"), config, "", ("--profile", "dev"), **KEYS)

    def test_a_credential_process(self):
        given = json.dumps({"Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": stamp(HOUR)})
        path = self.script("give", f"echo '{given}'")
        self.signed_with(["ASIAPROCESS"], denied, f"[default]\ncredential_process = {path}\n")

    def test_a_session_of_iam_identity_center(self):
        def answer(request):
            if request["path"].startswith("/federation/credentials"):
                self.assertEqual(request["headers"]["x-amz-sso_bearer_token"], "token")
                role = {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": int((time.time() + 3600) * 1000)}
                return 200, {"Content-Type": "application/json"}, json.dumps({"roleCredentials": role}).encode()
            return denied(request)

        self.person(SSO)
        self.sso(HOUR)
        self.signed_with(["ASIASSO"], answer, SSO, "", ("--profile", "dev"))

    def test_a_web_identity(self):
        (self.folder / "token").write_text("a.web.token")
        web = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(self.folder / "token"), "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/w"}
        aws, _ = self.signed_with(["ASIAWEB"], assumes("ASIAWEB"), **web)
        self.assertIn("WebIdentityToken=a.web.token", aws.requests[0]["body"])
        config = f"[default]\n{ROLE}web_identity_token_file = {self.folder / 'token'}\n"
        self.signed_with(["ASIAWEB"], assumes("ASIAWEB"), config)

    def test_credentials_of_a_container(self):
        def answer(request):
            if request["path"] == "/creds":
                self.assertEqual(request["headers"]["Authorization"], "Bearer x")
                return 200, {"Content-Type": "application/json"}, json.dumps({"AccessKeyId": "ASIACONTAINER", "SecretAccessKey": "s", "Token": "t", "Expiration": stamp(HOUR)}).encode()
            return denied(request)

        with Stub(answer) as container:
            variables = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{container.url}/creds", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer x"}
            self.signed_with(["ASIACONTAINER"], answer, **variables)

    def test_a_metadata_service_that_is_named_is_asked(self):
        role = json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAINSTANCE", "SecretAccessKey": "s", "Token": "t", "Expiration": stamp(HOUR), "LastUpdated": stamp(-HOUR)})
        held = {"/latest/api/token": "token", "/latest/meta-data/iam/security-credentials/": "machine", "/latest/meta-data/iam/security-credentials/machine": role}

        def answer(request):
            text = held.get(request["path"])
            return (200, {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}, text.encode()) if text else (404, {}, b"")

        with Stub(answer) as metadata:
            variables = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
            self.signed_with(["ASIAINSTANCE"], denied, AWS_EC2_METADATA_DISABLED="false", **variables)
            metadata.requests.clear()
            self.fails("there are no AWS credentials", **variables)
            self.assertEqual(metadata.requests, [])

    def test_a_session_of_aws_login_is_read_through_the_aws_cli(self):
        given = json.dumps({"Version": 1, "AccessKeyId": "ASIALOGIN", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": stamp(HOUR)})
        self.script("aws", f'[ "$*" = "configure export-credentials --format process --profile dev" ] && echo \'{given}\'')
        path = f"{self.folder}:{os.environ['PATH']}"
        config = "[profile dev]\nlogin_session = arn:aws:iam::123456789012:user/me\n"
        self.signed_with(["ASIALOGIN"], denied, config, "", ("--profile", "dev"), PATH=path)
        config += f"[profile over]\n{ROLE}source_profile = dev\n"
        self.signed_with(["ASIALOGIN", "ASIAROLE"], assumes("ASIAROLE"), config, "", ("--profile", "over"), PATH=path)
        self.script("aws", "echo 'Your session has expired. Please reauthenticate using aws login' >&2; exit 255")
        self.fails("session of `aws login`", "has expired", "aws login --profile dev", config=config, flags=("--profile", "dev"), PATH=path)

    def test_a_code_of_an_mfa_device_is_asked_for_on_a_terminal(self):
        person = self.person(MFA, BASE)
        with Stub(assumes("ASIAMFA")) as aws:
            outside, inside = pty.openpty()
            environment = {"HOME": str(person.home), "PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": aws.url}
            command = [BINARY, "--profile", "dev", "status", "--db", "my-instance"]
            run = subprocess.Popen(command, env=environment, stdin=inside, stdout=subprocess.PIPE, stderr=inside, start_new_session=True)
            os.close(inside)
            shown = b""
            while b"Code of the MFA device" not in shown:
                self.assertTrue(select.select([outside], [], [], 30)[0], shown)
                shown += os.read(outside, 4096)
            os.write(outside, b"123456\n")
            run.communicate(timeout=60)
            os.close(outside)
            self.assertEqual(aws.keys(), ["AKIABASE", "ASIAMFA"])
            self.assertIn("TokenCode=123456", aws.requests[0]["body"])
            self.assertIn("SerialNumber=arn%3Aaws%3Aiam%3A%3A123456789012%3Amfa%2Fme", aws.requests[0]["body"])


class Causes(Case):
    def test_profiles_that_are_not_there(self):
        self.fails("no profile dev", ".aws/config", "aws configure list-profiles", flags=("--profile", "dev"))
        self.fails("no profile dev", AWS_PROFILE="dev")
        config = f"[profile dev]\n{ROLE}source_profile = gone\n"
        self.fails("source_profile = gone", "the profile dev", config=config, flags=("--profile", "dev"))
        config = f"[profile a]\n{ROLE}source_profile = b\n[profile b]\n{ROLE}source_profile = a\n"
        self.fails("a → b → a", config=config, flags=("--profile", "a"))
        self.fails("neither of source_profile and credential_source", config=f"[profile dev]\n{ROLE}", flags=("--profile", "dev"))

    def test_iam_identity_center(self):
        run = self.fails("the profile dev", "nobody is logged in", "aws sso login --profile dev", config=SSO, flags=("--profile", "dev"))
        self.assertNotIn("sandbox", run.stderr)
        self.sso(-HOUR)
        self.fails("it has expired", "aws sso login --profile dev", config=SSO, flags=("--profile", "dev"))
        self.fails("[sso-session corp]", config=SSO.split("[sso-session")[0], flags=("--profile", "dev"))

    def test_an_mfa_device_without_a_terminal(self):
        run = self.fails("needs a code of the MFA device", config=MFA, credentials=BASE, flags=("--profile", "dev"))
        self.assertIn('eval "$(aws configure export-credentials --profile dev --format env)"', run.stderr)

    def test_a_credential_process_that_is_missing_fails_or_prints_something_else(self):
        for text, words in ((None, "was not found"), ("echo no ticket >&2; exit 3", "no ticket"), ("echo hello", "printed something other than credentials")):
            path = self.script("give", text) if text else self.folder / "nothing"
            self.fails(words, "the profile dev", config=f"[profile dev]\ncredential_process = {path}\n", flags=("--profile", "dev"))

    def test_half_a_pair_of_keys(self):
        self.fails("the environment holds AWS_ACCESS_KEY_ID, but no AWS_SECRET_ACCESS_KEY", AWS_ACCESS_KEY_ID="AKIA")
        self.fails("aws_secret_access_key", "the profile base", credentials="[base]\naws_access_key_id = AKIA\n", flags=("--profile", "base"))

    def test_a_configuration_that_cannot_be_read(self):
        self.fails("AWS configuration cannot be read", config="[default\nregion = x\n")
        self.fails("AWS configuration cannot be read", AWS_CONFIG_FILE=str(self.folder))

    def test_a_role_that_may_not_be_assumed(self):
        config = f"[profile dev]\n{ROLE}source_profile = base\n"
        self.fails("assuming the role of the profile dev", "AccessDenied", "trust policy", config=config, credentials=BASE, flags=("--profile", "dev"))

    def test_nothing_at_all(self):
        self.fails("there are no AWS credentials", "--sandbox")
        self.fails("the profile dev", "holds none", config="[profile dev]\nregion = eu-west-1\n", AWS_PROFILE="dev")


if __name__ == "__main__":
    unittest.main()
