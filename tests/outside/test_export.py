"""What `export` writes, held to Terraform itself, to the AWS provider's schema and documentation, and to CloudFormation's schemas."""

import ast
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import hcl2
from account import REGION, against, client, environment, served
from emulators import moto
from held import Account
from provider import Provider, schema, serving, wheel

FAST = 3600
TOOLS = pathlib.Path(sys.executable).parent
TERRAFORM = shutil.which("terraform")
WHOLE = (
    "--create-secret", "--db-user", "app", "--generate-password", "--reader-endpoint", "always", "--log-retention", "30", "--tag", "team=shop/a=b",
    "--init-query", "SET a = '${b}', c = '%{d}', e = '$${f}'", "--max-connections-percent", "60", "--max-idle-connections-percent", "20",
)
# A stack each: the database, and how `up` is asked.
STACKS = {
    "instance": ("my-instance", ()),
    "cluster": ("my-cluster", ()),
    "whole": ("my-cluster", WHOLE),
    "end to end": ("my-instance", ("--database-auth", "iam", "--client-auth", "iam", "--enable-iam-auth")),
}
# Settings of a secret that AWS does not keep, and that no import can read.
STATE_ALONE = {"recovery_window_in_days", "force_overwrite_replica_secret"}


def plain(document):
    """A policy as moto's CloudFormation leaves it: JSON, or a dictionary as Python writes it."""
    return ast.literal_eval(document) if isinstance(document, str) and document.startswith("{'") else json.loads(document) if isinstance(document, str) else document


FOLDERS, URLS = {}, {}


def done(run):
    if run.returncode != 0:
        raise RuntimeError(run.stderr)


def exported(name, home, url):
    """A stack of the simulated account, exported in both forms."""
    database, options = STACKS[name]
    if name == "end to end":
        client("rds", url).modify_db_instance(DBInstanceIdentifier=database, EnableIAMDatabaseAuthentication=False, ApplyImmediately=True)
        time.sleep(1)
    done(against(url, "up", "--db", database, "--yes", *options))
    for to in ("terraform", "cloudformation"):
        done(against(url, "export", "--db", database, "--to", to, "--dir", home / to))


def setUpModule():
    folder = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory()))
    for number, name in enumerate(STACKS):
        FOLDERS[name] = folder / str(number)
        FOLDERS[name].mkdir()
        URLS[name] = unittest.enterModuleContext(served(FOLDERS[name], FAST))
    with concurrent.futures.ThreadPoolExecutor(len(STACKS)) as pool:
        list(pool.map(exported, STACKS, FOLDERS.values(), URLS.values()))


class Exported(unittest.TestCase):
    """What was exported."""

    maxDiff = None

    def each(self, to):
        """The stacks and the folders of their files."""
        return [(name, folder / to) for name, folder in FOLDERS.items()]

    @staticmethod
    def blocks(folder, kind):
        """The blocks of a kind, as another parser reads them: type, label, body."""
        for path in sorted(folder.glob("*.tf")):
            for block in hcl2.loads(path.read_text()).get(kind, []):
                for first, rest in block.items():
                    if first.startswith("__"):
                        continue
                    for second, body in rest.items():
                        yield first.strip('"'), second.strip('"'), body


