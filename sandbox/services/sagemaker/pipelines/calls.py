"""The API calls of steps: made with boto3 as the pipeline's role, like anyone else's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sandbox.engine.identifiers import random_id
from sandbox.services.sagemaker import resource_tags
from sandbox.services.sagemaker.pipelines import retries
from sandbox.services.sagemaker.pipelines.definition import Step
from sandbox.services.sagemaker.pipelines.expressions import resolve
from sandbox.services.sagemaker.pipelines.scope import ExecutionScope
from sandbox.services.sagemaker.pipelines.step_types import CALLS, JOB_STEPS

if TYPE_CHECKING:
    from sandbox.engine.store import Record
    from sandbox.services.sagemaker.pipelines.execution import Execution

NAME_LENGTH = 63
EXECUTION_TAG = "sagemaker:pipeline-execution-arn"
"""What Pipelines tags everything with that its steps make; the SDK's lineage follows it."""
_RESOURCE = {"Processing": "processing-job", "Training": "training-job", "Model": "model"}
_STOP = {"Processing": "StopProcessingJob", "Training": "StopTrainingJob"}


class CallFailed(Exception):
    """A call that was refused. `exception`: the retry policies' type of the failure, where it has one."""

    def __init__(self, operation: str, error: Any) -> None:
        answer = getattr(error, "response", None)
        if answer is None:  # refused by botocore itself: arguments that do not fit the operation
            super().__init__(f"Failed to invoke sagemaker:{operation}. Error Details: {error}")
            self.exception = None
            return
        super().__init__(
            f"Failed to invoke sagemaker:{operation}. Error Details: {answer['Error']['Message']}"
        )
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        self.exception = retries.classify_error(answer["Error"]["Code"], status)


def new_name(execution: Execution, step: Step) -> str:
    """The name of a step's next job: `pipelines-<execution>-<step>-<random>`, or after its custom prefix."""
    member = CALLS[step.type].name_member
    custom = step.arguments.get(member) if member else None
    end = f"-{random_id(10)}"
    if custom:
        custom = str(resolve(custom, ExecutionScope(execution)))
        return f"{custom[: NAME_LENGTH - len(end)].rstrip('-')}{end}"
    start = f"pipelines-{execution.id}-"
    # A step's name may hold underscores, a job's may not.
    middle = step.name.replace("_", "-").strip("-")[: NAME_LENGTH - len(start) - len(end)].rstrip("-")
    return f"{start}{middle}{end}"


def complete(execution: Execution, step: Step, arguments: Record, name: str) -> Record:
    """The resolved arguments with what Pipelines itself adds."""
    member = CALLS[step.type].name_member
    if member:
        return arguments | {member: name}
    # RegisterModel: the token makes a repeated call the same call; the lineage leads back to the execution.
    generated = {"GeneratedBy": execution.arn} | (arguments.get("MetadataProperties") or {})
    token = hashlib.sha256(f"{execution.arn}/{step.name}".encode()).hexdigest()[:36]
    return arguments | {"MetadataProperties": generated, "ClientToken": token}


def job_arn(execution: Execution, step_type: str, name: str) -> str:
    """The ARN that the created resource will have; empty for a model package, whose version is not known."""
    resource = _RESOURCE.get(step_type)
    return f"arn:aws:sagemaker:{execution.region}:{execution.account}:{resource}/{name}" if resource else ""


def create(execution: Execution, step_type: str, arguments: Record, arn: str) -> str:
    """Makes the Create… call and returns the ARN. What an earlier, unanswered call made is taken as made."""
    from botocore.exceptions import BotoCoreError, ClientError

    client = execution.session().client("sagemaker")
    call = CALLS[step_type]
    try:
        if step_type == "RegisterModel":
            return _register(client, arguments)
        _invoke(client, call.create, arguments)
    except ClientError as error:
        # The name is random and was written down for this step: who has it is this step's earlier attempt.
        if not _already_exists(error):
            raise CallFailed(call.create, error) from None
    except BotoCoreError as error:
        raise CallFailed(call.create, error) from None
    resource_tags.mark(execution.records(resource_tags.KIND), arn, EXECUTION_TAG, execution.arn)
    return arn


def _register(client: Any, arguments: Record) -> str:
    from botocore.exceptions import ClientError

    try:
        return str(_invoke(client, "CreateModelPackage", arguments)["ModelPackageArn"])
    except ClientError as error:
        group = arguments.get("ModelPackageGroupName")
        if not group or "ModelPackageGroup" not in str(error) or "does not exist" not in str(error):
            raise
    # Pipelines makes a group that is missing.
    try:
        _invoke(client, "CreateModelPackageGroup", {"ModelPackageGroupName": group.rpartition("/")[2]})
    except ClientError as error:
        if not _already_exists(error):
            raise CallFailed("CreateModelPackageGroup", error) from None
    return str(_invoke(client, "CreateModelPackage", arguments)["ModelPackageArn"])


def _already_exists(error: Any) -> bool:
    text = error.response["Error"]["Message"]
    return error.response["Error"]["Code"] == "ResourceInUse" or "already exist" in text


def describe(execution: Execution, step_type: str, name: str) -> Record:
    """The properties of a step: what its Describe… operation answers. `name`: or ARN, of what it made."""
    from botocore.exceptions import ClientError

    call = CALLS[step_type]
    if step_type not in JOB_STEPS and step_type != "RegisterModel":
        name = name.rpartition("/")[2]
    try:
        answer: Record = _invoke(
            execution.session().client("sagemaker"), call.describe, {call.describe_by: name}
        )
        return answer
    except ClientError as error:
        raise CallFailed(call.describe, error) from None


def stop(execution: Execution, step_type: str, name: str) -> None:
    """Asks a job to stop; one that ended by itself in the meantime is as good."""
    from botocore.exceptions import ClientError

    client = execution.session().client("sagemaker")
    try:
        _invoke(client, _STOP[step_type], {CALLS[step_type].describe_by: name})
    except ClientError as error:
        if "The request was rejected because" not in str(error):
            raise CallFailed(_STOP[step_type], error) from None


def metadata(step_type: str, arn: str) -> Record:
    """The Metadata of ListPipelineExecutionSteps for what a step made."""
    return {CALLS[step_type].metadata: {"Arn": arn}}


def _invoke(client: Any, operation: str, arguments: Record) -> Any:
    from botocore import xform_name

    return getattr(client, xform_name(operation))(**arguments)
