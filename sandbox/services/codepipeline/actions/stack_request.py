"""What a CloudFormation action asks for: template, parameters, tags and policy out of its artifacts."""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.archives import BadArchive, Limits, open_zip
from sandbox.services.codepipeline.actions.context import ActionFailed, Context

INLINE_BYTES = 51_200
"""Bytes of a template that may travel in the request itself."""
FILE_BYTES = 2**20
"""Bytes of a template, the largest of the files that an action reads."""
ARTIFACT = Limits(10 * 2**30, files=500_000)


class StackRequest:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.configuration = context.configuration

    def members(self) -> dict[str, Any]:
        """What creating or updating the stack takes."""
        template = self._file(self.configuration["TemplatePath"]).decode(errors="replace")
        settings = self._template_configuration()
        parameters = settings.get("Parameters", {}) | self._overrides()
        request: dict[str, Any] = {
            "StackName": self.configuration["StackName"],
            "Parameters": [{"ParameterKey": n, "ParameterValue": str(v)} for n, v in parameters.items()],
            "Capabilities": [
                c.strip() for c in self.configuration.get("Capabilities", "").split(",") if c.strip()
            ],
        }
        if len(template.encode()) <= INLINE_BYTES:
            request["TemplateBody"] = template
        else:
            request["TemplateURL"] = self._template_url(template)
        if settings.get("Tags"):
            request["Tags"] = [{"Key": name, "Value": str(value)} for name, value in settings["Tags"].items()]
        if settings.get("StackPolicy"):
            request["StackPolicyBody"] = json.dumps(settings["StackPolicy"])
        if "RoleArn" in self.configuration:
            request["RoleARN"] = self.configuration["RoleArn"]
        return request

    def _file(self, path: str) -> bytes:
        """`Artifact::file` out of the input artifacts."""
        artifact, _, name = path.partition("::")
        try:
            with open_zip(self.context.input(artifact), ARTIFACT) as archive:
                entry = archive.files.get(name)
                if entry is None:
                    raise ActionFailed(
                        "ConfigurationError", f"File [{name}] does not exist in artifact [{artifact}]"
                    )
                if entry.size > FILE_BYTES:
                    raise ActionFailed(
                        "ConfigurationError",
                        f"File [{name}] of artifact [{artifact}] is larger than {FILE_BYTES} bytes",
                    )
                return archive.read(entry)
        except BadArchive as error:
            raise ActionFailed(
                "ConfigurationError", f"Artifact [{artifact}] cannot be unzipped: {error}"
            ) from error

    def _json(self, path: str) -> dict[str, Any]:
        try:
            value = json.loads(self._file(path))
        except json.JSONDecodeError as error:
            raise ActionFailed("ConfigurationError", f"{path} is not valid JSON: {error}") from error
        if not isinstance(value, dict):
            raise ActionFailed("ConfigurationError", f"{path} is no JSON object")
        return value

    def _template_configuration(self) -> dict[str, Any]:
        path = self.configuration.get("TemplateConfiguration")
        if not path:
            return {}
        settings = self._json(path)
        unknown = set(settings) - {"Parameters", "Tags", "StackPolicy"}
        if unknown:
            names = ", ".join(sorted(unknown))
            raise ActionFailed(
                "ConfigurationError", f"Template configuration {path} has unknown keys: {names}"
            )
        for part in ("Parameters", "Tags", "StackPolicy"):
            if not isinstance(settings.get(part, {}), dict):
                raise ActionFailed("ConfigurationError", f"{part} of {path} must be a JSON object")
        return settings

    def _overrides(self) -> dict[str, Any]:
        text = self.configuration.get("ParameterOverrides")
        if not text:
            return {}
        try:
            overrides = json.loads(text)
            return {name: self._override(value) for name, value in overrides.items()}
        except (json.JSONDecodeError, AttributeError) as error:
            raise ActionFailed(
                "ConfigurationError", f"ParameterOverrides is no JSON object: {error}"
            ) from error

    def _override(self, value: Any) -> str:
        if not isinstance(value, dict):
            return str(value)
        if list(value) == ["Fn::GetParam"]:
            artifact, file, key = value["Fn::GetParam"]
            found = self._json(f"{artifact}::{file}")
            if key not in found:
                raise ActionFailed("ConfigurationError", f"{file} of artifact {artifact} has no key {key}")
            return str(found[key])
        if list(value) == ["Fn::GetArtifactAtt"]:
            artifact, attribute = value["Fn::GetArtifactAtt"]
            location = self.context.location(artifact)
            url = f"https://s3.{self.context.pipelines.region}.amazonaws.com/{location['bucket']}/{location['key']}"
            known = {"BucketName": location["bucket"], "ObjectKey": location["key"], "URL": url}
            if attribute in known:
                return known[attribute]
        raise ActionFailed("ConfigurationError", f"ParameterOverrides: unknown function {json.dumps(value)}")

    def _template_url(self, template: str) -> str:
        bucket = self.context.declaration["artifactStore"]["location"]
        key = (
            f"{self.context.action['pipelineName'][:20]}/templates/{self.context.action['actionExecutionId']}"
        )
        encryption = {"ServerSideEncryption": "aws:kms"} | (
            {"SSEKMSKeyId": self.context.key} if self.context.key else {}
        )
        self.context.session.client("s3").put_object(
            Bucket=bucket, Key=key, Body=template.encode(), **encryption
        )
        return f"https://s3.{self.context.pipelines.region}.amazonaws.com/{bucket}/{key}"
