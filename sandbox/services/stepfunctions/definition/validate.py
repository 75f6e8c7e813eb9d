"""Whether a definition is accepted: its shape, its transitions, its expressions.

Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError
from sandbox.services.stepfunctions.definition import diagnostics, states, transitions
from sandbox.services.stepfunctions.definition.diagnostics import Diagnostic, Report
from sandbox.services.stepfunctions.definition.machine import JSONATA, JSONPATH
from sandbox.services.stepfunctions.definition.variables import check_variables

_TOP = frozenset({"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"})
_PROCESSOR = frozenset({"StartAt", "States", "Comment", "ProcessorConfig"})
_BRANCH = frozenset({"StartAt", "States", "Comment"})


class _Twice(ValueError):
    """An object has a member twice."""


def check(text: str, machine_type: str) -> None:
    """InvalidDefinition that names every error."""
    found = [item for item in diagnose(text, machine_type) if item.severity == "ERROR"]
    if found:
        raise AwsError(
            "InvalidDefinition",
            f"Invalid State Machine Definition: '{', '.join(item.text() for item in found)}'",
        )


def diagnose(text: str, machine_type: str) -> list[Diagnostic]:
    """Errors first found first; warnings among them."""
    report = Report()
    try:
        body = json.loads(text, object_pairs_hook=_unique)
    except _Twice as error:
        report.add(diagnostics.JSON, f"Duplicate field '{error}'")
        return report.found
    except ValueError as error:
        report.add(diagnostics.JSON, f"Failed to parse the definition as JSON: {error}")
        return report.found
    if not isinstance(body, dict):
        report.schema("State machine definition must be an object", "/")
        return report.found
    _top(body, machine_type, report)
    if not any(item.code == diagnostics.SCHEMA for item in report.found):
        transitions.check(body, report)
        _names(body, report)
        check_variables(body, report)
    return report.found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _top(body: dict[str, Any], machine_type: str, report: Report) -> None:
    for name in body:
        if name not in _TOP:
            report.schema(f"Field '{name}' is not supported", "/")
    language = body.get("QueryLanguage", JSONPATH)
    if language not in (JSONATA, JSONPATH):
        report.schema(f"Value is not one of the allowed values: [{JSONPATH}, {JSONATA}]", "/QueryLanguage")
    timeout = body.get("TimeoutSeconds")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int) or timeout <= 0):
        report.schema("Minimum value is 1", "/TimeoutSeconds")
    if body.get("Version", "1.0") != "1.0":
        report.schema("Value is not one of the allowed values: [1.0]", "/Version")
    checker = states.Checker(report, JSONPATH if language == JSONPATH else JSONATA, machine_type, _container)
    _container(body, "", _TOP, checker)


def _container(
    body: Any, place: str, allowed: frozenset[str] | None, checker: states.Checker, depth: int = 0
) -> None:
    """`StartAt` and `States`, of the machine, a branch or a Map's processor."""
    report = checker.report
    if not isinstance(body, dict):
        report.schema("Expected value of type Object", place)
        return
    if allowed is None:
        allowed = _PROCESSOR if place.endswith(("/ItemProcessor", "/Iterator")) else _BRANCH
        for name in body:
            if name not in allowed:
                report.schema(f"Field '{name}' is not supported", place)
    missing = [name for name in ("StartAt", "States") if name not in body]
    if missing:
        report.schema(f"These fields are required: [{', '.join(missing)}]", place or "/")
        return
    if not isinstance(body["StartAt"], str):
        report.schema("Expected value of type String", f"{place}/StartAt")
    if not isinstance(body["States"], dict) or not body["States"]:
        report.schema("Expected a non-empty Object", f"{place}/States")
        return
    for name, state in body["States"].items():
        here = f"{place}/States/{name}"
        if not 1 <= len(name) <= 80:
            report.schema("State name must be 1 to 80 characters long", here)
        checker.state(state, here)


def _names(body: dict[str, Any], report: Report) -> None:
    """Names are unique in the whole machine."""
    seen: set[str] = set()

    def walk(container: dict[str, Any], place: str) -> None:
        for name, state in container["States"].items():
            here = f"{place}/States/{name}"
            if name in seen:
                report.add(diagnostics.DUPLICATE, f"Duplicate State name: {name}", here)
            seen.add(name)
            for inner, below in transitions.inner(state, here):
                walk(inner, below)

    walk(body, "")
