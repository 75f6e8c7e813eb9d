"""A hundred projects, one after another: does the last one take as long as the first, and does looking?

The last projects are provisioned in turn with the first ones of a second, fresh sandbox, so that a machine that
grows slower or quicker over the minutes of a run is no part of the comparison.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.endurance.machine import cpu_seconds, resident_megabytes
from tests.loop.conftest import ROOT, TEAM
from tests.sandbox_process import SandboxProcess
from tests.waiting import until

PROVISION_RATIO = 1.2
"""The last projects' time to the first ones', at most: in seconds, and in the server's seconds of CPU."""
SAMPLE = 7
"""Projects at either end that are compared, pair by pair."""
LOOK_RATIO = 2.0
LOOK_FLOOR_SECONDS = 0.01
"""An answer that takes less is as quick as any: only above it is a ratio asked for."""


@dataclass(frozen=True)
class Cost:
    """Of provisioning one project."""

    seconds: float
    cpu: float


@dataclass
class Hundred:
    """Each project of the crowded sandbox by its seconds and its server's seconds of CPU, and the first ones
    of the fresh sandbox beside the last of those."""

    crowded: list[Cost] = field(default_factory=list)
    fresh: list[Cost] = field(default_factory=list)
    looks: dict[str, tuple[float, float]] = field(default_factory=dict)
    start: tuple[float, float] = (0.0, 0.0)
    megabytes: float = 0.0

    def ratio(self, of: Callable[[Cost], float]) -> float:
        """Median over the pairs."""
        last = self.crowded[-len(self.fresh) :]
        return statistics.median(of(late) / of(early) for early, late in zip(self.fresh, last, strict=True))


