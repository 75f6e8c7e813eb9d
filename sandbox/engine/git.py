"""Bare git repositories on disk, driven by the real git.

Hooks are off and no configuration of the user's is read: a pushed repository is data, never code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_CONFIG_KEY_1": "core.hooksPath",
    "GIT_CONFIG_VALUE_1": "/dev/null",
    # What a push makes git tidy up is tidied within the push, by one at a time.
    "GIT_CONFIG_KEY_2": "gc.autoDetach",
    "GIT_CONFIG_VALUE_2": "false",
}


PUSH = 2 * 2**30
"""Bytes of one push, unpacked from its transfer coding: CodeCommit's documented limit."""


class GitError(Exception):
    """git refused; the message is its own."""


@dataclass(frozen=True)
class Author:
    name: str
    email: str


class Git:
    """The repositories under one folder, by (account, region, name)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._locks: defaultdict[Path, threading.RLock] = defaultdict(threading.RLock)

    def path(self, account: str, region: str, repository: str) -> Path:
        return self.root / account / region / f"{repository}.git"

    def lock(self, path: Path) -> threading.RLock:
        """One writer a repository."""
        return self._locks[path]

    def create(self, path: Path) -> None:
        """An empty bare repository; made aside and renamed, so that a half-made one is never seen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".new{threading.get_ident()}")
        shutil.rmtree(draft, ignore_errors=True)
        run(["init", "-q", "--bare", "-b", "main", str(draft)], path.parent)
        run(["config", "http.receivepack", "true"], draft)
        run(["config", "receive.fsckObjects", "true"], draft)
        run(["config", "receive.maxInputSize", str(PUSH)], draft)
        shutil.rmtree(path, ignore_errors=True)
        draft.rename(path)

    def clear_leftovers(self) -> None:
        """Removes what a git that was killed in the middle left: locks, which would refuse every later push,
        and half-made repositories. Call before anything else runs git here."""
        for draft in self.root.glob("*/*/*.new*"):
            shutil.rmtree(draft, ignore_errors=True)
        for path in self.root.glob("*/*/*.git"):
            for lock in (*path.glob("*.lock"), *path.glob("refs/**/*.lock")):
                lock.unlink(missing_ok=True)

    def delete(self, path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)

    def refs(self, path: Path) -> dict[str, str]:
        """Full ref name → commit (or tag object) id."""
        lines = run(["for-each-ref", "--format=%(objectname) %(refname)"], path).decode().splitlines()
        return {name: identifier for identifier, name in (line.split(" ", 1) for line in lines)}

    def archive(self, account: str, region: str, repository: str, commit: str) -> bytes:
        """The commit's tree as a zip."""
        return run(["archive", "--format=zip", commit], self.path(account, region, repository))

    def resolve(self, path: Path, revision: str) -> str | None:
        """The commit id of a branch name, tag or (abbreviated) id."""
        try:
            return run(["rev-parse", "--verify", "-q", f"{revision}^{{commit}}"], path).decode().strip()
        except GitError:
            return None


def run(
    arguments: list[str],
    folder: Path,
    *,
    data: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Runs git in `folder`; its output, or GitError with its complaint."""
    if any("\0" in argument for argument in arguments):
        raise GitError("an argument holds a NUL, which no name has")
    variables = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=data,
        capture_output=True,
        env=variables | ENVIRONMENT | dict(environment or {}),
    )
    if done.returncode:
        raise GitError(
            done.stderr.decode(errors="replace").strip() or f"git {arguments[0]}: {done.returncode}"
        )
    return done.stdout
