"""Operations by the names of AWS's Java SDK: requests made of JSON and answers made JSON, by the models."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.sdk_names import botocore_service, pascal


class UnknownMember(ValueError):
    """The operation has no such member."""


def operation_name(model: Any, action: str) -> str | None:
    """`createSolution` → `CreateSolution`, as the service's model writes it."""
    wanted = action.lower()
    return next((name for name in model.operation_names if name.lower() == wanted), None)


def to_request(shape: Any, given: Any, path: str = "") -> Any:
    """Members in the model's own case; texts where the model wants texts. UnknownMember."""
    if shape is None:
        return {}
    match shape.type_name:
        case "structure" if isinstance(given, dict) and not getattr(shape, "is_document_type", False):
            folded = {name.lower(): name for name in shape.members}
            unknown = [name for name in given if name.lower() not in folded]
            if unknown:
                raise UnknownMember(f"The field '{unknown[0]}' is not supported by Step Functions")
            return {
                folded[name.lower()]: to_request(shape.members[folded[name.lower()]], item, f"{path}/{name}")
                for name, item in given.items()
                if item is not None
            }
        case "list" if isinstance(given, list):
            return [to_request(shape.member, item, path) for item in given]
        case "map" if isinstance(given, dict):
            return {key: to_request(shape.value, item, path) for key, item in given.items()}
        case "string" | "blob":
            return _text(given) if given is not None else None
        case "timestamp":
            return datetime.fromtimestamp(given, UTC) if isinstance(given, int | float) else given
        case "integer" | "long" if isinstance(given, float) and given.is_integer():
            return int(given)
    return given


def _text(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, separators=(",", ":"), ensure_ascii=False)


def from_answer(shape: Any, value: Any, *, millis: bool = False) -> Any:
    """An answer as Step Functions shows it: Pascal case, blobs and timestamps (or milliseconds) as text."""
    if value is None:
        return None
    if shape is None:
        return {}
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            return {
                pascal(name): from_answer(shape.members[name], item, millis=millis)
                for name, item in value.items()
                if name in shape.members
            }
        case "list":
            return [from_answer(shape.member, item, millis=millis) for item in value]
        case "map":
            return {key: from_answer(shape.value, item, millis=millis) for key, item in value.items()}
        case "timestamp":
            seconds = value.timestamp() if isinstance(value, datetime) else float(value)
            return round(seconds * 1000) if millis else _iso(seconds)
        case "blob":
            data = value.read() if hasattr(value, "read") else value
            return data.decode("utf-8", "replace") if isinstance(data, bytes | bytearray) else data
    return value


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True)
class Operation:
    """One operation of a service, with the shapes of its request and answer.

    `errors`: code → the name of its shape; `idempotency`: the member by which a repeated request is told.
    """

    service: str
    name: str
    input: Any
    output: Any
    errors: Mapping[str, str]
    idempotency: str | None


@functools.lru_cache(256)
def operation_of(service: str, action: str) -> Operation | None:
    """By botocore's service name and the action in any case; None where there is no such operation."""
    model = _model(service)
    name = operation_name(model, action)
    if name is None:
        return None
    found = model.operation_model(name)
    members = found.input_shape.members if found.input_shape else {}
    token = next((key for key, shape in members.items() if shape.metadata.get("idempotencyToken")), None)
    if token is None:
        token = next((key for key in members if key.lower() in _TOKENS), None)
    codes = {shape.name: shape.name for shape in found.error_shapes}
    codes |= {
        shape.metadata.get("error", {}).get("code", shape.name): shape.name for shape in found.error_shapes
    }
    return Operation(service, name, found.input_shape, found.output_shape, codes, token)


_TOKENS = frozenset({"clientrequesttoken", "clienttoken", "idempotencytoken"})
"""Members by which services tell a repeated request, marked as such in the model or not."""


@functools.cache
def _model(service: str) -> Any:
    import botocore.session

    return botocore.session.Session().get_service_model(service)


def operation_of_id(service_id: str, action: str) -> Operation | None:
    """By the SDK's service id (`sfn`); None where there is no such service or operation."""
    service = botocore_service(service_id)
    return operation_of(service, action) if service else None


def service_id(service: str) -> str:
    """`stepfunctions` → `SFN`."""
    return str(_model(service).metadata.get("serviceId", service))
