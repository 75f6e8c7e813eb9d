"""What a change set of type IMPORT must be: only imports, each told by its identifier."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import live
from sandbox.services.cloudformation.schema.registry import schema
from sandbox.services.cloudformation.stack.plan import Plan
from sandbox.services.cloudformation.template.errors import TemplateError


def imports(planned: Plan, request: dict[str, Any], region: str) -> dict[str, str]:
    """Logical id → identifier of every resource to import; TemplateError in CloudFormation's words."""
    listed = {item["LogicalResourceId"]: item for item in request.get("ResourcesToImport") or []}
    if not listed:
        raise TemplateError("At least one resource must be specified in ResourcesToImport")
    for step in planned.steps:
        if step.action in ("Modify", "Remove"):
            raise TemplateError(
                f"You have modified resources [{step.logical_id}] in your template that are not being "
                "imported. Update, create or delete operations cannot be executed during import operations."
            )
        if step.action == "Add" and step.logical_id not in listed:
            raise TemplateError(f"Resources [{step.logical_id}] is missing from ResourceToImport list")
    if planned.outline.outputs and planned.outputs_changed:
        raise TemplateError("As part of the import operation, you cannot modify or add [Outputs]")
    added = {step.logical_id: step for step in planned.steps if step.action == "Add"}
    result = {}
    for name, item in listed.items():
        step = added.get(name)
        if step is None:
            raise TemplateError(
                f"Resources [{name}] to import do not exist in the template or are imported already"
            )
        if step.type != item["ResourceType"]:
            raise TemplateError(f"ResourceType of [{name}] does not match the template: {step.type}")
        if "DeletionPolicy" not in planned.outline.active[name]:
            raise TemplateError(f"Resources [{name}] must have a DeletionPolicy attribute in the template")
        result[name] = _identifier(step.type, name, item["ResourceIdentifier"], region)
    return result


def _identifier(type_name: str, name: str, given: dict[str, str], region: str) -> str:
    reader = live.LIVE.get(type_name)
    if reader is None:
        raise TemplateError(f"Import of {type_name} is not implemented by the sandbox")
    found = schema(type_name, region)
    known = {*(found.primary_identifier if found else ()), reader.identifier}
    if len(given) != 1 or not set(given) <= known:
        raise TemplateError(
            f"Invalid resource identifier for [{name}]: that of {type_name} is [{reader.identifier}]"
        )
    return next(iter(given.values()))
