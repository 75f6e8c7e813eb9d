"""AWS's registry schemas, one a resource type, as the cfn-lint package carries them.

Only the files of the types in use are read; cfn-lint's own code is not imported.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

_FALLBACK_REGION = "us-east-1"


@dataclass(frozen=True)
class Schema:
    """The schema of one resource type."""

    data: dict[str, Any]

    @property
    def type(self) -> str:
        return self.data["typeName"]

    @property
    def properties(self) -> dict[str, Any]:
        return self.data["properties"]

    @cached_property
    def read_only(self) -> tuple[str, ...]:
        """Attributes that only the service sets, as paths below the properties (`Endpoint/Address`)."""
        return _paths(self.data.get("readOnlyProperties", []))

    @cached_property
    def create_only(self) -> tuple[str, ...]:
        """Properties whose change needs a new resource."""
        return _paths(self.data.get("createOnlyProperties", []))

    @cached_property
    def conditional_create_only(self) -> tuple[str, ...]:
        """Properties whose change may need a new resource."""
        return _paths(self.data.get("conditionalCreateOnlyProperties", []))

    @cached_property
    def primary_identifier(self) -> tuple[str, ...]:
        return _paths(self.data.get("primaryIdentifier", []))

    @cached_property
    def tag_property(self) -> str | None:
        """The property that takes tags, or None for a type that cannot be tagged."""
        tagging = self.data.get("tagging", {})
        if tagging.get("taggable", True) is False or self.data.get("taggable", True) is False:
            return None
        name = tagging.get("tagProperty", "/properties/Tags").removeprefix("/properties/")
        return name if name in self.properties else None

    @property
    def system_tags(self) -> bool:
        """Whether CloudFormation also sets its own `aws:cloudformation:` tags on resources of the type."""
        return self.data.get("tagging", {"cloudFormationSystemTags": True}).get(
            "cloudFormationSystemTags", True
        )

    def attribute_exists(self, name: str) -> bool:
        """Whether Fn::GetAtt may name it: a read-only property, or a property at all."""
        if self.data.get("custom"):
            return True  # what its provider answers with, which nobody knows beforehand
        path = name.replace(".", "/")
        return path in self.read_only or path.split("/", 1)[0] in self.properties


def _paths(pointers: list[str]) -> tuple[str, ...]:
    return tuple(pointer.removeprefix("/properties/") for pointer in pointers)


@cache
def _folder() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package cfn-lint, which carries the registry schemas, is not installed")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@cache
def _types(region: str) -> dict[str, str]:
    path = _folder() / "providers" / f"{region}.json"
    if not path.exists():
        path = _folder() / "providers" / f"{_FALLBACK_REGION}.json"
    return json.loads(path.read_text())


CUSTOM = "AWS::CloudFormation::CustomResource"
_CUSTOM_NAME = re.compile(r"Custom::[A-Za-z0-9_@-]{1,60}")


def is_custom(type_name: str) -> bool:
    return type_name == CUSTOM or type_name.startswith("Custom::")


def _custom(type_name: str) -> Schema:
    """Properties of a custom resource are its provider's own but for two."""
    return Schema(
        {
            "typeName": type_name,
            "custom": True,
            "properties": {
                "ServiceToken": {"type": "string"},
                "ServiceTimeout": {"type": "integer", "minimum": 1, "maximum": 3600},
            },
            "required": ["ServiceToken"],
            "tagging": {"taggable": False},
        }
    )


@cache
def schema(type_name: str, region: str = _FALLBACK_REGION) -> Schema | None:
    """The schema of a type in a region, or None for a type that AWS does not have there."""
    if is_custom(type_name):
        fits = type_name == CUSTOM or _CUSTOM_NAME.fullmatch(type_name)
        return _custom(type_name) if fits else None
    name = _types(region).get(type_name)
    if name is None:
        return None
    return Schema(json.loads((_folder() / "resources" / f"{name}.json").read_text()))
