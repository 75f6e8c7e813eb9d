"""What a target receives: the event, a part of it, a constant, or a template filled from it.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.engine.operations import AwsError

_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\]")
_MISSING = object()


def validate_input(target: dict[str, Any]) -> None:
    """ValidationException for an input that could never be delivered."""
    given = [member for member in ("Input", "InputPath", "InputTransformer") if target.get(member)]
    if len(given) > 1:
        raise AwsError(
            "ValidationException",
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}.",
        )
    if "Input" in given:
        _json(target["Input"], f"JSON syntax error in input for target {target['Id']}")
    if "InputPath" in given:
        _steps(target["InputPath"], target["Id"])
    if "InputTransformer" in given:
        transformer = target["InputTransformer"]
        paths = transformer.get("InputPathsMap", {})
        for name, path in paths.items():
            if name.startswith("AWS"):
                raise AwsError(
                    "ValidationException", f"InputPathsMap key {name} of target {target['Id']} is reserved."
                )
            _steps(path, target["Id"])
        for name in re.findall(r"<([^<>\s]+)>", transformer["InputTemplate"]):
            if name not in paths and not name.startswith("aws.events."):
                raise AwsError(
                    "ValidationException",
                    f"Invalid InputTemplate for target {target['Id']} : Input template placeholder <{name}> "
                    "is not in InputPathsMap.",
                )


def target_input(target: dict[str, Any], event: dict[str, Any], rule_arn: str, rule_name: str) -> str:
    """The text that is sent to the target."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        found = select(target["InputPath"], event)
        return json.dumps(None if found is _MISSING else found)
    if target.get("InputTransformer"):
        return _fill(target["InputTransformer"], event, rule_arn, rule_name)
    return json.dumps(event)


def select(path: str, event: Any) -> Any:
    """The value at a JSON path, `MISSING` where there is none."""
    value = event
    for step in _steps(path, ""):
        known = isinstance(value, list) and step < len(value) if isinstance(step, int) else _has(value, step)
        if not known:
            return _MISSING
        value = value[step]
    return value


def _has(value: Any, name: str) -> bool:
    return isinstance(value, dict) and name in value


def present(value: Any) -> bool:
    return value is not _MISSING


def _steps(path: str, target_id: str) -> list[str | int]:
    steps: list[str | int] = []
    position = 1
    while path.startswith("$") and position < len(path):
        match = _STEP.match(path, position)
        if not match:
            break
        steps.append(int(match[2]) if match[2] else match[1] or match[3])
        position = match.end()
    if not path.startswith("$") or position < len(path):
        raise AwsError("ValidationException", f"Invalid InputPath for target {target_id}: {path}")
    return steps


def _fill(transformer: dict[str, Any], event: dict[str, Any], rule_arn: str, rule_name: str) -> str:
    values: dict[str, Any] = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    for name, path in transformer.get("InputPathsMap", {}).items():
        values[name] = select(path, event)
    template: str = transformer["InputTemplate"]
    parts: list[str] = []
    position = 0
    for match in re.finditer(r"<([^<>\s]+)>", template):
        quoted = _inside_string(template, match.start())
        parts += [template[position : match.start()], _placed(values.get(match[1], _MISSING), quoted)]
        position = match.end()
    return "".join([*parts, template[position:]])


def _placed(value: Any, quoted: bool) -> str:
    """A value in a template. Inside quotes it becomes part of a string, outside it is JSON."""
    if value is _MISSING:
        return "" if quoted else '""'
    if not quoted:
        return json.dumps(value)
    return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]


def _inside_string(template: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1


def _json(text: str, problem: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise AwsError("ValidationException", f"{problem}: {error}") from error
