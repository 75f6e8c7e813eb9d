"""Processes as containers: a clean environment, a process group of their own, resource limits.

Where the kernel allows it, also without sight of the sandbox's own state and processes: see confinement.

This is no jail: repository code runs as the user who started the sandbox.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.engine.confinement import Confinement, when_told
from sandbox.engine.process_groups import kill_groups, signal_group, start_time
from sandbox.engine.store import Records, Store

KEEP = ("LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""The only variables of the user's environment that a process of the sandbox inherits."""

PACKAGE_INSTALLER = ("PIP_", "UV_")
"""…and those by which the user tells pip and uv where packages come from (for commands that install)."""

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True)
class Command:
    """What to run.

    `timeout`: real seconds until the whole process group is killed. `on_line` gets each line of the merged
    output without its newline. `memory`: bytes of address space; `data`: bytes of memory of its own that may
    be written to (stacks and mappings included); `file_size`: bytes of the largest file. `seen`: folders
    of the sandbox's state that the process works with, beside `cwd`; all others may be out of its sight.
    """

    argv: Sequence[str]
    cwd: Path | str
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    on_line: Callable[[str], None] | None = None
    input: bytes | None = None
    memory: int | None = None
    data: int | None = None
    file_size: int = 20 * 2**30
    open_files: int = 4096
    seen: Sequence[Path] = ()


@dataclass(frozen=True)
class Exit:
    """`code` is negative for a signal, as in subprocess."""

    code: int
    timed_out: bool = False
    stopped: bool = False


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment a process starts from: a path to the system's programs, the locale, and `extra`."""
    kept = {name: os.environ[name] for name in KEEP if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if name.startswith(PACKAGE_INSTALLER)}
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | kept | dict(extra or {})


class Process:
    """A process group. `wait()` blocks until it ended and its output was read to the end.

    The command runs once `release()` is called. Where the sandbox is killed before, it never runs: so what
    runs is always in the records by which the next sandbox finds it.
    """

    def __init__(
        self, command: Command, on_exit: Callable[[], None], confinement: Confinement | None = None
    ) -> None:
        self.stopped = False
        self.timed_out = False
        self._on_exit = on_exit
        self._timeout = command.timeout
        self._timer: threading.Timer | None = None
        self._popen, self._word = _spawn(command, confinement)
        self._told = False
        self.pid = self._popen.pid
        _limit(self.pid, command)
        self._reader = threading.Thread(target=self._read, args=(command.on_line,), daemon=True)
        self._reader.start()
        if command.input is not None and self._popen.stdin:
            threading.Thread(target=self._feed, args=(command.input,), daemon=True).start()

    def release(self) -> None:
        """Lets the command run."""
        self._told = True
        if self._timeout is not None:
            self._timer = threading.Timer(self._timeout, self._expire)
            self._timer.daemon = True
            self._timer.start()
        with contextlib.suppress(BrokenPipeError):  # it may have been stopped already
            os.write(self._word, b"\n")
        os.close(self._word)

    def abandon(self) -> None:
        """Ends it instead, before the command ran."""
        self._told = True
        os.close(self._word)
        self._popen.wait()

    def _read(self, on_line: Callable[[str], None] | None) -> None:
        assert self._popen.stdout
        for raw in self._popen.stdout:
            if on_line:
                on_line(raw.decode(errors="replace").rstrip("\n"))

    def _feed(self, data: bytes) -> None:
        assert self._popen.stdin
        with contextlib.suppress(BrokenPipeError), self._popen.stdin:
            self._popen.stdin.write(data)

    def _expire(self) -> None:
        self.timed_out = True
        signal_group(self.pid, signal.SIGKILL)

    def stop(self, grace: float = GRACE) -> None:
        """Ends the whole group: SIGTERM, then SIGKILL after `grace` seconds."""
        self.stopped = True
        signal_group(self.pid, signal.SIGTERM)
        try:
            self._popen.wait(grace)
        except subprocess.TimeoutExpired:
            signal_group(self.pid, signal.SIGKILL)

    def wait(self) -> Exit:
        if not self._told:
            raise RuntimeError(f"process {self.pid} waits itself: release it first")
        code = self._popen.wait()
        # A child left in the background may hold the output open: it belongs to the group and ends with it.
        signal_group(self.pid, signal.SIGKILL)
        # One that left the group too ends with its confinement; without, its output is not waited for.
        self._reader.join(GRACE)
        if self._timer:
            self._timer.cancel()
        self._on_exit()
        return Exit(code, self.timed_out, self.stopped)

    @property
    def running(self) -> bool:
        return self._popen.poll() is None


