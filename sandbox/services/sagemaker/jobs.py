"""What processing and training jobs share: their records, their status, their events.

A job's record is what its Describe… operation returns, and `Private`, which it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError
from sandbox.engine.tasks import task
from sandbox.services.sagemaker import resource_tags
from sandbox.services.sagemaker.listing import filter_by_request, keep, paged, sort
from sandbox.services.sagemaker.volume_keys import check_grant

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.engine.engine import Engine
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Record, Records

SERVICE = "sagemaker.amazonaws.com"
ENDED = ("Completed", "Failed", "Stopped")
REASON_LENGTH = 1024
"""Characters of FailureReason and ExitMessage."""


@dataclass(frozen=True)
class JobKind:
    """`resource`: in ARNs and as the kind of record; the rest: members of the API, and where logs go."""

    resource: str
    prefix: str
    words: str
    duplicate: str
    missing: str

    @property
    def name(self) -> str:
        return f"{self.prefix}JobName"

    @property
    def arn(self) -> str:
        return f"{self.prefix}JobArn"

    @property
    def status(self) -> str:
        return f"{self.prefix}JobStatus"

    @property
    def start(self) -> str:
        return f"{self.prefix}StartTime"

    @property
    def end(self) -> str:
        return f"{self.prefix}EndTime"

    @property
    def log_group(self) -> str:
        return f"/aws/sagemaker/{self.prefix}Jobs"

    @property
    def detail_type(self) -> str:
        return f"SageMaker {self.prefix} Job State Change"

    @property
    def task(self) -> str:
        return f"sagemaker.{self.resource}"


PROCESSING = JobKind(
    "processing-job",
    "Processing",
    "processing job",
    "Job name must be unique within an AWS account and region, "
    "and a job with this name already exists ({arn})",
    "Could not find requested job with name: {name}",
)
TRAINING = JobKind(
    "training-job",
    "Training",
    "training job",
    "Training job names must be unique within an AWS account and region, "
    "and a training job with this name already exists ({arn})",
    "Requested resource not found.",
)


@dataclass(frozen=True)
class Job:
    """One job, by name."""

    engine: Engine
    kind: JobKind
    account: str
    region: str
    name: str

    @property
    def records(self) -> Records:
        return self.engine.records(self.account, self.region, "sagemaker", self.kind.resource)

    @property
    def key(self) -> str:
        """The key of the job's task and of its process."""
        return f"{self.account}/{self.region}/{self.name}"

    @property
    def process(self) -> str:
        return f"sagemaker/{self.kind.resource}/{self.key}"

    @property
    def folder(self) -> Path:
        return self.engine.folder("sagemaker", self.kind.resource, self.account, self.region, self.name)

    def read(self) -> Record:
        record = self.records.get(self.name)
        assert record is not None, f"{self.kind.words} {self.name} has no record"
        return record

    @property
    def status(self) -> str:
        return str(self.read()[self.kind.status])

    def session(self) -> Session:
        """The session of the job's role."""
        return role_session(
            self.engine, self.read()["RoleArn"], self.account, self.region, self.kind.resource
        )

    def advance(self, changes: Record) -> Record:
        """Writes new members with the event that tells of them; returns the new record."""
        with self.engine.store.transaction():
            record = self.read()
            if record[self.kind.status] in ENDED:
                return record
            record |= changes | {"LastModifiedTime": self.engine.clock.now()}
            self.records.put(self.name, record)
            publish(self, record)
        return record

    def finish(self, status: str, changes: Record | None = None) -> Record:
        """Ends the job. What was being stopped when its work was done is Stopped."""
        with self.engine.store.transaction():
            if self.status == "Stopping" and status == "Completed":
                status = "Stopped"
            return self.advance(
                {self.kind.status: status, self.kind.end: self.engine.clock.now()} | (changes or {})
            )


def role_session(engine: Engine, role_arn: str, account: str, region: str, resource: str) -> Session:
    """A session of an execution role for SageMaker's `resource` (for example `training-job`).

    One ARN for all resources of a type, so that they share a session: conditions of a trust policy on
    aws:SourceArn name a type or the account, as SageMaker's documentation does.
    """
    source = f"arn:aws:sagemaker:{region}:{account}:{resource}/*"
    return engine.clients.role(
        role_arn, service=SERVICE, session_name="SageMaker", region=region, source_arn=source
    )


