"""Provisioning artifacts: the versions of a product. Their template is fetched once and kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.store import Record
from sandbox.services.servicecatalog.idempotency import once

VERSIONS = 100
"""Quota of one product."""


def detail(record: Record) -> dict[str, Any]:
    names = ("Id", "Name", "Description", "Type", "CreatedTime", "Active", "Guidance")
    return {name: record[name] for name in names if record.get(name) is not None}


def of_product(call: Call, product: str) -> list[Record]:
    return call.records("artifact").list(f"{product}/")


def require(call: Call, product: str, artifact: str | None = None, name: str | None = None) -> Record:
    """A version by id or name; without either the newest active one is not guessed: AWS wants one named."""
    if not artifact and not name:
        raise AwsError("InvalidParametersException", "A provisioning artifact id or name is required.")
    for record in of_product(call, product):
        if artifact in (None, record["Id"]) and name in (None, record["Name"]):
            return record
    raise AwsError(
        "ResourceNotFoundException", f"Provisioning artifact {artifact or name} of {product} not found."
    )


def make(call: Call, product: str, parameters: dict[str, Any]) -> Record:
    """Fetches and validates the template as the caller, and keeps the version."""
    kind = parameters.get("Type") or "CLOUD_FORMATION_TEMPLATE"
    if kind != "CLOUD_FORMATION_TEMPLATE":
        raise AwsError(
            "UnsupportedOperation", f"The sandbox does not implement artifacts of type {kind}", status=400
        )
    info = parameters.get("Info") or {}
    url = info.get("LoadTemplateFromURL")
    if not url:
        raise AwsError(
            "InvalidParametersException",
            f"Info must hold LoadTemplateFromURL, not {', '.join(info) or 'nothing'}.",
        )
    if len(of_product(call, product)) >= VERSIONS:
        raise AwsError("LimitExceededException", f"Product {product} has {VERSIONS} versions already.")
    body = _fetch(call, url)
    if not parameters.get("DisableTemplateValidation"):
        _validate(call, url)
    identifier = random_id(prefix="pa-")
    record = {
        "Id": identifier,
        "ProductId": product,
        "Name": parameters.get("Name") or identifier,
        "Description": parameters.get("Description"),
        "Type": kind,
        "CreatedTime": call.engine.clock.now(),
        "Active": True,
        "Guidance": "DEFAULT",
        "Info": {"TemplateUrl": url},
        "template": body,
    }
    call.records("artifact").put(f"{product}/{identifier}", record)
    return record


def _fetch(call: Call, url: str) -> str:
    from botocore.exceptions import ClientError, ParamValidationError

    bucket, key = s3_location(url)
    try:
        body = (
            call.session("servicecatalog.amazonaws.com")
            .client("s3")
            .get_object(Bucket=bucket, Key=key)["Body"]
        )
    except (ClientError, ParamValidationError) as error:  # the latter: what is no name of a bucket
        raise AwsError(
            "InvalidParametersException", f"The template at {url} cannot be read: {error}"
        ) from error
    return body.read().decode()


def s3_location(url: str) -> tuple[str, str]:
    """Bucket and key of an S3 URL, virtual-hosted or path style."""
    parts = urlsplit(url)
    path = unquote(parts.path.lstrip("/"))
    host = parts.netloc.split(".")
    if (
        parts.scheme != "https"
        or "amazonaws" not in host
        or "s3" not in host[0] + (host[1] if len(host) > 1 else "")
    ):
        raise AwsError("InvalidParametersException", f"{url} is not the https URL of an object in Amazon S3.")
    if host[0] == "s3" or host[0].startswith("s3-"):
        bucket, _, key = path.partition("/")
        return bucket, key
    return parts.netloc.partition(".s3")[0], path


def _validate(call: Call, url: str) -> None:
    from botocore.exceptions import ClientError

    try:
        call.session("servicecatalog.amazonaws.com").client("cloudformation").validate_template(
            TemplateURL=url
        )
    except ClientError as error:
        raise AwsError("InvalidParametersException", f"Invalid templateBody at {url}: {error}") from error


@operation("servicecatalog", "CreateProvisioningArtifact")
def create_provisioning_artifact(
    call: Call, ProductId: str, Parameters: dict[str, Any], IdempotencyToken: str, **_: Any
) -> dict[str, Any]:
    if call.records("product").get(ProductId) is None:
        raise AwsError("ResourceNotFoundException", f"Product {ProductId} not found.")

    def answer() -> dict[str, Any]:
        record = make(call, ProductId, Parameters)
        return {"ProvisioningArtifactDetail": detail(record), "Info": record["Info"], "Status": "AVAILABLE"}

    return once(call, IdempotencyToken, ProductId, answer)


@operation("servicecatalog", "DescribeProvisioningArtifact")
def describe_provisioning_artifact(
    call: Call,
    ProductId: str | None = None,
    ProvisioningArtifactId: str | None = None,
    ProvisioningArtifactName: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    record = require(call, ProductId or "", ProvisioningArtifactId, ProvisioningArtifactName)
    return {"ProvisioningArtifactDetail": detail(record), "Info": record["Info"], "Status": "AVAILABLE"}


@operation("servicecatalog", "ListProvisioningArtifacts")
def list_provisioning_artifacts(call: Call, ProductId: str, **_: Any) -> dict[str, Any]:
    return {"ProvisioningArtifactDetails": [detail(record) for record in of_product(call, ProductId)]}


@operation("servicecatalog", "UpdateProvisioningArtifact")
def update_provisioning_artifact(
    call: Call, ProductId: str, ProvisioningArtifactId: str, **members: Any
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, ProductId, ProvisioningArtifactId)
        for name in ("Name", "Description", "Active", "Guidance"):
            if members.get(name) is not None:
                record[name] = members[name]
        call.records("artifact").put(f"{ProductId}/{ProvisioningArtifactId}", record)
    return {"ProvisioningArtifactDetail": detail(record), "Info": record["Info"], "Status": "AVAILABLE"}


@operation("servicecatalog", "DeleteProvisioningArtifact")
def delete_provisioning_artifact(
    call: Call, ProductId: str, ProvisioningArtifactId: str, **_: Any
) -> dict[str, Any]:
    with call.engine.store.transaction():
        require(call, ProductId, ProvisioningArtifactId)
        if len(of_product(call, ProductId)) == 1:
            raise AwsError(
                "ResourceInUseException", f"{ProvisioningArtifactId} is the last version of {ProductId}."
            )
        call.records("artifact").delete(f"{ProductId}/{ProvisioningArtifactId}")
    return {}
