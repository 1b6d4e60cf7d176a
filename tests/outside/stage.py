"""Between the kit of the first real run and an emulator: what the emulator does not have, a data plane above all.

A query's way follows from the account: from the variables that the function has at this moment, from the proxies that are there, and from network interfaces that
this stage creates as AWS does. So a function that was not moved does not pass for one that was, and `bypass` lets the functions do what they should not.
"""

import contextlib
import json
import re
import threading
import time
import types
import urllib.parse

import deviations
from account import client
from botocore.exceptions import ClientError
from lens import Exchange, Lens

INVOKED = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations(?:\?Qualifier=(.+))?$")
CREATING = 1.5
REFUSED = b"<ErrorResponse><Error><Type>Sender</Type><Code>OperationInProgressException</Code><Message>Not now</Message></Error><RequestId>0</RequestId></ErrorResponse>"


class Stage(Lens):
    """The lens with what is beyond the wire. `slow` holds each proxy in `creating` for a while."""

    def __init__(self, upstream, slow=CREATING, bypass=False):
        # What is refused, and how often.
        self.canaries, self.refused = set(), {}
        super().__init__(upstream, deviations.ministack_mended(types.SimpleNamespace(members=())))
        self.slow, self.bypass, self.proxies, self.lock = slow, bypass, {}, threading.Lock()
        self.rds, self.ec2, self.functions, self.cloudwatch, self.cloud, self.secrets = (
            client(name, upstream) for name in ("rds", "ec2", "lambda", "cloudwatch", "cloudformation", "secretsmanager")
        )
        self.deviations["a proxy is available at once"] = self.creating
        self.deviations["a list of all versions has only $LATEST"] = self.versions
        self.deviations["a function without provisioned concurrency has no list of it"] = self.provisioned

    def pass_on(self, method, target, headers, body):
        invoked = INVOKED.match(target)
        if invoked:
            name, qualifier = (urllib.parse.unquote(part) if part else None for part in invoked.groups())
            answer = self.called(name.rpartition(":function:")[2] or name, qualifier, json.loads(body or b"{}"))
            self.exchanges.append(Exchange(method, target, {key.lower(): held for key, held in headers.items()}, body, 200, json.dumps(answer).encode()))
            return 200, [("content-type", "application/json"), ("x-amz-executed-version", qualifier or "$LATEST")], json.dumps(answer).encode()
        form = dict(urllib.parse.parse_qsl(body.decode("latin-1"))) if b"Action=" in body[:2000] else {}
        if self.refused.get(form.get("Action"), 0) > 0:
            self.refused[form["Action"]] -= 1
            return 400, [("content-type", "text/xml")], REFUSED
        if form.get("Action") == "DeleteStack":
            self.leave(form["StackName"])
        if form.get("Action") == "CreateDBProxy":
            # Before anyone can see it.
            with self.lock:
                self.proxies.setdefault(form["DBProxyName"], [time.monotonic(), None, None])
        told = super().pass_on(method, target, headers, body)
        if target.endswith("/code") and told[0] == 200:
            self.placed(urllib.parse.unquote(target.split("/")[-2]))
        if form.get("Action") == "CreateDBProxy" and told[0] == 200:
            self.arrive(form)
        if form.get("Action") == "DeleteDBProxy" and told[0] == 200:
            self.depart(form["DBProxyName"])
        return told

    # Interfaces, as AWS has them.

    def placed(self, name):
        """The emulator's CloudFormation leaves a function's VpcConfig out. By now, the secrets are there."""
        for row in self.secrets.list_secrets()["SecretList"]:
            with contextlib.suppress(ClientError):  # another run's, and gone
                self.canaries.add(json.loads(self.secrets.get_secret_value(SecretId=row["Name"])["SecretString"])["password"])
        config = self.functions.get_function_configuration(FunctionName=name)
        stack = config["FunctionName"].rpartition("-")[0]
        if not config.get("VpcConfig", {}).get("VpcId"):
            made = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in self.cloud.list_stack_resources(StackName=stack)["StackResourceSummaries"]}
            network = {"SubnetIds": [made["SubnetA"], made["SubnetB"]], "SecurityGroupIds": [made["FunctionGroup"]]}
            self.functions.update_function_configuration(FunctionName=name, VpcConfig=network)
            self.seen["a function of a stack is in no VPC"] += 1

    def arrive(self, form):
        name, subnets = form["DBProxyName"], [held for key, held in form.items() if key.startswith("VpcSubnetIds.")]
        groups = [held for key, held in form.items() if key.startswith("VpcSecurityGroupIds.")]
        made = self.ec2.create_network_interface(SubnetId=subnets[0], Groups=groups, Description=f"Network interface for DBProxy {name}")["NetworkInterface"]
        with self.lock:
            held = self.proxies.get(name)
            if held:
                held[1] = made
        if not held:  # deleted meanwhile
            self.ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])

    def depart(self, name):
        with self.lock:
            held = self.proxies.pop(name, None)
        if held and held[1]:
            self.ec2.delete_network_interface(NetworkInterfaceId=held[1]["NetworkInterfaceId"])

    def seat(self, config):
        """The interface of a function's network, created with its first call."""
        network = config["VpcConfig"]
        wanted = f"AWS Lambda VPC ENI-{network['VpcId']}"
        with self.lock:
            for row in self.ec2.describe_network_interfaces()["NetworkInterfaces"]:
                if row.get("Description") == wanted:
                    return row
            return self.ec2.create_network_interface(SubnetId=network["SubnetIds"][0], Groups=network["SecurityGroupIds"], Description=wanted)["NetworkInterface"]

    def leave(self, stack):
        """Lambda gives its interfaces back with the functions."""
        with contextlib.suppress(ClientError):
            rows = self.cloud.list_stack_resources(StackName=stack)["StackResourceSummaries"]
            vpcs = [row["PhysicalResourceId"] for row in rows if row["ResourceType"] == "AWS::EC2::VPC"]
            for row in self.ec2.describe_network_interfaces()["NetworkInterfaces"]:
                if row.get("Description") in [f"AWS Lambda VPC ENI-{vpc}" for vpc in vpcs]:
                    self.ec2.delete_network_interface(NetworkInterfaceId=row["NetworkInterfaceId"])

    def creating(self, exchange):
        if exchange.service != "rds" or exchange.operation not in ("DescribeDBProxies", "CreateDBProxy"):
            return exchange.status, exchange.answer
        by_the_kit = exchange.headers.get("user-agent", "").startswith("Boto3/")

        def status(row):
            name = re.search(rb"<DBProxyName>([^<]+)<", row[0])[1].decode()
            with self.lock:
                waits, held = exchange.operation == "CreateDBProxy", self.proxies.get(name)
                if held and not waits:
                    # On a busy machine too, the kit sees it so once: then the time runs.
                    held[2] = held[2] or (by_the_kit and time.monotonic()) or None
                    waits = time.monotonic() - held[2] < self.slow if held[2] else time.monotonic() - held[0] < 30
            return row[0].replace(b"<Status>available</Status>", b"<Status>creating</Status>") if waits else row[0]

        row = rb"<DBProxy>(?:(?!</DBProxy>).)*</DBProxy>" if exchange.operation == "CreateDBProxy" else rb"<member>(?:(?!<member>).)*<DBProxyName>.*?<Status>[^<]*</Status>"
        return exchange.status, re.sub(row, status, exchange.answer, flags=re.DOTALL)

    def versions(self, exchange):
        if "FunctionVersion=ALL" not in exchange.target or exchange.status != 200:
            return exchange.status, exchange.answer
        told = json.loads(exchange.answer)
        known = {row["FunctionArn"] for row in told["Functions"]}
        for name in sorted({row["FunctionName"] for row in told["Functions"]}):
            try:
                rows = self.functions.list_versions_by_function(FunctionName=name)["Versions"]
            except ClientError:
                continue  # deleted by another run
            told["Functions"] += [row for row in rows if row["Version"] != "$LATEST" and row["FunctionArn"] not in known]
        return exchange.status, json.dumps(told).encode()

    def provisioned(self, exchange):
        absent = exchange.status == 404 and "/provisioned-concurrency?" in exchange.target
        return (200, b'{"ProvisionedConcurrencyConfigs": []}') if absent else (exchange.status, exchange.answer)

    # Functions, and where their queries go.

    def endpoints(self):
        return {row["Endpoint"].lower(): row for row in self.rds.describe_db_proxies()["DBProxies"]}

    def databases(self):
        return {row["Endpoint"]["Address"].lower(): row for row in self.rds.describe_db_instances()["DBInstances"]}

    def called(self, name, qualifier, event):
        if name.startswith("rdsproxy-setup-probe-"):
            return self.probed(event)
        if event.get("do") == "users":
            known = event["host"].lower() in self.databases()
            return {"ok": True, "users": {"token": "created", "app": "created"}} if known else self.unreachable(event["host"])
        config = self.functions.get_function_configuration(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
        variables = config["Environment"]["Variables"]
        url = urllib.parse.urlsplit(variables.get("DATABASE_URL", ""))
        host, port = url.hostname or variables["DB_HOST"], url.port or int(variables["DB_PORT"])
        engine = url.scheme or variables["ENGINE"]
        proxy, database = self.endpoints().get(host.lower()), self.databases().get(host.lower())
        if not proxy and not database:
            return self.unreachable(host)
        client_of = self.seat(config)
        if proxy and not self.bypass:
            with self.lock:
                client_of = self.proxies[proxy["DBProxyName"]][1]
            dimensions = [{"Name": "ProxyName", "Value": proxy["DBProxyName"]}]
            counted = [{"MetricName": key, "Value": 1, "Dimensions": dimensions} for key in ("ClientConnectionsReceived", "ClientConnectionsSetupSucceeded", "QueryRequests")]
            self.cloudwatch.put_metric_data(Namespace="AWS/RDS", MetricData=counted)
        own = "10.77.0.250"
        return {
            "ok": True, "engine": engine, "host": host, "port": port, "client": client_of["PrivateIpAddress"], "user": "app", "version": "of no server", "value": 42,
            "peer": "10.77.0.251" if proxy and not self.bypass else own, "server": own,
        }

    def probed(self, event):
        stages = [{"stage": stage, "ok": True, "ms": 1.0, "evidence": "of no server"} for stage in ("dns", "tcp", "tls", "login", "query")]
        if event.get("login") == "greeting":
            stages = stages[:3]
        if event["host"].lower() in self.endpoints():
            return {"schema": 1, "ok": True, "stages": stages}
        return {"schema": 1, "ok": False, "stages": [{"stage": "dns", "ok": False, "ms": 1.0, "evidence": "no such name", "fault": "name_not_found"}]}

    def unreachable(self, host):
        return {"ok": False, "error": "gaierror", "message": f"{host}: no such name"}
