"""Set-up on a machine that has downloaded nothing yet: `make setup` in a fresh copy, with empty caches."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bench.machine import temporary_folder
from bench.measure import Measure, Result, seconds

GOAL_SECONDS = 120.0
CHECKOUT = Path(__file__).resolve().parent.parent
OWN = ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
"""Variables of the run that measures, which a fresh shell does not have."""


def run(*, quick: bool) -> list[Result]:
    with temporary_folder() as folder:
        copy = folder / "copy"
        _copy(copy)
        environment = {key: value for key, value in os.environ.items() if key not in OWN}
        for name in ("XDG_CACHE_HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR"):
            environment[name] = str(folder / "cache" / name)
        taken = seconds(lambda: subprocess.run(["make", "setup"], cwd=copy, env=environment, check=True))
        shown = seconds(lambda: subprocess.run([".venv/bin/mlops", "--version"], cwd=copy, check=True))
    note = f"downloads included; the first `mlops` then takes {shown:.1f} s"
    return [Measure("set-up, cold caches", "s", [taken], GOAL_SECONDS, note=note)]


def _copy(target: Path) -> None:
    """What the checkout holds now, as a clone would get it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        source = CHECKOUT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
