"""`mlops model …`."""

from __future__ import annotations

import click

from cli.options import Group, Settings, with_settings


@click.group(cls=Group)
def model() -> None:
    """Versions of a project's model."""


@model.command("list")
@click.argument("project")
@with_settings
def list_models(settings: Settings, project: str) -> None:
    """Versions with their metrics, newest first."""
    from cli import models

    group = _group(settings, project)
    settings.write(
        {"ModelPackageGroupName": group, "ModelPackages": models.summaries(settings.access, group)}
    )


@model.command()
@click.argument("project")
@click.argument("version", required=False)
@with_settings
def describe(settings: Settings, project: str, version: str | None) -> None:
    """One version (default: the newest) with metrics and where it came from."""
    from cli import models

    package = models.pick(settings.access, _group(settings, project), version)
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    settings.write(
        {
            **models.summary(settings.access, package),
            "ApprovalDescription": package.get("ApprovalDescription"),
            "Origin": package.get("CustomerMetadataProperties", {}),
            "Containers": [{key: item.get(key) for key in ("Image", "ModelDataUrl")} for item in containers],
        }
    )


@model.command()
@click.argument("project")
@click.argument("version", required=False)
@click.option("--comment", help="Why.")
@with_settings
def approve(settings: Settings, project: str, version: str | None, comment: str | None) -> None:
    """Approve VERSION (default: the newest that waits): it goes to staging, then to the gate."""
    from cli import models

    package = models.pick(settings.access, _group(settings, project), version, status=models.PENDING)
    settings.write(models.decide(settings.access, package, "Approved", comment))


@model.command()
@click.argument("project")
@click.argument("version")
@click.option("--comment", required=True, help="Why; required.")
@with_settings
def reject(settings: Settings, project: str, version: str, comment: str) -> None:
    """Reject VERSION: what was approved before it is deployed again."""
    from cli import models

    package = models.pick(settings.access, _group(settings, project), version)
    settings.write(models.decide(settings.access, package, "Rejected", comment))


def _group(settings: Settings, project: str) -> str:
    from cli import projects

    return projects.find(settings.access, project).names.model_package_group
