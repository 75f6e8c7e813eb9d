"""Kills a sandbox at seeded points, starts it again, and measures how long it takes to come back."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tests.endurance.machine import cpu_seconds
from tests.endurance.patient import PATIENCE, PatientSandbox

STAGES = (
    "publish",
    "provision",
    "push",
    "build",
    "train",
    "approve",
    "staging",
    "gate",
    "production",
    "serving",
)
USUAL_SECONDS = {
    "publish": 3.0,
    "provision": 2.5,
    "push": 1.0,
    "build": 5.0,
    "train": 5.0,
    "approve": 1.0,
    "staging": 5.0,
    "gate": 0.5,
    "production": 3.0,
    "serving": 1.0,
}
"""How long a stage takes when nothing is killed: moments by time are fractions of it."""
LONGEST_WAIT = 20.0
"""Seconds after which a count that is not reached is no longer waited for."""


@dataclass(frozen=True)
class Point:
    """When to kill: in `stage`, after so many record commits, acknowledged changes, or seconds, and `delay`."""

    stage: str
    by: str
    count: float
    delay: float


@dataclass(frozen=True)
class Kill:
    """One kill: what was under way, and seconds from the restart to an answer and to endpoints serving.

    `cpu`: seconds of CPU that the new process had used when it answered; others' work is no part of them.
    """

    point: Point
    stage: str
    tasks: tuple[str, ...]
    healthy: float
    cpu: float
    serving: float | None


def plan(seed: int, kills: int, stages: tuple[str, ...] = STAGES) -> list[Point]:
    """Points in the loop's order, spread over its stages."""
    chance = random.Random(seed)
    weights = [USUAL_SECONDS[stage] + 1.0 for stage in stages]
    chosen = sorted(chance.choices(range(len(stages)), weights, k=kills))
    return [_point(chance, stages[index]) for index in chosen]


def _point(chance: random.Random, stage: str) -> Point:
    by = chance.choice(("commit", "commit", "answer", "time"))
    usual = USUAL_SECONDS[stage]
    count = {
        "commit": float(chance.randint(1, int(20 * usual) + 2)),
        "answer": float(chance.randint(1, int(3 * usual) + 2)),
        "time": chance.random() * usual,
    }[by]
    return Point(stage, by, count, chance.choice((0.0, chance.random() * 0.02)))


class Commits:
    """Counts the commits of a record store from outside, by SQLite's data_version."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        self._seen = self._version()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def moved(self) -> bool:
        version = self._version()
        moved, self._seen = version != self._seen, version
        return moved

    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that are not done."""
        rows = self._connection.execute("SELECT key FROM record WHERE collection = 'engine/task'").fetchall()
        return tuple(sorted(row[0].partition("|")[0] for row in rows))

    def close(self) -> None:
        self._connection.close()


class Killer:
    """A thread that kills at each point and brings the sandbox back.

    `stage()`: the stage that the loop is in. `serving()`: names of the endpoints that are in service.
    `after()`: what is looked at after each restart.
    """

    def __init__(
        self,
        sandbox: PatientSandbox,
        points: list[Point],
        *,
        stage: Callable[[], str],
        serving: Callable[[], dict[str, str]],
        after: Callable[[], None],
    ) -> None:
        self._sandbox, self._points = sandbox, points
        self._stage, self._serving, self._after = stage, serving, after
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self._moved = threading.Condition()
        self.kills: list[Kill] = []
        self.error: BaseException | None = None
        self.stopped = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Waits for the last kill; raises what went wrong."""
        self._thread.join()
        if self.error:
            raise self.error

    def check(self) -> None:
        if self.error:
            raise self.error

    def _run(self) -> None:
        try:
            for point in self._points:
                self._await_stage(point)
                if self.stopped.is_set():
                    return
                self._await_moment(point)
                self._kill(point)
        except BaseException as error:  # noqa: BLE001 - told by join()
            self.error = error

    def _await_stage(self, point: Point) -> None:
        wanted = STAGES.index(point.stage)
        while STAGES.index(self._stage()) < wanted and not self.stopped.wait(0.005):
            continue

    def _await_moment(self, point: Point) -> None:
        commits = Commits(self._sandbox.state / "records.sqlite")
        deadline = time.monotonic() + (point.count if point.by == "time" else LONGEST_WAIT)
        first, seen = self._sandbox.answered, 0
        while time.monotonic() < deadline:
            seen += commits.moved()
            if point.by == "commit" and seen >= point.count:
                break
            if point.by == "answer" and self._sandbox.answered - first >= point.count:
                break
            time.sleep(0.0005)
        commits.close()
        time.sleep(point.delay)

    def _kill(self, point: Point) -> None:
        sandbox, stage, serving = self._sandbox, self._stage(), self._serving()
        sandbox.kill()
        commits = Commits(sandbox.state / "records.sqlite")
        tasks = commits.tasks()
        commits.close()
        began = time.monotonic()
        sandbox.start_again()
        sandbox.plain_client("sts").get_caller_identity()
        healthy, cpu = time.monotonic() - began, cpu_seconds(sandbox.running.pid)
        served = self._await_serving(serving, began) if serving else None
        self.kills.append(Kill(point, stage, tasks, healthy, cpu, served))
        self._after()

    def _await_serving(self, endpoints: dict[str, str], began: float) -> float:
        runtime = self._sandbox.plain_client("sagemaker-runtime")
        for name, row in endpoints.items():
            while True:
                try:
                    runtime.invoke_endpoint(EndpointName=name, Body=row, ContentType="text/csv")
                    break
                except (BotoCoreError, ClientError) as error:
                    if time.monotonic() - began > PATIENCE:
                        raise TimeoutError(f"endpoint {name} does not serve: {error}") from error
                    time.sleep(0.02)
        return time.monotonic() - began
