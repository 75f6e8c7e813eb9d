"""`mlops endpoint …`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.options import Group, Settings, with_settings


@click.group(cls=Group)
def endpoint() -> None:
    """Endpoints of a project."""


@endpoint.command("list")
@click.argument("project")
@with_settings
def list_endpoints(settings: Settings, project: str) -> None:
    """Endpoints of PROJECT and what they serve."""
    from cli import endpoints, projects

    names = projects.find(settings.access, project).names
    settings.write({"Endpoints": endpoints.named(settings.access, names.model_package_group)})


@endpoint.command()
@click.argument("project")
@click.option("--stage", type=click.Choice(["prod", "staging"]), default="prod", show_default=True)
@click.option(
    "--body", required=True, metavar="TEXT|@FILE|-", help="The request: text, a file, or standard input."
)
@click.option("--content-type", default="text/csv", show_default=True)
@click.option("--accept", metavar="TYPE", help="Form of the answer.")
@with_settings
def invoke(
    settings: Settings, project: str, stage: str, body: str, content_type: str, accept: str | None
) -> None:
    """Ask the endpoint of PROJECT for a prediction."""
    from cli import endpoints, projects

    request = _read(body)
    name = projects.find(settings.access, project).names.endpoint(stage)
    settings.write(endpoints.invoke(settings.access, name, request, content_type, accept))


def _read(body: str) -> bytes:
    if body == "-":
        return sys.stdin.buffer.read()
    if body.startswith("@"):
        try:
            return Path(body[1:]).read_bytes()
        except OSError as error:
            raise click.BadParameter(f"{body[1:]}: {error.strerror}", param_hint="--body") from error
    return body.encode()
