"""Many projects that are committed to at once: each goes its own way.

Projects are of the product's template, provisioned at once; what is committed is a tiny build
(`tiny_build.py`) under the same roles, keys, buckets and pipelines, so that the time goes to the sandbox and
not to training.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from project.names import Names
from tests.endurance import tiny_build
from tests.endurance.machine import resident_megabytes
from tests.loop.project import Project
from tests.sandbox_process import SandboxProcess
from tests.waiting import until

MEGABYTES = 600.0
"""Of the sandbox's process, with twenty projects building at once."""
BUILD = """version: 0.2
phases:
  install:
    commands:
      - pip install --quiet --no-compile --no-deps --require-hashes -r requirements.txt
  build:
    commands:
      - python tiny_build.py
"""
PATIENCE = 1500.0


@dataclass
class Member:
    """One project, and the words of its commits."""

    project: Project
    seed: str = ""
    words: dict[str, str] = field(default_factory=dict)


@dataclass
class Crowd:
    """`wrong`: whatever belongs to another project, is missing or is there twice."""

    wrong: list[str] = field(default_factory=list)
    executions: int = 0
    seconds: float = 0.0
    provision_seconds: float = 0.0
    megabytes: float = 0.0


def run(
    sandbox: SandboxProcess, folder: Path, template: dict[str, str], projects: int, commits: int
) -> Crowd:
    """Provisions all projects at once with `template`, commits to all of them at once, and waits."""
    result, began = Crowd(), time.monotonic()
    with ThreadPoolExecutor(projects) as pool:
        made = list(pool.map(lambda number: _provision(sandbox, template, number, folder), range(projects)))
        result.provision_seconds = time.monotonic() - began
        began = time.monotonic()
        list(pool.map(lambda member: _commit(member, commits), made))
        waiting = [pool.submit(_ended, member) for member in made]
        while not all(each.done() for each in waiting):
            result.megabytes = max(result.megabytes, resident_megabytes(sandbox.running.pid))
            time.sleep(0.2)
        for each in waiting:
            result.wrong += each.result()
        result.seconds = time.monotonic() - began
        for found in pool.map(_own, made) if not result.wrong else ():
            result.wrong += found
    result.executions = sum(len(member.words) for member in made)
    result.wrong += _strangers(made)
    lines = (sandbox.state / "sandbox.log").read_text(errors="replace").splitlines()
    result.wrong += [f"log: {line}" for line in lines if " ERROR " in line]
    return result


def _provision(sandbox: SandboxProcess, template: dict[str, str], number: int, folder: Path) -> Member:
    name = f"crowd-{number:02}"
    project = Project.create(sandbox, template, name, folder)
    _stop_builds(project)
    return Member(project)


def _stop_builds(project: Project) -> None:
    """The seed's own build would train: it is stopped."""
    codebuild, name = project.client("codebuild", "admin"), project.names.model_build
    found: list[str] = until(lambda: codebuild.list_builds_for_project(projectName=name)["ids"] or None)
    for build in found:
        codebuild.stop_build(id=build)


def _commit(member: Member, commits: int) -> None:
    """The commits of a project, one right after the other."""
    project = member.project
    codecommit, repository = project.client("codecommit", "root"), project.names.model_build
    head = member.seed = project.head(repository)
    files = {"tiny_build.py": Path(tiny_build.__file__).read_text(), "buildspec.yml": BUILD}
    for number in range(commits):
        word = f"{project.names.project_id}-{number}"
        wanted = files | {"word.txt": word}
        head = codecommit.create_commit(
            repositoryName=repository,
            branchName="main",
            parentCommitId=head,
            commitMessage=word,
            putFiles=[{"filePath": path, "fileContent": text.encode()} for path, text in wanted.items()],
        )["commitId"]
        files = {}
        member.words[head] = word


