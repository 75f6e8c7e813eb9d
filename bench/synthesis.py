"""CPU of one synthesis of the templates, by the process that `mlops publish` starts when sources changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.machine import temporary_folder
from bench.measure import Measure, Result, child_cpu_seconds, seconds

GOAL_SECONDS = 2.5
SOURCES = Path(__file__).resolve().parent.parent
CALLER = """
import sys
from template.synthesis import sources_digest, synthesise
synthesise(versions=["1.0.0"], principals=[], sources=sources_digest())
"""


def run(*, quick: bool) -> list[Result]:
    cpu: list[float] = []
    wall: list[float] = []
    with temporary_folder() as cache:
        synthesise(cache)  # whatever is compiled once
        for _ in range(2 if quick else 4):
            for path in (cache / "sagemaker-mlops-templates" / "synthesis").iterdir():
                path.rename(cache / f"{path.name}-{len(cpu)}")
            cpu.append(child_cpu_seconds(lambda: wall.append(seconds(lambda: synthesise(cache)))))
        cached = [seconds(lambda: synthesise(cache)) for _ in range(2)]
    return [
        Measure("synthesis, CPU", "s", cpu, GOAL_SECONDS, note="node and Python, start to end"),
        Measure("synthesis, wall", "s", wall),
        Measure("synthesis, nothing changed", "s", cached),
    ]


def synthesise(cache: Path) -> None:
    """In a process of its own, with a cache of its own: no earlier synthesis is found."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    subprocess.run([sys.executable, "-c", CALLER], cwd=SOURCES, env=environment, check=True)
