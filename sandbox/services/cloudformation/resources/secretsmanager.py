"""AWS::SecretsManager::Secret, AWS::SecretsManager::ResourcePolicy."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)


@resource_type("AWS::SecretsManager::Secret")
class Secret(Handler):
    refused = frozenset({"ReplicaRegions", "Type"})

    def create(self, request: Request) -> Made:
        client, name = request.client("secretsmanager"), request.name("Name", limit=512)
        if "Name" not in request.properties:
            # CloudFormation names secrets by the resource, not by the stack.
            name = f"{request.logical_id}-{name.rsplit('-', 1)[1]}"
        wanted = self._settings(request) | self._value(request)
        tags = convert.tags(convert.member_shape(client, "CreateSecret", "Tags"), request.tags)
        token = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{request.place.stack_id}/{request.token}"))
        with unless_resumed(request.resumed):
            client.create_secret(Name=name, Tags=tags, ClientRequestToken=token, **wanted)
        arn = client.describe_secret(SecretId=name)["ARN"]
        return Made(arn, {"Id": arn})

    def update(self, request: Request) -> Made:
        client, arn = request.client("secretsmanager"), request.physical_id
        wanted: dict[str, Any] = {}
        if request.changed("Description", "KmsKeyId"):
            wanted |= self._settings(request)
        if request.changed("SecretString", "GenerateSecretString"):
            wanted |= self._value(request)
        if wanted:
            client.update_secret(SecretId=arn, **wanted)
        if request.tags_removed:
            client.untag_resource(SecretId=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(client, "TagResource", "Tags")
            client.tag_resource(SecretId=arn, Tags=convert.tags(shape, request.tags_added))
        return Made(arn, request.attributes)

    def delete(self, request: Request) -> None:
        """CloudFormation leaves no recovery window."""
        with unless_missing():
            request.client("secretsmanager").delete_secret(
                SecretId=request.physical_id, ForceDeleteWithoutRecovery=True
            )

    def _settings(self, request: Request) -> dict[str, Any]:
        return {
            name: request.properties[name]
            for name in ("Description", "KmsKeyId")
            if name in request.properties
        }

    def _value(self, request: Request) -> dict[str, str]:
        """The given value, or a generated one: by itself, or under a key of a template."""
        given, generate = (
            request.properties.get("SecretString"),
            request.properties.get("GenerateSecretString"),
        )
        if given is not None and generate is not None:
            raise ResourceFailed("Invalid request provided: specify SecretString or GenerateSecretString")
        if given is not None:
            return {"SecretString": given}
        if generate is None:
            return {}
        asked = dict(generate)
        template, key = asked.pop("SecretStringTemplate", None), asked.pop("GenerateStringKey", None)
        if (template is None) != (key is None):
            raise ResourceFailed("You must specify both GenerateStringKey and SecretStringTemplate")
        client = request.client("secretsmanager")
        password = client.get_random_password(**convert.parameters(client, "GetRandomPassword", asked))
        if template is None:
            return {"SecretString": password["RandomPassword"]}
        try:
            body = json.loads(template)
        except ValueError:
            raise ResourceFailed("SecretStringTemplate must be valid JSON") from None
        return {"SecretString": json.dumps(body | {key: password["RandomPassword"]})}


@resource_type("AWS::SecretsManager::ResourcePolicy")
class ResourcePolicy(Handler):
    def create(self, request: Request) -> Made:
        properties = request.properties
        policy = properties["ResourcePolicy"]
        request.client("secretsmanager").put_resource_policy(
            SecretId=properties["SecretId"],
            ResourcePolicy=policy if isinstance(policy, str) else json.dumps(policy),
            BlockPublicPolicy=bool(properties.get("BlockPublicPolicy", True)),
        )
        return Made(properties["SecretId"], {"Id": properties["SecretId"]})

    def update(self, request: Request) -> Made:
        return self.create(request)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("secretsmanager").delete_resource_policy(SecretId=request.physical_id)
