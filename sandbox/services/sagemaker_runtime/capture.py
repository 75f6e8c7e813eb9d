"""Data capture: requests and answers as JSON lines in S3, where the endpoint configuration asks for it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import logging
import random
import uuid
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.services.sagemaker_runtime.background import Gatherer

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.operations import Call
    from sandbox.runtimes.serving.instance import Answer
    from sandbox.runtimes.serving.routes import Route

log = logging.getLogger(__name__)

INTERVAL = 1.0
SERVICE = "sagemaker.amazonaws.com"
DEFAULT_CSV = ("text/csv",)
DEFAULT_JSON = ("application/json", "application/jsonlines")


@dataclass(frozen=True)
class Line:
    region: str
    role: str
    arn: str
    config: dict[str, Any]
    endpoint: str
    variant: str
    time: datetime
    text: str

    @property
    def file(self) -> tuple[str, ...]:
        return self.region, self.role, self.config["DestinationS3Uri"], self.endpoint, self.variant


_GATHERERS: weakref.WeakKeyDictionary[Engine, Gatherer[Line]] = weakref.WeakKeyDictionary()


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
    line = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    text = json.dumps(line, separators=(",", ":"))
    _gatherer(call.engine).add(
        Line(call.region, route.role, route.endpoint_arn, config, endpoint, variant, moment, text)
    )


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


def _gatherer(engine: Engine) -> Gatherer[Line]:
    gatherer = _GATHERERS.get(engine)
    if gatherer is None:
        reference = weakref.ref(engine)
        gatherer = Gatherer("data capture", INTERVAL, lambda lines: _write(reference(), lines))
        gatherer = _GATHERERS.setdefault(engine, gatherer)
    return gatherer


def _write(engine: Engine | None, lines: list[Line]) -> None:
    files: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        files.setdefault(line.file, []).append(line)
    for group in files.values():
        if engine is not None:
            _write_file(engine, group)


def _write_file(engine: Engine, lines: list[Line]) -> None:
    from botocore.exceptions import ClientError

    from sandbox.engine.operations import AwsError

    first = lines[0]
    bucket, _, prefix = first.config["DestinationS3Uri"].removeprefix("s3://").partition("/")
    name = (
        first.time.strftime("%Y/%m/%d/%H/%M-%S-")
        + f"{first.time.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    )
    key = "/".join(filter(None, [prefix.rstrip("/"), first.endpoint, first.variant, name]))
    body = "".join(line.text + "\n" for line in lines).encode()
    encryption = {}
    if first.config.get("KmsKeyId"):
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": first.config["KmsKeyId"]}
    try:
        session = engine.clients.role(
            first.role,
            service=SERVICE,
            session_name="SageMaker",
            region=first.region,
            source_arn=first.arn,
        )
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **encryption)
    except (AwsError, ClientError) as error:
        # Capture never stands in the way of an answer; AWS tells of it nowhere but in missing files.
        log.warning("captured data of endpoint %s could not be written: %s", first.endpoint, error)
