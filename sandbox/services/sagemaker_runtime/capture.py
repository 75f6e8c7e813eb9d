"""Data capture: requests and answers as JSON lines in S3, where the endpoint configuration asks for it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import logging
import random
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.engine.engine import Engine
from sandbox.services.sagemaker_runtime.background import Json, add, gathered

if TYPE_CHECKING:
    from sandbox.engine.operations import Call
    from sandbox.runtimes.serving.instance import Answer
    from sandbox.runtimes.serving.routes import Route

log = logging.getLogger(__name__)

NAME = "captured-data"
INTERVAL = 1.0
SERVICE = "sagemaker.amazonaws.com"
DEFAULT_CSV = ("text/csv",)
DEFAULT_JSON = ("application/json", "application/jsonlines")


def capture(
    call: Call,
    route: Route,
    endpoint: str,
    variant: str,
    request: dict[str, Any],
    body: bytes,
    answer: Answer,
) -> None:
    """Keeps one request and its answer, if the configuration samples it."""
    config = route.capture
    if not config or not config["EnableCapture"]:
        return
    if random.random() * 100 >= config["InitialSamplingPercentage"]:
        return
    moment = datetime.fromtimestamp(call.engine.clock.now(), UTC)
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    data = {}
    if modes & {"Input", "InputAndOutput"}:
        content_type = request.get("ContentType") or "application/octet-stream"
        data["endpointInput"] = _side(config, "INPUT", content_type, body)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _side(config, "OUTPUT", answer.content_type, answer.body)
    metadata: dict[str, Any] = {
        "eventId": str(uuid.uuid4()),
        "inferenceTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if request.get("InferenceId"):
        metadata["inferenceId"] = request["InferenceId"]
    if request.get("CustomAttributes"):
        metadata["customAttributes"] = [request["CustomAttributes"]]
    record = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    text = json.dumps(record, separators=(",", ":"))
    line = {
        "region": call.region,
        "role": route.role,
        "arn": route.endpoint_arn,
        "destination": config["DestinationS3Uri"],
        "key": config.get("KmsKeyId"),
        "endpoint": endpoint,
        "variant": variant,
        "time": moment.timestamp(),
        "text": text,
    }
    add(call.engine, NAME, line)


def _side(config: dict[str, Any], mode: str, content_type: str, body: bytes) -> dict[str, str]:
    headers = config.get("CaptureContentTypeHeader") or {}
    media_type = content_type.partition(";")[0].strip()
    if media_type in (headers.get("CsvContentTypes") or DEFAULT_CSV):
        encoding, data = "CSV", body.decode(errors="replace")
    elif media_type in (headers.get("JsonContentTypes") or DEFAULT_JSON):
        encoding, data = "JSON", body.decode(errors="replace")
    else:
        encoding, data = "BASE64", base64.b64encode(body).decode()
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


@gathered(NAME, INTERVAL)
def write(engine: Engine, identifier: str, lines: list[Json]) -> None:
    """One object for the lines of each endpoint and variant; the same where this is done once more."""
    files: dict[tuple[Any, ...], list[Json]] = {}
    for line in lines:
        place = tuple(
            line[member] for member in ("region", "role", "destination", "key", "endpoint", "variant")
        )
        files.setdefault(place, []).append(line)
    for group in files.values():
        _write_file(engine, identifier, group)


def _write_file(engine: Engine, identifier: str, lines: list[Json]) -> None:
    from botocore.exceptions import ClientError

    from sandbox.engine.operations import AwsError

    first = lines[0]
    moment = datetime.fromtimestamp(first["time"], UTC)
    bucket, _, prefix = first["destination"].removeprefix("s3://").partition("/")
    unique = uuid.uuid5(
        uuid.UUID(identifier), f"{first['endpoint']}/{first['variant']}/{first['destination']}"
    )
    name = moment.strftime("%Y/%m/%d/%H/%M-%S-") + f"{moment.microsecond // 1000:03d}-{unique}.jsonl"
    key = "/".join(filter(None, [prefix.rstrip("/"), first["endpoint"], first["variant"], name]))
    body = "".join(line["text"] + "\n" for line in lines).encode()
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": first["key"]} if first["key"] else {}
    try:
        session = engine.clients.role(
            first["role"],
            service=SERVICE,
            session_name="SageMaker",
            region=first["region"],
            source_arn=first["arn"],
        )
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **encryption)
    except (AwsError, ClientError) as error:
        # Capture never stands in the way of an answer; AWS tells of it nowhere but in missing files.
        log.warning("captured data of endpoint %s could not be written: %s", first["endpoint"], error)
