"""The check that a model's data exist and the caller may read them, made before a model is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError
from sandbox.services.sagemaker.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from sandbox.engine.operations import Call

SERVICE = "sagemaker.amazonaws.com"


def check_containers(call: Call, containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The containers with the ETag of their model data; AwsError where the data cannot be read."""
    checked = []
    for container in containers:
        if container.get("ModelDataUrl"):
            checked.append(container | {"ModelDataETag": _check_object(call, container["ModelDataUrl"])})
        elif container.get("ModelDataSource"):
            _check_source(call, container["ModelDataSource"])
            checked.append(container)
        else:
            checked.append(container)
    return checked


def _check_source(call: Call, source: dict[str, Any]) -> None:
    data = source["S3DataSource"]
    if data["S3DataType"] == "S3Object":
        _check_object(call, data["S3Uri"])
        return
    uri = data["S3Uri"]
    bucket, prefix = _parse(uri)
    client = call.session(SERVICE).client("s3")
    answer = _ask(call, uri, client.list_objects_v2, Bucket=bucket, Prefix=prefix, MaxKeys=1)
    if not answer.get("KeyCount"):
        raise _not_found(uri)


def _check_object(call: Call, uri: str) -> str:
    bucket, key = _parse(uri)
    client = call.session(SERVICE).client("s3")
    return str(_ask(call, uri, client.head_object, Bucket=bucket, Key=key)["ETag"]).strip('"')


def _ask(call: Call, uri: str, function: Any, **arguments: Any) -> Any:
    from botocore.exceptions import ClientError

    try:
        return function(**arguments)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise _not_found(uri) from None
        raise AwsError(
            "ValidationException",
            f"Could not access model data at {uri}. Please ensure that {call.principal.caller_arn} has "
            f'"s3:GetObject" and "s3:ListBucket" permissions and that the object is in {call.region}.',
        ) from None


def _parse(uri: str) -> tuple[str, str]:
    try:
        return parse_s3_uri(uri)
    except ValueError:
        raise AwsError("ValidationException", f"Model data must be at an S3 URI, not {uri}.") from None


def _not_found(uri: str) -> AwsError:
    return AwsError("ValidationException", f"Could not find model data at {uri}.")
