"""What deploying a template will do: properties checked before anything is touched, changes by resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.services.cloudformation.resources import handler_of
from sandbox.services.cloudformation.schema.changes import Change, changes, replacement
from sandbox.services.cloudformation.schema.registry import Schema
from sandbox.services.cloudformation.schema.validate import Invalid, validate
from sandbox.services.cloudformation.stack import outputs
from sandbox.services.cloudformation.stack.lookups import Planned, Stored
from sandbox.services.cloudformation.stack.outline import Outline, schema_of
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.stack.tags import resource_tags
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Evaluator, Place
from sandbox.services.cloudformation.template.unknown import unknowns


@dataclass
class Step:
    """One resource's part of a plan. `action`: Add, Modify, Remove, or None for no change."""

    logical_id: str
    type: str
    action: str | None
    physical_id: str | None = None
    replacement: str | None = None
    changes: list[Change] = field(default_factory=list)
    tags_changed: bool = False
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass
class Plan:
    """The steps of a deployment, and the faults found in properties before anything is touched."""

    outline: Outline
    steps: list[Step]
    faults: dict[str, str]
    outputs_changed: bool

    @property
    def empty(self) -> bool:
        return not self.outputs_changed and all(step.action is None for step in self.steps)


def make(outline: Outline, stacks: Stacks, stack: Record, stack_tags: dict[str, str], stored: Stored) -> Plan:
    """Compares what a template asks for with what exists. Reads, but changes nothing."""
    existing = {
        name: record
        for name, record in stacks.resources_of(stack["StackId"]).items()
        if record.get("PhysicalResourceId") and not record.get("HalfMade")
    }
    lookups = Planned(stacks, existing, stored)
    evaluator = Evaluator(outline.template, outline.values, outline.place, lookups)
    steps: list[Step] = []
    faults: dict[str, str] = {}
    for name in outline.order():
        declared = outline.active[name]
        step = Step(name, declared["Type"], "Add")
        properties = evaluator.value(declared.get("Properties", {}))
        type_schema = schema_of(declared["Type"], outline.place.region)
        try:
            step.properties = validate(name, type_schema, properties)
            handler = handler_of(declared["Type"])
            assert handler is not None  # check_types has refused the others
            handler.check(name, step.properties)
        except Invalid as error:
            faults[name] = str(error)
            step.properties = properties
        record = existing.get(name)
        if record is not None:
            _compare(step, record, type_schema, outline.place, stack_tags)
            if step.replacement in ("True", "Conditional"):
                lookups.undecided.add(name)
            elif step.action:
                lookups.changing.add(name)
        steps.append(step)
    for name, record in existing.items():
        if name not in outline.active:
            steps.append(Step(name, record["ResourceType"], "Remove", record.get("PhysicalResourceId")))
    found = outputs.evaluate(evaluator, outline)
    current = stack.get("Outputs", [])
    return Plan(outline, steps, faults, outputs_changed=not unknowns(found) and found != current)


def _compare(
    step: Step, record: Record, type_schema: Schema, place: Place, stack_tags: dict[str, str]
) -> None:
    if record["ResourceType"] != step.type:
        raise TemplateError(
            f"Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{step.logical_id}]"
        )
    step.physical_id = record.get("PhysicalResourceId")
    step.changes = changes(type_schema, record.get("Properties") or {}, step.properties)
    tags = resource_tags(type_schema, place, step.logical_id, stack_tags, step.properties)
    step.tags_changed = not unknowns(list(tags.values())) and tags != record.get("Tags", {})
    handler = handler_of(step.type)
    if not step.changes and not step.tags_changed and not (handler and handler.always):
        step.action = None
        return
    step.action = "Modify"
    step.replacement = replacement(step.changes)
