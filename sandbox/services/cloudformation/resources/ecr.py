"""AWS::ECR::Repository."""

from __future__ import annotations

import json
from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)


@resource_type("AWS::ECR::Repository")
class Repository(Handler):
    record_only = True

    def create(self, request: Request) -> Made:
        ecr, name = request.client("ecr"), request.name("RepositoryName", limit=256, lower=True)
        apart = ("RepositoryName", "LifecyclePolicy", "RepositoryPolicyText", "Tags", "EmptyOnDelete")
        plain = {key: item for key, item in request.properties.items() if key not in apart}
        parameters = convert.parameters(ecr, "CreateRepository", plain)
        tags = convert.tags(convert.member_shape(ecr, "CreateRepository", "tags"), request.tags)
        with unless_resumed(request.resumed):
            ecr.create_repository(repositoryName=name, tags=tags, **parameters)
        repository = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
        made = Made(name, {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]})
        with left_behind(made):
            self._set_policies(request, name)
        return made

    def update(self, request: Request) -> Made:
        ecr, name, arn = request.client("ecr"), request.physical_id, request.attributes["Arn"]
        if request.changed("ImageTagMutability", "ImageTagMutabilityExclusionFilters"):
            wanted = {"ImageTagMutability": request.properties.get("ImageTagMutability", "MUTABLE")}
            filters = request.properties.get("ImageTagMutabilityExclusionFilters")
            wanted |= {"ImageTagMutabilityExclusionFilters": filters} if filters else {}
            parameters = convert.parameters(ecr, "PutImageTagMutability", wanted)
            ecr.put_image_tag_mutability(repositoryName=name, **parameters)
        if request.changed("ImageScanningConfiguration"):
            scanning = request.properties.get("ImageScanningConfiguration", {"ScanOnPush": False})
            shape = convert.member_shape(ecr, "PutImageScanningConfiguration", "imageScanningConfiguration")
            ecr.put_image_scanning_configuration(
                repositoryName=name, imageScanningConfiguration=convert.value(shape, scanning)
            )
        self._set_policies(request, name)
        if request.tags_removed:
            ecr.untag_resource(resourceArn=arn, tagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(ecr, "TagResource", "tags")
            ecr.tag_resource(resourceArn=arn, tags=convert.tags(shape, request.tags_added))
        return Made(name, request.attributes)

    def delete(self, request: Request) -> None:
        force = bool(request.properties.get("EmptyOnDelete", False))
        with unless_missing():
            request.client("ecr").delete_repository(repositoryName=request.physical_id, force=force)

    def _set_policies(self, request: Request, name: str) -> None:
        ecr = request.client("ecr")
        if request.changed("LifecyclePolicy"):
            text = (request.properties.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
            if text:
                ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
            else:
                with unless_missing():
                    ecr.delete_lifecycle_policy(repositoryName=name)
        if request.changed("RepositoryPolicyText"):
            policy: Any = request.properties.get("RepositoryPolicyText")
            if policy:
                text = policy if isinstance(policy, str) else json.dumps(policy)
                ecr.set_repository_policy(repositoryName=name, policyText=text)
            else:
                with unless_missing():
                    ecr.delete_repository_policy(repositoryName=name)
