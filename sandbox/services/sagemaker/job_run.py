"""The run of a job from its first download to its last upload, whatever its kind.

A run can be repeated: it starts from an empty folder, so a job that a crash interrupted is simply run again.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine.foreign_files import is_file, is_inside, open_inside
from sandbox.engine.logs import LogStream
from sandbox.engine.operations import AwsError
from sandbox.engine.processes import Command, Exit
from sandbox.engine.tasks import Again
from sandbox.services.sagemaker.image_pulls import check_pull
from sandbox.services.sagemaker.jobs import ENDED, REASON_LENGTH, Job

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.runtimes import Environment, JobLayout

log = logging.getLogger(__name__)


class JobFailed(Exception):
    """Ends a job as Failed; the message is its FailureReason."""


class Interrupted(Exception):
    """The sandbox is being stopped: the job is run again when it is back."""


@dataclass(frozen=True)
class Run:
    """One attempt to run a job: the job, its role's session, its folder and its log."""

    job: Job
    session: Session
    layout: JobLayout
    lines: LogStream

    @property
    def stopping(self) -> bool:
        return self.job.status == "Stopping"

    def s3(self) -> Any:
        """An S3 client of the job's role, with credentials of now: a job may outlive those it began with."""
        return self.job.session().client("s3")

    def environment(self, image: str) -> Environment:
        """The libraries of the job's image. JobFailed where the role cannot pull it, or they cannot be
        installed."""
        from sandbox.runtimes import EnvironmentFailed, ensure, runtime_of

        try:
            check_pull(self.session, image)
        except AwsError as error:
            raise JobFailed(
                "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
                f"permissions are incorrect. {error.message}"
            ) from None
        try:
            return ensure(runtime_of(image), progress=self.lines.write)
        except EnvironmentFailed as error:
            raise JobFailed(
                f"ClientError: The environment of the image {image} could not be set up: {error}"
            ) from None

    def own(self, folder: Path) -> Path:
        """A folder that the job wrote to. JobFailed where it is, by now, a link that leads elsewhere."""
        if not is_inside(folder, self.layout.folder):
            raise JobFailed(f"ClientError: Artifact upload failed:{folder.name} leads out of the container.")
        return folder

    def message(self, file: Path) -> str:
        """The start of a file in which the job may tell how it went; empty where there is none."""
        if not is_file(file, self.layout.folder):
            return ""
        with open_inside(file, self.layout.folder) as data:
            return data.read(4 * REASON_LENGTH).decode(errors="replace")[:REASON_LENGTH]

    def execute(self, command: Command) -> Exit | None:
        """Runs the job's process to its end; None when the job was stopped before it began."""
        if self.stopping:
            return None
        process = self.job.engine.processes.start(command, self.job.process)
        if self.stopping:
            process.stop()
        exit = process.wait()
        if exit.stopped and not self.stopping:
            raise Interrupted
        return exit

    def algorithm_error(self, exit: Exit, message: str = "") -> JobFailed:
        """The failure of a process: its own message, else the end of its log; always the exit code."""
        code = exit.code if exit.code >= 0 else 128 - exit.code
        end = f", exit code: {code}"
        said = (message or "\n".join(self.lines.tail)).strip()
        room = REASON_LENGTH - len("AlgorithmError: ") - len(end)
        return JobFailed(f"AlgorithmError: {said[-room:]}{end}")


def run(job: Job, work: Callable[[Run], None]) -> Again | None:
    """Does `work`, which finishes the job, and gives every failure a reason. A job is never left as it is."""
    from botocore.exceptions import BotoCoreError, ClientError

    from sandbox.runtimes import job_layout

    record = job.read()
    if record[job.kind.status] in ENDED:
        return None
    folder = _empty(job.folder)
    try:
        session = job.session()
        stream = record["Private"]["LogStream"]
        with LogStream(session, job.kind.log_group, stream, create_group=True) as lines:
            work(Run(job, session, job_layout(folder), lines))
    except Interrupted:
        return Again()
    except JobFailed as failure:
        fail(job, str(failure))
    except AwsError as error:
        fail(job, f"ClientError: {error.message}")
    except (ClientError, BotoCoreError) as error:
        fail(job, f"ClientError: {error}")
    except Exception:
        log.exception("%s %s", job.kind.words, job.name)
        fail(job, "InternalServerError: We encountered an internal error.  Please try again.")
    shutil.rmtree(folder, ignore_errors=True)
    return None


def fail(job: Job, reason: str) -> None:
    """Ends a job as Failed; a training job's secondary status follows."""
    from sandbox.services.sagemaker.training_status import ended

    changes = {"FailureReason": reason[:REASON_LENGTH]}
    job.finish("Failed", changes | ended(job, "Failed", "Training job failed"))


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder)
    folder.mkdir()
    return folder
