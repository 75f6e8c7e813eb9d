"""One round after another over all operations; each request is decided by (seed, operation, number)."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import botocore.session

from tests.sandbox.fuzz import world
from tests.sandbox.fuzz.requests import Memory, Requests
from tests.sandbox.fuzz.sender import Sender

Name = tuple[str, str]


@dataclass
class Report:
    """`found`: what is wrong, with the request that shows it; `codes`: how often each outcome came;
    `missing`: what could not be made beforehand."""

    sent: int = 0
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    succeeded: set[Name] = field(default_factory=set)
    found: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def lines(self) -> Iterable[str]:
        for fault, request in self.found.items():
            yield f"{fault}\n    {request[:1500]}"


def fuzz(
    sender: Sender,
    operations: Iterable[Name],
    *,
    seed: int,
    rounds: int,
    going_on: Callable[[], bool] = lambda: True,
) -> Report:
    """`rounds` valid requests and as many broken ones to each operation, in an order of their own a round."""
    report, memory = Report(), Memory()
    report.missing = world.make(sender, memory)
    names = sorted(operations)
    for number in range(rounds):
        order = names[:]
        random.Random(f"{seed}/{number}").shuffle(order)
        for service, operation in order:
            if not going_on():
                return report
            chance = random.Random(f"{seed}/{number}/{service}/{operation}")
            _one(sender, service, operation, chance, memory, report)
    return report


def _one(
    sender: Sender, service: str, operation: str, chance: random.Random, memory: Memory, report: Report
) -> None:
    shape = sender.model(service, operation).input_shape
    requests = Requests(chance, memory)
    valid = requests.valid(shape)
    tried = [("valid", valid)] + ([("broken", requests.broken(valid, shape))] if shape else [])
    for kind, request in tried:
        sent = sender.send(service, operation, request)
        if sent is None:
            continue
        report.sent += 1
        report.codes[f"{service}:{operation}", sent.code or "ok"] += 1
        if sent.answer is not None:
            report.succeeded.add((service, operation))
            memory.learn(request, chance)
            memory.learn({k: v for k, v in sent.answer.items() if k != "ResponseMetadata"}, chance)
        for fault in sent.faults:
            key = f"{service} {operation} {kind} {sent.status}: {fault}"[:400]
            if not any(known[:90] == key[:90] for known in report.found):
                report.found[key] = json.dumps(request, default=str)


def ours() -> set[Name]:
    """Every operation that is implemented here, those of moto's services left out."""
    from sandbox.engine.operations import OPERATIONS
    from sandbox.gateway import services

    services.load()
    return _reachable(OPERATIONS)


def of_moto() -> set[Name]:
    """Every operation of the services whose records moto keeps."""
    from sandbox.gateway.services import SERVICES, Backing

    return _reachable(
        (service, operation)
        for service, backing in SERVICES.items()
        if backing is Backing.MOTO
        for operation in _SESSION.get_service_model(service).operation_names
    )


def _reachable(names: Iterable[Name]) -> set[Name]:
    """Without those whose clients put something before the host's name, which would have to resolve."""
    return {
        (service, operation)
        for service, operation in names
        if not (_SESSION.get_service_model(service).operation_model(operation).endpoint or {}).get(
            "hostPrefix"
        )
    }


_SESSION = botocore.session.Session()


def one_of(names: set[Name], text: str) -> set[Name]:
    """Those whose `service:Operation` holds the text."""
    return {name for name in names if text in ":".join(name)}


def unanswered(names: set[Name], report: Report) -> list[Any]:
    """Operations that no request reached with success."""
    return sorted(names - report.succeeded)
