"""A build reaches neither the sandbox's keys nor its processes, and leaves nothing behind."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.engine.confinement import supported
from sandbox.engine.engine import Engine, Settings
from sandbox.services.codebuild.files import ClientError
from sandbox.services.codebuild.source import Downloader
from tests.sandbox.codebuild.conftest import BUCKET, lines, phase
from tests.sandbox_process import SandboxProcess

BUILDSPEC = """
version: 0.2
phases:
  build:
    commands:
      - if cat {state}/aws/credentials {state}/records.sqlite; then echo REACHED keys; fi
      - if ls {state}/git {state}/moto {state}/tls; then echo REACHED state; fi
      - if cat /proc/{server}/environ; then echo REACHED environment; fi
      - if kill -0 {server}; then echo REACHED process; fi
      - (setsid sh -c 'sleep 600; echo {mark}' &)
      - mkdir -p out && echo fine > out/fine
      - ln -s {state}/aws/credentials out/keys
      - ln -s /proc/self/environ out/environment
      - ln -s {state}/aws out/folder
      - ln -sf {state}/victim "$codebuild_tmp/script.sh"
      - echo still here
artifacts:
  base-directory: out
  files: ['**/*']
"""


@pytest.mark.skipif(not supported(), reason="this kernel gives no ordinary user namespaces")
def test_a_build_is_alone(
    sandbox: SandboxProcess, project: Callable[..., str], run: Callable[..., dict[str, Any]]
) -> None:
    mark = f"left-{uuid.uuid4().hex}"
    victim = sandbox.state / "victim"
    victim.write_text("whole")
    text = BUILDSPEC.format(state=sandbox.state, server=sandbox.running.pid, mark=mark)
    target = {"type": "S3", "location": BUCKET, "name": mark, "packaging": "ZIP"}
    build = run(project(text, artifacts=target))
    said = lines(sandbox, build)
    assert build["buildStatus"] == "SUCCEEDED", said
    assert not [line for line in said if line.startswith("REACHED")], said
    assert any(line.strip() == "still here" for line in said)
    assert phase(build, "BUILD")["phaseStatus"] == "SUCCEEDED"
    body = sandbox.client("s3").get_object(Bucket=BUCKET, Key=mark)["Body"].read()
    assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ["fine"]
    assert victim.read_text() == "whole"
    victim.unlink()
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark in _text(path)]
    assert not left


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""  # it has ended in between


@pytest.mark.parametrize(
    ("location", "version"),
    [
        ("ext::sh -c touch% {victim}", None),
        ("file://{victim}", None),
        ("--upload-pack=touch {victim}", None),
        ("https://git-codecommit.us-east-1.amazonaws.com/v1/repos/x", "--orphan=x"),
    ],
)
def test_a_source_is_no_command(tmp_path: Path, location: str, version: str | None) -> None:
    """Where a project's own check of its location should ever let something through."""
    victim = tmp_path / "victim"
    engine = Engine(Settings(tmp_path / "state"))
    session: Any = SimpleNamespace(environment=dict)
    downloader = Downloader(session, engine.processes, "k", tmp_path, tmp_path, lambda line: None)
    source = {"type": "CODECOMMIT", "location": location.format(victim=victim)}
    with pytest.raises(ClientError):
        downloader.get(source, version, tmp_path / "source")
    assert not victim.exists()
    engine.store.close()
