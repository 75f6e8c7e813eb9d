"""Aliases: names for versions, with a second version for a part of the events if wanted.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
"""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, invalid, named, not_found
from sandbox.services.lambda_.records import check_revision, get_function, version_of

_SHOWN = ("Name", "FunctionVersion", "Description", "RevisionId")


def _shown(call: Call, function: str, alias: dict[str, Any]) -> dict[str, Any]:
    answer = {member: alias[member] for member in _SHOWN if member in alias}
    answer["AliasArn"] = function_arn(call, function, alias["Name"])
    if alias["weights"]:
        answer["RoutingConfig"] = {"AdditionalVersionWeights": alias["weights"]}
    return answer


def _get(call: Call, function: str, name: str) -> dict[str, Any]:
    get_function(call, Named(function))
    alias = call.records("alias").get(f"{function}:{name}")
    if alias is None:
        raise AwsError(
            "ResourceNotFoundException",
            f"Cannot find alias arn: {function_arn(call, function, name)}",
            Type="User",
        )
    return alias


def _weights(call: Call, function: str, version: str, routing: dict[str, Any] | None) -> dict[str, float]:
    _version(call, function, version)
    weights: dict[str, float] = (routing or {}).get("AdditionalVersionWeights") or {}
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if weights and LATEST in (version, *weights):
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if version in weights:
        raise invalid(
            f"Invalid function version {version}. Function version {version} is already included in "
            "routing configuration."
        )
    for other, weight in weights.items():
        _version(call, function, other)
        if not 0 <= weight <= 1:
            raise invalid(f"Weight of version {other} must be between 0.0 and 1.0.")
    return weights


def _version(call: Call, function: str, version: str) -> None:
    """A version by its number: an alias cannot stand for another."""
    if version != LATEST and call.records("version").get(f"{function}:{version}") is None:
        raise not_found(function_arn(call, function, version))
    version_of(call, Named(function, version))


@operation(SERVICE, "CreateAlias")
def create_alias(
    call: Call,
    FunctionName: str,
    Name: str,
    FunctionVersion: str,
    Description: str = "",
    RoutingConfig: dict[str, Any] | None = None,
) -> dict[str, Any]:
    function = named(call, FunctionName).name
    with call.engine.store.transaction():
        get_function(call, Named(function))
        if call.records("alias").get(f"{function}:{Name}"):
            arn = function_arn(call, function, Name)
            raise AwsError("ResourceConflictException", f"Alias already exists: {arn}", Type="User")
        alias = {
            "Name": Name,
            "FunctionVersion": FunctionVersion,
            "Description": Description,
            "weights": _weights(call, function, FunctionVersion, RoutingConfig),
            "RevisionId": str(uuid.uuid4()),
        }
        call.records("alias").put(f"{function}:{Name}", alias)
    return _shown(call, function, alias)


@operation(SERVICE, "UpdateAlias")
def update_alias(
    call: Call,
    FunctionName: str,
    Name: str,
    FunctionVersion: str | None = None,
    Description: str | None = None,
    RoutingConfig: dict[str, Any] | None = None,
    RevisionId: str | None = None,
) -> dict[str, Any]:
    function = named(call, FunctionName).name
    with call.engine.store.transaction():
        alias = _get(call, function, Name)
        check_revision(alias, RevisionId)
        version = FunctionVersion or alias["FunctionVersion"]
        kept = {"AdditionalVersionWeights": alias["weights"]} if RoutingConfig is None else RoutingConfig
        alias |= {"FunctionVersion": version, "weights": _weights(call, function, version, kept)}
        if Description is not None:
            alias["Description"] = Description
        alias["RevisionId"] = str(uuid.uuid4())
        call.records("alias").put(f"{function}:{Name}", alias)
    return _shown(call, function, alias)


@operation(SERVICE, "GetAlias")
def get_alias(call: Call, FunctionName: str, Name: str) -> dict[str, Any]:
    function = named(call, FunctionName).name
    return _shown(call, function, _get(call, function, Name))


@operation(SERVICE, "DeleteAlias")
def delete_alias(call: Call, FunctionName: str, Name: str) -> dict[str, Any]:
    """Deleting an alias that does not exist succeeds, as on AWS."""
    function = named(call, FunctionName).name
    with call.engine.store.transaction():
        get_function(call, Named(function))
        for kind in ("alias", "policy", "invoke-config"):
            call.records(kind).delete(f"{function}:{Name}")
    return {}


@operation(SERVICE, "ListAliases")
def list_aliases(
    call: Call,
    FunctionName: str,
    FunctionVersion: str | None = None,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    function = named(call, FunctionName).name
    get_function(call, Named(function))
    found = [
        alias
        for alias in call.records("alias").list(f"{function}:")
        if FunctionVersion in (None, alias["FunctionVersion"], *alias["weights"])
    ]
    chosen, token = page(found, Marker, MaxItems or 50, error="InvalidParameterValueException")
    items = [_shown(call, function, alias) for alias in chosen]
    return {"Aliases": items} | ({"NextMarker": token} if token else {})
