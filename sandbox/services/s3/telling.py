"""What happened to an object, on its way to whom its bucket tells.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from sandbox.engine.engine import Engine
from sandbox.engine.operations import OBSERVERS, Call
from sandbox.engine.tasks import task
from sandbox.services.s3.notifications import KINDS, configurations, send, wants

log = logging.getLogger(__name__)

_CREATED = {
    "PutObject": "Put",
    "CopyObject": "Copy",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}


def _created(call: Call, parameters: dict[str, Any]) -> None:
    bucket, key = parameters["Bucket"], parameters["Key"]
    kept = configurations(call.engine, call.account).get(bucket)
    if kept is None:
        return
    from botocore.exceptions import ClientError

    try:
        found = call.engine.clients.owner(call.region).client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError:
        return  # deleted again meanwhile: that is told of by itself
    facts = {"size": found["ContentLength"], "etag": found["ETag"].strip('"')}
    if found.get("VersionId"):
        facts["version-id"] = found["VersionId"]
    _tell(call, bucket, key, f"ObjectCreated:{_CREATED[call.operation]}", facts, kept)


def _deleted(call: Call, parameters: dict[str, Any]) -> None:
    bucket = parameters["Bucket"]
    kept = configurations(call.engine, call.account).get(bucket)
    if kept is None:
        return
    objects = (parameters.get("Delete") or {}).get("Objects") or [parameters]
    s3 = call.engine.clients.owner(call.region).client("s3")
    versioned = s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    for item in objects:
        marker = versioned and not item.get("VersionId")
        facts = {"version-id": item["VersionId"]} if item.get("VersionId") else {}
        name = "DeleteMarkerCreated" if marker else "Delete"
        _tell(call, bucket, item["Key"], f"ObjectRemoved:{name}", facts, kept)


def _tell(call: Call, bucket: str, key: str, event: str, facts: dict[str, Any], kept: dict[str, Any]) -> None:
    engine, sequencer = call.engine, f"{time.time_ns():016X}"
    with engine.store.transaction():
        if kept["EventBridge"]:
            _to_event_bridge(call, bucket, event, {"key": key} | facts | {"sequencer": sequencer})
        for member, (arn, _) in KINDS.items():
            for item in kept[member]:
                if wants(item, event, key):
                    record = _record(call, bucket, key, event, facts | {"sequencer": sequencer}, item["Id"])
                    payload = {"bucket": bucket, "arn": item[arn], "text": json.dumps({"Records": [record]})}
                    identity = f"{call.region}/{call.request_id}/{sequencer}/{item['Id']}"
                    engine.tasks.submit("s3.notify", identity, payload)


@task("s3.notify")
def notify(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    from botocore.exceptions import ClientError

    try:
        send(engine, key.partition("/")[0], payload["bucket"], payload["arn"], payload["text"])
    except ClientError as error:
        log.warning("bucket %s could not tell %s: %s", payload["bucket"], payload["arn"], error)


def _to_event_bridge(call: Call, bucket: str, event: str, facts: dict[str, Any]) -> None:
    created = event.startswith("ObjectCreated")
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket},
        "object": facts,
        "request-id": call.request_id,
        "requester": call.account,
        "reason": call.operation if created else "DeleteObject",
    }
    if not created:
        marker = event.endswith("DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if marker else "Permanently Deleted"
    call.engine.events.put(
        call.account,
        call.region,
        source="aws.s3",
        detail_type="Object Created" if created else "Object Deleted",
        resources=[f"arn:aws:s3:::{bucket}"],
        detail=detail,
    )


def _record(
    call: Call, bucket: str, key: str, event: str, facts: dict[str, Any], configuration: str
) -> dict[str, Any]:
    moment = datetime.fromtimestamp(call.engine.clock.now(), UTC)
    names = {"size": "size", "etag": "eTag", "version-id": "versionId", "sequencer": "sequencer"}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": call.region,
        "eventTime": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "eventName": event,
        "userIdentity": {"principalId": f"AWS:{call.principal.id}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": call.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": call.account},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {"key": quote_plus(key, safe="/")}
            | {shown: facts[name] for name, shown in names.items() if name in facts},
        },
    }


def _forgotten(call: Call, parameters: dict[str, Any]) -> None:
    """A bucket of that name may come again, and tells nobody."""
    configurations(call.engine, call.account).delete(parameters["Bucket"])


OBSERVERS["s3", "DeleteBucket"] = _forgotten
OBSERVERS["s3", "DeleteObject"] = OBSERVERS["s3", "DeleteObjects"] = _deleted
for _name in _CREATED:
    OBSERVERS["s3", _name] = _created
