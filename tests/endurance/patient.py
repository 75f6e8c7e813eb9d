"""A sandbox that is killed and started again under its clients, and clients that take it as such.

What only looks is asked again until the sandbox answers. What changes something is told that the answer was
lost (`Away`): whoever asked finds out whether it happened, as a client of AWS has to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import HTTPClientError, ResponseStreamingError

from tests.sandbox_process import SandboxProcess

T = TypeVar("T")
LOOKS = ("describe_", "list_", "get_", "batch_get_", "head_", "filter_")
PATIENCE = 240.0
"""Seconds after which what was asked for counts as stuck."""


class Away(Exception):
    """The sandbox ended before it answered."""


class PatientSandbox(SandboxProcess):
    """Its clients are `Patient`. `answered` counts the changes that were acknowledged."""

    def __init__(self, state: Path, clock_rate: float = 600.0) -> None:
        super().__init__(state, clock_rate)
        self.answered = 0
        self.kills = 0
        self.on_answer: Callable[[], None] = lambda: None
        self._up = threading.Event()
        self._up.set()

    def kill(self) -> None:
        self._up.clear()
        self.kills += 1
        super().kill()

    def start_again(self) -> None:
        super().start_again()
        self._up.set()

    def wait_up(self) -> None:
        if not self._up.wait(PATIENCE):
            raise TimeoutError("the sandbox did not come back")

    def plain_client(self, service: str, principal: str = "root") -> Any:
        """boto3's own."""
        return super().client(service, principal, connect_timeout=10, read_timeout=90)

    def client(self, service: str, principal: str = "root", **_: Any) -> Any:
        return Patient(self, self.plain_client(service, principal))

    def patient_client(self, service: str, *keys: str) -> Any:
        """One with an access key of its own."""
        session = boto3.Session(*keys, region_name=self.running.region)
        options = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=90)
        return Patient(self, session.client(service, endpoint_url=self.url, config=options))

    def settle(self, act: Callable[[], T], seen: Callable[[], T | None]) -> T:
        """Does `act`; where its answer was lost, what `seen` finds of it, or `act` again."""
        while True:
            try:
                return act()
            except Away:
                found = seen()
                if found is not None:
                    return found

    def command(self, *command: str, principal: str, **options: Any) -> str:
        """Output of a command that is run again where the sandbox was killed under it."""
        while True:
            self.wait_up()
            kills = self.kills
            done = self.run(*command, principal=principal, **options)
            if done.returncode == 0:
                return done.stdout
            if kills == self.kills:
                raise AssertionError(f"{' '.join(command)}: {done.stderr}")


class Patient:
    """One boto3 client."""

    def __init__(self, sandbox: PatientSandbox, client: Any) -> None:
        self._sandbox, self._client = sandbox, client
        self.exceptions = client.exceptions
        self.meta = client.meta

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name == "get_paginator":
            return call
        return lambda **request: self._ask(name, call, request)

    def _ask(self, name: str, call: Callable[..., Any], request: dict[str, Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            self._sandbox.wait_up()
            try:
                answer = call(**request)
                if hasattr(answer.get("Body"), "read"):
                    answer["Body"] = _Read(answer["Body"].read())
            except (HTTPClientError, ResponseStreamingError) as error:
                if time.monotonic() > deadline:
                    raise
                if not name.startswith(LOOKS):
                    raise Away(name) from error
                time.sleep(0.01)
                continue
            if not name.startswith(LOOKS):
                self._sandbox.answered += 1
                self._sandbox.on_answer()
            return answer


class _Read:
    """A body that was read while the sandbox answered."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self) -> bytes:
        return self._data
