"""Holds raw answers to botocore's service models.

botocore drops members that it does not know and passes over those that are missing, so that "boto3 parsed it" proves
little. Here each is a finding: an unknown member, a missing required one, a list element under another name, a text
outside its enum, pattern or length, a number outside its range.
"""

import base64
import datetime
import json
import xml.etree.ElementTree as ElementTree

import cbor2
import regex
from botocore.utils import parse_timestamp

NUMBERS = ("integer", "long", "float", "double")


class Findings(list):
    """What departs from a model, each with its path."""

    def add(self, path, what):
        self.append(f"{path}: {what}")


def wire_name(name, shape):
    return shape.serialization.get("name", name)


def value(findings, shape, given, path, asked):
    """One scalar against its shape. `asked` holds for requests: AWS itself answers outside of its lengths and patterns."""
    kind = shape.type_name
    if kind == "boolean":
        if given not in (True, False, "true", "false"):
            findings.add(path, f"{given!r} is no boolean")
    elif kind in NUMBERS:
        try:
            number = float(given) if kind in ("float", "double") else int(given)
        except (TypeError, ValueError):
            findings.add(path, f"{given!r} is no {kind}")
            return
        bounds(findings, shape, number, path, asked)
    elif kind == "timestamp":
        try:
            parse_timestamp(given)
        except (TypeError, ValueError):
            findings.add(path, f"{given!r} is no moment")
    elif kind == "blob":
        try:
            base64.b64decode(given, validate=True)
        except (TypeError, ValueError):
            findings.add(path, "no base64")
    elif kind == "string":
        if not isinstance(given, str):
            findings.add(path, f"{given!r} is no text")
            return
        enum = shape.metadata.get("enum")
        if enum and given not in enum:
            findings.add(path, f"{given!r} is none of the enum")
        if asked:
            bounds(findings, shape, len(given), path, asked)
            pattern = shape.metadata.get("pattern")
            if pattern is not None and regex.fullmatch(pattern, given) is None:
                findings.add(path, f"{given!r} does not match {pattern}")
    else:
        findings.add(path, f"a scalar where the model has a {kind}")


def bounds(findings, shape, measure, path, asked):
    if not asked:
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and measure < least) or (most is not None and measure > most):
        findings.add(path, f"{measure} is not within {least} to {most}")


def required(findings, shape, given, path):
    for name in shape.required_members:
        if name not in given:
            findings.add(path, f"{name} is required and missing")


