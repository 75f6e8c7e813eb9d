"""The records of secrets, and how requests name them: by name, ARN, or ARN without its random end.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
"""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import LOCATE, POLICIES, TAGS, AwsError

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Records

Record = dict[str, Any]
KIND = "secret"
"""Records by name: members of DescribeSecret, `Versions` by id, `Policy`."""

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
SUFFIX = 6
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:(?P<region>[^:]*):(?P<account>\d*):secret:(?P<name>.+)")


def new_arn(call: Call, name: str) -> str:
    """An ARN of AWS's form: the name, a hyphen and six random letters or digits."""
    letters = string.ascii_letters + string.digits
    return call.arn(f"secret:{name}-" + "".join(secrets.choice(letters) for _ in range(SUFFIX)))


def _lookup(records: Records, identifier: str) -> Record | None:
    match = _ARN.fullmatch(identifier)
    if match is None:
        return records.get(identifier)
    name = match["name"]
    record = records.get(name[: -SUFFIX - 1]) if len(name) > SUFFIX + 1 and name[-SUFFIX - 1] == "-" else None
    if record is not None and record["ARN"] == identifier:
        return record
    record = records.get(name)
    return record if record is not None and record["ARN"][: -SUFFIX - 1] == identifier else None


def find(call: Call, identifier: str, *, deleted: bool = False) -> Record:
    """The record of a secret. `deleted`: also one that is scheduled for deletion.

    AwsError ResourceNotFoundException where there is none, InvalidRequestException for a deleted one.
    """
    record = _lookup(call.records(KIND), identifier)
    if record is None:
        raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if "DeletedDate" in record and not deleted:
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return record


def put(call: Call, record: Record) -> None:
    call.records(KIND).put(record["Name"], record)


def with_stage(record: Record, stage: str) -> str | None:
    """The id of the version that carries a stage."""
    return next((key for key, item in record["Versions"].items() if stage in item["VersionStages"]), None)


def move_stage(record: Record, stage: str, to: str | None) -> None:
    """Puts a stage on one version and takes it from the one that had it. The version that loses AWSCURRENT
    becomes AWSPREVIOUS."""
    holder = with_stage(record, stage)
    if holder == to:
        return
    if holder is not None:
        record["Versions"][holder]["VersionStages"].remove(stage)
    if to is not None:
        record["Versions"][to]["VersionStages"].append(stage)
    if stage == CURRENT and holder is not None:
        move_stage(record, PREVIOUS, holder)


def _located(engine: Engine, account: str, region: str, identifier: str) -> str | None:
    record = _lookup(engine.records(account, region, "secretsmanager", KIND), identifier)
    return record["ARN"] if record else None


def _tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    record = _lookup(engine.records(account, region, "secretsmanager", KIND), arn)
    return dict(record["Tags"]) if record else {}


def _policy(engine: Engine, account: str, region: str, arn: str) -> str | None:
    record = _lookup(engine.records(account, region, "secretsmanager", KIND), arn)
    return record.get("Policy") if record else None


LOCATE["secretsmanager", KIND] = _located
TAGS["secretsmanager"] = _tags
POLICIES["secretsmanager"] = _policy
