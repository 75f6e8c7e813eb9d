"""Condition keys of a request: who, when, from where, on what, with which tags.

Source: "AWS global condition context keys" in the IAM User Guide.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.iam import moto_resources
from sandbox.iam.actions import Locate
from sandbox.iam.actions.catalogue import condition_keys, key_family, keys_of_action
from sandbox.iam.principals.principal import Principal
from sandbox.iam.service_keys import service_keys, told

TagsOf = Callable[[str], "Mapping[str, str]"]
PolicyOf = Callable[[str], "str | None"]


@dataclass(frozen=True)
class RequestFacts:
    """What the gateway knows of a request.

    `service`, `operation`, `params`: botocore's names and parsed members. `tags_of`: tags of a resource by
    ARN, for services that are not moto's. `policy_of`: resource policy by ARN, likewise. `locate`: ARN of
    what an id stands for. `source_arn`, `source_account`: for whom a service principal calls. `keys`:
    further condition keys, which only the caller can tell (`codecommit:References` of a push).
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str
    account: str
    headers: Mapping[str, str] = field(default_factory=dict)
    source_ip: str = "127.0.0.1"
    source_arn: str | None = None
    source_account: str | None = None
    now: float | None = None
    presigned: bool = False
    tags_of: TagsOf | None = None
    policy_of: PolicyOf | None = None
    locate: Locate | None = None
    keys: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


GLOBAL = frozenset(
    f"aws:{name}"
    for name in [
        "requestedregion",
        "principalarn",
        "principalaccount",
        "principaltype",
        "userid",
        "username",
        "sourceip",
        "securetransport",
        "currenttime",
        "epochtime",
        "resourceaccount",
        "calledvia",
        "calledviafirst",
        "calledvialast",
        "viaawsservice",
        "sourceaccount",
        "sourcearn",
        "sourceowner",
        "sourceorgid",
        "sourceorgpaths",
        "principalorgid",
        "principalorgpaths",
        "resourceorgid",
        "resourceorgpaths",
        "multifactorauthpresent",
        "multifactorauthage",
        "sourcevpc",
        "sourcevpcarn",
        "sourcevpce",
        "vpcsourceip",
        "vpceaccount",
        "vpceorgid",
        "vpceorgpaths",
        "referer",
        "useragent",
        "federatedprovider",
        "tokenissuetime",
        "principalisawsservice",
        "principalservicename",
        "principalservicenameslist",
        "sourceidentity",
        "ec2instancesourcevpc",
        "ec2instancesourceprivateipv4",
        "chatbotsourcearn",
        "assumedroot",
        "principaltag/*",
        "requesttag/*",
        "resourcetag/*",
        "tagkeys",
    ]
)
"""Global keys that are told; those never present here have no counterpart on one machine (organization, VPC,
MFA)."""


MULTIVALUED = frozenset(
    (
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    )
)
"""Global keys that may have several values, which no policy variable takes even where there is one."""


