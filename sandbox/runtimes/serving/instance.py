"""One instance of an endpoint: a model server process and the kept-open connections to it."""

from __future__ import annotations

import collections
import http.client
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.engine.processes import Command, Processes

LOG_TAIL = 20


class NotHealthy(RuntimeError):
    """The server did not come up; the message holds the last lines it printed."""


class InstanceGone(ConnectionError):
    """The process ended while, or before, it was asked."""


@dataclass(frozen=True)
class Answer:
    """`attributes`: the container's X-Amzn-SageMaker-Custom-Attributes."""

    status: int
    content_type: str
    body: bytes
    attributes: str | None = None


class _Connection(http.client.HTTPConnection):
    """To a port of 127.0.0.1, or to a socket file."""

    def __init__(self, address: str, timeout: float) -> None:
        port = int(address) if address.isdigit() else None
        super().__init__("127.0.0.1", port, timeout=timeout)
        self._file = None if port else address

    def connect(self) -> None:
        if self._file is None:
            super().connect()
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._file)


class Instance:
    """`command(ready)` makes the Command of `runtimes.serving_command` for a ready word.

    `on_line`: each line it prints. `on_death`: called once if a server that was healthy ends without being
    stopped. `on_end`: called once when the process has ended, however it did.
    """

    def __init__(
        self,
        processes: Processes,
        key: str,
        command: Callable[[str], Command],
        on_line: Callable[[str], None],
        on_death: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self.key = key
        self._processes = processes
        self._on_line = on_line
        self._on_death = on_death
        self._on_end = on_end
        self._healthy = False
        self._ready_word = secrets.token_hex(8)
        self._address: str | None = None
        self._up = threading.Event()
        self._ended = threading.Event()
        self._stopping = False
        self._tail: collections.deque[str] = collections.deque(maxlen=LOG_TAIL)
        self._idle: collections.deque[http.client.HTTPConnection] = collections.deque()
        self._condition = threading.Condition()
        self._busy = 0
        self._process = processes.start(replace(command(self._ready_word), on_line=self._line), key)
        threading.Thread(target=self._watch, name=f"instance {key}", daemon=True).start()

    def _line(self, line: str) -> None:
        word, _, address = line.partition(" ")
        if word == self._ready_word and self._address is None:
            self._address = address
            self._up.set()
            return
        self._tail.append(line)
        self._on_line(line)

    def _watch(self) -> None:
        self._process.wait()
        self._ended.set()
        self._up.set()
        if self._healthy and not self._stopping and not self._process.stopped:
            self._on_death()
        self._on_end()

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    @property
    def busy(self) -> int:
        """Requests under way."""
        return self._busy

    def wait_healthy(self, timeout: float) -> None:
        """Blocks until GET /ping answered 200. NotHealthy if the process ends or time is up."""
        if not self._up.wait(timeout) or self._ended.is_set() or self._address is None:
            raise NotHealthy("\n".join(self._tail))
        try:
            if self._exchange("GET", "/ping", b"", {}, timeout).status != 200:
                raise NotHealthy("\n".join(self._tail))
        except (OSError, http.client.HTTPException):
            raise NotHealthy("\n".join(self._tail)) from None
        self._healthy = True

    def invoke(self, body: bytes, headers: dict[str, str], timeout: float) -> Answer:
        """POST /invocations. InstanceGone when the process is dead; TimeoutError after `timeout` seconds."""
        return self._exchange("POST", "/invocations", body, headers, timeout)

    def _exchange(
        self, method: str, path: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> Answer:
        with self._condition:
            self._busy += 1
        try:
            connection = self._connection(timeout)
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                answer = Answer(
                    response.status,
                    response.getheader("Content-Type", "application/json"),
                    response.read(),
                    response.getheader("X-Amzn-SageMaker-Custom-Attributes"),
                )
            except TimeoutError:
                connection.close()
                raise
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                raise InstanceGone(str(error)) from error
            if connection.sock is not None:  # the server may have closed it after its answer
                self._idle.append(connection)
            return answer
        finally:
            with self._condition:
                self._busy -= 1
                self._condition.notify_all()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._ended.is_set() or self._address is None:
            raise InstanceGone("the model server is not running")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _Connection(self._address, timeout)
            try:
                connection.connect()
            except OSError as error:
                raise InstanceGone(str(error)) from error
        connection.sock.settimeout(timeout)
        return connection

    def drain(self, timeout: float) -> None:
        """Waits until no request is under way (routes no longer lead here), then ends the process."""
        with self._condition:
            self._condition.wait_for(lambda: self._busy == 0, timeout)
        self.stop()

    def stop(self) -> None:
        self._stopping = True
        self._process.stop()
        self._ended.wait()
        while self._idle:
            self._idle.pop().close()
