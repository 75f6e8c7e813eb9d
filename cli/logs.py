"""CloudWatch Logs of the builds and jobs of one execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli import executions
from cli.access import Access
from cli.errors import is_absent

JOB_LOG_GROUPS = {
    "processing-job": "/aws/sagemaker/ProcessingJobs",
    "training-job": "/aws/sagemaker/TrainingJobs",
    "transform-job": "/aws/sagemaker/TransformJobs",
}
"""By the resource type in a job's ARN. https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html"""


@dataclass(frozen=True)
class Stream:
    """A log stream; `label` says whose it is."""

    label: str
    group: str
    name: str


class Reader:
    """Reads a stream on from where it stopped."""

    def __init__(self, access: Access, stream: Stream) -> None:
        self.stream = stream
        self._client = access.client("logs")
        self._token: str | None = None

    def lines(self) -> Iterator[str]:
        """Lines not yet read."""
        while True:
            request: dict[str, Any] = {"logGroupName": self.stream.group, "logStreamName": self.stream.name}
            if self._token:
                request["nextToken"] = self._token
            try:
                answer = self._client.get_log_events(**request, startFromHead=True)
            except ClientError as error:
                if is_absent(error):  # nothing was written yet
                    return
                raise
            for event in answer["events"]:
                yield event["message"].rstrip("\n")
            # The same token again means the end of what there is.
            if answer["nextForwardToken"] == self._token:
                return
            self._token = answer["nextForwardToken"]


def of_execution(access: Access, execution: dict[str, Any]) -> list[Stream]:
    """Streams of an execution as `executions` describes it; more appear while it runs."""
    if execution.get("ExecutionArn"):
        return [
            stream
            for step in executions.steps(access, execution["ExecutionArn"])
            for stream in of_job(access, step["StepName"], executions.step_arn(step))
        ]
    found = executions.actions(access, execution["Pipeline"], execution["ExecutionId"])
    return [stream for action in found for stream in of_action(access, action)]


def of_action(access: Access, action: dict[str, Any]) -> list[Stream]:
    """The stream of a CodeBuild action's build."""
    if action.get("input", {}).get("actionTypeId", {}).get("provider") != "CodeBuild":
        return []
    build_id = action.get("output", {}).get("executionResult", {}).get("externalExecutionId")
    if not build_id:
        return []
    builds = access.client("codebuild").batch_get_builds(ids=[build_id])["builds"]
    places = [build.get("logs", {}) for build in builds]
    label = f"{action['stageName']}/{action['actionName']}"
    return [
        Stream(label, place["groupName"], place["streamName"]) for place in places if place.get("streamName")
    ]


def of_job(access: Access, label: str, arn: str | None) -> list[Stream]:
    """Streams of a SageMaker job: one a container."""
    kind, _, name = (arn or "").rpartition(":")[2].partition("/")
    group = JOB_LOG_GROUPS.get(kind)
    if group is None:
        return []
    try:
        answer = access.client("logs").describe_log_streams(
            logGroupName=group, logStreamNamePrefix=f"{name}/"
        )
    except ClientError as error:
        if is_absent(error):
            return []
        raise
    return [Stream(label, group, stream["logStreamName"]) for stream in answer["logStreams"]]


def tail(access: Access, streams: list[Stream], count: int = 25) -> str:
    """The last lines of each stream."""
    parts = []
    for stream in streams:
        lines = list(Reader(access, stream).lines())[-count:]
        parts += [f"--- {stream.label}: {stream.group} {stream.name}", *lines]
    return "\n".join(parts)


class Follower:
    """Shows lines of all streams of an execution as they come."""

    def __init__(self, access: Access, execution: dict[str, Any], show: Callable[[str, str], None]) -> None:
        self._access, self._execution, self._show = access, execution, show
        self._readers: dict[Stream, Reader] = {}
        self.shown = 0

    def step(self) -> int:
        """Show what is new; how many lines were shown in all."""
        for stream in of_execution(self._access, self._execution):
            self._readers.setdefault(stream, Reader(self._access, stream))
        for stream, reader in self._readers.items():
            for line in reader.lines():
                self._show(stream.label, line)
                self.shown += 1
        return self.shown
