"""The manual approval action: tells its topic, then waits for PutApprovalResult, seven days at most.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

from sandbox.services.codepipeline.actions.context import Context

DAYS = 7 * 24 * 3600.0


def run(context: Context) -> None:
    if "token" not in context.action["result"]:
        _ask(context)
    topic = context.configuration.get("NotificationArn")
    if topic and not context.state.get("notified"):
        # A kill between the two tells the topic twice, never not at all.
        _notify(context, topic)
        context.state["notified"] = True
        context.save()


def _seconds(context: Context) -> float:
    """For which the approval may be given."""
    declared = next(
        action
        for stage in context.declaration["stages"]
        if stage["name"] == context.action["stageName"]
        for action in stage["actions"]
        if action["name"] == context.action["actionName"]
    )
    minutes = declared.get("timeoutInMinutes")
    return minutes * 60.0 if minutes else DAYS


def _ask(context: Context) -> None:
    with context.engine.store.transaction():
        context.action["result"]["token"] = str(uuid.uuid4())
        context.save()
        context.engine.tasks.submit(
            "codepipeline.approval-timeout",
            context.pipelines.task_key(context.pipelines.action_key(context.action)),
            after=context.engine.clock.scaled(_seconds(context)),
        )


def _notify(context: Context, topic: str) -> None:
    """As the action's role. botocore's ClientError where it may not publish: the action fails."""
    action, configuration = context.action, context.configuration
    region, pipeline = context.pipelines.region, action["pipelineName"]
    console = f"https://console.aws.amazon.com/codepipeline/home?region={region}#/view/{pipeline}"
    token = action["result"]["token"]
    expires = datetime.fromtimestamp(context.engine.clock.now() + _seconds(context), UTC)
    approval = {
        "pipelineName": pipeline,
        "stageName": action["stageName"],
        "actionName": action["actionName"],
        "token": token,
        "expires": f"{expires:%Y-%m-%dT%H:%MZ}",
        "externalEntityLink": configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{console}/{action['stageName']}/{action['actionName']}/approve/{token}",
        "customData": configuration.get("CustomData"),
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {pipeline} for action {action['actionName']}"
    message = {"region": region, "consoleLink": console, "approval": approval}
    context.session.client("sns").publish(TopicArn=topic, Subject=subject[:100], Message=json.dumps(message))
