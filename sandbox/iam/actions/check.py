"""What a request has to be allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Locate = Callable[[str, str, str], "str | None"]
"""(service, kind, id) → ARN, for ids that do not tell their resource (of a pull request)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One IAM action; all its resources must be allowed. `context`: condition keys of this check alone."""

    action: str
    resources: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)


class Unmapped(Exception):
    """No IAM action, or no resource of it, is known for a request. It is denied, and named."""

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(f"{action}: {reason}")
        self.action = action
        self.reason = reason


@dataclass(frozen=True)
class Asked:
    """A request on its way to checks. `caller`: name of the calling user, for IAM's own-user defaults."""

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str
    account: str
    caller: str = ""
    locate: Locate | None = None

    def arn(self, service: str, resource: str, *, regional: bool = True, account: bool = True) -> str:
        region, owner = self.region if regional else "", self.account if account else ""
        return f"arn:aws:{service}:{region}:{owner}:{resource}"

    def located(self, service: str, kind: str, identifier: str) -> str:
        """The ARN behind an id. Unmapped where nobody knows it."""
        found = self.locate(service, kind, identifier) if self.locate else None
        if found is None:
            raise Unmapped(f"{service}:{self.operation}", f"no resource is known for {kind} {identifier!r}")
        return found

    def get(self, path: str) -> list[str]:
        """Strings at a path like `pipeline.name`, lists on the way flattened; case of names is ignored."""
        found: list[Any] = [self.params]
        for name in path.lower().split("."):
            found = [value for item in found for key, value in _members(item) if key.lower() == name]
            found = [
                piece for value in found for piece in (value if isinstance(value, list | tuple) else [value])
            ]
        return [
            str(value)
            for value in found
            if isinstance(value, str | int) and not isinstance(value, bool) and value != ""
        ]

    def first(self, *paths: str) -> str | None:
        for path in paths:
            found = self.get(path)
            if found:
                return found[0]
        return None


def _members(item: Any) -> list[tuple[str, Any]]:
    return list(item.items()) if isinstance(item, Mapping) else []
