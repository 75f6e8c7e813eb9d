"""A function's record, and what AWS shows of it.

`config` is what was asked for last, `live` what invocations run on: an update becomes live once its package
is unpacked. A published version is a record of its own, under `name:number`.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import TAGS, AwsError, Call
from sandbox.engine.store import Records
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, not_found

Record = dict[str, Any]


def functions(engine: Engine, account: str, region: str) -> Records:
    return engine.records(account, region, SERVICE, "function")


def versions(engine: Engine, account: str, region: str) -> Records:
    return engine.records(account, region, SERVICE, "version")


def aliases(engine: Engine, account: str, region: str) -> Records:
    return engine.records(account, region, SERVICE, "alias")


def get_function(call: Call, named: Named) -> Record:
    """The function itself, whatever the qualifier. ResourceNotFoundException."""
    record = call.records("function").get(named.name)
    if record is None:
        raise not_found(function_arn(call, named.name, named.qualifier))
    return record


def version_of(call: Call, named: Named) -> tuple[str, Record]:
    """(version, its record) that a qualifier stands for. ResourceNotFoundException."""
    function = get_function(call, named)
    qualifier = named.qualifier or LATEST
    if qualifier == LATEST:
        return LATEST, function
    alias = call.records("alias").get(f"{named.name}:{qualifier}")
    number = alias["FunctionVersion"] if alias else qualifier
    if number == LATEST:
        return LATEST, function
    record = call.records("version").get(f"{named.name}:{number}")
    if record is None:
        raise not_found(function_arn(call, named.name, qualifier))
    return number, record


def timestamp(now: float) -> str:
    """LastModified, as Lambda writes times."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def revise(call: Call, record: Record) -> None:
    """Marks a record as changed now."""
    record["RevisionId"] = str(uuid.uuid4())
    record["LastModified"] = timestamp(call.engine.clock.now())


def check_revision(record: Record, revision: str | None) -> None:
    if revision and revision != record["RevisionId"]:
        raise AwsError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias "
            "API to retrieve the latest Revision Id",
            Type="User",
        )


def shown(record: Record, version: str, arn: str, layer_sizes: dict[str, int]) -> dict[str, Any]:
    """FunctionConfiguration."""
    config = record["config"]
    answer = {
        "FunctionName": record["Name"],
        "FunctionArn": arn,
        "Version": version,
        "CodeSha256": record["code"]["sha256"],
        "CodeSize": record["code"]["size"],
        "State": record["State"],
        "LastUpdateStatus": record["LastUpdateStatus"],
        "RevisionId": record["RevisionId"],
        "LastModified": record["LastModified"],
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": {"RuntimeVersionArn": record["runtime_arn"]},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": log_group(record)},
    }
    for member in (
        "Runtime",
        "Role",
        "Handler",
        "Description",
        "Timeout",
        "MemorySize",
        "DeadLetterConfig",
        "KMSKeyArn",
        "TracingConfig",
        "EphemeralStorage",
        "Architectures",
        "PackageType",
    ):
        if config.get(member) is not None:
            answer[member] = config[member]
    if (config.get("Environment") or {}).get("Variables"):
        answer["Environment"] = {"Variables": config["Environment"]["Variables"]}
    if config.get("Layers"):
        answer["Layers"] = [{"Arn": item, "CodeSize": layer_sizes.get(item, 0)} for item in config["Layers"]]
    for member in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        if record.get(member):
            answer[member] = record[member]
    return answer


def log_group(record: Record) -> str:
    given = (record["config"].get("LoggingConfig") or {}).get("LogGroup")
    return given or f"/aws/lambda/{record['Name']}"


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    parts = arn.split(":")
    if len(parts) >= 7 and parts[5] == "function":
        record = functions(engine, account, region).get(parts[6])
    elif len(parts) == 7 and parts[5] == "event-source-mapping":
        record = engine.records(account, region, SERVICE, "mapping").get(parts[6])
    else:
        record = None
    return dict(record["tags"]) if record else {}


TAGS[SERVICE] = _tags
