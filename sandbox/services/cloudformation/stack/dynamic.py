"""Dynamic references: values of Parameter Store and Secrets Manager, read as the stack's principal.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sandbox.services.cloudformation.template.errors import TemplateError

if TYPE_CHECKING:
    from sandbox.services.cloudformation.template.sections import Template

SECURE = "{{resolve:ssm-secure:"
SECURE_PROPERTIES = {
    "AWS::DirectoryService::MicrosoftAD": ("Password",),
    "AWS::DirectoryService::SimpleAD": ("Password",),
    "AWS::ElastiCache::ReplicationGroup": ("AuthToken",),
    "AWS::IAM::User": ("LoginProfile/Password",),
    "AWS::KinesisFirehose::DeliveryStream": ("RedshiftDestinationConfiguration/Password",),
    "AWS::OpsWorks::App": ("AppSource/Password",),
    "AWS::OpsWorks::Stack": ("CustomCookbooksSource/Password",),
    "AWS::RDS::DBCluster": ("MasterUserPassword",),
    "AWS::RDS::DBInstance": ("MasterUserPassword",),
    "AWS::Redshift::Cluster": ("MasterUserPassword",),
}
"""The properties that may refer to a secure parameter of Parameter Store."""


def values_of(session: Callable[[], Any]) -> Callable[[str], str]:
    """Reads `ssm:name[:version]`, `ssm-secure:…` and `secretsmanager:…` as the principal of `session`."""

    def value(reference: str) -> str:
        from botocore.exceptions import ClientError

        service, _, rest = reference.partition(":")
        try:
            if service == "secretsmanager":
                return _secret(session().client("secretsmanager"), rest)
            return _parameter(session().client("ssm"), service, rest)
        except ClientError as error:
            said = error.response["Error"]
            if "NotFound" not in said["Code"]:
                raise
            if service == "secretsmanager":
                raise TemplateError(
                    f"{said.get('Message', '')} (Service: AWSSecretsManager; Status Code: 400; "
                    f"Error Code: {said['Code']}; Proxy: null)"
                ) from None
            raise TemplateError(
                f"Parameters: [{reference}] cannot be found. (Service: AWSSimpleSystemsManagement)"
            ) from None

    return value


def _parameter(ssm: Any, service: str, reference: str) -> str:
    secure = service == "ssm-secure"
    found = ssm.get_parameter(Name=reference, WithDecryption=secure)["Parameter"]
    if secure != (found["Type"] == "SecureString"):
        prefix, kind = ("Secure", "non-secure") if secure else ("Non-secure", "secure")
        raise TemplateError(f"{prefix} ssm prefix was used for {kind} parameter: {reference}")
    return str(found["Value"])


def _secret(client: Any, reference: str) -> str:
    """`secret-id:SecretString:json-key:version-stage:version-id`; all but the first may be left out."""
    parts = reference.split(":")
    words = 7 if reference.startswith("arn:") else 1
    identifier, rest = ":".join(parts[:words]), parts[words:]
    kind, key, stage, version, *surplus = [*rest, "", "", "", ""]
    if any(surplus) or kind not in ("", "SecretString") or (stage and version):
        raise TemplateError(f"Invalid dynamic reference: [{{{{resolve:secretsmanager:{reference}}}}}]")
    wanted = {"VersionStage": stage, "VersionId": version}
    answer = client.get_secret_value(SecretId=identifier, **{k: v for k, v in wanted.items() if v})
    text = str(answer["SecretString"])
    if not key:
        return text
    try:
        found = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        raise TemplateError("Could not find a value associated with JSONKey in SecretString") from None
    return found if isinstance(found, str) else json.dumps(found)


def check(template: Template) -> None:
    """Raises TemplateError for a secure reference where none is allowed."""
    wrong: list[str] = []
    for declared in template.resources.values():
        kind = declared["Type"]
        found = _secure_paths(declared.get("Properties", {}), "")
        wrong += [
            f"{kind}/Properties/{path}" for path in found if path not in SECURE_PROPERTIES.get(kind, ())
        ]
    if wrong:
        raise TemplateError(f"SSM Secure reference is not supported in: [{', '.join(sorted(set(wrong)))}]")


def _secure_paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            inner = path if name.startswith("Fn::") else f"{path}/{name}" if path else name
            yield from _secure_paths(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _secure_paths(item, path)
    elif isinstance(value, str) and SECURE in value:
        yield path
