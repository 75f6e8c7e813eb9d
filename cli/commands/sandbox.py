"""`mlops sandbox …`: an AWS on this machine."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.options import Group, Settings, with_settings

STATE = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps everything (default: ~/.local/state/…).",
)


@click.group(cls=Group)
def sandbox() -> None:
    """An AWS on this machine: 127.0.0.1 only, nothing leaves it."""


@sandbox.command()
@STATE
@click.option("--port", type=click.IntRange(0, 65535), help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--clock-rate", type=float, default=60.0, show_default=True, help="How much faster AWS's own waits pass."
)
@with_settings
def start(settings: Settings, state: Path | None, port: int | None, clock_rate: float) -> None:
    """Start it, or find it running."""
    from sandbox import control

    running = _controlled(
        control.start, state, port=port, region=settings.region or "us-east-1", clock_rate=clock_rate
    )
    settings.write(_described(running))
    hint = 'eval "$(mlops sandbox env --principal engineer)"'
    click.echo(f"point a shell at it: {hint}", err=True)


@sandbox.command()
@STATE
@with_settings
def stop(settings: Settings, state: Path | None) -> None:
    """Stop it; what it keeps stays for the next start."""
    from sandbox import control

    stopped = _controlled(control.stop, state)
    settings.write({"Status": "Stopped" if stopped else "NotRunning"})


@sandbox.command()
@STATE
@with_settings
def status(settings: Settings, state: Path | None) -> None:
    """Where it runs; exit code 1 where it does not."""
    from cli.errors import CHECK_NOT_MET, CliError
    from sandbox import control

    running = _controlled(control.status, state)
    if running is None:
        settings.write({"Status": "NotRunning"})
        raise CliError("no sandbox runs", next_step="`mlops sandbox start`", code=CHECK_NOT_MET)
    settings.write(_described(running))


@sandbox.command()
@STATE
@with_settings
def reset(settings: Settings, state: Path | None) -> None:
    """Stop it and delete everything it kept."""
    from sandbox import control

    settings.confirm("Delete every project, repository, model and object of the sandbox?")
    _controlled(control.reset, state)
    settings.write({"Status": "Reset"})


@sandbox.command()
@click.option(
    "--principal",
    default="engineer",
    show_default=True,
    metavar="NAME",
    help="admin, team, engineer or approver.",
)
@STATE
@with_settings
def env(settings: Settings, principal: str, state: Path | None) -> None:
    """Print variables that point a shell's AWS clients and git at it: eval "$(mlops sandbox env)"."""
    from sandbox import control
    from sandbox.state.client_files import CLEARED

    variables = dict(_controlled(control.environment, principal, state))
    if settings.output == "json":
        settings.write(variables)
        return
    programs = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "").split(os.pathsep)
    if programs not in path:  # the AWS CLI and git's helper live beside this program
        variables["PATH"] = os.pathsep.join([programs, *path])
    click.echo(f"unset {' '.join(CLEARED)}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _controlled(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call the sandbox's control; its one-line failures are ours."""
    from cli.errors import CliError
    from sandbox.control import ControlError

    try:
        return function(*arguments, **keywords)
    except ControlError as error:
        raise CliError(str(error)) from error


def _described(running: Any) -> dict[str, Any]:
    from datetime import UTC, datetime

    return {
        "Status": "Running",
        "Url": running.url,
        "Account": running.account,
        "Region": running.region,
        "Pid": running.pid,
        "Started": datetime.fromtimestamp(running.started, UTC),
    }
