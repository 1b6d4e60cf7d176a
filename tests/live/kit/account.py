"""The account: who these credentials are, its clients, and how patiently it is asked."""

import re
import urllib.parse

import boto3
import botocore.config
import botocore.credentials
from botocore.exceptions import BotoCoreError, ClientError

from kit.stops import Missing, Refused

TAG = "rdsproxy-live"
# Where AWS itself answers. A variable or a profile may lead elsewhere, and that would be no real account.
HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
# What an emulator answers to an operation that it does not have.
UNKNOWN = {"NotImplemented", "NotImplementedError", "UnknownOperation", "UnknownOperationException", "InvalidAction", "InternalFailure", "InternalError", "404", "500", "501"}


class Account:
    """The clients of one Region, with credentials of the user's or of a role."""

    def __init__(self, region, profile=None, endpoint_url=None, credentials=None):
        self.region, self.profile, self.endpoint_url, self.credentials = region, profile, endpoint_url, credentials
        if endpoint_url and urllib.parse.urlsplit(endpoint_url).hostname not in ("localhost", "127.0.0.1", "::1"):
            raise Refused("--endpoint-url is for emulators on this machine")
        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), credentials)) if credentials else {}
        self.session = boto3.Session(region_name=region, profile_name=None if credentials else profile, **keys)
        self.clients = {}

    @property
    def emulated(self):
        return bool(self.endpoint_url)

    @property
    def pause(self):
        """Seconds between two looks at something that takes its time."""
        return 0.1 if self.emulated else 10

    def patience(self, seconds):
        """Seconds to wait for something: an emulator does it at once, or never."""
        return min(seconds, 20) if self.emulated else seconds

    def client(self, service):
        if service not in self.clients:
            config = botocore.config.Config(retries={"mode": "standard", "total_max_attempts": 2 if self.emulated else 6}, inject_host_prefix=not self.emulated)
            self.clients[service] = self.session.client(service, endpoint_url=self.endpoint_url, config=config)
            host = urllib.parse.urlsplit(self.clients[service].meta.endpoint_url).hostname
            if not self.emulated and not host.endswith(HOSTS):
                raise Refused(f"{service} is at {host}, which is not AWS: for an emulator, say --endpoint-url")
        return self.clients[service]

    def all(self, service, operation, key, **given):
        """All pages of a list."""
        client = self.client(service)
        if client.can_paginate(operation):
            return [row for page in client.get_paginator(operation).paginate(**given) for row in page.get(key, [])]
        return getattr(client, operation)(**given).get(key, [])

    @property
    def temporary(self):
        """Whether these are keys with an end that nothing here can renew."""
        found = self.session.get_credentials()
        return bool(found and found.token) and not isinstance(found, botocore.credentials.RefreshableCredentials)

    def guarded(self, expected):
        """The caller's identity, if it is in the account that the user named."""
        if not re.fullmatch(r"\d{12}", expected):
            raise Refused(f"--account takes the twelve digits of an account, not {expected!r}")
        try:
            caller = self.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise Refused(f"who these credentials are could not be read: {error}") from error
        if caller["Account"] != expected:
            raise Refused(f"these credentials are for account {caller['Account']}, and --account says {expected}")
        self.number, self.partition = expected, caller["Arn"].split(":")[1]
        return caller["Arn"]

    def assumed(self, role_arn, external_id):
        """The same Region as a role of the account."""
        made = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=TAG, ExternalId=external_id, DurationSeconds=3600)["Credentials"]
        return Account(self.region, endpoint_url=self.endpoint_url, credentials=(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]))

    def lacking(self, error):
        """Whether an error only says that an emulator does not know the operation."""
        if not self.emulated:
            return False
        if isinstance(error, ClientError):
            return str(error.response["Error"].get("Code")) in UNKNOWN
        return type(error).__name__ == "ResponseParserError"

    def asked(self, call, **given):
        """An operation's answer; Missing where an emulator lacks it."""
        try:
            return call(**given)
        except (BotoCoreError, ClientError) as error:
            if self.lacking(error):
                raise Missing(f"{call.__name__} is not known at {self.endpoint_url}") from error
            raise


def code(error):
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__


def tags(run):
    return [{"Key": TAG, "Value": run}]
