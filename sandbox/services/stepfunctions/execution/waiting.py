"""Who waits for what: requests for the end of an execution, branches for a job of another service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sandbox.services.stepfunctions.execution.run import Branch, Run

T = TypeVar("T")
_changed = threading.Condition()
_count = 0


def ended(run: Run) -> None:
    """Wakes requests that wait for the end of an execution, once it is durable."""
    run.engine.store.after_commit(notify)


def notify() -> None:
    """Has every waiter look again."""
    global _count
    with _changed:
        _count += 1
        _changed.notify_all()


def until(look: Callable[[], T | None], seconds: float) -> T | None:
    """The first answer of `look` that is not None, asked again after each notification.

    None when so many real seconds have passed.

    It looks without holding the lock: whoever notifies may hold the records' own.
    """
    deadline = time.monotonic() + seconds
    while True:
        with _changed:
            before = _count
        answer = look()
        left = deadline - time.monotonic()
        if answer is not None or left <= 0:
            return answer
        with _changed:
            if _count == before:
                _changed.wait(left)


def until_ended(run: Run, seconds: float) -> bool:
    """Blocks until an execution is over; False where it is not after so many real seconds."""
    return until(lambda: True if run.execution()["status"] != "RUNNING" else None, seconds) is True


def watch(run: Run, branch: Branch, resource: str) -> None:
    """Has the branch woken by events about a resource. To be called while writing the branch."""
    run.records("watch").put(f"{resource}|{run.task_key(branch['id'])}", {"task": run.task_key(branch["id"])})


def forget(run: Run, branch: Branch) -> None:
    resource = branch.get("job", {}).get("resource")
    if resource:
        run.records("watch").delete(f"{resource}|{run.task_key(branch['id'])}")
