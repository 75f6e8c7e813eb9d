"""`mlops demo`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.options import Command, Settings, with_settings


@click.command(cls=Command)
@click.option(
    "--name", help="Name of the project (default: the first free demo-N); one that exists is used on."
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the sandbox (default: ~/.local/state/…).",
)
@with_settings
def demo(settings: Settings, name: str | None, state: Path | None) -> None:
    """The whole loop in the sandbox: publish, create, push, train, approve, deploy, predict.

    Starts the sandbox if none runs. Uses AWS's APIs and git only, as four principals. With
    --output json, stdout is one JSON object; otherwise the page of commands to try next.
    """
    from cli.demo.closing import page
    from cli.demo.loop import Loop
    from cli.errors import CliError
    from sandbox import control

    try:
        with settings.progress.stage("sandbox", "the sandbox starts"):
            running = control.start(state, region=settings.region or "us-east-1")
            settings.progress.line(f"{running.url}, account {running.account}, {running.region}")
    except control.ControlError as error:
        raise CliError(str(error)) from error
    loop = Loop(lambda principal: dict(control.environment(principal, state)), settings.progress, name)
    result = loop.run()
    if settings.output == "json" or settings.query:
        settings.write(result)
    else:
        program = Path(sys.argv[0])
        shown = "mlops" if program.name == "__main__.py" else _shown(program)
        click.echo(page({**result, "program": shown, "state": f" --state {state}" if state else ""}))


def _shown(program: Path) -> str:
    """The program as the user can type it: from the current folder where it lies there."""
    absolute = program.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
