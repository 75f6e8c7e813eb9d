"""Lines of a build or job on their way to CloudWatch Logs, under the role that runs it."""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.engine.clients import Session

INTERVAL = 0.25
"""Seconds that lines are gathered: one request for many lines, still live to a reader."""
BATCH = 10_000
BATCH_BYTES = 1_048_576
OVERHEAD = 26
"""PutLogEvents takes so many events, and so many bytes: of each message in UTF-8, and so many more."""
LINE = 250_000
"""Bytes of one event; a longer line is cut."""


class LogStream:
    """A log stream being written; use as a context manager.

    `error` holds what CloudWatch Logs refused first (for example an AccessDenied of the role). Later lines
    are written nevertheless, as far as it takes them; `tail`, the last lines, is what failure reasons quote.
    """

    def __init__(self, session: Session, group: str, stream: str, *, create_group: bool = False) -> None:
        self.group = group
        self.stream = stream
        self.error: Exception | None = None
        self.tail: list[str] = []
        self._session = session
        self._create_group = create_group
        self._lines: list[dict[str, Any]] = []
        self._condition = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._flush_forever, name=f"log {stream}", daemon=True)

    def __enter__(self) -> LogStream:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()

    def write(self, line: str) -> None:
        text = line if len(line) * 4 <= LINE else line.encode()[:LINE].decode(errors="ignore")
        event = {"timestamp": int(time.time() * 1000), "message": text or " "}
        with self._condition:
            self._lines.append(event)
            self.tail = [*self.tail[-49:], line]
            self._condition.notify()

    def _flush_forever(self) -> None:
        there = self._attempt(self._create)
        while True:
            with self._condition:
                while not self._lines and not self._closed:
                    self._condition.wait()
                if not self._closed:
                    self._condition.wait_for(lambda: self._closed, timeout=INTERVAL)
                count = _batch(self._lines)
                batch, self._lines = self._lines[:count], self._lines[count:]
                done = self._closed and not self._lines
            if batch:
                # A stream that could not be made, or was deleted meanwhile, is made for the next lines.
                there = (there or self._attempt(self._create)) and self._attempt(self._put, batch)
            if done:
                return

    def _attempt(self, function: Any, *arguments: Any) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            function(*arguments)
        except (BotoCoreError, ClientError) as error:
            self.error = self.error or error
            return False
        return True

    def _create(self) -> None:
        from botocore.exceptions import ClientError

        logs = self._session.client("logs")
        if self._create_group:
            # Refused or not, the group may be there: only the stream tells.
            with contextlib.suppress(ClientError):
                logs.create_log_group(logGroupName=self.group)
        # A job that is run again after a restart goes on in its stream.
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(logGroupName=self.group, logStreamName=self.stream)

    def _put(self, batch: list[dict[str, Any]]) -> None:
        self._session.client("logs").put_log_events(
            logGroupName=self.group, logStreamName=self.stream, logEvents=batch
        )


def _batch(lines: list[dict[str, Any]]) -> int:
    """How many of the lines one request takes."""
    size = 0
    for count, line in enumerate(lines[:BATCH]):
        size += len(line["message"].encode()) + OVERHEAD
        if size > BATCH_BYTES:
            return count
    return min(len(lines), BATCH)
