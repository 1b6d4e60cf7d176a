"""The CloudFormation stack: created, filled with code, published, deleted."""

import re
from pathlib import Path

from botocore.exceptions import ClientError

from kit.account import tags
from kit.clock import wait_until
from kit.stops import Failed

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
FUNCTIONS = ("token", "alias", "password", "url", "setup")
# Zones that RDS Proxy is not in (docs/aws-facts.md).
WITHOUT_PROXY = {"use1-az3", "usw1-az2"}
# The parameter of the template, and the engine and family whose newest version it takes.
VERSIONS = {"PostgresVersion": ("postgres", "postgres16"), "FormerMysqlVersion": ("mysql", "mysql8.0"), "MariaDbVersion": ("mariadb", "mariadb10.11")}
CREATION = 60 * 60
DELETION = 75 * 60


class Stack:
    """A stack by its name."""

    def __init__(self, account, prefix, run):
        self.account, self.name, self.run = account, prefix, run
        self.cloud, self.functions = account.client("cloudformation"), account.client("lambda")
        self.parameters = {}

    def zones(self):
        rows = self.account.client("ec2").describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])["AvailabilityZones"]
        names = [row["ZoneName"] for row in rows if row.get("ZoneType", "availability-zone") == "availability-zone" and row.get("ZoneId") not in WITHOUT_PROXY]
        if len(names) < 2:
            raise Failed(f"there are not two zones with RDS Proxy, but {names}")
        return names[:2]

    def version(self, engine, family):
        """The newest minor version that RDS offers of a family, by its whole name."""
        rows = self.account.all("rds", "describe_db_engine_versions", "DBEngineVersions", Engine=engine, DBParameterGroupFamily=family)
        found = [row["EngineVersion"] for row in rows if row.get("DBParameterGroupFamily") == family and row.get("Status", "available") == "available"]
        # Versions of Extended Support have a date behind them.
        plain = [name for name in found if re.fullmatch(r"\d+(\.\d+)+", name)]
        if plain:
            return max(plain, key=lambda name: [int(part) for part in name.split(".")])
        if found:
            return max(found)
        if self.account.emulated:
            return family.removeprefix(engine)
        raise Failed(f"RDS offers no version of {family} in {self.account.region}")

    def create(self, mysql, **parameters):
        first, second = self.zones()
        self.parameters = {"ZoneA": first, "ZoneB": second, **parameters}
        for name, (engine, family) in {**VERSIONS, "MysqlVersion": ("mysql", f"mysql{mysql}")}.items():
            self.parameters[name] = self.version(engine, family)
        self.cloud.create_stack(
            StackName=self.name, TemplateBody=TEMPLATE.read_text(), Parameters=self.rows(), Capabilities=["CAPABILITY_IAM"], Tags=tags(self.run), OnFailure="DO_NOTHING",
        )
        self.settled("CREATE_COMPLETE", CREATION)
        self.outputs = {row["OutputKey"]: row["OutputValue"] for row in self.look()["Outputs"]}
        return f"{self.name}, MySQL {self.parameters['MysqlVersion']}, PostgreSQL {self.parameters['PostgresVersion']}"

    def rows(self):
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]

    def look(self):
        return self.cloud.describe_stacks(StackName=self.name)["Stacks"][0]

    def settled(self, wanted, limit):
        def status():
            found = self.look()["StackStatus"]
            return None if found.endswith("_IN_PROGRESS") else found

        found = wait_until(status, self.account.pause, self.account.patience(limit))
        if found != wanted:
            events = self.cloud.describe_stack_events(StackName=self.name)["StackEvents"]
            why = [f"{row['LogicalResourceId']}: {row.get('ResourceStatusReason')}" for row in events if row["ResourceStatus"].endswith("_FAILED")]
            raise Failed(f"the stack is {found or 'not ready in time'}: {'; '.join(why[-3:]) or 'no event says why'}")

    def upload(self, content):
        """The code of each function. Nothing of the answers is kept: they hold the functions' variables."""
        for name in FUNCTIONS:
            self.functions.update_function_code(FunctionName=self.function(name), ZipFile=content)
        for name in FUNCTIONS:
            self.ready(name)
        return f"{len(content) // 1024} KiB to {len(FUNCTIONS)} functions"

    def ready(self, name):
        def done():
            found = self.functions.get_function(FunctionName=self.function(name))["Configuration"]
            return found.get("State", "Active") == "Active" and found.get("LastUpdateStatus", "Successful") == "Successful"

        if not wait_until(done, min(self.account.pause, 3), self.account.patience(600)):
            raise Failed(f"{self.function(name)} is not ready")

    def publish(self):
        """The version and its alias, with the code that has been uploaded."""
        self.parameters["Published"] = "yes"
        self.cloud.update_stack(StackName=self.name, UsePreviousTemplate=True, Parameters=self.rows(), Capabilities=["CAPABILITY_IAM"])
        self.settled("UPDATE_COMPLETE", CREATION)
        found = self.functions.get_alias(FunctionName=self.function("alias"), Name="live")
        return f"alias live of {self.function('alias')} calls version {found['FunctionVersion']}"

    def function(self, name):
        return f"{self.name}-{name}"

    def gone(self):
        try:
            return self.look()["StackStatus"] == "DELETE_COMPLETE"
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return True
            raise

    def delete(self):
        """Deletes it: None when it is gone, else its status and why."""
        if self.gone():
            return None

        def idle():
            status = self.look()["StackStatus"]
            return not (status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS"))

        # An update is waited for; a creation is not.
        wait_until(idle, self.account.pause, self.account.patience(30 * 60))
        self.cloud.delete_stack(StackName=self.name)

        def over():
            return "gone" if self.gone() else self.look()["StackStatus"].endswith("_FAILED") and "failed"

        if wait_until(over, self.account.pause, self.account.patience(DELETION)) == "gone":
            return None
        return f"{self.look()['StackStatus']}: {self.look().get('StackStatusReason', 'no reason given')}"
