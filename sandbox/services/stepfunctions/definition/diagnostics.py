"""Diagnostics of a definition, as ValidateStateMachineDefinition lists and CreateStateMachine words them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"
END = "MISSING_END_STATE"
DUPLICATE = "DUPLICATE_STATE_NAME"
JSON = "INVALID_JSON_DESCRIPTION"
JSONATA = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"


@dataclass(frozen=True)
class Diagnostic:
    """`location`: a path into the definition; some problems have none."""

    code: str
    message: str
    location: str | None = None
    severity: str = "ERROR"

    def text(self) -> str:
        return f"{self.code}: {self.message} at {'null' if self.location is None else self.location}"

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = {"severity": self.severity, "code": self.code, "message": self.message}
        return found | ({"location": self.location} if self.location is not None else {})


@dataclass
class Report:
    """Problems in the order in which they are found."""

    found: list[Diagnostic] = field(default_factory=list)

    def add(self, code: str, message: str, location: str | None = None) -> None:
        diagnostic = Diagnostic(code, message, location)
        if diagnostic not in self.found:
            self.found.append(diagnostic)

    def schema(self, message: str, location: str) -> None:
        self.add(SCHEMA, message, location)

    def warn(self, code: str, message: str, location: str | None = None) -> None:
        self.found.append(Diagnostic(code, message, location, "WARNING"))

    @property
    def errors(self) -> list[Diagnostic]:
        return [item for item in self.found if item.severity == "ERROR"]
