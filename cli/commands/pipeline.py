"""`mlops pipeline …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.options import Group, Settings, with_settings

if TYPE_CHECKING:
    from project.names import Names

KINDS = {"modelbuild": "model_build", "modeldeploy": "model_deploy", "training": "sagemaker_pipeline"}
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
    """Logs of the builds or jobs of EXECUTION (default: the newest)."""
    from cli.executions import RUNNING, pick
    from cli.logs import Follower

    access, names = settings.access, _names(settings, project)
    found = pick(access, names, execution, _pipeline_name(names, pipeline))
    follower = Follower(access, found, lambda label, line: click.echo(f"{label} | {line}"))

    def ask() -> tuple[str, int]:
        # The status first: once it says the end, what is read after it is complete.
        status = pick(access, names, found["ExecutionId"], found["Pipeline"])["Status"]
        return status, follower.step()

    if follow:
        settings.waiter().until(
            ask, lambda state: state[0] not in RUNNING, what=f"execution {found['ExecutionId']}"
        )
    else:
        follower.step()
    if not follower.shown:
        click.echo(f"execution {found['ExecutionId']} of {found['Pipeline']} wrote no log", err=True)


def _names(settings: Settings, project: str) -> Names:
    from cli import projects

    return projects.find(settings.access, project).names


def _pipeline_name(names: Names, kind: str | None) -> str | None:
    return str(getattr(names, KINDS[kind])) if kind else None
