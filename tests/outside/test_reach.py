"""The table in docs/permissions.md of what each printed policy can do, held to the policies."""

import fnmatch
import os
import pathlib
import unittest

from test_permissions import ACCOUNT, BOUND, NAMED, SPLIT, printed

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
BEGIN, END = "<!-- held by tests/outside/test_reach.py -->\n", "<!-- end of reach -->"
ADMINISTRATOR = [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}]
ROLE, OURS = "arn:aws:iam::123456789012:role/", "rdsproxy-setup/eu-central-1/my-instance-proxy/"
TAGGED = {"aws:RequestTag/rdsproxy-setup:stack": "my-instance-proxy"}
MARKED = {"aws:ResourceTag/rdsproxy-setup:stack": "my-instance-proxy"}
TO_EC2, TO_RDS = ({"iam:PassedToService": f"{service}.amazonaws.com"} for service in ("ec2", "rds"))
FOREIGN = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
OWN = {"iam:PolicyARN": f"arn:aws:iam::123456789012:policy/{OURS}connect"}


def here(service, resource):
    return f"arn:aws:{service}:eu-central-1:123456789012:{resource}"


# What an abuser wants: the action, its resource, and what the request or the resource carries.
WISHES = (
    ("create a role under our path with any trust, without a boundary", "iam:CreateRole", f"{ROLE}{OURS}x", TAGGED),
    ("create any other role", "iam:CreateRole", f"{ROLE}x", TAGGED),
    ("write any rights into our role, without a boundary", "iam:PutRolePolicy", f"{ROLE}{OURS}x", MARKED),
    ("write any rights into any other role", "iam:PutRolePolicy", f"{ROLE}x", MARKED),
    ("change our connect policy's document", "iam:CreatePolicyVersion", f"arn:aws:iam::123456789012:policy/{OURS}connect", MARKED),
    ("attach AdministratorAccess to a role", "iam:AttachRolePolicy", f"{ROLE}DBAppFunctionRole", FOREIGN),
    ("attach our connect policy to a named function's role", "iam:AttachRolePolicy", f"{ROLE}DBAppFunctionRole", OWN),
    ("attach our connect policy to any other role", "iam:AttachRolePolicy", f"{ROLE}x", OWN),
    ("pass any role to RDS", "iam:PassRole", f"{ROLE}x", TO_RDS),
    ("pass our role to EC2", "iam:PassRole", f"{ROLE}{OURS}x", TO_EC2),
    ("reset the master password of the database", "rds:ModifyDBInstance", here("rds", "db:my-instance"), {}),
    ("reset any other master password", "rds:ModifyDBInstance", here("rds", "db:other"), {}),
    ("read a secret's value", "secretsmanager:GetSecretValue", here("secretsmanager", "secret:app-a1B2c3"), {}),
    ("change a named function's variables", "lambda:UpdateFunctionConfiguration", here("lambda", "function:DBAppFunction"), {}),
    ("change any other function's variables", "lambda:UpdateFunctionConfiguration", here("lambda", "function:other"), {}),
    ("change a function's code", "lambda:UpdateFunctionCode", here("lambda", "function:DBAppFunction"), {}),
    ("invoke a function", "lambda:InvokeFunction", here("lambda", "function:DBAppFunction"), {}),
    ("delete a proxy that is not ours", "rds:DeleteDBProxy", here("rds", "db-proxy:prx-1"), {}),
    ("tag any proxy, and so make it ours", "rds:AddTagsToResource", here("rds", "db-proxy:prx-1"), TAGGED),
    ("open any security group", "ec2:AuthorizeSecurityGroupIngress", here("ec2", "security-group/sg-1"), {}),
    ("delete a security group that is not ours", "ec2:DeleteSecurityGroup", here("ec2", "security-group/sg-1"), {}),
)
OPERATORS = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")


def allows(documents, action, resource, carried):
    """Whether one of them allows it. A condition on what is not carried does not hold."""
    def holds(operator, keys):
        if operator not in OPERATORS:
            raise ValueError(operator)
        for key, wanted in keys.items():
            wanted = [wanted] if isinstance(wanted, str) else wanted
            if not any(fnmatch.fnmatchcase(carried.get(key, ""), one) and key in carried for one in wanted):
                return False
        return True

    return any(
        any(fnmatch.fnmatchcase(action, one) for one in statement["Action"])
        and any(fnmatch.fnmatchcase(resource, one) for one in statement["Resource"])
        and all(holds(operator, keys) for operator, keys in statement.get("Condition", {}).items())
        for document in documents
        for statement in document["Statement"]
    )


def table():
    columns = {
        "AdministratorAccess": ADMINISTRATOR,
        "nothing named": printed(*ACCOUNT, "--with", "enable-iam-auth,inspect-secret,probe"),
        "named": printed(*ACCOUNT, *NAMED),
        "named, boundary": printed(*ACCOUNT, *NAMED, *BOUND),
        "named, no IAM writes": printed(*ACCOUNT, *NAMED, *SPLIT),
    }
    lines = [f"| can it | {' | '.join(columns)} |", f"|{' --- |' * (len(columns) + 1)}"]
    for told, *wish in WISHES:
        cells = ("yes" if allows(documents, *wish) else "no" for documents in columns.values())
        lines.append(f"| {told} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


class Reach(unittest.TestCase):
    """What the page says."""

    maxDiff = None

    def test_the_table_is_what_the_policies_allow(self):
        before, rest = PAGE.read_text().split(BEGIN)
        held, after = rest.split(END)
        made = table()
        if os.environ.get("UPDATE_DOCS"):
            PAGE.write_text(f"{before}{BEGIN}{made}{END}{after}")
            return
        self.assertEqual(made, held)


if __name__ == "__main__":
    unittest.main()
