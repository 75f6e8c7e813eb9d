"""AWS::Logs::LogGroup."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)


@resource_type("AWS::Logs::LogGroup")
class LogGroup(Handler):
    refused = frozenset(
        {
            "DataProtectionPolicy",
            "FieldIndexPolicies",
            "ResourcePolicyDocument",
            "BearerTokenAuthenticationEnabled",
        }
    )

    updatable = frozenset({"RetentionInDays", "KmsKeyId"})

    def create(self, request: Request) -> Made:
        logs, name = request.client("logs"), request.name("LogGroupName", limit=512)
        wanted: dict[str, Any] = {"logGroupName": name}
        if "KmsKeyId" in request.properties:
            wanted["kmsKeyId"] = request.properties["KmsKeyId"]
        if "LogGroupClass" in request.properties:
            wanted["logGroupClass"] = request.properties["LogGroupClass"]
        if "DeletionProtectionEnabled" in request.properties:
            wanted["deletionProtectionEnabled"] = request.properties["DeletionProtectionEnabled"]
        if request.tags:
            wanted["tags"] = request.tags
        with unless_resumed(request.resumed):
            logs.create_log_group(**wanted)
        made = Made(name, {"Arn": request.arn("logs", f"log-group:{name}:*")})
        with left_behind(made):
            _retain(logs, name, request)
        return made

    def update(self, request: Request) -> Made:
        logs, name = request.client("logs"), request.physical_id
        if request.changed("RetentionInDays"):
            _retain(logs, name, request)
        if request.changed("KmsKeyId"):
            if "KmsKeyId" in request.properties:
                logs.associate_kms_key(logGroupName=name, kmsKeyId=request.properties["KmsKeyId"])
            else:
                logs.disassociate_kms_key(logGroupName=name)
        arn = request.attributes["Arn"].removesuffix(":*")
        if request.tags_removed:
            logs.untag_resource(resourceArn=arn, tagKeys=request.tags_removed)
        if request.tags_added:
            logs.tag_resource(resourceArn=arn, tags=request.tags_added)
        return Made(name, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("logs").delete_log_group(logGroupName=request.physical_id)


def _retain(logs: Any, name: str, request: Request) -> None:
    days = request.properties.get("RetentionInDays")
    if days is not None:
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    elif "RetentionInDays" in request.previous:
        logs.delete_retention_policy(logGroupName=name)