def check_role(call: Call, role_arn: str, resource: str, volume_key: str | None = None) -> None:
    """AwsError where SageMaker cannot assume the role, or the role not give the grant for a volume's key."""
    try:
        session = role_session(call.engine, role_arn, call.account, call.region, resource)
    except AwsError as error:
        if not error.code.startswith("AccessDenied"):
            raise
        raise AwsError(
            "ValidationException",
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{SERVICE}' to assume the role.",
        ) from None
    check_grant(session, call.account, volume_key)


def check_image(image: str) -> None:
    """AwsError where no runtime stands in for the image."""
    from sandbox.runtimes import UnknownImage, runtime_of

    try:
        runtime_of(image)
    except UnknownImage as error:
        raise AwsError("ValidationException", f"{error}.") from None


def create(call: Call, kind: JobKind, record: Record, request_tags: list[dict[str, str]] | None) -> Record:
    """Stores a new job and queues its run."""
    name = record[kind.name]
    job = Job(call.engine, kind, call.account, call.region, name)
    now = call.engine.clock.now()
    arn = call.arn(f"{kind.resource}/{name}")
    record = record | {
        kind.arn: arn,
        kind.status: "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
        "Private": {"LogStream": f"{name}/algo-1-{int(now)}"},
    }
    with call.engine.store.transaction():
        if job.records.get(name):
            raise AwsError("ResourceInUse", kind.duplicate.format(arn=arn))
        job.records.put(name, record)
        resource_tags.attach(call, arn, request_tags)
        call.engine.tasks.submit(
            kind.task, job.key, {"account": call.account, "region": call.region, "name": name}
        )
        publish(job, record)
    return {kind.arn: arn}


def find(call: Call, kind: JobKind, name: str) -> Record:
    """The record of a job. AwsError where it does not exist."""
    record = call.records(kind.resource).get(name)
    if record is None:
        raise AwsError("ValidationException", kind.missing.format(name=name))
    return record


def described(record: Record) -> Record:
    """The record as the API shows it."""
    return {name: value for name, value in record.items() if name != "Private"}


def listed(call: Call, kind: JobKind, request: Record, *members: str) -> Record:
    """The answer of a List…Jobs operation."""
    jobs = filter_by_request(call.records(kind.resource).list(), request, kind.name)
    wanted = request.get("StatusEquals")
    if wanted:
        jobs = [job for job in jobs if job[kind.status] == wanted]
    member = {"Name": kind.name, "Status": kind.status}.get(request.get("SortBy") or "", "CreationTime")
    jobs = sort(jobs, lambda job: job[member], request.get("SortOrder"), "Descending")
    shown = (kind.name, kind.arn, "CreationTime", kind.end, "LastModifiedTime", kind.status, *members)
    return paged(f"{kind.prefix}JobSummaries", [keep(job, *shown) for job in jobs], request)


def stop(call: Call, kind: JobKind, name: str, changes: Record | None = None) -> None:
    """Asks a running job to stop; its task sees to it."""
    with call.engine.store.transaction():
        status = find(call, kind, name)[kind.status]
        if status == "Stopping":
            return
        if status in ENDED:
            raise AwsError(
                "ValidationException",
                f"The request was rejected because the {kind.words} is in status {status}.",
            )
        job = Job(call.engine, kind, call.account, call.region, name)
        job.advance({kind.status: "Stopping"} | (changes or {}))
        call.engine.tasks.submit("sagemaker.stop-process", job.process)


@task("sagemaker.stop-process")
def _stop_process(engine: Engine, key: str, payload: Record) -> None:
    engine.processes.stop(key)


def publish(job: Job, record: Record) -> None:
    """The job's state change event; SageMaker writes its times as epoch milliseconds."""
    detail: dict[str, Any] = described(record)
    for name in ("CreationTime", "LastModifiedTime", job.kind.start, job.kind.end):
        if name in detail:
            detail[name] = int(detail[name] * 1000)
    job.engine.events.put(
        job.account,
        job.region,
        source="aws.sagemaker",
        detail_type=job.kind.detail_type,
        resources=[record[job.kind.arn]],
        detail=detail,
    )
