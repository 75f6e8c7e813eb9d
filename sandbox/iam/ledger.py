"""What was decided: the last decisions, and counts per role and action for the permissions report."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from sandbox.iam.gate import Decided
from sandbox.iam.policy import UNKNOWN_KEY, UNMAPPED


@dataclass(frozen=True)
class Use:
    """One principal's use of one action."""

    principal: str
    action: str
    allowed: int
    denied: int


@dataclass
class Ledger:
    """Callable as the gate's `record`. `recent` keeps the newest decisions, the counters all."""

    keep: int = 2000
    recent: deque[Decided] = field(init=False)

    def __post_init__(self) -> None:
        self.recent = deque(maxlen=self.keep)
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, bool]] = Counter()
        self._unmapped: Counter[tuple[str, str, str]] = Counter()

    def __call__(self, decided: Decided) -> None:
        decision = decided.decision
        with self._lock:
            self.recent.append(decided)
            self._counts[decided.principal, decision.action, decision.allowed] += 1
            if decision.reason in (UNMAPPED, UNKNOWN_KEY):
                what = ", ".join(decision.unknown) or decision.by
                self._unmapped[decided.principal, decision.action, what] += 1

    def uses(self, principal: str | None = None) -> list[Use]:
        """Counts by principal (role ARN for its sessions) and action, sorted."""
        with self._lock:
            counts = dict(self._counts)
        names = sorted({(who, action) for who, action, _ in counts if principal in (None, who)})
        return [
            Use(who, action, counts.get((who, action, True), 0), counts.get((who, action, False), 0))
            for who, action in names
        ]

    def unmapped(self) -> list[tuple[str, str, str, int]]:
        """(principal, action, what is not known, times): must be empty after a loop."""
        with self._lock:
            return sorted((*key, count) for key, count in self._unmapped.items())

    def clear(self) -> None:
        with self._lock:
            self.recent.clear()
            self._counts.clear()
            self._unmapped.clear()
