"""Actions: the modes of CloudFormation, several artifacts of CodeBuild, triggers, automatic retry, conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.codepipeline.conftest import ACCOUNT, REGION, World, trust, until
from tests.sandbox.codepipeline.test_executions import rule


def stack(world: World) -> dict[str, Any] | None:
    stacks = world.client("cloudformation").describe_stacks()["Stacks"]
    return next((s for s in stacks if s["StackName"] == f"{world.name}-stack"), None)


def stage_of(world: World, *configurations: dict[str, str]) -> dict[str, Any]:
    """One stage whose stack actions follow one another; a None leaves a key out."""
    base = world.deploy()
    actions = []
    for order, configuration in enumerate(configurations, start=1):
        [action] = world.deploy("Deploy", configuration)["actions"]
        kept = {name: value for name, value in action["configuration"].items() if value}
        actions.append(
            action
            | {"name": f"Stack{order}", "runOrder": order, "configuration": kept, "namespace": f"N{order}"}
        )
    return base | {"actions": actions}


def test_change_sets_then_delete(world: World) -> None:
    change_set = {"ChangeSetName": "proposed"}
    execute = {
        "ActionMode": "CHANGE_SET_EXECUTE",
        "TemplatePath": "",
        "TemplateConfiguration": "",
        "RoleArn": "",
    }
    stage = stage_of(world, change_set | {"ActionMode": "CHANGE_SET_REPLACE"}, change_set | execute)
    first = world.create(world.source(), world.build(), stage)
    assert world.finished(first)["status"] == "Succeeded", world.actions(
        world.executions()[0]["pipelineExecutionId"]
    )
    assert world.actions(first)["Stack2"]["output"]["outputVariables"] == {"Stored": "one"}
    # Without a change neither action fails.
    assert world.finished(world.start())["status"] == "Succeeded", world.actions(
        world.executions()[0]["pipelineExecutionId"]
    )
    delete = stage_of(world, {"ActionMode": "DELETE_ONLY", "TemplatePath": "", "TemplateConfiguration": ""})
    delete["actions"][0]["inputArtifacts"] = []
    world.client("codepipeline").update_pipeline(
        pipeline=world.declaration(world.source(), world.build(), delete)
    )
    assert world.finished(world.start())["status"] == "Succeeded", world.actions(
        world.executions()[0]["pipelineExecutionId"]
    )
    assert stack(world) is None
    assert world.finished(world.start())["status"] == "Succeeded", world.actions(
        world.executions()[0]["pipelineExecutionId"]
    )


def test_a_failed_stack_is_replaced(world: World) -> None:
    broken = "Resources:\n  Bad:\n    Type: AWS::SSM::Parameter\n    Properties: {Name: elsewhere, Type: String, Value: x}\n"
    good = (
        world.client("codecommit")
        .get_file(repositoryName=world.name, filePath="template.yaml")["fileContent"]
        .decode()
    )
    world.push(template__yaml=broken, build__sh="echo '{}' >config.json")
    first = world.create(
        world.source(), world.build(), world.deploy("Deploy", {"ActionMode": "REPLACE_ON_FAILURE"})
    )
    assert world.finished(first)["status"] == "Failed"
    message = world.actions(first)["Stack"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "First failed resource: Bad (AWS::SSM::Parameter)" in message
    assert "ssm:PutParameter" in message
    world.push(template__yaml=good, build__sh="""echo '{"Parameters": {"Value": "good"}}' >config.json""")
    assert world.finished(world.start())["status"] == "Succeeded", world.actions(
        world.executions()[0]["pipelineExecutionId"]
    )
    found = stack(world)
    assert found
    assert found["StackStatus"] == "CREATE_COMPLETE"


def test_overrides_outputs_and_tags(world: World) -> None:
    world.push(
        build__sh="""echo '{"Tags": {"team": "a"}}' >config.json; echo '{"word": "fromfile"}' >values.json"""
    )
    overrides = {"Value": {"Fn::GetParam": ["BuildOutput", "values.json", "word"]}}
    stage = world.deploy(
        "Deploy", {"ParameterOverrides": json.dumps(overrides), "OutputFileName": "outputs.json"}
    )
    stage["actions"][0]["outputArtifacts"] = [{"name": "StackOutput"}]
    first = world.create(world.source(), world.build(), stage)
    assert world.finished(first)["status"] == "Succeeded", world.actions(
        world.executions()[0]["pipelineExecutionId"]
    )
    found = stack(world)
    assert found
    assert found["Tags"] == [{"Key": "team", "Value": "a"}]
    assert found["Parameters"] == [{"ParameterKey": "Value", "ParameterValue": "fromfile"}]
    [artifact] = world.actions(first)["Stack"]["output"]["outputArtifacts"]
    location = artifact["s3location"]
    body = world.client("s3").get_object(Bucket=location["bucket"], Key=location["key"])["Body"].read()
    assert b"outputs.json" in body


def test_missing_template_is_named(world: World) -> None:
    first = world.create(
        world.source(), world.build(), world.deploy("Deploy", {"TemplatePath": "BuildOutput::none.yaml"})
    )
    assert world.finished(first)["status"] == "Failed"
    message = world.actions(first)["Stack"]["output"]["executionResult"]["errorDetails"]["message"]
    assert message == "File [none.yaml] does not exist in artifact [BuildOutput]"


def test_several_artifacts_under_the_projects_key(world: World) -> None:
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    statement = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key}
    for role in ("pipeline", "build"):
        world.client("iam").put_role_policy(
            RoleName=f"{world.name}-{role}",
            PolicyName="key",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
    spec = """version: 0.2
