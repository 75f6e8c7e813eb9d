"""Waiting for what AWS does by asking: soon after something happened, seldom while nothing does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cli.errors import CliError

State = TypeVar("State")


@dataclass(frozen=True)
class Pace:
    """Seconds between questions: from `shortest` on, growing while nothing changes, up to `longest`."""

    shortest: float
    longest: float
    growth: float = 1.5
    timeout: float = 3600.0

    @classmethod
    def of(cls, *, local: bool, timeout: float = 3600.0) -> Pace:
        """On this machine a question costs milliseconds; an account throttles who asks too often."""
        return cls(0.1, 1.0, timeout=timeout) if local else cls(2.0, 15.0, timeout=timeout)


@dataclass
class Waiter:
    """Asks until an answer is the last one."""

    pace: Pace
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = field(default=time.monotonic)

    def within(self, seconds: float) -> Waiter:
        """The same, giving up sooner."""
        return replace(self, pace=replace(self.pace, timeout=seconds))

    def until(self, ask: Callable[[], State], done: Callable[[State], bool], *, what: str) -> State:
        """The first answer of `ask` that is `done`.

        Raises CliError once the pace's timeout has passed; `what` names what was waited for.
        """
        deadline = self.clock() + self.pace.timeout
        delay = self.pace.shortest
        previous: State | None = None
        while True:
            answer = ask()
            if done(answer):
                return answer
            if self.clock() > deadline:
                raise CliError(
                    f"{what} did not end within {self.pace.timeout:.0f} s",
                    next_step="it goes on; look again later",
                )
            delay = (
                self.pace.shortest if answer != previous else min(delay * self.pace.growth, self.pace.longest)
            )
            previous = answer
            self.sleep(delay)
