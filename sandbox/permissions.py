"""The permissions report: what each role called, was refused, and was granted and never used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from sandbox.iam import documented
from sandbox.iam.granted import granted
from sandbox.iam.ledger import ALLOWED, CALLED, DENIED, HANDLED, UNMAPPED_PREFIX
from sandbox.state import decisions, location


@dataclass(frozen=True)
class PrincipalReport:
    """One principal's share. Counts of calls by `service:Operation`, of refusals and unmapped by action.

    `granted` is None for who is no role: a user's or the root's grants are not measured by one loop.
    `documented`: what AWS documents that the role's service needs, and what the registry's schemas list for
    the types of resources that CloudFormation handled as this principal: AWS may call it where the sandbox
    does not.
    """

    arn: str
    calls: dict[str, int]
    used: frozenset[str]
    refused: dict[str, int]
    unmapped: dict[str, int]
    granted: frozenset[str] | None
    documented: frozenset[str]

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2] if "/" in self.arn else self.arn.rpartition(":")[2]

    @property
    def unused(self) -> frozenset[str]:
        """Granted, not used, and nothing that AWS documents as needed either."""
        used = {action.lower() for action in self.used | self.documented}
        return frozenset(action for action in self.granted or () if action.lower() not in used)

    @property
    def reserved(self) -> frozenset[str]:
        """Granted and not used here, but documented as needed."""
        used = {action.lower() for action in self.used}
        documented = {action.lower() for action in self.documented}
        return frozenset(name for name in self.granted or () if name.lower() in documented - used)


@dataclass(frozen=True)
class Report:
    """Principals in order of their ARNs."""

    principals: tuple[PrincipalReport, ...]

    @property
    def unmapped(self) -> int:
        return sum(sum(item.unmapped.values()) for item in self.principals)

    @property
    def granted(self) -> int:
        return sum(len(item.granted or ()) for item in self.principals)

    @property
    def unused(self) -> int:
        return sum(len(item.unused) for item in self.principals)

    @property
    def unused_share(self) -> float:
        """Granted and never used, of granted: 0 to 1."""
        return self.unused / self.granted if self.granted else 0.0


def report(state: Path | None = None, *, names: Iterable[str] = ("*",), users: bool = True) -> Report:
    """Reads what a sandbox counted since its state began, also while it runs.

    `names`: patterns (`sagemaker-p-*`) of the principals' last name; `users`: also those that are no role.
    """
    kept = decisions.read(state or location.default_state())
    patterns = tuple(names)
    by_principal: dict[str, dict[str, dict[str, int]]] = {}
    for (who, action, outcome), times in kept.totals.items():
        by_principal.setdefault(who, {}).setdefault(outcome, {})[action] = times
    found = []
    for who, outcomes in sorted(by_principal.items()):
        unmapped = {
            f"{action}: {outcome.removeprefix(UNMAPPED_PREFIX)}": times
            for outcome, actions in outcomes.items()
            if outcome.startswith(UNMAPPED_PREFIX)
            for action, times in actions.items()
        }
        policies = kept.policies.get(who)
        item = PrincipalReport(
            arn=who,
            calls=outcomes.get(CALLED, {}),
            used=frozenset(outcomes.get(ALLOWED, ())),
            refused=outcomes.get(DENIED, {}),
            unmapped=unmapped,
            granted=None if policies is None else granted(policies),
            documented=_documented(policies or [], outcomes.get(HANDLED, ())),
        )
        if any(fnmatchcase(item.name, pattern) for pattern in patterns) and (users or policies is not None):
            found.append(item)
    return Report(tuple(found))


def _documented(policies: Iterable[Mapping[str, str]], types: Iterable[str]) -> frozenset[str]:
    from sandbox.services.cloudformation.schema.registry import schema

    names = list(types)
    found = set(documented.of_types(names))
    for policy in policies:
        if policy["kind"] == "trust":
            found |= documented.of_trust(policy["document"])
    for name in names:
        known = schema(name)
        for kind, handler in (known.data.get("handlers", {}) if known else {}).items():
            if kind != "list":
                found.update(handler.get("permissions", ()))
    return frozenset(found)
