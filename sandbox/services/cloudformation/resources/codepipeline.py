"""AWS::CodePipeline::Pipeline."""

from __future__ import annotations

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

_APART = ("Tags", "RestartExecutionOnUpdate", "DisableInboundStageTransitions", "Name", "ArtifactStores")


@resource_type("AWS::CodePipeline::Pipeline")
class Pipeline(Handler):
    def create(self, request: Request) -> Made:
        client, name = request.client("codepipeline"), request.name("Name", limit=100)
        tags = convert.tags(convert.member_shape(client, "CreatePipeline", "tags"), request.tags)
        with unless_resumed(request.resumed):
            client.create_pipeline(pipeline=_declaration(request, name), tags=tags)
        made = Made(name, {"Version": "1", "Arn": request.arn("codepipeline", name)})
        with left_behind(made):
            _set_transitions(request, name)
        return made

    def update(self, request: Request) -> Made:
        client, name = request.client("codepipeline"), request.physical_id
        version = request.attributes["Version"]
        if {**request.properties, "Tags": None} != {**request.previous, "Tags": None}:
            answer = client.update_pipeline(pipeline=_declaration(request, name))
            version = str(answer["pipeline"].get("version", version))
            _set_transitions(request, name)
        arn = request.attributes["Arn"]
        if request.tags_removed:
            client.untag_resource(resourceArn=arn, tagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(client, "TagResource", "tags")
            client.tag_resource(resourceArn=arn, tags=convert.tags(shape, request.tags_added))
        if request.properties.get("RestartExecutionOnUpdate"):
            client.start_pipeline_execution(name=name)
        return Made(name, request.attributes | {"Version": version})

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("codepipeline").delete_pipeline(name=request.physical_id)


def _declaration(request: Request, name: str) -> dict[str, Any]:
    client = request.client("codepipeline")
    plain = {key: item for key, item in request.properties.items() if key not in _APART}
    shape = convert.member_shape(client, "CreatePipeline", "pipeline")
    declaration = convert.value(shape, plain) | {"name": name}
    stores = request.properties.get("ArtifactStores")
    if stores is not None:
        store = shape.members["artifactStore"]
        declaration["artifactStores"] = {
            item["Region"]: convert.value(store, item["ArtifactStore"]) for item in stores
        }
    return declaration


def _set_transitions(request: Request, name: str) -> None:
    client = request.client("codepipeline")
    had = {item["StageName"] for item in request.previous.get("DisableInboundStageTransitions", [])}
    wanted = {
        item["StageName"]: item["Reason"]
        for item in request.properties.get("DisableInboundStageTransitions", [])
    }
    for stage, why in wanted.items():
        client.disable_stage_transition(
            pipelineName=name, stageName=stage, transitionType="Inbound", reason=why
        )
    for stage in sorted(had - wanted.keys()):
        client.enable_stage_transition(pipelineName=name, stageName=stage, transitionType="Inbound")
