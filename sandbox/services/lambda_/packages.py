"""Deployment packages: zips taken from requests or S3, kept by content, unpacked once.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call
from sandbox.services.lambda_.names import invalid

ZIPPED = 52_428_800
"""Bytes of a zip in a request."""
UNZIPPED = 262_144_000
"""Bytes of a function's code with its layers."""


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
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            broken = archive.testzip() is not None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from error
    if broken or any(_leaves(entry) for entry in entries):
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
    if not entries:
        raise invalid("Uploaded file must be a non-empty zip")
    if sum(entry.file_size for entry in entries) > UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {UNZIPPED} bytes")


def _leaves(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry would be written outside of its folder, or is a link (which could lead out of it)."""
    name = PurePosixPath(entry.filename)
    return name.is_absolute() or ".." in name.parts or stat.S_ISLNK(entry.external_attr >> 16)


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
        with zipfile.ZipFile(_zip(engine, identifier)) as archive:
            for entry in archive.infolist():
                _extract(archive, entry, part)
    try:
        part.rename(folder)
    except OSError:  # another thread was first
        shutil.rmtree(part)
    return folder


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / PurePosixPath(entry.filename)
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive.read(entry))
    mode = stat.S_IMODE(entry.external_attr >> 16)
    target.chmod((mode | stat.S_IRUSR) if mode else 0o644)


def _zip(engine: Engine, identifier: str) -> Path:
    return engine.folder("lambda", "packages") / f"{identifier}.zip"


def size(engine: Engine, identifier: str) -> int:
    """Bytes of a package, unzipped."""
    with zipfile.ZipFile(_zip(engine, identifier)) as archive:
        return sum(entry.file_size for entry in archive.infolist())
