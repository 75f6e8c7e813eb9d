"""Fixtures of the CloudFormation tests."""

from __future__ import annotations

import pytest

from tests.sandbox.cloudformation.stacks import Stacks
from tests.sandbox_process import SandboxProcess


@pytest.fixture
def stacks(sandbox: SandboxProcess) -> Stacks:
    """CloudFormation as the account's root."""
    return Stacks(sandbox.client("cloudformation"))
