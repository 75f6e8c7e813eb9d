"""Jobs and pipelines when the sandbox ends in the middle of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.definitions import output_of, pipeline, processing, training
from tests.sandbox_process import SandboxProcess


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path / "state")
    yield process
    process.stop()


def definition(room: Room, seen: Path, gate: Path) -> str:
    """Two steps; the first notes each start in `seen` and waits for `gate` to exist."""
    wait = f"echo start >> {seen}; test ! -e /opt/ml/processing/out/left || exit 5; touch /opt/ml/processing/out/left"
    wait += f"; while ! test -e {gate}; do sleep 0.1; done; rm /opt/ml/processing/out/left"
    return pipeline(
        processing("First", room.role, f"{wait}; echo done > /opt/ml/processing/out/done", room.bucket),
        training(
            "Second",
            room.role,
            "cp /opt/ml/input/data/all/done /opt/ml/model/",
            room.bucket,
            channels=[("all", output_of("First"))],
        ),
    )


def processes(seen: Path) -> set[str]:
    """Of the job that writes to `seen`. A process number that it told would be one of its own namespace."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(seen) in (path / "cmdline").read_bytes():  # empty once it has ended
                found.add(path.name)
        except OSError:
            continue  # ended in between
    return found


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_running_job_is_run_again_and_its_pipeline_goes_on(
    own: SandboxProcess, tmp_path: Path, end: str
) -> None:
    seen, gate = tmp_path / "seen", tmp_path / "gate"
    room = Room(own)
    room.create_pipeline("restart", definition(room, seen, gate))
    execution = room.start("restart")
    room.until(lambda: seen.exists() and seen.read_text().count("start"), bool)
    before = room.steps(execution)["First"]["Metadata"]
    first = processes(seen)
    assert first
    if end == "stop":
        own.restart()
    else:
        own.kill()
        own.start_again()
    room.until(lambda: seen.read_text().count("start"), lambda count: count == 2)
    assert not first & processes(seen), "the first run's process was left behind"
    gate.touch()
    assert room.ended(execution)["PipelineExecutionStatus"] == "Succeeded"
    steps = room.steps(execution)
    assert steps["First"]["Metadata"] == before, "the job was created once"
    jobs = room.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    assert len(jobs) == 1 and os.path.exists(gate)
    assert room.text(f"s3://{room.bucket}/First/done") == "done\n"
