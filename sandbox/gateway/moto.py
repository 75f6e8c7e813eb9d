"""The fall-through: records that moto keeps, reached the way moto's own server reaches them."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
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


class Moto:
    """moto's backends are not thread-safe: one lock a service. Nothing calls back while holding it."""

    def __init__(self, account: str) -> None:
        os.environ["MOTO_ACCOUNT_ID"] = account
        os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        _leave_decisions_to_the_gate()
        self._application = DomainDispatcherApplication(create_backend_app)
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self.changed: set[str] = set()
        """Services whose records changed since the last snapshot."""

    def lock(self, service: str) -> threading.RLock:
        return self._locks[service]

    def __call__(self, request: Request, service: str, operation: str) -> Response:
        from werkzeug.test import run_wsgi_app

        environ: dict[str, Any] = environ_of_request(request)
        with self._locks[service]:
            body, status, headers = run_wsgi_app(self._application, environ, buffered=True)
            if not operation.startswith(READS) and int(status.split()[0]) < 400:
                self.changed.add(service)
            return Response(int(status.split()[0]), dict(headers), b"".join(body))


def _leave_decisions_to_the_gate() -> None:
    """moto refuses by a bucket policy's Deny whatever its Condition; the gate has decided by then."""
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
