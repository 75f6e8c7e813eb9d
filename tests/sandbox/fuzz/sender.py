"""Sends whatever request as boto3 would, without its own validation, and judges what comes back."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sandbox.engine.http import Response
from sandbox.gateway.witness import faults_of
from tests.sandbox_process import SandboxProcess


@dataclass
class Sent:
    """`faults`: what is wrong with the answer; `answer`: what a client reads, None where it was refused."""

    status: int
    code: str
    faults: list[str]
    answer: dict[str, Any] | None


class Sender:
    """`send` to the sandbox of `process`, as the account's root."""

    def __init__(self, process: SandboxProcess) -> None:
        self._process = process
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            client = self._process.new_client(service, parameter_validation=False, read_timeout=50)
            client.meta.events.register("before-parse.*.*", self._keep)
            client.meta.events.register("before-call.*.*", self._write)
            self._clients[service] = client
        return self._clients[service]

    def model(self, service: str, operation: str) -> Any:
        return self.client(service).meta.service_model.operation_model(operation)

    def send(self, service: str, operation: str, request: dict[str, Any]) -> Sent | None:
        """None for a request that cannot be written down in the service's protocol."""
        self._raw: dict[str, Any] | None = None
        self._request = request
        client = self.client(service)
        code, answer = "", None
        shape = self.model(service, operation).input_shape
        try:
            answer = client._make_api_call(
                operation, request if not _is_json(client) else _outline(request, shape)
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
        except ResponseParserError as error:
            return Sent(0, "", [f"cannot be parsed: {error}"], None)
        except (
            BotoCoreError,
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
            OverflowError,
            RuntimeError,
        ) as error:
            if self._raw is None:
                return _lost(error)
            raise
        if self._raw is None:
            return None
        protocol = client.meta.service_model.resolved_protocol
        body = self._raw["body"]
        response = Response(
            self._raw["status_code"], dict(self._raw["headers"]), body if isinstance(body, bytes) else b""
        )
        return Sent(response.status, code, faults_of(service, operation, protocol, response), answer)

    def _keep(self, response_dict: dict[str, Any], **_: Any) -> None:
        self._raw = response_dict

    def _write(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        """JSON is written as it is, so that members of the wrong type arrive as such."""
        if model.service_model.resolved_protocol == "json":
            params["body"] = json.dumps(self._request, default=_json).encode("utf-8", "surrogatepass")


def _lost(error: Exception) -> Sent | None:
    if isinstance(error, BotoCoreError) and "onnection" in type(error).__name__ + str(error):
        return Sent(0, "", [f"the connection broke: {error}"], None)
    if "Timeout" in type(error).__name__:
        return Sent(0, "", [f"no answer: {error}"], None)
    return None


def _is_json(client: Any) -> bool:
    return client.meta.service_model.resolved_protocol == "json"


def _outline(request: dict[str, Any], shape: Any) -> dict[str, Any]:
    """What botocore is given to write before `_write` replaces it."""
    return {}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    return base64.b64encode(value).decode()