class Configuration(Exported):
    """The Terraform configuration."""

    def test_every_argument_is_one_of_the_provider(self):
        meta = {"depends_on", "lifecycle", "provider", "count", "for_each"}
        seen = set()

        def hold(place, found, body):
            for name, value in body.items():
                if name in meta or name.startswith("__"):
                    continue
                if name in found.blocks:
                    for one in value:
                        hold(f"{place}.{name}", found.blocks[name][1], one)
                else:
                    self.assertIn(name, found.attributes, place)

        for _, folder in self.each("terraform"):
            for head, kind in (("", "resource"), ("data.", "data")):
                for type_name, label, body in self.blocks(folder, kind):
                    found = schema(head + type_name)
                    hold(f"{type_name}.{label}", found, body)
                    self.assertLessEqual(found.required - {"id"}, set(body), f"{type_name}.{label}")
                    seen.add(type_name)
        self.assertEqual(15, len(seen), seen)

    def test_import_ids_have_the_form_that_the_documentation_states(self):
        """The documentation as another project renders it, whose examples of IDs are the provider's own."""
        pages = wheel("pulumi_aws")
        modules = {
            "aws_db_proxy": "rds/proxy", "aws_db_proxy_default_target_group": "rds/proxy_default_target_group", "aws_db_proxy_target": "rds/proxy_target",
            "aws_db_proxy_endpoint": "rds/proxy_endpoint", "aws_iam_role": "iam/role", "aws_iam_role_policy": "iam/role_policy", "aws_iam_policy": "iam/policy",
            "aws_iam_role_policy_attachment": "iam/role_policy_attachment", "aws_security_group": "ec2/security_group",
            "aws_vpc_security_group_ingress_rule": "vpc/security_group_ingress_rule", "aws_vpc_security_group_egress_rule": "vpc/security_group_egress_rule",
            "aws_secretsmanager_secret": "secretsmanager/secret", "aws_cloudwatch_log_group": "cloudwatch/log_group",
        }

        def form(identifier):
            """An ID without its words: what separates them, and the kind of each."""
            if identifier.startswith("arn:"):
                return "arn"
            if "/arn:" in identifier:
                return "word/arn"
            words = identifier.removeprefix("/aws/rds/proxy/").split("/")
            kinds = [word if word in ("default", "RDS_INSTANCE", "TRACKED_CLUSTER") else re.sub(r"^(sgr?-).*", r"\1", word) if re.match("sgr?-", word) else re.sub("[^:]+", "word", word) for word in words]
            return "/".join(kinds)

        stated = {}
        for type_name, module in modules.items():
            text = pages.read(f"pulumi_aws/{module}.py").decode()
            stated[type_name] = {form(found) for found in re.findall(r"\$ pulumi import aws:\S+ \S+ (\S+)", text)}
            self.assertTrue(stated[type_name], type_name)
        seen = set()
        for _, folder in self.each("terraform"):
            for to, identifier in re.findall(r'to = (\w+)\.\w+\n  id = "(.*)"', (folder / "imports.tf").read_text()):
                self.assertIn(form(identifier), stated[to], f"{to}: {identifier}")
                seen.add(to)
        self.assertEqual(set(modules), seen)

    @unittest.skipUnless(TERRAFORM, "terraform is not on this machine, and no registry reached from here has it")
    def test_terraform_formats_nothing_and_plans_an_import_that_changes_nothing(self):
        kinds = {"": set(), "data.": set()}
        for _, folder in self.each("terraform"):
            kinds[""] |= {type_name for type_name, _, _ in self.blocks(folder, "resource")}
            kinds["data."] |= {f"data.{type_name}" for type_name, _, _ in self.blocks(folder, "data")}
        for name, folder in self.each("terraform"):
            provider = Provider(Account(URLS[name]), kinds[""], kinds["data."])
            with serving(provider) as reattached:
                variables = {**environment(), "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", **reattached}

                def terraform(*arguments):
                    run = subprocess.run([TERRAFORM, f"-chdir={folder}", *arguments], env=variables, capture_output=True, text=True, timeout=240, check=False)
                    self.assertEqual(0, run.returncode, f"{arguments}: {run.stdout}{run.stderr}")
                    return run.stdout

                terraform("fmt", "-check", "-diff")
                terraform("init", "-no-color")
                terraform("validate", "-no-color")
                terraform("plan", "-no-color", "-out", "plan")
                plan = json.loads(terraform("show", "-json", "plan"))
                imported = (folder / "imports.tf").read_text().count("import {")
                changes = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
                self.assertEqual(imported, len(changes))
                for change in changes:
                    before, after = change["change"]["before"], change["change"]["after"]
                    differs = {key for key in after if before.get(key) != after[key]}
                    allowed = STATE_ALONE if change["type"] == "aws_secretsmanager_secret" else set()
                    self.assertIn("importing", change["change"], change["address"])
                    self.assertLessEqual(differs, allowed, f"{change['address']}: {[(before.get(key), after[key]) for key in differs]}")
                    self.assertIn(change["change"]["actions"], (["no-op"], ["update"]) if allowed else (["no-op"],), change["address"])
                terraform("apply", "-no-color", "plan")
                (folder / "imports.tf").unlink()
                self.assertIn("No changes.", terraform("plan", "-no-color"))
                # The mark of the hand-over is no difference, whenever it comes.
                database = STACKS[name][0]
                done(against(URLS[name], "export", "--db", database, "--hand-over", "--yes"))
                self.assertIn("No changes.", terraform("plan", "-no-color"))
                self.assertGreater(len(provider.read), imported)
                # And the judge itself: a value that differs, and an argument that no resource has.
                file = folder / "proxy.tf"
                held = file.read_text()
                file.write_text(re.sub(r"debug_logging( +)= \w+", r"debug_logging\1= true", held))
                self.assertIn("0 to add, 1 to change, 0 to destroy", terraform("plan", "-no-color"))
                file.write_text(held.replace("debug_logging", "debug_login"))
                with self.assertRaisesRegex(AssertionError, "debug_login"):
                    terraform("validate", "-no-color")
                file.write_text(held)


