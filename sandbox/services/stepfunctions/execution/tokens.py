"""Task tokens: what callbacks and activity workers answer to."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from sandbox.services.stepfunctions.execution import waiting
from sandbox.services.stepfunctions.execution.run import Branch, Run

CLOSED = {"status": "CLOSED"}


def new() -> str:
    return "AQC" + base64.b64encode(secrets.token_bytes(192)).decode()


def put(run: Run, branch: Branch, activity: str | None) -> None:
    """Opens the branch's token. To be called while writing the branch."""
    record = {
        "status": "OPEN",
        "task": run.task_key(branch["id"]),
        "beat": run.engine.clock.now(),
        "input": branch["call"]["given"] if activity else None,
        "activity": activity,
    }
    run.records("token").put(branch["token"], record)
    if activity:
        run.records("queue").put(f"{activity}|{branch['token']}", {"token": branch["token"]})
        run.engine.store.after_commit(waiting.notify)


def get(run: Run, token: str) -> dict[str, Any]:
    return run.records("token").get(token) or dict(CLOSED)


def close(run: Run, token: str) -> None:
    """Later answers are told that the task has timed out."""
    record = run.records("token").get(token)
    run.records("token").put(token, dict(CLOSED))
    if record is not None and record.get("activity"):
        run.records("queue").delete(f"{record['activity']}|{token}")
