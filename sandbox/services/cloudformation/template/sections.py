"""What a template is made of: its sections, their members and limits.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.read import read

SECTIONS = (
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Hooks",
    "Resources",
    "Outputs",
)
RESOURCE_MEMBERS = {
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
    "Description",
}
CUSTOM = "AWS::CloudFormation::CustomResource"
OUTPUT_MEMBERS = {"Value", "Description", "Export", "Condition"}
LIMITS = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
REPLACE_POLICIES = ("Delete", "Retain", "Snapshot")
_NOT_IMPLEMENTED = ("Hooks",)
LANGUAGE = "AWS::LanguageExtensions"
INCLUDE = "AWS::Include"
SNAPSHOTS = (
    "AWS::DocDB::DBCluster",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
)
_OTHER_TRANSFORMS = ("AWS::Serverless-", "AWS::SecretsManager-", "AWS::ServiceCatalog", "AWS::CodeDeploy")
_GENERATES = ("Fn::ForEach::", "Fn::Transform")
"""Keys that stand for members which a transform makes."""


@dataclass(frozen=True)
class Template:
    """A template whose structure is sound; what it refers to is checked by `references`."""

    body: str
    data: dict[str, Any]

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        return _made(self.data["Resources"])

    @cached_property
    def transforms(self) -> list[Any]:
        """The Transform section: names, or objects of Name and Parameters."""
        found = self.data.get("Transform", [])
        return found if isinstance(found, list) else [found]

    @cached_property
    def extended(self) -> bool:
        """Whether the template speaks the language extensions."""
        return LANGUAGE in self.transforms

    @cached_property
    def transformed(self) -> bool:
        """Whether transforms have a part in what the template says."""
        return bool(self.transforms) or "Fn::Transform" in self.body

    @cached_property
    def parameters(self) -> dict[str, dict[str, Any]]:
        return self.data.get("Parameters", {})

    @cached_property
    def conditions(self) -> dict[str, Any]:
        return _made(self.data.get("Conditions", {}))

    @cached_property
    def mappings(self) -> dict[str, Any]:
        return self.data.get("Mappings", {})

    @cached_property
    def rules(self) -> dict[str, Any]:
        return self.data.get("Rules", {})

    @cached_property
    def outputs(self) -> dict[str, dict[str, Any]]:
        return _made(self.data.get("Outputs", {}))

    @property
    def description(self) -> str | None:
        return self.data.get("Description")


def _made(section: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in section.items() if not name.startswith(_GENERATES)}


def parse(body: str) -> Template:
    """A structurally sound template; raises TemplateError in CloudFormation's words.

    What transforms are to make is not part of its sections before `transform.process` has made it.
    """
    return checked(body, read(body))


def checked(body: str, data: dict[str, Any]) -> Template:
    """The template of data that was read already."""
    unknown = [name for name in data if name not in SECTIONS]
    if unknown:
        raise TemplateError(f"Invalid template property or properties [{', '.join(unknown)}]")
    try:
        _check_nulls(data, "")
    except RecursionError:
        raise TemplateError("Template format error: the template is nested too deeply.") from None
    _check_head(data)
    for section in ("Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs"):
        if section in data and not isinstance(data[section], dict):
            raise TemplateError(f"Template format error: {section} must be an object.")
        count, limit = len(data.get(section, ())), LIMITS.get(section)
        if limit and count > limit:
            raise TemplateError(
                f"Template format error: Number of {section.lower()}, {count}, "
                f"is greater than maximum allowed, {limit}"
            )
    if not data.get("Resources"):
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    template = Template(body, data)
    for transform in template.transforms:
        transform_name(transform)
    _check_generators(template)
    for name, declared in template.resources.items():
        _check_resource(name, declared, template.extended)
    for name, declared in template.outputs.items():
        _check_output(name, declared)
    _check_mappings(data.get("Mappings", {}))
    return template


def transform_name(transform: Any) -> str:
    """The name of a transform that the sandbox knows; TemplateError for others, macros among them."""
    name = transform.get("Name") if isinstance(transform, dict) else transform
    if not isinstance(name, str):
        raise TemplateError("Template format error: Every Transform must have a Name that is a string.")
    if name in (LANGUAGE, INCLUDE):
        return name
    if name.startswith(_OTHER_TRANSFORMS):
        raise TemplateError(f"Template error: transform {name} is not implemented by the sandbox")
    raise TemplateError(f"No transform named {name} found.")


def _check_generators(template: Template) -> None:
    if template.extended:
        return
    for section in ("Resources", "Conditions", "Outputs"):
        for name in template.data.get(section, {}):
            if name.startswith("Fn::ForEach::"):
                raise TemplateError(
                    f"Template format error: {section} name {name} is non alphanumeric. "
                    f"Fn::ForEach needs the transform {LANGUAGE}"
                )


def _check_head(data: dict[str, Any]) -> None:
    version = data.get("AWSTemplateFormatVersion", "2010-09-09")
    if version != "2010-09-09":
        raise TemplateError(
            "Template format error: unsupported value for AWSTemplateFormatVersion. "
            f"Supported value is [2010-09-09], found [{version}]"
        )
    description = data.get("Description", "")
    if not isinstance(description, str):
        raise TemplateError("Template format error: 'Description' must be a string.")
    if len(description.encode()) > 1024:
        raise TemplateError("Template format error: 'Description' length is greater than 1024.")
    for section in _NOT_IMPLEMENTED:
        if section in data:
            raise TemplateError(f"Template error: the {section} section is not implemented by the sandbox")


def _check_nulls(value: Any, path: str) -> None:
    if value is None:
        raise TemplateError(f"[{path}] 'null' values are not allowed in templates")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_nulls(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_nulls(item, f"{path}/{index}")


def _check_resource(name: str, declared: Any, extended: bool) -> None:
    where = f"[/Resources/{name}]"
    if not name.isascii() or not name.isalnum():
        raise TemplateError(f"Template format error: Resource name {name} is non alphanumeric.")
    if len(name) > 255:
        raise TemplateError(f"Template format error: Resource name {name} is longer than 255 characters.")
    if not isinstance(declared, dict):
        raise TemplateError(f"Template format error: {where} resource definition is malformed")
    if not isinstance(declared.get("Type"), str):
        raise TemplateError(
            f"Template format error: {where} Every Resources object must contain a Type member."
        )
    custom = declared["Type"].startswith("Custom::") or declared["Type"] == CUSTOM
    unknown = [member for member in declared if member not in RESOURCE_MEMBERS]
    if custom and "Version" in unknown:  # of the custom resource's type; nothing reads it
        unknown.remove("Version")
    if unknown:
        raise TemplateError(f"Invalid template resource property '{unknown[0]}'")
    for member in ("CreationPolicy", "UpdatePolicy"):
        if member in declared:
            raise TemplateError(f"Template error: {where} {member} is not implemented by the sandbox")
    if not isinstance(declared.get("Properties", {}), dict):
        raise TemplateError(f"Template format error: {where} Properties must be an object.")
    for member, allowed in (
        ("DeletionPolicy", DELETION_POLICIES),
        ("UpdateReplacePolicy", REPLACE_POLICIES),
    ):
        if not (extended and isinstance(declared.get(member), dict)):
            _check_policy(where, member, declared.get(member), allowed)
            if declared.get(member) == "Snapshot":
                _check_snapshot(declared["Type"], member)
    depends = declared.get("DependsOn", [])
    if not isinstance(depends, str) and not (
        isinstance(depends, list) and all(isinstance(item, str) for item in depends)
    ):
        raise TemplateError("Template format error: DependsOn must be a string or list of strings.")
    if not isinstance(declared.get("Condition", ""), str):
        raise TemplateError(
            f"Template format error: Every Condition member must be a string. Found at {where}."
        )


def _check_policy(where: str, member: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value is None:
        return
    if value not in allowed:
        raise TemplateError(f"Template format error: Unrecognized {member} {value} for resource at {where}")


def _check_snapshot(kind: str, member: str) -> None:
    """Of the types that can be kept as a snapshot none is made here."""
    if kind not in SNAPSHOTS:
        raise TemplateError(f"Template error: resource type {kind} does not support {member} Snapshot")
    raise TemplateError(f"Template error: {member} Snapshot of {kind} is not implemented by the sandbox")


def _check_output(name: str, declared: Any) -> None:
    if not name.isascii() or not name.isalnum():
        raise TemplateError(f"Template format error: Output name {name} is non alphanumeric.")
    if not isinstance(declared, dict) or "Value" not in declared:
        raise TemplateError("Template format error: Every Outputs member must contain a Value object")
    unknown = [member for member in declared if member not in OUTPUT_MEMBERS]
    if unknown:
        raise TemplateError(f"Template format error: Output {name} has unsupported members [{unknown[0]}]")
    export = declared.get("Export", {"Name": ""})
    if not isinstance(export, dict) or set(export) != {"Name"}:
        raise TemplateError(
            f"Template format error: Output {name} is malformed. Export must contain only a Name."
        )


def _check_mappings(mappings: dict[str, Any]) -> None:
    for name, keys in mappings.items():
        if not isinstance(keys, dict) or not all(isinstance(values, dict) for values in keys.values()):
            raise TemplateError(f"Template format error: Every Mappings attribute must be a map. [{name}]")