class Templates(Exported):
    """The CloudFormation templates."""

    def test_cfn_lint_finds_nothing(self):
        for _, folder in self.each("cloudformation"):
            templates = [folder / name for name in ("template.json", "pool.json", "stackset.json")]
            run = subprocess.run([TOOLS / "cfn-lint", "--regions", REGION, "--", *templates], capture_output=True, text=True, check=False)
            self.assertEqual((0, ""), (run.returncode, run.stdout + run.stderr))

    def test_each_resource_is_identified_by_the_primary_identifier_of_its_type(self):
        from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

        for _, folder in self.each("cloudformation"):
            for row in json.loads((folder / "resources-to-import.json").read_text()):
                found = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, row["ResourceType"]).schema
                self.assertEqual([f"/properties/{key}" for key in row["ResourceIdentifier"]], found["primaryIdentifier"], row)

    def test_the_values_of_the_template_are_those_of_the_account(self):
        for name, folder in self.each("cloudformation"):
            account = Account(URLS[name])
            resources = json.loads((folder / "template.json").read_text())["Resources"]
            proxy = resources["Proxy"]["Properties"]
            row = account.rds.describe_db_proxies(DBProxyName=proxy["DBProxyName"])["DBProxies"][0]
            names = ("EngineFamily", "RoleArn", "VpcSubnetIds", "VpcSecurityGroupIds", "RequireTLS", "DebugLogging", "IdleClientTimeout")
            self.assertEqual({key: row[key] for key in names}, {key: proxy[key] for key in names})
            for resource in resources.values():
                held = resource["Properties"]
                if resource["Type"] == "AWS::IAM::Role":
                    found = account.iam.get_role(RoleName=held["RoleName"])["Role"]
                    self.assertEqual((found["AssumeRolePolicyDocument"], found["Path"]), (held["AssumeRolePolicyDocument"], held["Path"]))
                    for policy in held["Policies"]:
                        there = account.iam.get_role_policy(RoleName=held["RoleName"], PolicyName=policy["PolicyName"])
                        self.assertEqual(there["PolicyDocument"], policy["PolicyDocument"])

    def test_an_emulator_deploys_what_it_knows_of_the_template_for_elsewhere(self):
        """moto's CloudFormation has no type of RDS Proxy: what is around the proxy is deployed, and the proxy's ARN is given."""
        arn = f"arn:aws:rds:{REGION}:123456789012:db-proxy:prx-0123456789abcdef0"

        def given(value):
            if value == {"Fn::GetAtt": ["Proxy", "DBProxyArn"]}:
                return arn
            if isinstance(value, dict):
                return {key: given(held) for key, held in value.items()}
            return [given(held) for held in value] if isinstance(value, list) else value

        with tempfile.TemporaryDirectory() as folder, moto(folder) as url:
            cloud, ec2, iam = (client(service, url) for service in ("cloudformation", "ec2", "iam"))
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24")["Subnet"]["SubnetId"] for at in range(2)]
            database, functions = (ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("database", "functions"))
            iam.create_role(RoleName="caller", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
            for name, folder_of in self.each("cloudformation"):
                template = json.loads((folder_of / "stackset.json").read_text())
                kept = {key: row for key, row in template["Resources"].items() if not row["Type"].startswith("AWS::RDS::")}
                template = given({**template, "Resources": kept, "Outputs": {"Group": {"Value": {"Fn::GetAtt": ["ProxyGroup", "GroupId"]}}}})
                values = {"ProxyName": "shop", "VpcId": vpc, "SubnetIds": ",".join(subnets), "DatabaseSecurityGroupId": database, "FunctionSecurityGroupId": functions}
                for parameter in template["Parameters"]:
                    if parameter.startswith("SecretArn"):
                        values[parameter] = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{parameter}-AbCdEf"
                values |= {"FunctionRoleNames": "caller"} if "FunctionRoleNames" in template["Parameters"] else {}
                values |= {"KmsKeyArns": f"arn:aws:kms:{REGION}:123456789012:key/1"} if "KmsKeyArns" in template["Parameters"] else {}
                values |= {"DatabaseResourceId": "db-ABC"} if "DatabaseResourceId" in template["Parameters"] else {}
                stack = f"shop-{name.replace(' ', '-')}"
                parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
                cloud.create_stack(StackName=stack, TemplateBody=json.dumps(template), Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
                self.assertEqual("CREATE_COMPLETE", cloud.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
                made = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in cloud.list_stack_resources(StackName=stack)["StackResourceSummaries"]}
                self.assertEqual(set(kept), set(made))
                group = cloud.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
                port = template["Parameters"]["DatabasePort"]["Default"]
                rows = [row for row in ec2.describe_security_group_rules()["SecurityGroupRules"] if group in (row["GroupId"], row.get("ReferencedGroupInfo", {}).get("GroupId"))]
                held = {(row["GroupId"], row["IsEgress"], row.get("ReferencedGroupInfo", {}).get("GroupId"), row["FromPort"]) for row in rows}
                listens = {"MYSQL": 3306, "POSTGRESQL": 5432}[json.loads((folder_of / "stackset.json").read_text())["Resources"]["Proxy"]["Properties"]["EngineFamily"]]
                self.assertLessEqual({(database, False, group, port), (group, False, functions, listens), (group, True, None, -1)}, held)
                role = made["ProxyRole"]
                document = iam.get_role_policy(RoleName=role, PolicyName="log-in")["PolicyDocument"]
                statements = plain(document)["Statement"]
                allowed = {statement["Action"]: statement["Resource"] for statement in statements}
                secrets = [value for key, value in values.items() if key.startswith("SecretArn")]
                self.assertEqual(secrets, allowed.get("secretsmanager:GetSecretValue", []))
                if "ConnectPolicy" in made:
                    policy = iam.get_policy(PolicyArn=made["ConnectPolicy"])["Policy"]
                    document = iam.get_policy_version(PolicyArn=made["ConnectPolicy"], VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
                    document = plain(document)
                    for resource in document["Statement"][0]["Resource"]:
                        self.assertRegex(resource, rf"^arn:aws:rds-db:{REGION}:123456789012:dbuser:prx-0123456789abcdef0/\w+$")
                    self.assertIn(made["ConnectPolicy"], [row["PolicyArn"] for row in iam.list_attached_role_policies(RoleName="caller")["AttachedPolicies"]])


if __name__ == "__main__":
    unittest.main()
