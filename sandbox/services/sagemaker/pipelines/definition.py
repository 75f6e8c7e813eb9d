"""A pipeline definition as an object: parameters and steps, with the edges of the graph.

Schema: https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.services.sagemaker.pipelines.expressions import references

VERSION = "2020-12-01"


class DefinitionError(ValueError):
    """A definition that AWS would not accept, or that the sandbox does not implement."""


@dataclass(frozen=True)
class Parameter:
    """`type`: String, Integer, Float or Boolean."""

    name: str
    type: str
    default: Any = None
    values: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Step:
    """`needs`: the steps it waits for, by DependsOn or by reference; `branch`: the Condition step around it
    and the outcome on which it runs; `order`: its place in the definition."""

    name: str
    type: str
    arguments: dict[str, Any]
    order: int
    needs: frozenset[str]
    branch: tuple[str, bool] | None = None
    display_name: str | None = None
    description: str | None = None
    expire_after: str | None = None
    retries: list[dict[str, Any]] = field(default_factory=list)
    property_files: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Definition:
    parameters: dict[str, Parameter]
    steps: dict[str, Step]
    experiment: dict[str, Any] | None = None


@functools.lru_cache(maxsize=64)
def parse(text: str) -> Definition:
    """Reads a definition that `validation.validate` accepted."""
    document = json.loads(text)
    parameters = {
        entry["Name"]: Parameter(
            entry["Name"],
            entry["Type"],
            entry.get("DefaultValue"),
            tuple(entry["EnumValues"]) if entry.get("EnumValues") else None,
        )
        for entry in document.get("Parameters") or []
    }
    steps: dict[str, Step] = {}
    _add_steps(document["Steps"], None, steps)
    return Definition(parameters, steps, document.get("PipelineExperimentConfig"))


def _add_steps(
    entries: list[dict[str, Any]], branch: tuple[str, bool] | None, steps: dict[str, Step]
) -> None:
    for entry in entries:
        step = _step(entry, branch, len(steps))
        steps[step.name] = step
        if step.type == "Condition":
            for outcome, name in ((True, "IfSteps"), (False, "ElseSteps")):
                _add_steps(entry["Arguments"].get(name) or [], (step.name, outcome), steps)


def _step(entry: dict[str, Any], branch: tuple[str, bool] | None, order: int) -> Step:
    arguments = entry["Arguments"]
    own = {"Conditions": arguments["Conditions"]} if entry["Type"] == "Condition" else arguments
    needs = set(depends_on(entry))
    needs |= {each.name for each in references(own) if each.root in ("Steps", "PropertyFiles")}
    cache = entry.get("CacheConfig") or {}
    return Step(
        name=entry["Name"],
        type=entry["Type"],
        arguments=own,
        order=order,
        needs=frozenset(needs | ({branch[0]} if branch else set())),
        branch=branch,
        display_name=entry.get("DisplayName"),
        description=entry.get("Description"),
        expire_after=cache.get("ExpireAfter") if cache.get("Enabled") else None,
        retries=entry.get("RetryPolicies") or [],
        property_files={each["PropertyFileName"]: each for each in entry.get("PropertyFiles") or []},
    )


def depends_on(entry: dict[str, Any]) -> list[str]:
    """The names in a step's DependsOn."""
    return [each if isinstance(each, str) else each["Step"] for each in entry.get("DependsOn") or []]
