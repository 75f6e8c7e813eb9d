"""Builds through the API: phases, shell, environment, artifacts, failures."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.codebuild.conftest import BUCKET, finished, lines, phase
from tests.sandbox_process import SandboxProcess

Project = Callable[..., str]
Run = Callable[..., dict[str, Any]]


def spec(body: str) -> str:
    return "version: 0.2\n" + body


def test_phases_share_one_shell(sandbox: SandboxProcess, project: Project, run: Run) -> None:
    name = project(
        spec("""
env:
  variables: {COLOUR: red}
  exported-variables: [ANSWER, COLOUR, UNSET]
phases:
  install:
    commands: ["export ANSWER=41", "mkdir sub && cd sub"]
  build:
    commands:
      - |
        ANSWER=$((ANSWER + 1))
        echo "answer $ANSWER in $(basename "$PWD")"
      - python -c "import sys; print('venv', sys.prefix != sys.base_prefix)"
  post_build:
    commands: ["echo succeeding=$CODEBUILD_BUILD_SUCCEEDING"]
""")
    )
    build = run(name)
    log = lines(sandbox, build)
    assert build["buildStatus"] == "SUCCEEDED", log
    assert "answer 42 in sub" in log
    assert "venv True" in log
    assert "succeeding=1" in log
    assert build["exportedEnvironmentVariables"] == [
        {"name": "ANSWER", "value": "42"},
        {"name": "COLOUR", "value": "red"},
    ]
    assert [p["phaseType"] for p in build["phases"]] == [
        "SUBMITTED",
        "QUEUED",
        "PROVISIONING",
        "DOWNLOAD_SOURCE",
        "INSTALL",
        "PRE_BUILD",
        "BUILD",
        "POST_BUILD",
        "UPLOAD_ARTIFACTS",
        "FINALIZING",
        "COMPLETED",
    ]
    assert build["initiator"] == "root"
    assert build["buildNumber"] == 1


def test_failing_command_is_named_and_post_build_still_runs(
    sandbox: SandboxProcess, project: Project, run: Run
) -> None:
    name = project(
        spec("""
phases:
  build:
    commands: ["echo before", "exit 3", "echo never"]
    finally: ["echo finally $CODEBUILD_BUILD_SUCCEEDING"]
  post_build:
    commands: ["echo after $CODEBUILD_BUILD_SUCCEEDING"]
""")
    )
    build = run(name)
    log = lines(sandbox, build)
    assert build["buildStatus"] == "FAILED"
    assert phase(build, "BUILD")["phaseStatus"] == "FAILED"
    assert phase(build, "BUILD")["contexts"] == [
        {
            "statusCode": "COMMAND_EXECUTION_ERROR",
            "message": "Error while executing command: exit 3. Reason: exit status 3",
        }
    ]
    assert phase(build, "POST_BUILD")["phaseStatus"] == "SUCCEEDED"
    assert "never" not in log
    assert "finally 0" in log
    assert "after 0" in log


@pytest.mark.parametrize(
    ("on_failure", "phases"),
    [("", ["INSTALL", "PRE_BUILD"]), ("CONTINUE", ["INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"])],
)
def test_on_failure(project: Project, run: Run, on_failure: str, phases: list[str]) -> None:
    line = f"\n    on-failure: {on_failure}" if on_failure else ""
    build = run(
        project(
            spec(f"phases:\n  pre_build:{line}\n    commands: ['false']\n  build:\n    commands: ['true']\n")
        )
    )
    ran = [p["phaseType"] for p in build["phases"]]
    assert [p for p in ran if p in ("INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD")] == phases
    assert build["buildStatus"] == "FAILED"


def test_abort_after_build_skips_the_rest(project: Project, run: Run) -> None:
    build = run(project(spec("phases:\n  build:\n    on-failure: ABORT\n    commands: ['false']\n")))
    ran = [p["phaseType"] for p in build["phases"]]
    assert "POST_BUILD" not in ran
    assert "UPLOAD_ARTIFACTS" not in ran


def test_bad_buildspec_fails_before_anything_runs(
    sandbox: SandboxProcess, project: Project, run: Run
) -> None:
    name = project("version: 0.2\nphases:\n  build:\n    command:\n      - echo hello\n")
    build = run(name)
    assert build["buildStatus"] == "FAILED"
    [context] = phase(build, "DOWNLOAD_SOURCE")["contexts"]
    assert context["statusCode"] == "YAML_FILE_ERROR"
    assert "Unknown key 'command' of phases.build at line 4" in context["message"]
    assert not any("Running command" in line for line in lines(sandbox, build))


def test_environment_precedence_and_parameters(sandbox: SandboxProcess, project: Project, run: Run) -> None:
    sandbox.client("ssm").put_parameter(Name="/build/word", Value="from ssm", Type="SecureString")
    name = project(
        spec("""
