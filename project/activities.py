"""Activities that both pipelines share: artifacts, the project's key, build logs, starting a pipeline."""

from project.arns import Arns
from project.names import Names
from project.permissions import Activity, allow

ARTIFACTS = "sagemaker-*"
"""CodePipeline keeps artifacts under the first twenty characters of the pipeline's name; ours start alike."""


def hand_on_artifacts(names: Names, arns: Arns, key_arn: str) -> Activity:
    """What CodePipeline itself does with the artifacts of its actions.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
    """
    bucket = arns.bucket(names.bucket)
    return Activity(
        "HandOnArtifacts",
        (
            allow(["s3:GetBucketLocation", "s3:GetBucketVersioning"], [bucket]),
            allow(["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], [f"{bucket}/{ARTIFACTS}"]),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], [key_arn]),
        ),
    )


def read_artifacts(names: Names, arns: Arns, key_arn: str) -> Activity:
    """What a build does with the artifacts it is given.

    https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
    """
    bucket = arns.bucket(names.bucket)
    return Activity(
        "ReadArtifacts",
        (
            allow(["s3:GetBucketLocation"], [bucket]),
            allow(["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket}/{ARTIFACTS}"]),
            allow(["kms:Decrypt"], [key_arn]),
        ),
    )


def write_artifacts(names: Names, arns: Arns, key_arn: str) -> Activity:
    """What a build does with the artifacts it makes."""
    bucket = arns.bucket(names.bucket)
    return Activity(
        "WriteArtifacts",
        (
            allow(["s3:PutObject"], [f"{bucket}/{ARTIFACTS}"]),
            allow(["kms:GenerateDataKey"], [key_arn]),
        ),
    )


def read_project_data(names: Names, arns: Arns, key_arn: str) -> Activity:
    bucket = arns.bucket(names.bucket)
    return Activity(
        "ReadProjectData",
        (allow(["s3:GetObject"], [f"{bucket}/*"]), allow(["kms:Decrypt"], [key_arn])),
    )


def write_project_data(names: Names, arns: Arns, key_arn: str) -> Activity:
    """Read, list and write data, code and models; nothing is ever deleted by a role of the project."""
    bucket = arns.bucket(names.bucket)
    return Activity(
        "WriteProjectData",
        (
            allow(["s3:ListBucket"], [bucket]),
            allow(["s3:GetObject", "s3:PutObject"], [f"{bucket}/*"]),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], [key_arn]),
        ),
    )


def write_build_logs(names: Names, arns: Arns, build_project: str) -> Activity:
    group = arns.log_group(names.log_group(build_project))
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return Activity("WriteBuildLogs", (allow(actions, [group, f"{group}:*"]),))


def run_builds(arns: Arns, build_projects: list[str]) -> Activity:
    actions = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
    return Activity(
        "RunBuilds",
        (allow(actions, [arns.of("codebuild", f"project/{project}") for project in build_projects]),),
    )


def read_source(arns: Arns, repository: str) -> Activity:
    """What CodePipeline's CodeCommit source action calls.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
    """
    actions = [
        "codecommit:CancelUploadArchive",
        "codecommit:GetBranch",
        "codecommit:GetCommit",
        "codecommit:GetUploadArchiveStatus",
        "codecommit:UploadArchive",
    ]
    return Activity("ReadSource", (allow(actions, [arns.of("codecommit", repository)]),))


def start_pipeline(arns: Arns, pipeline: str) -> Activity:
    return Activity(
        "StartPipeline",
        (allow(["codepipeline:StartPipelineExecution"], [arns.of("codepipeline", pipeline)]),),
    )
