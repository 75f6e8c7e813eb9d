"""Condition keys of services, filled from a request's members.

Source: the condition keys tables of the Service Authorization Reference. A key of a service that stands
nowhere
here is one the sandbox cannot tell: a statement that hangs on it is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.iam.actions.catalogue import iam_prefix
from sandbox.iam.service_key_tables import ANYWHERE, FAMILIES, MEMBERS

Keys = dict[str, tuple[str, ...]]
Params = Mapping[str, Any]


def told(prefix: str, family: str) -> bool:
    """Whether the sandbox fills a condition key of a service (absence then means that AWS has none
    either)."""
    if family in FAMILIES or family in MEMBERS.get(prefix, {}) or family in ANYWHERE.get(prefix, {}):
        return True
    return prefix == "codebuild" or family.startswith(("kms:encryptioncontext:", "kms:recipientattestation:"))


def service_keys(service: str, operation: str, params: Params) -> Keys:
    """The service's own condition keys of a request."""
    prefix = iam_prefix(service)
    keys: Keys = {}
    for key, paths in MEMBERS.get(prefix, {}).items():
        for path in paths:
            values = _at(params, path)
            if values:
                keys[key] = values
                break
    anywhere = ANYWHERE.get(prefix, {})
    holders = list(_holders(params)) if anywhere else []
    for key, names in anywhere.items():
        found = tuple(dict.fromkeys(value for name in names for value in _anywhere(params, holders, name)))
        if found:
            keys[key] = found
    special = _SPECIAL.get(prefix)
    if special:
        special(operation, params, keys)
    return keys


def _s3(operation: str, params: Params, keys: Keys) -> None:
    keys["s3:authtype"] = ("REST-HEADER",)
    keys["s3:signatureversion"] = ("AWS4-HMAC-SHA256",)
    # The loopback stands for the TLS endpoints of AWS (see `context`).
    keys["s3:tlsversion"] = ("1.3",)
    tags = _object_tags(params)
    if tags:
        keys["s3:requestobjecttagkeys"] = tuple(tags)
        keys.update({f"s3:requestobjecttag/{name.lower()}": (value,) for name, value in tags.items()})


def _object_tags(params: Params) -> dict[str, str]:
    """Tags of PutObject's header (`a=b&c=d`) or of PutObjectTagging's body."""
    from urllib.parse import parse_qsl

    tagging = params.get("Tagging")
    if isinstance(tagging, str):
        return dict(parse_qsl(tagging, keep_blank_values=True))
    if isinstance(tagging, Mapping):
        return {item["Key"]: item["Value"] for item in tagging.get("TagSet") or []}
    return {}


def _kms(operation: str, params: Params, keys: Keys) -> None:
    context = params.get("EncryptionContext") or params.get("SourceEncryptionContext") or {}
    keys.update({f"kms:encryptioncontext:{name.lower()}": (str(value),) for name, value in context.items()})
    if context:
        keys["kms:encryptioncontextkeys"] = tuple(context)
    name = str(params.get("KeyId") or "")
    if name.startswith("alias/") or ":alias/" in name:
        keys["kms:requestalias"] = (name.split(":", 5)[-1],)
    constraints = params.get("Constraints") or {}
    if constraints:
        keys["kms:grantconstrainttype"] = tuple(constraints)


def _codebuild(operation: str, params: Params, keys: Keys) -> None:
    """CodeBuild's keys are paths into the request: `codebuild:environment.image`."""
    for path, values in _leaves(params, ""):
        keys.setdefault(f"codebuild:{path.lower()}", ())
        keys[f"codebuild:{path.lower()}"] += values


def _sagemaker(operation: str, params: Params, keys: Keys) -> None:
    for name, value in (params.get("CustomerMetadataProperties") or {}).items():
        keys[f"sagemaker:customermetadataproperties/{name.lower()}"] = (str(value),)
    if params.get("Tags") and operation.startswith("Create"):
        keys["sagemaker:taggingaction"] = (operation,)


def _cloudformation(operation: str, params: Params, keys: Keys) -> None:
    if params.get("Tags") and operation in (
        "CreateStack",
        "CreateChangeSet",
        "UpdateStack",
        "CreateStackSet",
    ):
        keys["cloudformation:createaction"] = (operation,)


def _codecommit(operation: str, params: Params, keys: Keys) -> None:
    """References a write is about, as `refs/heads/<branch>`."""
    names = [params.get("branchName"), params.get("targetBranch"), params.get("destinationReference")]
    names += [
        item.get("destinationReference") for item in params.get("targets") or [] if isinstance(item, Mapping)
    ]
    found = tuple(name if name.startswith("refs/") else f"refs/heads/{name}" for name in names if name)
    if found:
        keys["codecommit:references"] = found


_LEVELLED = frozenset(
    (
        "ScanProvisionedProducts",
        "SearchProvisionedProducts",
        "ListRecordHistory",
        "ListProvisionedProductPlans",
    )
)
"""Operations that filter by level, whose default is what the caller made."""


def _servicecatalog(operation: str, params: Params, keys: Keys) -> None:
    """What a user made is also its role's and account's; who made one product only its service knows."""
    level = params.get("AccessLevelFilter") or {}
    name = str(level.get("Key", "User" if operation in _LEVELLED else "Account")).lower()
    wider = {"user": ("user", "role", "account"), "role": ("role", "account"), "account": ("account",)}
    for each in wider.get(name, ()):
        keys[f"servicecatalog:{each}level"] = (str(level.get("Value", "self")),)


def _events(operation: str, params: Params, keys: Keys) -> None:
    pattern = params.get("EventPattern")
    if not isinstance(pattern, str):
        return
    try:
        body = json.loads(pattern)
    except ValueError:
        return
    for member in ("source", "detail-type"):
        values = body.get(member) if isinstance(body, dict) else None
        if isinstance(values, list):
            keys[f"events:{member}"] = tuple(value for value in values if isinstance(value, str))


_SPECIAL: dict[str, Callable[[str, Params, Keys], None]] = {
    "s3": _s3,
    "kms": _kms,
    "codebuild": _codebuild,
    "sagemaker": _sagemaker,
    "cloudformation": _cloudformation,
    "codecommit": _codecommit,
    "servicecatalog": _servicecatalog,
    "events": _events,
}


def text(value: Any) -> str:
    """A value as condition operators compare it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at(value: Any, path: str) -> tuple[str, ...]:
    name, _, rest = path.partition(".")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(dict.fromkeys(found for item in value for found in _at(item, path)))
    if not isinstance(value, Mapping) or value.get(name) is None:
        return ()
    inner = value[name]
    if rest:
        return _at(inner, rest)
    return _scalars(inner)


def _scalars(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(text(item) for item in value if not isinstance(item, Mapping | list))
    return () if isinstance(value, Mapping | bytes) else (text(value),)


def _anywhere(params: Params, holders: Sequence[tuple[str, Params]], name: str) -> tuple[str, ...]:
    """Values of a member at any depth; of `Parent.Child`, only those under a member `Parent`."""
    if name.startswith("@"):
        return _at(params, name[1:])
    parent, _, child = name.rpartition(".")
    return tuple(found for above, holder in holders if parent in ("", above) for found in _at(holder, child))


def _holders(value: Any, above: str = "") -> Iterator[tuple[str, Params]]:
    """Every mapping at any depth, and the name of the member that it stands under."""
    if isinstance(value, Mapping):
        yield above, value
        for name, item in value.items():
            yield from _holders(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _holders(item, above)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, path)
    elif value is not None and not isinstance(value, bytes):
        yield path, (text(value),)
