"""What of AWS runs here, what is a record, what is refused: written into docs/sandbox.md from the code.

`python -m sandbox.coverage` (or `make docs`) writes it, between the two markers of that page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sandbox.md"
BEGIN, END = "<!-- coverage: begin, written by `make docs` -->", "<!-- coverage: end -->"
COMMAND = "make docs"
_VERB = re.compile(r"[A-Z]+[a-z]+|[A-Z]+(?![a-z])")
FEW = 8
"""So many refused operations are named; of more, only how many they are."""


@dataclass(frozen=True)
class Covered:
    """The operations of a service, each in one of three."""

    runs: tuple[str, ...]
    kept: tuple[str, ...]
    refused: tuple[str, ...]


def covered(service: str) -> Covered:
    """How the operations of a botocore service are answered. Every room must be loaded."""
    from moto.core.utils import get_service_model

    from sandbox.engine.operations import OPERATIONS, RECORD_ONLY
    from sandbox.gateway import moto_operations, services

    moto = (
        moto_operations.implemented(service)
        if services.SERVICES[service] is services.Backing.MOTO
        else frozenset()
    )
    runs: list[str] = []
    kept: list[str] = []
    refused: list[str] = []
    for name in get_service_model(service).operation_names:
        if (service, name) in OPERATIONS:
            (kept if (service, name) in RECORD_ONLY else runs).append(name)
        elif name in moto and not _promise(service, name):
            (kept if moto_operations.noted(service, name) else runs).append(name)
        else:
            refused.append(name)
    return Covered(tuple(runs), tuple(kept), tuple(refused))


def _promise(service: str, name: str) -> bool:
    from sandbox.gateway import services

    return name in services.UNKEPT.get(service, ()) or services.promises(service, name, {})


def _grouped(names: Iterable[str]) -> str:
    """Operations by their first word: `**Create** Endpoint, Model`."""
    found: dict[str, list[str]] = {}
    for name in names:
        verb = _VERB.match(name)
        length = verb.end() if verb else len(name)
        found.setdefault(name[:length], []).append(name[length:])
    shown = []
    for word, rests in found.items():
        named = ", ".join(rest for rest in rests if rest)
        shown.append(f"**{word}** {named}".rstrip())
    return "; ".join(shown)


def services_table() -> Iterator[str]:
    from sandbox.gateway import services

    services.load()
    yield "| service | runs | record only | refused |"
    yield "|---|---|---|---|"
    for service in sorted(services.SERVICES):
        found = covered(service)
        if not found.runs and not found.kept:
            continue
        refused = _grouped(found.refused) if len(found.refused) <= FEW else f"{len(found.refused)} others"
        cells = (_grouped(found.runs) or "-", _grouped(found.kept) or "-", refused or "-")
        yield f"| {service} | " + " | ".join(cells) + " |"


def types_table() -> Iterator[str]:
    from sandbox.services.cloudformation.resources import supported

    yield "| type | | properties refused |"
    yield "|---|---|---|"
    for name, handler in supported().items():
        refused = ", ".join(sorted(handler.refused)) or "-"
        yield f"| {name} | {'record only' if handler.record_only else 'runs'} | {refused} |"


def section() -> str:
    """What stands between the markers."""
    lines = [
        "### Resource types of CloudFormation",
        "",
        "A type or property that is not here is refused by name before anything is made.",
        "",
        *types_table(),
        "",
        "### Operations",
        "",
        "*Runs*: what it says happens here. *Record only*: it is kept, listed and decided by IAM, and nothing"
        " acts on it. *Refused*: `UnsupportedOperation`, with its name; so is every service not listed here.",
        "",
        *services_table(),
    ]
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """The page with its section as the code has it now."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks the markers {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{section()}\n{END}{after}"


def main() -> int:
    PAGE.write_text(written(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
