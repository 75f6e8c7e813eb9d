"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandbox.gateway import witness
from tests.sandbox_process import SandboxProcess

# Every sandbox of the tests reads its own answers back: see SandboxProcess.stop.
os.environ[witness.VARIABLE] = "1"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox process of this test run. AWS's own waits pass 600 times faster in it."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()
