"""The whole life of a proxy before one database, row by row."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from kit import leftovers
from kit.account import code
from kit.clock import wait_until
from kit.functions import went_directly, went_through
from kit.stops import Failed, Missing


@dataclass
class Database:
    """A database of the stack, and how its functions log in."""

    key: str
    identifier: str
    host: str
    functions: list
    flags: list
    # Those of `--verify probe`.
    probing: list = field(default_factory=list)
    # Gives the credentials of a command: a session of a role that is assumed by a role lasts an hour, and a run longer.
    acting: Callable = lambda: None

    @property
    def proxy(self):
        return f"{self.identifier}-proxy"


class Cycle:
    """Every row of one database. A row that fails does not keep the next ones from showing something, unless they need it."""

    def __init__(self, stack, program, report, database):
        self.stack, self.program, self.report, self.database = stack, program, report, database
        self.rds = stack.account.client("rds")
        self.since = None

    def rows(self, key=None):
        key = key or self.database.key
        return [
            (f"{key}: the functions reach the database itself", self.directly),
            (f"{key}: doctor, before", self.doctor),
            (f"{key}: up --dry-run changes nothing", self.dry_run),
            (f"{key}: rehearse", self.rehearse),
            (f"{key}: up, killed while the proxy is being created", self.killed),
            (f"{key}: up --verify probe, resumed", self.resumed),
            (f"{key}: status", self.status),
            (f"{key}: nothing is left to change", self.settled),
            (f"{key}: the functions go through the proxy", self.through),
            (f"{key}: CloudWatch counts their connections at the proxy", self.counted),
            (f"{key}: teardown", self.teardown),
            (f"{key}: the functions reach the database itself again", self.directly),
            (f"{key}: nothing is left of the proxy", self.nothing_left),
        ]

    def named(self, key):
        """The names of all rows of a database, before there is one."""
        return [name for name, _ in self.rows(key)]

    def run(self):
        for name, work in self.rows():
            self.report.row(name, work)

    def tool(self, verb, *arguments):
        return self.program.run(f"{self.database.key}-{verb}", verb, *arguments, "--db", self.database.identifier, account=self.database.acting())

    def described(self):
        try:
            return self.rds.describe_db_proxies(DBProxyName=self.database.proxy)["DBProxies"][0]
        except ClientError as error:
            if code(error) == "DBProxyNotFoundFault":
                return None
            raise

    def directly(self):
        return went_directly(self.stack, self.database)

    def doctor(self):
        """What it finds is for the record. It takes no --database-auth, so it may miss a secret that nobody needs: then it ends with 4."""
        secret = [flag for flag in zip(self.database.flags, self.database.flags[1:]) if flag[0] == "--secret"]
        told = self.tool("doctor", *(secret[0] if secret else ())).exits(0, 3, 4).document
        return f"exit code {told['exit_code']}; findings: {', '.join(sorted(one['id'] for one in told['findings'])) or 'none'}"

    def dry_run(self):
        told = self.tool("up", *self.database.flags, "--dry-run").exits(0).document
        if self.described():
            raise Failed("there is a proxy after a dry run")
        moved = sorted({variable["function"] for step in told["plan"] for variable in step["variables"]})
        return f"{told['counts']['create']} to create, functions to move: {', '.join(moved)}"

    def rehearse(self):
        if not self.program.has("rehearse"):
            raise Missing(f"this program has no `rehearse`: {self.program.version}")
        told = self.tool("rehearse", *self.database.flags).exits(0).document
        return f"{len(told['changes'])} changes, {len(told['kills'])} runs killed and run again; as it was after teardown"

    def killed(self):
        """kill -9, as soon as RDS shows the proxy as `creating`."""
        seen = []

        def creating():
            row = self.described()
            if row:
                seen.append(row["Status"])
                return True
            time.sleep(min(self.stack.account.pause, 1))
            return False

        done = self.program.killed(
            f"{self.database.key}-up-killed", "up", *self.database.flags, "--yes", "--db", self.database.identifier, when=creating, account=self.database.acting()
        )
        if done is None:
            raise Failed(f"up ended by itself before it could be killed: {seen or 'no proxy was seen'}")
        if seen[-1] != "creating":
            raise Failed(f"killed, but the proxy was {seen[-1]} already")
        return "killed while the proxy was creating"

    def resumed(self):
        self.tool("up", *self.database.flags, "--verify", "probe", *self.database.probing, "--yes").exits(0)
        row = self.described()
        if not row or row["Status"] != "available":
            raise Failed(f"up succeeded, and the proxy is {row and row['Status']}")
        return f"{row['DBProxyName']} is available at {row['Endpoint']}"

    def status(self):
        told = self.tool("status", "--exit-code").exits(0).document
        if [one["in_place"] for one in told["stacks"]] != [True]:
            raise Failed("status does not show one stack in place")
        return "all steps in place"

    def settled(self):
        self.tool("up", *self.database.flags, "--dry-run", "--detailed-exitcode").exits(0)
        return "a second up would change nothing"

    def through(self):
        row = self.described()
        if not row:
            raise Failed("there is no proxy")
        self.since = datetime.now(UTC) - timedelta(minutes=1)
        return went_through(self.stack, self.database, row)

    def counted(self):
        """CloudWatch has a minute's values some minutes later; a second source beside what the database saw."""
        if self.since is None:
            raise Failed("no function was called through the proxy")
        watch = self.stack.account.client("cloudwatch")
        names = ("ClientConnectionsReceived", "ClientConnectionsSetupSucceeded", "QueryRequests")

        def values():
            asked = [
                {"Id": f"m{at}", "MetricStat": {"Metric": {"Namespace": "AWS/RDS", "MetricName": name, "Dimensions": [{"Name": "ProxyName", "Value": self.database.proxy}]}, "Period": 60, "Stat": "Sum"}}
                for at, name in enumerate(names)
            ]
            rows = self.stack.account.asked(watch.get_metric_data, MetricDataQueries=asked, StartTime=self.since, EndTime=datetime.now(UTC) + timedelta(minutes=1))["MetricDataResults"]
            found = {names[int(row["Id"][1:])]: sum(row["Values"]) for row in rows}
            return found if found.get("ClientConnectionsSetupSucceeded", 0) >= len(self.database.functions) else None

        found = wait_until(values, min(self.stack.account.pause * 3, 30), self.stack.account.patience(12 * 60))
        if not found:
            raise Failed("CloudWatch has no such connections after 12 minutes")
        return ", ".join(f"{name} {value:.0f}" for name, value in found.items())

    def teardown(self):
        self.tool("teardown", "--yes").exits(0)
        if self.described():
            raise Failed("teardown succeeded, and the proxy is still there")
        return "exit code 0"

    def nothing_left(self):
        found = leftovers.of_proxies(self.stack.account, self.database.identifier, self.stack.outputs["VpcId"])
        if found.rows or found.unknown:
            raise Failed(f"left: {', '.join(map(str, found.rows)) or 'nothing that could be listed'}{'; not listed: ' if found.unknown else ''}{'; '.join(found.unknown)}")
        return f"looked for {', '.join(found.looked)}"
