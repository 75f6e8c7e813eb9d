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
APP = """
from pathlib import Path
from aws_cdk import App, CfnOutput, Stack, aws_lambda as functions

app = App(analytics_reporting=False)
stack = Stack(app, "clients-cdk")
code = functions.Code.from_asset(str(Path(__file__).parent / "function"))
function = functions.Function(
    stack, "Function", runtime=functions.Runtime.PYTHON_3_11, handler="main.handler", code=code
)
CfnOutput(stack, "Name", value=function.function_name)
app.synth()
"""
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
    """`cdk …` in the repository, or in another app's `folder`. `variables`: more of them than the shell has."""

    def __init__(self, sandbox: SandboxProcess, program: Path, output: Path, folder: Path = ROOT) -> None:
        node = os.environ.get("JSII_NODE") or node_in_wheel() or shutil.which("node")
        self._folder, self.variables = folder, {"JSII_NODE": str(node)}
        self._sandbox = sandbox
        self._command = (str(node), str(program), "--no-notices", "--output", str(output))

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        variables = {"PATH": path, "CI": "1", "CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_VALIDATION": "false"}
        done = self._sandbox.run(
            *self._command, *arguments, principal="admin", cwd=self._folder, env=variables | self.variables
        )
        assert not check or done.returncode == 0, f"cdk {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done


@pytest.mark.clients
@pytest.mark.timeout(300)
def test_the_portfolio_by_the_cdk(own_sandbox: SandboxProcess, program: Path, tmp_path: Path) -> None:
    cdk = Cdk(own_sandbox, program, tmp_path / "cdk.out")
    assert STACK in cdk("list").stdout.split()
    publish = own_sandbox.run(sys.executable, "-m", "cli", "publish", "--principal", TEAM, cwd=ROOT)
    assert publish.returncode == 0, publish.stderr
    cloudformation = own_sandbox.client("cloudformation", "admin")
    access = f"principals={TEAM},{ENGINEER}"
    # What `mlops publish` made is the stack of the CDK: with another principal, there is that one to add.
    changed = cdk("diff", STACK, "--fail", "-c", access, check=False)
    assert changed.returncode == 1
    assert "[+] AWS::ServiceCatalog::PortfolioPrincipalAssociation" in changed.stdout + changed.stderr
    deployed = cdk("deploy", STACK, "--require-approval", "never", "-c", access)
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    told = deployed.stdout + deployed.stderr
    assert all(output["OutputKey"] in told for output in stack["Outputs"])
    cdk("diff", STACK, "--fail", "-c", access)
    cdk("destroy", STACK, "--force")
    cdk("deploy", STACK, "--require-approval", "never", "-c", access)
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.clients
@pytest.mark.timeout(300)
def test_bootstrap_and_a_function_from_an_asset(
    own_sandbox: SandboxProcess, program: Path, tmp_path: Path
) -> None:
    """As somebody who may do everything: the CDK's own roles are assumed, and deploy."""
    iam, name = own_sandbox.client("iam"), "clients-cdk"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "function").mkdir()
    (tmp_path / "function" / "main.py").write_text(
        "def handler(event, context):\n    return event['n'] + 1\n"
    )
    cdk = Cdk(own_sandbox, program, tmp_path / "cdk.out", tmp_path)
    (tmp_path / "credentials").write_text(
        f"[all]\naws_access_key_id={key['AccessKeyId']}\naws_secret_access_key={key['SecretAccessKey']}\n"
    )
    cdk.variables |= {"AWS_PROFILE": "all", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    cdk("bootstrap", "aws://123456789012/us-east-1")
    deployed = cdk("deploy", "--app", f"{sys.executable} app.py", "--require-approval", "never")
    assert "could not be used to assume" not in deployed.stderr, deployed.stderr
    stack = own_sandbox.client("cloudformation").describe_stacks(StackName="clients-cdk")["Stacks"][0]
    assert stack["RoleARN"].endswith(":role/cdk-hnb659fds-cfn-exec-role-123456789012-us-east-1")
    function = stack["Outputs"][0]["OutputValue"]
    answer = own_sandbox.client("lambda").invoke(FunctionName=function, Payload=b'{"n": 1}')
    assert answer["Payload"].read() == b"2"
