"""A sandbox of the benchmarks' own, thrown away at the end; the user's sandbox is not looked at."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.access import Access, sandbox_access
from sandbox import control
from sandbox.state.client_files import environment
from sandbox.state.location import Running

CLOCK_RATE = 60.0
"""As `mlops sandbox start` sets it."""


@dataclass(frozen=True)
class Machine:
    """A running sandbox and its folder."""

    state: Path
    running: Running

    def variables(self, principal: str) -> dict[str, str]:
        """What `mlops sandbox env` prints."""
        return dict(environment(self.state, principal, self.running.region, self.running.url))

    def access(self, principal: str = "root") -> Access:
        return sandbox_access(self.variables(principal))

    @property
    def resident_megabytes(self) -> float:
        """Memory of the sandbox's process alone, without the builds, jobs and model servers it runs."""
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
        return int(kilobytes) / 1024

    def role(self, name: str, *actions: str) -> str:
        """ARN of a new role that SageMaker may assume, for `actions` on everything here."""
        trusted = {"Effect": "Allow", "Action": "sts:AssumeRole"}
        trusted |= {"Principal": {"Service": "sagemaker.amazonaws.com"}}  # type: ignore[dict-item]
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        iam = self.access().client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trusted))["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="bench", PolicyDocument=_policy(allowed))
        return str(role["Arn"])


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def machine() -> Iterator[Machine]:
    """A sandbox that has just been started on an empty folder."""
    with temporary_folder() as state:
        running = control.start(state, port=0, clock_rate=CLOCK_RATE)
        try:
            yield Machine(state, running)
        finally:
            control.stop(state)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mlops-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
