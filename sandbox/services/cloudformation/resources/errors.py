"""What services' errors mean for a resource, and how CloudFormation words them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.engine.operations import AwsError
from sandbox.services.cloudformation.resources.handler import ResourceFailed, Said, Stopped

_MISSING = ("NotFound", "NoSuch", "DoesNotExist", "ResourceNotFound", "NotFoundException")
_MISSING_TEXT = ("could not find", "does not exist", "cannot find", "not found")
_EXISTING = (
    "AlreadyExist",
    "EntityAlreadyExists",
    "AlreadyOwnedByYou",
    "NameExists",
    "NameInUse",
    "Duplicate",
)
_EXISTING_TEXT = ("already exist",)
_HANDLER_CODES = (
    ("AccessDenied", "AccessDenied"),
    ("NotAuthorized", "AccessDenied"),
    ("Throttl", "Throttling"),
    ("LimitExceeded", "ServiceLimitExceeded"),
    ("Quota", "ServiceLimitExceeded"),
    ("InUse", "ResourceConflict"),
    ("Conflict", "ResourceConflict"),
    ("Validation", "InvalidRequest"),
    ("Invalid", "InvalidRequest"),
    ("Malformed", "InvalidRequest"),
)


def is_missing(error: ClientError) -> bool:
    """The service says that the resource does not exist."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if any(word in code for word in _MISSING) or code == "404":
        return True
    return code == "ValidationException" and any(word in message.lower() for word in _MISSING_TEXT)


def exists_already(error: ClientError) -> bool:
    """The service says that a resource of that name exists."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if any(word in code for word in _EXISTING):
        return True
    return code in ("ValidationException", "ResourceInUse") and any(
        word in message.lower() for word in _EXISTING_TEXT
    )


@contextmanager
def unless_missing() -> Iterator[None]:
    """Lets a deletion of what is already gone succeed."""
    try:
        yield
    except ClientError as error:
        if not is_missing(error):
            raise


@contextmanager
def unless_resumed(resumed: bool) -> Iterator[None]:
    """Lets a creation that an interrupted attempt already made succeed."""
    try:
        yield
    except ClientError as error:
        if not (resumed and exists_already(error)):
            raise


def reason(type_name: str, identifier: str, token: str, error: Exception) -> str:
    """The status reason of a failed resource as CloudFormation writes it."""
    if isinstance(error, Stopped):
        return "Resource creation cancelled"
    if isinstance(error, Said):
        return str(error)
    code, message = "GeneralServiceException", str(error)
    if isinstance(error, ClientError):
        code, message = _of_client_error(type_name, identifier, error)
    elif isinstance(error, AwsError):
        code, message = _handler_code(error.code), error.message
    elif isinstance(error, ResourceFailed):
        code = error.code
    elif not isinstance(error, BotoCoreError):
        code, message = "InternalFailure", f"{type(error).__name__}: {error}"
    return f'Resource handler returned message: "{message}" (RequestToken: {token}, HandlerErrorCode: {code})'


def _of_client_error(type_name: str, identifier: str, error: ClientError) -> tuple[str, str]:
    said: dict[str, Any] = error.response["Error"]
    meta: dict[str, Any] = error.response.get("ResponseMetadata", {})
    if exists_already(error):
        named = f" with identifier '{identifier}'" if identifier else ""
        return "AlreadyExists", f"Resource of type '{type_name}'{named} already exists."
    detail = (
        f"{said.get('Message', '')} (Operation: {error.operation_name}, Error: {said['Code']}, "
        f"Status Code: {meta.get('HTTPStatusCode', 400)}, Request ID: {meta.get('RequestId', '')})"
    )
    if is_missing(error):
        return "NotFound", detail
    return _handler_code(said["Code"]), detail


def _handler_code(code: str) -> str:
    return next((name for word, name in _HANDLER_CODES if word in code), "GeneralServiceException")
