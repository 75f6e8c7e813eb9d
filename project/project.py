"""`Project`: what a SageMaker project has whatever its template: names, storage, the execution role."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from project.arns import Arns
from project.boundary import boundary_name
from project.execution_role import execution_activities
from project.names import Names
from project.permissions import Activity, Trust
from project.roles import add_role
from project.storage import Storage


class Project(Construct):
    """The ground floor of one SageMaker project."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, project_id: str) -> None:
        """`name` and `project_id`: SageMaker passes them as SageMakerProjectName and SageMakerProjectId."""
        super().__init__(scope, construct_id)
        self.names = Names(project=name, project_id=project_id, account=Aws.ACCOUNT_ID)
        self.arns = Arns(partition=Aws.PARTITION, region=Aws.REGION, account=Aws.ACCOUNT_ID)
        self.boundary_arn = self.arns.policy(boundary_name(Aws.REGION))
        self.storage = Storage(self, "Storage", names=self.names, arns=self.arns)
        self.execution_role = self.add_role(
            self,
            "ExecutionRole",
            task="execution",
            description="SageMaker pipeline, its jobs and the models behind endpoints",
            service="sagemaker.amazonaws.com",
            activities=execution_activities(self.names, self.arns, self.storage.key_arn),
        )

    def add_role(
        self,
        scope: Construct,
        construct_id: str,
        *,
        task: str,
        description: str,
        service: str,
        activities: Sequence[Activity],
        source_arn: str | None = None,
        tells_source: bool = True,
    ) -> iam.CfnRole:
        """Add the role `sagemaker-{id}-{task}`, which `service` assumes for this account only.

        `source_arn` narrows that to one resource; `tells_source` is False for CloudFormation, which names
        neither account nor resource when it assumes a role.
        """
        account = self.arns.account if tells_source else None
        return add_role(
            scope,
            construct_id,
            name=self.names.role(task),
            description=description,
            trust=Trust(service, account=account, source_arn=source_arn),
            activities=activities,
            boundary_arn=self.boundary_arn,
        )

    def add_build_project(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        role: iam.CfnRole,
        buildspec: str,
        environment: dict[str, str],
    ) -> codebuild.CfnProject:
        """Add a CodeBuild project that CodePipeline runs, with its encrypted log group.

        Every build knows its project's name and id, artifact bucket, key and model package group.
        """
        log_group = logs.CfnLogGroup(
            scope,
            f"{construct_id}Logs",
            log_group_name=self.names.log_group(name),
            kms_key_id=self.storage.key_arn,
            retention_in_days=365,
        )
        variables = {
            "SAGEMAKER_PROJECT_NAME": self.names.project,
            "SAGEMAKER_PROJECT_ID": self.names.project_id,
            "MODEL_PACKAGE_GROUP_NAME": self.names.model_package_group,
            "ARTIFACT_BUCKET": self.storage.bucket.ref,
            "ARTIFACT_KMS_KEY_ARN": self.storage.key_arn,
            **environment,
        }
        return codebuild.CfnProject(
            scope,
            construct_id,
            name=name,
            description=description,
            service_role=role.attr_arn,
            encryption_key=self.storage.key_arn,
            timeout_in_minutes=60,
            queued_timeout_in_minutes=480,
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="CODEPIPELINE"),
            source=codebuild.CfnProject.SourceProperty(type="CODEPIPELINE", build_spec=buildspec),
            environment=codebuild.CfnProject.EnvironmentProperty(
                type="LINUX_CONTAINER",
                compute_type="BUILD_GENERAL1_SMALL",
                image="aws/codebuild/amazonlinux-x86_64-standard:5.0",
                image_pull_credentials_type="CODEBUILD",
                privileged_mode=False,
                environment_variables=[
                    codebuild.CfnProject.EnvironmentVariableProperty(name=key, type="PLAINTEXT", value=value)
                    for key, value in variables.items()
                ],
            ),
            logs_config=codebuild.CfnProject.LogsConfigProperty(
                cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                    status="ENABLED", group_name=log_group.ref
                )
            ),
        )
