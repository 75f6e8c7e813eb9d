"""The CDK's own command line, at the pinned version: the portfolio's stack deployed, changed, deleted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.node import node_in_wheel
from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
VERSION = "2.1148.1"
STACK = "sagemaker-templates-portfolio"
TEAM, ENGINEER = "arn:aws:iam::123456789012:user/team", "arn:aws:iam::123456789012:user/engineer"


@pytest.fixture(scope="module")
def program() -> Path:
    """The command line, fetched once; skipped where npm or its registry is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagemaker-mlops-templates"
    folder = cache / "tests" / f"aws-cdk-{VERSION}"
    found = folder / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if found.exists():
        return found
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches the CDK's command line, is not installed")
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--fetch-retries=0"]
    fetched = subprocess.run([*command, f"aws-cdk@{VERSION}"], cwd=unfinished, capture_output=True, text=True)
    if fetched.returncode:
        shutil.rmtree(unfinished)
        pytest.skip(f"npm's registry does not answer: {fetched.stderr.strip()[-200:]}")
    unfinished.rename(folder)
    return found


@pytest.fixture(scope="module")
def own_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """There is one portfolio in a region: this one is nobody else's."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


class Cdk:
    def __init__(self, sandbox: SandboxProcess, program: Path, output: Path) -> None:
        node = os.environ.get("JSII_NODE") or node_in_wheel() or shutil.which("node")
        self._sandbox, self._command = (
            sandbox,
            (str(node), str(program), "--no-notices", "--output", str(output)),
        )

    def __call__(self, *arguments: str, app: str | None = None) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        variables = {"PATH": path, "CI": "1", "CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_VALIDATION": "false"}
        more = ("--app", app) if app else ()
        return self._sandbox.run(
            *self._command, *arguments, *more, principal="admin", cwd=ROOT, env=variables
        )


@pytest.mark.clients
@pytest.mark.timeout(300)
def test_the_portfolio_by_the_cdk(own_sandbox: SandboxProcess, program: Path, tmp_path: Path) -> None:
    cdk = Cdk(own_sandbox, program, tmp_path / "cdk.out")
    listed = cdk("list")
    assert listed.returncode == 0 and STACK in listed.stdout.split(), listed.stderr
    publish = own_sandbox.run(sys.executable, "-m", "cli", "publish", "--principal", TEAM, cwd=ROOT)
    assert publish.returncode == 0, publish.stderr
    cloudformation = own_sandbox.client("cloudformation", "admin")
    access = f"principals={TEAM},{ENGINEER}"
    # What `mlops publish` made is the stack of the CDK: with another principal, there is that one to add.
    changed = cdk("diff", STACK, "--fail", "-c", access)
    assert (
        changed.returncode == 1
        and "[+] AWS::ServiceCatalog::PortfolioPrincipalAssociation" in changed.stdout + changed.stderr
    )
    deployed = cdk("deploy", STACK, "--require-approval", "never", "-c", access)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    same = cdk("diff", STACK, "--fail", "-c", access)
    assert same.returncode == 0, same.stdout + same.stderr
    destroyed = cdk("destroy", STACK, "--force")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    again = cdk("deploy", STACK, "--require-approval", "never", "-c", access)
    assert again.returncode == 0, again.stdout + again.stderr
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    told = deployed.stdout + deployed.stderr
    assert all(output["OutputKey"] in told for output in stack["Outputs"])
