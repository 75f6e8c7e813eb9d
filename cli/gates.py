"""Manual approvals that pipelines wait for.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from cli import executions
from cli.access import Access
from cli.errors import CHECK_NOT_MET, CliError
from cli.waiting import Waiter
from project.names import Names

IDLE_SECONDS = 20.0
"""How long after an approval of a model its deployment may take to start."""


@dataclass(frozen=True)
class Gate:
    """An approval action that waits for an answer."""

    pipeline: str
    stage: str
    action: str
    execution: str
    token: str

    def answer(self, access: Access, status: str, summary: str) -> dict[str, Any]:
        """`status` is Approved or Rejected."""
        access.client("codepipeline").put_approval_result(
            pipelineName=self.pipeline,
            stageName=self.stage,
            actionName=self.action,
            result={"summary": summary, "status": status},
            token=self.token,
        )
        return {
            "Pipeline": self.pipeline,
            "Stage": self.stage,
            "Action": self.action,
            "ExecutionId": self.execution,
            "Status": status,
            "Summary": summary,
        }


def find(access: Access, pipeline: str) -> list[Gate]:
    """Gates of a pipeline that wait now."""
    state = access.client("codepipeline").get_pipeline_state(name=pipeline)
    return [
        Gate(
            pipeline,
            stage["stageName"],
            action["actionName"],
            stage["latestExecution"]["pipelineExecutionId"],
            token,
        )
        for stage in state["stageStates"]
        for action in stage.get("actionStates", [])
        if (token := action.get("latestExecution", {}).get("token"))
        and action["latestExecution"].get("status") == "InProgress"
    ]


def await_gate(access: Access, names: Names, waiter: Waiter) -> Gate:
    """The gate of the deploy pipeline, also one that a deployment has yet to reach.

    Raises CliError once the newest deployment has ended without one.
    """
    pipeline, since = names.model_deploy, time.monotonic()

    def ask() -> tuple[list[Gate], str]:
        newest = executions.of_code_pipeline(access, pipeline, 1)
        return find(access, pipeline), newest[0]["Status"] if newest else "None"

    def done(state: tuple[list[Gate], str]) -> bool:
        found, status = state
        if not found and status not in executions.RUNNING and time.monotonic() - since > IDLE_SECONDS:
            raise CliError(
                f"{pipeline} waits for no approval; its newest execution: {status}",
                next_step=f"`mlops pipeline describe {names.project} --pipeline modeldeploy`",
                code=CHECK_NOT_MET,
            )
        return bool(found)

    return waiter.until(ask, done, what=f"the gate of {pipeline}")[0][0]
