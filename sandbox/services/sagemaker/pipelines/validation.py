"""Is a pipeline definition one that AWS accepts and the sandbox runs? Every reason why not, by step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sandbox.services.sagemaker.pipelines import arguments, conditions, retries
from sandbox.services.sagemaker.pipelines.cache import SIGNATURE, seconds_of
from sandbox.services.sagemaker.pipelines.definition import (
    VERSION,
    Definition,
    DefinitionError,
    Step,
    parse,
)
from sandbox.services.sagemaker.pipelines.expressions import (
    EXECUTION_VARIABLES,
    JOIN,
    ExpressionError,
    Reference,
    check_function,
    is_expression,
    parse_reference,
    property_file_reference,
)
from sandbox.services.sagemaker.pipelines.parameters import check_parameters
from sandbox.services.sagemaker.pipelines.paths import PathError
from sandbox.services.sagemaker.pipelines.step_types import (
    CALLS,
    IMPLEMENTED,
    NOT_IMPLEMENTED,
    input_shape,
    property_shape,
)

_STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_TOP = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
_STEP = {
    "Name",
    "Type",
    "Arguments",
    "DisplayName",
    "Description",
    "DependsOn",
    "CacheConfig",
    "RetryPolicies",
    "PropertyFiles",
}


def validate(text: str) -> Definition:
    """The definition of `text`. DefinitionError with the first reason why it cannot be run."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DefinitionError(f"The definition is not JSON: {error}.") from None
    _raise_first(_check_document(document))
    try:
        definition = parse(text)
    except ExpressionError as error:
        raise DefinitionError(f"{error}.") from None
    _raise_first(_check_graph(definition))
    for step in definition.steps.values():
        _raise_first(f"Step '{step.name}': {reason}" for reason in _check_values(step, definition))
    return definition


def _raise_first(reasons: Iterator[str]) -> None:
    try:
        for reason in reasons:
            raise DefinitionError(reason.rstrip(".") + ".")
    except (ExpressionError, PathError) as error:
        raise DefinitionError(f"{error}.") from None


