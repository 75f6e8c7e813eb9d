"""Whatever goes wrong, production answers with the last good model, and the user is told the cause."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.loop.broken import register_empty_model
from tests.loop.conftest import ROOT
from tests.loop.project import Project

pytestmark = [pytest.mark.loop, pytest.mark.timeout(300)]
DEFINITION, TRAIN, DATA = "pipelines/definition.py", "jobs/train.py", "data/bikeshare.csv"
FIT = "    import xgboost\n\n    training, validation"
FIRST_ROW = '1,"Jan",1,"0",0,6,0,"clear",0.24,'


@pytest.fixture(scope="module")
def good(project: Project) -> tuple[str, float]:
    """A row, and what production says to it before anything goes wrong."""
    row = project.held_out()[0][0]
    return row, project.predict([row])[0]


@pytest.fixture(autouse=True)
def production(project: Project, good: tuple[str, float]) -> Iterator[None]:
    """After each fault: the same model answers."""
    yield
    row, answer = good
    assert project.serves("prod", 1)
    assert project.predict([row])[0] == answer


@pytest.fixture(scope="module")
def runs(project: Project, good: tuple[str, float]) -> dict[str, str]:
    """Executions that the engineer starts by hand, with a bar too high or with other data; all at once."""
    csv = project.build_code.read(DATA)
    assert csv.count(FIRST_ROW) == 1
    texts = {
        "nan": csv.replace(FIRST_ROW, FIRST_ROW.replace("0.24", "NaN")),
        "text": csv.replace(FIRST_ROW, FIRST_ROW.replace("0.24", "warm")),
    }
    s3, started = project.client("s3", "admin"), {}
    for name, text in texts.items():
        s3.put_object(Bucket=project.names.bucket, Key=f"uploads/{name}.csv", Body=text.encode())
        started[name] = project.run_pipeline(
            InputDataUrl=f"s3://{project.names.bucket}/uploads/{name}.csv", InputDataSha256=""
        )
    started["digest"] = project.run_pipeline(InputDataUrl=f"s3://{project.names.bucket}/uploads/nan.csv")
    started["approved"] = project.run_pipeline(ModelApprovalStatus="Approved")
    started["bar"] = project.run_pipeline(RmseThreshold="20")
    return started


@pytest.fixture(scope="module")
def commits(project: Project, runs: dict[str, str]) -> dict[str, str]:
    """Commits that each break something else, pushed one after the other without waiting."""
    clone, pushed = project.build_code, {}

    def push(name: str, path: str, old: str, new: str) -> None:
        clone.restore()
        clone.replace(path, old, new)
        pushed[name] = clone.push(name)

    push("syntax", DEFINITION, "    params = parameters(", "    params = = parameters(")
    push("buildspec", "buildspec.yml", "  pre_build:\n", "  pre-build:\n")
    push("raises", TRAIN, FIT, f'    raise RuntimeError("the loss is infinite")\n{FIT}')
    push("no model", TRAIN, FIT, f"    return\n{FIT}")
    push("column", DATA, '"temp","atemp"', '"warmth","atemp"')
    return pushed


def failed_step(project: Project, execution_arn: str) -> tuple[str, str]:
    """Name and reason of the one step that failed."""
    failed = {
        name: step.get("FailureReason", "")
        for name, step in project.steps(execution_arn).items()
        if step["StepStatus"] == "Failed"
    }
    assert len(failed) == 1, failed
    return next(iter(failed.items()))


@pytest.mark.parametrize(
    ("run", "step", "cause"),
    [
        ("nan", "Preprocess", "column 'temp', row 1: is not a number (NaN)"),
        ("text", "Preprocess", "column 'temp', row 1: 'warm' is not a number"),
        ("digest", "Preprocess", "SHA-256"),
        ("approved", "Register", "not authorized to perform: sagemaker:CreateModelPackage"),
        ("bar", "RmseAboveThreshold", "RMSE on held-out rows is above RmseThreshold 20"),
    ],
)
def test_bad_data_and_bad_models_are_stopped_by_their_step(
    project: Project, runs: dict[str, str], run: str, step: str, cause: str
) -> None:
    assert project.run_ended(runs[run])["PipelineExecutionStatus"] == "Failed"
    name, reason = failed_step(project, runs[run])
    assert (name, cause in reason) == (step, True), reason
    assert project.versions() == {1: "Approved"}


def test_an_unknown_key_of_the_buildspec_fails_before_anything_runs(
    project: Project, commits: dict[str, str]
) -> None:
    execution, status = project.build_of(commits["buildspec"])
    assert status == "Failed"
    message = project.failures(project.names.model_build, execution)["Build/Build"]
    assert "YAML_FILE_ERROR" in message
    assert "pre-build" in message


@pytest.mark.parametrize(
    ("commit", "causes"),
    [
        ("syntax", (f'{DEFINITION}", line', "SyntaxError: invalid syntax")),
        ("column", ("bikeshare.csv: missing column 'temp'",)),
    ],
)
def test_a_commit_that_cannot_become_a_pipeline_fails_its_build(
    project: Project, commits: dict[str, str], commit: str, causes: tuple[str, ...]
) -> None:
    execution, status = project.build_of(commits[commit])
    assert status == "Failed"
    assert "COMMAND_EXECUTION_ERROR" in project.failures(project.names.model_build, execution)["Build/Build"]
    log = project.build_log(commits[commit])
    assert [cause for cause in causes if cause not in log] == []


@pytest.mark.parametrize(
    ("commit", "step", "cause"),
    [
        ("raises", "Train", "the loss is infinite"),
        ("no model", "Evaluate", "model.tar.gz has no usable file xgboost-model.ubj"),
    ],
)
def test_a_commit_whose_step_fails_registers_nothing(
    project: Project, commits: dict[str, str], commit: str, step: str, cause: str
) -> None:
    _, status = project.build_of(commits[commit])
    assert status == "Failed"
    name, reason = failed_step(project, project.sagemaker_execution(commits[commit]))
    assert (name, cause in reason) == (step, True), reason
    assert cause in project.build_log(commits[commit])
    assert project.versions() == {1: "Approved"}


@pytest.mark.parametrize(
    ("path", "old", "new", "cause", "begins"),
    [
        (
            "endpoint.yaml",
            "    DependsOn: Logs\n    Properties:\n",
            "    DependsOn: Logs\n    Properties:\n      Colour: red\n",
            "Colour",
            True,
        ),
        (
            "staging-config.json",
            '"Serverless": "true"',
            '"Serverless": "true", "InstanceType": "large"',
            "InstanceType",
            False,
        ),
    ],
    ids=["unknown-property", "parameter-against-its-pattern"],
)
def test_a_template_that_cannot_be_deployed_leaves_nothing(
    project: Project, path: str, old: str, new: str, cause: str, begins: bool
) -> None:
    clone, before, stack = project.deploy_code, project.configurations(), staging_stack(project)
    clone.restore()
    clone.replace(path, old, new)
    execution = project.started(lambda: clone.push(f"{cause} is wrong"))
    assert project.ended(project.names.model_deploy, execution) == "Failed"
    failures = project.failures(project.names.model_deploy, execution)
    assert cause in failures.get("DeployStaging/Deploy", ""), failures
    after = staging_stack(project)
    if begins:
        assert after["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    else:
        assert after == stack
    assert project.serves("staging", 1)
    assert project.configurations() == before


def staging_stack(project: Project) -> dict[str, Any]:
    name = project.names.endpoint_stack("staging")
    return project.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def test_a_model_that_cannot_be_loaded_is_stopped_in_staging(project: Project) -> None:
    """Registered past the pipeline, by the admin, and approved by mistake."""
    before, version = project.configurations(), register_empty_model(project)
    clone = project.deploy_code
    clone.restore()
    if clone.git("status", "--porcelain"):
        project.deploy(project.started(lambda: clone.push("as it came")))
    execution = project.approve(version)
    assert project.ended(project.names.model_deploy, execution) == "Failed"
    message = project.failures(project.names.model_deploy, execution)["DeployStaging/Deploy"]
    assert "Endpoint (AWS::SageMaker::Endpoint)" in message
    assert "did not pass the ping health check" in message
    assert "No such file or directory" in message
    assert project.serves("staging", 1)
    assert project.configurations() == before
    project.deploy(project.approve(version, "Rejected"))
    assert project.versions() == {1: "Approved", version: "Rejected"}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("faults", "already exists"),
        ("a" * 33, "less than or equal to 32"),
        ("Faults", "SageMakerProjectName"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_and_nothing_made(
    project: Project, name: str, cause: str
) -> None:
    cloudformation, sagemaker = project.client("cloudformation", "admin"), project.client("sagemaker")
    before = {stack["StackId"] for stack in cloudformation.describe_stacks()["Stacks"]}
    done = mlops(project, "create", name)
    assert done.returncode != 0
    assert cause in done.stderr
    assert not done.stdout
    assert {stack["StackId"] for stack in cloudformation.describe_stacks()["Stacks"]} == before
    if f"mlops project delete {name}" in done.stderr:  # SageMaker keeps a record of the attempt
        done = mlops(project, "delete", name, "--yes")
        assert done.returncode == 0, done.stderr
    kept = sagemaker.list_projects(NameContains=project.names.project)["ProjectSummaryList"]
    assert [item["ProjectName"] for item in kept] == [project.names.project]


def mlops(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`mlops project ARGUMENTS` by the team."""
    command = (sys.executable, "-m", "cli", "project", *arguments, "--output", "json")
    return project.sandbox.run(*command, principal="team", cwd=ROOT)
