"""Deletion with a recovery window, and what takes it back.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.tasks import Again, task
from sandbox.services.secretsmanager.records import KIND, Record, find, put

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

DAY = 86400.0
WINDOW = 30
"""Days a deleted secret can be restored unless the request says otherwise; 7 at least."""


@operation("secretsmanager", "DeleteSecret")
def delete_secret(
    call: Call,
    SecretId: str,
    RecoveryWindowInDays: int | None = None,
    ForceDeleteWithoutRecovery: bool = False,
) -> Record:
    if ForceDeleteWithoutRecovery and RecoveryWindowInDays is not None:
        raise AwsError(
            "InvalidParameterException",
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        )
    days = WINDOW if RecoveryWindowInDays is None else RecoveryWindowInDays
    if not 7 <= days <= 30:
        raise AwsError(
            "InvalidParameterException",
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        )
    now = call.engine.clock.now()
    with call.engine.store.transaction():
        record = find(call, SecretId, deleted=ForceDeleteWithoutRecovery)
        if ForceDeleteWithoutRecovery:
            call.records(KIND).delete(record["Name"])
            ends = now
        else:
            ends = now + call.engine.clock.scaled(days * DAY)
            record["DeletedDate"] = now
            record["Ends"] = ends
            put(call, record)
            where = {"account": call.account, "region": call.region}
            call.engine.tasks.submit(
                "secretsmanager.delete", record["ARN"], where | {"name": record["Name"]}, after=ends - now
            )
    return {"ARN": record["ARN"], "Name": record["Name"], "DeletionDate": ends}


@task("secretsmanager.delete")
def end(engine: Engine, key: str, payload: dict[str, Any]) -> None | Again:
    """Forgets a secret whose recovery window has passed, unless it was restored meanwhile."""
    records = engine.records(payload["account"], payload["region"], "secretsmanager", KIND)
    with engine.store.transaction():
        record = records.get(payload["name"])
        if record is None or record["ARN"] != key or "Ends" not in record:
            return None
        left = record["Ends"] - engine.clock.now()
        if left > 0:  # deleted anew after it was restored
            return Again(after=left)
        records.delete(payload["name"])
    return None


@operation("secretsmanager", "RestoreSecret")
def restore_secret(call: Call, SecretId: str) -> Record:
    with call.engine.store.transaction():
        record = find(call, SecretId, deleted=True)
        record.pop("DeletedDate", None)
        record.pop("Ends", None)
        put(call, record)
    return {"ARN": record["ARN"], "Name": record["Name"]}
