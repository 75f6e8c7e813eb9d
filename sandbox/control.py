"""Start, stop, look at and reset a sandbox process. Light: imports nothing of the sandbox's own weight."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from sandbox.state import client_files, location
from sandbox.state.location import Running

PRINCIPALS = ("admin", "team", "engineer", "approver")
STOP_TIMEOUT = 20.0


class ControlError(Exception):
    """One line: cause, resource, next step."""


def start(
    state: Path | None = None, *, port: int | None = None, region: str = "us-east-1", clock_rate: float = 60.0
) -> Running:
    """Starts a sandbox on `state` and returns once it answers; the running one where there is one already.

    `port`: its own default, or any free one where that is taken, if none is given.
    """
    state = state or location.default_state()
    running = location.read_running(state)
    if running:
        return running
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    reader, writer = os.pipe()
    log = state / "sandbox.log"
    command = [sys.executable, "-m", "sandbox.server", "--state", str(state), "--region", region]
    command += ["--clock-rate", str(clock_rate), "--ready-fd", str(writer)]
    command += [] if port is None else ["--port", str(port)]
    with open(log, "ab", opener=_private) as output:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writer,),
            env=_environment(),
            start_new_session=True,
        )
    os.close(writer)
    with os.fdopen(reader) as ready:
        line = ready.readline()  # ends without a line when the process dies
    running = location.read_running(state)
    if not line or not running:
        raise ControlError(f"the sandbox did not start: {_last_line(log)}; see {log}")
    return running


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        # Without bytecode a start takes three times as long. It goes where it is in nobody's way.
        environment["PYTHONPYCACHEPREFIX"] = str(location.cache_folder() / "bytecode")
    return environment


def stop(state: Path | None = None) -> bool:
    """Ends the sandbox of `state`; False where none runs. What it keeps stays for the next start."""
    state = state or location.default_state()
    running = location.read_running(state)
    if not running:
        return False
    os.kill(running.pid, signal.SIGTERM)
    _wait(running.pid)
    return True


def _wait(pid: int) -> None:
    """The process is not ours to wait() for; a pidfd becomes readable when it ends."""
    import select

    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([descriptor], [], [], STOP_TIMEOUT)[0]:
            os.kill(pid, signal.SIGKILL)
            select.select([descriptor], [], [])
    finally:
        os.close(descriptor)


def status(state: Path | None = None) -> Running | None:
    return location.read_running(state or location.default_state())


def reset(state: Path | None = None) -> None:
    """Ends the sandbox and deletes all it kept."""
    state = state or location.default_state()
    stop(state)
    if state.exists() and not (state / "records.sqlite").exists() and any(state.iterdir()):
        raise ControlError(
            f"{state} holds no sandbox's state: nothing was deleted; give the folder with --state"
        )
    shutil.rmtree(state, ignore_errors=True)


def environment(principal: str, state: Path | None = None) -> dict[str, str]:
    """The variables that make every AWS client and git of a shell speak to the sandbox as `principal`."""
    state = state or location.default_state()
    if principal not in PRINCIPALS:
        raise ControlError(f"principal {principal} is unknown; choose one of {', '.join(PRINCIPALS)}")
    running = location.read_running(state)
    if not running:
        raise ControlError(f"no sandbox runs on {state}; start one with `mlops sandbox start`")
    return client_files.environment(state, principal, running.region, running.url, os.environ)


def uptime(running: Running) -> float:
    """Seconds since it answered first."""
    return time.time() - running.started


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
