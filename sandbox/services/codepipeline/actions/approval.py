"""The manual approval action: waits for PutApprovalResult, seven days at most.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
"""

from __future__ import annotations

import uuid

from sandbox.services.codepipeline.actions.context import Context

DAYS = 7 * 24 * 3600.0


def run(context: Context) -> None:
    if "token" in context.action["result"]:
        return
    declared = next(
        action
        for stage in context.declaration["stages"]
        if stage["name"] == context.action["stageName"]
        for action in stage["actions"]
        if action["name"] == context.action["actionName"]
    )
    minutes = declared.get("timeoutInMinutes")
    with context.engine.store.transaction():
        context.action["result"]["token"] = str(uuid.uuid4())
        context.save()
        context.engine.tasks.submit(
            "codepipeline.approval-timeout",
            context.pipelines.task_key(context.pipelines.action_key(context.action)),
            after=context.engine.clock.scaled(minutes * 60 if minutes else DAYS),
        )