def _check_document(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "The definition must be a JSON object"
        return
    for name in sorted(set(document) - _TOP):
        yield f"Unrecognized field '{name}'"
    if document.get("Version") != VERSION:
        yield f"Version must be '{VERSION}'"
    if document.get("MlflowConfig"):
        yield "MlflowConfig is not implemented by the sandbox"
    yield from check_parameters(document.get("Parameters") or [])
    steps = document.get("Steps")
    if not isinstance(steps, list) or not steps:
        yield "Steps must be a list of at least one step"
        return
    yield from _check_steps(steps, set())


def _check_steps(steps: Any, names: set[str]) -> Iterator[str]:
    if not isinstance(steps, list):
        yield "IfSteps and ElseSteps must be lists of steps"
        return
    for step in steps:
        name = step.get("Name") if isinstance(step, dict) else None
        if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
            yield f"A step's Name has 1 to 64 letters, digits, '-' and '_': not {json.dumps(name)}"
            continue
        if name in names:
            yield f"Step names must be unique: '{name}' occurs twice"
        names.add(name)
        yield from (f"Step '{name}': {reason}" for reason in _check_step(step))
        if step["Type"] == "Condition":
            for branch in ("IfSteps", "ElseSteps"):
                yield from _check_steps(step["Arguments"].get(branch) or [], names)


def _check_step(step: dict[str, Any]) -> Iterator[str]:
    kind = step.get("Type")
    if kind in NOT_IMPLEMENTED:
        yield f"step type '{kind}' is not implemented by the sandbox"
    if kind not in IMPLEMENTED:
        yield f"step type {json.dumps(kind)} does not exist"
    for name in sorted(set(step) - _STEP):
        yield f"field '{name}' is not implemented by the sandbox"
    if not isinstance(step.get("Arguments"), dict):
        yield "Arguments must be an object"
    for each in step.get("DependsOn") or []:
        if isinstance(each, dict) and each.get("Trigger", "Succeeded") != "Succeeded":
            yield f"DependsOn with the trigger '{each['Trigger']}' is not implemented by the sandbox"
        if not isinstance(each, str) and not (isinstance(each, dict) and isinstance(each.get("Step"), str)):
            yield "DependsOn must list names of steps"
    yield from _check_cache(kind, step.get("CacheConfig"))
    if step.get("RetryPolicies"):
        if kind not in retries.RETRYABLE_STEPS:
            yield f"a step of type {kind} has no RetryPolicies"
        yield from retries.check(step["RetryPolicies"])
    yield from _check_property_files(kind, step.get("PropertyFiles") or [])
    if kind == "Condition":
        yield from _check_condition(step["Arguments"])
    if kind == "Fail" and not set(step["Arguments"]) <= {"ErrorMessage"}:
        yield "the Arguments of a Fail step have the member ErrorMessage only"


def _check_cache(kind: Any, cache: Any) -> Iterator[str]:
    if cache is None:
        return
    if not isinstance(cache, dict) or not isinstance(cache.get("Enabled"), bool):
        yield "CacheConfig needs Enabled, true or false"
        return
    if not cache["Enabled"]:
        return
    if kind not in SIGNATURE:
        yield f"steps of type {kind} cannot be cached"
    try:
        seconds_of(str(cache.get("ExpireAfter")))
    except ValueError as error:
        yield f"ExpireAfter of CacheConfig: {error}"


def _check_property_files(kind: Any, files: Any) -> Iterator[str]:
    if files and kind != "Processing":
        yield f"a step of type {kind} has no PropertyFiles"
    for file in files:
        if not isinstance(file, dict) or set(file) != {"PropertyFileName", "OutputName", "FilePath"}:
            yield "a property file has PropertyFileName, OutputName and FilePath"


def _check_condition(own: dict[str, Any]) -> Iterator[str]:
    for name in sorted(set(own) - {"Conditions", "IfSteps", "ElseSteps"}):
        yield f"Condition arguments have no member '{name}'"
    if not isinstance(own.get("Conditions"), list) or not own["Conditions"]:
        yield "Conditions must be a list of at least one condition"
        return
    for condition in own["Conditions"]:
        yield from conditions.check(condition)


def _check_graph(definition: Definition) -> Iterator[str]:
    for step in definition.steps.values():
        for name in sorted(step.needs - set(definition.steps)):
            yield f"Step '{step.name}' depends on step '{name}', which does not exist"
    try:
        TopologicalSorter({step.name: step.needs for step in definition.steps.values()}).prepare()
    except CycleError as error:
        yield f"The steps depend on each other in a cycle: {' -> '.join(reversed(error.args[1]))}"


def _check_values(step: Step, definition: Definition) -> Iterator[str]:
    def type_of(expression: dict[str, Any]) -> str:
        return _type(expression, definition)

    call = CALLS.get(step.type)
    if call is None:
        yield from _check_expressions(step.arguments, definition)
        return
    given = (call.name_member,) if call.name_member else ()
    yield from arguments.check(step.arguments, input_shape(step.type), type_of, "Arguments", given)
    if step.property_files:
        outputs = (step.arguments.get("ProcessingOutputConfig") or {}).get("Outputs") or []
        names = [output["OutputName"] for output in outputs]
        for name, file in step.property_files.items():
            if file["OutputName"] not in names:
                yield f"property file '{name}' is in the output '{file['OutputName']}', which does not exist"


def _check_expressions(value: Any, definition: Definition) -> Iterator[str]:
    if is_expression(value):
        _type(value, definition)
    elif isinstance(value, list | dict):
        for element in value.values() if isinstance(value, dict) else value:
            yield from _check_expressions(element, definition)


def _type(expression: dict[str, Any], definition: Definition) -> str:
    """The type of an expression whose references all lead somewhere; ExpressionError where one does not."""
    kind, body = next(iter(expression.items()))
    if kind == "Get":
        return _reference_type(parse_reference(body), definition)
    check_function(kind, body)
    if kind == JOIN:
        for value in body["Values"]:
            for reason in _check_expressions(value, definition):
                raise ExpressionError(reason)
        return "string"
    if "PropertyFile" in body:
        target = property_file_reference(body["PropertyFile"])
        if target.file not in definition.steps[target.name].property_files:
            raise ExpressionError(f"Step '{target.name}' has no property file '{target.file}'")
    elif is_expression(body["S3Uri"]):
        _type(body["S3Uri"], definition)
    return "any"


def _reference_type(reference: Reference, definition: Definition) -> str:
    if reference.root == "Parameters":
        if reference.name not in definition.parameters:
            raise ExpressionError(f"Parameter '{reference.name}' is not defined in the pipeline")
        return definition.parameters[reference.name].type.lower()
    if reference.root == "Execution":
        if reference.name not in EXECUTION_VARIABLES:
            raise ExpressionError(f"There is no execution variable '{reference.name}'")
        return "string"
    if reference.root == "PropertyFiles":
        raise ExpressionError(f"Property file '{reference.file}' can only be read by Std:JsonGet")
    step = definition.steps[reference.name]
    if step.type == "Condition" and reference.path == ("Outcome",):
        return "string"
    if step.type not in CALLS:
        raise ExpressionError(f"A step of type {step.type} ('{step.name}') has no properties")
    try:
        return arguments.type_at(property_shape(step.type), reference.path)
    except PathError as error:
        raise ExpressionError(f"Invalid property reference to step '{step.name}': {error}") from None
