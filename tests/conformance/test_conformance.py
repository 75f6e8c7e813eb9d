"""What `make conformance` compares: seeded, broad, and made small without losing what it shows."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from conformance.cases import decide
from conformance.conditions import FORMS
from conformance.coverage import Coverage
from conformance.exclusions import EXCLUSIONS, excluded
from conformance.generate import cases
from conformance.shrink import shrink
from sandbox.iam.policy import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY

PAIRS = 1500


def test_a_seed_says_which_pairs():
    assert list(islice(cases(3), 50)) == list(islice(cases(3), 50)) != list(islice(cases(4), 50))


def test_every_operator_form_occurs_and_both_verdicts_often():
    coverage, left_out = Coverage(), set()
    for case in islice(cases(1), PAIRS):
        shape = excluded(case)
        if shape is not None:
            left_out.add(shape)
            continue
        decision = decide(case)
        assert decision.reason in (ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY), decision
        coverage.add(case, decision.allowed)
    assert set(coverage.forms) == set(FORMS)
    assert min(coverage.verdicts) > PAIRS / 5
    assert left_out == set(EXCLUSIONS)
    assert sum(coverage.verdicts) > 0.7 * PAIRS


def test_a_case_is_made_small_while_it_shows_the_same():
    case = next(
        case for case in cases(1) if decide(case).reason == EXPLICIT_DENY and len(case.policies()) > 2
    )
    small = shrink(case, lambda candidate: decide(candidate).reason == EXPLICIT_DENY)
    assert decide(small).reason == EXPLICIT_DENY
    assert len(small.policies()) == 1
    assert len(str(small)) < len(str(case))
    assert (
        decide(replace(small, identity=(), boundary=None, session=None, resource_policy=None)).reason
        != EXPLICIT_DENY
    )
