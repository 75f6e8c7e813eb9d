"""Processes: clean environment, limits, timeouts, whole groups ended."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

import pytest

from sandbox.engine.processes import Command, Processes
from sandbox.engine.store import Store


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
