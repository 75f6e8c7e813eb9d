"""One loop, from publication to production, in a sandbox that is killed under it."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from project.names import Names
from tests.endurance.killing import STAGES, Kill, Killer, Point
from tests.endurance.patient import PATIENCE, PatientSandbox
from tests.endurance.witness import Witness
from tests.loop.conftest import ROOT, TEAM
from tests.loop.project import Project
from tests.loop.repository import PATH, Clone
from tests.waiting import until

NAME = "endure"


class PatientClone(Clone):
    """git commands are given again where the sandbox was killed under them."""

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        sandbox = self._sandbox
        assert isinstance(sandbox, PatientSandbox)
        if arguments[0] == "clone":
            shutil.rmtree(arguments[-1], ignore_errors=True)
        return sandbox.command(
            "git", *arguments, principal=self._principal, cwd=cwd or self.folder, env={"PATH": PATH}
        )


class KilledLoop:
    """`run` goes the whole way; `lost` and `doubled` are what was found wrong afterwards."""

    def __init__(self, sandbox: PatientSandbox, folder: Path, seed: int, points: list[Point]) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.stage = STAGES[0]
        self.endpoints: dict[str, str] = {}
        self.witness = Witness(sandbox, seed)
        self.killer = Killer(
            sandbox,
            points,
            stage=lambda: self.stage,
            serving=lambda: dict(self.endpoints),
            after=self.witness.look,
        )
        self.doubled: list[str] = []
        self.lost: list[str] = []

    @property
    def kills(self) -> list[Kill]:
        return self.killer.kills

    def run(self) -> None:
        with self.witness:
            self.killer.start()
            try:
                self._go()
                self.killer.join()
            finally:
                self.killer.stopped.set()
                self.killer.join()
        self.witness.close()
        self.lost += self.witness.lost
        self.doubled += self.witness.doubled
        self._count()

    def _go(self) -> None:
        template = self._publish()
        self.stage = "provision"
        self.project = self._provision(template)
        self.stage = "push"
        self.commit = self._push()
        self.commits = [self.seed_commit, self.commit]
        self.stage = "build"
        self._until_training()
        self.stage = "train"
        self.project.build_succeeds(self.commit)
        self.stage = "approve"
        self.version = max(self.project.versions())
        deployment = self._approve()
        self.stage = "staging"
        self.project.until_gate(deployment)
        self.endpoints[self.project.names.endpoint("staging")] = self._row()
        self.stage = "gate"
        self._open_gate(deployment)
        self.stage = "production"
        status = self.project.ended(self.project.names.model_deploy, deployment)
        assert status == "Succeeded", self.project.failures(self.project.names.model_deploy, deployment)
        self.endpoints[self.project.names.endpoint("prod")] = self._row()
        self.stage = "serving"
        self.deployment = deployment

    def _publish(self) -> dict[str, str]:
        arguments = ("-m", "cli", "publish", "--development", "--principal", TEAM, "--output", "json")
        said = self.sandbox.command(sys.executable, *arguments, principal="admin", cwd=ROOT)
        published = json.loads(said)
        return {
            "ProductId": published["productId"],
            "ProvisioningArtifactId": published["provisioningArtifactId"],
        }

    def _provision(self, template: dict[str, str]) -> Project:
        sagemaker = self.sandbox.client("sagemaker", "team")

        def seen() -> Any:
            found = sagemaker.list_projects()["ProjectSummaryList"]
            return next((item for item in found if item["ProjectName"] == NAME), None)

        self.sandbox.settle(
            lambda: sagemaker.create_project(ProjectName=NAME, ServiceCatalogProvisioningDetails=template),
            seen,
        )

        def created() -> dict[str, Any] | None:
            self.killer.check()
            found: dict[str, Any] = sagemaker.describe_project(ProjectName=NAME)
            return None if found["ProjectStatus"] in ("Pending", "CreateInProgress") else found

        described = until(created, PATIENCE)
        assert described["ProjectStatus"] == "CreateCompleted", described
        account = described["ProjectArn"].split(":")[4]
        names = Names(project=NAME, project_id=described["ProjectId"], account=account)
        return Project(self.sandbox, names, self.folder)

    def _push(self) -> str:
        project = self.project
        metadata = project.client("codecommit").get_repository(repositoryName=project.names.model_build)
        url = metadata["repositoryMetadata"]["cloneUrlHttp"]
        clone = PatientClone(self.sandbox, url, self.folder / "clone")
        clone.replace(
            "pipelines/definition.py",
            'ParameterInteger("MaxDepth", default_value=6)',
            'ParameterInteger("MaxDepth", default_value=5)',
        )
        self.seed_commit = clone.seed
        return clone.push("Trees of depth 5")

    def _until_training(self) -> None:
        def look() -> bool | None:
            self.killer.check()
            try:
                self.project.sagemaker_execution(self.commit)
            except AssertionError:
                execution = self.project.execution_of(self.project.names.model_build, self.commit)
                answer = self.project.client("codepipeline").get_pipeline_execution(
                    pipelineName=self.project.names.model_build, pipelineExecutionId=execution
                )["pipelineExecution"]
                assert answer["status"] == "InProgress", (answer, self.project.build_log(self.commit))
                return None
            except self.project.client("sagemaker").exceptions.ResourceNotFound:
                return None
            return True

        until(look, PATIENCE)

    def _approve(self) -> str:
        project = self.project
        arn = project.version(self.version)["ModelPackageArn"]
        approver = project.client("sagemaker", "approver")
        known = {item["pipelineExecutionId"] for item in project.executions(project.names.model_deploy)}

        def seen() -> bool | None:
            return True if project.versions()[self.version] == "Approved" else None

        self.sandbox.settle(
            lambda: approver.update_model_package(
                ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="looked at"
            ),
            seen,
        )

        def started() -> str | None:
            self.killer.check()
            new = [item["pipelineExecutionId"] for item in project.executions(project.names.model_deploy)]
            return next((identifier for identifier in new if identifier not in known), None)

        self.known = known
        return until(started, PATIENCE)

    def _open_gate(self, deployment: str) -> None:
        project = self.project
        approver = project.client("codepipeline", "approver")
        token = project.until_gate(deployment)

        def answered() -> bool | None:
            actions = project.actions(project.names.model_deploy, deployment)
            return True if actions["DeployProd/ApproveProduction"]["status"] == "Succeeded" else None

        self.sandbox.settle(
            lambda: approver.put_approval_result(
                pipelineName=project.names.model_deploy,
                stageName="DeployProd",
                actionName="ApproveProduction",
                result={"summary": "looked at", "status": "Approved"},
                token=token,
            ),
            answered,
        )

    def _row(self) -> str:
        return self.project.held_out(self.version)[0][0]

    # --- once and only once

    def _count(self) -> None:
        project, names = self.project, self.project.names
        builds = self._of_the_build_repository()
        for commit in self.commits:
            self._once(f"executions of commit {commit}", builds["executions"].count(commit))
            self._once(f"builds of commit {commit}", builds["builds"].count(commit))
        sagemaker = project.client("sagemaker")
        runs = sagemaker.list_pipeline_executions(PipelineName=names.sagemaker_pipeline)
        runs = runs["PipelineExecutionSummaries"]
        titles = Counter(item["PipelineExecutionDisplayName"] for item in runs)
        wanted = 0
        for commit in self.commits:
            self._once(f"runs of the SageMaker pipeline for {commit}", titles[f"commit-{commit[:12]}"])
            steps = project.steps(project.sagemaker_execution(commit))
            own = [step for step in steps.values() if "CacheHitResult" not in step]
            wanted += sum(
                {"TrainingJob", "ProcessingJob"} & set(step.get("Metadata", {})) != set() for step in own
            )
        made = len(sagemaker.list_training_jobs()["TrainingJobSummaries"])
        made += len(sagemaker.list_processing_jobs()["ProcessingJobSummaries"])
        if made != wanted:
            self.doubled.append(f"{made} jobs for {wanted} steps")
        if sorted(project.versions()) != list(range(1, len(self.commits) + 1)):
            self.doubled.append(f"versions {project.versions()} of {len(self.commits)} commits")
        deployments = {item["pipelineExecutionId"] for item in project.executions(names.model_deploy)}
        self._once("deployments of one approval", len(deployments - self.known))
        for stage in ("staging", "prod"):
            events = project.client("cloudformation").describe_stack_events(
                StackName=names.endpoint_stack(stage)
            )["StackEvents"]
            of_stack = [e for e in events if e["PhysicalResourceId"] == e["StackId"]]
            began = [e for e in of_stack if e.get("ResourceStatusReason") == "User Initiated"]
            self._once(f"operations on stack {stage}", len(began))
            assert project.serves(stage, self.version)

    def _once(self, what: str, count: int) -> None:
        if count == 0:
            self.lost.append(f"{what}: none")
        elif count > 1:
            self.doubled.append(f"{what}: {count}")

    def _of_the_build_repository(self) -> dict[str, list[str]]:
        project, name = self.project, self.project.names.model_build
        revisions = [
            source["revisionId"]
            for item in project.executions(name)
            for source in item.get("sourceRevisions", [])
        ]
        codebuild = project.client("codebuild")
        ids = codebuild.list_builds_for_project(projectName=name)["ids"]
        found = codebuild.batch_get_builds(ids=ids)["builds"]
        return {"executions": revisions, "builds": [build["resolvedSourceVersion"] for build in found]}


def server_errors(sandbox: PatientSandbox) -> list[str]:
    """Lines of the sandbox's log that tell of a fault of its own."""
    lines = (sandbox.state / "sandbox.log").read_text(errors="replace").splitlines()
    return [line for line in lines if " ERROR " in line or line.startswith("Traceback")]


def failed_tasks(sandbox: PatientSandbox) -> list[str]:
    """Tasks that were set aside: each is a fault of the sandbox."""
    from sandbox.engine.store import Store

    store = Store(sandbox.state / "records.sqlite")
    try:
        return [f"{key}: {record['error']}" for key, record in store.items("engine/failed-task")]
    finally:
        store.close()