phases:
  build:
    commands:
      - cat "$CODEBUILD_SRC_DIR_First/one.txt" "$CODEBUILD_SRC_DIR/version.txt" >both.txt
      - echo "$WORD" >word.txt
artifacts:
  secondary-artifacts:
    Left: {files: [both.txt]}
    Right: {files: [word.txt]}
"""
    world.push(
        first__yml="version: 0.2\nphases: {build: {commands: ['echo made >one.txt']}}\nartifacts: {files: [one.txt]}\n",
        second__yml=spec,
    )
    builds = world.client("codebuild")
    base = builds.batch_get_projects(names=[world.name])["projects"][0]
    builds.update_project(name=world.name, source={"type": "CODEPIPELINE", "buildspec": "first.yml"})
    stage = world.build()
    [make] = stage["actions"]
    first = make | {"name": "First", "outputArtifacts": [{"name": "First"}], "namespace": "F"}
    variables = json.dumps([{"name": "WORD", "value": "#{SourceVariables.BranchName}", "type": "PLAINTEXT"}])
    second = make | {
        "name": "Second",
        "runOrder": 2,
        "inputArtifacts": [{"name": "SourceOutput"}, {"name": "First"}],
        "outputArtifacts": [{"name": "Left"}, {"name": "Right"}],
        "configuration": {
            "ProjectName": f"{world.name}b",
            "PrimarySource": "SourceOutput",
            "EnvironmentVariables": variables,
        },
        "namespace": "S",
    }
    builds.create_project(
        name=f"{world.name}b",
        source={"type": "CODEPIPELINE", "buildspec": "second.yml"},
        artifacts={"type": "CODEPIPELINE"},
        environment={n: base["environment"][n] for n in ("type", "image", "computeType")},
        serviceRole=base["serviceRole"],
    )
    statement = {
        "Effect": "Allow",
        "Action": "codebuild:*",
        "Resource": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{world.name}b",
    }
    world.client("iam").put_role_policy(
        RoleName=f"{world.name}-pipeline",
        PolicyName="b",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    store = {"type": "S3", "location": "pipeline-tests-store", "encryptionKey": {"id": key, "type": "KMS"}}
    execution = world.create(world.source(), stage | {"actions": [first, second]}, artifactStore=store)
    assert world.finished(execution)["status"] == "Succeeded", world.actions(execution)
    made = {
        a["name"]: a["s3location"] for a in world.actions(execution)["Second"]["output"]["outputArtifacts"]
    }
    assert set(made) == {"Left", "Right"}
    for location in made.values():
        head = world.client("s3").head_object(Bucket=location["bucket"], Key=location["key"])
        assert head["SSEKMSKeyId"] == key


def test_a_push_starts_the_pipeline_through_a_rule(world: World) -> None:
    first = world.create(world.source(), world.approval(), executionMode="SUPERSEDED")
    world.token()
    arn = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{world.name}"
    role = world.client("iam").create_role(
        RoleName=f"{world.name}-rule", AssumeRolePolicyDocument=trust("events.amazonaws.com")
    )["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": "codepipeline:StartPipelineExecution", "Resource": arn}
    world.client("iam").put_role_policy(
        RoleName=f"{world.name}-rule",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    events = world.client("events")
    pattern = {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": [f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{world.name}"],
        "detail": {
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": ["main"],
        },
    }
    rule_arn = events.put_rule(Name=world.name, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=world.name, Targets=[{"Id": "p", "Arn": arn, "RoleArn": role}])
    world.push(version__txt="9")
    newest = until(lambda: (e := world.executions()[0])["pipelineExecutionId"] != first and e, 20)
    assert newest["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": rule_arn}
    until(lambda: world.executions()[0]["sourceRevisions"], 20)
    assert world.executions()[0]["sourceRevisions"][0]["revisionId"] == world.commit
    assert len(world.executions()) == 2


def test_a_polling_source_sees_a_push(world: World) -> None:
    world.create(world.source(PollForSourceChanges="true"), world.approval(), executionMode="SUPERSEDED")
    world.token()
    world.push(version__txt="9")
    until(lambda: len(world.executions()) == 2, 20)
    assert world.executions()[0]["trigger"]["triggerType"] == "PollForSourceChanges"


def test_automatic_retry_is_made_once(world: World) -> None:
    world.push(build__sh="exit 7")
    first = world.create(world.source(), world.build(onFailure={"result": "RETRY"}))
    assert world.finished(first)["status"] == "Failed"
    details = world.client("codepipeline").list_action_executions(pipelineName=world.name)[
        "actionExecutionDetails"
    ]
    assert [d["status"] for d in details if d["actionName"] == "Build"] == ["Failed", "Failed"]
    assert world.state()["Build"]["retryStageMetadata"]["latestRetryTrigger"] == "AutomatedStageRetry"


def test_success_condition_fails_the_stage(world: World) -> None:
    gate = rule("#{BuildVariables.VERSION}", "MATCHES", "[0-9]+", "FAIL")
    world.push(version__txt="x")
    first = world.create(world.source(), world.build(onSuccess=gate))
    assert world.finished(first)["status"] == "Failed"
    assert world.actions(first)["Build"]["status"] == "Succeeded"
    assert world.state()["Build"]["onSuccessConditionState"]["latestExecution"]["status"] == "Failed"


@pytest.mark.parametrize("minutes", [5])
def test_an_approval_that_nobody_gives_fails(world: World, minutes: int) -> None:
    stage = world.approval()
    stage["actions"][0]["timeoutInMinutes"] = minutes  # half a second on the clock of these tests
    first = world.create(world.source(), stage)
    assert world.finished(first, 20)["status"] == "Failed"


def test_an_approval_tells_its_topic(world: World) -> None:
    sns, sqs = world.client("sns"), world.client("sqs")
    topic = sns.create_topic(Name=world.name)["TopicArn"]
    url = sqs.create_queue(QueueName=world.name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    stage = world.approval()
    stage["actions"][0]["configuration"] = {"NotificationArn": topic, "CustomData": "look"}
    refused = world.create(world.source(), stage)
    assert world.finished(refused)["status"] == "Failed"
    problem = world.actions(refused)["Gate"]["output"]["executionResult"]["errorDetails"]
    assert problem["code"] == "PermissionError"
    assert "sns:Publish" in problem["message"]
    may = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    world.client("iam").put_role_policy(
        RoleName=world.role.rpartition("/")[2],
        PolicyName="topic",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]}),
    )
    world.start()
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    notification = json.loads(message["Body"])
    assert notification["Subject"] == f"APPROVAL NEEDED: AWS CodePipeline {world.name} for action Gate"
    approval = json.loads(notification["Message"])["approval"]
    assert (approval["customData"], approval["token"]) == ("look", world.token())
