"""What a benchmark hands back: samples of one quantity, taken in turns with what it is compared to."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measure:
    """`goal`: the median should be at most this, or at least where `more` is better; None: only told.

    `unit` is shown behind the numbers: `s`, `ms`, `×`, `/s`, `MB`.
    """

    name: str
    unit: str
    samples: Sequence[float]
    goal: float | None = None
    more: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.median >= self.goal if self.more else self.median <= self.goal

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "min": min(self.samples),
            "max": max(self.samples),
            "samples": len(self.samples),
            "goal": self.goal,
            "better": "more" if self.more else "less",
            "met": self.met,
            "note": self.note,
        }


@dataclass(frozen=True)
class Failed:
    """A benchmark that could not be run, and why."""

    name: str
    cause: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "failed": self.cause}


Result = Measure | Failed


@dataclass
class Turns:
    """Samples of several things taken in turns, so that a slow moment of the machine meets all of them."""

    samples: dict[str, list[float]] = field(default_factory=dict)

    def take(self, rounds: int, **things: Callable[[], float]) -> Turns:
        """Each thing returns one sample; it is called once a round."""
        for _ in range(rounds):
            for name, thing in things.items():
                self.samples.setdefault(name, []).append(thing())
        return self

    def ratio(self, above: str, below: str) -> list[float]:
        """One ratio a round: both samples were taken next to each other."""
        return [a / b for a, b in zip(self.samples[above], self.samples[below], strict=True)]


def seconds(thing: Callable[[], object]) -> float:
    """Seconds on the wall that `thing` takes."""
    began = time.perf_counter()
    thing()
    return time.perf_counter() - began


def child_cpu_seconds(thing: Callable[[], object]) -> float:
    """Seconds of CPU, user and system, of the processes that `thing` runs and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    thing()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU, user and system, that a process has used; other load on the machine hardly moves it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample that `share` (0 to 1) of all samples do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
