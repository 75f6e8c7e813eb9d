"""What was decided: the last decisions, and counts per role and action for the permissions report."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.iam.gate import Decided
from sandbox.iam.policy import UNKNOWN_KEY, UNMAPPED

Key = tuple[str, str, str]
"""(principal, action or call, outcome)."""

ALLOWED, DENIED, CALLED, HANDLED = "allowed", "denied", "called", "handled"
UNMAPPED_PREFIX = "unmapped: "
"""An outcome that starts with it goes on with what the sandbox could not tell."""


@dataclass(frozen=True)
class Use:
    """One principal's use of one action."""

    principal: str
    action: str
    allowed: int
    denied: int


@dataclass
class Ledger:
    """Callable as the gate's `record`. `recent` keeps the newest decisions, the counters all.

    `on_change` is called, under the lock, by the first change after `drain`: it must only set a flag.
    """

    keep: int = 2000
    recent: deque[Decided] = field(init=False)
    on_change: Callable[[], object] = field(default=lambda: None)

    def __post_init__(self) -> None:
        self.recent = deque(maxlen=self.keep)
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._changed: set[Key] = set()

    def __call__(self, decided: Decided) -> None:
        decision = decided.decision
        with self._lock:
            self.recent.append(decided)
            self._count((decided.principal, decision.action, ALLOWED if decision.allowed else DENIED))
            if decision.reason in (UNMAPPED, UNKNOWN_KEY):
                what = ", ".join(decision.unknown) or decision.by
                self._count((decided.principal, decision.action, UNMAPPED_PREFIX + what))

    def called(self, principal: str, service: str, operation: str) -> None:
        """Counts a request, however many decisions it needs."""
        with self._lock:
            self._count((principal, f"{service}:{operation}", CALLED))

    def handled(self, principal: str, resource_type: str) -> None:
        """Counts a resource that CloudFormation handled as a principal."""
        with self._lock:
            self._count((principal, resource_type, HANDLED))

    def _count(self, key: Key) -> None:
        self._counts[key] += 1
        if not self._changed:
            self.on_change()
        self._changed.add(key)

    def drain(self) -> dict[Key, int]:
        """The totals that changed since the last time."""
        with self._lock:
            changed, self._changed = self._changed, set()
            return {key: self._counts[key] for key in changed}

    def restore(self, totals: dict[Key, int]) -> None:
        """Goes on counting from what was kept."""
        with self._lock:
            self._counts.update(totals)

    def uses(self, principal: str | None = None) -> list[Use]:
        """Counts by principal (role ARN for its sessions) and action, sorted."""
        with self._lock:
            counts = dict(self._counts)
        names = sorted(
            {
                (who, action)
                for who, action, outcome in counts
                if outcome in (ALLOWED, DENIED) and principal in (None, who)
            }
        )
        return [
            Use(who, action, counts.get((who, action, ALLOWED), 0), counts.get((who, action, DENIED), 0))
            for who, action in names
        ]

    def unmapped(self) -> list[tuple[str, str, str, int]]:
        """(principal, action, what is not known, times): must be empty after a loop."""
        with self._lock:
            return sorted(
                (who, action, outcome.removeprefix(UNMAPPED_PREFIX), count)
                for (who, action, outcome), count in self._counts.items()
                if outcome.startswith(UNMAPPED_PREFIX)
            )

    def clear(self) -> None:
        with self._lock:
            self.recent.clear()
            self._counts.clear()
            self._changed.clear()