env:
  variables: {A: spec, B: spec, C: spec}
  parameter-store: {WORD: /build/word}
phases:
  build:
    commands: ['echo "$A $B $C [$WORD] $(echo $WORD | tr a-z A-Z) of ssm from ssm $AWS_ACCESS_KEY_ID"', 'echo "$CODEBUILD_BUILD_ID $AWS_REGION $CODEBUILD_INITIATOR"', 'echo "home=$HOME user=${USER:-none}"']
"""),
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [{"name": "B", "value": "project"}, {"name": "C", "value": "project"}],
        },
    )
    build = run(name, environmentVariablesOverride=[{"name": "C", "value": "start"}])
    log = lines(sandbox, build)
    assert "spec project start [***] FROM SSM of ssm *** ***" in log
    assert any(line.endswith('of ssm *** $AWS_ACCESS_KEY_ID"') for line in log)
    assert f"{build['id']} us-east-1 root" in log
    assert any(line.startswith("home=") and line.endswith("root user=none") for line in log)


def test_the_build_is_its_role(sandbox: SandboxProcess, project: Project, run: Run) -> None:
    name = project(
        spec("""
phases:
  build:
    commands:
      - aws sts get-caller-identity --query Arn --output text
      - aws s3api put-object --bucket codebuild-tests --key by-build
      - if aws iam list-roles; then exit 1; fi
""")
    )
    build = run(name)
    log = lines(sandbox, build)
    assert build["buildStatus"] == "SUCCEEDED", log
    identifier = build["id"].partition(":")[2]
    assert f"arn:aws:sts::123456789012:assumed-role/codebuild-tests/AWSCodeBuild-{identifier}" in log
    assert any("AccessDenied" in line for line in log)


def test_s3_source_and_zip_artifact(sandbox: SandboxProcess, project: Project, run: Run) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(
            "buildspec.yml",
            spec(
                "phases:\n  build:\n    commands: ['mkdir out && cp in.txt out/a.txt && echo b > out/b.txt']\nartifacts:\n  base-directory: out\n  files: ['**/*']\n  exclude-paths: ['b.*']\n"
            ),
        )
        archive.writestr("in.txt", "hello")
    s3 = sandbox.client("s3")
    s3.put_object(Bucket=BUCKET, Key="source.zip", Body=data.getvalue())
    name = project(
        "",
        source={"type": "S3", "location": f"{BUCKET}/source.zip"},
        artifacts={"type": "S3", "location": BUCKET, "path": "made", "name": "out.zip", "packaging": "ZIP"},
    )
    build = run(name)
    assert build["buildStatus"] == "SUCCEEDED", lines(sandbox, build)
    assert build["artifacts"]["location"] == f"arn:aws:s3:::{BUCKET}/made/out.zip"
    answer = s3.get_object(Bucket=BUCKET, Key="made/out.zip")
    assert answer["ServerSideEncryption"] == "aws:kms"
    with zipfile.ZipFile(io.BytesIO(answer["Body"].read())) as archive:
        assert archive.namelist() == ["a.txt"]
        assert archive.read("a.txt") == b"hello"


def test_no_matching_artifact(project: Project, run: Run) -> None:
    build = run(
        project(
            spec("phases:\n  build:\n    commands: ['true']\nartifacts:\n  files: [nothing]\n"),
            artifacts={"type": "S3", "location": BUCKET},
        )
    )
    assert phase(build, "UPLOAD_ARTIFACTS")["contexts"][0]["message"] == "no matching artifact paths found"
    assert build["buildStatus"] == "FAILED"


def test_unknown_image_cannot_be_pulled(project: Project, run: Run) -> None:
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "example/nothing:1",
        "computeType": "BUILD_GENERAL1_SMALL",
    }
    build = run(project(spec("phases:\n  build:\n    commands: ['true']\n"), environment=environment))
    assert phase(build, "PROVISIONING")["contexts"][0]["statusCode"] == "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"


def test_logs_denied(sandbox: SandboxProcess, project: Project, run: Run) -> None:
    name = project(
        spec("phases:\n  build:\n    commands: ['true']\n"),
        logsConfig={"cloudWatchLogs": {"status": "ENABLED", "groupName": "/elsewhere"}},
    )
    build = run(name)
    [context] = phase(build, "PROVISIONING")["contexts"]
    assert context["statusCode"] == "ACCESS_DENIED"
    assert "does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams" in context["message"]


def test_stop(sandbox: SandboxProcess, project: Project) -> None:
    name = project(spec("phases:\n  build:\n    commands: ['echo started', 'sleep 300']\n"))
    client = sandbox.client("codebuild")
    build_id = client.start_build(projectName=name)["build"]["id"]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        [build] = client.batch_get_builds(ids=[build_id])["builds"]
        if build["currentPhase"] == "BUILD":
            break
        time.sleep(0.05)
    client.stop_build(id=build_id)
    build = finished(sandbox, build_id, 20)
    assert build["buildStatus"] == "STOPPED"
    assert phase(build, "BUILD")["phaseStatus"] == "STOPPED"


def test_a_kill_of_the_sandbox_does_not_lose_the_build(sandbox: SandboxProcess, project: Project) -> None:
    name = project(spec("phases:\n  build:\n    commands: ['sleep 2', 'echo done']\n"))
    build_id = sandbox.client("codebuild").start_build(projectName=name)["build"]["id"]
    time.sleep(1)
    sandbox.kill()
    sandbox.start_again()
    build = finished(sandbox, build_id, 40)
    assert build["buildStatus"] == "SUCCEEDED"
    assert lines(sandbox, build).count("done") == 1


def test_start_is_idempotent_and_retry_builds_again(sandbox: SandboxProcess, project: Project) -> None:
    name = project(spec("phases:\n  build:\n    commands: ['true']\n"))
    client = sandbox.client("codebuild")
    first = client.start_build(projectName=name, idempotencyToken="one")["build"]["id"]
    assert client.start_build(projectName=name, idempotencyToken="one")["build"]["id"] == first
    finished(sandbox, first)
    second = client.retry_build(id=first)["build"]
    assert second["buildNumber"] == 2
    finished(sandbox, second["id"])
    assert client.list_builds_for_project(projectName=name)["ids"] == [second["id"], first]


def test_refusals(sandbox: SandboxProcess, project: Project) -> None:
    client = sandbox.client("codebuild")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.start_build(projectName="missing")
    with pytest.raises(ClientError, match="SECRETS_MANAGER"):
        project(
            spec("phases: {build: {commands: [ls]}}\n"),
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": "A", "value": "s", "type": "SECRETS_MANAGER"}],
            },
        )
    with pytest.raises(ClientError, match=r"not authorized to perform: sts:AssumeRole"):
        project(
            spec("phases: {build: {commands: [ls]}}\n"), serviceRole="arn:aws:iam::123456789012:role/none"
        )
    name = project(spec("phases: {build: {commands: [ls]}}\n"))
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        client.create_project(
            **{
                k: v
                for k, v in client.batch_get_projects(names=[name])["projects"][0].items()
                if k in ("name", "source", "artifacts", "environment", "serviceRole")
            }
        )
    assert json.dumps(client.batch_get_projects(names=["missing"])["projectsNotFound"]) == '["missing"]'


def test_codecommit_source_and_git_in_the_build(sandbox: SandboxProcess, project: Project, run: Run) -> None:
    codecommit = sandbox.client("codecommit")
    codecommit.create_repository(repositoryName="built")
    text = spec(
        """
