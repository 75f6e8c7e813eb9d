"""The Code of a function: a package in S3, or source text that CloudFormation makes a package of.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
and https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from sandbox.services.cloudformation.resources.handler import ResourceFailed

RESPONSE_MODULE = Path(__file__).with_name("cfnresponse_module.py")
_MEMBERS = {"S3Bucket": "S3Bucket", "S3Key": "S3Key", "S3ObjectVersion": "S3ObjectVersion"}


def members(properties: dict[str, Any]) -> dict[str, Any]:
    """FunctionCode for CreateFunction and UpdateFunctionCode."""
    code: dict[str, Any] = properties["Code"]
    unknown = sorted(set(code) - {*_MEMBERS, "ZipFile"})
    if unknown:
        raise ResourceFailed(f"property Code/{unknown[0]} is not implemented by the sandbox")
    if "ZipFile" in code:
        return {"ZipFile": inline(code["ZipFile"], str(properties.get("Runtime", "")))}
    return dict(code)


def inline(source: str, runtime: str) -> bytes:
    """The same text gives the same package. Python gets the module `cfnresponse` with it."""
    if not runtime.startswith("python"):
        raise ResourceFailed(f"Code/ZipFile of runtime {runtime} is not implemented by the sandbox")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("index.py", source), ("cfnresponse.py", RESPONSE_MODULE.read_text())):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, text)
    return buffer.getvalue()
