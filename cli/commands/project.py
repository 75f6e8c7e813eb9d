"""`mlops project …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.options import Group, Settings, with_settings

if TYPE_CHECKING:
    from cli.projects import Project


@click.group(cls=Group)
def project() -> None:
    """SageMaker projects."""


def _parameters(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    pairs = [value.partition("=") for value in values]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise click.BadParameter("expected KEY=VALUE")
    return [(key, value) for key, _, value in pairs]


@project.command()
@click.argument("name")
@click.option("--template", default="model", show_default=True, help="Template to create it from.")
@click.option(
    "--template-version", metavar="VERSION", help="Version of the template (default: the newest active)."
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_parameters,
    help="Template parameter; repeatable.",
)
@click.option("--description", help="What it is for.")
@click.option("--no-wait", is_flag=True, help="Do not wait until it is created.")
@with_settings
def create(
    settings: Settings,
    name: str,
    template: str,
    template_version: str | None,
    parameters: list[tuple[str, str]],
    description: str | None,
    no_wait: bool,
) -> None:
    """Create project NAME and wait for it."""
    from cli import projects

    access, progress = settings.access, settings.progress
    with progress.stage("create", f"Create project {name}"):
        projects.create(
            access,
            name,
            template=template,
            version=template_version,
            parameters=parameters,
            description=description,
        )
        if not no_wait:
            projects.until_created(access, name, settings.waiter(), progress.line)
    settings.write(_shown(projects.find(access, name)))


@project.command("list")
@with_settings
def list_projects(settings: Settings) -> None:
    """All projects, newest first."""
    from cli import projects

    keys = ("ProjectName", "ProjectId", "ProjectStatus", "CreationTime", "ProjectDescription")
    found = projects.list_all(settings.access)
    settings.write({"Projects": [{key: item.get(key) for key in keys} for item in found]})


@project.command()
@click.argument("name")
@with_settings
def describe(settings: Settings, name: str) -> None:
    """What belongs to project NAME: executions, models, endpoints, data, repositories, pipelines."""
    from cli import inventory, projects

    found = projects.find(settings.access, name)
    settings.write({**_shown(found), **inventory.of(found)})


@project.command()
@click.argument("name")
@with_settings
def delete(settings: Settings, name: str) -> None:
    """Delete project NAME with its endpoints; lists what is kept (repositories, bucket, key, registry)."""
    from cli import projects

    found = projects.find(settings.access, name)
    settings.confirm(f"Delete project {found.name} ({found.id}) and its endpoints?")
    with settings.progress.stage("delete", f"Delete project {name}"):
        deleted = projects.delete(found, settings.waiter(), settings.progress.line)
    settings.write(deleted)


def _shown(found: Project) -> dict[str, Any]:
    keys = ("ProjectName", "ProjectId", "ProjectStatus", "ProjectDescription", "CreationTime", "ProjectArn")
    return {key: found.description[key] for key in keys if key in found.description}
