"""Options that every command takes, before or after its name, as with the AWS CLI."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cli.access import Access
    from cli.progress import Progress
    from cli.waiting import Waiter

OUTPUTS = ("json", "table", "text")


@dataclass
class Settings:
    """What the options say; sessions and the rest are made when they are first needed."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    output: str = field(default_factory=lambda: os.environ.get("AWS_DEFAULT_OUTPUT", "table"))
    query: str | None = None
    debug: bool = False
    yes: bool = False

    @cached_property
    def access(self) -> Access:
        """Who asks, and where."""
        from cli.access import Access

        return Access(self.profile, self.region, self.endpoint_url)

    @cached_property
    def progress(self) -> Progress:
        """What is told on stderr."""
        from cli.progress import Progress

        return Progress()

    def waiter(self, timeout: float = 3600.0) -> Waiter:
        """Asks at the pace that the endpoint allows."""
        from cli.waiting import Pace, Waiter

        return Waiter(Pace.of(local=self.access.is_local, timeout=timeout))

    def write(self, document: Any) -> None:
        """A document on stdout."""
        from cli.output import write

        write(document, output=self.output if self.output in OUTPUTS else "table", query=self.query)

    def confirm(self, question: str) -> None:
        """Ask before what cannot be undone; off a terminal `--yes` is needed, as nobody could answer."""
        import sys

        from cli.errors import INTERRUPTED, USAGE, CliError

        if self.yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise CliError(f"{question} Nobody can answer here", next_step="give --yes", code=USAGE)
        if not click.confirm(question, err=True):
            raise CliError("nothing was done", code=INTERRUPTED)


def settings_of(context: click.Context) -> Settings:
    """The one Settings of this run."""
    settings = context.find_root().ensure_object(Settings)
    assert isinstance(settings, Settings)
    return settings


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value not in (None, False) and parameter.name:
        setattr(settings_of(context), parameter.name, value)


def _option(*names: str, **attributes: Any) -> click.Option:
    return click.Option(list(names), expose_value=False, callback=_remember, **attributes)


def shared_options() -> list[click.Option]:
    """New objects for each command: click gives them state."""
    return [
        _option("--profile", metavar="NAME", help="Profile of the AWS config and credentials files."),
        _option("--region", metavar="NAME", help="AWS region."),
        _option(
            "--endpoint-url", metavar="URL", help="Another endpoint for all services, such as a sandbox's."
        ),
        _option("--output", type=click.Choice(OUTPUTS), help="Form of the answer (default: table)."),
        _option("--query", metavar="JMESPATH", help="Part of the answer to print."),
        _option("--debug", is_flag=True, help="Show the trace of a failure and the AWS client's log."),
        _option("--yes", "-y", is_flag=True, help="Do not ask."),
    ]


class Command(click.Command):
    """A command that also takes the shared options."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params = [*self.params, *shared_options()]


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


def with_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hands the run's Settings to a command as its first argument."""
    from functools import update_wrapper

    @click.pass_context
    def call(context: click.Context, *arguments: Any, **keywords: Any) -> Any:
        return context.invoke(function, settings_of(context), *arguments, **keywords)

    return update_wrapper(call, function)
