"""A template under its values: what is part of it and in which order; every check that needs no resource."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.services.cloudformation.resources import handler_of
from sandbox.services.cloudformation.schema.registry import Schema, schema
from sandbox.services.cloudformation.stack import dynamic
from sandbox.services.cloudformation.stack.lookups import Recorder
from sandbox.services.cloudformation.template import references, rules
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Evaluator, Place
from sandbox.services.cloudformation.template.parameters import Values
from sandbox.services.cloudformation.template.sections import Template


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

    def __init__(self, template: Template, values: Values, place: Place, original: str | None = None) -> None:
        """`original`: the text of the template before its transforms worked on it."""
        self.original = original or template.body
        references.check(template)
        check_types(template, place.region)
        check_attributes(template, place.region)
        dynamic.check(template)
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
