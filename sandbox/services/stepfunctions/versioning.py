"""Versions and aliases: what a qualified ARN runs.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from sandbox.engine.operations import AwsError, Call

VERSIONS = 1000
"""Versions a machine."""


@dataclass(frozen=True)
class Chosen:
    """`record`: the machine or version to run; the ARNs are of version and alias, where one was named."""

    record: dict[str, Any]
    version_arn: str | None = None
    alias_arn: str | None = None


def publish(call: Call, record: dict[str, Any], description: str | None) -> dict[str, Any]:
    """The machine as it is, as a version; the newest one where nothing has changed since.

    To be called in a transaction.
    """
    existing = versions_of(call, record["name"])
    if existing and existing[-1]["revision"] == record["revision"]:
        return existing[-1]
    if len(existing) >= VERSIONS:
        raise AwsError(
            "ServiceQuotaExceededException", "The number of versions of the state machine is over the quota"
        )
    number = int(record["versions"]) + 1
    record["versions"] = number
    call.records("machine").put(record["name"], record)
    version = {name: record[name] for name in ("definition", "roleArn", "logging", "tracing", "encryption")}
    version |= {
        "number": number,
        "arn": f"{record['arn']}:{number}",
        "created": call.engine.clock.now(),
        "revision": record["revision"],
        "description": description,
    }
    call.records("version").put(f"{record['name']}:{number}", version)
    return version


def versions_of(call: Call, machine: str) -> list[dict[str, Any]]:
    """Oldest first."""
    return sorted(call.records("version").list(f"{machine}:"), key=lambda version: version["number"])


def aliases_of(call: Call, machine: str) -> list[dict[str, Any]]:
    return sorted(call.records("alias").list(f"{machine}:"), key=lambda alias: alias["name"])


def resolve(call: Call, record: dict[str, Any], qualifier: str | None, text: str) -> Chosen:
    """What a machine's ARN with this qualifier runs; an alias chooses by its weights."""
    if qualifier is None:
        return Chosen(record)
    if qualifier.isdigit():
        version = call.records("version").get(f"{record['name']}:{qualifier}")
        if version is not None:
            return Chosen(version, version["arn"])
    alias = call.records("alias").get(f"{record['name']}:{qualifier}")
    if alias is None:
        raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{text}'")
    routes = alias["routes"]
    arn = random.choices(
        [item["stateMachineVersionArn"] for item in routes], [item["weight"] for item in routes]
    )[0]
    version = call.records("version").get(f"{record['name']}:{arn.rpartition(':')[2]}")
    if version is None:
        raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    return Chosen(version, arn, alias["arn"])
