"""`pip` of a build: layers, and the real pip for everything else."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest

from sandbox.runtimes.build import build_environment
from sandbox.runtimes.build_install import understood
from sandbox.runtimes.environments import once

HASH = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"
SIX = f"six==1.16.0 --hash=sha256:{HASH}\n"


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment = build_environment(folder / "python", "3.11")
    env = {"PATH": f"{environment.bin}:/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("pip", ["pip", "python -m pip"])
def test_a_pinned_file_is_served_from_a_layer(tmp_path: Path, pip: str) -> None:
    (tmp_path / "requirements.txt").write_text(SIX)
    where = "python -c 'import six; print(six.__version__, six.__file__)'"
    result = shell(tmp_path, f"{pip} install --no-deps --require-hashes -r requirements.txt && {where}")
    assert result.returncode == 0, result.stderr
    assert "Successfully installed six-1.16.0" in result.stdout
    assert "1.16.0" in result.stdout and "/layers/" in result.stdout


def test_a_wrong_hash_fails_as_pip_fails(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"six==1.16.0 --hash=sha256:{'0' * 64}\n")
    result = shell(tmp_path, "pip install --quiet --no-deps --require-hashes -r requirements.txt")
    assert result.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE" in result.stderr


def test_an_unknown_package_fails_as_pip_fails(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("no-such-package-of-anyone==1.0\n")
    result = shell(tmp_path, "pip install --no-deps -r requirements.txt")
    assert result.returncode == 1
    assert "No matching distribution found for no-such-package-of-anyone==1.0" in result.stderr


def test_commands_of_a_layer_run_in_the_builds_environment(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("jmespath==1.0.1\nwheel==0.45.1\n")
    script = "wheel version && python -c 'import sys, wheel; print(sys.prefix)' && head -1 python/bin/wheel"
    result = shell(tmp_path, f"pip install -q --no-deps -r requirements.txt && {script}")
    assert result.returncode == 0, result.stderr
    version, prefix, first = result.stdout.splitlines()
    assert version == "wheel 0.45.1"
    assert prefix == str(tmp_path / "python")
    assert first == f"#!{tmp_path}/python/bin/python"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("six>=1.16\n", ["--no-deps"]),
        ("six==1.16.*\n", ["--no-deps"]),
        ("-r other.txt\n", ["--no-deps"]),
        ("six @ https://example.com/six.whl\n", ["--no-deps"]),
        ("--index-url https://example.com\nsix==1.16.0\n", ["--no-deps"]),
        ("six==1.16.0\n", []),
        ("six==1.16.0\n", ["--require-hashes"]),
        ("six==1.16.0\n", ["--no-deps", "--target", "x"]),
    ],
)
def test_what_may_vary_is_left_to_pip(tmp_path: Path, text: str, options: list[str]) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(text)
    assert understood(["install", *options, "-r", str(file)]) is None


def test_only_one_builds_and_the_others_wait(tmp_path: Path) -> None:
    built = []

    def build(folder: Path) -> None:
        built.append(folder)
        folder.mkdir()
        time.sleep(0.1)

    threads = [threading.Thread(target=once, args=(tmp_path / "x", build)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


def test_an_interrupted_build_is_begun_again(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(tmp_path / "x", fail)
    assert not (tmp_path / "x").exists()
    (tmp_path / "x").mkdir()  # as a killed process leaves it
    (tmp_path / "x" / "half").touch()
    once(tmp_path / "x", lambda folder: folder.mkdir())
    assert not (tmp_path / "x" / "half").exists()
