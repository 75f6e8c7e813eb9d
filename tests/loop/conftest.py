"""A sandbox with the portfolio published, and projects in it: each file of tests has its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loop.project import Project
from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
TEAM = "arn:aws:iam::123456789012:user/team"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One that nothing but this file uses: what is left in it in the end is its own."""
    process = SandboxProcess(tmp_path_factory.mktemp("loop"))
    yield process
    process.stop()


@pytest.fixture(scope="module")
def template(sandbox: SandboxProcess) -> dict[str, str]:
    """What the admin published: CreateProject's provisioning details."""
    done = sandbox.run(
        *(sys.executable, "-m", "cli", "publish", "--development", "--principal", TEAM, "--output", "json"),
        principal="admin",
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    published = json.loads(done.stdout)
    return {
        "ProductId": published["productId"],
        "ProvisioningArtifactId": published["provisioningArtifactId"],
    }


@pytest.fixture(scope="module")
def project(
    sandbox: SandboxProcess,
    template: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Project:
    """A project whose version 1, trained from the seed's commit, is in production."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    project = Project.create(sandbox, template, name, tmp_path_factory.mktemp(name))
    seed = project.head(project.names.model_build)
    project.build_succeeds(seed)
    project.deploy(project.approve(1))
    return project
