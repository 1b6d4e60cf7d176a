"""CloudWatch's part: what functions and pooler did is counted as it happens, and sent to the account's CloudWatch every few seconds.

The account is an emulator's, whose CloudWatch keeps what it is sent and answers the program from it. Nothing is sent that was not counted here:
of each function, its invocations, errors and durations, by the minute in which they began, as Lambda has it; log-ins, where they were made; and of
the pooler what its console and its log say. pgbouncer in transaction mode pins no session, so that count is 0.
"""

import collections
import contextlib
import datetime
import threading
import time

EVERY = 5
# What one call takes (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html, and API_MetricDatum.html).
DATA, VALUES = 1000, 150


class Meter:
    def __init__(self, cloudwatch, proxy, host, pooler, loads):
        self.cloudwatch, self.host, self.pooler, self.loads = cloudwatch, host, pooler, loads
        self.proxy = [{"Name": "ProxyName", "Value": proxy}]
        self.over, self.failed = threading.Event(), []
        self.read = dict.fromkeys(loads, 0)
        self.stood = self.counters()
        self.thread = threading.Thread(target=self.count)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def count(self):
        while not self.over.wait(EVERY):
            # A count that failed must show in the test, not in metrics that are missing.
            try:
                self.send()
            except Exception as error:  # noqa: BLE001
                self.failed.append(repr(error))

    def send(self):
        logins = collections.Counter()
        for name, load in self.loads.items():
            self.put("AWS/Lambda", self.of_function(name, load, logins))
        self.put("AWS/RDS", self.of_pooler(logins))

    def put(self, namespace, data):
        for first in range(0, len(data), DATA):
            self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[first:first + DATA])

    def of_function(self, name, load, logins):
        """What it did since the last time, a minute a part."""
        with load.lock:
            new = load.done[self.read[name]:]
            self.read[name] += len(new)
        offset, minutes = time.time() - time.monotonic(), collections.defaultdict(list)
        for began, ended, outcome, host in new:
            minute = (began + offset) // 60 * 60
            code, part, *_ = outcome.split()
            minutes[minute].append((code == "ok", round((ended - began) * 1000)))
            if host == self.host and part == "login":
                logins[minute, code == "ok"] += 1
        own, data = [{"Name": "FunctionName", "Value": name}], []
        for minute, invoked in minutes.items():
            at = {"Dimensions": own, "Timestamp": moment(minute)}
            data.append({"MetricName": "Invocations", "Value": len(invoked)} | at)
            data.append({"MetricName": "Errors", "Value": sum(not passed for passed, _ in invoked)} | at)
            # Nothing here limits how many environments there are.
            data.append({"MetricName": "Throttles", "Value": 0} | at)
            took = list(collections.Counter(span for _, span in invoked).items())
            for first in range(0, len(took), VALUES):
                values, counts = zip(*took[first:first + VALUES])
                data.append({"MetricName": "Duration", "Values": values, "Counts": counts, "Unit": "Milliseconds"} | at)
        return data

    def counters(self):
        """What the pooler has counted so far: transactions, microseconds of waiting for a connection, connections that it opened or could not open."""
        totals = self.pooler.shows("STATS_TOTALS")
        return {
            "transactions": sum(row["xact_count"] for row in totals),
            "waited": sum(row["wait_time"] for row in totals),
            "opened": self.pooler.logged("new connection to server"),
            "failed": self.pooler.logged("login failed", "connect failed"),
        }

    def of_pooler(self, logins):
        data, now = [], {"Dimensions": self.proxy, "Timestamp": moment(time.time() // 60 * 60)}
        for minute in {minute for minute, _ in logins}:
            at = {"Dimensions": self.proxy, "Timestamp": moment(minute)}
            good, bad = logins[minute, True], logins[minute, False]
            data.append({"MetricName": "ClientConnectionsReceived", "Value": good + bad} | at)
            data.append({"MetricName": "ClientConnectionsSetupSucceeded", "Value": good} | at)
            data.append({"MetricName": "ClientConnectionsSetupFailedAuth", "Value": bad} | at)
        stand = self.counters()
        since = {name: count - self.stood[name] for name, count in stand.items()}
        self.stood = stand
        data.append({"MetricName": "DatabaseConnectionsSetupSucceeded", "Value": since["opened"]} | now)
        data.append({"MetricName": "DatabaseConnectionsSetupFailed", "Value": since["failed"]} | now)
        if since["transactions"]:
            data.append({"MetricName": "DatabaseConnectionsBorrowLatency", "Value": since["waited"] / since["transactions"], "Unit": "Microseconds"} | now)
        states = ("sv_active", "sv_idle", "sv_used", "sv_tested", "sv_login")
        data.append({"MetricName": "DatabaseConnections", "Value": sum(row[state] for row in self.pooler.shows("POOLS") for state in states)} | now)
        data.append({"MetricName": "DatabaseConnectionsCurrentlySessionPinned", "Value": 0} | now)
        answers = False
        with contextlib.suppress(RuntimeError):
            self.pooler.answers()
            answers = True
        at = [*self.proxy, {"Name": "TargetGroup", "Value": "default"}, {"Name": "TargetRole", "Value": "READ_WRITE"}]
        data.append({"MetricName": "AvailabilityPercentage", "Value": 100 * answers} | now | {"Dimensions": at})
        return data


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
