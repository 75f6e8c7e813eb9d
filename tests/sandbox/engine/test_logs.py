"""Lines on their way to CloudWatch Logs: as many in a request as it takes, none lost behind a refusal."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.engine import logs as module
from sandbox.engine.logs import LogStream


class Logs:
    """The client; refuses the calls whose number is in `refused`."""

    class exceptions:  # noqa: N801 - as botocore names it
        class ResourceAlreadyExistsException(Exception): ...

    def __init__(self, refused: set[int]) -> None:
        self.batches: list[list[str]] = []
        self.created = 0
        self._refused = refused
        self._calls = 0

    def create_log_stream(self, **_: Any) -> None:
        self.created += 1

    def put_log_events(self, logEvents: list[dict[str, Any]], **_: Any) -> None:
        self._calls += 1
        if self._calls in self._refused:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "PutLogEvents")
        self.batches.append([event["message"] for event in logEvents])


class Session:
    def __init__(self, client: Logs) -> None:
        self._client = client

    def client(self, _: str) -> Logs:
        return self._client


def test_batches_keep_to_the_bytes_and_events_of_a_request() -> None:
    lines = [{"message": "ä" * 100_000}] * 12
    assert module._batch(lines) == 5
    assert module._batch([{"message": "x"}] * 20_000) == 10_000
    assert module._batch([]) == 0


def test_lines_are_cut_by_bytes_and_never_within_a_character() -> None:
    client = Logs(set())
    with LogStream(Session(client), "g", "s") as stream:  # type: ignore[arg-type]
        stream.write("ä" * 200_000)
    assert client.batches == [["ä" * (module.LINE // 2)]]


def test_lines_after_a_refusal_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.0)
    client, seen = Logs({1}), threading.Event()
    put = client.put_log_events

    def watched(**request: Any) -> None:
        try:
            put(**request)
        finally:
            seen.set()

    client.put_log_events = watched  # type: ignore[method-assign]
    with LogStream(Session(client), "g", "s") as stream:  # type: ignore[arg-type]
        stream.write("one")
        assert seen.wait(20)
        stream.write("two")
    assert client.batches == [["two"]]
    assert isinstance(stream.error, ClientError)
    assert client.created == 2
