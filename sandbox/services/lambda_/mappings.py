"""Event source mappings: which queue's messages a function gets.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.patterns import InvalidPattern, compile_pattern
from sandbox.services.lambda_.names import SERVICE, Named, function_arn, invalid, named
from sandbox.services.lambda_.records import get_function, version_of

_TAKEN = frozenset(
    (
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "FunctionResponseTypes",
        "FilterCriteria",
        "ScalingConfig",
    )
)
_NOT_SET = ("Topics", "Queues", "SourceAccessConfigurations")
BATCH = 10
LARGEST_BATCH = 10_000
FILTERS = 5


@operation(SERVICE, "CreateEventSourceMapping")
def create_event_source_mapping(
    call: Call,
    FunctionName: str,
    EventSourceArn: str | None = None,
    Enabled: bool = True,
    Tags: dict[str, str] | None = None,
    **members: Any,
) -> dict[str, Any]:
    target = named(call, FunctionName)
    version_of(call, target)
    source = EventSourceArn or ""
    if source.split(":")[2:3] != ["sqs"]:
        raise invalid(
            f"The event source {source or 'without an ARN'} is not implemented in the sandbox: SQS "
            "queues are."
        )
    settings = _settings(members, source)
    _check_source(call, target, source)
    identifier = str(uuid.uuid4())
    record = {
        "UUID": identifier,
        "EventSourceArn": source,
        "name": target.name,
        "qualifier": target.qualifier,
        "enabled": Enabled,
        "settings": settings,
        "modified": call.engine.clock.now(),
        "tags": Tags or {},
        "result": None,
    }
    with call.engine.store.transaction():
        for other in call.records("mapping").list():
            if (other["EventSourceArn"], other["name"], other["qualifier"]) == (
                source,
                target.name,
                target.qualifier,
            ):
                arn = function_arn(call, target.name, target.qualifier)
                raise AwsError(
                    "ResourceConflictException",
                    f'An event source mapping with SQS arn (" {source} ") and function (" {arn} ") already '
                    f"exists. Please update or delete the existing mapping with UUID {other['UUID']}",
                    Type="User",
                )
        call.records("mapping").put(identifier, record)
        wake(call.engine, call.account, call.region, identifier)
    return _shown(call, record, "Creating")


def wake(engine: Engine, account: str, region: str, identifier: str) -> None:
    engine.tasks.submit("lambda.poll", f"{account}/{region}/{identifier}")


def _settings(members: dict[str, Any], source: str) -> dict[str, Any]:
    for name, value in members.items():
        if name not in _TAKEN and value not in (None, [], {}):
            raise invalid(f"{name} is not implemented in the sandbox for SQS event sources.")
    given = {name: value for name, value in members.items() if name in _TAKEN and value is not None}
    size, window = given.get("BatchSize", BATCH), given.get("MaximumBatchingWindowInSeconds", 0)
    fifo = source.endswith(".fifo")
    if fifo and window:
        raise invalid("Batching window is not supported for FIFO queues.")
    if size > (BATCH if fifo else LARGEST_BATCH):
        raise invalid(
            f"Maximum batch size for {'FIFO' if fifo else 'SQS'} event source is "
            f"{BATCH if fifo else LARGEST_BATCH}."
        )
    if size > BATCH and window < 1:
        raise invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    filters = (given.get("FilterCriteria") or {}).get("Filters") or []
    if len(filters) > FILTERS:
        raise invalid(f"Number of filters must not exceed {FILTERS}.")
    for one in filters:
        try:
            compile_pattern(one["Pattern"])
        except (InvalidPattern, KeyError) as error:
            raise invalid(f"Invalid filter pattern definition. {error}") from error
    return {"BatchSize": size, "MaximumBatchingWindowInSeconds": window} | given


def _check_source(call: Call, target: Named, source: str) -> None:
    """The queue exists, lasts as long as the function, and the function's role may poll it."""
    from botocore.exceptions import ClientError

    function = get_function(call, target)
    config = function["config"]
    session = call.engine.clients.role(
        config["Role"],
        service="lambda.amazonaws.com",
        session_name=target.name,
        region=call.region,
        source_arn=function_arn(call, target.name),
    )
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        try:
            session.authorize(f"sqs:{action}", source)
        except AwsError as error:
            raise invalid(
                f"The function execution role does not have permissions to call {action} on SQS"
            ) from error
    sqs = session.client("sqs")
    *_, account, name = source.split(":")
    try:
        found = sqs.get_queue_attributes(
            QueueUrl=f"{sqs.meta.endpoint_url.rstrip('/')}/{account}/{name}",
            AttributeNames=["VisibilityTimeout"],
        )
    except ClientError as error:
        raise invalid(
            "Error occurred while ReceiveMessage. SQS Error Code: "
            f"{error.response['Error']['Code']}. SQS Error Message: "
            f"{error.response['Error'].get('Message', '')}"
        ) from error
    visible = int(found["Attributes"]["VisibilityTimeout"])
    if visible < config["Timeout"]:
        raise invalid(
            f"Queue visibility timeout: {visible} seconds is less than Function timeout: "
            f"{config['Timeout']} seconds"
        )


