"""What a confined process cannot see, reach or leave behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from sandbox.engine.confinement import Confinement, supported
from sandbox.engine.processes import Command, Exit, Processes
from sandbox.engine.store import Store

pytestmark = pytest.mark.skipif(not supported(), reason="this kernel gives no ordinary user namespaces")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    for name in ("aws", "builds/mine/src", "builds/other", "layers/one"):
        (folder / name).mkdir(parents=True)
    (folder / "aws" / "credentials").write_text("the keys")
    (folder / "builds" / "mine" / "input").write_text("mine")
    (folder / "layers" / "one" / "lib.py").write_text("")
    return folder


def run(state: Path, code: str, **options: object) -> tuple[Exit, list[str]]:
    lines: list[str] = []
    folder = state / "builds" / "mine"
    command = Command(["/bin/sh", "-c", code], folder / "src", on_line=lines.append, **options)  # type: ignore[arg-type]
    processes = Processes(Store(state / "records.sqlite"), Confinement(state))
    return processes.run(command, "k"), lines


def test_only_the_folders_given_are_seen(state: Path) -> None:
    seen = [state / "builds" / "mine", state / "layers" / "one", state / "missing", Path("/usr")]
    exit, lines = run(state, f"cat ../input; echo; find {state} -type f; echo made > ../output", seen=seen)
    assert exit.code == 0
    assert lines[0] == "mine"
    assert sorted(lines[1:]) == [f"{state}/builds/mine/input", f"{state}/layers/one/lib.py"]
    assert (state / "builds" / "mine" / "output").read_text() == "made\n"


@pytest.mark.parametrize(
    "attempt",
    [
        "umount {state}",
        "umount -l {state}",
        "unshare -Urm umount -l {state}",
        "unshare -Ur cat {state}/aws/credentials",
        "mount -t tmpfs none {state}/builds",
        "touch {state}/aws",
        "cat {state}/builds/../aws/credentials",
        "cat /proc/{server}/environ",
        "cat /proc/{server}/root{state}/aws/credentials",
        "nsenter -t {server} -m cat {state}/aws/credentials",
        "kill -0 {server}",
    ],
)
def test_the_way_out_is_closed(state: Path, attempt: str) -> None:
    attempt = attempt.format(state=state, server=os.getpid())
    exit, lines = run(state, f"{attempt} && echo done; test ! -e {state}/aws")
    assert exit.code == 0 and "done" not in lines, lines
    assert (state / "aws" / "credentials").read_text() == "the keys"


def test_what_is_left_in_the_background_ends_with_the_command(state: Path) -> None:
    fifo = state / "builds" / "mine" / "src" / "alive"
    os.mkfifo(fifo)
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    daemon = "import os, sys, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
    daemon += (
        "file = open('alive', 'w'); file.write('x'); file.flush(); open('up', 'w').close(); time.sleep(600)"
    )
    exit, _ = run(state, f'{sys.executable} -c "{daemon}"; while ! test -e up; do sleep 0.02; done')
    assert exit.code == 0
    os.set_blocking(end, True)
    assert os.read(end, 10) == b"x"
    assert os.read(end, 10) == b""  # returns once the last writer is gone
    os.close(end)


def test_a_timeout_ends_all_of_it(state: Path) -> None:
    exit, _ = run(state, "setsid sleep 600 & exec sleep 600", timeout=0.3)
    assert exit.timed_out and exit.code == -signal.SIGKILL


@pytest.mark.parametrize(
    ("code", "expected"),
    [("exit 7", 7), ("kill -SEGV $$", -signal.SIGSEGV), ("kill -KILL $$", -signal.SIGKILL)],
)
def test_it_ends_as_the_command_does(state: Path, code: str, expected: int) -> None:
    assert run(state, code)[0].code == expected


def test_a_program_that_is_not_there(state: Path) -> None:
    exit, lines = run(state, "exec no-such-program")
    assert exit.code == 127 and "no-such-program" in lines[0]


def test_it_can_end_in_order(state: Path) -> None:
    up = threading.Event()
    lines: list[str] = []

    def line(text: str) -> None:
        lines.append(text)
        up.set()

    code = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    processes = Processes(Store(state / "records.sqlite"), Confinement(state))
    process = processes.start(Command(["/bin/sh", "-c", code], state / "builds", on_line=line), "k")
    assert up.wait(60)
    process.stop()
    exit = process.wait()
    # The shell may say in between that its `sleep` was ended: the signal is for the whole group.
    assert (exit.code, exit.stopped, lines[0], lines[-1]) == (3, True, "up", "bye")


def test_input_and_limits_reach_it(state: Path) -> None:
    exit, lines = run(state, "cat; ulimit -n; ulimit -c", input=b"given\n", open_files=99)
    assert exit.code == 0 and lines == ["given", "99", "0"]


def test_a_kernel_that_forbids_it_runs_the_command_as_it_is(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.engine.confinement.supported", lambda: False)
    exit, lines = run(state, "cat ../../../aws/credentials")
    assert exit.code == 0 and lines == ["the keys"]
