"""Runs builds: each is one durable task from PROVISIONING to COMPLETED.

A build that a killed sandbox interrupted is run from its start once more; one that is interrupted again and
again is a FAULT.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.logs import LogStream
from sandbox.engine.operations import AwsError
from sandbox.engine.tasks import task
from sandbox.services.codebuild import images
from sandbox.services.codebuild.agent import Agent, Interrupted, PhaseFailed, check_stop
from sandbox.services.codebuild.inputs import Container
from sandbox.services.codebuild.masking import MaskedLog
from sandbox.services.codebuild.record import BuildRecord

log = logging.getLogger(__name__)

ATTEMPTS = 10


@task("codebuild.build")
def run_build(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    account, region, build_id = key.split("/", 2)
    build = BuildRecord(engine, account, region, build_id)
    if build.shape["buildComplete"]:
        return
    build.settings["attempts"] += 1
    build.save()
    folder = engine.folder("codebuild", build_id.rpartition(":")[2])
    try:
        if build.settings["attempts"] > ATTEMPTS:
            _fault(build, f"The build was interrupted {ATTEMPTS} times by a stop of its host")
        else:
            build.finish(_attempt(build, folder))
    except Interrupted:
        raise
    except Exception as error:
        log.exception("build %s", build_id)
        _fault(build, f"Internal error of the sandbox: {error!r}")
    shutil.rmtree(folder, ignore_errors=True)


def _fault(build: BuildRecord, message: str) -> None:
    build.complete("FAULT", "INTERNAL_SERVICE_ERROR", message)
    build.finish("FAULT")


def _attempt(build: BuildRecord, folder: Path) -> str:
    """The status in which the build ends."""
    deadline = build.engine.clock.now() + build.shape["timeoutInMinutes"] * 60
    build.rewind()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if build.settings["attempts"] == 1:
        build.complete("SUCCEEDED")  # QUEUED
    build.begin("PROVISIONING")
    try:
        check_stop(build)
        session = _session(build)
        _open_logs(build, session)
        image = _image(build)
    except PhaseFailed as failure:
        build.complete(failure.status, failure.code, failure.message)
        return failure.status
    build.complete("SUCCEEDED")
    settings = build.shape["logs"]
    if settings["cloudWatchLogs"]["status"] == "DISABLED":
        return Agent(build, Container(session, folder, image, MaskedLog(_NoLog()), deadline)).run()
    with LogStream(session, settings["groupName"], settings["streamName"]) as stream:
        status = Agent(build, Container(session, folder, image, MaskedLog(stream), deadline)).run()
    if stream.error:
        message = f"Error while writing logs: {stream.error}"
        build.shape["phases"][-1]["contexts"].append({"statusCode": "CLIENT_ERROR", "message": message})
    return status


def _session(build: BuildRecord) -> Session:
    role = build.shape["serviceRole"]
    try:
        return build.engine.clients.role(
            role,
            service="codebuild.amazonaws.com",
            session_name=f"AWSCodeBuild-{build.shape['id'].rpartition(':')[2]}",
            region=build.region,
            source_arn=build.shape["arn"].replace(":build/", ":project/").rpartition(":")[0],
        )
    except AwsError as error:
        message = f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}. {error.message}"
        raise PhaseFailed("FAILED", "ACCESS_DENIED", message) from error


def _open_logs(build: BuildRecord, session: Session) -> None:
    """Makes the log stream, and its group where there is none, as CodeBuild does."""
    from botocore.exceptions import ClientError

    settings = build.shape["logs"]
    if settings["cloudWatchLogs"]["status"] == "DISABLED":
        return
    client = session.client("logs")
    names = {"logGroupName": settings["groupName"], "logStreamName": settings["streamName"]}
    try:
        try:
            client.create_log_stream(**names)
        except client.exceptions.ResourceNotFoundException:
            client.create_log_group(logGroupName=settings["groupName"])
            client.create_log_stream(**names)
    except client.exceptions.ResourceAlreadyExistsException:
        pass  # a build that is run again goes on in its stream
    except ClientError as error:
        message = (
            f"Service role {build.shape['serviceRole']} does not allow AWS CodeBuild to create Amazon "
            f"CloudWatch Logs log streams for build {build.shape['arn']}. "
            f"Error message: {error.response['Error']['Message']}"
        )
        raise PhaseFailed("FAILED", "ACCESS_DENIED", message) from error


def _image(build: BuildRecord) -> images.Image:
    try:
        return images.image(build.shape["environment"]["image"])
    except images.UnknownImage as error:
        raise PhaseFailed("FAILED", "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE", str(error)) from error


class _NoLog:
    """Of a project whose CloudWatch Logs are disabled."""

    def write(self, line: str) -> None:
        """Keeps nothing."""
