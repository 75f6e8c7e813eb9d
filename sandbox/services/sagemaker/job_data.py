"""A job's files: from S3 into its folder before it runs, and back to S3 after, as its role."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.services.sagemaker.job_run import JobFailed
from sandbox.services.sagemaker.s3_uri import S3Uri, parse_s3_uri

MULTIPART_BYTES = 64 * 2**20


def download(client: Any, uri: str, folder: Path, role_arn: str) -> None:
    """Every object under the prefix `uri` into `folder` (S3Prefix). JobFailed says what failed.

    As SageMaker does, a prefix matches by its characters; names below are relative to its last folder.
    """
    from botocore.exceptions import ClientError

    source = parse_s3_uri(uri)
    folder.mkdir(parents=True, exist_ok=True)
    found = False
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=source.key)
        for page in pages:
            for item in page.get("Contents", []):
                found = True
                _download_object(client, source, item["Key"], folder)
    except ClientError as error:
        problem = f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        raise JobFailed(
            f"ClientError: Data download failed:Cannot download {uri} as {role_arn}. {problem}"
        ) from None
    if not found:
        raise JobFailed(
            f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data '
            f"source. Please ensure that the bucket exists in the selected region, that objects exist under "
            f'that S3 prefix, and that the role "{role_arn}" has "s3:ListBucket" permissions on bucket '
            f'"{source.bucket}".'
        )


def _download_object(client: Any, source: S3Uri, key: str, folder: Path) -> None:
    if key.endswith("/"):
        return
    target = folder / _relative(source.key, key)
    if not target.resolve().is_relative_to(folder.resolve()):
        raise JobFailed(
            f"ClientError: Data download failed:The key {key} leads out of the folder of its channel."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    body = client.get_object(Bucket=source.bucket, Key=key)["Body"]
    with target.open("wb") as file:
        for chunk in iter(lambda: body.read(2**20), b""):
            file.write(chunk)


def _relative(prefix: str, key: str) -> str:
    if key == prefix:
        return PurePosixPath(key).name
    if key.startswith(prefix.rstrip("/") + "/"):
        return key[len(prefix.rstrip("/")) :].lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def upload_folder(client: Any, folder: Path, target: S3Uri, kms_key: str | None) -> None:
    """Every file below `folder` to the same relative name below `target`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            upload_file(client, path, target.below(path.relative_to(folder).as_posix()), kms_key)


def upload_file(client: Any, path: Path, target: S3Uri, kms_key: str | None) -> None:
    """One file to one key. JobFailed says what failed."""
    from boto3.exceptions import S3UploadFailedError
    from boto3.s3.transfer import TransferConfig, create_transfer_manager
    from botocore.exceptions import ClientError

    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    try:
        if path.stat().st_size < MULTIPART_BYTES:
            with path.open("rb") as body:
                client.put_object(Bucket=target.bucket, Key=target.key, Body=body, **encryption)
            return
        config = TransferConfig(multipart_threshold=MULTIPART_BYTES, use_threads=False)
        with create_transfer_manager(client, config) as manager:
            manager.upload(str(path), target.bucket, target.key, encryption).result()
    except (ClientError, S3UploadFailedError) as error:
        raise JobFailed(f"ClientError: Artifact upload failed:Cannot upload to {target}. {error}") from None
