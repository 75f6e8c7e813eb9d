"""One execution environment: a process that loads a function's code once and handles one event at a time.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import json
import os
import select
import shutil
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.logs import LogStream
from sandbox.engine.processes import Exit
from sandbox.runtimes.functions import Package, function_command
from sandbox.state import certificates

INIT_SECONDS = 10.0
"""Seconds for which a function may load beyond the time-out of its first event."""
TAIL = 4096
"""Bytes of log that an invocation may ask for."""
RESPONSE = 6_291_556
"""Bytes of an answer."""


@dataclass(frozen=True)
class Plan:
    """What an execution environment is made of. `key`: equal for those that may stand in for each other."""

    key: str
    name: str
    version: str
    config: dict[str, Any]
    code: Path
    layers: Path | None
    log_group: str


@dataclass(frozen=True)
class Event:
    """One event on its way to the handler. `arn`: as the function was invoked."""

    id: str
    arn: str
    payload: str
    client_context: str | None = None


@dataclass
class Outcome:
    """`failed`: the function did not end well and `payload` is the error document. `spent`: seconds."""

    payload: str
    failed: bool = False
    log: bytes = b""
    spent: float = 0.0
    lines: list[str] = field(default_factory=list)


class _Ended(Exception):
    """The process is gone, or its time is over."""


class Instance:
    """Use by one thread at a time. `usable`: whether it can take another event; `outdated`: its function has
    been changed or deleted since."""

    def __init__(self, engine: Engine, plan: Plan, session: Session) -> None:
        self.plan = plan
        self.usable = True
        self.outdated = False
        self.started = engine.clock.now()
        self.idle_since = self.started
        self._id = uuid.uuid4().hex
        self._folder = engine.folder("lambda", "environments", self._id)
        self._mark = uuid.uuid4().hex
        self._drained = threading.Event()
        self._lines: list[str] = []
        self._blank = False
        self._ready = False
        day = datetime.fromtimestamp(self.started, UTC).strftime("%Y/%m/%d")
        stream = f"{day}/[{plan.version}]{self._id}"
        self._log = LogStream(session, plan.log_group, stream, create_group=True)
        self._log.__enter__()
        (self._folder / "trusted.pem").write_text(certificates.trusted(engine.settings.state))
        self._requests = _pipe(self._folder / "requests")
        self._responses = _pipe(self._folder / "responses")
        self._ended, self._end = os.pipe()
        self._pending = b""
        self._exit: Exit | None = None
        self._process = engine.processes.start(
            function_command(
                plan.config["Runtime"],
                self._package(),
                mark=self._mark,
                variables=self._variables(session, stream),
                memory=plan.config["MemorySize"] * 2**20,
                file_size=plan.config["EphemeralStorage"]["Size"] * 2**20,
                on_line=self._line,
            ),
            key=f"lambda/{self._id}",
        )
        self._waiter = threading.Thread(target=self._wait, name=f"lambda {plan.name}", daemon=True)
        self._waiter.start()

    def _package(self) -> Package:
        temporary = self._folder / "tmp"
        temporary.mkdir()
        return Package(
            self.plan.code,
            self.plan.layers,
            temporary,
            self._folder / "requests",
            self._folder / "responses",
        )

    def _variables(self, session: Session, stream: str) -> dict[str, str]:
        config = self.plan.config
        own = (config.get("Environment") or {}).get("Variables") or {}
        return {
            **own,
            **session.environment(),
            # Providers of custom resources insist on TLS, whatever the scheme of their ResponseURL.
            "SSL_CERT_FILE": str(self._folder / "trusted.pem"),
            "_HANDLER": config["Handler"],
            "AWS_LAMBDA_FUNCTION_NAME": self.plan.name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.plan.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.plan.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        }

    def invoke(self, event: Event) -> Outcome:
        """Handles one event; never raises. An instance that timed out or ended is not usable any more."""
        self._lines = []
        timeout = float(self.plan.config["Timeout"])
        cold = not self._ready
        used = 0
        init = 0.0
        begun = time.monotonic()
        try:
            if cold:
                self._tell(f"INIT_START Runtime Version: {self.plan.config['Runtime']}")
                answer = self._receive(begun + INIT_SECONDS + timeout)
                init = time.monotonic() - begun
            if cold and "failed" in answer:
                self._tell(answer["log"])
                self._begin(event)
                self._close()
                outcome = Outcome(json.dumps(answer["failed"] | {"requestId": event.id}), failed=True)
            else:
                self._ready = True
                self._begin(event)
                begun = time.monotonic()
                self._send(event, time.time() + timeout, begun + timeout)
                answer = self._receive(begun + timeout)
                used = answer["memory"]
                outcome = self._outcome(answer)
        except _Ended:
            if cold and not self._ready:
                self._begin(event)
            outcome = self._broken(event, timeout)
        outcome.spent = time.monotonic() - begun
        if used > self.plan.config["MemorySize"] * 2**20:
            self._close()
            outcome = self._died(event, "Runtime exited with error: signal: killed")
        self._report(event, outcome, used, init)
        outcome.log = "\n".join([*self._lines, ""]).encode()[-TAIL:]
        return outcome

    def _begin(self, event: Event) -> None:
        self._tell(f"START RequestId: {event.id} Version: {self.plan.version}")

    def _outcome(self, answer: dict[str, Any]) -> Outcome:
        if "error" in answer:
            self._tell(answer["log"])
            return Outcome(json.dumps(answer["error"]), failed=True)
        result: str = answer["result"]
        if len(result.encode()) > RESPONSE:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE} bytes)."
            document = {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}
            return Outcome(json.dumps(document), failed=True)
        return Outcome(result)

    def _broken(self, event: Event, timeout: float) -> Outcome:
        """The process ended on its own, or its time is over and it is ended now."""
        if self._exit is None:
            self._close()
            moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            self._tell(f"{moment} {event.id} Task timed out after {timeout:.2f} seconds")
            message = f"RequestId: {event.id} Error: Task timed out after {timeout:.2f} seconds"
            document = {"errorType": "Sandbox.Timedout", "errorMessage": message}
            return Outcome(json.dumps(document), failed=True)
        code = self._exit.code
        self._close()
        if code < 0:
            return self._died(event, f"Runtime exited with error: signal: {_SIGNALS.get(-code, str(-code))}")
        if code:
            return self._died(event, f"Runtime exited with error: exit status {code}")
        return self._died(event, "Runtime exited without providing a reason")

    def _died(self, event: Event, reason: str) -> Outcome:
        message = f"RequestId: {event.id} Error: {reason}"
        self._tell(f"{message}\nRuntime.ExitError")
        document = {"errorType": "Runtime.ExitError", "errorMessage": message}
        return Outcome(json.dumps(document), failed=True)

    def _report(self, event: Event, outcome: Outcome, used: int, init: float) -> None:
        self._tell(f"END RequestId: {event.id}")
        duration = outcome.spent * 1000
        parts = [
            f"REPORT RequestId: {event.id}",
            f"Duration: {duration:.2f} ms",
            f"Billed Duration: {int(duration + init * 1000) + 1} ms",
            f"Memory Size: {self.plan.config['MemorySize']} MB",
            f"Max Memory Used: {max(1, used // 2**20)} MB",
        ]
        if init:
            parts.append(f"Init Duration: {init * 1000:.2f} ms")
        self._tell("\t".join(parts) + "\t")

    @property
    def alive(self) -> bool:
        return self.usable and self._exit is None

    def stop(self) -> None:
        """Ends the process and forgets its folder."""
        self._close()

    def _close(self) -> None:
        if not self.usable:
            return
        self.usable = False
        if self._process.running:
            self._process.stop(grace=0.0)
        self._waiter.join()
        for number in (self._requests, self._responses, self._ended):
            os.close(number)
        # The log is closed by a thread of its own: its last lines need not be waited for.
        threading.Thread(target=self._finish, name=f"lambda {self.plan.name}", daemon=True).start()

    def _finish(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._log.__exit__(None, None, None)

    def _wait(self) -> None:
        self._exit = self._process.wait()
        os.close(self._end)

    def _tell(self, text: str) -> None:
        self._lines.extend(text.split("\n"))
        self._log.write(text)

    def _line(self, line: str) -> None:
        """A line of the process's output. The mark is preceded by a line end: of a last line that had none,
        or an empty line if it had one."""
        if line == self._mark:
            self._blank = False
            self._drained.set()
            return
        if self._blank:
            self._tell("")
        self._blank = line == ""
        if not self._blank:
            self._tell(line)

    def _send(self, event: Event, deadline: float, until: float) -> None:
        request = {
            "id": event.id,
            "arn": event.arn,
            "deadline": deadline,
            "payload": event.payload,
            "client_context": event.client_context,
            "trace": f"Root=1-{int(time.time()):x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        self._drained.clear()
        data = memoryview(json.dumps(request).encode() + b"\n")
        while data:
            self._until_ready(self._requests, select.POLLOUT, until)
            try:
                data = data[os.write(self._requests, data) :]
            except BlockingIOError:
                continue

    def _receive(self, until: float) -> dict[str, Any]:
        """The next answer, once all that was printed before it has been read."""
        pieces = []
        while True:
            self._until_ready(self._responses, select.POLLIN, until)
            try:
                piece = os.read(self._responses, 1 << 16)
            except BlockingIOError:
                continue
            pieces.append(piece)
            if piece.endswith(b"\n"):
                break
        self._drained.wait(max(0.0, until - time.monotonic()))
        answer: dict[str, Any] = json.loads(b"".join(pieces))
        return answer

    def _until_ready(self, number: int, wanted: int, until: float) -> None:
        """Waits until a pipe can be used. _Ended when the process is gone or the time over."""
        poll = select.poll()
        poll.register(number, wanted)
        poll.register(self._ended, select.POLLHUP)
        left = until - time.monotonic()
        ready = dict(poll.poll(left * 1000)) if left > 0 else {}
        # An answer that was written before the end still counts.
        if not ready.get(number, 0) & wanted:
            raise _Ended


_SIGNALS = {9: "killed", 11: "segmentation fault", 6: "aborted", 15: "terminated"}


def _pipe(path: Path) -> int:
    """A named pipe, opened at both ends so that neither opening nor reading ends by itself."""
    os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
