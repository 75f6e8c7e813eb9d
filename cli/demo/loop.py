"""The stages of the whole loop, each done by who does it in a company."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli import endpoints, executions, models, projects
from cli.access import Access, sandbox_access
from cli.demo.closing import predict_held_out
from cli.demo.follow import CodeExecution, Deployment, Training
from cli.demo.publishing import publish_for
from cli.demo.workspace import Workspace
from cli.errors import CliError
from cli.progress import Progress
from cli.waiting import Pace, Waiter
from project.names import Names

TEMPLATE = "model"
NAME = "demo"
STAGE_SECONDS = 1800.0
"""The longest that one stage may take; the first one installs what builds and jobs run in."""


@dataclass
class Loop:
    """One run. `variables` gives the sandbox's environment of a principal."""

    variables: Callable[[str], dict[str, str]]
    progress: Progress
    name: str | None = None
    waiter: Waiter = field(default_factory=lambda: Waiter(Pace.of(local=True, timeout=STAGE_SECONDS)))
    _accesses: dict[str, Access] = field(default_factory=dict)

    def access(self, principal: str) -> Access:
        """AWS as one of the four principals."""
        if principal not in self._accesses:
            self._accesses[principal] = sandbox_access(self.variables(principal))
        return self._accesses[principal]

    def run(self) -> dict[str, Any]:
        """All stages; what they made."""
        stage = self.progress.stage
        with stage("publish", "admin publishes the templates"):
            team = self.access("team").client("sts").get_caller_identity()["Arn"]
            published = publish_for(self.access("admin"), team, self.progress)
        name = self.name or self._free_name()
        with stage("create", f"team creates project {name} from template {TEMPLATE}"):
            project = self._create(name, published["version"])
        with tempfile.TemporaryDirectory(prefix="mlops-demo-") as folder:
            training = self._build(project.names, Path(folder) / "model-build")
        package = self._registered(project.names, training)
        self._deploy(project.names, package)
        with stage("predict", "engineer asks production about hours the model has not seen"):
            prediction = predict_held_out(self.access("engineer"), project.names.endpoint("prod"), package)
            self.progress.line(
                f"{prediction['prediction']:.1f} predicted, {prediction['true_value']:g} in truth"
            )
        return self._result(project, published, training, prediction)

    def _free_name(self) -> str:
        taken = {item["ProjectName"] for item in projects.list_all(self.access("team"))}
        return next(
            name for name in (f"{NAME}-{number}" for number in range(1, 1 << 20)) if name not in taken
        )

    def _create(self, name: str, version: str) -> projects.Project:
        """A project of this name that exists is used on."""
        team = self.access("team")
        try:
            project = projects.find(team, name)
        except projects.NoProject:
            projects.create(team, name, template=TEMPLATE, version=version, parameters=())
            return projects.until_created(team, name, self.waiter, self.progress.line)
        if not project.status.endswith("Completed"):
            raise CliError(f"project {name} is {project.status}", next_step="give another name with --name")
        self.progress.line(f"project {name} ({project.id}) is there already: used on")
        return project

    def _build(self, names: Names, folder: Path) -> Training:
        """Clone, change, push, build, train. A new project builds its seed first: version 1."""
        engineer, stage = self.access("engineer"), self.progress.stage
        workspace = Workspace(folder, self.variables("engineer"))
        with stage("clone", f"engineer clones {names.model_build}"):
            workspace.clone(self._clone_url(names.model_build))
            seed = engineer.client("codecommit").get_branch(
                repositoryName=names.model_build, branchName="main"
            )
        first = self._running(names)
        if first:
            with stage("first_build", "the project builds the seed as it came"):
                self._train(names, seed["branch"]["commitId"])
        with stage("push", "engineer changes one hyperparameter, commits, pushes"):
            before, after = workspace.change_depth()
            commit = workspace.commit(f"Trees of depth {after} instead of {before}")
            workspace.push()
            self.progress.line(f"MaxDepth {before} → {after}, commit {commit[:12]}")
        with stage("build", "CodePipeline builds the commit"):
            build = self._build_of(names, commit)
            training = Training(build, commit)
            training.await_start()
        with stage("train", "SageMaker processes, trains, evaluates, registers"):
            training.until_succeeded()
        return training

    def _running(self, names: Names) -> bool:
        found = executions.of_code_pipeline(self.access("engineer"), names.model_build)
        return any(item["Status"] in executions.RUNNING for item in found)

    def _train(self, names: Names, commit: str) -> None:
        training = Training(self._build_of(names, commit), commit)
        training.await_start()
        training.until_succeeded()

    def _build_of(self, names: Names, commit: str) -> CodeExecution:
        build = CodeExecution(self.access("engineer"), names.model_build, names, self.waiter, self.progress)
        build.await_start(lambda item: item["Commit"] == commit[:12], f"the build of commit {commit[:12]}")
        return build

    def _clone_url(self, repository: str) -> str:
        answer = self.access("engineer").client("codecommit").get_repository(repositoryName=repository)
        return str(answer["repositoryMetadata"]["cloneUrlHttp"])

    def _registered(self, names: Names, training: Training) -> dict[str, Any]:
        """The version that the commit's execution registered; all versions told with their metrics."""
        for summary in models.summaries(self.access("engineer"), names.model_package_group):
            measures = ", ".join(
                f"{key} {value:.4g}" for key, value in summary.items() if isinstance(value, float)
            )
            self.progress.line(
                f"version {summary['ModelPackageVersion']}  {summary['ModelApprovalStatus']}  {measures}",
                style="",
            )
        steps = [step.get("Metadata", {}).get("RegisterModel", {}).get("Arn") for step in training.steps]
        arn = next(filter(None, steps), None)
        if arn is None:
            raise CliError(f"no step of {training.build.id} registered a model")
        return models.pick(self.access("approver"), names.model_package_group, arn)

    def _deploy(self, names: Names, package: dict[str, Any]) -> None:
        """Approve, staging, test, gate, production."""
        approver, stage = self.access("approver"), self.progress.stage
        version = package["ModelPackageVersion"]
        deployment = Deployment(self.access("engineer"), names, self.waiter, self.progress)
        known = {item["ExecutionId"] for item in executions.of_code_pipeline(approver, names.model_deploy)}
        with stage("approve", f"approver approves version {version}"):
            models.decide(approver, package, "Approved", "approved in the demo: metrics looked at")
            deployment.await_start(lambda item: item["ExecutionId"] not in known, "the deployment to start")
        with stage("staging", f"CodePipeline deploys version {version} to staging"):
            deployment.until_action("DeployStaging", "Deploy")
        with stage("staging_test", "CodeBuild tests the staging endpoint"):
            deployment.until_action("DeployStaging", "Test")
        with stage("gate", "approver opens the gate to production"):
            gate = deployment.until_gate()
            gate.answer(approver, "Approved", "approved in the demo: the staging test passed")
        with stage("production", f"CodePipeline deploys version {version} to production"):
            deployment.until_action("DeployProd", "Deploy")
            deployment.until_succeeded()

    def _result(
        self,
        project: projects.Project,
        published: dict[str, Any],
        training: Training,
        prediction: dict[str, Any],
    ) -> dict[str, Any]:
        engineer, names = self.access("engineer"), project.names
        assert training.execution is not None
        found = endpoints.named(engineer, names.model_package_group)
        return {
            "project": {"name": project.name, "id": project.id, "template_version": published["version"]},
            "model_packages": models.summaries(engineer, names.model_package_group),
            "pipeline_execution_arn": training.execution["ExecutionArn"],
            "endpoints": [item["EndpointName"] for item in found],
            "repositories": {
                "model_build": self._clone_url(names.model_build),
                "model_deploy": self._clone_url(names.model_deploy),
            },
            "prediction": prediction,
            "seconds": self.progress.seconds,
            "total_seconds": round(self.progress.total, 2),
        }
