"""The whole loop: from the seed's commit to production, a second version, back to the first, and away.

The tests follow one another in the life of one project.
"""

from __future__ import annotations

import math

import pytest

from tests.loop.project import Project

pytestmark = [pytest.mark.loop, pytest.mark.timeout(300)]


def test_version_1_of_the_seed_predicts_in_production(project: Project) -> None:
    assert project.versions() == {1: "Approved"}
    assert project.serves("staging", 1)
    assert project.serves("prod", 1)
    rows, truth = project.held_out()
    predictions = [
        prediction
        for start in range(0, len(rows), 500)
        for prediction in project.predict(rows[start : start + 500])
    ]
    rmse = math.sqrt(math.fsum((p - t) ** 2 for p, t in zip(predictions, truth, strict=True)) / len(truth))
    spread = math.fsum(truth) / len(truth)
    guess = math.sqrt(math.fsum((spread - t) ** 2 for t in truth) / len(truth))
    assert rmse < 45 < guess
