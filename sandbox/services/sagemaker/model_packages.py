"""Model packages: registered models, by version in a group or unversioned by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, operation
from sandbox.services.sagemaker import resource_tags
from sandbox.services.sagemaker.listing import filter_by_request, keep, paged, sort
from sandbox.services.sagemaker.model_data import check_containers
from sandbox.services.sagemaker.model_package_events import publish
from sandbox.services.sagemaker.model_package_groups import KIND as GROUP
from sandbox.services.sagemaker.model_package_groups import VERSIONED, find_group, group_name
from sandbox.services.sagemaker.users import user_context

if TYPE_CHECKING:
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Record, Records

UNVERSIONED = "unversioned-model-package"
TOKEN = "model-package-token"
NOT_IMPLEMENTED = ("ValidationSpecification", "SourceAlgorithmSpecification", "ManagedStorageType")
_COPIED = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
)
_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)


@operation("sagemaker", "CreateModelPackage")
def create_model_package(call: Call, **request: Any) -> dict[str, Any]:
    _check_request(request)
    token = request.get("ClientToken")
    now = call.engine.clock.now()
    package = keep(request, *_COPIED) | {
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": user_context(call),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
    }
    package |= _checked_specifications(call, request)
    with call.engine.store.transaction():
        # Asked here: of two requests with one token that come together only one makes a package.
        made = call.records(TOKEN).get(token) if token else None
        if made:
            return {"ModelPackageArn": made["ModelPackageArn"]}
        if request.get("ModelPackageGroupName"):
            _add_version(call, request, package)
        else:
            _add_unversioned(call, request, package)
        if token:
            call.records(TOKEN).put(token, {"ModelPackageArn": package["ModelPackageArn"]})
        publish(call, package)
    return {"ModelPackageArn": package["ModelPackageArn"]}


def _check_request(request: Record) -> None:
    for member in NOT_IMPLEMENTED:
        if request.get(member):
            raise AwsError(
                "ValidationException", f"{member} of CreateModelPackage is not implemented by the sandbox."
            )
    if request.get("CertifyForMarketplace"):
        raise AwsError("ValidationException", "CertifyForMarketplace is not implemented by the sandbox.")
    versioned = bool(request.get("ModelPackageGroupName"))
    if versioned == bool(request.get("ModelPackageName")):
        raise AwsError(
            "ValidationException",
            "Exactly one of ModelPackageName and ModelPackageGroupName must be provided.",
        )
    if versioned and request.get("Tags"):
        raise AwsError(
            "ValidationException",
            "Tags cannot be given for a model package in a group: it uses the tags of the group.",
        )
    if not versioned and request.get("ModelApprovalStatus"):
        raise AwsError(
            "ValidationException", "ModelApprovalStatus is not applicable to unversioned model packages."
        )
    logged = request.get("ModelPackageRegistrationType") == "Logged"
    if not (request.get("InferenceSpecification") or request.get("SourceUri") or logged):
        raise AwsError("ValidationException", "Either InferenceSpecification or SourceUri must be provided.")


def _checked_specifications(call: Call, request: Record) -> Record:
    checked: Record = {}
    specification = request.get("InferenceSpecification")
    if specification:
        containers = check_containers(call, specification["Containers"])
        checked["InferenceSpecification"] = specification | {"Containers": containers}
    additional = request.get("AdditionalInferenceSpecifications")
    if additional:
        checked["AdditionalInferenceSpecifications"] = [
            each | {"Containers": check_containers(call, each["Containers"])} for each in additional
        ]
    return checked


def _add_version(call: Call, request: Record, package: Record) -> None:
    group = find_group(call, request["ModelPackageGroupName"])
    name, version = group["ModelPackageGroupName"], group.get("LastVersion", 0) + 1
    package |= {
        "ModelPackageGroupName": name,
        "ModelPackageVersion": version,
        "ModelPackageArn": call.arn(f"model-package/{name}/{version}"),
        "ModelApprovalStatus": request.get("ModelApprovalStatus") or "PendingManualApproval",
    }
    call.records(GROUP).put(name, group | {"LastVersion": version})
    call.records(VERSIONED).put(_version_key(name, version), package)


def _add_unversioned(call: Call, request: Record, package: Record) -> None:
    name = request["ModelPackageName"]
    arn = call.arn(f"model-package/{name}")
    if call.records(UNVERSIONED).get(name):
        raise AwsError("ValidationException", f"Model Package already exists: {arn}")
    package |= {"ModelPackageName": name, "ModelPackageArn": arn}
    call.records(UNVERSIONED).put(name, package)
    resource_tags.attach(call, arn, request.get("Tags"))


def _version_key(group: str, version: int) -> str:
    return f"{group}/{version:010d}"


def find_package(call: Call, name_or_arn: str) -> tuple[Records, str, Record]:
    """(records, key, record) of a package by ARN, name or group/version; AwsError where it is missing."""
    prefix = call.arn("model-package/")
    path = name_or_arn.removeprefix(prefix)
    name, _, version = path.partition("/")
    records = call.records(VERSIONED if version else UNVERSIONED)
    key = _version_key(name, int(version)) if version.isdecimal() else name
    record = None if path.startswith("arn:") else records.get(key)
    if record is None:
        arn = name_or_arn if name_or_arn.startswith("arn:") else prefix + name_or_arn
        raise AwsError("ValidationException", f"ModelPackage {arn} does not exist.")
    return records, key, record


@operation("sagemaker", "DescribeModelPackage")
def describe_model_package(
    call: Call, ModelPackageName: str, IncludedData: str | None = None
) -> dict[str, Any]:
    package = find_package(call, ModelPackageName)[2]
    if IncludedData == "MetadataOnly":
        package.pop("ModelCard", None)
    return package


@operation("sagemaker", "ListModelPackages")
def list_model_packages(call: Call, **request: Any) -> dict[str, Any]:
    kind = request.get("ModelPackageType") or "Unversioned"
    group = request.get("ModelPackageGroupName")
    packages: list[Record] = []
    if group:
        name = find_group(call, group_name(call, group))["ModelPackageGroupName"]
        packages = call.records(VERSIONED).list(f"{name}/")
    else:
        if kind in ("Unversioned", "Both"):
            packages += call.records(UNVERSIONED).list()
        if kind in ("Versioned", "Both"):
            packages += call.records(VERSIONED).list()
    named = "ModelPackageGroupName" if group or kind == "Versioned" else "ModelPackageName"
    packages = filter_by_request(packages, request, named)
    status = request.get("ModelApprovalStatus")
    if status:
        packages = [package for package in packages if package.get("ModelApprovalStatus") == status]
    # The reference calls Ascending the default; AWS's own deployment templates take the first as the newest.
    packages = sort(packages, _sort_key(request.get("SortBy")), request.get("SortOrder"), "Descending")
    return paged("ModelPackageSummaryList", [keep(each, *_SUMMARY) for each in packages], request)


def _sort_key(sort_by: str | None) -> Any:
    if sort_by != "Name":
        return lambda package: (package["CreationTime"], package.get("ModelPackageVersion", 0))
    return lambda package: (
        package.get("ModelPackageName") or package["ModelPackageGroupName"],
        package.get("ModelPackageVersion", 0),
    )


@operation("sagemaker", "UpdateModelPackage")
def update_model_package(call: Call, **request: Any) -> dict[str, Any]:
    arn = request["ModelPackageArn"]
    specifications = _checked_specifications(
        call,
        {
            "InferenceSpecification": request.get("InferenceSpecification"),
            "AdditionalInferenceSpecifications": request.get("AdditionalInferenceSpecificationsToAdd"),
        },
    )
    with call.engine.store.transaction():
        records, key, package = find_package(call, arn)
        changes = _changes(request, package, specifications)
        package |= changes | {
            "LastModifiedTime": call.engine.clock.now(),
            "LastModifiedBy": user_context(call),
        }
        records.put(key, package)
        publish(call, package, sorted(changes))
    return {"ModelPackageArn": package["ModelPackageArn"]}


def _changes(request: Record, package: Record, specifications: Record) -> Record:
    if request.get("ModelApprovalStatus") and "ModelPackageGroupName" not in package:
        raise AwsError(
            "ValidationException", "ModelApprovalStatus is not applicable to unversioned model packages."
        )
    changes = keep(
        request,
        "ModelApprovalStatus",
        "ApprovalDescription",
        "ModelPackageRegistrationType",
        "SourceUri",
        "ModelCard",
        "ModelLifeCycle",
    )
    if "InferenceSpecification" in specifications:
        changes["InferenceSpecification"] = specifications["InferenceSpecification"]
    if "AdditionalInferenceSpecifications" in specifications:
        present = package.get("AdditionalInferenceSpecifications", [])
        changes["AdditionalInferenceSpecifications"] = (
            present + specifications["AdditionalInferenceSpecifications"]
        )
    removed = request.get("CustomerMetadataPropertiesToRemove")
    if request.get("CustomerMetadataProperties") or removed:
        merged = package.get("CustomerMetadataProperties", {}) | (
            request.get("CustomerMetadataProperties") or {}
        )
        changes["CustomerMetadataProperties"] = {
            name: value for name, value in merged.items() if name not in (removed or [])
        }
    return changes


@operation("sagemaker", "DeleteModelPackage")
def delete_model_package(call: Call, ModelPackageName: str) -> None:
    with call.engine.store.transaction():
        records, key, package = find_package(call, ModelPackageName)
        records.delete(key)
        resource_tags.detach(call, package["ModelPackageArn"])


@operation("sagemaker", "BatchDescribeModelPackage")
def batch_describe_model_package(call: Call, ModelPackageArnList: list[str]) -> dict[str, Any]:
    summaries, errors = {}, {}
    for arn in ModelPackageArnList:
        try:
            package = find_package(call, arn)[2]
        except AwsError as error:
            errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        else:
            summaries[arn] = keep(
                package,
                "ModelPackageGroupName",
                "ModelPackageVersion",
                "ModelPackageArn",
                "ModelPackageDescription",
                "CreationTime",
                "InferenceSpecification",
                "ModelPackageStatus",
                "ModelApprovalStatus",
                "ModelPackageRegistrationType",
            )
    return {"ModelPackageSummaries": summaries, "BatchDescribeModelPackageErrorMap": errors}
