"""Every answer read back as a client reads it, and held against the model: for tests.

On where the environment has SANDBOX_WITNESS: faults go, one JSON object a line, to `answers.jsonl` in the
state folder. moto's answers are seen as well as ours, and so are errors.
"""

from __future__ import annotations

import functools
import io
import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from sandbox.engine.http import Response
from sandbox.gateway import answers, refusals

VARIABLE = "SANDBOX_WITNESS"
FILE = "answers.jsonl"
OFTEN = 50
"""Answers of one kind that are all read; of later ones each tenth."""


class Witness:
    """`see` each answer; what is wrong with it is a line in the file."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._seen: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()

    def see(self, service: str, name: str, protocol: str, response: Response) -> None:
        kind = (service, name, response.status)
        self._seen[kind] += 1
        if self._seen[kind] > OFTEN and self._seen[kind] % 10:
            return
        faults = faults_of(service, name, protocol, response)
        if faults:
            line = {"service": service, "operation": name, "status": response.status, "faults": faults}
            with self._lock, self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")


def faults_of(service: str, name: str, protocol: str, response: Response) -> list[str]:
    """What a client would find wrong with an answer."""
    from botocore.awsrequest import HeadersDict
    from botocore.parsers import ResponseParserError, create_parser

    if name not in _model(service).operation_names:
        return []  # moto knows operations that clients have no method for
    operation = _model(service).operation_model(name)
    if operation.has_event_stream_output:
        return []
    streamed = operation.has_streaming_output and response.status < 300
    message = {
        "headers": HeadersDict(response.headers),
        "status_code": response.status,
        "body": io.BytesIO(response.body) if streamed else response.body,
        "context": {"operation_name": name},
    }
    try:
        parsed = create_parser(protocol).parse(message, operation.output_shape)
    except (ResponseParserError, ValueError, TypeError, AttributeError, KeyError) as error:
        return [f"cannot be parsed: {repr(error)[:200]}: {response.body[:200]!r}"]
    metadata = parsed.pop("ResponseMetadata", {})
    if response.status >= 300:
        return _refusal(operation, response.status, parsed)
    faults = [] if metadata.get("RequestId") else ["has no request id"]
    try:
        answers.conform(parsed, operation.output_shape)
    except answers.Malformed as error:
        faults.append(str(error))
    return faults


def _refusal(operation: Any, status: int, parsed: dict[str, Any]) -> list[str]:
    error = parsed.get("Error", {})
    # Services that once spoke the query protocol name both: of their model, and of that time.
    code = str(error.get("QueryErrorCode") or error.get("Code", ""))
    if status >= 500 and operation.name != "InvokeEndpoint":
        return [f"{code}: {error.get('Message', '')[:300]}"]
    if status == 304:
        return []
    if not refusals.may_refuse(operation, code):
        return [f"is refused with {code}, which is none of its errors: {error.get('Message', '')[:200]}"]
    modelled = refusals.status_of(operation, code)
    if modelled not in (None, status):
        return [f"{code} has the status {status}, not {modelled}"]
    return []


@functools.cache
def _model(service: str) -> Any:
    from botocore.session import Session

    return Session().get_service_model(service)
