"""Uploading a build's artifacts under the service role, encrypted as the project says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.foreign_files import read_inside
from sandbox.services.codebuild.files import ClientError, pack


@dataclass(frozen=True)
class Uploader:
    """`key`: the KMS key of the build; `build`: its API shape; `folder`: all that is the build's own."""

    session: Session
    folder: Path
    key: str
    build: Mapping[str, Any]

    def upload(self, target: dict[str, Any], files: dict[str, Path], name: str | None) -> dict[str, Any]:
        """Puts one artifact where `target` (a ProjectArtifacts) says; its BuildArtifacts shape.

        `name`: the name that the buildspec gives, used where the target lets it override its own.
        """
        bucket = target["location"].removeprefix("arn:aws:s3:::").strip("/")
        if target["type"] == "CODEPIPELINE":
            return self._zip(target, bucket, target["path"], files)
        own = target.get("name") or self.build["projectName"]
        chosen = name if name and target.get("overrideArtifactName") else own
        parts = [target.get("path", "").strip("/")]
        if target.get("namespaceType") == "BUILD_ID":
            parts.append(self.build["id"].rpartition(":")[2])
        key = "/".join(part for part in (*parts, "" if chosen == "/" else chosen) if part)
        if target.get("packaging") == "ZIP":
            return self._zip(target, bucket, key, files)
        for file_name, path in files.items():
            self._put(
                target, bucket, f"{key}/{file_name}" if key else file_name, read_inside(path, self.folder)
            )
        return self._shape(target, f"arn:aws:s3:::{bucket}/{key}".rstrip("/"))

    def _zip(self, target: dict[str, Any], bucket: str, key: str, files: dict[str, Path]) -> dict[str, Any]:
        data = pack(files, self.folder)
        self._put(target, bucket, key, data)
        sums = {
            "sha256sum": hashlib.sha256(data).hexdigest(),
            "md5sum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        }
        return self._shape(target, f"arn:aws:s3:::{bucket}/{key}") | sums

    def _put(self, target: dict[str, Any], bucket: str, key: str, data: bytes) -> None:
        from botocore.exceptions import ClientError as S3Error

        encryption: dict[str, str] = {}
        if not target.get("encryptionDisabled"):
            encryption["ServerSideEncryption"] = "aws:kms"
            if not self.key.endswith("alias/aws/s3"):
                encryption["SSEKMSKeyId"] = self.key
        metadata = {"codebuild-buildarn": self.build["arn"]}
        try:
            self.session.client("s3").put_object(
                Bucket=bucket, Key=key, Body=data, Metadata=metadata, **encryption
            )
        except S3Error as error:
            problem = error.response["Error"]
            raise ClientError(
                f"Error while uploading arn:aws:s3:::{bucket}/{key}: {problem['Code']}: {problem['Message']}"
            ) from error

    @staticmethod
    def _shape(target: dict[str, Any], location: str) -> dict[str, Any]:
        kept = ("overrideArtifactName", "encryptionDisabled", "artifactIdentifier")
        return {"location": location} | {member: target[member] for member in kept if member in target}
