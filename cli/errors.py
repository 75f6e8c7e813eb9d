"""Failures as one line: cause, resource, next step. Exit codes are those of the AWS CLI.

https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html
"""

from __future__ import annotations

CHECK_NOT_MET = 1
INTERRUPTED = 130
USAGE = 252
CONFIGURATION = 253
SERVICE = 254
OTHER = 255


class CliError(Exception):
    """What the user reads instead of a trace; `detail` (such as the end of a log) goes above the line."""

    def __init__(self, cause: str, *, next_step: str = "", code: int = OTHER, detail: str = "") -> None:
        super().__init__(cause)
        self.cause, self.next_step, self.code, self.detail = cause, next_step, code, detail

    @property
    def line(self) -> str:
        cause = " ".join(self.cause.split())
        return f"{cause}. Next: {self.next_step}" if self.next_step else cause


def from_botocore(error: Exception, *, endpoint_url: str | None = None) -> CliError:
    """What an exception of botocore means to the user."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return from_service(error)
    if isinstance(error, exceptions.NoRegionError):
        return CliError(
            "no region is configured", next_step="give --region or set AWS_REGION", code=CONFIGURATION
        )
    credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
    )
    if isinstance(error, credentials):
        return CliError(str(error), next_step=CREDENTIALS, code=CONFIGURATION)
    if isinstance(
        error, exceptions.ProfileNotFound | exceptions.ConfigParseError | exceptions.ConfigNotFound
    ):
        return CliError(str(error), next_step="see `aws configure list-profiles`", code=CONFIGURATION)
    if isinstance(error, exceptions.ParamValidationError):
        return CliError(str(error), code=USAGE)
    if isinstance(error, exceptions.EndpointConnectionError | exceptions.ConnectTimeoutError):
        local = is_local(endpoint_url or str(error))
        step = (
            "`mlops sandbox status`, `mlops sandbox start`"
            if local
            else "check the network, --region, --endpoint-url"
        )
        return CliError(str(error), next_step=step)
    return CliError(f"{type(error).__name__}: {error}")


CREDENTIALS = (
    "`aws configure` or --profile for an account; "
    '`eval "$(mlops sandbox env --principal admin)"` for the sandbox'
)


def from_service(error: Exception) -> CliError:
    """A refusal by AWS, in AWS's words."""
    response = getattr(error, "response", {})
    details = response.get("Error", {})
    code, message = details.get("Code", "Unknown"), details.get("Message", "")
    operation = getattr(error, "operation_name", "request")
    step = ""
    if code in (
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    ):
        return CliError(f"{operation}: {code}: {message}", next_step=CREDENTIALS, code=CONFIGURATION)
    if code.startswith("AccessDenied") or code == "UnauthorizedOperation":
        step = "use a principal that may (--profile), or have its policy extended"
    return CliError(f"{operation}: {code}: {message}".rstrip(": "), next_step=step, code=SERVICE)


def is_local(endpoint_url: str | None) -> bool:
    """Whether an endpoint is on this machine."""
    return bool(endpoint_url) and any(
        host in str(endpoint_url) for host in ("//127.0.0.1", "//localhost", "//[::1]")
    )


def error_code(error: Exception) -> str:
    """AWS's code of a ClientError."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def is_absent(error: Exception) -> bool:
    """Whether a ClientError says that what was asked for does not exist; services word it differently."""
    response = getattr(error, "response", {}).get("Error", {})
    code, message = response.get("Code", ""), response.get("Message", "")
    if code in (
        "ResourceNotFound",
        "ResourceNotFoundException",
        "NoSuchKey",
        "RepositoryDoesNotExistException",
    ):
        return True
    if code in (
        "PipelineNotFoundException",
        "BranchDoesNotExistException",
        "PipelineExecutionNotFoundException",
    ):
        return True
    absent = ("does not exist", "Could not find", "not found", "cannot find")
    return code in ("ValidationError", "ValidationException") and any(text in message for text in absent)
