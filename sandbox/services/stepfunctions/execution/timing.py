"""Time-outs of executions.

A wait passes on the sandbox's clock, work takes the time it takes. So each branch counts the seconds that
would have passed on AWS: those of its waits, and the real ones of its work. `worked` is when it began to
count work.
"""

from __future__ import annotations

from sandbox.engine.tasks import Again
from sandbox.services.stepfunctions.execution.run import Branch, Run


def elapsed(run: Run, branch: Branch) -> float:
    """AWS's seconds since the execution began, as this branch counts them; a wait counts from its start."""
    waiting = branch["phase"] in ("wait", "backoff")
    work = 0.0 if waiting else run.engine.clock.now() - branch["worked"]
    return float(branch["elapsed"]) + work


def left(run: Run, branch: Branch) -> float | None:
    """Seconds of the execution's TimeoutSeconds that remain; None where there is none."""
    limit = run.details().get("timeout")
    return None if limit is None else float(limit) - elapsed(run, branch)


def out_of_time(run: Run, branch: Branch) -> bool:
    remaining = left(run, branch)
    if remaining is None:
        return False
    if branch["phase"] in ("wait", "backoff"):
        return bool(branch.get("overrun")) and branch["due"] <= run.engine.clock.now()
    return remaining <= 0


def begin_wait(run: Run, branch: Branch, seconds: float) -> Again:
    """Counts what was worked, and sets when a wait of so many of AWS's seconds is over.

    A wait beyond the execution's time-out ends where that does.
    """
    remaining = left(run, branch)
    overrun = remaining is not None and seconds > remaining
    length = max(0.0, remaining if overrun and remaining is not None else seconds)
    real = run.engine.clock.scaled(length)
    now = run.engine.clock.now()
    branch["elapsed"] = elapsed(run, branch) + length
    branch |= {"due": now + real, "worked": now + real, "overrun": overrun}
    return Again(real)
