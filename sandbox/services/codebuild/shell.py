"""The shell of a build: one process group for all commands, one state from command to command.

Each command is a script of its own, as in CodeBuild: what it exports and the directory it leaves are saved
by the script and restored by the next, whatever way the command ends. Processes that a command leaves in
the background live until the build ends.
"""

from __future__ import annotations

import os
import queue
import secrets
import shlex
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.foreign_files import is_file, read_inside, write_inside
from sandbox.engine.processes import Command, Exit, Processes

# Reads the path of one script after the other. The pipe is opened for reading and writing, so that it never
# is at its end; a command gets no standard input.
_DRIVER = """exec 9<>"$2"
while IFS= read -r script <&9; do
  "$1" "$script" 9<&- </dev/null
  printf '\\n%s %s\\n' "$3" "$?"
done
"""

_SCRIPT = """codebuild_tmp={tmp}
. "$codebuild_tmp/env.sh"
cd "$(cat "$codebuild_tmp/dir.txt")" || exit 1
trap 'codebuild_exit=$?
export -p >"$codebuild_tmp/env.sh"; pwd >"$codebuild_tmp/dir.txt"; exit $codebuild_exit' EXIT
{command}
"""


class BuildEnded(Exception):
    """The build's processes ended while a command ran: by timeout, by StopBuild, or by themselves."""

    def __init__(self, exit: Exit) -> None:
        super().__init__(f"exit {exit.code}")
        self.exit = exit


@dataclass(frozen=True)
class ShellSettings:
    """`folder`: all that is the build's own; `tmp`: a folder in it for scripts and state; `cwd`: where the
    first command starts; `timeout`: real seconds from now until the whole group is killed; `log`: gets each
    line of output as it comes."""

    program: str
    folder: Path
    tmp: Path
    cwd: Path
    env: Mapping[str, str]
    timeout: float
    log: Callable[[str], None]


class Shell:
    """Use as a context manager; leaving it ends every process of the build."""

    def __init__(self, processes: Processes, key: str, settings: ShellSettings) -> None:
        self._processes = processes
        self._key = key
        self._settings = settings
        self._mark = secrets.token_hex(16)
        self._results: queue.SimpleQueue[int | Exit] = queue.SimpleQueue()
        self._blank = False

    def __enter__(self) -> Shell:
        settings = self._settings
        settings.tmp.mkdir(parents=True, exist_ok=True)
        exports = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.env.items()]
        (settings.tmp / "env.sh").write_text("".join(exports))
        (settings.tmp / "dir.txt").write_text(f"{settings.cwd}\n")
        self._pipe_path = settings.tmp / "commands"
        self._pipe_path.unlink(missing_ok=True)
        os.mkfifo(self._pipe_path, 0o600)
        self._pipe = os.open(self._pipe_path, os.O_RDWR | os.O_CLOEXEC)
        self._process = self._processes.start(
            Command(
                ["/bin/sh", "-c", _DRIVER, "sh", settings.program, str(self._pipe_path), self._mark],
                cwd=settings.cwd,
                env=settings.env,
                timeout=settings.timeout,
                on_line=self._line,
                seen=[settings.folder],
            ),
            key=self._key,
        )
        self._waiter = threading.Thread(target=self._wait, name=f"build {self._key}", daemon=True)
        self._waiter.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.running:
            self._process.stop(grace=0.0)
        self._waiter.join()
        os.close(self._pipe)

    def run(self, command: str) -> int:
        """The command's exit status. BuildEnded if the build's processes are gone before it is known."""
        script = self._settings.tmp / "script.sh"
        text = _SCRIPT.format(tmp=shlex.quote(str(self._settings.tmp)), command=command)
        write_inside(script, self._settings.folder, text.encode())
        os.write(self._pipe, f"{script}\n".encode())
        result = self._results.get()
        if isinstance(result, Exit):
            raise BuildEnded(result)
        return result

    def set(self, name: str, value: str) -> None:
        """Exports a variable to the commands that follow."""
        path, folder = self._settings.tmp / "env.sh", self._settings.folder
        line = f"\nexport {name}={shlex.quote(value)}\n"
        write_inside(path, folder, read_inside(path, folder) + line.encode())

    def values(self, names: tuple[str, ...]) -> dict[str, str]:
        """What the variables hold after the last command; those that are not set are left out."""
        folder, own = self._settings.tmp / "exported", self._settings.folder
        target = shlex.quote(str(folder))
        lines = [
            f'if [ -n "${{{name}+set}}" ]; then printf %s "${name}" >{target}/{name}; fi' for name in names
        ]
        if not lines or self.run("\n".join([f"mkdir -p {target}", *lines])):
            return {}
        return {name: self._read(folder / name) for name in names if is_file(folder / name, own)}

    def expand(self, text: str) -> str:
        """`text` after the shell's expansions, as artifact names have them."""
        target = self._settings.tmp / "expanded"
        self.run(f'printf %s "{text}" >{shlex.quote(str(target))}')
        return self._read(target)

    def _read(self, path: Path) -> str:
        return read_inside(path, self._settings.folder).decode(errors="replace")

    def _wait(self) -> None:
        self._results.put(self._process.wait())

    def _line(self, line: str) -> None:
        mark, _, code = line.partition(" ")
        if mark == self._mark:  # preceded by the line end of a last line, or by an empty line if it had one
            self._blank = False
            self._results.put(int(code))
            return
        if self._blank:
            self._settings.log("")
        self._blank = line == ""
        if not self._blank:
            self._settings.log(line)
