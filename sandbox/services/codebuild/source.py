"""Getting a build's sources into its folder, under the service role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.processes import Command, Processes
from sandbox.services.codebuild.files import ClientError, unpack

REVISION = "codepipeline-revision"
"""Metadata of an input artifact's object that names the source revision it was made of."""


class Stopped(Exception):
    """The process that gets a source was ended: by StopBuild, or by the end of the sandbox."""


@dataclass(frozen=True)
class Downloaded:
    """`version`: the resolved source version, None where the source has none."""

    folder: Path
    version: str | None = None


@dataclass(frozen=True)
class Downloader:
    """`home`: a folder whose .gitconfig knows how to reach CodeCommit as the role."""

    session: Session
    processes: Processes
    process_key: str
    home: Path
    tools: Path
    log: Callable[[str], None]

    def get(self, source: dict[str, Any], version: str | None, folder: Path) -> Downloaded:
        """ClientError for a source that cannot be had."""
        folder.mkdir(parents=True, exist_ok=True)
        kind = source["type"]
        if kind == "NO_SOURCE":
            return Downloaded(folder)
        if kind == "CODEPIPELINE":
            return self._artifact(version or "", folder)
        if kind == "S3":
            return self._s3(source["location"], version, folder)
        return self._codecommit(source, version, folder)

    def _artifact(self, arn: str, folder: Path) -> Downloaded:
        bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
        answer = self._object(bucket, key, None)
        unpack(answer["Body"].read(), folder)
        return Downloaded(folder, answer["Metadata"].get(REVISION))

    def _s3(self, location: str, version: str | None, folder: Path) -> Downloaded:
        bucket, _, key = location.removeprefix("arn:aws:s3:::").partition("/")
        if not key or key.endswith("/"):
            self._prefix(bucket, key, folder)
            return Downloaded(folder)
        answer = self._object(bucket, key, version)
        data = answer["Body"].read()
        if key.endswith(".zip"):
            unpack(data, folder)
        else:
            (folder / key.rpartition("/")[2]).write_bytes(data)
        return Downloaded(folder)

    def _prefix(self, bucket: str, prefix: str, folder: Path) -> None:
        pages = (
            self.session.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        )
        for key in [item["Key"] for page in _as_source(pages) for item in page.get("Contents", [])]:
            name = key[len(prefix) :]
            if not name or name.endswith("/") or ".." in name.split("/"):
                continue  # a folder's own marker, or a name that would leave the folder
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self._object(bucket, key, None)["Body"].read())

    def _object(self, bucket: str, key: str, version: str | None) -> dict[str, Any]:
        from botocore.exceptions import ClientError as S3Error

        arguments = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
        try:
            answer: dict[str, Any] = self.session.client("s3").get_object(**arguments)
        except S3Error as error:
            raise _download_error(f"arn:aws:s3:::{bucket}/{key}", error) from error
        return answer

    def _codecommit(self, source: dict[str, Any], version: str | None, folder: Path) -> Downloaded:
        location = source["location"]
        depth = source.get("gitCloneDepth") or 0
        shallow = ["--depth", str(depth)] if depth else []
        if version and version.startswith("-"):
            raise ClientError(f"git checkout failed: {version} is no source version")
        self._git(["clone", "-q", *shallow, "--", location, str(folder)], self.home)
        if version:
            self._git(
                ["-c", "advice.detachedHead=false", "checkout", "-q", version.removeprefix("refs/heads/")],
                folder,
            )
        lines = self._git(["rev-parse", "HEAD"], folder)
        return Downloaded(folder, lines[-1])

    def _git(self, arguments: list[str], folder: Path) -> list[str]:
        lines: list[str] = []
        variables = self.session.environment() | {
            "HOME": str(self.home),
            "PATH": f"{self.tools}:/usr/local/bin:/usr/bin:/bin",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "http:https",
        }
        command = Command(
            ["git", *arguments],
            cwd=folder,
            env=variables,
            timeout=600,
            on_line=lines.append,
            seen=[self.home.parent],
        )
        exit = self.processes.run(command, key=self.process_key)
        if exit.stopped:
            raise Stopped
        if exit.code:
            for line in lines:
                self.log(line)
            raise ClientError(
                f"git {arguments[0]} failed: {lines[-1] if lines else f'exit status {exit.code}'}"
            )
        return lines


def _as_source(pages: Any) -> Any:
    from botocore.exceptions import ClientError as S3Error

    try:
        yield from pages
    except S3Error as error:
        raise _download_error("the source", error) from error


def _download_error(what: str, error: Any) -> ClientError:
    problem = error.response["Error"]
    return ClientError(f"error while downloading {what}: {problem['Code']}: {problem['Message']}")
