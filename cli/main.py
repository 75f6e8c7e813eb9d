"""The program `mlops`: lazy command groups and exit codes. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from cli.errors import INTERRUPTED, OTHER, USAGE, CliError
from cli.options import Settings, shared_options

COMMANDS = {
    "demo": "The whole loop, from publishing to a prediction in production.",
    "publish": "Publish the project templates to an account and region.",
    "project": "SageMaker projects: create, list, describe, delete.",
    "pipeline": "What builds and deploys: executions and their logs.",
    "model": "Model versions: metrics, approval, rejection.",
    "endpoint": "Endpoints: list, ask for a prediction.",
    "permissions": "What each role was granted, and what it used, in the sandbox.",
    "sandbox": "An AWS on this machine: start, stop, status, reset, env.",
}


class Program(click.Group):
    """Loads a command's module when it is called; its line in the help is known here."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"cli.commands.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def program() -> Program:
    """The root of all commands."""
    return Program(
        "mlops",
        params=[
            *shared_options(),
            click.Option(["--version"], is_flag=True, is_eager=True, callback=_version),
        ],
        help="SageMaker projects on AWS, or on this machine. Data goes to stdout, progress to stderr.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"mlops {version('sagemaker-mlops-templates')}")
        context.exit()


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the console script."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code of it."""
    settings = Settings()
    try:
        return _invoke(arguments, settings)
    except BrokenPipeError:  # who read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except Exception as error:  # noqa: BLE001 - the one place where every failure becomes a line and a code
        return _failed(error, settings)


def _invoke(arguments: list[str] | None, settings: Settings) -> int:
    if "--debug" in (sys.argv[1:] if arguments is None else arguments):
        import logging

        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    result = program().main(arguments, prog_name="mlops", standalone_mode=False, obj=settings)
    return result if isinstance(result, int) else 0


def _failed(error: Exception, settings: Settings) -> int:
    known = _known(error, settings)
    if settings.debug or known is None:
        import traceback

        traceback.print_exception(error)
    if known is None:
        known = CliError(
            f"{type(error).__name__}: {error}", next_step="this is a fault of mlops: please report it"
        )
    if known.detail:
        click.echo(known.detail.rstrip(), err=True)
    click.secho(f"mlops: {known.line}", err=True, fg=None if "NO_COLOR" in os.environ else "red")
    return known.code or OTHER


def _known(error: Exception, settings: Settings) -> CliError | None:
    if isinstance(error, CliError):
        return error
    module: Any = type(error).__module__
    if module.startswith(("botocore", "boto3")):
        from cli.errors import from_botocore

        return from_botocore(error, endpoint_url=settings.endpoint_url or os.environ.get("AWS_ENDPOINT_URL"))
    return None
