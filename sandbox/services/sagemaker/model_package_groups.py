"""Model package groups: the registry's folders, and the policies that share them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import POLICIES, AwsError, operation
from sandbox.services.sagemaker import resource_tags
from sandbox.services.sagemaker.listing import filter_by_request, keep, paged, sort
from sandbox.services.sagemaker.users import user_context

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Record

KIND = "model-package-group"
VERSIONED = "model-package"
"""Records of versioned packages: `<group>/<version, ten digits>`."""


def group_arn(call: Call, name: str) -> str:
    return call.arn(f"model-package-group/{name}")


def group_name(call: Call, name_or_arn: str) -> str:
    """The name in an ArnOrName; a group of another account or region does not exist here."""
    if not name_or_arn.startswith("arn:"):
        return name_or_arn
    prefix = group_arn(call, "")
    if not name_or_arn.startswith(prefix):
        raise missing(name_or_arn)
    return name_or_arn.removeprefix(prefix)


def missing(arn: str) -> AwsError:
    return AwsError("ValidationException", f"ModelPackageGroup {arn} does not exist.")


def find_group(call: Call, name_or_arn: str) -> Record:
    """The record of a group. AwsError where it does not exist."""
    name = group_name(call, name_or_arn)
    record = call.records(KIND).get(name)
    if record is None:
        raise missing(group_arn(call, name))
    return record


@operation("sagemaker", "CreateModelPackageGroup")
def create_model_package_group(call: Call, **request: Any) -> dict[str, Any]:
    name = request["ModelPackageGroupName"]
    arn = group_arn(call, name)
    if request.get("ManagedConfiguration"):
        raise AwsError("ValidationException", "ManagedConfiguration is not implemented by the sandbox.")
    with call.engine.store.transaction():
        groups = call.records(KIND)
        if groups.get(name):
            raise AwsError("ValidationException", f"Model Package Group already exists: {arn}")
        groups.put(
            name,
            keep(request, "ModelPackageGroupDescription")
            | {
                "ModelPackageGroupName": name,
                "ModelPackageGroupArn": arn,
                "CreationTime": call.engine.clock.now(),
                "CreatedBy": user_context(call),
                "ModelPackageGroupStatus": "Completed",
            },
        )
        resource_tags.attach(call, arn, request.get("Tags"))
    return {"ModelPackageGroupArn": arn}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe_model_package_group(call: Call, ModelPackageGroupName: str) -> dict[str, Any]:
    group = find_group(call, ModelPackageGroupName)
    return {name: value for name, value in group.items() if name not in ("Policy", "LastVersion")}


@operation("sagemaker", "ListModelPackageGroups")
def list_model_package_groups(call: Call, **request: Any) -> dict[str, Any]:
    groups = filter_by_request(call.records(KIND).list(), request, "ModelPackageGroupName")
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        groups = []
    member = "ModelPackageGroupName" if request.get("SortBy") == "Name" else "CreationTime"
    groups = sort(groups, lambda group: group[member], request.get("SortOrder"), "Ascending")
    summaries = [
        keep(
            group,
            "ModelPackageGroupName",
            "ModelPackageGroupArn",
            "ModelPackageGroupDescription",
            "CreationTime",
            "ModelPackageGroupStatus",
        )
        for group in groups
    ]
    return paged("ModelPackageGroupSummaryList", summaries, request)


@operation("sagemaker", "DeleteModelPackageGroup")
def delete_model_package_group(call: Call, ModelPackageGroupName: str) -> None:
    with call.engine.store.transaction():
        group = find_group(call, ModelPackageGroupName)
        name, arn = group["ModelPackageGroupName"], group["ModelPackageGroupArn"]
        if call.records(VERSIONED).keys(f"{name}/"):
            raise AwsError(
                "ConflictException",
                f"Model Package Group {arn} cannot be deleted because it still contains Model Packages. "
                "Delete its Model Packages first.",
            )
        call.records(KIND).delete(name)
        resource_tags.detach(call, arn)


@operation("sagemaker", "PutModelPackageGroupPolicy")
def put_model_package_group_policy(
    call: Call, ModelPackageGroupName: str, ResourcePolicy: str
) -> dict[str, Any]:
    _check_policy(ResourcePolicy)
    with call.engine.store.transaction():
        group = find_group(call, ModelPackageGroupName)
        call.records(KIND).put(group["ModelPackageGroupName"], group | {"Policy": ResourcePolicy})
    return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}


@operation("sagemaker", "GetModelPackageGroupPolicy")
def get_model_package_group_policy(call: Call, ModelPackageGroupName: str) -> dict[str, Any]:
    group = find_group(call, ModelPackageGroupName)
    if "Policy" not in group:
        raise AwsError(
            "ValidationException",
            f"Cannot find a resource policy attached to resource {group['ModelPackageGroupArn']}.",
        )
    return {"ResourcePolicy": group["Policy"]}


@operation("sagemaker", "DeleteModelPackageGroupPolicy")
def delete_model_package_group_policy(call: Call, ModelPackageGroupName: str) -> None:
    with call.engine.store.transaction():
        group = find_group(call, ModelPackageGroupName)
        group.pop("Policy", None)
        call.records(KIND).put(group["ModelPackageGroupName"], group)


def _policy_of(engine: Engine, account: str, region: str, arn: str) -> str | None:
    """The resource policy that IAM weighs for a group or a version in it."""
    kind, _, name = arn.split(":", 5)[5].partition("/")
    if kind not in ("model-package-group", "model-package"):
        return None
    group = engine.records(account, region, "sagemaker", KIND).get(name.partition("/")[0])
    return group.get("Policy") if group else None


POLICIES["sagemaker"] = _policy_of


def _check_policy(text: str) -> None:
    try:
        policy = json.loads(text)
    except json.JSONDecodeError:
        policy = None
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    whole = {"Effect", "Principal", "Action", "Resource"}
    complete = isinstance(statements, list) and all(
        isinstance(each, dict) and whole <= set(each) for each in statements
    )
    if not statements or not complete:
        raise AwsError(
            "ValidationException", "Invalid resource policy: it is not a resource-based policy document."
        )
