"""Asking until it is done."""

from __future__ import annotations

import pytest

from cli.errors import CliError
from cli.waiting import Pace, Waiter


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def waiter(time: Time, pace: Pace) -> Waiter:
    return Waiter(pace, sleep=time.sleep, clock=lambda: time.now)


def test_pauses_grow_while_nothing_changes_and_shrink_when_something_does() -> None:
    time, answers = Time(), iter(["a", "a", "a", "b", "b", "done"])
    result = waiter(time, Pace(1, 3, growth=2)).until(
        lambda: next(answers), lambda state: state == "done", what="x"
    )
    assert result == "done"
    assert time.slept == [1, 2, 3, 1, 2]


def test_done_at_once_sleeps_never() -> None:
    time = Time()
    assert waiter(time, Pace(1, 3)).until(lambda: 1, lambda _: True, what="x") == 1
    assert time.slept == []


def test_gives_up_naming_what_it_waited_for() -> None:
    time = Time()
    with pytest.raises(CliError, match="creation of project bikes did not end within 10 s"):
        waiter(time, Pace(1, 3, timeout=10)).until(lambda: 0, bool, what="creation of project bikes")
    assert 10 < time.now < 14


def test_accounts_are_asked_less_often_than_this_machine() -> None:
    assert Pace.of(local=True).longest < Pace.of(local=False).shortest
