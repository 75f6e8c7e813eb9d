"""What an action sees of its pipeline, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.operations import AwsError
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.record import Pipelines


class ActionFailed(Exception):
    """Ends the action as Failed; `code` as CodePipeline's error details have it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Succeeded:
    """`revision`: of a source action, as SourceRevision and ArtifactRevision show it."""

    summary: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    revision: Json | None = None


class Context:
    """One action execution. Its record is read at the start of each run of the action's task."""

    def __init__(self, pipelines: Pipelines, action: Json) -> None:
        self.pipelines = pipelines
        self.engine = pipelines.engine
        self.action = action
        self.execution = pipelines.execution(action["pipelineName"], action["pipelineExecutionId"])
        self.declaration = pipelines.declaration(action["pipelineName"], action["pipelineVersion"])
        self.configuration: dict[str, str] = action["input"]["resolvedConfiguration"]

    @property
    def state(self) -> Json:
        """What the action remembers from one run of its task to the next; saved by `save`."""
        state: Json = self.action["state"]
        return state

    def save(self) -> None:
        """Keeps `state` and the result so far, unless the action was abandoned meanwhile."""
        with self.engine.store.transaction():
            current = self.pipelines.actions.get(self.pipelines.action_key(self.action))
            if current and current["status"] == "InProgress":
                self.pipelines.save_action(self.action)

    @cached_property
    def session(self) -> Session:
        """As the pipeline's role, or as the action's role assumed by the pipeline's role."""
        name = self.action["pipelineName"]
        role = self.declaration["roleArn"]
        try:
            session = self.engine.clients.role(
                role,
                service="codepipeline.amazonaws.com",
                session_name=self.action["pipelineExecutionId"],
                region=self.pipelines.region,
                source_arn=self.pipelines.arn(name),
            )
        except AwsError as error:
            message = f"CodePipeline is not authorized to perform AssumeRole on role {role}. {error.message}"
            raise ActionFailed("PermissionError", message) from error
        own = self.action["input"]["roleArn"]
        if own == role:
            return session
        answer = session.client("sts").assume_role(
            RoleArn=own, RoleSessionName=self.action["pipelineExecutionId"]
        )
        return self.engine.clients.of_access_key(answer["Credentials"]["AccessKeyId"], self.pipelines.region)

    @property
    def key(self) -> str | None:
        """The KMS key of the artifact store, None for the default of Amazon S3."""
        identifier: str | None = self.declaration["artifactStore"].get("encryptionKey", {}).get("id")
        return identifier

    def input(self, name: str) -> bytes:
        """The bytes of an input artifact."""
        from botocore.exceptions import ClientError

        location = self.location(name)
        try:
            answer = self.session.client("s3").get_object(Bucket=location["bucket"], Key=location["key"])
        except ClientError as error:
            problem = error.response["Error"]
            raise ActionFailed(
                "PermissionError" if "Denied" in problem["Code"] else "ConfigurationError",
                f"Unable to access the artifact with Amazon S3 object key '{location['key']}' located in the "
                f"Amazon S3 artifact bucket '{location['bucket']}'. {problem['Code']}: {problem['Message']}",
            ) from error
        data: bytes = answer["Body"].read()
        return data

    def location(self, name: str) -> dict[str, str]:
        """Where an input artifact lies."""
        for artifact in self.action["input"]["inputArtifacts"]:
            if artifact["name"] == name:
                found: dict[str, str] = artifact["s3location"]
                return found
        raise ActionFailed(
            "ConfigurationError", f"The input artifact {name} was not produced by this execution"
        )

    def put_output(self, data: bytes, metadata: dict[str, str] | None = None) -> None:
        """Writes the action's only output artifact."""
        location = self.action["outputArtifacts"][0]["s3location"]
        encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms"}
        if self.key:
            encryption["SSEKMSKeyId"] = self.key
        self.session.client("s3").put_object(
            Bucket=location["bucket"], Key=location["key"], Body=data, Metadata=metadata or {}, **encryption
        )

    def wait_for(self, kind: str, external_id: str, *, shown: str | None = None, url: str = "") -> None:
        """Remembers what the action waits for: its event runs the action's task again.

        Ask for its state after this, so that an end before this call is not missed.
        """
        self.action["result"] |= {"externalExecutionId": shown or external_id}
        if url:
            self.action["result"]["externalExecutionUrl"] = url
        external = f"{kind}/{external_id}"
        self.state["waits"] = [*self.state.get("waits", []), external]
        with self.engine.store.transaction():
            self.save()
            self.pipelines.external.put(external, {"action": self.pipelines.action_key(self.action)})
