"""What a request to deploy a template says: read, checked and put into the form a stack keeps."""

from __future__ import annotations

import re
import uuid
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sandbox.engine.operations import AwsError, Call
from sandbox.services.cloudformation.deploy.operation import SERVICE_PRINCIPAL
from sandbox.services.cloudformation.stack import policy, tags
from sandbox.services.cloudformation.stack.lookups import Recorder
from sandbox.services.cloudformation.stack.outline import Outline
from sandbox.services.cloudformation.stack.records import Record
from sandbox.services.cloudformation.template import parameters, references, transform
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Evaluator, Place
from sandbox.services.cloudformation.template.sections import Template, parse

SERVICE_CATALOG = "servicecatalog.amazonaws.com"
MAX_INLINE_BYTES = 51_200
MAX_TEMPLATE_BYTES = 1_000_000
NAMED = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
IAM_TYPES = {*NAMED, "AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition"}
_NOT_IMPLEMENTED = ("DisableValidation",)
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:.+")


def refuse(request: dict[str, Any], *more: str) -> None:
    """Refuses members that ask for what the sandbox does not do. An empty one asks for nothing."""
    for name in (*_NOT_IMPLEMENTED, *more):
        if request.get(name):
            raise TemplateError(f"{name} is not implemented by the sandbox")
    for name, value in (request.get("DeploymentConfig") or {}).items():
        if value not in ("STANDARD", False):  # which is what there is without a configuration
            raise TemplateError(f"DeploymentConfig with {name} {value} is not implemented by the sandbox")


def topics(request: dict[str, Any]) -> list[str]:
    """The SNS topics that are told of the stack's events."""
    found: list[str] = request.get("NotificationARNs") or []
    wrong = [item for item in found if not _TOPIC.fullmatch(item)]
    if wrong:
        raise TemplateError(f"Invalid NotificationARNs: {', '.join(wrong)}")
    return found


def body_of(call: Call, request: dict[str, Any], previous: str | None = None) -> str:
    """The template's text: inline, from S3 as the caller, or the stack's own."""
    given = [name for name in ("TemplateBody", "TemplateURL") if request.get(name)]
    if request.get("UsePreviousTemplate"):
        if given or previous is None:
            raise TemplateError(
                "Either Template URL or Template Body must be specified, or UsePreviousTemplate."
            )
        return previous
    if len(given) != 1:
        raise TemplateError("Either Template URL or Template Body must be specified.")
    if given == ["TemplateURL"]:
        return object_of(call, request["TemplateURL"], "TemplateURL", MAX_TEMPLATE_BYTES)
    body = request["TemplateBody"]
    if len(body.encode()) > MAX_INLINE_BYTES and call.agent != SERVICE_PRINCIPAL:
        raise TemplateError(
            f"1 validation error detected: Value '{body[:100]}…' at 'templateBody' failed to satisfy "
            f"constraint: Member must have length less than or equal to {MAX_INLINE_BYTES}"
        )
    return body


def object_of(call: Call, url: str, member: str, limit: int) -> str:
    """The text of an S3 object named by URL, read as the caller."""
    from botocore.exceptions import ClientError

    bucket, key = _location(call, url, member)
    client = call.session(SERVICE_PRINCIPAL).client("s3")
    try:
        answer = client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        raise TemplateError(
            f"S3 error: {error.response['Error'].get('Message', '')}\nFor more information check "
            "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
        ) from None
    if answer["ContentLength"] > limit:
        raise TemplateError(f"Template may not exceed {limit} bytes in size.")
    try:
        return answer["Body"].read().decode()
    except UnicodeDecodeError:
        raise TemplateError("Template format error: the template is not UTF-8 text.") from None


def _location(call: Call, url: str, member: str) -> tuple[str, str]:
    """(bucket, key) of a virtual-hosted or path-style S3 URL, AWS's or this sandbox's."""
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise TemplateError(f"{member} with a query is not implemented by the sandbox.")
    host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
    ours = urlsplit(call.engine.endpoint_url)
    if (host, parts.port) == (ours.hostname, ours.port):
        bucket, _, key = path.partition("/")
    elif parts.scheme == "https" and host.endswith(".amazonaws.com"):
        labels = host.removesuffix(".amazonaws.com").split(".")
        start = next((i for i, label in enumerate(labels) if label == "s3" or label.startswith("s3-")), None)
        if start is None:
            raise TemplateError(f"{member} must be a supported URL.")
        bucket, key = ".".join(labels[:start]), path
        if start == 0:
            bucket, _, key = path.partition("/")
    else:
        raise TemplateError(f"{member} must be a supported URL.")
    if not bucket or not key:
        raise TemplateError(f"{member} must reference a valid S3 object to which you have access.")
    return bucket, key


def parsed(body: str) -> Template:
    """A template's text, checked as far as it can be before its transforms have worked on it."""
    template = parse(body)
    parameters.check_declarations(template.parameters)
    if not template.transformed:
        references.check(template)
    return template


def capabilities_needed(template: Template) -> tuple[list[str], str | None]:
    """The capabilities a template needs, and why, as GetTemplateSummary says it."""
    types = [declared["Type"] for declared in template.resources.values()]
    found = sorted({name for name in types if name in IAM_TYPES})
    if not found:
        return [], None
    named = any(
        NAMED.get(declared["Type"]) in declared.get("Properties", {})
        for declared in template.resources.values()
    )
    capability = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    return [capability], f"The following resource(s) require capabilities: [{', '.join(found)}]"


