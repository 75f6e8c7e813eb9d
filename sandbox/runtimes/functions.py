"""Lambda's runtimes: which there are, and the command that runs a function's process.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html and
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.processes import Command
from sandbox.runtimes.environments import Environment, ensure
from sandbox.runtimes.images import LOCKS, Runtime

PYTHONS = ("python3.11", "python3.12", "python3.13")
"""Runtimes that run: each on the machine's own Python."""

PROGRAM = Path(__file__).parent / "containers" / "lambda_python.py"

UNUSED = 192 * 2**20
"""Bytes that a process may reserve beyond its memory without using them (stacks of threads, arenas)."""


@dataclass(frozen=True)
class Package:
    """What a function's process finds: its code (`/var/task`), the layers' contents (`/opt`), its own `/tmp`
    and the pipes."""

    task: Path
    layers: Path | None
    temporary: Path
    requests: Path
    responses: Path


@functools.cache
def environment() -> Environment:
    """The runtime's own libraries (boto3). Built once, tens of seconds. Raises EnvironmentFailed."""
    return ensure(Runtime("lambda-python", "lambda", "3.12", LOCKS / "lambda-python.txt"))


def function_command(
    runtime: str,
    package: Package,
    *,
    mark: str,
    variables: Mapping[str, str],
    memory: int,
    file_size: int,
    on_line: Callable[[str], None],
) -> Command:
    """The process of one execution environment. `memory` in bytes; `file_size`: bytes of the largest file;
    `mark`: the line of output that follows whatever one event printed."""
    own = environment()
    python_path = [variables["PYTHONPATH"]] if variables.get("PYTHONPATH") else []
    if package.layers:
        python_path = [
            str(package.layers / "python" / "lib" / runtime / "site-packages"),
            str(package.layers / "python"),
            *python_path,
        ]
    path = [str(own.bin)]
    path += [str(package.layers / "bin")] if package.layers else []
    fixed = {
        "PATH": ":".join([*path, "/usr/local/bin", "/usr/bin", "/bin"]),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(package.temporary),
        "HOME": str(package.temporary),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "LAMBDA_TASK_ROOT": str(package.task),
        "LAMBDA_RUNTIME_DIR": str(own.path),
    }
    return Command(
        [str(own.python), str(PROGRAM), str(package.requests), str(package.responses), mark],
        cwd=package.task,
        env=fixed | dict(variables) | {"PYTHONPATH": ":".join([str(package.task), *python_path])},
        on_line=on_line,
        data=memory + UNUSED,
        file_size=file_size,
        seen=[package.requests.parent, *([package.layers] if package.layers else [])],
    )
