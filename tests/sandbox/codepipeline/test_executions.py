"""Executions through the API: from a commit to a stack, gates, modes, retry, stop, rollback."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.codepipeline.conftest import World, until


def rule(variable: str, operator: str, value: str, result: str) -> dict[str, Any]:
    configuration = {"Variable": variable, "Operator": operator, "Value": value}
    kind = {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"}
    return {
        "conditions": [
            {
                "result": result,
                "rules": [{"name": "Check", "ruleTypeId": kind, "configuration": configuration}],
            }
        ]
    }


def test_from_commit_to_stack(world: World) -> None:
    first = world.create(world.source(), world.build(), world.deploy())
    execution = world.finished(first)
    assert execution["status"] == "Succeeded", world.state()
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert execution["artifactRevisions"][0]["revisionId"] == world.commit
    actions = world.actions(first)
    assert actions["Build"]["output"]["outputVariables"] == {"VERSION": "1", "COMMIT": world.commit}
    assert actions["Stack"]["output"]["outputVariables"] == {"Stored": "one"}
    assert world.client("ssm").get_parameter(Name=world.name)["Parameter"]["Value"] == "one"
    build_id = actions["Build"]["output"]["executionResult"]["externalExecutionId"]
    [build] = world.client("codebuild").batch_get_builds(ids=[build_id])["builds"]
    assert build["initiator"] == f"codepipeline/{world.name}"
    assert build["resolvedSourceVersion"] == world.commit
    # Nothing to update is no failure.
    second = world.start()
    assert world.finished(second)["status"] == "Succeeded"
    # A change of a parameter reaches the stack.
    world.push(build__sh="""echo '{"Parameters": {"Value": "two"}}' >config.json""")
    assert world.finished(world.start())["status"] == "Succeeded"
    assert world.client("ssm").get_parameter(Name=world.name)["Parameter"]["Value"] == "two"
    [newest, *_] = world.executions()
    assert newest["sourceRevisions"][0]["revisionId"] == world.commit


def test_failures_name_their_cause(world: World) -> None:
    world.push(build__sh="""echo '{"Parameters": {"Value": "NOT LOWER"}}' >config.json""")
    first = world.create(world.source(), world.build(), world.deploy())
    assert world.finished(first)["status"] == "Failed"
    error = world.actions(first)["Stack"]["output"]["executionResult"]["errorDetails"]
    assert "Value" in error["message"]
    assert "[a-z0-9]+" in error["message"]
    world.push(build__sh="exit 7")
    second = world.start()
    assert world.finished(second)["status"] == "Failed"
    error = world.actions(second)["Build"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "JobFailed"
    assert (
        "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR" in error["message"]
    )
    assert "sh build.sh. Reason: exit status 7" in error["message"]
    state = world.state()
    assert state["Build"]["latestExecution"] == {
        "pipelineExecutionId": second,
        "status": "Failed",
        "type": "STANDARD",
    }
    assert state["Deploy"]["latestExecution"]["pipelineExecutionId"] == first


def test_retry_of_a_failed_stage(world: World) -> None:
    world.push(build__sh="exit 7")
    first = world.create(world.source(), world.build(), world.deploy())
    assert world.finished(first)["status"] == "Failed"
    with pytest.raises(ClientError, match="StageNotRetryableException"):
        world.client("codepipeline").retry_stage_execution(
            pipelineName=world.name, stageName="Source", pipelineExecutionId=first, retryMode="FAILED_ACTIONS"
        )
    # The cause is mended outside of the source: the project gets another buildspec.
    spec = 'version: 0.2\nphases:\n  build:\n    commands:\n      - echo \'{"Parameters":{"Value":"mended"}}\' >config.json\nartifacts:\n  files: [\'*.json\', template.yaml]\n'
    world.client("codebuild").update_project(
        name=world.name, source={"type": "CODEPIPELINE", "buildspec": spec}
    )
    world.client("codepipeline").retry_stage_execution(
        pipelineName=world.name, stageName="Build", pipelineExecutionId=first, retryMode="FAILED_ACTIONS"
    )
    assert world.finished(first)["status"] == "Succeeded", world.state()
    assert world.client("ssm").get_parameter(Name=world.name)["Parameter"]["Value"] == "mended"
    assert world.state()["Build"]["retryStageMetadata"]["manualStageRetryAttempt"] == 1


def test_approval(world: World) -> None:
    first = world.create(world.source(), world.approval(), world.approval("Second"))
    token = world.token()
    detail = world.actions(first)["Gate"]
    assert detail["input"]["resolvedConfiguration"]["CustomData"] == f"version {world.commit}"
    with pytest.raises(ClientError, match="InvalidApprovalTokenException"):
        world.answer("Approved", "00000000-0000-0000-0000-000000000000")
    world.answer("Approved", token)
    with pytest.raises(ClientError, match="ApprovalAlreadyCompletedException"):
        world.answer("Approved", token)
    world.answer("Rejected", world.token("Second"), "Second")
    assert world.finished(first)["status"] == "Failed"
    latest = world.state()["Second"]["actionStates"][0]["latestExecution"]
    assert latest["status"] == "Failed"
    assert latest["lastUpdatedBy"].endswith(":root")


def test_entry_condition_skips_a_stage(world: World) -> None:
    gate = rule("#{BuildVariables.VERSION}", "NE", "none", "SKIP")
    world.push(version__txt="none")
    first = world.create(
        world.source(), world.build(), world.deploy(beforeEntry=gate), world.approval(beforeEntry=gate)
    )
    assert world.finished(first)["status"] == "Succeeded", world.state()
    state = world.state()
    assert state["Deploy"]["latestExecution"]["status"] == "Skipped"
    assert state["Approve"]["latestExecution"]["status"] == "Skipped"
    assert state["Deploy"]["beforeEntryConditionState"]["latestExecution"]["status"] == "Failed"
    assert "Stack" not in world.actions(first)
    rules = world.client("codepipeline").list_rule_executions(pipelineName=world.name)["ruleExecutionDetails"]
    assert {r["status"] for r in rules} == {"Failed"}
    assert rules[0]["input"]["resolvedConfiguration"]["Variable"] == "none"
    world.push(version__txt="3")
    second = world.start()
    world.answer("Approved", world.token())
    assert world.finished(second)["status"] == "Succeeded"


def test_entry_condition_fails_a_stage(world: World) -> None:
    gate = rule("#{SourceVariables.BranchName}", "EQ", "release", "FAIL")
    first = world.create(world.source(), world.approval(beforeEntry=gate))
    assert world.finished(first)["status"] == "Failed"
    assert world.state()["Approve"]["latestExecution"]["status"] == "Failed"


def test_unresolved_variable_fails_the_action(world: World) -> None:
    stage = world.approval()
    stage["actions"][0]["configuration"] = {"CustomData": "#{Nobody.Knows}"}
    first = world.create(world.source(), stage)
    assert world.finished(first)["status"] == "Failed"
    error = world.actions(first)["Gate"]["output"]["executionResult"]["errorDetails"]
    assert "could not be resolved" in error["message"]


def test_queued_executions_wait_their_turn(world: World) -> None:
    first = world.create(world.source(), world.approval())
    first_token = world.token()
    second, third = world.start(), world.start()
    until(
        lambda: len(world.state()["Approve"].get("inboundExecutions", [])) == 2,
        20,
        lambda: str(world.state()),
    )
    assert world.state()["Approve"]["inboundExecution"]["pipelineExecutionId"] == second
    world.answer("Approved", first_token)
    world.finished(first)
    until(lambda: world.state()["Approve"]["latestExecution"]["pipelineExecutionId"] == second, 20)
    assert world.execution(third)["status"] == "InProgress"


def test_superseded_executions(world: World) -> None:
    first = world.create(world.source(), world.approval(), executionMode="SUPERSEDED")
    token = world.token()
    second = world.start()
    until(lambda: "inboundExecution" in world.state()["Approve"], 20)
    third = world.start()
    assert world.finished(second)["status"] == "Superseded"
    world.answer("Approved", token)
    assert world.finished(first)["status"] == "Succeeded"
    until(lambda: world.state()["Approve"]["latestExecution"]["pipelineExecutionId"] == third, 20)


def test_parallel_executions_do_not_wait(world: World) -> None:
    world.create(world.source(), world.approval(), executionMode="PARALLEL")
    world.token()
    second = world.start()
    until(lambda: "Gate" in world.actions(second), 20)


def test_stop_and_abandon(world: World) -> None:
    first = world.create(world.source(), world.approval())
    token = world.token()
    client = world.client("codepipeline")
    client.stop_pipeline_execution(pipelineName=world.name, pipelineExecutionId=first, reason="mind changed")
    assert world.execution(first)["status"] == "Stopping"
    with pytest.raises(ClientError, match="DuplicatedStopRequestException"):
        client.stop_pipeline_execution(pipelineName=world.name, pipelineExecutionId=first)
    world.answer("Approved", token)
    assert world.finished(first)["status"] == "Stopped"
    second = world.start()
    world.token()
    client.stop_pipeline_execution(
        pipelineName=world.name, pipelineExecutionId=second, abandon=True, reason="now"
    )
    assert world.finished(second)["status"] == "Stopped"
    assert world.actions(second)["Gate"]["status"] == "Abandoned"
    assert world.executions()[0]["stopTrigger"] == {"reason": "now"}
    with pytest.raises(ClientError, match="PipelineExecutionNotStoppableException"):
        client.stop_pipeline_execution(pipelineName=world.name, pipelineExecutionId=second)


def test_disabled_transition_holds_executions(world: World) -> None:
    first = world.create(world.source(), world.approval())
    world.answer("Approved", world.token())
    world.finished(first)
    client = world.client("codepipeline")
    client.disable_stage_transition(
        pipelineName=world.name, stageName="Approve", transitionType="Inbound", reason="freeze"
    )
    second = world.start()
    until(lambda: "inboundExecution" in world.state()["Approve"], 20)
    transition = world.state()["Approve"]["inboundTransitionState"]
    assert (transition["enabled"], transition["disabledReason"]) == (False, "freeze")
    client.enable_stage_transition(pipelineName=world.name, stageName="Approve", transitionType="Inbound")
    world.answer("Approved", world.token())
    assert world.finished(second)["status"] == "Succeeded"


def test_rollback_deploys_what_succeeded_before(world: World) -> None:
    first = world.create(world.source(), world.build(), world.deploy())
    assert world.finished(first)["status"] == "Succeeded"
    world.push(build__sh="""echo '{"Parameters": {"Value": "two"}}' >config.json""")
    assert world.finished(world.start())["status"] == "Succeeded"
    client = world.client("codepipeline")
    rollback = client.rollback_stage(
        pipelineName=world.name, stageName="Deploy", targetPipelineExecutionId=first
    )
    execution = world.finished(rollback["pipelineExecutionId"])
    assert execution["status"] == "Succeeded"
    assert execution["executionType"] == "ROLLBACK"
    assert execution["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert world.client("ssm").get_parameter(Name=world.name)["Parameter"]["Value"] == "one"


def test_failure_rolls_back_by_itself(world: World) -> None:
    stages = (world.source(), world.build(), world.deploy(onFailure={"result": "ROLLBACK"}))
    first = world.create(*stages)
    assert world.finished(first)["status"] == "Succeeded"
    world.push(build__sh="""echo '{"Parameters": {"Value": "BAD"}}' >config.json""")
    second = world.start()
    assert world.finished(second)["status"] == "Failed"
    [newest, *_] = world.executions()
    assert newest["trigger"] == {"triggerType": "AutomatedRollback", "triggerDetail": second}
    assert world.finished(newest["pipelineExecutionId"])["status"] == "Succeeded"


def test_variables_tokens_and_pinned_revisions(world: World) -> None:
    variables = [{"name": "word", "defaultValue": "default"}]
    stage = world.approval()
    stage["actions"][0]["configuration"] = {
        "CustomData": "#{variables.word} #{codepipeline.PipelineExecutionId}"
    }
    old = world.commit
    world.push(version__txt="2")
    world.create(world.source(), stage, variables=variables, executionMode="PARALLEL")
    revisions = [{"actionName": "Checkout", "revisionType": "COMMIT_ID", "revisionValue": old}]
    arguments: dict[str, Any] = {
        "variables": [{"name": "word", "value": "given"}],
        "sourceRevisions": revisions,
        "clientRequestToken": "once",
    }
    second = world.start(**arguments)
    assert world.start(**arguments) == second
    until(lambda: "Gate" in world.actions(second), 20)
    assert world.actions(second)["Gate"]["input"]["resolvedConfiguration"]["CustomData"] == f"given {second}"
    assert world.execution(second)["artifactRevisions"][0]["revisionId"] == old
    with pytest.raises(ClientError, match="does not declare the variable"):
        world.start(variables=[{"name": "other", "value": "x"}])


def test_a_role_without_the_permission_fails_the_action(world: World) -> None:
    world.client("iam").put_role_policy(
        RoleName=f"{world.name}-pipeline",
        PolicyName="deny",
        PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"codecommit:UploadArchive","Resource":"*"}}',
    )
    first = world.create(world.source(), world.approval())
    assert world.finished(first)["status"] == "Failed"
    error = world.actions(first)["Checkout"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "PermissionError"
    assert "codecommit:UploadArchive" in error["message"]


def test_kill_in_the_middle(world: World) -> None:
    first = world.create(world.source(), world.build(), world.deploy())
    until(lambda: world.actions(first).get("Build"), 20)
    world.sandbox.kill()
    world.sandbox.start_again()
    assert world.finished(first)["status"] == "Succeeded", world.state()
    builds = world.client("codebuild").list_builds_for_project(projectName=world.name)["ids"]
    assert len(builds) == 1


def test_delete_pipeline(world: World) -> None:
    world.create(world.source(), world.approval())
    world.token()
    client = world.client("codepipeline")
    client.delete_pipeline(name=world.name)
    with pytest.raises(ClientError, match="PipelineNotFoundException"):
        client.get_pipeline_state(name=world.name)
