"""The stack behind a provisioned product, driven through CloudFormation's API as the launch role."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError
from sandbox.engine.store import Record
from sandbox.services.servicecatalog.tagging import system_tags

log = logging.getLogger(__name__)

SERVICE = "servicecatalog.amazonaws.com"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_STACK = "The ARN of the launched Cloudformation Stack"
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True)
class Outcome:
    succeeded: bool
    reason: str = ""
    code: str = "INTERNAL_FAILURE"
    stack: str | None = None
    outputs: list[dict[str, str]] = field(default_factory=list)


def step(engine: Engine, record: Record, product: Record, account: str, region: str) -> Outcome | None:
    """Starts the record's stack operation or reads how it stands; None while it is under way."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = _session(engine, record, region)
        stack = _describe(session, product["StackName"], record)
        if record["RecordType"] == "TERMINATE_PROVISIONED_PRODUCT":
            return _terminate(session, record, product, stack)
        return _launch(engine, session, record, product, stack, (account, region))
    except ClientError as error:
        answer = error.response["Error"]
        return Outcome(False, f"{answer['Message']}", answer["Code"])
    except AwsError as error:
        return Outcome(False, error.message, error.code)
    except BotoCoreError as error:
        return Outcome(False, str(error), "ValidationException")
    except Exception as error:  # a fault of the sandbox must not leave the product under change for ever
        log.exception("record %s", record["RecordId"])
        return Outcome(False, f"Internal error of the sandbox: {error!r}")


def _session(engine: Engine, record: Record, region: str) -> Session:
    """The launch role's session; without a launch constraint the caller launches with its own permissions."""
    role = record.get("LaunchRoleArn")
    if role:
        return engine.clients.role(role, service=SERVICE, session_name="servicecatalog", region=region)
    return engine.clients.of_access_key(record["launch"]["access_key"], region, via=SERVICE)


def _describe(session: Session, name: str, record: Record) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        stacks = session.client("cloudformation").describe_stacks(StackName=record.get("StackId") or name)[
            "Stacks"
        ]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return stacks[0]


def _marked(session: Session, stack: dict[str, Any], record: Record) -> bool:
    """Whether the stack's last operation is this record's: its request token is the record's id.

    Asked where the record itself does not tell, because the sandbox was killed right after the call.
    """
    events = session.client("cloudformation").describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    return bool(events) and events[0].get("ClientRequestToken") == record["RecordId"]


def _launch(
    engine: Engine,
    session: Session,
    record: Record,
    product: Record,
    stack: dict[str, Any] | None,
    place: tuple[str, str],
) -> Outcome | None:
    if stack is not None and (record.get("launched") or _marked(session, stack, record)):
        record["launched"] = True
        return _outcome(session, stack)
    request = {
        "StackName": product["StackName"],
        "TemplateURL": _template(engine, record, place),
        "Parameters": [
            {"ParameterKey": k, "ParameterValue": v} for k, v in record["launch"]["parameters"].items()
        ],
        "Capabilities": CAPABILITIES,
        "Tags": [{"Key": k, "Value": v} for k, v in (product["Tags"] | system_tags(product)).items()],
        "ClientRequestToken": record["RecordId"],
    }
    client = session.client("cloudformation")
    if stack is None:
        client.create_stack(**request)
    else:
        client.update_stack(**request)
    record["launched"] = True
    return None


def _template(engine: Engine, record: Record, place: tuple[str, str]) -> str:
    """Service Catalog launches from a copy in a bucket of its own, tagged so that launch roles may read it.

    "Launch constraints" in the administrator guide: s3:ExistingObjectTag/servicecatalog:provisioning.
    """
    account, region = place
    artifact = engine.records(account, region, "servicecatalog", "artifact").get(
        f"{record['ProductId']}/{record['launch']['artifact']}"
    )
    if artifact is None:
        raise AwsError(
            "ResourceNotFoundException", f"Provisioning artifact {record['launch']['artifact']} was deleted."
        )
    s3 = engine.clients.owner(region).client("s3")
    bucket = f"sc-templates-{account}-{region}"
    key = f"{record['ProductId']}/{artifact['Id']}.template"
    _ensure_bucket(s3, bucket, region)
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=artifact["template"].encode(),
        Tagging="servicecatalog%3Aprovisioning=true",
    )
    return f"https://{bucket}.s3.{region}.amazonaws.com/{key}"


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    from botocore.exceptions import ClientError

    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **({} if region == "us-east-1" else elsewhere))


def _outcome(session: Session, stack: dict[str, Any]) -> Outcome | None:
    status = stack["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        # Cleaning up after a successful update does not hold the record.
        if status != "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            return None
        status = "UPDATE_COMPLETE"
    if status in GOOD:
        outputs = [
            {name: output[name] for name in ("OutputKey", "OutputValue", "Description") if name in output}
            for output in stack.get("Outputs", [])
        ]
        own = {"OutputKey": "CloudformationStackARN", "OutputValue": stack["StackId"], "Description": _STACK}
        return Outcome(True, stack=stack["StackId"], outputs=[own, *outputs])
    reason = first_failure(session, stack["StackId"]) or stack.get("StackStatusReason", status)
    return Outcome(False, reason, "CFN_STACK_FAILURE", stack["StackId"])


def first_failure(session: Session, stack: str) -> str | None:
    """The resource that failed first in the last operation, and why: what a user needs to read."""
    events = session.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    found = None
    for event in events:  # newest first
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        if status.endswith("_FAILED") and "cancelled" not in reason:
            found = f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
        if event["PhysicalResourceId"] == stack and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            break
    return found


def _terminate(
    session: Session, record: Record, product: Record, stack: dict[str, Any] | None
) -> Outcome | None:
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return Outcome(True)
    if stack["StackStatus"] == "DELETE_IN_PROGRESS":
        return None
    if stack["StackStatus"] == "DELETE_FAILED" and record.get("deleting"):
        if record["launch"]["ignore_errors"]:
            return Outcome(True)
        reason = stack.get("StackStatusReason", "DELETE_FAILED")
        return Outcome(False, reason, "CFN_STACK_FAILURE", stack["StackId"])
    if record["launch"]["retain"]:
        raise AwsError("UnsupportedOperation", "The sandbox does not implement RetainPhysicalResources")
    record["deleting"] = True
    record["StackId"] = stack["StackId"]
    session.client("cloudformation").delete_stack(StackName=stack["StackId"])
    return None
