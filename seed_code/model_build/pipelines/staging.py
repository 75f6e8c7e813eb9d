"""Uploads under names made from the content, so that equal content has one S3 URI for good.

SageMaker's step cache compares URIs: content that did not change must keep its URI from build to
build, and content that did change must get another one.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CACHES = ("__pycache__",)


def tree(folder: Path, names: Iterable[str] | None = None) -> dict[str, bytes]:
    """Files of a folder by their path within it, caches left out; only those `names`, if given."""
    paths = [folder / name for name in names] if names else sorted(folder.rglob("*"))
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in paths
        if path.is_file() and not set(CACHES) & set(path.parts)
    }


def digest(files: dict[str, bytes]) -> str:
    """SHA-256 over names and contents of `{name: bytes}`."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


class Staging:
    """Uploads to the artifact bucket, encrypted with its key; what is there already is not sent again."""

    def __init__(self, s3: Any, bucket: str, kms_key_arn: str, account: str):
        self._s3, self._bucket = s3, bucket
        self._owner = {"ExpectedBucketOwner": account}
        self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_arn}

    def code(self, name: str, files: dict[str, bytes]) -> str:
        """Upload `{path: bytes}`; returns `s3://bucket/code/<name>/<digest>/`."""
        return self._upload(f"code/{name}/{digest(files)}/", files)

    def data(self, path: str | Path) -> tuple[str, str]:
        """Upload one file; returns its URI `s3://bucket/data/<sha256>/<file name>` and its SHA-256."""
        path = Path(path)
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        return self._upload(f"data/{sha256}/", {path.name: content}) + path.name, sha256

    def _upload(self, prefix: str, files: dict[str, bytes]) -> str:
        listing = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **self._owner)
        present = {(item["Key"], item["Size"]) for item in listing.get("Contents", [])}
        for name, content in sorted(files.items()):
            if (prefix + name, len(content)) not in present:
                self._s3.put_object(
                    Bucket=self._bucket, Key=prefix + name, Body=content, **self._encryption, **self._owner
                )
        return f"s3://{self._bucket}/{prefix}"
