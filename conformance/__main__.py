"""`python -m conformance [--seed N] [--pairs N]`: exits with 1 on a disagreement, or where breadth lacks."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice

from conformance.cases import Case, decide, simulation
from conformance.coverage import ENOUGH, Coverage
from conformance.exclusions import EXCLUSIONS, excluded
from conformance.generate import cases
from conformance.oracle import Broken, Oracle
from conformance.shrink import shrink
from sandbox.iam.policy import EXPLICIT_DENY

SHOWN = 10
"""Disagreements that are made small and printed; the others are counted."""
BATCH = 1000


def ours(case: Case) -> str:
    """Our verdict in the other program's words."""
    decision = decide(case)
    if decision.allowed:
        return "Allowed"
    return "ExplicitlyDenied" if decision.reason == EXPLICIT_DENY else "ImplicitlyDenied"


def main() -> int:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=10_000, help="policy × request pairs that are compared")
    arguments = parser.parse_args()
    started = time.monotonic()
    left_out: Counter[str] = Counter()
    coverage = Coverage()
    disagreements: list[Case] = []
    wanted = islice(_asked(arguments.seed, left_out), arguments.pairs)
    try:
        with Oracle() as oracle:
            while batch := list(islice(wanted, BATCH)):
                for case, theirs in zip(batch, oracle.ask([simulation(case) for case in batch]), strict=True):
                    coverage.add(case, theirs == "Allowed")
                    if ours(case) != theirs:
                        disagreements.append(case)
            for case in disagreements[:SHOWN]:
                _show(oracle, case)
    except Broken as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    print(coverage.table())
    print("\nleft out, where the other program departs from AWS's documentation (IAM User Guide)")
    for name, (page, _) in EXCLUSIONS.items():
        print(f"{left_out[name]:>6}  {name}: {page}")
    lacks = coverage.lacks() if arguments.pairs >= ENOUGH else []
    for lack in lacks:
        print(f"conformance: too seldom: {lack}", file=sys.stderr)
    allowed, denied = coverage.verdicts
    print(
        f"\n{arguments.pairs} pairs of seed {arguments.seed}: {allowed} allowed, {denied} denied, "
        f"{len(disagreements)} disagreements, {time.monotonic() - started:.0f} s"
    )
    return 1 if disagreements or lacks else 0


def _asked(seed: int, left_out: Counter[str]) -> Iterator[Case]:
    for case in cases(seed):
        shape = excluded(case)
        if shape is None:
            yield case
        else:
            left_out[shape] += 1


def _show(oracle: Oracle, case: Case) -> None:
    """A disagreement made small, with both verdicts."""

    def differs(candidate: Case) -> bool:
        return excluded(candidate) is None and ours(candidate) != oracle.ask([simulation(candidate)])[0]

    small = shrink(case, differs)
    body = {name: value for name, value in asdict(small).items() if value not in (None, {}, ())}
    print(json.dumps(body, indent=1))
    print(f"theirs: {oracle.ask([simulation(small)])[0]}, ours: {ours(small)} ({decide(small).by})\n")


if __name__ == "__main__":
    sys.exit(main())
