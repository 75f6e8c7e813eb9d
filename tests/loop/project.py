"""A project under test: what the four principals do with it, and what they see of it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from project.names import Names
from tests.loop.repository import Clone
from tests.loop.traffic import Traffic, ask
from tests.sandbox_process import SandboxProcess
from tests.waiting import until

ENDED = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")
PATIENCE = 240.0
"""Seconds after which a build or a deployment counts as hung."""


@dataclass
class Project:
    """A SageMaker project."""

    sandbox: SandboxProcess
    names: Names
    folder: Path
    _clones: dict[str, Clone] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @classmethod
    def create(cls, sandbox: SandboxProcess, template: dict[str, str], name: str, folder: Path) -> Project:
        """The team asks SageMaker for a project and waits for it."""
        sagemaker = sandbox.client("sagemaker", "team")
        arn = sagemaker.create_project(ProjectName=name, ServiceCatalogProvisioningDetails=template)[
            "ProjectArn"
        ]

        def created() -> dict[str, Any] | None:
            found = sagemaker.describe_project(ProjectName=name)
            return None if found["ProjectStatus"] in ("Pending", "CreateInProgress") else found

        description = until(created)
        assert description["ProjectStatus"] == "CreateCompleted", description
        names = Names(project=name, project_id=description["ProjectId"], account=arn.split(":")[4])
        return cls(sandbox, names, folder)

    def client(self, service: str, principal: str = "engineer") -> Any:
        """A client of a principal's, made once."""
        if (service, principal) not in self._clients:
            self._clients[service, principal] = self.sandbox.client(service, principal)
        return self._clients[service, principal]

    # --- code

    def clone(self, repository: str) -> Clone:
        """The engineer's clone of a repository, made once."""
        if repository not in self._clones:
            metadata = self.client("codecommit").get_repository(repositoryName=repository)
            url = metadata["repositoryMetadata"]["cloneUrlHttp"]
            self._clones[repository] = Clone(self.sandbox, url, self.folder / repository)
        return self._clones[repository]

    @property
    def build_code(self) -> Clone:
        return self.clone(self.names.model_build)

    @property
    def deploy_code(self) -> Clone:
        return self.clone(self.names.model_deploy)

    def head(self, repository: str) -> str:
        branch = self.client("codecommit").get_branch(repositoryName=repository, branchName="main")
        return str(branch["branch"]["commitId"])

    # --- CodePipeline

    def executions(self, pipeline: str) -> list[dict[str, Any]]:
        """Newest first."""
        answer = self.client("codepipeline").list_pipeline_executions(pipelineName=pipeline)
        return answer["pipelineExecutionSummaries"]

    def execution_of(self, pipeline: str, commit: str) -> str:
        """Id of the execution that a commit started."""

        def look() -> str | None:
            for item in self.executions(pipeline):
                if any(source.get("revisionId") == commit for source in item.get("sourceRevisions", [])):
                    return str(item["pipelineExecutionId"])
            return None

        return until(look)

    def ended(self, pipeline: str, execution: str) -> str:
        """Status of an execution once it has ended."""
        client = self.client("codepipeline")

        def look() -> str | None:
            answer = client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)
            status = answer["pipelineExecution"]["status"]
            return status if status in ENDED else None

        return until(look, PATIENCE)

    def actions(self, pipeline: str, execution: str) -> dict[str, dict[str, Any]]:
        """Actions of an execution by name; DeployStaging's and DeployProd's are told apart by the stage."""
        answer = self.client("codepipeline").list_action_executions(
            pipelineName=pipeline, filter={"pipelineExecutionId": execution}
        )
        return {
            f"{item['stageName']}/{item['actionName']}": item for item in answer["actionExecutionDetails"]
        }

    def failures(self, pipeline: str, execution: str) -> dict[str, str]:
        """What CodePipeline says about each action that failed."""
        return {
            name: action["output"]["executionResult"]["errorDetails"]["message"]
            for name, action in self.actions(pipeline, execution).items()
            if action["status"] == "Failed"
        }

    # --- building

    def build_of(self, commit: str) -> tuple[str, str]:
        """Id and final status of the build pipeline's execution of a commit."""
        execution = self.execution_of(self.names.model_build, commit)
        return execution, self.ended(self.names.model_build, execution)

    def stop_build(self, commit: str) -> None:
        """The admin stops the build of a commit."""
        execution = self.execution_of(self.names.model_build, commit)
        codebuild, name = self.client("codebuild", "admin"), self.names.model_build
        codebuild.stop_build(
            id=until(lambda: (codebuild.list_builds_for_project(projectName=name)["ids"] or [None])[0])
        )
        assert self.ended(name, execution) == "Failed"

    def build_succeeds(self, commit: str) -> str:
        """The SageMaker pipeline execution that a commit's build ran to its end."""
        execution, status = self.build_of(commit)
        said = (self.failures(self.names.model_build, execution), self.build_log(commit)[-3000:])
        assert status == "Succeeded", said
        return self.sagemaker_execution(commit)

    def build_log(self, commit: str) -> str:
        """What the build of a commit wrote."""
        codebuild = self.client("codebuild")
        ids = codebuild.list_builds_for_project(projectName=self.names.model_build)["ids"]
        builds = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
        logs = [build["logs"] for build in builds if build.get("resolvedSourceVersion") == commit]
        if not logs:
            return ""
        events = self.client("logs").get_log_events(
            logGroupName=logs[0]["groupName"], logStreamName=logs[0]["streamName"], startFromHead=True
        )["events"]
        return "\n".join(event["message"].rstrip("\n") for event in events)

    def sagemaker_execution(self, commit: str) -> str:
        """ARN of a commit's (newest) execution of the SageMaker pipeline."""
        answer = self.client("sagemaker").list_pipeline_executions(
            PipelineName=self.names.sagemaker_pipeline, SortBy="CreationTime", SortOrder="Descending"
        )
        found = [
            item["PipelineExecutionArn"]
            for item in answer["PipelineExecutionSummaries"]
            if item.get("PipelineExecutionDisplayName") == f"commit-{commit[:12]}"
        ]
        assert found, f"no execution of commit {commit}"
        return str(found[0])

    def steps(self, execution_arn: str) -> dict[str, dict[str, Any]]:
        """Steps of a SageMaker pipeline execution by name."""
        answer = self.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=execution_arn)
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def run_pipeline(self, **parameters: str) -> str:
        """The engineer starts the SageMaker pipeline with other parameters; the execution's ARN."""
        return str(
            self.client("sagemaker").start_pipeline_execution(
                PipelineName=self.names.sagemaker_pipeline,
                PipelineParameters=[{"Name": name, "Value": value} for name, value in parameters.items()],
            )["PipelineExecutionArn"]
        )

    def run_ended(self, execution_arn: str) -> dict[str, Any]:
        """Description of a SageMaker pipeline execution once it has ended."""
        client = self.client("sagemaker")

        def look() -> dict[str, Any] | None:
            answer = client.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
            return answer if answer["PipelineExecutionStatus"] in ENDED else None

        return until(look, PATIENCE)

    # --- registry

    def version(self, number: int) -> dict[str, Any]:
        arn = f"arn:aws:sagemaker:us-east-1:{self.names.account}:model-package/{self.names.model_package_group}/{number}"
        return self.client("sagemaker").describe_model_package(ModelPackageName=arn)

    def versions(self) -> dict[int, str]:
        """Approval status by version."""
        answer = self.client("sagemaker").list_model_packages(
            ModelPackageGroupName=self.names.model_package_group
        )
        return {
            item["ModelPackageVersion"]: item["ModelApprovalStatus"]
            for item in answer["ModelPackageSummaryList"]
        }

    # --- deploying

    def started(self, act: Callable[[], Any]) -> str:
        """Id of the execution of the deploy pipeline that an act starts."""
        known = {item["pipelineExecutionId"] for item in self.executions(self.names.model_deploy)}
        act()

        def look() -> str | None:
            new = [item["pipelineExecutionId"] for item in self.executions(self.names.model_deploy)]
            return next((execution for execution in new if execution not in known), None)

        return until(look)

    def approve(self, version: int, status: str = "Approved") -> str:
        """The approver decides about a version; the execution of the deploy pipeline that follows."""
        arn = self.version(version)["ModelPackageArn"]
        sagemaker = self.client("sagemaker", "approver")
        return self.started(
            lambda: sagemaker.update_model_package(
                ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription="looked at"
            )
        )

    def until_gate(self, execution: str) -> str:
        """The token of the gate once the execution stands before it; staging is deployed and tested then."""
        client, pipeline = self.client("codepipeline"), self.names.model_deploy

        def look() -> str | None:
            status = client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)
            ended = status["pipelineExecution"]["status"] in ENDED
            assert not ended, (status["pipelineExecution"], self.failures(pipeline, execution))
            stage = client.get_pipeline_state(name=pipeline)["stageStates"][-1]
            if stage.get("latestExecution", {}).get("pipelineExecutionId") != execution:
                return None
            return next(
                filter(None, (a.get("latestExecution", {}).get("token") for a in stage["actionStates"])), None
            )

        return until(look, PATIENCE)

    def open_gate(self, execution: str, status: str = "Approved") -> str:
        """The approver answers the gate; the execution's final status."""
        token = self.until_gate(execution)
        self.client("codepipeline", "approver").put_approval_result(
            pipelineName=self.names.model_deploy,
            stageName="DeployProd",
            actionName="ApproveProduction",
            result={"summary": "staging looked at", "status": status},
            token=token,
        )
        return self.ended(self.names.model_deploy, execution)

    def deploy(self, execution: str) -> None:
        """Staging, its test, the gate, production."""
        status = self.open_gate(execution)
        assert status == "Succeeded", self.failures(self.names.model_deploy, execution)

    # --- endpoints

    def serving(self, stage: str) -> dict[str, Any]:
        """Endpoint of a stage: it is in service."""
        endpoint = self.client("sagemaker").describe_endpoint(EndpointName=self.names.endpoint(stage))
        assert endpoint["EndpointStatus"] == "InService", endpoint
        return endpoint

    def serves(self, stage: str, version: int) -> bool:
        """Whether the configuration in service is one made for a version."""
        return f"-{stage}-v{version}-" in self.serving(stage)["EndpointConfigName"]

    def configurations(self) -> set[str]:
        """ARNs of all models and endpoint configurations."""
        sagemaker, mine = self.client("sagemaker"), self.names.endpoint_parts
        models = sagemaker.list_models(NameContains=mine)["Models"]
        configs = sagemaker.list_endpoint_configs(NameContains=mine)["EndpointConfigs"]
        return {item["ModelArn"] for item in models} | {item["EndpointConfigArn"] for item in configs}

    def held_out(self, version: int = 1) -> tuple[list[str], list[float]]:
        """Rows that a version was not trained with, and the true values."""
        uri = self.version(version)["CustomerMetadataProperties"]["HeldOutDataUrl"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        text = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        rows = list(csv.reader(text.splitlines()))[1:]
        return [",".join(row[1:]) for row in rows], [float(row[0]) for row in rows]

    def predict(self, rows: list[str], stage: str = "prod") -> list[float]:
        return ask(self.client("sagemaker-runtime"), self.names.endpoint(stage), "\n".join(rows) + "\n")

    def traffic(self, row: str) -> Traffic:
        """A client of production, to be entered."""
        return Traffic(self.client("sagemaker-runtime"), self.names.endpoint("prod"), row)
