"""What a template refers to: undefined names, the order of resources, cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import EXTENSIONS, PSEUDO
from sandbox.services.cloudformation.template.functions import SUB_VARIABLE, sub_parts
from sandbox.services.cloudformation.template.read import FUNCTIONS
from sandbox.services.cloudformation.template.sections import Template

Reference = tuple[str, str]
"""(kind, name): kind is "Ref", "GetAtt" (name: `resource.attribute`), "Condition", or "Extension" (a function
that only templates with the language extensions know)."""


def references(value: Any) -> Iterator[Reference]:
    """Every reference inside `value`, in all branches of every Fn::If."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key == "Ref" and isinstance(argument, str):
            yield "Ref", argument
            return
        if key.startswith("Fn::"):
            yield from _of_function(key, argument)
            return
    for item in value.values():
        yield from references(item)


def _of_function(name: str, argument: Any) -> Iterator[Reference]:
    if name == "Fn::Transform":
        raise TemplateError("Template error: Fn::Transform was not processed")
    if name[4:] not in FUNCTIONS:
        raise TemplateError(f"Template validation error: Template format error: Unsupported function {name}")
    if name in EXTENSIONS:
        yield "Extension", name
    if name == "Fn::GetAtt":
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not (isinstance(parts, list) and len(parts) == 2 and isinstance(parts[0], str)):
            raise TemplateError(
                "Template error: every Fn::GetAtt object requires two non-empty parameters, "
                "the resource name and the resource attribute"
            )
        yield "GetAtt", f"{parts[0]}.{parts[1]}" if isinstance(parts[1], str) else f"{parts[0]}."
        yield from references(parts[1])
        return
    if name == "Fn::Sub":
        text, variables = sub_parts(argument)
        for variable in (found.strip() for found in SUB_VARIABLE.findall(text)):
            if variable in variables:
                continue
            yield ("GetAtt" if "." in variable else "Ref"), variable
        yield from references(variables)
        return
    if name == "Fn::If" and isinstance(argument, list) and argument and isinstance(argument[0], str):
        yield "Condition", argument[0]
        yield from references(argument[1:])
        return
    yield from references(argument)


def check(template: Template) -> None:
    """Raises TemplateError for a reference to something that the template does not define."""
    _check_conditions(template)
    known = {*template.resources, *template.parameters, *PSEUDO}
    _check_block("Resources", _resource_values(template), template, known)
    _check_block("Outputs", template.outputs, template, known)


def _resource_values(template: Template) -> dict[str, Any]:
    return {name: declared.get("Properties", {}) for name, declared in template.resources.items()}


def _check_block(block: str, values: Mapping[str, Any], template: Template, known: Set[str]) -> None:
    lost: list[str] = []
    for value in values.values():
        for kind, name in references(value):
            target = name.split(".", 1)[0]
            _check_extension(kind, name, template)
            if kind == "Condition":
                if name not in template.conditions:
                    raise TemplateError(
                        f"Template error: unresolved condition dependency {name} in the {block} block "
                        "of the template"
                    )
            elif kind == "GetAtt" and target not in template.resources:
                raise TemplateError(
                    f"Template error: instance of Fn::GetAtt references undefined resource {target}"
                )
            elif kind == "Ref" and name not in known and name not in lost:
                lost.append(name)
    declared = template.resources if block == "Resources" else template.outputs
    for item in declared.values():
        lost += [name for name in _depends_on(item) if name not in template.resources and name not in lost]
        condition = item.get("Condition")
        if condition is not None and condition not in template.conditions:
            raise TemplateError(
                f"Template format error: Unresolved condition dependency {condition} in the {block} block "
                "of the template"
            )
    if lost:
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{', '.join(lost)}] "
            f"in the {block} block of the template"
        )


def _check_extension(kind: str, name: str, template: Template) -> None:
    if kind == "Extension" and not template.extended:
        raise TemplateError(f"Template error: {name} needs the transform AWS::LanguageExtensions")


def _check_conditions(template: Template) -> None:
    edges: dict[str, list[str]] = {}
    for name, expression in template.conditions.items():
        edges[name] = list(_conditions_in(expression))
        for kind, target in references(expression):
            _check_extension(kind, target, template)
            if kind == "Extension":
                continue
            if kind == "GetAtt" or (target not in template.parameters and target not in PSEUDO):
                raise TemplateError(
                    f"Template format error: Unresolved dependencies [{target.split('.', 1)[0]}]. "
                    "Cannot reference resources in the Conditions block of the template"
                )
        for target in edges[name]:
            if target not in template.conditions:
                raise TemplateError(
                    f"Template format error: Unresolved condition dependency {target} in the Conditions "
                    "block of the template"
                )
    circle = cycle(edges)
    if circle:
        raise TemplateError(
            f"Template format error: Circular dependency between conditions: [{', '.join(circle)}]"
        )


def _conditions_in(expression: Any) -> Iterator[str]:
    if isinstance(expression, dict):
        for key, argument in expression.items():
            if key == "Condition" and isinstance(argument, str):
                yield argument
            else:
                yield from _conditions_in(argument)
    elif isinstance(expression, list):
        for item in expression:
            yield from _conditions_in(item)


def _depends_on(declared: dict[str, Any]) -> list[str]:
    depends = declared.get("DependsOn", [])
    return [depends] if isinstance(depends, str) else depends


def dependencies(
    template: Template, active: Set[str], used: Callable[[str], Set[str]]
) -> dict[str, list[str]]:
    """For every active resource those it waits for: explicit, and `used(logical id)` by its properties.

    Raises TemplateError for a reference to a resource that a condition excludes, and for cycles.
    """
    edges: dict[str, list[str]] = {}
    for name in active:
        implied = used(name)
        lost = sorted(implied - active)
        if lost:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(lost)}] "
                "in the Resources block of the template"
            )
        explicit = [item for item in _depends_on(template.resources[name]) if item in active]
        edges[name] = sorted({*implied, *explicit})
    circle = cycle(edges)
    if circle:
        raise TemplateError(f"Circular dependency between resources: [{', '.join(circle)}]")
    return edges


def cycle(edges: Mapping[str, list[str]]) -> list[str]:
    """The nodes that cannot be ordered because they (or what they wait for) form a cycle; [] if none."""
    left = {name: {item for item in wanted if item in edges} for name, wanted in edges.items()}
    while True:
        free = [name for name, wanted in left.items() if not wanted]
        if not free:
            break
        for name in free:
            del left[name]
        for wanted in left.values():
            wanted.difference_update(free)
    # What merely waits for a cycle is no part of it.
    while True:
        needed = set().union(*left.values()) if left else set()
        outer = [name for name in left if name not in needed]
        if not outer:
            return list(left)
        for name in outer:
            del left[name]
