"""From `mlops sandbox start` to the first answer, on an empty folder."""

from __future__ import annotations

from bench.machine import machine, temporary_folder
from bench.measure import Measure, Result, seconds
from sandbox import control

GOAL_SECONDS = 3.0


def run(*, quick: bool) -> list[Result]:
    samples = []
    for _ in range(2 if quick else 5):
        with temporary_folder() as state:
            samples.append(seconds(lambda state=state: control.start(state, port=0)))  # type: ignore[misc]
            control.stop(state)
    with machine() as here:
        memory = here.resident_megabytes
    return [
        Measure("sandbox start", "s", samples, GOAL_SECONDS),
        Measure("sandbox memory, just started", "MB", [memory]),
    ]
