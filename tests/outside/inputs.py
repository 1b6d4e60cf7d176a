"""Holds raw requests to botocore's service models: what they ask for, and what of it no model knows."""

import base64
import json
import re
import urllib.parse

import cbor2
from shapes import Findings, bounds, from_json, plain, required, value, wire_name


def request(service, method, target, headers, body):
    """The operation that a raw request asks for, and what its input has that the model has not."""
    findings, protocol = Findings(), service.metadata["protocol"]
    headers = {key.lower(): held for key, held in headers.items()}
    if protocol == "smithy-rpc-v2-cbor" and "x-amz-target" in headers:  # boto3 prefers JSON
        protocol = "json"
    if protocol in ("query", "ec2"):
        pairs = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        name = pairs.pop("Action")
        if pairs.pop("Version", None) != service.api_version:
            findings.add(name, "another version of the interface")
        operation = service.operation_model(name)
        rest = set(pairs)
        if operation.input_shape is not None:
            from_pairs(findings, protocol, operation.input_shape, pairs, "", name, rest)
        for key in sorted(rest):
            findings.add(f"{name}.{key}", "unknown member")
        return name, list(findings)
    if protocol == "smithy-rpc-v2-cbor":
        prefix, name = re.fullmatch("/service/([^/]+)/operation/([^/]+)", target).groups()
        if prefix != service.metadata["targetPrefix"]:
            findings.add(name, f"another service: {prefix}")
        operation = service.operation_model(name)
        given = plain(findings, operation.input_shape, cbor2.loads(body), name)
    elif protocol == "json":
        prefix, name = headers["x-amz-target"].split(".")
        if prefix != service.metadata["targetPrefix"]:
            findings.add(name, f"another target: {prefix}")
        given = json.loads(body or b"{}")
        operation = service.operation_model(name)
    else:
        operation, given = rest_request(findings, service, method, target, body)
        name = operation.name
    if operation.input_shape is not None:
        from_json(findings, Renamed(operation.input_shape), given, name, True)
    return name, list(findings)


class Renamed:
    """An input's shape with the members' own names, whatever part of the request carried them."""

    type_name, metadata = "structure", {}

    def __init__(self, shape):
        self.required_members = shape.required_members
        self.members = {name: Plain(member) for name, member in shape.members.items()}


class Plain:
    def __init__(self, shape):
        self.shape, self.serialization = shape, {}

    def __getattr__(self, name):
        return getattr(self.shape, name)


def rest_request(findings, service, method, target, body):
    path, _, query = target.partition("?")
    given = urllib.parse.parse_qsl(query, keep_blank_values=True)
    best = None
    for name in service.operation_names:
        operation = service.operation_model(name)
        if operation.http["method"] != method:
            continue
        template, _, wanted = operation.http["requestUri"].partition("?")
        pattern = "".join(
            f"(?P<{part[1:-1].rstrip('+')}>.+?)" if part.startswith("{") and part.endswith("+}") else f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", template.rstrip("/"))
        )
        fits = re.fullmatch(pattern, path.rstrip("/"))
        fixed = urllib.parse.parse_qsl(wanted, keep_blank_values=True)
        if fits and all(pair in given for pair in fixed) and (best is None or len(fixed) > best[2]):
            best = (operation, fits.groupdict(), len(fixed), fixed)
    if best is None:
        raise AssertionError(f"{method} {target} is no operation of {service.service_name}")
    operation, labels, _, fixed = best
    members = operation.input_shape.members if operation.input_shape is not None else {}
    at = {(member.serialization.get("location"), wire_name(name, member)): name for name, member in members.items()}
    asked = {at["uri", label]: urllib.parse.unquote(text) for label, text in labels.items()}
    for key, text in given:
        if (key, text) in fixed:
            continue
        name = at.get(("querystring", key))
        if name is None:
            findings.add(f"{operation.name}?{key}", "unknown member")
        elif members[name].type_name == "list":
            asked.setdefault(name, []).append(text)
        else:
            asked[name] = text
    payload = operation.input_shape.serialization.get("payload") if operation.input_shape is not None else None
    if payload:
        # The whole body is one member's, and what it holds is nobody's affair here.
        asked[payload], body = base64.b64encode(body).decode(), b""
    for key, held in json.loads(body or b"{}").items():
        name = at.get((None, key))
        if name is None:
            findings.add(f"{operation.name}.{key}", "unknown member")
        else:
            asked[name] = held
    return operation, asked


def query_name(protocol, name, shape):
    if protocol != "ec2":
        return wire_name(name, shape)
    own = shape.serialization.get("queryName")
    if own:
        return own
    given = wire_name(name, shape)
    return given[0].upper() + given[1:]


def indexed(pairs, prefix):
    found = {int(key[len(prefix):].split(".")[0]) for key in pairs if key.startswith(prefix) and key[len(prefix):].split(".")[0].isdigit()}
    return sorted(found)


def from_pairs(findings, protocol, shape, pairs, prefix, path, rest):
    """The form of the Query protocols: `Tags.member.1.Key=…`. What is read is taken out of `rest`."""
    kind = shape.type_name
    if kind == "structure":
        seen = set()
        for name, member in shape.members.items():
            key = f"{prefix}.{query_name(protocol, name, member)}".lstrip(".")
            if key in pairs or any(other.startswith(f"{key}.") for other in pairs):
                seen.add(name)
                from_pairs(findings, protocol, member, pairs, key, f"{path}.{name}", rest)
        required(findings, shape, seen, path)
    elif kind == "list":
        if prefix in pairs and pairs[prefix] == "":  # an empty list
            rest.discard(prefix)
        inner = prefix
        if protocol == "query" and not shape.serialization.get("flattened"):
            inner = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        places = indexed(pairs, f"{inner}.")
        if places != list(range(1, len(places) + 1)):
            findings.add(path, f"numbered {places}")
        bounds(findings, shape, len(places), path, True)
        for at in places:
            from_pairs(findings, protocol, shape.member, pairs, f"{inner}.{at}", f"{path}[{at}]", rest)
    elif kind == "map":
        findings.add(path, "maps in the Query protocol are not read here")
    elif prefix in pairs:
        rest.discard(prefix)
        value(findings, shape, pairs[prefix], path, True)
    else:
        findings.add(path, f"members within a {kind}")
