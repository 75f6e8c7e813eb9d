"""Stages that both pipelines have: the repository's branch, and a CodeBuild project that works on it."""

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline

from project.storage import Storage

BRANCH = "main"
SOURCE_ACTION = "Source"
SOURCE_ARTIFACT = "SourceOutput"


def source_stage(repository: codecommit.CfnRepository) -> codepipeline.CfnPipeline.StageDeclarationProperty:
    """Stage `Source`: the branch as a zip. Pushes come as events, so CodePipeline does not poll."""
    pipeline = codepipeline.CfnPipeline
    return pipeline.StageDeclarationProperty(
        name="Source",
        actions=[
            pipeline.ActionDeclarationProperty(
                name=SOURCE_ACTION,
                run_order=1,
                action_type_id=pipeline.ActionTypeIdProperty(
                    category="Source", owner="AWS", provider="CodeCommit", version="1"
                ),
                configuration={
                    "RepositoryName": repository.attr_name,
                    "BranchName": BRANCH,
                    "PollForSourceChanges": "false",
                    "OutputArtifactFormat": "CODE_ZIP",
                },
                output_artifacts=[pipeline.OutputArtifactProperty(name=SOURCE_ARTIFACT)],
            )
        ],
    )


def artifact_store(storage: Storage) -> codepipeline.CfnPipeline.ArtifactStoreProperty:
    """The project's bucket, encrypted with the project's key."""
    return codepipeline.CfnPipeline.ArtifactStoreProperty(
        type="S3",
        location=storage.bucket.ref,
        encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(type="KMS", id=storage.key_arn),
    )


def build_stage(
    build: codebuild.CfnProject, *, output: str | None = None, namespace: str | None = None
) -> codepipeline.CfnPipeline.StageDeclarationProperty:
    """Stage `Build`: the source through a CodeBuild project, with its artifact and variables if any."""
    pipeline = codepipeline.CfnPipeline
    return pipeline.StageDeclarationProperty(
        name="Build",
        actions=[
            pipeline.ActionDeclarationProperty(
                name="Build",
                run_order=1,
                action_type_id=pipeline.ActionTypeIdProperty(
                    category="Build", owner="AWS", provider="CodeBuild", version="1"
                ),
                configuration={"ProjectName": build.ref},
                input_artifacts=[pipeline.InputArtifactProperty(name=SOURCE_ARTIFACT)],
                output_artifacts=[pipeline.OutputArtifactProperty(name=output)] if output else None,
                namespace=namespace,
            )
        ],
    )
