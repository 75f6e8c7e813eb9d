"""What a function may be configured to, and what of it the sandbox carries out.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError, Call
from sandbox.runtimes.functions import PYTHONS
from sandbox.services.lambda_.names import invalid

DEFAULTS: dict[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
    "PackageType": "Zip",
}
RETIRED = frozenset(
    {"python2.7", "python3.6", "python3.7", "python3.8", "python3.9"}
    | {f"nodejs{version}.x" for version in (4.3, 6.10, 8.10, 10, 12, 14, 16, 18)}
    | {"java8", "go1.x", "ruby2.5", "ruby2.7", "dotnetcore2.1", "dotnetcore3.1", "dotnet6", "provided"}
)
"""Runtimes that AWS takes no more ("Deprecated runtimes", Lambda Developer Guide)."""
_REFUSED = (
    "ImageConfig",
    "FileSystemConfigs",
    "CapacityProviderConfig",
    "DurableConfig",
    "TenancyConfig",
    "CodeSigningConfigArn",
)
TIMEOUT = 900
VARIABLES = 4096
"""Bytes of all environment variables."""
LAYERS = 5

RESERVED = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    )
)


def check(call: Call, arn: str, wanted: dict[str, Any]) -> None:
    """InvalidParameterValueException for a configuration that Lambda does not take, or that nothing here
    would carry out."""
    for member in _REFUSED:
        if wanted.get(member):
            raise invalid(f"{member} is not implemented in the sandbox.")
    if wanted.get("PackageType", "Zip") != "Zip":
        raise invalid("PackageType Image is not implemented in the sandbox: functions are zip packages.")
    if any((wanted.get("VpcConfig") or {}).get(member) for member in ("SubnetIds", "SecurityGroupIds")):
        raise invalid("VpcConfig is not implemented in the sandbox.")
    if (wanted.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise invalid("SnapStart is not implemented in the sandbox.")
    if (wanted.get("LoggingConfig") or {}).get("LogFormat", "Text") != "Text":
        raise invalid("LoggingConfig LogFormat JSON is not implemented in the sandbox.")
    _runtime(wanted)
    if wanted["Timeout"] > TIMEOUT:
        raise _constraint(
            wanted["Timeout"], "timeout", f"Member must have value less than or equal to {TIMEOUT}"
        )
    _variables((wanted.get("Environment") or {}).get("Variables") or {})
    _dead_letters(wanted)
    _role(call, arn, wanted["Role"])


def _runtime(wanted: dict[str, Any]) -> None:
    runtime = wanted.get("Runtime")
    if not runtime or not wanted.get("Handler"):
        raise invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    if runtime in RETIRED:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions.",
        )
    if runtime not in PYTHONS:
        raise invalid(
            f"Runtime {runtime} is not implemented in the sandbox, which runs {', '.join(PYTHONS)}."
        )


def _constraint(value: Any, path: str, text: str) -> AwsError:
    fault = f"Value '{value}' at '{path}' failed to satisfy constraint: {text}"
    return AwsError("ValidationException", f"1 validation error detected: {fault}", status=400)


def _variables(variables: dict[str, str]) -> None:
    reserved = sorted(RESERVED & variables.keys())
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables "
            "you have provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    text = json.dumps(variables, separators=(",", ":"))
    if len(text.encode()) > VARIABLES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you "
            f"have provided exceeded the 4KB limit. String measured: {text}"
        )


def _dead_letters(wanted: dict[str, Any]) -> None:
    target = (wanted.get("DeadLetterConfig") or {}).get("TargetArn")
    if target and target.split(":")[2] not in ("sqs", "sns"):
        raise invalid(f"Invalid resource for DeadLetterConfig: {target}")


def _role(call: Call, arn: str, role: str) -> None:
    try:
        call.engine.clients.role(
            role,
            service="lambda.amazonaws.com",
            session_name="lambda-validation",
            region=call.region,
            source_arn=arn,
        )
    except AwsError as error:
        raise invalid("The role defined for the function cannot be assumed by Lambda.") from error
