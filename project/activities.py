"""Activities that both pipelines share: artifacts, the project's key, build logs, starting a pipeline."""

from project.arns import Arns
from project.names import Names
from project.permissions import Activity, allow

READ_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion")
LOOK_AT_BUCKET = ("s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket")


def _bucket_access(
    name: str, actions: tuple[str, ...], *, objects: str, names: Names, arns: Arns, key_arn: str
) -> Activity:
    bucket = arns.bucket(names.bucket)
    return Activity(
        name,
        (
            allow(LOOK_AT_BUCKET, [bucket]),
            allow(actions, [f"{bucket}/{objects}"]),
            allow(["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], [key_arn]),
        ),
    )


def exchange_pipeline_artifacts(names: Names, arns: Arns, key_arn: str) -> Activity:
    """Read and write what CodePipeline hands from action to action.

    CodePipeline keeps it under the first twenty characters of the pipeline's name, and ours start alike.
    """
    actions = (*READ_OBJECTS, "s3:PutObject")
    return _bucket_access(
        "ExchangePipelineArtifacts", actions, objects="sagemaker-*", names=names, arns=arns, key_arn=key_arn
    )


def read_project_data(names: Names, arns: Arns, key_arn: str) -> Activity:
    return _bucket_access(
        "ReadProjectData", READ_OBJECTS, objects="*", names=names, arns=arns, key_arn=key_arn
    )


def write_project_data(names: Names, arns: Arns, key_arn: str) -> Activity:
    """Read and write data, code and models; nothing is ever deleted by a role of the project."""
    actions = (*READ_OBJECTS, "s3:PutObject", "s3:AbortMultipartUpload")
    return _bucket_access("WriteProjectData", actions, objects="*", names=names, arns=arns, key_arn=key_arn)


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