class Context:
    """Condition keys of one request on one resource. Keys are in lower case."""

    __slots__ = ("_action", "_prefix", "_resource", "_tags", "_tags_of", "values")

    def __init__(
        self, values: dict[str, tuple[str, ...]], action: str, resource: str, tags_of: TagsOf | None = None
    ) -> None:
        self.values = values
        self._prefix, _, self._action = action.partition(":")
        self._resource = resource
        self._tags_of = tags_of
        self._tags: dict[str, str] | None = None

    def get(self, key: str) -> tuple[str, ...] | None:
        found = self.values.get(key)
        if found is None and "/" in key:
            return self._resource_tag(key)
        return found

    def single(self, key: str) -> str | None:
        """The value of a key that has exactly one, as policy variables need it."""
        found = None if key in MULTIVALUED else self.get(key)
        return found[0] if found is not None and len(found) == 1 else None

    def known(self, key: str) -> bool:
        """Whether the absence of a key means that AWS would not have it either."""
        if key in self.values:
            return True
        if key.startswith("aws:"):
            return key in GLOBAL or key_family(key) in GLOBAL
        family = key_family(key)
        prefix = key.partition(":")[0]
        if told(prefix, family):
            return True
        if family in keys_of_action(self._prefix, self._action):
            return False
        return family in condition_keys(prefix) or family in condition_keys(self._prefix)

    def _resource_tag(self, key: str) -> tuple[str, ...] | None:
        family, _, name = key.partition("/")
        if family not in _TAGS_OF_RESOURCE or self._tags_of is None or "*" in self._resource:
            return None
        # S3 tells tags of objects by a key of its own, and those of buckets only where that is switched on.
        if (family == "s3:existingobjecttag") != self._resource.startswith("arn:aws:s3:::"):
            return None
        if self._tags is None:
            self._tags = {tag.lower(): value for tag, value in self._tags_of(self._resource).items()}
        value = self._tags.get(name)
        return None if value is None else (value,)


_TAGS_OF_RESOURCE = frozenset(
    {
        "aws:resourcetag",
        "iam:resourcetag",
        "sagemaker:resourcetag",
        "ssm:resourcetag",
        "ec2:resourcetag",
        "ecr:resourcetag",
        "secretsmanager:resourcetag",
        "s3:existingobjecttag",
    }
)


TELL_NO_SOURCE = frozenset(("cloudformation.amazonaws.com", "servicecatalog.amazonaws.com"))
"""Services that assume the role of a stack or of a launch without saying for whom: neither documents
aws:SourceAccount or aws:SourceArn for it, so a trust policy that asks for them lets nobody in."""


_PRINCIPAL_TYPES = {
    "user": "User",
    "role": "AssumedRole",
    "root": "Account",
    "federated": "FederatedUser",
}


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


TELL_SOURCE_OWNER = frozenset(("cloudwatch.amazonaws.com",))
"""Services whose requests carry aws:SourceOwner, the condition of SNS's default topic policies: alarms reach
their own account's topics without a statement of their own."""


def global_keys(principal: Principal, facts: RequestFacts) -> dict[str, tuple[str, ...]]:
    """Keys that hold for every action of a request."""
    now = time.time() if facts.now is None else facts.now
    keys: dict[str, tuple[str, ...]] = {
        "aws:requestedregion": (facts.region,),
        "aws:principalaccount": (principal.account,),
        "aws:userid": (principal.id,),
        # The sandbox speaks http on the loopback where AWS's endpoints speak TLS: its requests stand for
        # theirs, and a policy that refuses plain http must not refuse them.
        "aws:securetransport": ("true",),
        "aws:currenttime": (_iso(now),),
        "aws:epochtime": (str(int(now)),),
        "aws:principalisawsservice": ("true" if principal.kind == "service" else "false",),
        "aws:viaawsservice": ("true" if principal.via else "false",),
    }
    if principal.kind == "service":
        keys["aws:principalservicename"] = (principal.arn,)
        keys["aws:principalservicenameslist"] = (principal.arn,)
        if principal.arn not in TELL_NO_SOURCE:
            keys["aws:sourceaccount"] = (facts.source_account or principal.account,)
        if principal.arn in TELL_SOURCE_OWNER:
            keys["aws:sourceowner"] = (facts.source_account or principal.account,)
        if facts.source_arn:
            keys["aws:sourcearn"] = (facts.source_arn,)
    else:
        keys["aws:principalarn"] = (principal.caller_arn if principal.kind == "federated" else principal.arn,)
        keys["aws:principaltype"] = (_PRINCIPAL_TYPES[principal.kind],)
        keys.update({f"aws:principaltag/{name.lower()}": (value,) for name, value in principal.tags.items()})
    if principal.kind == "user":
        keys["aws:username"] = (principal.name,)
    if principal.kind == "role" or principal.issued is not None:
        keys["aws:multifactorauthpresent"] = ("false",)
    if principal.issued is not None:
        keys["aws:tokenissuetime"] = (_iso(principal.issued),)
    if principal.source_identity:
        keys["aws:sourceidentity"] = (principal.source_identity,)
    if principal.via:
        keys["aws:calledvia"] = principal.via
        keys["aws:calledviafirst"] = (principal.via[0],)
        keys["aws:calledvialast"] = (principal.via[-1],)
    elif principal.kind != "service":
        # AWS does not give the address of a request that a service makes for someone.
        keys["aws:sourceip"] = (facts.source_ip,)
    for header, key in (("user-agent", "aws:useragent"), ("referer", "aws:referer")):
        if facts.headers.get(header):
            keys[key] = (facts.headers[header],)
    return keys


