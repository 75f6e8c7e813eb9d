"""What a SageMaker project lists by its name and id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from cli import endpoints, executions, models
from cli.access import Access
from cli.errors import error_code, is_absent
from cli.projects import Project
from project.names import Names

EXECUTIONS_LOOKED_AT = 5
"""Newest executions that are asked which data they read."""


def of(project: Project) -> dict[str, Any]:
    """Everything that belongs to a project, a list a kind; all kinds are asked for at once."""
    access, names = project.access, project.names
    parts = {
        "PipelineExecutions": lambda: executions.of_sagemaker(access, names.sagemaker_pipeline),
        "RegisteredModels": lambda: models.summaries(access, names.model_package_group),
        "Endpoints": lambda: endpoints.named(access, names.model_package_group),
        "DataSets": lambda: data_sets(access, names),
        "ServiceCatalogProduct": lambda: product(project),
        "CodePipelines": lambda: [
            code_pipeline(access, name) for name in (names.model_build, names.model_deploy)
        ],
        "CodeCommitRepositories": lambda: repositories(access, names),
    }
    for service in ("sagemaker", "codepipeline", "codecommit", "servicecatalog", "s3"):
        access.client(service)  # boto3 makes clients from one thread only
    with ThreadPoolExecutor(len(parts)) as pool:
        return dict(zip(parts, pool.map(lambda part: part(), parts.values()), strict=True))


def data_sets(access: Access, names: Names) -> list[dict[str, str]]:
    """S3 URIs of raw data: from the newest executions' parameters and the registered models' origin."""
    found: dict[str, str] = {}
    client = access.client("sagemaker")
    for execution in executions.of_sagemaker(access, names.sagemaker_pipeline)[:EXECUTIONS_LOOKED_AT]:
        pages = client.get_paginator("list_pipeline_parameters_for_execution").paginate(
            PipelineExecutionArn=execution["ExecutionArn"]
        )
        for parameter in (item for page in pages for item in page["PipelineParameters"]):
            if str(parameter.get("Value", "")).startswith("s3://"):
                found.setdefault(parameter["Value"], parameter["Name"])
    for package in models.packages(access, names.model_package_group):
        uri = package.get("CustomerMetadataProperties", {}).get("InputDataUrl")
        if uri:
            found.setdefault(uri, "InputDataUrl")
    return [{"S3Uri": uri, "Parameter": name} for uri, name in found.items()]


def product(project: Project) -> dict[str, Any]:
    """The product it was created from, as far as this principal may see it."""
    details = project.description.get("ServiceCatalogProvisioningDetails", {})
    shown = {
        "ProductId": details.get("ProductId"),
        "ProvisioningArtifactId": details.get("ProvisioningArtifactId"),
        "ProvisionedProductId": project.provisioned_product_id,
    }
    if not project.provisioned_product_id:
        return shown
    catalog = project.access.client("servicecatalog")
    try:
        answer = catalog.describe_provisioned_product(Id=project.provisioned_product_id)
    except ClientError as error:
        if is_absent(error) or error_code(error).startswith("AccessDenied"):
            return shown
        raise
    return {**shown, "Status": answer["ProvisionedProductDetail"]["Status"]}


def code_pipeline(access: Access, name: str) -> dict[str, Any]:
    """A CodePipeline pipeline with its newest execution."""
    newest = executions.of_code_pipeline(access, name, 1)
    state = {key: newest[0][key] for key in ("Status", "ExecutionId", "Commit", "Started")} if newest else {}
    return {"Pipeline": name, **state}


def repositories(access: Access, names: Names) -> list[dict[str, Any]]:
    """The repositories with their clone URLs and heads."""
    client = access.client("codecommit")
    found = []
    for name in (names.model_build, names.model_deploy):
        try:
            metadata = client.get_repository(repositoryName=name)["repositoryMetadata"]
        except ClientError as error:
            if is_absent(error):
                continue
            raise
        branch = metadata.get("defaultBranch")
        head = (
            client.get_branch(repositoryName=name, branchName=branch)["branch"]["commitId"]
            if branch
            else None
        )
        found.append(
            {
                "Repository": name,
                "Branch": branch,
                "Commit": head and head[:12],
                "CloneUrl": metadata["cloneUrlHttp"],
            }
        )
    return found
