"""The fall-through: records that moto keeps, reached the way moto's own server reaches them."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sandbox.engine.http import Request, Response
from sandbox.gateway.wsgi import environ_of_request

READS = (
    "Get",
    "List",
    "Describe",
    "Head",
    "Filter",
    "Select",
    "Test",
    "Verify",
    "Encrypt",
    "Decrypt",
    "Generate",
)

Changed = Callable[[str, str, dict[str, Any]], None]


class Moto:
    """moto's backends are not thread-safe: one lock a service. Nothing calls back while holding it.

    `on_change(service, operation, parameters)` is called under the lock after whatever changed a record,
    before the answer leaves.
    """

    def __init__(self, account: str) -> None:
        os.environ["MOTO_ACCOUNT_ID"] = account
        os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        _leave_to_the_sandbox()
        self._application = DomainDispatcherApplication(create_backend_app)
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self.on_change: Changed = lambda *_: None

    def lock(self, service: str) -> threading.RLock:
        return self._locks[service]

    def __call__(
        self, request: Request, service: str, operation: str, parameters: dict[str, Any]
    ) -> Response:
        from werkzeug.test import run_wsgi_app

        environ: dict[str, Any] = environ_of_request(request)
        with self._locks[service]:
            body, status, headers = run_wsgi_app(self._application, environ, buffered=True)
            code = int(status.split()[0])
            if not operation.startswith(READS) and code < 400:
                self.on_change(service, operation, parameters)
            return Response(code, dict(headers), b"".join(body))


def _leave_to_the_sandbox() -> None:
    """Switches off what moto would decide or do on its own.

    It refuses by a bucket policy's Deny whatever its Condition: the gate has decided by then. It writes an
    access log object for every request at once: AWS delivers them hours later, as it finds time.
    """
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket, S3Backend

    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
    S3Backend.log_incoming_request = lambda *_: None
