"""Every command of README and docs is run, in the order of reading, against a sandbox of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["docs/admin.md", "docs/team.md", "docs/engineer.md", "docs/sandbox.md"]
"""A story: what one page makes the next one uses."""
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATE = "sagemaker-mlops-sandbox"


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks."""
    return BLOCK.findall((ROOT / page).read_text())


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of a newcomer's shell: a default state folder in which a sandbox runs already, on a free port."""
    home = tmp_path_factory.mktemp("state")
    process = SandboxProcess(home / STATE)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "GIT_"))}
    programs = str(Path(sys.executable).parent)
    work = tmp_path_factory.mktemp("work")
    yield {
        **kept,
        "XDG_STATE_HOME": str(home),
        "PATH": os.pathsep.join([programs, kept["PATH"]]),
        "TMPDIR": str(work),
        "NO_COLOR": "1",
    }
    process.stop()


def run(page: str, shell: dict[str, str]) -> str:
    script = "set -euo pipefail\n" + "".join(text for language, text in blocks(page) if language == "sh")
    done = subprocess.run(
        ["bash", "-x", "-c", script],
        cwd=ROOT,
        env=shell,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return done.stdout


@pytest.mark.parametrize("page", ["README.md", *PAGES, "docs/architecture.md"])
def test_blocks_are_commands_or_text(page: str) -> None:
    assert {language for language, _ in blocks(page)} <= {"sh", "text"}
    assert page == "docs/architecture.md" or any(language == "sh" for language, _ in blocks(page))


@pytest.mark.parametrize("page", ["README.md", *PAGES, "docs/architecture.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    paths = [target for target in targets if not target.startswith("https://")]
    for target in paths:
        assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
    for path in re.findall(r"`((?:sandbox|template|cli|tests|project)/[\w./]+)`", text):
        assert (ROOT / path).exists(), f"{page}: {path}"


def test_the_makefile_knows_every_target_named() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in ("README.md", "docs/architecture.md"):
        for target in re.findall(r"`?make (\w+)`?$", (ROOT / page).read_text(), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.loop
@pytest.mark.timeout(900)
def test_the_pages_tell_a_story_that_works(shell: dict[str, str]) -> None:
    said = {page: run(page, shell) for page in PAGES}
    assert "sagemaker-model" in said["docs/admin.md"]
    assert "CreateCompleted" in said["docs/team.md"]
    engineer = said["docs/engineer.md"]
    assert "PendingManualApproval" in engineer and "rmse" in engineer
    assert re.search(r"-prod-v2-", engineer) and re.search(r"-prod-v1-", engineer)
    assert '{"predictions": [' in engineer
    assert "Retained" in engineer and "AWS::CodeCommit::Repository" in engineer
    assert ":user/admin" in said["docs/sandbox.md"]


@pytest.mark.loop
@pytest.mark.timeout(900)
def test_the_readme_works(shell: dict[str, str]) -> None:
    said = run("README.md", shell)
    assert "Everything is up" in said
    assert re.search(r"-prod predicts [\d.]+ bikers; there were \d+", said)
    assert '"ProjectStatus": "CreateCompleted"' in said
