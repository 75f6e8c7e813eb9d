"""The Python of a build: a virtual environment of its own, of the sandbox's own interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox.runtimes.environments import Environment, create


def build_environment(folder: Path, python_version: str) -> Environment:
    create(folder, sys.executable)
    return Environment.at(folder)
