"""Operations on templates alone: ValidateTemplate, GetTemplateSummary."""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.cloudformation.operations import submission
from sandbox.services.cloudformation.operations.stacks import stacks_of
from sandbox.services.cloudformation.schema.registry import schema
from sandbox.services.cloudformation.stack import outline
from sandbox.services.cloudformation.stack.shown import deployed
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.parameters import no_echo, text_of
from sandbox.services.cloudformation.template.sections import Template


@operation("cloudformation", "ValidateTemplate")
def validate_template(call: Call, **request: Any) -> dict[str, Any]:
    template = submission.parsed(submission.body_of(call, request))
    if not template.transformed:
        outline.check_types(template, call.region)
        outline.check_attributes(template, call.region)
    needed, why = submission.capabilities_needed(template)
    return {
        "Parameters": [
            {
                "ParameterKey": name,
                "DefaultValue": text_of(declared["Default"]) if "Default" in declared else None,
                "NoEcho": no_echo(declared),
                "Description": declared.get("Description"),
            }
            for name, declared in template.parameters.items()
        ],
        "Description": template.description,
        "Capabilities": needed,
        "CapabilitiesReason": why,
        "DeclaredTransforms": _transforms(template),
    }


def _transforms(template: Template) -> list[str]:
    return [item if isinstance(item, str) else str(item.get("Name")) for item in template.transforms]


@operation("cloudformation", "GetTemplateSummary")
def get_template_summary(call: Call, **request: Any) -> dict[str, Any]:
    stack_name = request.get("StackName")
    if request.get("StackSetName"):
        raise TemplateError("StackSetName is not implemented by the sandbox")
    if stack_name:
        body = deployed(stacks_of(call).get(stack_name)).get("TemplateBody", "")
    else:
        body = submission.body_of(call, request)
    template = submission.parsed(body)
    if not template.transformed:
        outline.check_types(template, call.region)
    needed, why = submission.capabilities_needed(template)
    types = [declared["Type"] for declared in template.resources.values()]
    return {
        "Parameters": [_declaration(name, declared) for name, declared in template.parameters.items()],
        "Description": template.description,
        "Capabilities": needed,
        "CapabilitiesReason": why,
        "ResourceTypes": types,
        "DeclaredTransforms": _transforms(template),
        "Version": template.data.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(template.data["Metadata"]) if "Metadata" in template.data else None,
        "ResourceIdentifierSummaries": _identifiers(template, call.region),
    }


def _declaration(name: str, declared: dict[str, Any]) -> dict[str, Any]:
    allowed = declared.get("AllowedValues")
    return {
        "ParameterKey": name,
        "DefaultValue": text_of(declared["Default"]) if "Default" in declared else None,
        "ParameterType": declared["Type"],
        "NoEcho": no_echo(declared),
        "Description": declared.get("Description"),
        "ParameterConstraints": {"AllowedValues": [text_of(item) for item in allowed]} if allowed else {},
    }


def _identifiers(template: Template, region: str) -> list[dict[str, Any]]:
    by_type: dict[str, list[str]] = {}
    for name, declared in template.resources.items():
        by_type.setdefault(declared["Type"], []).append(name)
    result = []
    for kind, names in by_type.items():
        found = schema(kind, region)
        identifiers = list(found.primary_identifier) if found else []
        if identifiers:
            result.append(
                {"ResourceType": kind, "LogicalResourceIds": names, "ResourceIdentifiers": identifiers}
            )
    return result
