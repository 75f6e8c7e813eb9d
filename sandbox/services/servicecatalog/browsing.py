"""Products as someone who may launch them sees them (Service Catalog API reference)."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.servicecatalog import access, artifacts, products, tag_options


@operation("servicecatalog", "SearchProducts")
def search_products(
    call: Call,
    Filters: dict[str, list[str]] | None = None,
    SortBy: str | None = None,
    SortOrder: str = "ASCENDING",
    PageToken: str | None = None,
    PageSize: int | None = None,
    **_: Any,
) -> dict[str, Any]:
    records = products.matching(access.visible_products(call), Filters)
    key = "CreatedTime" if SortBy == "CreationDate" else "Name"
    records = sorted(records, key=lambda record: record[key], reverse=SortOrder == "DESCENDING")
    summaries = [products.summary(record) for record in records]
    items, token = page(summaries, PageToken, PageSize, error="InvalidParametersException", default=20)
    return {"ProductViewSummaries": items, "NextPageToken": token}


@operation("servicecatalog", "DescribeProduct")
def describe_product(call: Call, Id: str | None = None, Name: str | None = None, **_: Any) -> dict[str, Any]:
    record = access.visible(call, Id, Name)
    names = ("Id", "Name", "Description", "CreatedTime", "Guidance")
    return {
        "ProductViewSummary": products.summary(record),
        "ProvisioningArtifacts": [
            {name: artifact[name] for name in names if artifact.get(name) is not None}
            for artifact in artifacts.of_product(call, record["Id"])
            if artifact["Active"]
        ],
        "Budgets": [],
        "LaunchPaths": [
            {"Id": path["Id"], "Name": path["Name"]} for path in access.paths(call, record["Id"])
        ],
    }


@operation("servicecatalog", "ListLaunchPaths")
def list_launch_paths(
    call: Call, ProductId: str, PageToken: str | None = None, PageSize: int | None = None, **_: Any
) -> dict[str, Any]:
    access.visible(call, ProductId, None)
    summaries = [
        {
            "Id": path["Id"],
            "Name": path["Name"],
            "ConstraintSummaries": [{"Type": "LAUNCH", "Description": f"Launch as {path['role']}"}]
            if path["role"]
            else [],
            "Tags": [],
        }
        for path in access.paths(call, ProductId)
    ]
    items, token = page(summaries, PageToken, PageSize, error="InvalidParametersException", default=20)
    return {"LaunchPathSummaries": items, "NextPageToken": token}


@operation("servicecatalog", "DescribeProvisioningParameters")
def describe_provisioning_parameters(
    call: Call,
    ProductId: str | None = None,
    ProductName: str | None = None,
    ProvisioningArtifactId: str | None = None,
    ProvisioningArtifactName: str | None = None,
    PathId: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    product = access.visible(call, ProductId, ProductName)
    artifact = artifacts.require(call, product["Id"], ProvisioningArtifactId, ProvisioningArtifactName)
    try:
        client = call.session("servicecatalog.amazonaws.com").client("cloudformation")
        summary = client.get_template_summary(TemplateURL=artifact["Info"]["TemplateUrl"])
    except ClientError as error:
        raise AwsError(
            "InvalidParametersException", f"The template of {artifact['Id']} cannot be read: {error}"
        ) from error
    return {
        "ProvisioningArtifactParameters": [_parameter(parameter) for parameter in summary["Parameters"]],
        "ConstraintSummaries": [
            {"Type": "LAUNCH"} for path in access.paths(call, product["Id"]) if path["role"]
        ],
        "UsageInstructions": [],
        "TagOptions": _tag_options(call, product["Id"], PathId),
    }


def _tag_options(call: Call, product: str, path: str | None) -> list[dict[str, Any]]:
    found = [item for item in access.paths(call, product) if path in (None, item["Id"])]
    choices = tag_options.choices(call, found[0]["portfolio"], product) if found else {}
    return [{"Key": key, "Values": values} for key, values in choices.items()]


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    constraints = parameter.get("ParameterConstraints", {})
    return {
        "ParameterKey": parameter["ParameterKey"],
        "DefaultValue": parameter.get("DefaultValue"),
        "ParameterType": parameter["ParameterType"],
        "IsNoEcho": parameter.get("NoEcho", False),
        "Description": parameter.get("Description"),
        "ParameterConstraints": {"AllowedValues": constraints.get("AllowedValues", [])},
    }
