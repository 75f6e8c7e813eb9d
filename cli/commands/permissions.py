"""`mlops permissions …`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.options import Group, Settings, with_settings


@click.group(cls=Group)
def permissions() -> None:
    """What the principals of a sandbox called, and what they were granted."""


@permissions.command()
@click.argument("names", nargs=-1, metavar="[ROLE]…")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the sandbox (default: ~/.local/state/…).",
)
@click.option("--check", is_flag=True, help="Exit code 1 if a call was unmapped.")
@with_settings
def report(settings: Settings, names: tuple[str, ...], state: Path | None, check: bool) -> None:
    """Calls per role, unmapped ones, actions granted but unused. ROLE: a name or pattern (`sagemaker-*`).

    Documented: granted and unused here, but AWS documents that the role's service, or CloudFormation's
    handlers of the types that the role made, may call it.
    """
    from cli.errors import CHECK_NOT_MET, CliError
    from sandbox import permissions as of_sandbox

    found = of_sandbox.report(state, names=names or ("*",))
    settings.write(
        {
            "Unmapped": found.unmapped,
            "Granted": found.granted,
            "Unused": f"{found.unused} ({found.unused_share:.1%})",
            "Principals": [_row(item) for item in found.principals],
            "GrantedButUnused": [
                {"Principal": item.name, "Actions": sorted(item.unused)}
                for item in found.principals
                if item.unused
            ],
            "Refused": _counted("Action", {item.name: item.refused for item in found.principals}),
            "UnmappedCalls": _counted("Action", {item.name: item.unmapped for item in found.principals}),
        }
    )
    if check and found.unmapped:
        raise CliError(
            f"{found.unmapped} calls could not be told apart for IAM",
            next_step="the report's UnmappedCalls name them",
            code=CHECK_NOT_MET,
        )


def _row(item: Any) -> dict[str, Any]:
    known = item.granted is not None
    return {
        "Principal": item.name,
        "Calls": sum(item.calls.values()),
        "Actions": len(item.used),
        "Granted": len(item.granted) if known else None,
        "Documented": len(item.reserved) if known else None,
        "Unused": len(item.unused) if known else None,
        "Refused": sum(item.refused.values()),
        "Unmapped": sum(item.unmapped.values()),
    }


def _counted(what: str, by_principal: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    return [
        {"Principal": principal, what: name, "Times": times}
        for principal, counts in by_principal.items()
        for name, times in sorted(counts.items())
    ]
