"""Durable tasks: one at a time a key, once more when asked while running, again after a crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engine import tasks as module
from sandbox.engine.engine import Engine, Settings
from sandbox.engine.tasks import Again

WAIT = 20
"""Seconds after which a test gives up; it never waits that long when the code is right."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(module, "HANDLERS", dict(module.HANDLERS))
    made = Engine(Settings(tmp_path))
    yield made
    made.stop()


def test_a_task_runs_after_its_transaction(engine: Engine) -> None:
    ran = threading.Event()
    module.HANDLERS["t.run"] = lambda *_: ran.set()
    engine.start()
    with engine.store.transaction():
        engine.tasks.submit("t.run", "k")
        assert not ran.wait(0.05)
    assert ran.wait(WAIT)


def test_submitted_while_running_it_runs_once_more_and_never_twice_at_once(engine: Engine) -> None:
    started, go, done = threading.Event(), threading.Event(), threading.Event()
    payloads: list[int] = []
    inside = threading.Semaphore(1)

    def handler(_: Engine, key: str, payload: dict[str, int]) -> None:
        assert inside.acquire(blocking=False), "two runs at once"
        payloads.append(payload["n"])
        started.set()
        assert go.wait(WAIT)
        inside.release()
        if payload["n"] == 3:
            done.set()

    module.HANDLERS["t.slow"] = handler
    engine.start()
    engine.tasks.submit("t.slow", "k", {"n": 1})
    assert started.wait(WAIT)
    engine.tasks.submit("t.slow", "k", {"n": 2})
    engine.tasks.submit("t.slow", "k", {"n": 3})
    go.set()
    assert done.wait(WAIT)
    assert payloads == [1, 3]


def test_again_runs_later_and_none_ends_it(engine: Engine) -> None:
    done = threading.Event()
    count = 0

    def handler(*_: object) -> Again | None:
        nonlocal count
        count += 1
        if count < 3:
            return Again(after=0.01)
        done.set()
        return None

    module.HANDLERS["t.again"] = handler
    engine.start()
    engine.tasks.submit("t.again", "k")
    assert done.wait(WAIT)
    assert count == 3


def test_what_had_not_finished_runs_again_in_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HANDLERS", dict(module.HANDLERS))
    ran = threading.Event()
    module.HANDLERS["t.crash"] = lambda *_: ran.set()
    first = Engine(Settings(tmp_path))
    first.tasks.submit("t.crash", "k", {"n": 1})  # never started: as if the process had been killed
    second = Engine(Settings(tmp_path))
    second.start()
    try:
        assert ran.wait(WAIT)
    finally:
        second.stop()
        first.store.close()


def test_a_handler_that_always_raises_is_set_aside_by_name(engine: Engine) -> None:
    third = threading.Event()
    calls: list[int] = []

    def handler(*_: object) -> None:
        calls.append(1)
        if len(calls) == module.ATTEMPTS:
            third.set()
        raise RuntimeError("broken")

    module.HANDLERS["t.broken"] = handler
    engine.start()
    engine.tasks.submit("t.broken", "k")
    assert third.wait(WAIT)
    deadline = threading.Event()
    while not engine.tasks.failed() and not deadline.wait(0.02):
        pass
    assert engine.tasks.failed()[0]["error"] == "RuntimeError('broken')"


def test_a_wall_clock_that_is_set_back_delays_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = threading.Event()
    runs: list[float] = []

    def handler(*_: object) -> Again | None:
        runs.append(1.0)
        if len(runs) == 1:
            now = engine.clock.now()
            monkeypatch.setattr(engine.clock, "now", lambda: now - 3600)
            return Again(after=0.05)
        ran.set()
        return None

    module.HANDLERS["t.back"] = handler
    engine.start()
    engine.tasks.submit("t.back", "k", after=0.05)
    assert ran.wait(WAIT)


def test_a_restart_after_the_clock_was_set_back_waits_no_longer_than_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = threading.Event()
    monkeypatch.setattr(module, "HANDLERS", dict(module.HANDLERS) | {"t.once": lambda *_: ran.set()})
    first = Engine(Settings(tmp_path))
    first.tasks.submit("t.once", "k", after=0.1)
    first.stop()
    second = Engine(Settings(tmp_path))
    now = second.clock.now()
    monkeypatch.setattr(second.clock, "now", lambda: now - 3600)
    second.start()
    assert ran.wait(WAIT)
    second.stop()


def test_what_ends_a_record_is_told_when_its_task_is_set_aside(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    done = threading.Event()

    def ending(_: Engine, key: str, payload: dict[str, object], reason: str) -> None:
        told.append((key, reason))
        done.set()

    def broken(*_: object) -> None:
        raise LookupError("nothing there")

    monkeypatch.setitem(module.GIVEN_UP, "t.broken", ending)
    module.HANDLERS["t.broken"] = broken
    engine.start()
    engine.tasks.submit("t.broken", "k")
    assert done.wait(WAIT)
    assert told == [("k", "The sandbox failed: LookupError('nothing there')")]
