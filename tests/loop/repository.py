"""An engineer's clone of a repository, by git itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.sandbox_process import SandboxProcess

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
"""git's credential helper is the AWS CLI of this environment."""


class Clone:
    """A clone of `url`; every git command runs as `principal`."""

    def __init__(self, sandbox: SandboxProcess, url: str, folder: Path, principal: str = "engineer") -> None:
        self._sandbox, self.folder, self._principal = sandbox, folder, principal
        self.git("clone", "--quiet", url, str(folder), cwd=folder.parent)
        self.git("config", "user.name", principal)
        self.git("config", "user.email", f"{principal}@example.com")
        self.seed = self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").strip()

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def replace(self, path: str, old: str, new: str) -> None:
        """Changes what must be there exactly once."""
        text = self.read(path)
        assert text.count(old) == 1, f"{path}: {old!r} is there {text.count(old)} times"
        (self.folder / path).write_text(text.replace(old, new))

    def push(self, message: str) -> str:
        """Commits every change and pushes it; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.head

    def restore(self, commit: str | None = None) -> None:
        """Files as they were in a commit (the seed's), to be committed with what comes next."""
        self.git("checkout", "--quiet", commit or self.seed, "--", ".")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = self._sandbox.run(
            "git", *arguments, principal=self._principal, cwd=cwd or self.folder, env={"PATH": PATH}
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout
