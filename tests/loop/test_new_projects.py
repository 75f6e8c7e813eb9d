"""Projects that have built nothing yet: what a build may do to another project, a first deployment that fails, and
several that build at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.endurance import crowd
from tests.loop import probe
from tests.loop.broken import IMAGE, register_empty_model
from tests.loop.left import resources
from tests.loop.project import Project
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.loop, pytest.mark.timeout(300)]
LONGEST = "n" + "-o" * 15 + "m"


@pytest.fixture(scope="module")
def projects(
    sandbox: SandboxProcess, template: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Project]:
    """Two that have built nothing; the other one has the longest name there may be."""
    made = []
    for name in ("mine", LONGEST):
        project = Project.create(sandbox, template, name, tmp_path_factory.mktemp("project"))
        project.stop_build(project.head(project.names.model_build))
        made.append(project)
    return made[0], made[1]


def test_a_build_reaches_nothing_of_another_project(projects: tuple[Project, Project]) -> None:
    mine, other = projects
    assert len(other.names.project) == 32
    root = other.client("s3", "root")
    root.put_object(Bucket=other.names.bucket, Key="secret", Body=b"theirs")
    aliases = other.client("kms", "root").list_aliases()["Aliases"]
    theirs = {
        "bucket": other.names.bucket,
        "object": "secret",
        "key": next(a["TargetKeyId"] for a in aliases if a["AliasName"] == other.names.key_alias),
        "repository": other.names.model_build,
        "pipeline": other.names.sagemaker_pipeline,
        "group": other.names.model_package_group,
        "role": f"arn:aws:iam::{other.names.account}:role/{other.names.role('execution')}",
        "image": IMAGE,
    }
    clone = mine.build_code
    (clone.folder / "probe.py").write_text(Path(probe.__file__).read_text())
    (clone.folder / "theirs.json").write_text(json.dumps(theirs))
    clone.replace("buildspec.yml", "python -m pipelines.run", 'python probe.py "$(cat theirs.json)"')
    commit = clone.push("Look around")
    assert mine.build_of(commit)[1] == "Succeeded", mine.build_log(commit)
    lines = [line for line in mine.build_log(commit).splitlines() if line.startswith("PROBE ")]
    answers = dict(line.removeprefix("PROBE ").split(": ") for line in lines)
    assert answers.pop("list own bucket") == "allowed"
    assert len(answers) == 12
    denied = {"AccessDenied", "AccessDeniedException"}
    assert {name: code for name, code in answers.items() if code not in denied} == {}
    assert other.versions() == {} == mine.versions()
    objects = root.list_objects_v2(Bucket=other.names.bucket, Prefix="probe")
    assert objects["KeyCount"] == 0


def test_a_first_deployment_that_fails_leaves_nothing_and_is_replaced_by_the_next(
    projects: tuple[Project, Project],
) -> None:
    _, project = projects
    before, stacks = resources(project), []
    for _ in range(2):
        execution = project.approve(register_empty_model(project))
        assert project.ended(project.names.model_deploy, execution) == "Failed"
        failures = project.failures(project.names.model_deploy, execution)
        assert "did not pass the ping health check" in failures["DeployStaging/Deploy"], failures
        [stack] = project.client("cloudformation").describe_stacks(
            StackName=project.names.endpoint_stack("staging")
        )["Stacks"]
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        stacks.append(stack["StackId"])
        left = resources(project) - before
        assert left == {("AWS::CloudFormation::Stack", stack["StackName"])}
    assert stacks[0] != stacks[1]


def test_projects_that_build_at_once_keep_apart(
    sandbox: SandboxProcess, template: dict[str, str], tmp_path: Path
) -> None:
    result = crowd.run(sandbox, tmp_path, template, projects=3, commits=2)
    assert result.wrong == []
    assert result.executions == 6
