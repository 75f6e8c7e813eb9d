"""The CDK app. `python -m template.app` writes the cloud assembly, with or without the CDK's command line.

Context (`-c key=value` of `cdk`, or CDK_CONTEXT_JSON):
  versions    versions of template `model` that the portfolio offers, oldest first (default: the current one)
  principals  ARNs of the users and roles that may launch, such as Studio's execution roles
Both are lists, or text with commas. `mlops publish` fills them from the hub; `cdk deploy
sagemaker-templates-portfolio` needs them given, and templates and seeds published before.

Stacks: `sagemaker-templates-portfolio` is what an account deploys. `model` is the product's template in a
plain stack: its file is what gets published, and it is not deployed by itself.
"""

import json
import os
from pathlib import Path
from typing import Any

from project.node import require_node
from template import versions
from template.seeds import seed

SOURCES = Path(__file__).resolve().parent.parent
MODEL = "model"


def synthesise(outdir: str | None = None, context: dict[str, Any] | None = None) -> Path:
    """Write the cloud assembly and return its folder.

    `python template/app.py` would not read `cdk.json`: its context (feature flags) is passed on here, and
    `context` or CDK_CONTEXT_JSON win over it. Raises RuntimeError when there is no node.
    """
    require_node()
    from aws_cdk import App, BootstraplessSynthesizer, Stack

    from template.portfolio import PortfolioStack
    from template.products.model import DESCRIPTION, ModelTemplate

    settings = json.loads((SOURCES / "cdk.json").read_text())
    app = App(outdir=outdir, context={**settings["context"], **(context or {})}, analytics_reporting=False)
    model = Stack(
        app, MODEL, synthesizer=BootstraplessSynthesizer(), analytics_reporting=False, description=DESCRIPTION
    )
    ModelTemplate(
        model,
        "Model",
        build_seed_key=seed("model_build").key,
        deploy_seed_key=seed("model_deploy").key,
    )
    PortfolioStack(
        app,
        "sagemaker-templates-portfolio",
        versions=_listed(app.node.try_get_context("versions")) or [versions.CURRENT[MODEL]],
        principals=_listed(app.node.try_get_context("principals")),
    )
    return Path(app.synth().directory)


def _listed(value: object) -> list[str]:
    """A context value as a list: lists come from JSON, text with commas from a command line."""
    if value is None:
        return []
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise TypeError(f"{value!r} is neither a list nor text with commas")
    return [str(part).strip() for part in parts if str(part).strip()]


if __name__ == "__main__":
    print(synthesise(os.environ.get("CDK_OUTDIR", "cdk.out")))
