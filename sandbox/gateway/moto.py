"""The fall-through: records that moto keeps, reached the way moto's own server reaches them."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sandbox.engine.http import Request, Response
from sandbox.gateway import digests
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
    before the answer leaves; `before_use(service)` before the records of a service are looked at.
    """

    def __init__(self, account: str) -> None:
        os.environ["MOTO_ACCOUNT_ID"] = account
        os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
        _leave_to_the_sandbox()
        _find_roles_without_a_walk()
        self._applications: dict[str, Any] = {}
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self.on_change: Changed = lambda *_: None
        self.before_use: Callable[[str], None] = lambda _: None

    def lock(self, service: str) -> threading.RLock:
        return self._locks[service]

    def __call__(
        self, request: Request, service: str, operation: str, parameters: dict[str, Any]
    ) -> Response:
        from werkzeug.test import run_wsgi_app

        if service == "s3":
            request = digests.checked(operation, request)
        environ: dict[str, Any] = environ_of_request(request)
        self.before_use(service)
        with self._locks[service]:
            application = self._application(service)
            body, status, headers = run_wsgi_app(application, environ, buffered=True)
            code = int(status.split()[0])
            if not operation.startswith(READS) and code < 400:
                self.on_change(service, operation, parameters)
            return Response(code, dict(headers), b"".join(body))

    def _application(self, service: str) -> Any:
        """The application of one service; under its lock.

        moto's own dispatcher guesses the service from the request, at each one anew by listing moto's
        folder, and lets some paths lead to its own interface; the gateway knows the service already.
        """
        if service not in self._applications:
            from moto.moto_server.werkzeug_app import create_backend_app

            if service == "kms":
                _decide_by_no_key_policy()
            if service == "ssm":
                _keep_parameters_out_that_were_only_asked_for()
            self._applications[service] = create_backend_app(service)  # type: ignore[arg-type]
        return self._applications[service]


def _leave_to_the_sandbox() -> None:
    """Switches off what moto would decide or do on its own.

    It refuses by a bucket policy's Deny whatever its Condition: the gate has decided by then. It writes an
    access log object for every request at once: AWS delivers them hours later, as it finds time.
    It refuses `*` as the path of IAM's resources, which its own words allow.
    """
    from moto.iam.access_control import PermissionResult
    from moto.iam.policy_validation import BaseIAMPolicyValidator
    from moto.s3.models import FakeBucket, S3Backend

    validate = BaseIAMPolicyValidator._validate_resource_format

    def validate_resource(validator: BaseIAMPolicyValidator, resource: str) -> None:
        if not (resource.startswith("arn:aws:iam::") and resource.endswith(":*")):
            validate(validator, resource)

    BaseIAMPolicyValidator._validate_resource_format = validate_resource  # type: ignore[assignment, method-assign]
    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
    S3Backend.log_incoming_request = lambda *_: None


def _find_roles_without_a_walk() -> None:
    """moto walks all roles, and makes the ARN of each, to find one by its name or ARN, again and again."""
    from moto.iam.exceptions import NotFoundException
    from moto.iam.models import IAMBackend

    from sandbox.iam.principals.records import role_named, role_of

    def get_role(backend: IAMBackend, role_name: str) -> Any:
        role = role_named(backend.account_id, role_name)
        if role is None:
            raise NotFoundException(f"Role {role_name} not found")
        return role

    def get_role_by_arn(backend: IAMBackend, arn: str) -> Any:
        role = role_of(backend.account_id, arn)
        if role is None:
            raise NotFoundException(f"Role {arn} not found")
        return role

    IAMBackend.get_role = get_role  # type: ignore[method-assign]
    IAMBackend.get_role_by_arn = get_role_by_arn  # type: ignore[method-assign]


def _decide_by_no_key_policy() -> None:
    """moto refuses DescribeKey by a key policy's Deny, whatever its Condition and Principal: the gate has
    decided by then."""
    from moto.kms import responses

    responses.validate_policy = lambda key, action: None


def _keep_parameters_out_that_were_only_asked_for() -> None:
    """A parameter that was only asked for would be one without a version, at which every later list of them
    breaks. Apart from the rest: to load moto's Systems Manager takes a second and a hundred megabytes."""
    from moto.ssm.models import ParameterDict

    ParameterDict.__missing__ = lambda parameters, name: _NoVersions(parameters, name)


class _NoVersions(list[Any]):
    """The versions of a parameter that is not there: it is there from its first version on."""

    def __init__(self, parameters: Any, name: str) -> None:
        super().__init__()
        self._parameters, self._name = parameters, name

    def append(self, version: Any) -> None:
        self._parameters[self._name] = [version]
