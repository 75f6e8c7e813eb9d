"""Processes: clean environment, limits, timeouts, whole groups ended."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import uuid
from pathlib import Path

import pytest

from sandbox.engine.confinement import Confinement
from sandbox.engine.processes import Command, Process, Processes
from sandbox.engine.store import Record, Store


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(Store(tmp_path / "records.sqlite"))


def run(processes: Processes, code: str, folder: Path, **options: object) -> tuple[object, list[str]]:
    lines: list[str] = []
    command = Command([sys.executable, "-c", code], folder, on_line=lines.append, **options)  # type: ignore[arg-type]
    return processes.run(command, "k"), lines


def test_nothing_of_the_users_environment_gets_in(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's own")
    _, lines = run(processes, "import os; print(sorted(os.environ))", tmp_path, env={"MINE": "1"})
    assert "MINE" in lines[0] and "AWS_SECRET_ACCESS_KEY" not in lines[0] and "'HOME'" not in lines[0]


def test_the_exit_code_and_every_line_arrive(processes: Processes, tmp_path: Path) -> None:
    exit, lines = run(processes, "import sys; print('a'); print('b', file=sys.stderr); sys.exit(3)", tmp_path)
    assert exit.code == 3 and sorted(lines) == ["a", "b"]  # type: ignore[attr-defined]


def test_a_timeout_ends_children_too(processes: Processes, tmp_path: Path) -> None:
    mark = f"600.{uuid.uuid4().int % 10**9}"  # told by what is seen from outside: pids inside are others
    code = f"import subprocess, time; subprocess.Popen(['sleep', '{mark}']); time.sleep(600)"
    exit, _ = run(processes, code, tmp_path, timeout=1.5)
    assert exit.timed_out and exit.code < 0  # type: ignore[attr-defined]
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(mark.encode() in command for command in commands)


def test_what_a_killed_sandbox_left_is_ended(processes: Processes, tmp_path: Path) -> None:
    process = processes.start(Command(["sleep", "600"], tmp_path), "left")
    other = Processes(Store(tmp_path / "records.sqlite"))
    assert other.kill_leftovers() == 1
    assert process.wait().code < 0


def test_a_stranger_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "records.sqlite")
    store.put("engine/process", "old", {"pid": os.getpid(), "started": "0"})
    assert Processes(store).kill_leftovers() == 0


@pytest.fixture(params=["confined", "unconfined"])
def confinement(request: pytest.FixtureRequest, tmp_path: Path) -> Confinement | None:
    state = tmp_path / "state"
    state.mkdir()
    return Confinement(state) if request.param == "confined" else None


def test_nothing_runs_before_it_is_known_whose_it_is(tmp_path: Path, confinement: Confinement | None) -> None:
    """Where the sandbox is killed before that, there is nothing that the next one would not find."""
    ran, ended = tmp_path / "ran", []
    process = Process(Command(["touch", str(ran)], tmp_path), lambda: ended.append(1), confinement)
    process.abandon()
    assert process.wait().code != 0 and ended
    assert not ran.exists()
    process = Process(Command(["touch", str(ran)], tmp_path), lambda: None, confinement)
    process.release()
    assert process.wait().code == 0 and ran.exists()


def test_a_process_that_cannot_be_recorded_does_not_run(
    tmp_path: Path, confinement: Confinement | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, ran = Store(tmp_path / "records.sqlite"), tmp_path / "ran"
    processes = Processes(store, confinement)

    def full(collection: str, key: str, record: Record) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store, "put", full)
    with pytest.raises(OSError, match="disk full"):
        processes.start(Command(["touch", str(ran)], tmp_path), "k")
    assert processes.get("k") is None and not ran.exists()
    monkeypatch.undo()
    assert processes.run(Command(["touch", str(ran)], tmp_path), "k").code == 0


def test_leftovers_have_ended_when_they_are_said_to(tmp_path: Path, confinement: Confinement | None) -> None:
    """What is started next must not meet them: with everything they started, also outside of the group."""
    mark = f"600.{uuid.uuid4().int % 10**9}"
    command = Command(["sh", "-c", f"sleep {mark} & sleep {mark}; true"], tmp_path)
    processes = Processes(Store(tmp_path / "records.sqlite"), confinement)
    left = [processes.start(command, f"left{number}") for number in range(8)]

    def alive() -> int:
        commands = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                commands.append(path.read_bytes())
        return sum(command.startswith(b"sleep\0" + mark.encode()) for command in commands)

    while alive() < 16:
        time.sleep(0.01)
    assert Processes(Store(tmp_path / "records.sqlite"), confinement).kill_leftovers() == 8
    assert alive() == 0
    assert all(process.wait().code < 0 for process in left)
