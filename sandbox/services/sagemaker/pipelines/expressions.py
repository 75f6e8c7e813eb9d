"""Values of a pipeline definition that are known only at run time.

`{"Get": "Parameters.X" | "Execution.X" | "Steps.Name.<path>"}`, `{"Std:Join": {"On", "Values"}}` and
`{"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Name.PropertyFiles.F"} | "S3Uri", "Path"}}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.services.sagemaker.pipelines.paths import Path, PathError, look_up, parse_path

JOIN = "Std:Join"
JSON_GET = "Std:JsonGet"

EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)


class ExpressionError(ValueError):
    """An expression that is malformed or cannot be resolved."""


@dataclass(frozen=True)
class Reference:
    """The target of a `Get`: `root` is Parameters, Execution, Steps or PropertyFiles.

    `name`: of the parameter, variable or step; `path`: into the step's properties; `file`: property file.
    """

    root: str
    name: str
    path: Path = ()
    file: str = ""


class Scope(Protocol):
    """Where references are looked up; each raises ExpressionError for what has no value."""

    def parameter(self, name: str) -> Any: ...
    def variable(self, name: str) -> str: ...
    def properties(self, step: str) -> dict[str, Any]: ...
    def property_file(self, step: str, file: str) -> str: ...
    def s3_text(self, uri: str) -> str: ...


def is_expression(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Get", JOIN, JSON_GET)


def parse_reference(text: Any) -> Reference:
    """Reads the text of a `Get`."""
    if not isinstance(text, str):
        raise ExpressionError(f"Get must be a string, not {json.dumps(text)}")
    root, _, rest = text.partition(".")
    if root in ("Parameters", "Execution") and rest and "." not in rest:
        return Reference(root, rest)
    step, _, path = rest.partition(".")
    if root != "Steps" or not step or not path:
        raise ExpressionError(
            f"'{text}' is not a reference: give Parameters.X, Execution.X or Steps.Name.Property"
        )
    if path.startswith("PropertyFiles."):
        return Reference("PropertyFiles", step, file=path.removeprefix("PropertyFiles."))
    try:
        return Reference("Steps", step, parse_path(path))
    except PathError as error:
        raise ExpressionError(f"'{text}': {error}") from None


def references(value: Any) -> Iterator[Reference]:
    """Every reference in `value`, at any depth."""
    if isinstance(value, list):
        for element in value:
            yield from references(element)
    elif isinstance(value, dict):
        if is_expression(value) and "Get" in value:
            yield parse_reference(value["Get"])
        else:
            for element in value.values():
                yield from references(element)


def resolve(value: Any, scope: Scope) -> Any:
    """`value` with every expression replaced; members that are null are left out."""
    if isinstance(value, list):
        return [resolve(element, scope) for element in value]
    if not isinstance(value, dict):
        return value
    if not is_expression(value):
        return {name: resolve(element, scope) for name, element in value.items() if element is not None}
    kind, body = next(iter(value.items()))
    if kind == "Get":
        return _get(parse_reference(body), scope)
    check_function(kind, body)
    if kind == JOIN:
        return str(body["On"]).join(as_text(resolve(element, scope)) for element in body["Values"])
    return _json_get(body, scope)


def check_function(kind: str, body: Any) -> None:
    """ExpressionError where the body of a function has not its members."""
    if kind == JOIN:
        if not (
            isinstance(body, dict) and set(body) == {"On", "Values"} and isinstance(body["Values"], list)
        ):
            raise ExpressionError(f"{JOIN} needs On and the list Values")
    elif not (
        isinstance(body, dict)
        and "Path" in body
        and set(body) in ({"PropertyFile", "Path"}, {"S3Uri", "Path"})
    ):
        raise ExpressionError(f"{JSON_GET} needs Path and either PropertyFile or S3Uri")


def as_text(value: Any) -> str:
    """A primitive as `Std:Join` writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ExpressionError(f"{JOIN} joins strings, numbers and booleans, not {json.dumps(value)}")


def _get(reference: Reference, scope: Scope) -> Any:
    if reference.root == "Parameters":
        return scope.parameter(reference.name)
    if reference.root == "Execution":
        return scope.variable(reference.name)
    if reference.root == "PropertyFiles":
        raise ExpressionError(f"property file '{reference.file}' can only be read by {JSON_GET}")
    try:
        return look_up(scope.properties(reference.name), reference.path)
    except PathError as error:
        raise ExpressionError(f"step '{reference.name}': {error} among its properties") from None


def _json_get(body: dict[str, Any], scope: Scope) -> Any:
    if "S3Uri" in body:
        source = resolve(body["S3Uri"], scope)
        text = scope.s3_text(source)
    else:
        reference = property_file_reference(body["PropertyFile"])
        source = f"property file '{reference.file}' of step '{reference.name}'"
        text = scope.property_file(reference.name, reference.file)
    path = resolve(body["Path"], scope)
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
        value = look_up(document, parse_path(path))
    except json.JSONDecodeError as error:
        raise ExpressionError(f"{source} is not JSON: {error}") from None
    except PathError as error:
        raise ExpressionError(f"{source}: {error}") from None
    if isinstance(value, dict | list) or value is None:
        raise ExpressionError(
            f"{source}: '{path}' is not a string, number or boolean but {json.dumps(value)[:100]}"
        )
    return value


def property_file_reference(value: Any) -> Reference:
    """The reference of a `Std:JsonGet`'s PropertyFile."""
    reference = parse_reference(value["Get"]) if is_expression(value) and "Get" in value else None
    if reference is None or reference.root != "PropertyFiles":
        raise ExpressionError(
            f"PropertyFile must be a Get of Steps.Name.PropertyFiles.File, not {json.dumps(value)}"
        )
    return reference


def _refuse_constant(name: str) -> Any:
    # NaN and Infinity are no JSON, and a comparison with NaN would quietly choose a branch.
    raise ExpressionError(f"a property file holds {name}, which is not a JSON number")
