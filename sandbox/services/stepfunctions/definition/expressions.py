"""Whether the expressions in a definition can be evaluated: paths, intrinsic functions, JSONata."""

from __future__ import annotations

import functools
import re
from typing import Any

from sandbox.services.stepfunctions.definition.diagnostics import JSONATA, UNSUPPORTED, Report
from sandbox.services.stepfunctions.language import intrinsics, jsonata, jsonpath

_NAMED = re.compile(r"\$[A-Za-z_]\w*")


def check_path(value: Any, place: str, report: Report, *, reference: bool = False) -> None:
    """A JSONPath, or one from the context object or a variable."""
    if not isinstance(value, str):
        report.schema("Expected value of type String", place)
        return
    if reference and value.startswith("$$"):
        report.schema("Value is not a Reference Path", place)
        return
    path = _compiled(value)
    if path is None:
        report.schema("Value is not a valid JSONPath", place)
    elif reference and not path.reference:
        report.schema("Value is not a Reference Path", place)


@functools.lru_cache(1024)
def _compiled(text: str) -> jsonpath.Path | None:
    match = _NAMED.match(text)
    plain = text[1:] if text.startswith("$$") else "$" + text[match.end() :] if match else text
    try:
        return jsonpath.compile_path(plain)
    except jsonpath.PathSyntaxError:
        return None


def check_expression(value: Any, place: str, report: Report) -> None:
    """What a field that ends in `.$` may hold."""
    message = "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call"
    name = place.rpartition("/")[2]
    if isinstance(value, str) and intrinsics.is_call(value):
        try:
            intrinsics.compile_call(value)
        except jsonpath.PathSyntaxError:
            report.schema(message.format(name), place)
    elif not isinstance(value, str) or _compiled(value) is None:
        report.schema(message.format(name), place)


def check_template(body: Any, place: str, report: Report) -> None:
    if isinstance(body, dict):
        for name, item in body.items():
            if name.endswith(".$"):
                check_expression(item, f"{place}/{name}", report)
            else:
                check_template(item, f"{place}/{name}", report)
    elif isinstance(body, list):
        for index, item in enumerate(body):
            check_template(item, f"{place}[{index}]", report)


def check_jsonata(body: Any, place: str, report: Report, *, error_output: bool = False) -> None:
    """Every `{% … %}` below a field."""
    if isinstance(body, dict):
        for name, item in body.items():
            check_jsonata(item, f"{place}/{name}", report, error_output=error_output)
    elif isinstance(body, list):
        for index, item in enumerate(body):
            check_jsonata(item, f"{place}[{index}]", report, error_output=error_output)
    elif jsonata.is_expression(body):
        _jsonata(jsonata.text_of(body), place, report, error_output)


def _jsonata(text: str, place: str, report: Report, error_output: bool) -> None:
    try:
        jsonata.check(text)
    except jsonata.SyntaxProblem as error:
        report.add(JSONATA, str(error).partition(": ")[2] or str(error), place)
        return
    for name in jsonata.top_level_names(text):
        report.add(UNSUPPORTED, f"Reference to '{name}' at the top level is not supported.", place)
    if not error_output and "$states.errorOutput" in text.replace(" ", ""):
        report.add(UNSUPPORTED, "Reference to '$states.errorOutput' is not supported here.", place)
