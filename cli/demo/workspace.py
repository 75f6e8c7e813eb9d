"""The engineer's clone of a repository, by the git that everybody uses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cli.errors import CliError

DEFINITION = Path("pipelines") / "definition.py"
DEPTH = re.compile(r'(ParameterInteger\("MaxDepth", default_value=)(\d+)')
SHALLOWEST, DEEPEST = 5, 8
"""Depths of trees that all pass the seed's check of quality."""


class Workspace:
    """A clone in `folder`. git runs with the variables of one principal."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        programs = str(
            Path(sys.executable).parent
        )  # git's credential helper is the AWS CLI beside this program
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "GIT_"))}
        self._environment = {
            **kept,
            **variables,
            "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
            "GIT_TERMINAL_PROMPT": "0",
        }

    def clone(self, url: str) -> None:
        self._git("clone", "--quiet", url, str(self.folder), cwd=self.folder.parent)

    def change_depth(self) -> tuple[int, int]:
        """Change the trees' depth in the pipeline's definition; the depths before and after."""
        path = self.folder / DEFINITION
        text = path.read_text()
        found = DEPTH.search(text)
        if found is None:
            raise CliError(
                f"{DEFINITION} sets no default for MaxDepth", next_step="use a project of template `model`"
            )
        before = int(found[2])
        after = before + 1 if SHALLOWEST <= before < DEEPEST else SHALLOWEST
        path.write_text(DEPTH.sub(rf"\g<1>{after}", text, count=1))
        return before, after

    def commit(self, message: str) -> str:
        """Commit everything; the commit's id."""
        author = ("-c", "user.name=engineer", "-c", "user.email=engineer@example.com")
        self._git(*author, "commit", "--quiet", "--all", "--message", message)
        return self._git("rev-parse", "HEAD").strip()

    def push(self) -> None:
        self._git("push", "--quiet", "origin", "HEAD")

    def _git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            command = next(
                argument for argument in arguments if argument in ("clone", "commit", "push", "rev-parse")
            )
            raise CliError(f"git {command}: {done.stderr.strip() or done.returncode}", detail=done.stdout)
        return done.stdout
