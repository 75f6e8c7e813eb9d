"""What engineers receive: complete, pinned, independent of this project, and green by its own tests."""

import ast
import re
import subprocess
import sys

import pytest
import yaml

from tests.seed_code.conftest import MODEL_BUILD, MODEL_DEPLOY

REPOSITORIES = [MODEL_BUILD, MODEL_DEPLOY]
BUILDSPECS = [
    MODEL_BUILD / "buildspec.yml",
    MODEL_DEPLOY / "buildspec.yml",
    MODEL_DEPLOY / "tests" / "buildspec.yml",
]
OURS = {
    "project",
    "build_pipeline",
    "deploy_pipeline",
    "template",
    "sandbox",
    "studio",
    "cli",
    "seed_code",
    "bench",
}


def name(path) -> str:
    return str(path.relative_to(MODEL_BUILD.parent))


@pytest.mark.parametrize("repository", REPOSITORIES, ids=name)
def test_own_tests_pass_with_plain_pytest(repository):
    arguments = ["-q", "-p", "no:cacheprovider", "--rootdir", ".", "tests"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=repository, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout
    assert "passed" in ended.stdout


@pytest.mark.parametrize("repository", REPOSITORIES, ids=name)
def test_has_readme_and_licence(repository):
    assert "MIT No Attribution" in (repository / "LICENSE").read_text()
    assert len((repository / "README.md").read_text()) > 1000


@pytest.mark.parametrize("repository", REPOSITORIES, ids=name)
def test_imports_nothing_of_this_project(repository):
    for path in repository.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {imported.partition(".")[0] for imported in names} & OURS, path


@pytest.mark.parametrize("repository", REPOSITORIES, ids=name)
def test_requirements_are_pinned_by_version_and_hash(repository):
    lines = (repository / "requirements.txt").read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line.strip() and not line.startswith("#")]
    for line in requirements:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==\S+( +--hash=sha256:[0-9a-f]{64})+", line.strip()), line
    pins = [line.split()[0].lower().replace("_", "-") for line in requirements]
    wanted = (repository / "requirements.in").read_text().lower().replace("_", "-").split()
    assert sorted(pins) == sorted(wanted)


@pytest.mark.parametrize("path", BUILDSPECS, ids=name)
def test_buildspecs(path):
    spec = yaml.safe_load(path.read_text())
    assert spec["version"] == 0.2
    assert set(spec) <= {"version", "env", "phases", "artifacts"}
    assert list(spec["phases"]) == [
        p for p in ("install", "pre_build", "build", "post_build") if p in spec["phases"]
    ]
    assert spec["phases"]["install"]["runtime-versions"] == {"python": 3.11}
    commands = [command for phase in spec["phases"].values() for command in phase["commands"]]
    assert all(isinstance(command, str) for command in commands)
    installs = [command for command in commands if command.startswith("pip install")]
    assert installs
    assert all("--require-hashes" in command for command in installs)


def test_deploy_build_hands_over_what_the_pipeline_reads():
    spec = yaml.safe_load((MODEL_DEPLOY / "buildspec.yml").read_text())
    assert spec["env"]["exported-variables"] == ["MODEL_PACKAGE_ARN", "MODEL_PACKAGE_VERSION"]
    assert spec["artifacts"]["files"] == ["endpoint.yaml", "staging-config.json", "prod-config.json"]
