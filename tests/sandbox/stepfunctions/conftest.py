"""Machines whose role may use parameters, events and other machines."""

from __future__ import annotations

import pytest

from tests.sandbox.stepfunctions.machines import Machines, allow
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def machines(sandbox: SandboxProcess) -> Machines:
    return Machines(
        sandbox,
        allow("ssm:*"),
        allow(["states:StartExecution", "states:DescribeExecution", "states:StopExecution"]),
        allow(["events:PutTargets", "events:PutRule", "events:DescribeRule", "events:PutEvents"]),
    )