env: {git-credential-helper: yes}
phases:
  build:
    commands:
      - test "$(git rev-parse HEAD)" = "$CODEBUILD_RESOLVED_SOURCE_VERSION"
      - git clone -q https://git-codecommit.us-east-1.amazonaws.com/v1/repos/built ../again
      - ls ../again
"""
    )
    put = [{"filePath": "ci/buildspec.yml", "fileContent": text}]
    first = codecommit.create_commit(repositoryName="built", branchName="main", putFiles=put)["commitId"]
    location = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/built"
    name = project("", source={"type": "CODECOMMIT", "location": location, "buildspec": "ci/buildspec.yml"})
    build = run(name, sourceVersion="main")
    assert build["buildStatus"] == "SUCCEEDED", lines(sandbox, build)
    assert build["resolvedSourceVersion"] == first
    assert "ci" in lines(sandbox, build)


def test_pip_is_the_builds_own(sandbox: SandboxProcess, project: Project, run: Run) -> None:
    build = run(project(spec("phases:\n  build:\n    commands: ['pip --version', 'python -m pip list']\n")))
    log = lines(sandbox, build)
    assert build["buildStatus"] == "SUCCEEDED", log
    assert not any("boto3" in line for line in log)


def test_a_missing_runtime_version_is_refused(project: Project, run: Run) -> None:
    text = spec(
        "phases:\n  install:\n    runtime-versions: {python: '2.7'}\n  build:\n    commands: ['true']\n"
    )
    [context] = phase(run(project(text)), "DOWNLOAD_SOURCE")["contexts"]
    assert context["message"].startswith("Unknown runtime version named '2.7' of python.")