def from_json(findings, shape, given, path, asked):
    """A document of JSON. Null stands for a member that is absent."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(given, dict):
            findings.add(path, f"{given!r} is no structure")
            return
        known = {wire_name(name, member): (name, member) for name, member in shape.members.items()}
        required(findings, shape, {known[key][0] for key, held in given.items() if key in known and held is not None}, path)
        for key, held in given.items():
            if key not in known:
                findings.add(f"{path}.{key}", "unknown member")
            elif held is not None:
                from_json(findings, known[key][1], held, f"{path}.{key}", asked)
    elif kind == "list":
        if not isinstance(given, list):
            findings.add(path, f"{given!r} is no list")
            return
        bounds(findings, shape, len(given), path, asked)
        for at, held in enumerate(given):
            from_json(findings, shape.member, held, f"{path}[{at}]", asked)
    elif kind == "map":
        if not isinstance(given, dict):
            findings.add(path, f"{given!r} is no map")
            return
        for key, held in given.items():
            value(findings, shape.key, key, f"{path} key", asked)
            from_json(findings, shape.value, held, f"{path}[{key}]", asked)
    else:
        value(findings, shape, given, path, asked)


def plain(findings, shape, given, path):
    """A document of CBOR as one of JSON. Moments must be tagged and real numbers be floats: the Rust SDK takes nothing else."""
    kind = shape.type_name
    if kind == "structure" and isinstance(given, dict):
        return {key: plain(findings, shape.members[key], held, f"{path}.{key}") if key in shape.members else held for key, held in given.items()}
    if kind == "list" and isinstance(given, list):
        return [plain(findings, shape.member, held, f"{path}[{at}]") for at, held in enumerate(given)]
    if kind == "map" and isinstance(given, dict):
        return {key: plain(findings, shape.value, held, f"{path}[{key}]") for key, held in given.items()}
    if kind == "timestamp":
        if not isinstance(given, datetime.datetime):
            findings.add(path, f"{given!r} is not tagged as a moment")
            return given
        return given.timestamp()
    if kind in ("float", "double") and not isinstance(given, float):
        findings.add(path, f"{given!r} is no float")
    if kind in ("integer", "long") and not isinstance(given, int):
        findings.add(path, f"{given!r} is no whole number")
    return given


def bare(element):
    return element.tag.rsplit("}", 1)[-1]


def from_xml(findings, shape, element, path):
    kind = shape.type_name
    if kind == "structure":
        known = {}
        for name, member in shape.members.items():
            flat = member.type_name == "list" and member.serialization.get("flattened")
            known[wire_name(name, member.member) if flat and "name" in member.member.serialization else wire_name(name, member)] = (name, member, flat)
        seen = set()
        for child in element:
            tag = bare(child)
            if tag not in known:
                findings.add(f"{path}.{tag}", "unknown member")
                continue
            name, member, flat = known[tag]
            if name in seen and not flat:
                findings.add(f"{path}.{tag}", "given twice")
            seen.add(name)
            from_xml(findings, member.member if flat else member, child, f"{path}.{tag}")
        required(findings, shape, seen, path)
    elif kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        for at, child in enumerate(element):
            if bare(child) != wanted:
                findings.add(path, f"elements are called {bare(child)}, the model says {wanted}")
            from_xml(findings, shape.member, child, f"{path}[{at}]")
    elif kind == "map":
        for entry in element:
            pair = {bare(child): child for child in entry}
            if set(pair) != {"key", "value"}:
                findings.add(path, f"an entry of {sorted(pair)}")
                continue
            from_xml(findings, shape.key, pair["key"], f"{path} key")
            from_xml(findings, shape.value, pair["value"], f"{path} value")
    else:
        if len(element):
            findings.add(path, f"a {kind} holds elements")
        value(findings, shape, element.text or "", path, False)


def answer(service, operation, status, headers, body):
    """What a successful answer has that its operation's model has not, or the other way round."""
    findings, shape, name = Findings(), operation.output_shape, operation.name
    protocol = service.resolved_protocol
    if protocol == "smithy-rpc-v2-cbor":
        told = {key.lower(): held for key, held in headers.items()}
        if told.get("smithy-protocol") != "rpc-v2-cbor":
            findings.add(name, "no smithy-protocol")
        if "x-amzn-requestid" not in told:
            findings.add(name, "no x-amzn-requestid")
        if shape is None:
            if body:
                findings.add(name, f"a body where the model has none: {body[:80]!r}")
        else:
            if told.get("content-type") != "application/cbor":
                findings.add(name, f"the content is {told.get('content-type')}")
            from_json(findings, shape, plain(findings, shape, cbor2.loads(body), name), name, False)
        return list(findings)
    if protocol in ("query", "ec2"):
        root = ElementTree.fromstring(body)
        if bare(root) != f"{name}Response":
            findings.add(name, f"the document is called {bare(root)}")
        parts = {bare(child): child for child in root}
        if protocol == "ec2":
            if parts.get("requestId") is None:
                findings.add(name, "no requestId")
            for child in [child for child in root if bare(child) == "requestId"]:
                root.remove(child)
            inner = root
        else:
            meta = parts.pop("ResponseMetadata", None)
            if meta is None or [bare(child) for child in meta] != ["RequestId"]:
                findings.add(name, "no ResponseMetadata with a RequestId")
            wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
            unknown = set(parts) - {wrapper}
            if unknown:
                findings.add(name, f"beside the result: {sorted(unknown)}")
            inner = parts.get(wrapper)
        if shape is not None and inner is not None:
            from_xml(findings, shape, inner, name)
        elif protocol == "query" and wrapper is not None:
            findings.add(name, "no result")
    else:
        expected = operation.http.get("responseCode", 200) if protocol == "rest-json" else 200
        told = shape is not None and any(member.serialization.get("location") == "statusCode" for member in shape.members.values())
        if status != expected and not told:
            findings.add(name, f"status {status}, the model says {expected}")
        if not any(key.lower() == "x-amzn-requestid" for key in headers):
            findings.add(name, "no x-amzn-requestid")
        if shape is not None and "payload" in shape.serialization:
            return list(findings)  # the body is whatever a function answers
        held = [member for member in shape.members.values() if "location" not in member.serialization] if shape is not None else []
        if not held:
            if body.strip() not in (b"", b"{}"):
                findings.add(name, f"a body where the model has none: {body[:80]!r}")
        else:
            from_json(findings, shape, json.loads(body), name, False)
    return list(findings)
