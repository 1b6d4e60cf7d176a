"""Did a query go through the proxy? Judged by what the database saw, and not by what the function believes.

The database says from which address its session comes. EC2 says whose network interface has that address: RDS Proxy describes its own as
"Network interface for DBProxy NAME" and gives them the proxy's security groups, and a function's interface has the function's. So a function that went
past its variable, or a proxy that is not the one in question, does not pass. What cannot be read is unknown, and does not pass either.
"""

from dataclasses import dataclass

DESCRIBED = "Network interface for DBProxy "


@dataclass(frozen=True)
class Point:
    """One thing that was looked at."""

    what: str
    held: bool
    seen: str


def owner(interfaces, address):
    """The interface that has an address."""
    for row in interfaces:
        if address in (held["PrivateIpAddress"] for held in row.get("PrivateIpAddresses", [])) or address == row.get("PrivateIpAddress"):
            return row
    return None


def groups(row):
    return {group["GroupId"] for group in row.get("Groups", [])}


def answered(answer):
    """What holds for each query."""
    if not answer.get("ok"):
        return [Point("the query succeeded", False, f"{answer.get('error')}: {answer.get('message')}")]
    return [Point("the query succeeded", answer.get("value") == 42, f"40 + 2 is {answer.get('value')}")]


def placed(answer, interfaces, wanted, whose):
    """Whether the database saw its client at an interface with a group."""
    row = owner(interfaces, answer.get("client"))
    if row is None:
        return Point(f"the database saw {whose}", False, f"{answer.get('client')} is no interface of the VPC, so whose it is stays unknown")
    return Point(f"the database saw {whose}", wanted in groups(row), f"{answer['client']} is {row['NetworkInterfaceId']}, {row.get('Description') or 'without a description'}")


def through(answer, interfaces, endpoint, proxies, group):
    """A query that must have gone through the proxy, which is described by one of `proxies`: its name, and its id."""
    points = answered(answer)
    if not points[0].held:
        return points
    points.append(Point("the function was pointed at the proxy", answer["host"].lower() == endpoint.lower(), answer["host"]))
    points.append(placed(answer, interfaces, group, "the proxy's interface as its client"))
    row = owner(interfaces, answer.get("client"))
    if row and row.get("Description", "").startswith(DESCRIBED):
        points.append(Point("it is this proxy's", row["Description"].removeprefix(DESCRIBED) in proxies, row["Description"]))
    if answer["engine"] == "postgresql":
        points.append(Point("the function spoke to another address than the database's", answer["peer"] != answer["server"], f"{answer['peer']}, and {answer['server']}"))
    return points


def direct(answer, interfaces, endpoint, group):
    """A query that must have gone to the database itself."""
    points = answered(answer)
    if not points[0].held:
        return points
    points.append(Point("the function was pointed at the database", answer["host"].lower() == endpoint.lower(), answer["host"]))
    points.append(placed(answer, interfaces, group, "the function's interface as its client"))
    return points
