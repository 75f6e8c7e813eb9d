"""Deployment packages: zips taken from requests or S3, kept by content, unpacked once.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from sandbox.engine.archives import BadArchive, Limits, open_zip
from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call
from sandbox.services.lambda_.names import invalid

ZIPPED = 52_428_800
"""Bytes of a zip in a request."""
UNZIPPED = 262_144_000
"""Bytes of a function's code with its layers."""
ANY_SIZE = Limits(2**62, ratio=2**62)
"""What is too large has a message of its own."""


def take(call: Call, given: dict[str, Any]) -> bytes:
    """The zip that a request holds (`ZipFile`) or names (`S3Bucket`…), valid and not too large."""
    data = given.get("ZipFile")
    if data is not None and given.get("S3Bucket"):
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
    if data is not None:
        if len(data) > ZIPPED:
            raise AwsError(
                "RequestEntityTooLargeException",
                f"Request must be smaller than {ZIPPED} bytes for the {call.operation} operation",
            )
    elif given.get("S3Bucket") and given.get("S3Key"):
        data = _from_s3(call, given)
    else:
        raise invalid("Please provide a source for function code.")
    _check(data)
    return bytes(data)


def _from_s3(call: Call, given: dict[str, Any]) -> bytes:
    from botocore.exceptions import ClientError

    version = {"VersionId": given["S3ObjectVersion"]} if given.get("S3ObjectVersion") else {}
    s3 = call.session("lambda.amazonaws.com").client("s3")
    try:
        answer = s3.get_object(Bucket=given["S3Bucket"], Key=given["S3Key"], **version)
        return bytes(answer["Body"].read())
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code == "AccessDenied":
            raise AwsError(
                "AccessDeniedException",
                "Your access has been denied by S3, please make sure your request credentials have "
                f"permission to GetObject for {given['S3Bucket']}/{given['S3Key']}. S3 Error Code: {code}. "
                f"S3 Error Message: {message}",
                status=403,
            ) from error
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
        ) from error


def _check(data: bytes) -> None:
    try:
        with open_zip(data, ANY_SIZE) as archive:
            if not archive.files:
                raise invalid("Uploaded file must be a non-empty zip")
            if archive.size > UNZIPPED:
                raise invalid(f"Unzipped size must be smaller than {UNZIPPED} bytes")
            archive.check()
    except BadArchive as error:
        raise invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from error


def digest(data: bytes) -> str:
    """As CodeSha256 shows it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def keep(engine: Engine, data: bytes) -> str:
    """Writes a zip into the state folder; returns its id."""
    identifier = hashlib.sha256(data).hexdigest()
    path = _zip(engine, identifier)
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}.{id(data)}")
        part.write_bytes(data)
        part.rename(path)
    return identifier


def unpacked(engine: Engine, identifiers: list[str]) -> Path:
    """The folder that holds the contents of these zips, later ones over earlier ones."""
    name = hashlib.sha256("".join(identifiers).encode()).hexdigest()[:32]
    folder = engine.folder("lambda", "unpacked") / name
    if folder.exists():
        return folder
    part = folder.with_name(f"{name}.{os.getpid()}.{os.urandom(4).hex()}")
    for identifier in identifiers:
        with open_zip(_zip(engine, identifier), ANY_SIZE) as archive:
            archive.extract(part)
    try:
        part.rename(folder)
    except OSError:  # another thread was first
        shutil.rmtree(part)
    return folder


def _zip(engine: Engine, identifier: str) -> Path:
    return engine.folder("lambda", "packages") / f"{identifier}.zip"


def size(engine: Engine, identifier: str) -> int:
    """Bytes of a package, unzipped."""
    with open_zip(_zip(engine, identifier), ANY_SIZE) as archive:
        return archive.size