def published(sandbox: SandboxProcess) -> dict[str, str]:
    """The admin publishes; CreateProject's provisioning details."""
    arguments = ("-m", "cli", "publish", "--development", "--principal", TEAM, "--output", "json")
    done = sandbox.run(sys.executable, *arguments, principal="admin", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return {"ProductId": answer["productId"], "ProvisioningArtifactId": answer["provisioningArtifactId"]}


def provision(sandbox: SandboxProcess, template: dict[str, str], name: str) -> dict[str, Any]:
    """Creates a project and stops its first build, which is none of provisioning."""
    sagemaker = sandbox.client("sagemaker", "team")
    sagemaker.create_project(ProjectName=name, ServiceCatalogProvisioningDetails=template)
    while True:
        found = sagemaker.describe_project(ProjectName=name)
        if found["ProjectStatus"] not in ("Pending", "CreateInProgress"):
            break
        time.sleep(0.05)
    assert found["ProjectStatus"] == "CreateCompleted", found
    for build in ("modelbuild", "modeldeploy"):
        _stop(sandbox, f"sagemaker-{name}-{found['ProjectId']}-{build}")
    return dict(found)


def _stop(sandbox: SandboxProcess, name: str) -> None:
    """Stops the build of the seed's commit and waits until its pipeline's execution has ended with it."""
    codepipeline, codebuild = sandbox.client("codepipeline"), sandbox.client("codebuild")
    stopped: set[str] = set()

    def ended() -> bool | None:
        for build in codebuild.list_builds_for_project(projectName=name)["ids"]:
            if build not in stopped:
                codebuild.stop_build(id=build)
                stopped.add(build)
        found = codepipeline.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
        return True if found and all(item["status"] != "InProgress" for item in found) else None

    until(ended, 60)


def looks(sandbox: SandboxProcess, project: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """What a user looks at: lists, and one project's things."""
    sagemaker, name = sandbox.client("sagemaker"), project["ProjectName"]
    prefix = f"sagemaker-{name}-{project['ProjectId']}"
    events, iam, codepipeline = (
        sandbox.client("events"),
        sandbox.client("iam"),
        sandbox.client("codepipeline"),
    )
    s3, kms, cloudformation = sandbox.client("s3"), sandbox.client("kms"), sandbox.client("cloudformation")
    codecommit, engineer = sandbox.client("codecommit"), sandbox.client("sagemaker", "engineer")
    role = f"sagemaker-{project['ProjectId']}-execution"
    return {
        "DescribeProject": lambda: sagemaker.describe_project(ProjectName=name),
        "DescribeProject by an engineer": lambda: engineer.describe_project(ProjectName=name),
        "ListProjects, a page": lambda: sagemaker.list_projects(MaxResults=10),
        "GetPipelineState": lambda: codepipeline.get_pipeline_state(name=f"{prefix}-modelbuild"),
        "GetBranch": lambda: codecommit.get_branch(repositoryName=f"{prefix}-modelbuild", branchName="main"),
        "DescribeStacks of one": lambda: cloudformation.describe_stacks(
            StackName=project["stack"],
        ),
        "GetRole": lambda: iam.get_role(RoleName=role),
        "PutEvents": lambda: events.put_events(
            Entries=[{"Source": "nobody", "DetailType": "n", "Detail": "{}"}]
        ),
        "HeadBucket": lambda: s3.head_bucket(Bucket=f"sagemaker-project-{project['ProjectId']}-123456789012"),
        "DescribeKey": lambda: kms.describe_key(KeyId=f"alias/{prefix}"),
    }


def timed(call: Callable[[], Any], times: int = 15) -> float:
    """The quickest of several: what it costs when nothing else runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def stack_of(sandbox: SandboxProcess, project: dict[str, Any]) -> str:
    """Name of the stack that provisioned a project."""
    pages = sandbox.client("cloudformation").get_paginator("list_stacks").paginate()
    product = project["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductId"]
    names = [item["StackName"] for page in pages for item in page["StackSummaries"]]
    return next(name for name in names if name.endswith(product))


class Publisher:
    """Publishes the template in a sandbox and provisions projects in it, one after another."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self._template = published(sandbox)
        self._count = 0
        self.last: dict[str, Any] = {}

    def project(self) -> Cost:
        pid = self.sandbox.running.pid
        began, spent = time.perf_counter(), cpu_seconds(pid)
        self.last = provision(self.sandbox, self._template, f"p{self._count:03}")
        self._count += 1
        return Cost(time.perf_counter() - began, cpu_seconds(pid) - spent)

    def looked(self) -> dict[str, float]:
        project = _with_stack(self.sandbox, self.last)
        return {name: timed(call) for name, call in looks(self.sandbox, project).items()}


def run(folder: Path, projects: int, on_project: Callable[[int, float], None]) -> Hundred:
    result, sandbox = Hundred(), SandboxProcess(folder / "state")
    try:
        crowded = Publisher(sandbox)

        def provision_next() -> None:
            result.crowded.append(crowded.project())
            on_project(len(result.crowded), result.crowded[-1].seconds)

        for _ in range(SAMPLE):
            provision_next()
        first = crowded.looked()
        while len(result.crowded) < projects - SAMPLE:
            provision_next()
        other = SandboxProcess(folder / "fresh")
        try:
            fresh = Publisher(other)
            fresh.project()  # loads what all others use, as the crowded sandbox has long done
            for _ in range(SAMPLE):
                result.fresh.append(fresh.project())
                provision_next()
        finally:
            other.stop()
        result.looks = {name: (first[name], last) for name, last in crowded.looked().items()}
        result.megabytes = resident_megabytes(sandbox.running.pid)
        sandbox.kill()
        began = time.perf_counter()
        sandbox.start_again()
        sandbox.client("sts").get_caller_identity()
        result.start = (time.perf_counter() - began, cpu_seconds(sandbox.running.pid))
        left = sandbox.client("sagemaker").get_paginator("list_projects").paginate()
        assert sum(len(page["ProjectSummaryList"]) for page in left) == projects
    finally:
        sandbox.stop()
    return result


def _with_stack(sandbox: SandboxProcess, project: dict[str, Any]) -> dict[str, Any]:
    return project | {"stack": stack_of(sandbox, project)}


MEASURES: dict[str, Callable[[Cost], float]] = {
    "seconds": lambda cost: cost.seconds,
    "seconds of CPU": lambda cost: cost.cpu,
}


def slower(result: Hundred) -> list[str]:
    """What takes longer with many projects than the limits allow."""
    found = []
    for name, of in MEASURES.items():
        ratio = result.ratio(of)
        if ratio > PROVISION_RATIO:
            found.append(f"provisioning, {name}: {ratio:.2f} times the first, limit {PROVISION_RATIO}")
    for name, (before, after) in result.looks.items():
        if after > LOOK_FLOOR_SECONDS and after > LOOK_RATIO * before:
            found.append(f"{name}: {before * 1000:.1f} ms, then {after * 1000:.1f} ms")
    return found
