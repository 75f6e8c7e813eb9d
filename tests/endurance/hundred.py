"""A hundred projects, one after another: does the last one take as long as the first, and does looking?"""

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
"""The last projects' time to the first ones', at most."""
SAMPLE = 5
"""Projects at either end whose median is compared."""
LOOK_RATIO = 2.0
LOOK_FLOOR_SECONDS = 0.01
"""An answer that takes less is as quick as any: only above it is a ratio asked for."""


@dataclass
class Hundred:
    """Seconds of CPU (of the server, so that other work on the machine does not count) and of waiting."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    looks: dict[str, tuple[float, float]] = field(default_factory=dict)
    start: tuple[float, float] = (0.0, 0.0)
    megabytes: float = 0.0

    def ends(self, values: list[float]) -> tuple[float, float]:
        """Medians of the first and of the last projects. The very first loads what all others use."""
        return statistics.median(values[1 : SAMPLE + 1]), statistics.median(values[-SAMPLE:])

    @property
    def ratio(self) -> float:
        """CPU seconds of the server: what else the machine does has no part in them."""
        first, last = self.ends(self.cpu)
        return last / first


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


def run(folder: Path, projects: int, on_project: Callable[[int, float], None]) -> Hundred:
    sandbox, result = SandboxProcess(folder / "state"), Hundred()
    try:
        template = published(sandbox)
        first: dict[str, Any] = {}
        for number in range(projects):
            pid = sandbox.running.pid
            began, spent = time.perf_counter(), cpu_seconds(pid)
            made = provision(sandbox, template, f"p{number:03}")
            result.seconds.append(time.perf_counter() - began)
            result.cpu.append(cpu_seconds(pid) - spent)
            on_project(number, result.seconds[-1])
            if number == SAMPLE - 1:
                first = {
                    name: timed(call) for name, call in looks(sandbox, _with_stack(sandbox, made)).items()
                }
        last = {name: timed(call) for name, call in looks(sandbox, _with_stack(sandbox, made)).items()}
        result.looks = {name: (first[name], last[name]) for name in first}
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


def slower(result: Hundred) -> list[str]:
    """What takes longer with many projects than the limits allow."""
    found = []
    if result.ratio > PROVISION_RATIO:
        found.append(f"provisioning: {result.ratio:.2f} times the first, limit {PROVISION_RATIO}")
    for name, (before, after) in result.looks.items():
        if after > LOOK_FLOOR_SECONDS and after > LOOK_RATIO * before:
            found.append(f"{name}: {before * 1000:.1f} ms, then {after * 1000:.1f} ms")
    return found
