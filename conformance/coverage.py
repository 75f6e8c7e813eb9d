"""What was compared: operators and shapes, with how often each verdict fell on them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from conformance.cases import Case
from conformance.conditions import FORMS, OPERATORS, base_of
from conformance.exclusions import lines, statements
from conformance.vocabulary import ACTIONS

ENOUGH = 5_000
"""Pairs from which on a lack of breadth is a failure."""
EVERY_OPERATOR, EVERY_FORM, EVERY_SHAPE = 0.003, 0.0003, 0.001
"""Least share of the pairs with either verdict, for `StringLike`, for `ForAnyValue:StringLikeIfExists`, and
for a shape or an action."""

SHAPES = (
    "user",
    "role session",
    "service",
    "cross account",
    "several identity policies",
    "several statements",
    "Deny",
    "boundary",
    "session policy",
    "boundary and session policy",
    "resource policy",
    "NotAction",
    "NotResource",
    "Principal *",
    "Principal AWS",
    "Principal Service",
    "NotPrincipal",
    "policy variable",
    "variable with a default",
    "wildcard in Action",
    "wildcard in Resource",
    "missing key",
    "several values in the request",
    "several values in the policy",
    "Version 2008-10-17 or none",
)


def shapes(case: Case) -> Iterator[str]:
    """The shapes that a case has."""
    kind = "service" if not case.principal.startswith("arn:") else "user"
    yield "role session" if ":assumed-role/" in case.principal else kind
    body = [item for policy in case.policies() for item in statements(policy)]
    found = list(lines(case))
    text = str(body)
    present = {
        "cross account": case.account != case.owner,
        "several identity policies": len(case.identity) > 1,
        "several statements": len(body) > len(case.policies()),
        "Deny": any(item["Effect"] == "Deny" for item in body),
        "boundary": case.boundary is not None,
        "session policy": case.session is not None,
        "boundary and session policy": case.boundary is not None and case.session is not None,
        "resource policy": case.resource_policy is not None,
        "NotAction": any("NotAction" in item for item in body),
        "NotResource": any("NotResource" in item for item in body),
        "Principal *": any(item.get("Principal") in ("*", {"AWS": "*"}) for item in body),
        "Principal AWS": any("AWS" in item.get("Principal", ()) for item in body),
        "Principal Service": any("Service" in item.get("Principal", ()) for item in body),
        "NotPrincipal": any("NotPrincipal" in item for item in body),
        "policy variable": "${" in text,
        "variable with a default": re.search(r"\$\{[^}]*, '", text) is not None,
        "wildcard in Action": any(
            char in str(item.get(name, "")).replace("'*'", "")
            for item in body
            for name in ("Action", "NotAction")
            for char in "*?"
        ),
        "wildcard in Resource": any(char in str(item.get("Resource", "")) for item in body for char in "*?"),
        "missing key": any(line.have is None for line in found),
        "several values in the request": any(line.have is not None and len(line.have) > 1 for line in found),
        "several values in the policy": any(len(line.values) > 1 for line in found),
        "Version 2008-10-17 or none": any(item.get("Version") != "2012-10-17" for item in case.policies()),
    }
    yield from (name for name, holds in present.items() if holds)


class Coverage:
    """Counts (allowed, denied) of everything that a case contains."""

    def __init__(self) -> None:
        self.operators: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.forms: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.shapes: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.actions: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.verdicts = [0, 0]

    def add(self, case: Case, allowed: bool) -> None:
        at = 0 if allowed else 1
        self.verdicts[at] += 1
        self.actions[case.action][at] += 1
        forms = {line.operator for line in lines(case)}
        for form in forms:
            self.forms[form][at] += 1
        for operator in {base_of(form) for form in forms}:
            self.operators[operator][at] += 1
        for shape in shapes(case):
            self.shapes[shape][at] += 1

    def lacks(self) -> list[str]:
        """What did not occur often enough with both verdicts."""
        wanted: tuple[tuple[dict[str, list[int]], tuple[str, ...], float], ...] = (
            (self.operators, (*OPERATORS, "Null"), EVERY_OPERATOR),
            (self.forms, FORMS, EVERY_FORM),
            (self.shapes, SHAPES, EVERY_SHAPE),
            (self.actions, tuple(ACTIONS), EVERY_SHAPE),
        )
        pairs = sum(self.verdicts)
        return [
            f"{name}: {counts[name][0]} allowed, {counts[name][1]} denied, not {least * pairs:.0f} each"
            for counts, names, least in wanted
            for name in names
            if min(counts[name]) < least * pairs
        ]

    def table(self) -> str:
        rows = ["operator                    allowed  denied   fewest of a form (of its six; Null has one)"]
        for operator in (*OPERATORS, "Null"):
            fewest = min(min(self.forms[form]) for form in FORMS if base_of(form) == operator)
            allowed, denied = self.operators[operator]
            rows.append(f"{operator:<27}{allowed:>8}{denied:>8}   {fewest}")
        for title, names, counts in (
            ("shape", SHAPES, self.shapes),
            ("action", tuple(ACTIONS), self.actions),
        ):
            rows.append(f"\n{title:<27} allowed  denied")
            rows += [f"{name:<29}{counts[name][0]:>6}{counts[name][1]:>8}" for name in names]
        return "\n".join(rows)
