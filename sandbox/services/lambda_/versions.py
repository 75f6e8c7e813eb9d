"""Published versions: the code and configuration of one moment under a number.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.engine.pagination import page
from sandbox.services.lambda_.layers import layer_sizes
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, invalid, named
from sandbox.services.lambda_.records import check_revision, get_function, revise, shown


def publish(
    call: Call,
    name: str,
    description: str,
    code_sha: str | None = None,
    revision: str | None = None,
) -> dict[str, Any]:
    """The version that `$LATEST` becomes; the newest one where nothing has changed since."""
    with call.engine.store.transaction():
        function = get_function(call, Named(name))
        check_revision(function, revision)
        if code_sha and code_sha != function["code"]["sha256"]:
            raise invalid(
                f"CodeSHA256 ({code_sha}) is different from current CodeSHA256 in $LATEST "
                f"({function['code']['sha256']}). Please try again with the CodeSHA256 in $LATEST."
            )
        newest = call.records("version").get(f"{name}:{function['published']}")
        if newest is not None and _same(newest, function):
            version = newest
        else:
            function["published"] += 1
            number = str(function["published"])
            version = {
                member: function[member]
                for member in ("Name", "config", "code", "LastUpdateStatus", "runtime_arn", "live")
            }
            version |= {"Version": number, "State": function["State"], "of": dict(function["config"])}
            if function["State"] == "Pending" or function["LastUpdateStatus"] == "InProgress":
                version |= {"State": "Pending", "StateReason": "The function is being created."}
                version |= {"StateReasonCode": "Creating", "LastUpdateStatus": "Successful", "live": None}
            version["config"] = function["config"] | ({"Description": description} if description else {})
            revise(call, version)
            call.records("version").put(f"{name}:{number}", version)
            call.records("function").put(name, function)
    arn = function_arn(call, name, version["Version"])
    return shown(version, version["Version"], arn, layer_sizes(call, version))


def _same(version: dict[str, Any], function: dict[str, Any]) -> bool:
    return bool(version["of"] == function["config"] and version["code"] == function["code"])


@operation(SERVICE, "PublishVersion")
def publish_version(
    call: Call,
    FunctionName: str,
    CodeSha256: str | None = None,
    Description: str | None = None,
    RevisionId: str | None = None,
    PublishTo: str | None = None,
) -> dict[str, Any]:
    if PublishTo:
        raise invalid("PublishTo is not implemented in the sandbox.")
    return publish(call, named(call, FunctionName).name, Description or "", CodeSha256, RevisionId)


@operation(SERVICE, "ListVersionsByFunction")
def list_versions_by_function(
    call: Call, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
) -> dict[str, Any]:
    name = named(call, FunctionName).name
    function = get_function(call, Named(name))
    found = [(LATEST, function)]
    found += [(record["Version"], record) for record in call.records("version").list(f"{name}:")]
    chosen, token = page(found, Marker, min(MaxItems or 50, 50), error="InvalidParameterValueException")
    items = [
        shown(record, version, function_arn(call, name, version), layer_sizes(call, record))
        for version, record in chosen
    ]
    return {"Versions": items} | ({"NextMarker": token} if token else {})
