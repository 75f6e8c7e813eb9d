"""A few of the requests that `make fuzz` sends in thousands, always the same."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

from sandbox.gateway.validation import pattern_of
from tests.sandbox.fuzz import run
from tests.sandbox.fuzz.patterns import samples
from tests.sandbox.fuzz.sender import Sender
from tests.sandbox_process import SandboxProcess


def test_no_request_gets_a_500_a_malformed_answer_or_an_error_unknown_to_aws(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    # A sandbox of its own: what random requests make and delete is nobody else's.
    process = SandboxProcess(Path(tmp_path_factory.mktemp("fuzz")))
    try:
        # A fifth of the operations, of all services, in the time that a run of all tests has.
        names = sorted(run.ours())[::5]
        report = run.fuzz(Sender(process), names, seed=1, rounds=1)
    finally:
        process.stop()
    assert not report.missing
    assert report.sent > len(names) and len(report.succeeded) > 20
    assert not report.found, "\n".join(report.lines())


def test_most_patterns_of_the_models_are_met() -> None:
    met = asked = 0
    for service in ("sagemaker", "servicecatalog", "codecommit"):
        model = botocore.session.Session().get_service_model(service)
        for name in model.shape_names:
            metadata = model.shape_for(name).metadata
            if "pattern" in metadata:
                asked += 1
                found = samples(metadata["pattern"], metadata.get("min", 0), metadata.get("max", 1 << 20))
                met += bool(found)
                assert all(pattern_of(metadata["pattern"]).fullmatch(text) for text in found)
    assert met > 0.9 * asked
