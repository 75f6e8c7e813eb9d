"""Images of repositories: there are none, since nothing can be pushed; what asks for one is told so.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.ecr.records import Record, find

TOKEN_SECONDS = 12 * 3600
"""How long a token of GetAuthorizationToken is valid."""


@operation("ecr", "GetAuthorizationToken", record_only=True)
def get_authorization_token(call: Call, registryIds: list[str] | None = None) -> Record:
    """A token of AWS's form. No registry listens at its endpoint."""
    expires = call.engine.clock.now() + TOKEN_SECONDS
    return {
        "authorizationData": [
            {
                "authorizationToken": base64.b64encode(b"AWS:" + secrets.token_urlsafe(48).encode()).decode(),
                "expiresAt": expires,
                "proxyEndpoint": f"https://{registry}.dkr.ecr.{call.region}.amazonaws.com",
            }
            for registry in registryIds or [call.account]
        ]
    }


@operation("ecr", "ListImages")
def list_images(call: Call, repositoryName: str, registryId: str | None = None, **paging: Any) -> Record:
    find(call, repositoryName, registryId)
    return {"imageIds": []}


@operation("ecr", "DescribeImages")
def describe_images(
    call: Call,
    repositoryName: str,
    registryId: str | None = None,
    imageIds: list[Record] | None = None,
    **paging: Any,
) -> Record:
    find(call, repositoryName, registryId)
    for image in imageIds or []:
        raise AwsError(
            "ImageNotFoundException",
            f"The image with imageId {_shown(image)} does not exist within the repository with name "
            f"'{repositoryName}' in the registry with id '{call.account}'",
        )
    return {"imageDetails": []}


@operation("ecr", "BatchGetImage")
def batch_get_image(
    call: Call,
    repositoryName: str,
    imageIds: list[Record],
    registryId: str | None = None,
    acceptedMediaTypes: list[str] | None = None,
) -> Record:
    find(call, repositoryName, registryId)
    return {"images": [], "failures": _not_found(imageIds)}


@operation("ecr", "BatchDeleteImage")
def batch_delete_image(
    call: Call, repositoryName: str, imageIds: list[Record], registryId: str | None = None
) -> Record:
    find(call, repositoryName, registryId)
    return {"imageIds": [], "failures": _not_found(imageIds)}


def _not_found(images: list[Record]) -> list[Record]:
    return [
        {"imageId": image, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
        for image in images
    ]


def _shown(image: Record) -> str:
    digest, tag = image.get("imageDigest", "null"), image.get("imageTag", "null")
    return f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"
