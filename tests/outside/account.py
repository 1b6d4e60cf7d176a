"""The built program, and its simulated account served on a loopback port."""

import contextlib
import json
import os
import pathlib
import subprocess

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("RDSPROXY_TEST_BINARY", ROOT / "target" / "debug" / "rdsproxy-setup"))
REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
SERVICES = ("ec2", "rds", "iam", "sts", "lambda", "secretsmanager", "kms", "logs", "cloudwatch", "pricing", "service-quotas")


def environment():
    """This process's, without a profile or an endpoint that would lead a test to a real account, and as if no runner of GitHub read it."""
    kept = {key: held for key, held in os.environ.items() if not key.startswith(("AWS_", "RDSPROXY_", "GITHUB_"))}
    return {**kept, **KEYS, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def program(*arguments, timeout=240):
    """The program, run to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], env=environment(), capture_output=True, text=True, timeout=timeout, check=False)


def begun(url, *arguments):
    """The program, on its way against an endpoint."""
    command = [BINARY, "--endpoint-url", url, "--region", REGION, *map(str, arguments)]
    return subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def against(url, *arguments):
    """The program, run to its end against an endpoint."""
    return program("--endpoint-url", url, "--region", REGION, *arguments)


@contextlib.contextmanager
def ended(process):
    """A server of ours, ended with the block. Only this process is."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def served(folder, speed):
    """The newcomer's account, or the one that is in the folder, until the end of the block."""
    command = [BINARY, "--sandbox-file", world_file(folder), "--sandbox-speed", str(speed), "sandbox", "serve", "--port", "0"]
    server = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with ended(server), server.stdout:
        url = server.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"sandbox serve does not begin (exit code {server.wait()})")
        yield url


def world_file(folder):
    return pathlib.Path(folder) / "world.json"


def shown(folder):
    """The whole account."""
    run = program("--sandbox", "--sandbox-file", world_file(folder), "--output", "json", "sandbox", "show")
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout)


def client(service, url, **config):
    session = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    made = session.client(service, endpoint_url=url, config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, **config))
    return alone(made)


def alone(made):
    """A client with a connection for every call.

    A server closes a connection that nobody used for a while, and a request that is on its way by then is lost: clients try
    again, and these must not, since what is refused once must be seen.
    """
    made.meta.events.register("before-send.*", lambda request, **_: request.headers.__setitem__("Connection", "close"))
    return made
