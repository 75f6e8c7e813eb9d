"""What a checkout is set up from."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_lock_for_pip_is_the_lock_of_uv() -> None:
    command = [str(Path(sys.executable).parent / "uv"), "export", "--quiet", "--frozen"]
    command += ["--no-emit-project", "--no-header"]
    exported = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert exported == (ROOT / "requirements.lock").read_text()


def test_the_lock_is_the_one_of_pyproject() -> None:
    command = [str(Path(sys.executable).parent / "uv"), "lock", "--check", "--offline", "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)


def test_what_pip_installs_is_hashed_throughout() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    names = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert len(names) > 50
    assert all(line.endswith("\\") for line in names), "a requirement without a hash"


def test_setup_py_is_thin() -> None:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert metadata["project"]["scripts"]["mlops"] == "cli.main:main"
    assert len((ROOT / "setup.py").read_text().splitlines()) < 10


def test_ci_is_executable_and_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    readme = (ROOT / "README.md").read_text()
    for command in ("make demo", "make test"):
        assert command in readme
    assert "make --no-print-directory test" in script.read_text()