def check_capabilities(template: Template, given: list[str] | None) -> None:
    """InsufficientCapabilitiesException where the template makes IAM resources without leave."""
    needed, _ = capabilities_needed(template)
    allowed = set(given or [])
    if "CAPABILITY_NAMED_IAM" in allowed:
        allowed.add("CAPABILITY_IAM")
    missing = [name for name in needed if name not in allowed]
    if missing:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")


def check_resource_types(template: Template, allowed: list[str] | None) -> None:
    """ResourceTypes: `AWS::*`, `Custom::*`, `AWS::service::*` or a type. Nothing given: all are allowed."""
    if not allowed:
        return
    types = sorted({declared["Type"] for declared in template.resources.values()})
    surplus = [name for name in types if not any(fnmatchcase(name, pattern) for pattern in allowed)]
    if surplus:
        raise TemplateError(f"Resource types [{', '.join(surplus)}] are not in the list of ResourceTypes")


def outline_of(
    call: Call, place: Place, request: dict[str, Any], body: str, previous: dict[str, str]
) -> Outline:
    """The template under the request's parameters, with every check that needs no resource."""
    template = parsed(body)

    def store(names: list[str]) -> dict[str, str]:
        from botocore.exceptions import ClientError

        found: dict[str, str] = {}
        for start in range(0, len(names), 10):
            try:
                answer = (
                    call.session(SERVICE_PRINCIPAL)
                    .client("ssm")
                    .get_parameters(Names=names[start : start + 10])
                )
            except ClientError as error:
                raise TemplateError(error.response["Error"].get("Message", "")) from None
            found.update({item["Name"]: item["Value"] for item in answer["Parameters"]})
        return found

    values = parameters.resolve(template.parameters, request.get("Parameters") or [], previous, store)

    def known(of: Template) -> Evaluator:
        return Evaluator(of, values, place, Recorder())

    processed = transform.process(template, known, lambda location: included(call, location))
    check_capabilities(processed, request.get("Capabilities"))
    check_resource_types(processed, request.get("ResourceTypes"))
    if template.transformed and "ChangeSetName" not in request:
        _check_expansion(request)
    return Outline(processed, values, place, original=template.body)


def _check_expansion(request: dict[str, Any]) -> None:
    """What a macro made is deployed unseen only with leave; a change set shows it first."""
    if "CAPABILITY_AUTO_EXPAND" not in (request.get("Capabilities") or []):
        raise AwsError(
            "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
        )


def included(call: Call, location: str) -> str:
    """The text that AWS::Include names, by s3://bucket/key or a URL."""
    if location.startswith("s3://"):
        bucket, _, key = location.removeprefix("s3://").partition("/")
        location = f"https://s3.amazonaws.com/{bucket}/{quote(key)}"
    return object_of(call, location, "Location", MAX_TEMPLATE_BYTES)


def target_of(outline: Outline, request: dict[str, Any], stack_tags: dict[str, str]) -> Record:
    """What a stack keeps of a deployment it is asked for."""
    return {
        "Id": str(uuid.uuid4()),
        "TemplateBody": outline.original,
        "Processed": outline.template.body if outline.template.transformed else None,
        "Description": outline.template.description,
        "Parameters": outline.values.given,
        "ResolvedParameters": outline.values.resolved,
        "NoEcho": [
            name for name, declared in outline.template.parameters.items() if parameters.no_echo(declared)
        ],
        "Tags": stack_tags,
        "Capabilities": request.get("Capabilities") or [],
        "OnFailure": on_failure(request),
        "RetainExceptOnCreate": bool(request.get("RetainExceptOnCreate")),
        "StackPolicyDuringUpdate": request.get("StackPolicyDuringUpdateBody"),
        "ImportExistingResources": bool(request.get("ImportExistingResources")),
    }


def on_failure(request: dict[str, Any]) -> str:
    if request.get("OnFailure") and request.get("DisableRollback") is not None:
        raise TemplateError("Either DisableRollback or OnFailure can be specified, not both.")
    return request.get("OnFailure") or ("DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK")


def identity_of(call: Call, request: dict[str, Any], previous: Record | None = None) -> Record:
    """Who a stack acts as: the role given, the role it has, else the caller."""
    role = request.get("RoleARN") or (previous or {}).get("RoleARN")
    if role:
        try:
            call.engine.clients.role(
                role, service=SERVICE_PRINCIPAL, session_name="AWSCloudFormation", region=call.region
            )
        except AwsError:
            raise TemplateError(f"Role {role} is invalid or cannot be assumed") from None
    return {"RoleARN": role, "AccessKey": call.principal.access_key, "Via": list(call.principal.via)}


def stack_policy(call: Call, request: dict[str, Any], member: str = "StackPolicy") -> str | None:
    """A stack policy given inline or by URL, checked."""
    body = request.get(f"{member}Body")
    url = request.get(f"{member}URL")
    if body and url:
        raise TemplateError(f"You cannot specify both {member}Body and {member}URL")
    if url:
        body = object_of(call, url, f"{member}URL", 16_384)
    if body:
        policy.parse(body)
    return body


def stack_tags(call: Call, request: dict[str, Any], previous: dict[str, str] | None = None) -> dict[str, str]:
    """The tags asked for; an update that names none keeps the stack's, and any keeps those of services."""
    if request.get("Tags") is None and previous is not None:
        return previous
    kept = {key: value for key, value in (previous or {}).items() if key.startswith("aws:")}
    return kept | tags.check(request.get("Tags"), by_service=call.agent == SERVICE_CATALOG)
