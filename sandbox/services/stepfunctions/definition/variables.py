"""Names of variables: what Assign may call them, and that inner scopes do not take outer names.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.services.stepfunctions.definition.diagnostics import Report
from sandbox.services.stepfunctions.definition.transitions import inner

_NAME = re.compile(r"[^\W\d]\w{0,79}")


def check_variables(body: dict[str, Any], report: Report) -> None:
    _check(body, "", frozenset(), report)


def _check(body: dict[str, Any], place: str, outer: frozenset[str], report: Report) -> None:
    own: set[str] = set()
    for name, state in body["States"].items():
        for holder, where in _holders(state, f"{place}/States/{name}"):
            for written in holder.get("Assign", {}):
                variable = written.removesuffix(".$")
                at = f"{where}/Assign/{written}"
                if variable == "states":
                    report.schema("The variable name 'states' is reserved", at)
                elif not _NAME.fullmatch(variable):
                    report.schema(f"The variable name '{variable}' is not valid", at)
                elif variable in outer:
                    report.schema(f"The variable '{variable}' is already assigned in an outer scope", at)
                own.add(variable)
    for name, state in body["States"].items():
        for container, where in inner(state, f"{place}/States/{name}"):
            _check(container, where, outer | own, report)


def _holders(state: dict[str, Any], place: str) -> list[tuple[dict[str, Any], str]]:
    found = [(state, place)]
    for field in ("Choices", "Catch"):
        items = state.get(field, [])
        found += [(item, f"{place}/{field}[{index}]") for index, item in enumerate(items)]
    return found
