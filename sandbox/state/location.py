"""Where a sandbox keeps its state, and what it says about itself there."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

NAME = "sagemaker-mlops-sandbox"


def default_state() -> Path:
    """$XDG_STATE_HOME (~/.local/state) and the sandbox's name."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / NAME


def cache_folder() -> Path:
    """What can be made again: $XDG_CACHE_HOME (~/.cache) and the name of this checkout's project."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sagemaker-mlops-templates"


@dataclass(frozen=True)
class Running:
    """A sandbox process: written once it answers, removed when it stops."""

    pid: int
    port: int
    account: str
    region: str
    started: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def hold(state: Path) -> IO[str]:
    """Keeps a state folder to this process until it ends, however it ends; SystemExit where another has it.

    The lock belongs to the file returned: keep it.
    """
    import fcntl

    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (state / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"another sandbox runs on {state}: stop it, or give another --state") from None
    return file


def write_running(state: Path, running: Running) -> None:
    path = state / "running.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(running)))
    draft.rename(path)


def read_running(state: Path) -> Running | None:
    """None where no sandbox runs on this state (a file left by a killed one does not count)."""
    try:
        running = Running(**json.loads((state / "running.json").read_text()))
        os.kill(running.pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        return running
    return running if _is_sandbox(running.pid) else None


def _is_sandbox(pid: int) -> bool:
    """A process number is used again: the command line tells whether this one is a sandbox."""
    try:
        return b"sandbox.server" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return not Path("/proc").exists()


def clear_running(state: Path) -> None:
    (state / "running.json").unlink(missing_ok=True)
