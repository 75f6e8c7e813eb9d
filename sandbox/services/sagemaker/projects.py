"""SageMaker projects: a name and an id around a provisioned product, or around a template in S3.

Sources: SageMaker API reference (CreateProject, UpdateProject, DeleteProject), "MLOps project templates".
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, listener
from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.store import Record
from sandbox.engine.tasks import given_up, task
from sandbox.services.sagemaker import project_providers as providers
from sandbox.services.sagemaker import resource_tags
from sandbox.services.sagemaker.users import user_context

BUSY = ("Pending", "CreateInProgress", "UpdateInProgress", "DeleteInProgress")
GONE = ("DeleteCompleted",)
LIMIT = 500
"""Projects an account and region (Service Quotas, "Total number of projects")."""


def _require(call: Call, name: str) -> Record:
    record = call.records("project").get(name)
    if record is None or record["ProjectStatus"] in GONE:
        raise AwsError("ValidationException", f"Project with name {name} does not exist")
    return record


def _arn(call: Call, name: str) -> str:
    return call.arn(f"project/{name}")


@operation("sagemaker", "CreateProject")
def create_project(
    call: Call,
    ProjectName: str,
    ProjectDescription: str | None = None,
    ServiceCatalogProvisioningDetails: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
    TemplateProviders: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    if bool(ServiceCatalogProvisioningDetails) == bool(TemplateProviders):
        raise AwsError(
            "ValidationException", "Give either ServiceCatalogProvisioningDetails or TemplateProviders."
        )
    if any("CfnTemplateProvider" not in provider for provider in TemplateProviders or []):
        raise AwsError("ValidationException", "A template provider must have a CfnTemplateProvider.")
    with call.engine.store.transaction():
        records = call.records("project")
        existing = records.get(ProjectName)
        if existing and existing["ProjectStatus"] not in GONE:
            raise AwsError(
                "ValidationException",
                f"Project with name {ProjectName} already exists. Project name must be unique.",
            )
        if len(records.keys()) >= LIMIT:
            raise AwsError(
                "ResourceLimitExceeded", f"The account-level service limit of {LIMIT} projects is reached."
            )
        identifier = random_id(12, prefix="p-")
        record = {
            "ProjectName": ProjectName,
            "ProjectId": identifier,
            "ProjectArn": _arn(call, ProjectName),
            "ProjectDescription": ProjectDescription,
            "ServiceCatalogProvisioningDetails": ServiceCatalogProvisioningDetails,
            "TemplateProviders": TemplateProviders,
            "ProjectStatus": "Pending",
            "CreatedBy": user_context(call),
            "CreationTime": call.engine.clock.now(),
            "LastModifiedTime": call.engine.clock.now(),
            "Tags": {tag["Key"]: tag["Value"] for tag in Tags or []},
            "access_key": call.principal.access_key,
        }
        records.delete(ProjectName)
        records.put(ProjectName, record)
        resource_tags.attach(call, record["ProjectArn"], Tags or [])
        _wake(call.engine, call.account, call.region, ProjectName)
    return {"ProjectArn": record["ProjectArn"], "ProjectId": identifier}


@operation("sagemaker", "DescribeProject")
def describe_project(call: Call, ProjectName: str) -> dict[str, Any]:
    return _shown(_require(call, ProjectName))


def _shown(record: Record) -> dict[str, Any]:
    shown = {
        name: record[name]
        for name in (
            "ProjectArn",
            "ProjectName",
            "ProjectId",
            "ProjectDescription",
            "ServiceCatalogProvisioningDetails",
            "ServiceCatalogProvisionedProductDetails",
            "ProjectStatus",
            "CreatedBy",
            "CreationTime",
            "LastModifiedTime",
            "LastModifiedBy",
        )
        if record.get(name) is not None
    }
    shown.setdefault("ServiceCatalogProvisioningDetails", {"ProductId": ""}) if not record.get(
        "TemplateProviders"
    ) else None
    if record.get("TemplateProviders"):
        shown["TemplateProviderDetails"] = [providers.template_detail(record)]
    return shown


@operation("sagemaker", "ListProjects")
def list_projects(
    call: Call,
    CreationTimeAfter: float | None = None,
    CreationTimeBefore: float | None = None,
    MaxResults: int | None = None,
    NameContains: str | None = None,
    NextToken: str | None = None,
    SortBy: str = "Name",
    SortOrder: str = "Ascending",
) -> dict[str, Any]:
    records = [record for record in call.records("project").list() if record["ProjectStatus"] not in GONE]
    if NameContains:
        records = [record for record in records if NameContains in record["ProjectName"]]
    if CreationTimeAfter is not None:
        records = [record for record in records if record["CreationTime"] > _epoch(CreationTimeAfter)]
    if CreationTimeBefore is not None:
        records = [record for record in records if record["CreationTime"] < _epoch(CreationTimeBefore)]
    key = "ProjectName" if SortBy == "Name" else "CreationTime"
    records.sort(key=lambda record: record[key], reverse=SortOrder == "Descending")
    names = ("ProjectName", "ProjectDescription", "ProjectArn", "ProjectId", "CreationTime", "ProjectStatus")
    summaries = [{name: record[name] for name in names if record.get(name) is not None} for record in records]
    items, token = page(summaries, NextToken, MaxResults)
    return {"ProjectSummaryList": items, "NextToken": token}


def _epoch(moment: Any) -> float:
    return moment.timestamp() if hasattr(moment, "timestamp") else float(moment)


@operation("sagemaker", "UpdateProject")
def update_project(
    call: Call,
    ProjectName: str,
    ProjectDescription: str | None = None,
    ServiceCatalogProvisioningUpdateDetails: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
    TemplateProvidersToUpdate: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _require(call, ProjectName)
        if record["ProjectStatus"] in BUSY:
            raise AwsError(
                "ConflictException",
                f"Project {ProjectName} is {record['ProjectStatus']}: wait until it has ended.",
            )
        if ProjectDescription is not None:
            record["ProjectDescription"] = ProjectDescription
        record["LastModifiedBy"] = user_context(call)
        record["LastModifiedTime"] = call.engine.clock.now()
        if Tags:
            resource_tags.attach(call, record["ProjectArn"], Tags)
            record["Tags"] |= {tag["Key"]: tag["Value"] for tag in Tags}
        if ServiceCatalogProvisioningUpdateDetails or TemplateProvidersToUpdate:
            providers.prepare_update(
                record, ServiceCatalogProvisioningUpdateDetails, TemplateProvidersToUpdate
            )
            record |= {
                "ProjectStatus": "UpdateInProgress",
                "started": None,
                "access_key": call.principal.access_key,
            }
        call.records("project").put(ProjectName, record)
        _wake(call.engine, call.account, call.region, ProjectName)
    return {"ProjectArn": record["ProjectArn"]}


@operation("sagemaker", "DeleteProject")
def delete_project(call: Call, ProjectName: str) -> None:
    with call.engine.store.transaction():
        record = _require(call, ProjectName)
        if record["ProjectStatus"] in BUSY:
            raise AwsError(
                "ConflictException",
                f"Project {ProjectName} is {record['ProjectStatus']}: wait until it has ended.",
            )
        record |= {
            "ProjectStatus": "DeleteInProgress",
            "LastModifiedBy": user_context(call),
            "LastModifiedTime": call.engine.clock.now(),
            "started": None,
            "access_key": call.principal.access_key,
        }
        call.records("project").put(ProjectName, record)
        _wake(call.engine, call.account, call.region, ProjectName)


def _wake(engine: Engine, account: str, region: str, name: str) -> None:
    engine.tasks.submit("sagemaker.project", f"{account}/{region}/{name}")


@task("sagemaker.project")
def advance(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """One step of a project: start what its status asks for, or end it as its provider has ended."""
    account, region, name = key.split("/")
    records = engine.records(account, region, "sagemaker", "project")
    record = records.get(name)
    if record is None or record["ProjectStatus"] not in BUSY:
        return
    if record["ProjectStatus"] == "Pending":
        record["ProjectStatus"] = "CreateInProgress"
        records.put(name, record)
    session = engine.clients.of_access_key(record["access_key"], region, via="sagemaker.amazonaws.com")
    before = record.get("started")
    ended = _step(session, record)
    if ended is None and record.get("started") != before:
        # What was started may have ended before this record told what it waits for: look once more.
        _wake(engine, account, region, name)
    if ended is not None:
        _end(engine, record, ended)
    records.put(name, record)


def _end(engine: Engine, record: Record, ended: providers.Ended) -> None:
    verb = record["ProjectStatus"].removesuffix("InProgress")
    record["ProjectStatus"] = f"{verb}Completed" if ended.succeeded else f"{verb}Failed"
    record["LastModifiedTime"] = engine.clock.now()
    if ended.message and record.get("ServiceCatalogProvisioningDetails"):
        product = record.get("ServiceCatalogProvisionedProductDetails") or {}
        record["ServiceCatalogProvisionedProductDetails"] = product | {
            "ProvisionedProductStatusMessage": ended.message
        }
    record["message"] = ended.message


@given_up("sagemaker.project")
def give_up(engine: Engine, key: str, payload: dict[str, Any], reason: str) -> None:
    """Ends a project whose step failed again and again, for a reason that no service told."""
    account, region, name = key.split("/")
    records = engine.records(account, region, "sagemaker", "project")
    with engine.store.transaction():
        record = records.get(name)
        if record is not None and record["ProjectStatus"] in BUSY:
            if record["ProjectStatus"] == "Pending":
                record["ProjectStatus"] = "CreateInProgress"
            _end(engine, record, providers.Ended(False, reason))
            records.put(name, record)


def _step(session: Session, record: Record) -> providers.Ended | None:
    from botocore.exceptions import ClientError

    provider = (
        providers.ServiceCatalog if record.get("ServiceCatalogProvisioningDetails") else providers.Template
    )
    try:
        return provider(session, record).step()
    except AwsError as error:
        return providers.Ended(False, f"{error.code}: {error.message}")
    except ClientError as error:
        return providers.Ended(
            False, f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        )


@listener(source="sandbox.servicecatalog", detail_type="Record Ended")
def on_record(engine: Engine, event: Event) -> None:
    """Wakes the project whose record ended."""
    _wake_waiting(engine, event, event["detail"]["RecordId"])


@listener(source="aws.cloudformation", detail_type="CloudFormation Stack Status Change")
def on_stack(engine: Engine, event: Event) -> None:
    """Wakes the project made of a template in S3 whose stack moved."""
    _wake_waiting(engine, event, event["detail"]["stack-id"].split("/")[1])


def _wake_waiting(engine: Engine, event: Event, started: str) -> None:
    account, region = event["account"], event["region"]
    for name in engine.records(account, region, "sagemaker", "project").keys_where(_started, started):
        _wake(engine, account, region, name)


def _started(project: Record) -> list[str]:
    """What a project may wait for: a record of Service Catalog, or a stack by its name."""
    started = project.get("started") or {}
    return [started[member] for member in ("RecordId", "StackName") if member in started]
