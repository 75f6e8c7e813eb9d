"""`mlops pipeline …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.options import Group, Settings, with_settings

if TYPE_CHECKING:
    from project.names import Names

KINDS = {"modelbuild": "model_build", "modeldeploy": "model_deploy", "training": "sagemaker_pipeline"}
START_SECONDS = 60.0
"""How long after a push or an approval an execution may take to start."""
PIPELINE = click.option(
    "--pipeline",
    type=click.Choice(list(KINDS)),
    help="Only this one: CodePipeline's two, or SageMaker's (training).",
)


@click.group(cls=Group)
def pipeline() -> None:
    """What builds and deploys: CodePipeline and SageMaker pipeline executions."""


@pipeline.command("list")
@click.argument("project")
@PIPELINE
@with_settings
def list_executions(settings: Settings, project: str, pipeline: str | None) -> None:
    """Executions of all pipelines of PROJECT, newest first."""
    from cli import executions

    names = _names(settings, project)
    wanted = _pipeline_name(names, pipeline)
    found = executions.of_project(settings.access, names, limit=100)
    keys = ("Pipeline", "ExecutionId", "Status", "Started", "Commit", "Name")
    rows = [{key: item.get(key) for key in keys} for item in found if wanted in (None, item["Pipeline"])]
    settings.write({"Executions": rows})


@pipeline.command()
@click.argument("project")
@click.argument("execution", required=False)
@PIPELINE
@with_settings
def describe(settings: Settings, project: str, execution: str | None, pipeline: str | None) -> None:
    """Actions or steps of EXECUTION (default: the newest); id, commit or name, or the start of it."""
    from cli import executions

    access, names = settings.access, _names(settings, project)
    found = executions.pick(access, names, execution, _pipeline_name(names, pipeline))
    parts: dict[str, Any]
    if found.get("ExecutionArn"):
        parts = {
            "Steps": [
                executions.step_summary(step) for step in executions.steps(access, found["ExecutionArn"])
            ]
        }
    else:
        actions = executions.actions(access, found["Pipeline"], found["ExecutionId"])
        parts = {"Actions": [executions.action_summary(action) for action in actions]}
    settings.write({**found, **parts})


@pipeline.command()
@click.argument("project")
@click.argument("execution", required=False)
@PIPELINE
@click.option("--follow", "-f", is_flag=True, help="Go on until the execution ends.")
@with_settings
def logs(settings: Settings, project: str, execution: str | None, pipeline: str | None, follow: bool) -> None:
    """Logs of the builds or jobs of EXECUTION (default: the newest).

    With --follow an execution that is about to start is waited for, and one that fails gives exit code 1.
    """
    from cli import executions
    from cli.errors import CHECK_NOT_MET, CliError
    from cli.logs import Follower

    access, names = settings.access, _names(settings, project)
    wanted = _pipeline_name(names, pipeline)
    waiter = settings.waiter()
    found = (
        executions.await_start(access, names, execution, wanted, waiter.within(START_SECONDS))
        if follow and execution
        else executions.pick(access, names, execution, wanted)
    )
    follower = Follower(access, found, lambda label, line: click.echo(f"{label} | {line}"))

    def ask() -> tuple[str, int]:
        # The status first: once it says the end, what is read after it is complete.
        status = executions.pick(access, names, found["ExecutionId"], found["Pipeline"])["Status"]
        return status, follower.step()

    what = f"execution {found['ExecutionId']} of {found['Pipeline']}"
    status, _ = waiter.until(ask, lambda state: not follow or state[0] not in executions.RUNNING, what=what)
    if not follower.shown:
        click.echo(f"{what} wrote no log", err=True)
    if follow and status != "Succeeded":
        next_step = f"`mlops pipeline describe {project} {found['ExecutionId']}`"
        raise CliError(f"{what}: {status}", next_step=next_step, code=CHECK_NOT_MET)


@pipeline.command()
@click.argument("project")
@click.option("--comment", default="approved", show_default=True, help="Why.")
@with_settings
def approve(settings: Settings, project: str, comment: str) -> None:
    """Open the gate to production, waiting for the deployment to reach it."""
    _answer_gate(settings, project, "Approved", comment)


@pipeline.command()
@click.argument("project")
@click.option("--comment", required=True, help="Why; required.")
@with_settings
def reject(settings: Settings, project: str, comment: str) -> None:
    """Keep the gate to production shut: this deployment ends."""
    _answer_gate(settings, project, "Rejected", comment)


def _answer_gate(settings: Settings, project: str, status: str, comment: str) -> None:
    from cli import gates

    access, names = settings.access, _names(settings, project)
    with settings.progress.stage("gate", f"Gate of {names.model_deploy}"):
        gate = gates.await_gate(access, names, settings.waiter())
    settings.write(gate.answer(access, status, comment))


def _names(settings: Settings, project: str) -> Names:
    from cli import projects

    return projects.find(settings.access, project).names


def _pipeline_name(names: Names, kind: str | None) -> str | None:
    return str(getattr(names, KINDS[kind])) if kind else None
