"""The one clock of the sandbox.

`now()` is wall time: timestamps and signatures must agree with the clients' clocks. `scaled()` is for waits
that AWS imposes and no work fills (a canary's bake, a cooldown, an approval's seven days, a schedule's
interval): they pass `rate` times faster, so that a five-minute bake need not take five minutes on a laptop.
"""

from __future__ import annotations

import time


class Clock:
    """`rate`: how many of AWS's seconds pass in one second of real time (1 = real time)."""

    def __init__(self, rate: float = 60.0) -> None:
        if rate <= 0:
            raise ValueError(f"clock rate {rate}: give a number above 0, where 1 is real time")
        self.rate = rate

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def scaled(self, seconds: float) -> float:
        """Real seconds that a wait of `seconds` on AWS takes here."""
        return seconds / self.rate
