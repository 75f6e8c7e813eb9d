"""SageMaker projects: create, look at, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from cli import catalog, stacks
from cli.access import Access, pages
from cli.errors import SERVICE, CliError, error_code, is_absent
from cli.waiting import Waiter
from project.names import STAGES, Names

Tell = Callable[[str], None]
ENDED = ("Completed", "Failed")


class NoProject(CliError):
    """There is no project of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"project {name} does not exist", next_step="`mlops project list`", code=SERVICE)


@dataclass(frozen=True)
class Project:
    """A project as SageMaker describes it."""

    access: Access
    description: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.description["ProjectName"])

    @property
    def id(self) -> str:
        return str(self.description["ProjectId"])

    @property
    def status(self) -> str:
        return str(self.description["ProjectStatus"])

    @cached_property
    def names(self) -> Names:
        """What its resources are called."""
        return Names(
            project=self.name, project_id=self.id, account=self.description["ProjectArn"].split(":")[4]
        )

    @property
    def provisioned_product_id(self) -> str | None:
        details = self.description.get("ServiceCatalogProvisionedProductDetails") or {}
        return details.get("ProvisionedProductId")

    @property
    def message(self) -> str:
        """Why its product is in the state it is in."""
        details = self.description.get("ServiceCatalogProvisionedProductDetails") or {}
        return str(details.get("ProvisionedProductStatusMessage", ""))


def find(access: Access, name: str) -> Project:
    """The project of this name."""
    try:
        return Project(access, access.client("sagemaker").describe_project(ProjectName=name))
    except ClientError as error:
        if is_absent(error):
            raise NoProject(name) from error
        raise


def list_all(access: Access) -> list[dict[str, Any]]:
    """All projects, newest first."""
    answers = pages(
        access.client("sagemaker").list_projects,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=100,
    )
    return [item for page in answers for item in page["ProjectSummaryList"]]


def create(
    access: Access,
    name: str,
    *,
    template: str,
    version: str | None,
    parameters: Sequence[tuple[str, str]],
    description: str | None = None,
) -> None:
    """Ask SageMaker for a project; `until_created` waits for it. The service checks name and parameters."""
    details = catalog.provisioning_details(access, template, version)
    if parameters:
        details["ProvisioningParameters"] = [{"Key": key, "Value": value} for key, value in parameters]
    request: dict[str, Any] = {"ProjectName": name, "ServiceCatalogProvisioningDetails": details}
    if description:
        request["ProjectDescription"] = description
    access.client("sagemaker").create_project(**request)


def until_created(access: Access, name: str, waiter: Waiter, tell: Tell) -> Project:
    """Wait for CreateCompleted, telling the stack's events."""
    events: stacks.StackEvents | None = None

    def ask() -> tuple[str, int]:
        nonlocal events
        project = find(access, name)
        if events is None and project.provisioned_product_id:
            events = stacks.StackEvents(access, _stack_name(project), tell)
        return project.status, events.tell() if events else 0

    status, _ = waiter.until(ask, lambda state: state[0].endswith(ENDED), what=f"creation of project {name}")
    project = find(access, name)
    if status != "CreateCompleted":
        cause = events.failures[0] if events and events.failures else project.message or status
        raise CliError(
            f"project {name} was not created: {cause}",
            next_step=f"remove the cause, `mlops project delete {name} --yes`, create again",
        )
    return project


def _stack_name(project: Project) -> str:
    """Service Catalog names stacks after account and provisioned product."""
    return f"SC-{project.names.account}-{project.provisioned_product_id}"


def delete(project: Project, waiter: Waiter, tell: Tell) -> dict[str, Any]:
    """Delete endpoint stacks, then the project. What is kept on purpose is listed in the answer.

    The endpoint stacks go first: the role that may delete them belongs to the project's stack.
    """
    access = project.access
    _stop_executions(project, tell)
    deleted = [
        name
        for name in (project.names.endpoint_stack(stage) for stage in reversed(STAGES))
        if stacks.delete(access, name, waiter, tell)
    ]
    stack = _project_stack(project)
    events = stacks.StackEvents(access, stack["StackId"], tell) if stack else None
    if events:
        events.skip()
    access.client("sagemaker").delete_project(ProjectName=project.name)

    def ask() -> tuple[str, int]:
        try:
            status = find(access, project.name).status
        except NoProject:  # a deleted one is unknown
            status = "DeleteCompleted"
        return status, events.tell() if events else 0

    status, _ = waiter.until(
        ask, lambda state: state[0].endswith(ENDED), what=f"deletion of project {project.name}"
    )
    if status != "DeleteCompleted":
        cause = events.failures[0] if events and events.failures else find(access, project.name).message
        raise CliError(
            f"project {project.name} was not deleted: {cause}", next_step="remove the cause, delete again"
        )
    if events:
        events.tell()
    return {
        "ProjectName": project.name,
        "ProjectId": project.id,
        "ProjectStatus": status,
        "DeletedStacks": [*deleted, stack["StackName"]] if stack else deleted,
        "Retained": [*(_retained(access, stack["StackId"]) if stack else []), *_sagemaker_pipeline(project)],
    }


def _retained(access: Access, stack_id: str) -> list[dict[str, Any]]:
    """What the stack left behind; repositories, whose ids say nothing, with their names."""
    answers = pages(access.client("codecommit").list_repositories, sent="nextToken", received="nextToken")
    names = {
        item["repositoryId"]: item["repositoryName"] for page in answers for item in page["repositories"]
    }
    return [{**item, "Name": names.get(item["Id"])} for item in stacks.retained(access, stack_id)]


def _sagemaker_pipeline(project: Project) -> list[dict[str, Any]]:
    """The pipeline that the builds made is kept: its executions say where the registered models come from."""
    name = project.names.sagemaker_pipeline
    try:
        project.access.client("sagemaker").describe_pipeline(PipelineName=name)
    except ClientError as error:
        if is_absent(error):  # nothing was ever built
            return []
        raise
    return [{"Type": "AWS::SageMaker::Pipeline", "Id": name, "Name": None}]


def _project_stack(project: Project) -> dict[str, Any] | None:
    if not project.provisioned_product_id:
        return None
    return stacks.describe(project.access, _stack_name(project))


def _stop_executions(project: Project, tell: Tell) -> None:
    """A deployment that goes on would bring an endpoint back."""
    client = project.access.client("codepipeline")
    for pipeline in (project.names.model_build, project.names.model_deploy):
        try:
            executions = client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
        except ClientError as error:
            if is_absent(error):
                continue
            raise
        for execution in executions:
            if execution["status"] == "InProgress":
                _stop(client, pipeline, execution["pipelineExecutionId"], tell)


def _stop(client: Any, pipeline: str, execution: str, tell: Tell) -> None:
    try:
        client.stop_pipeline_execution(
            pipelineName=pipeline,
            pipelineExecutionId=execution,
            abandon=True,
            reason="the project is deleted",
        )
    except ClientError as error:
        if error_code(error) not in (
            "PipelineExecutionNotStoppableException",
            "DuplicatedStopRequestException",
        ):
            raise
    else:
        tell(f"execution {execution} of {pipeline} stopped")
