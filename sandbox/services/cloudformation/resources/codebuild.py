"""AWS::CodeBuild::Project."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type

# Optional members of a project, with what takes them off again in UpdateProject.
_EMPTY: dict[str, Any] = {
    "Description": "",
    "SourceVersion": "",
    "SecondarySources": [],
    "SecondaryArtifacts": [],
    "SecondarySourceVersions": [],
    "FileSystemLocations": [],
    "VpcConfig": {},
    "LogsConfig": {},
    "BuildBatchConfig": {},
    "Cache": {"Type": "NO_CACHE"},
    "BadgeEnabled": False,
    "TimeoutInMinutes": 60,
    "QueuedTimeoutInMinutes": 480,
    "ConcurrentBuildLimit": -1,
    "AutoRetryLimit": 0,
}


@resource_type("AWS::CodeBuild::Project")
class Project(Handler):
    refused = frozenset({"Triggers", "Visibility", "ResourceAccessRole"})

    def create(self, request: Request) -> Made:
        name = request.name("Name", limit=150)
        with unless_resumed(request.resumed):
            request.client("codebuild").create_project(**_parameters(request, "CreateProject", name, {}))
        arn = request.arn("codebuild", f"project/{name}")
        return Made(name, {"Arn": arn, "Id": arn})

    def update(self, request: Request) -> Made:
        gone = {name: empty for name, empty in _EMPTY.items() if name in request.previous}
        if "EncryptionKey" in request.previous:
            gone["EncryptionKey"] = request.arn("kms", "alias/aws/s3")  # the API takes no empty one
        parameters = _parameters(request, "UpdateProject", request.physical_id, gone)
        request.client("codebuild").update_project(**parameters)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("codebuild").delete_project(name=request.physical_id)


def _parameters(request: Request, operation: str, name: str, empty: dict[str, Any]) -> dict[str, Any]:
    client = request.client("codebuild")
    plain = empty | {key: item for key, item in request.properties.items() if key not in ("Tags", "Name")}
    parameters = convert.parameters(client, operation, plain)
    tags = convert.tags(convert.member_shape(client, operation, "tags"), request.tags)
    return parameters | {"name": name, "tags": tags}