def _get(call: Call, identifier: str) -> dict[str, Any]:
    record = call.records("mapping").get(identifier)
    if record is None:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", Type="User")
    return record


def _shown(call: Call, record: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    settings = record["settings"]
    answer = {
        "UUID": record["UUID"],
        "EventSourceArn": record["EventSourceArn"],
        "FunctionArn": function_arn(call, record["name"], record["qualifier"]),
        "State": state or ("Enabled" if record["enabled"] else "Disabled"),
        "StateTransitionReason": "USER_INITIATED",
        "LastModified": record["modified"],
        "EventSourceMappingArn": call.arn(f"event-source-mapping:{record['UUID']}"),
        "FunctionResponseTypes": settings.get("FunctionResponseTypes", []),
    } | {name: value for name, value in settings.items() if name != "FunctionResponseTypes"}
    if record["result"]:
        answer["LastProcessingResult"] = record["result"]
    return answer


@operation(SERVICE, "GetEventSourceMapping")
def get_event_source_mapping(call: Call, UUID: str) -> dict[str, Any]:
    return _shown(call, _get(call, UUID))


@operation(SERVICE, "UpdateEventSourceMapping")
def update_event_source_mapping(
    call: Call, UUID: str, FunctionName: str | None = None, Enabled: bool | None = None, **members: Any
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _get(call, UUID)
        given = {name: value for name, value in members.items() if value is not None}
        record["settings"] = _settings(record["settings"] | given, record["EventSourceArn"])
        if FunctionName:
            target = named(call, FunctionName)
            version_of(call, target)
            record |= {"name": target.name, "qualifier": target.qualifier}
        if Enabled is not None:
            record["enabled"] = Enabled
        record["modified"] = call.engine.clock.now()
        call.records("mapping").put(UUID, record)
        wake(call.engine, call.account, call.region, UUID)
    return _shown(call, record, "Updating")


@operation(SERVICE, "DeleteEventSourceMapping")
def delete_event_source_mapping(call: Call, UUID: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _get(call, UUID)
        call.records("mapping").delete(UUID)
    return _shown(call, record, "Deleting")


@operation(SERVICE, "ListEventSourceMappings")
def list_event_source_mappings(
    call: Call,
    EventSourceArn: str | None = None,
    FunctionName: str | None = None,
    Marker: str | None = None,
    MaxItems: int | None = None,
) -> dict[str, Any]:
    wanted = named(call, FunctionName) if FunctionName else None
    found = [
        record
        for record in call.records("mapping").list()
        if EventSourceArn in (None, record["EventSourceArn"])
        and (wanted is None or (wanted.name, wanted.qualifier) == (record["name"], record["qualifier"]))
    ]
    chosen, token = page(found, Marker, MaxItems or 100, error="InvalidParameterValueException")
    items = [_shown(call, record) for record in chosen]
    return {"EventSourceMappings": items} | ({"NextMarker": token} if token else {})
