"""What the tests of `rehearse` share: what a request may be, and what an account holds besides what was asked of it."""

import dataclasses
import functools
import json

from account import KEYS, REGION, program
from reference import Action
from worlds import difference

READ = ("Read", "List")
# Operations whose permissions are called otherwise.
ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction", "tagging:GetResources": "tag:GetResources"}
PREFIXES = {"monitoring": "cloudwatch"}
# What the simulated account counts of requests, and the time.
COUNTED = ("/at", "/world/counter", "/world/log", "/world/now")
DENIED = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"


def action(exchange):
    """The permission that a request needs."""
    return ACTIONS.get(str(exchange), f"{PREFIXES.get(exchange.service, exchange.service)}:{exchange.operation}")


@functools.cache
def level(name):
    """The access level of an action, by the reference."""
    found = Action(name)
    return found.row["access_level"] if found.exists else "no such action"


def no_reads(exchanges):
    """Requests that do more than look, by botocore's models, by the reference and by their names."""
    for exchange in exchanges:
        yield from exchange.findings
        if exchange.changes or level(action(exchange)) not in READ:
            yield f"{exchange} is {level(action(exchange))}"


def policy(*arguments):
    """The documents that `permissions` prints."""
    run = program("--region", REGION, "--output", "json", "permissions", *arguments)
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout)["documents"]


def actions(documents):
    return {name for document in documents for statement in document["Statement"] for name in statement["Action"]}


def held(file):
    """The simulated account in a file, as it was written."""
    return json.loads(file.read_text("utf-8"))


def changed(file, before):
    """Where the file's account is another one than before, whatever was asked of it."""
    return [place for place in difference(held(file), before) if not place.startswith(tuple(f"{counted}:" for counted in COUNTED))]


def limited(world, documents):
    """Lets the tests' caller do no more than these policies say."""
    principal = {"arn": f"arn:aws:iam::{world['world']['account']}:user/rehearser", "policies": documents}
    world["world"]["principals"] = {KEYS["AWS_ACCESS_KEY_ID"]: principal}
    return world


@dataclasses.dataclass
class Refusing:
    """A mend for the lens that refuses everything after so many requests."""

    allowed: int
    seen: int = 0

    def __call__(self, exchange):
        self.seen += 1
        return (exchange.status, exchange.answer) if self.seen <= self.allowed else (403, DENIED)
