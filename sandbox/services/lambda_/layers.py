"""Layers: zips that are put under `/opt` of the functions that name them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.lambda_ import packages
from sandbox.services.lambda_.configuration import LAYERS
from sandbox.services.lambda_.names import SERVICE, invalid
from sandbox.services.lambda_.records import timestamp

_ARN = re.compile(r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([A-Za-z0-9_-]+)(?::(\d+))?")


def _name(call: Call, given: str) -> str:
    match = _ARN.fullmatch(given)
    if match is None:
        return given
    if match[1] != call.region or match[2] != call.account:
        raise _missing(given)
    return match[3]


def _missing(what: str) -> AwsError:
    return AwsError(
        "ResourceNotFoundException", f"The resource you requested does not exist: {what}", Type="User"
    )


def check_layers(call: Call, arns: list[str], code_size: int) -> None:
    """InvalidParameterValueException for layers that are not there, or too many or too large ones."""
    if len(arns) > LAYERS:
        raise invalid(f"Layers are limited to {LAYERS}.")
    total = code_size
    for arn in arns:
        match = _ARN.fullmatch(arn)
        if match is None or not match[4]:
            raise invalid(f"Layer version {arn} is not a valid layer version ARN.")
        record = call.records("layer").get(f"{match[3]}:{match[4]}") if match[2] == call.account else None
        if record is None:
            raise invalid(f"Layer version {arn} does not exist.")
        total += record["unzipped"]
    if total > packages.UNZIPPED:
        raise invalid(
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{packages.UNZIPPED} bytes. The actual size is {total} bytes."
        )


def layer_zips(engine: Engine, account: str, region: str, arns: list[str]) -> list[str]:
    """The packages of these layer versions; they stay with functions that use them when deleted."""
    records = engine.records(account, region, SERVICE, "layer")
    return [record["zip"] for arn in arns if (record := records.get(arn.split(":layer:")[1])) is not None]


def layer_sizes(call: Call, record: dict[str, Any]) -> dict[str, int]:
    sizes = {}
    for arn in record["config"].get("Layers") or []:
        layer = call.records("layer").get(arn.split(":layer:")[1])
        sizes[arn] = layer["size"] if layer else 0
    return sizes


@operation(SERVICE, "PublishLayerVersion")
def publish_layer_version(
    call: Call, LayerName: str, Content: dict[str, Any], **members: Any
) -> dict[str, Any]:
    name = _name(call, LayerName)
    data = packages.take(call, Content)
    identifier = packages.keep(call.engine, data)
    with call.engine.store.transaction():
        last = call.records("layer-name").get(name) or {"last": 0}
        number = last["last"] + 1
        call.records("layer-name").put(name, {"name": name, "last": number})
        record = {
            "name": name,
            "version": number,
            "zip": identifier,
            "size": len(data),
            "unzipped": packages.size(call.engine, identifier),
            "sha256": packages.digest(data),
            "created": timestamp(call.engine.clock.now()),
            "deleted": False,
        } | {
            member: members[member]
            for member in ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")
            if members.get(member)
        }
        call.records("layer").put(f"{name}:{number}", record)
    return _detail(call, record)


def _summary(call: Call, record: dict[str, Any]) -> dict[str, Any]:
    answer = {
        "LayerVersionArn": call.arn(f"layer:{record['name']}:{record['version']}"),
        "Version": record["version"],
        "CreatedDate": record["created"],
    }
    for member in ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"):
        if member in record:
            answer[member] = record[member]
    return answer


def _detail(call: Call, record: dict[str, Any]) -> dict[str, Any]:
    content = {"CodeSha256": record["sha256"], "CodeSize": record["size"]}
    return _summary(call, record) | {"LayerArn": call.arn(f"layer:{record['name']}"), "Content": content}


def _get(call: Call, name: str, number: int) -> dict[str, Any]:
    record = call.records("layer").get(f"{name}:{number}")
    if record is None or record["deleted"]:
        raise _missing(call.arn(f"layer:{name}:{number}"))
    return record


@operation(SERVICE, "GetLayerVersion")
def get_layer_version(call: Call, LayerName: str, VersionNumber: int) -> dict[str, Any]:
    return _detail(call, _get(call, _name(call, LayerName), VersionNumber))


@operation(SERVICE, "GetLayerVersionByArn")
def get_layer_version_by_arn(call: Call, Arn: str) -> dict[str, Any]:
    match = _ARN.fullmatch(Arn)
    if match is None or not match[4]:
        raise invalid(f"{Arn} is not a valid layer version ARN.")
    return _detail(call, _get(call, _name(call, Arn), int(match[4])))


@operation(SERVICE, "DeleteLayerVersion")
def delete_layer_version(call: Call, LayerName: str, VersionNumber: int) -> dict[str, Any]:
    """Functions that use it keep it, as on AWS; nobody else finds it any more."""
    key = f"{_name(call, LayerName)}:{VersionNumber}"
    with call.engine.store.transaction():
        record = call.records("layer").get(key)
        if record is not None:
            call.records("layer").put(key, record | {"deleted": True})
    return {}


@operation(SERVICE, "ListLayerVersions")
def list_layer_versions(
    call: Call,
    LayerName: str,
    CompatibleRuntime: str | None = None,
    CompatibleArchitecture: str | None = None,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    found = _matching(call, f"{_name(call, LayerName)}:", CompatibleRuntime, CompatibleArchitecture)
    chosen, token = page(found, Marker, MaxItems or 50, error="InvalidParameterValueException")
    items = [_summary(call, record) for record in chosen]
    return {"LayerVersions": items} | ({"NextMarker": token} if token else {})


@operation(SERVICE, "ListLayers")
def list_layers(
    call: Call,
    CompatibleRuntime: str | None = None,
    CompatibleArchitecture: str | None = None,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    newest: dict[str, dict[str, Any]] = {}
    for record in _matching(call, "", CompatibleRuntime, CompatibleArchitecture):
        newest.setdefault(record["name"], record)
    chosen, token = page(
        list(newest.values()), Marker, MaxItems or 50, error="InvalidParameterValueException"
    )
    items = [
        {
            "LayerName": record["name"],
            "LayerArn": call.arn(f"layer:{record['name']}"),
            "LatestMatchingVersion": _summary(call, record),
        }
        for record in chosen
    ]
    return {"Layers": items} | ({"NextMarker": token} if token else {})


def _matching(call: Call, prefix: str, runtime: str | None, architecture: str | None) -> list[dict[str, Any]]:
    """Newest first."""
    return [
        record
        for record in reversed(call.records("layer").list(prefix))
        if not record["deleted"]
        and (runtime is None or runtime in record.get("CompatibleRuntimes", []))
        and (architecture is None or architecture in record.get("CompatibleArchitectures", []))
    ]
