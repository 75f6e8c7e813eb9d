"""`mlops publish`."""

from __future__ import annotations

import click

from cli.options import Command, Settings, with_settings


@click.command(cls=Command)
@click.option(
    "--principal", "principals", multiple=True, metavar="ARN", help="Who may launch projects; repeatable."
)
@click.option(
    "--development", is_flag=True, help="A version named by the sources' hash, replaced by the next one."
)
@with_settings
def publish(settings: Settings, principals: tuple[str, ...], development: bool) -> None:
    """Publish the project templates to the account and region.

    Give all principals each time: Studio's execution roles, users and roles. Who is left out loses access.
    """
    from cli.errors import CliError
    from template.publish import PublishError
    from template.publish import publish as publish_templates

    access = settings.access
    with settings.progress.stage("publish", f"Publish to {access.session.region_name}"):
        try:
            published = publish_templates(
                access, principals=principals, development=development, on_progress=settings.progress.line
            )
        except PublishError as error:
            raise CliError(str(error)) from error
    settings.write(published)