def _ended(member: Member) -> list[str]:
    """Waits until every commit's execution has ended; what did not go well."""
    project, name = member.project, member.project.names.model_build
    wrong = []

    def look() -> list[dict[str, Any]] | None:
        there = project.executions(name)
        found = [
            item
            for item in there
            if any(source.get("revisionId") in member.words for source in item.get("sourceRevisions", []))
        ]
        over = all(item["status"] not in ("InProgress", "Stopping") for item in there)
        return found if over and len(found) >= len(member.words) else None

    try:
        found = until(look, PATIENCE)
    except TimeoutError:
        return [f"{name}: not all of {len(member.words)} commits have an execution that ended"]
    wrong += [
        f"{name}: {item['status']}: {project.failures(name, item['pipelineExecutionId'])}"
        for item in found
        if item["status"] != "Succeeded"
    ]
    if len(found) != len(member.words):
        wrong.append(f"{name}: {len(found)} executions of {len(member.words)} commits")
    return wrong


def _own(member: Member) -> list[str]:
    """What a project's executions, jobs and models say and carry is the project's own."""
    project, names, wrong = member.project, member.project.names, []
    sagemaker, s3 = project.client("sagemaker"), project.client("s3", "root")

    def same(what: str, found: object, wanted: object) -> None:
        if found != wanted:
            wrong.append(f"{names.project}: {what}: {found!r}, not {wanted!r}")

    packages = sagemaker.list_model_packages(ModelPackageGroupName=names.model_package_group)
    said: dict[str, str] = {}
    count = 0
    for summary in packages["ModelPackageSummaryList"]:
        package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        data = package["CustomerMetadataProperties"]
        if data["GitCommit"] == member.seed:
            continue  # of the build of the seed, where it was stopped too late
        count += 1
        said[data["GitCommit"]] = data["Word"]
        url = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        same("model data", url, f"s3://{names.bucket}/tiny/{data['GitCommit']}/model.tar.gz")
        body = s3.get_object(Bucket=names.bucket, Key=url.removeprefix(f"s3://{names.bucket}/"))[
            "Body"
        ].read()
        same("model", body.decode().strip(), data["Word"])
    same("registered", said, member.words)
    same("versions", count, len(member.words))
    for commit, word in member.words.items():
        arn = project.sagemaker_execution(commit)
        answer = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        same("parameters", answer["PipelineParameters"], [{"Name": "Word", "Value": word}])
        job = sagemaker.describe_processing_job(
            ProcessingJobName=project.steps(arn)["Write"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[
                2
            ]
        )
        same("role", job["RoleArn"].rpartition("/")[2], names.role("execution"))
        tags = {
            tag["Key"]: tag["Value"]
            for tag in sagemaker.list_tags(ResourceArn=job["ProcessingJobArn"])["Tags"]
        }
        same("project of the job", tags.get("sagemaker:project-id"), names.project_id)
    builds = project.client("codebuild").list_builds_for_project(projectName=names.model_build)["ids"]
    shapes = project.client("codebuild").batch_get_builds(ids=builds)["builds"]
    commits = [build.get("resolvedSourceVersion") for build in shapes]
    same(
        "builds a commit",
        {commit: commits.count(commit) for commit in member.words},
        dict.fromkeys(member.words, 1),
    )
    same("roles of builds", len({build["serviceRole"] for build in shapes}), 1)
    return wrong


def _strangers(members: list[Member]) -> list[str]:
    """The role of each project's jobs is held against the next project's things."""
    wrong = []
    for mine, other in zip(members, [*members[1:], members[0]], strict=True):
        if mine is not other:
            wrong += _reach(mine.project, other.project.names)
    return wrong


def _reach(project: Project, other: Names) -> list[str]:
    """What an engineer's simulation of the role's policies would let it do to another project."""
    role = f"arn:aws:iam::{project.names.account}:role/{project.names.role('execution')}"
    iam = project.client("iam", "root")
    policies = iam.list_role_policies(RoleName=role.rpartition("/")[2])["PolicyNames"]
    text = "".join(
        str(iam.get_role_policy(RoleName=role.rpartition("/")[2], PolicyName=name)["PolicyDocument"])
        for name in policies
    )
    try:
        project.client("s3", "engineer").get_object(Bucket=other.bucket, Key="tiny/none")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            return [f"reading {other.bucket}: {error}"]
    return [f"{role} names {other.project_id}"] if other.project_id in text else []