def request_keys(principal: Principal, facts: RequestFacts) -> dict[str, tuple[str, ...]]:
    """Global keys, request tags and the service's own keys of a request."""
    keys = global_keys(principal, facts)
    tags = request_tags(facts.params)
    if tags:
        keys.update(
            {f"aws:requesttag/{name.lower()}": (value,) for name, value in tags.items() if value is not None}
        )
        keys["aws:tagkeys"] = tuple(tags)
    keys.update(service_keys(facts.service, facts.operation, facts.params))
    if facts.service == "kms":
        keys["kms:calleraccount"] = (principal.account,)
        if principal.via:
            keys["kms:viaservice"] = (f"{principal.via[-1].split('.')[0]}.{facts.region}.amazonaws.com",)
            keys["kms:grantisforawsresource"] = ("true",)
        else:
            keys["kms:grantisforawsresource"] = ("false",)
    if facts.service == "iam" and "iam:permissionsboundary" not in keys:
        # Changes to the policies of a role or user are told the boundary that it has already.
        boundary = moto_resources.boundary_of(facts.account, facts.params)
        if boundary:
            keys["iam:permissionsboundary"] = (boundary,)
    if facts.service == "events":
        keys["events:creatoraccount"] = (facts.account,)
    if facts.service == "s3":
        keys["s3:resourceaccount"] = (facts.account,)
        if facts.headers.get("x-amz-content-sha256"):
            keys["s3:x-amz-content-sha256"] = (facts.headers["x-amz-content-sha256"],)
        if facts.presigned:
            keys["s3:authtype"] = ("REST-QUERY-STRING",)
    keys.update(
        {
            name.lower(): (value,) if isinstance(value, str) else tuple(value)
            for name, value in facts.keys.items()
        }
    )
    return keys


_TAG_MEMBERS = ("Tags", "tags", "AddTags", "TagKeys", "tagKeys", "RemoveTags", "TagList")


def request_tags(params: Mapping[str, Any]) -> dict[str, str | None]:
    """Tags that a request sets (or, with value None, removes), in whatever form its service has them."""
    found: dict[str, str | None] = {}
    for item in params.get("TagSpecifications") or []:
        if isinstance(item, Mapping):
            found |= request_tags({"Tags": item.get("Tags")})
    for member in _TAG_MEMBERS:
        value = params.get(member)
        if isinstance(value, Mapping):
            items = value.get("TagSet") or value.get("Items")
            if isinstance(items, list):
                value = items
            else:
                found.update({str(name): str(text) for name, text in value.items()})
                continue
        for item in value if isinstance(value, list | tuple) else ():
            if isinstance(item, str):
                found.setdefault(item, None)
            elif isinstance(item, Mapping):
                name = next((item[key] for key in ("Key", "key", "TagKey") if key in item), None)
                if name is not None and str(name).lower().startswith("aws:"):
                    continue  # system tags, set by services, are no tags of the request
                text = next((item[key] for key in ("Value", "value", "TagValue") if key in item), "")
                if name is not None:
                    found[str(name)] = str(text)
    return found
