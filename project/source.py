"""A repository with its seed, and the rule that starts a pipeline on a push to it."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from project.project import Project
from project.stages import BRANCH, SOURCE_ACTION
from project.storage import keep


@dataclass(frozen=True)
class Seed:
    """A zip in S3. CodeCommit reads it once, when CloudFormation creates the repository."""

    bucket: str
    key: str


def add_repository(
    scope: Construct, *, project: Project, name: str, description: str, seed: Seed, logical_id: str
) -> codecommit.CfnRepository:
    """Add a repository that outlives the project's stack.

    CloudFormation uses `Code` only on creation: a later seed reaches a living repository as a merge, not as a
    stack update.
    """
    repository = codecommit.CfnRepository(
        scope,
        "Repository",
        repository_name=name,
        repository_description=description,
        code=codecommit.CfnRepository.CodeProperty(
            branch_name=BRANCH, s3=codecommit.CfnRepository.S3Property(bucket=seed.bucket, key=seed.key)
        ),
    )
    keep(repository, logical_id)
    return repository


def add_push_rule(
    scope: Construct,
    *,
    project: Project,
    event: str,
    repository: codecommit.CfnRepository,
    pipeline: codepipeline.CfnPipeline,
    role: iam.CfnRole,
    pin_commit: bool,
) -> events.CfnRule:
    """Start `pipeline` when the branch moves.

    With `pin_commit` each execution builds the commit it was started for; without, the branch's head (which
    is right where only the newest state counts).
    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html
    """
    commit_of_event = events.CfnRule.InputTransformerProperty(
        input_paths_map={"revisionValue": "$.detail.commitId"},
        input_template=(
            f'{{"sourceRevisions": [{{"actionName": "{SOURCE_ACTION}", "revisionType": "COMMIT_ID",'
            ' "revisionValue": "<revisionValue>"}]}'
        ),
    )
    pattern: dict[str, Any] = {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": [repository.attr_arn],
        "detail": {
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": [BRANCH],
        },
    }
    return events.CfnRule(
        scope,
        "PushRule",
        name=project.names.rule(event),
        description=f"A push to {BRANCH} of {repository.repository_name} starts its pipeline",
        state="ENABLED",
        event_pattern=pattern,
        targets=[
            events.CfnRule.TargetProperty(
                id="pipeline",
                arn=project.arns.of("codepipeline", pipeline.ref),
                role_arn=role.attr_arn,
                input_transformer=commit_of_event if pin_commit else None,
            )
        ],
    )
