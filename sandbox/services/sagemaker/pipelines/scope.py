"""What the expressions of a step see: parameters, execution variables, earlier steps, files in S3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.services.sagemaker.pipelines.expressions import ExpressionError
from sandbox.services.sagemaker.pipelines.paths import PathError, look_up, parse_path
from sandbox.services.sagemaker.s3_uri import S3Uri, parse_s3_uri

if TYPE_CHECKING:
    from sandbox.services.sagemaker.pipelines.execution import Execution


class ExecutionScope:
    """The scope of one step of an execution. `job`: the name of the job that the step is about to make."""

    def __init__(self, execution: Execution, job: str | None = None) -> None:
        self._execution = execution
        self._record = execution.read()
        self._job = job

    def parameter(self, name: str) -> Any:
        return self._record["Private"]["Parameters"][name]

    def variable(self, name: str) -> str:
        execution = self._execution
        if name in ("TrainingJobName", "ProcessingJobName"):
            if self._job is None:
                raise ExpressionError(f"Execution.{name} has a value only in the arguments of a job")
            return self._job
        moment = {
            "StartDateTime": self._record["CreationTime"],
            "CurrentDateTime": execution.engine.clock.now(),
        }
        if name in moment:
            return (
                datetime.fromtimestamp(moment[name], UTC)
                .isoformat(timespec="milliseconds")
                .replace("+00:00", "Z")
            )
        return {
            "PipelineName": execution.pipeline,
            "PipelineArn": execution.pipeline_arn,
            "PipelineExecutionId": execution.id,
            "PipelineExecutionArn": execution.arn,
        }[name]

    def properties(self, step: str) -> dict[str, Any]:
        record = self._execution.step(step)
        if record is None or "Properties" not in record["Private"]:
            raise ExpressionError(f"step '{step}' has no properties: it has not succeeded")
        found: dict[str, Any] = record["Private"]["Properties"]
        return found

    def property_file(self, step: str, file: str) -> str:
        declared = self._execution.definition().steps[step].property_files[file]
        output = declared["OutputName"]
        try:
            path = parse_path(f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
            folder = look_up(self.properties(step), path)
        except PathError as error:
            raise ExpressionError(f"property file '{file}' of step '{step}': {error}") from None
        return self._text(parse_s3_uri(folder).below(declared["FilePath"]))

    def s3_text(self, uri: str) -> str:
        try:
            return self._text(parse_s3_uri(uri))
        except ValueError as error:
            raise ExpressionError(str(error)) from None

    def _text(self, uri: S3Uri) -> str:
        from botocore.exceptions import ClientError

        client = self._execution.session().client("s3")
        try:
            body: bytes = client.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read()
            return body.decode()
        except ClientError as error:
            raise ExpressionError(f"{uri} cannot be read: {error}") from None
        except UnicodeDecodeError:
            raise ExpressionError(f"{uri} is not UTF-8 text") from None


def plain(value: Any) -> Any:
    """A Describe… answer as JSON: times as ISO 8601, without the response's metadata."""
    if isinstance(value, dict):
        return {name: plain(element) for name, element in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value.isoformat() if isinstance(value, datetime) else value
