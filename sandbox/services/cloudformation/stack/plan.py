"""What deploying a template will do: checks before anything is touched, order, changes by resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.services.cloudformation.resources import handler_of
from sandbox.services.cloudformation.schema.changes import Change, changes, replacement
from sandbox.services.cloudformation.schema.registry import Schema, schema
from sandbox.services.cloudformation.schema.validate import Invalid, validate
from sandbox.services.cloudformation.stack import outputs
from sandbox.services.cloudformation.stack.lookups import Planned, Recorder, Stored
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.stack.tags import resource_tags
from sandbox.services.cloudformation.template import references, rules
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Evaluator, Place
from sandbox.services.cloudformation.template.parameters import Values
from sandbox.services.cloudformation.template.sections import Template
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


def schema_of(type_name: str, region: str) -> Schema:
    """The schema of a type; TemplateError when AWS has no such type, or the sandbox does not create it."""
    found = schema(type_name, region)
    if found is None:
        raise TemplateError(f"Template format error: Unrecognized resource types: [{type_name}]")
    return found


def check_types(template: Template, region: str) -> None:
    """Raises TemplateError, before anything is touched, naming every type that cannot be created."""
    types = sorted({declared["Type"] for declared in template.resources.values()})
    unknown = [name for name in types if schema(name, region) is None]
    if unknown:
        raise TemplateError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    missing = [name for name in types if handler_of(name) is None]
    if missing:
        raise TemplateError(
            f"Template error: resource types [{', '.join(missing)}] are not implemented by the sandbox"
        )


def check_attributes(template: Template, region: str) -> None:
    """Raises TemplateError for Fn::GetAtt of an attribute that the type does not have."""
    for kind, name in references.references([template.resources, template.outputs]):
        logical_id, _, attribute = name.partition(".")
        if kind != "GetAtt" or not attribute:
            continue
        type_name = template.resources[logical_id]["Type"]
        if type_name == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
            continue
        if not schema_of(type_name, region).attribute_exists(attribute):
            raise TemplateError(
                f"Template error: resource {logical_id} does not support attribute type {attribute} "
                "in Fn::GetAtt"
            )


class Outline:
    """A template under one set of values: which resources are part of it and what waits for what."""

    def __init__(self, template: Template, values: Values, place: Place) -> None:
        references.check(template)
        check_types(template, place.region)
        check_attributes(template, place.region)
        self.template, self.values, self.place = template, values, place
        evaluator = Evaluator(template, values, place, Recorder())
        rules.check(evaluator)
        evaluator.conditions()
        self.active = {
            name: declared for name, declared in template.resources.items() if evaluator.active(declared)
        }
        self.outputs = {
            name: declared for name, declared in template.outputs.items() if evaluator.active(declared)
        }
        self.edges = references.dependencies(template, self.active.keys(), self._used)
        self._check_outputs()

    def _used(self, name: str) -> set[str]:
        recorder = Recorder()
        evaluator = Evaluator(self.template, self.values, self.place, recorder)
        evaluator.value(self.active[name].get("Properties", {}))
        return recorder.used

    def _check_outputs(self) -> None:
        recorder = Recorder()
        evaluator = Evaluator(self.template, self.values, self.place, recorder)
        for declared in self.outputs.values():
            evaluator.value({key: declared[key] for key in ("Value", "Export") if key in declared})
        lost = sorted(recorder.used - self.active.keys())
        if lost:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(lost)}] "
                "in the Outputs block of the template"
            )

    def imports(self) -> set[str]:
        """Names of the exports that the template uses."""
        recorder = Recorder()
        evaluator = Evaluator(self.template, self.values, self.place, recorder)
        for declared in self.active.values():
            evaluator.value(declared.get("Properties", {}))
        for declared in self.outputs.values():
            evaluator.value(declared["Value"])
        return recorder.imports

    def order(self) -> Iterator[str]:
        """Logical ids, each after all it depends on."""
        left = {name: set(wanted) for name, wanted in self.edges.items()}
        while left:
            free = [name for name in self.template.resources if name in left and not left[name]]
            yield from free
            for name in free:
                del left[name]
            for wanted in left.values():
                wanted.difference_update(free)


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
        if record.get("PhysicalResourceId")
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
    if not step.changes and not step.tags_changed:
        step.action = None
        return
    step.action = "Modify"
    step.replacement = replacement(step.changes)
