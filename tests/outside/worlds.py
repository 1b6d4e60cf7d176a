"""What an account is when the ids of what was made twice are left out; as `tests/it/shape.rs` tells it."""

import json

OURS = "rdsproxy-setup "


def shape(world):
    """The account without ids, and without idle versions of policies and of functions."""
    names = {group: f"group({row['name']})" for group, row in world["ec2"]["groups"].items()}
    for called, proxy in world["rds"]["proxies"].items():
        names |= {proxy["id"]: f"proxy({called})", proxy["target_group"]["id"]: f"pool({called})"}
    names |= {row["id"]: f"endpoint({called})" for called, row in world["rds"]["endpoints"].items()}
    for kind in ("roles", "policies"):
        names |= {row["id"]: f"{kind}({row['name']})" for row in world["iam"][kind].values()}
    text = json.dumps(world)
    for given, name in names.items():
        if given:
            text = text.replace(given, name)
    shown = json.loads(text)
    for group in shown["ec2"]["groups"].values():
        group["rules"] = by_content(group["rules"])
    for interface in shown["ec2"]["interfaces"].values():
        interface["address"] = None
    shown["ec2"]["interfaces"] = by_content(shown["ec2"]["interfaces"])
    for function in shown["lambda"]["functions"].values():
        by_mark(function)
    for policy in shown["iam"]["policies"].values():
        in_force = policy.pop("default")
        policy["document"] = next(version["document"] for version in policy.pop("versions") if version["number"] == in_force)
        # What a version holds is marked for speed alone.
        policy["tags"].pop("rdsproxy-setup:document", None)
    return shown


def by_content(rows):
    """A map by ids, as a sorted list."""
    return sorted(rows.values(), key=lambda row: json.dumps(row, sort_keys=True))


def by_mark(function):
    """Versions that we published are called by what they are described by, and idle ones left out."""
    pointed_at = {alias["version"] for alias in function["aliases"].values()}
    marked = {number: row["description"] for number, row in function["versions"].items() if (row.get("description") or "").startswith(OURS)}
    if not pointed_at & set(marked):
        return  # None is in use, so none may be there: it shows as it is.
    for number, mark in marked.items():
        version = function["versions"].pop(number)
        if number in pointed_at:
            function["versions"][mark] = version | {"version": mark}
        for alias in function["aliases"].values():
            if alias["version"] == number:
                alias["version"] = mark


def difference(have, want, place=""):
    """Where two accounts differ."""
    if isinstance(have, dict) and isinstance(want, dict):
        for name in sorted(have.keys() | want.keys()):
            yield from difference(have.get(name), want.get(name), f"{place}/{name}")
    elif isinstance(have, list) and isinstance(want, list):
        yield from (f"{place}: too much: {row}" for row in have if row not in want)
        yield from (f"{place}: missing: {row}" for row in want if row not in have)
        if len(have) != len(want):
            yield f"{place}: {len(have)} instead of {len(want)}"
    elif have != want:
        yield f"{place}: {have} instead of {want}"
