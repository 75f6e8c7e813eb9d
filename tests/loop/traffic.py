"""A client that never stops asking production."""

from __future__ import annotations

import threading
from typing import Any, Self

PAUSE_SECONDS = 0.02


class Traffic:
    """Asks `row` again and again from a thread of its own, without retries, between enter and exit."""

    def __init__(self, runtime: Any, endpoint: str, row: str) -> None:
        self._runtime, self._endpoint, self._row = runtime, endpoint, row
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answers: list[float] = []
        self.failures: list[Exception] = []

    def _run(self) -> None:
        while not self._done.wait(PAUSE_SECONDS):
            try:
                self.answers.append(ask(self._runtime, self._endpoint, self._row)[0])
            except Exception as error:  # noqa: BLE001 - whatever a client may meet is what is looked for
                self.failures.append(error)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(30)

    def check(self) -> None:
        """Requests were sent all the time, and none failed."""
        assert not self._thread.is_alive(), "a request hangs"
        assert len(self.answers) > 10
        assert not self.failures, f"{len(self.failures)} of {len(self.answers)} requests: {self.failures[:3]}"


def ask(runtime: Any, endpoint: str, rows: str) -> list[float]:
    """Predictions of the endpoint for rows of CSV."""
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, Body=rows, ContentType="text/csv", Accept="text/csv"
    )
    return [float(line) for line in answer["Body"].read().split()]
