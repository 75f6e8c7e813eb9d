"""A short version of `make endurance`: one loop killed again and again, then a few projects at once.

The first takes a minute and is left to that target.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endurance import crowd
from tests.endurance.hundred import published
from tests.endurance.killed_loop import KilledLoop, failed_tasks, server_errors
from tests.endurance.killing import plan
from tests.endurance.patient import PatientSandbox

pytestmark = [pytest.mark.loop, pytest.mark.timeout(400)]
STAGES = ("provision", "build", "train", "staging", "production")
SEED, KILLS = 32, 6


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PatientSandbox]:
    process = PatientSandbox(tmp_path_factory.mktemp("endurance"))
    yield process
    process.stop()


@pytest.mark.endurance
def test_nothing_is_lost_and_nothing_doubled_by_kills(sandbox: PatientSandbox, tmp_path: Path) -> None:
    loop = KilledLoop(sandbox, tmp_path, SEED, plan(SEED, KILLS, STAGES), only_the_seed=True)
    loop.run()
    assert len(loop.kills) == KILLS
    assert loop.lost == [] and loop.doubled == []
    assert failed_tasks(sandbox) == [] and server_errors(sandbox) == []


def test_projects_that_build_at_once_keep_apart(sandbox: PatientSandbox, tmp_path: Path) -> None:
    result = crowd.run(sandbox, tmp_path, published(sandbox), projects=3, commits=2)
    assert result.wrong == []
    assert result.executions == 6
