"""What a model's container really is: image, data and environment, from the request or a model package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, Call
from sandbox.services.sagemaker.image_pulls import check_pull
from sandbox.services.sagemaker.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from sandbox.engine.clients import Session

Container = dict[str, Any]
SERVICE = "sagemaker.amazonaws.com"


def resolve_containers(call: Call, containers: list[Container], role: str, model: str) -> list[Container]:
    """Image, ModelDataUrl and Environment of each container, its model data checked as the role sees them.

    `model`: ARN of the model, on whose behalf SageMaker assumes the role.
    """
    resolved: list[Container] = []
    for container in containers:
        if container.get("ModelPackageName"):
            resolved += _of_package(call, container)
        else:
            resolved.append(_members(container))
    for container in resolved:
        _check_image(call, container["Image"], role, model)
        if container.get("ModelDataUrl"):
            _check_data(call, container["ModelDataUrl"], role, model)
    return resolved


def _members(container: Container) -> Container:
    return {
        "Image": container["Image"],
        "ModelDataUrl": container.get("ModelDataUrl"),
        "Environment": container.get("Environment", {}),
    }


def _of_package(call: Call, container: Container) -> list[Container]:
    from botocore.exceptions import ClientError

    name = container["ModelPackageName"]
    try:
        package = call.session(SERVICE).client("sagemaker").describe_model_package(ModelPackageName=name)
    except ClientError as error:
        details = error.response["Error"]
        raise AwsError(details["Code"], details["Message"], status=_status(error)) from None
    if package["ModelPackageStatus"] != "Completed":
        raise AwsError(
            "ValidationException",
            f"Model package {name} cannot be used: its status is {package['ModelPackageStatus']}.",
        )
    wanted = container.get("InferenceSpecificationName")
    found = package.get("InferenceSpecification", {}).get("Containers", [])
    if wanted:
        specifications = package.get("AdditionalInferenceSpecifications", [])
        found = next((item["Containers"] for item in specifications if item["Name"] == wanted), [])
    if len(found) != 1:
        raise AwsError(
            "ValidationException",
            f"Model package {name} has {len(found)} containers: only models of one container are implemented "
            "by the sandbox.",
        )
    resolved = _members(found[0])
    return [resolved | {"Environment": resolved["Environment"] | container.get("Environment", {})}]


def _status(error: Any) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _execution(call: Call, role: str, model: str) -> Session:
    return call.engine.clients.role(
        role, service=SERVICE, session_name="SageMaker", region=call.region, source_arn=model
    )


def _check_image(call: Call, image: str, role: str, model: str) -> None:
    try:
        check_pull(_execution(call, role, model), image)
    except AwsError as error:
        raise AwsError(
            "ValidationException",
            f'The role "{role}" does not have BatchGetImage permission for the image: "{image}". '
            f"{error.message}",
        ) from None


def _check_data(call: Call, url: str, role: str, model: str) -> None:
    from botocore.exceptions import ClientError

    try:
        bucket, key = parse_s3_uri(url)
    except ValueError:
        raise AwsError("ValidationException", f"Model data must be at an S3 URI, not {url}.") from None
    try:
        session = _execution(call, role, model)
        session.client("s3").head_object(Bucket=bucket, Key=key)
    except AwsError:
        raise _no_access(call, url, role) from None
    except ClientError as error:
        if _status(error) == 404:
            raise AwsError("ValidationException", f"Could not find model data at {url}.") from None
        raise _no_access(call, url, role) from None


def _no_access(call: Call, url: str, role: str) -> AwsError:
    return AwsError(
        "ValidationException",
        f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its '
        f'trust relationship policy allows the action "sts:AssumeRole" for the service principal '
        f'"{SERVICE}". '
        'Also ensure that the role has "s3:GetObject" permissions and that the object is located in '
        f"{call.region}.",
    )
