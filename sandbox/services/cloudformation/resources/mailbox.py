"""What is put to the pre-signed URLs that CloudFormation gives away: responses and signals.

On AWS the URLs lead to S3 buckets of CloudFormation's own; here the gateway hands the objects over. Each is
a record before its sender is answered, so none is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.engine.operations import MAILBOXES
from sandbox.services.cloudformation.resources.waiting import wake

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.store import Records

RESPONSES = "cloudformation-custom-resource-response-"
SIGNALS = "cloudformation-waitcondition-"
LIMIT = 4096
"""Bytes of one response or signal."""


def signed_url(engine: Engine, region: str, bucket: str, key: str, seconds: int) -> str:
    """A URL to which anybody may PUT one object, for so many seconds."""
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    owner = engine.clients.owner(region).credentials
    request = AWSRequest("PUT", f"{engine.endpoint_url}/{bucket}/{quote(key)}")
    credentials = Credentials(owner.access_key, owner.secret_key)
    S3SigV4QueryAuth(credentials, "s3", region, expires=seconds).add_auth(request)
    url: str = request.url
    return url


def records_of(engine: Engine, arn: str, kind: str) -> Records:
    """Records of the account and region that a stack's id names."""
    _, _, _, region, account, _ = arn.split(":", 5)
    return engine.records(account, region, "cloudformation", kind)


def _text(body: bytes) -> dict[str, Any]:
    return {"Body": body[:LIMIT].decode(errors="replace"), "TooLong": len(body) > LIMIT}


def _response(engine: Engine, key: str, body: bytes) -> None:
    """The first response to a request counts; one that nobody waits for any more is forgotten."""
    stack_id, _, rest = key.partition("|")
    records = records_of(engine, stack_id, "custom-request")
    with engine.store.transaction():
        found = f"{stack_id}|{rest.rpartition('|')[2]}"
        record = records.get(found)
        if record is None or record.get("Response"):
            return
        records.put(found, record | {"Response": _text(body)})
        engine.store.after_commit(wake)


def _signal(engine: Engine, key: str, body: bytes) -> None:
    stack_id, handle = key.rsplit("/", 1)
    records = records_of(engine, stack_id, "signal")
    with engine.store.transaction():
        prefix = f"{stack_id}|{handle}|"
        records.put(f"{prefix}{len(list(records.keys(prefix))):06}", _text(body))
        engine.store.after_commit(wake)


MAILBOXES[RESPONSES] = _response
MAILBOXES[SIGNALS] = _signal
