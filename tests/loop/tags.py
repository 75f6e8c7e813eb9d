"""Tags of resources, asked where each service keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.loop.project import Project

UNTAGGABLE = {
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::KMS::Alias",
    "AWS::S3::BucketPolicy",
}
"""What AWS gives no tags to."""


def of_pairs(pairs: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Tags from a list of objects, however the service spells key and value."""
    return {
        next(p[k] for k in p if k.lower().endswith("key")): next(
            p[k] for k in p if k.lower().endswith("value")
        )
        for p in pairs
    }


class Tags:
    """Reads them as the account's owner: looking is no test of anybody's permissions."""

    def __init__(self, project: Project) -> None:
        self._project, self._account = project, project.names.account
        self._region = project.sandbox.running.region
        self._by_type: dict[str, Callable[[str], dict[str, str]]] = {
            "AWS::ApplicationAutoScaling::ScalableTarget": self._scalable_target,
            "AWS::CloudWatch::Alarm": self._alarm,
            "AWS::CodeBuild::Project": self._build_project,
            "AWS::CodeCommit::Repository": self._repository,
            "AWS::CodePipeline::Pipeline": self._code_pipeline,
            "AWS::Events::Rule": self._rule,
            "AWS::IAM::Role": self._role,
            "AWS::KMS::Key": self._key,
            "AWS::Logs::LogGroup": self._log_group,
            "AWS::S3::Bucket": self._bucket,
            "AWS::SageMaker::Pipeline": lambda name: self.of_sagemaker(
                self._arn("sagemaker", f"pipeline/{name}")
            ),
        }

    def of(self, kind: str, physical_id: str) -> dict[str, str]:
        """Tags of a stack's resource. A kind that is not known here fails: it has to be thought about."""
        if physical_id.startswith("arn:aws:sagemaker:"):
            return self.of_sagemaker(physical_id)
        return self._by_type[kind](physical_id)

    def of_sagemaker(self, arn: str) -> dict[str, str]:
        return of_pairs(self._client("sagemaker").list_tags(ResourceArn=arn)["Tags"])

    def _client(self, service: str) -> Any:
        return self._project.client(service, "root")

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._region}:{self._account}:{resource}"

    def _scalable_target(self, physical_id: str) -> dict[str, str]:
        resource, dimension, namespace = physical_id.split("|")
        client = self._client("application-autoscaling")
        target = client.describe_scalable_targets(
            ServiceNamespace=namespace, ResourceIds=[resource], ScalableDimension=dimension
        )["ScalableTargets"][0]
        return client.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]

    def _alarm(self, name: str) -> dict[str, str]:
        arn = self._arn("cloudwatch", f"alarm:{name}")
        return of_pairs(self._client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"])

    def _build_project(self, name: str) -> dict[str, str]:
        return of_pairs(self._client("codebuild").batch_get_projects(names=[name])["projects"][0]["tags"])

    def _repository(self, repository_id: str) -> dict[str, str]:
        client = self._client("codecommit")
        names = {r["repositoryId"]: r["repositoryName"] for r in client.list_repositories()["repositories"]}
        arn = self._arn("codecommit", names[repository_id])
        return client.list_tags_for_resource(resourceArn=arn)["tags"]

    def _code_pipeline(self, name: str) -> dict[str, str]:
        arn = self._arn("codepipeline", name)
        return of_pairs(self._client("codepipeline").list_tags_for_resource(resourceArn=arn)["tags"])

    def _rule(self, name: str) -> dict[str, str]:
        arn = self._arn("events", f"rule/{name}")
        return of_pairs(self._client("events").list_tags_for_resource(ResourceARN=arn)["Tags"])

    def _role(self, name: str) -> dict[str, str]:
        return of_pairs(self._client("iam").list_role_tags(RoleName=name)["Tags"])

    def _key(self, key_id: str) -> dict[str, str]:
        return of_pairs(self._client("kms").list_resource_tags(KeyId=key_id)["Tags"])

    def _log_group(self, name: str) -> dict[str, str]:
        arn = self._arn("logs", f"log-group:{name}")
        return self._client("logs").list_tags_for_resource(resourceArn=arn)["tags"]

    def _bucket(self, name: str) -> dict[str, str]:
        return of_pairs(self._client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