class Processes:
    """All processes of the sandbox by key; their groups are recorded so that a crash leaves none behind."""

    def __init__(self, store: Store, confinement: Confinement | None = None) -> None:
        self._confinement = confinement
        self._records = Records(store, "engine/process")
        self._lock = threading.Lock()
        self._running: dict[str, Process] = {}

    def start(self, command: Command, key: str) -> Process:
        """Starts a long-lived process; someone must `wait()` for it. The key must be free."""
        with self._lock:
            if key in self._running:
                raise ValueError(f"process {key} is already running")
            process = Process(command, on_exit=lambda: self._forget(key), confinement=self._confinement)
            self._running[key] = process
        try:
            self._records.put(key, {"pid": process.pid, "started": start_time(process.pid)})
        except BaseException:
            process.abandon()
            with self._lock:
                del self._running[key]
            raise
        process.release()
        return process

    def run(self, command: Command, key: str) -> Exit:
        """Runs to the end."""
        return self.start(command, key).wait()

    def get(self, key: str) -> Process | None:
        return self._running.get(key)

    def stop(self, key: str) -> None:
        """Ends the process of `key` if there is one."""
        process = self._running.get(key)
        if process:
            process.stop()

    def stop_all(self) -> None:
        processes = list(self._running.values())
        for process in processes:
            process.stopped = True
            signal_group(process.pid, signal.SIGTERM)
        for process in processes:
            process.stop(grace=1.0)

    def kill_leftovers(self) -> int:
        """Ends the groups that an earlier, killed sandbox process left; returns how many."""
        found = {key: record for key in self._records.keys() if (record := self._records.get(key))}  # noqa: SIM118
        left = [record["pid"] for record in found.values() if record["started"] == start_time(record["pid"])]
        kill_groups(left, GRACE)
        for key in found:
            self._records.delete(key)
        return len(left)

    def _forget(self, key: str) -> None:
        # In this order: the key is free once its record is gone, not before.
        self._records.delete(key)
        with self._lock:
            self._running.pop(key, None)


def _spawn(command: Command, confinement: Confinement | None) -> tuple[subprocess.Popen[bytes], int]:
    """The process, which waits, and the file descriptor of its pipe: a byte lets it run, closing ends it."""
    told, word = os.pipe()
    around = confinement.around if confinement else _unconfined
    try:
        popen = subprocess.Popen(
            around(command.argv, command.seen, told),
            cwd=command.cwd,
            env=clean_environment(command.env),
            stdin=subprocess.PIPE if command.input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(told,),
            start_new_session=True,
            umask=0o022,  # as in AWS's containers, whatever the sandbox's own is
        )
    except BaseException:
        os.close(word)
        raise
    finally:
        os.close(told)
    return popen, word


def _unconfined(argv: Sequence[str], seen: Sequence[Path], told: int) -> list[str]:
    return when_told(argv, told)


def _limit(pid: int, command: Command) -> None:
    """Sets the limits from outside: code between fork and exec is not safe in a threaded process."""
    limits = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, command.open_files),
        (resource.RLIMIT_FSIZE, command.file_size),
        (resource.RLIMIT_AS, command.memory),
        (resource.RLIMIT_DATA, command.data),
    )
    for limit, value in limits:
        if value is None:
            continue
        with contextlib.suppress(ProcessLookupError):  # it may have ended already
            hard = resource.prlimit(pid, limit)[1]
            soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.prlimit(pid, limit, (soft, hard))
