"""Principals, their secrets and their policies out of moto's records."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.iam.documents import Document, parse
from sandbox.iam.policy import PolicySet
from sandbox.iam.principals.principal import Principal
from sandbox.iam.signature import BadToken, TokenExpired, UnknownKey

if TYPE_CHECKING:
    from sandbox.iam.principals.temporary import Temporary

PARTITION = "aws"


def iam_backend(account: str) -> Any:
    from moto.backends import get_backend

    return get_backend("iam")[account][PARTITION]


def sts_backend(account: str) -> Any:
    from moto.backends import get_backend

    return get_backend("sts")[account][PARTITION]


def access_key_of(access_key: str) -> tuple[str, Any]:
    """(account, moto's access key). Raises UnknownKey."""
    from moto.backends import get_backend

    for account, partitions in list(get_backend("iam").items()):
        found = partitions[PARTITION].access_keys.get(access_key)
        if found is not None and found.status == "Active":
            return account, found
    raise UnknownKey(access_key)


_sessions: dict[str, Any] = {}
"""moto's assumed roles by access key: moto itself only has a list to walk."""


def assumed_role(account: str, access_key: str) -> Any:
    """moto's record of a role session. Raises UnknownKey."""
    found = _sessions.get(access_key)
    known = sts_backend(account).assumed_roles
    if found is None:
        for session in reversed(list(known)):
            if session.access_key_id == access_key:
                found = _sessions[access_key] = session
                break
        else:
            raise UnknownKey(access_key)
    return found


def forget_sessions() -> None:
    """Empties the index, after moto's state was replaced or sessions were dropped."""
    _sessions.clear()


def epoch(moment: datetime) -> float:
    """moto's times are naive and mean UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def secret_of(access_key: str, token: str | None) -> str:
    """Secret of an active key; checks the token of temporary credentials.

    Raises UnknownKey, BadToken or TokenExpired: it is what `signature.verify` looks secrets up with.
    """
    account, key = access_key_of(access_key)
    temporary = getattr(key, "temporary", None)
    if temporary is not None:
        _check_token(access_key, token, temporary)
    if key.role_arn is None:
        return str(key.secret_access_key)
    session = assumed_role(account, access_key)
    if token != session.session_token:
        raise BadToken(access_key)
    if epoch(session.expiration) <= time.time():
        raise TokenExpired(access_key)
    return str(session.secret_access_key)


def _check_token(access_key: str, token: str | None, temporary: Temporary) -> None:
    if token != temporary.session_token:
        raise BadToken(access_key)
    if temporary.expiration <= time.time():
        raise TokenExpired(access_key)


def principal_of(access_key: str, token: str | None = None) -> Principal:
    """Who owns an access key. Raises UnknownKey (also for a deleted role or user) or TokenExpired.

    `token` is not compared here: `secret_of` did when the signature was verified.
    """
    account, key = access_key_of(access_key)
    backend = iam_backend(account)
    if key.role_arn is not None:
        return _role_session(account, access_key, backend)
    temporary = getattr(key, "temporary", None)
    if temporary is not None and temporary.expiration <= time.time():
        raise TokenExpired(access_key)
    found = _user_or_root(account, access_key, (temporary or key).user_name, backend)
    if temporary is None:
        return found
    found = replace(found, issued=temporary.issued)
    if temporary.federated is None:
        return found
    documents = (*temporary.policies, *(_managed(backend, arn) or _NOTHING for arn in temporary.policy_arns))
    return replace(
        found,
        kind="federated",
        id=f"{account}:{temporary.federated}",
        session_name=temporary.federated,
        tags=temporary.tags,
        session_policy=documents,
    )


def _user_or_root(account: str, access_key: str, user_name: str | None, backend: Any) -> Principal:
    if user_name is None:
        return Principal("root", f"arn:{PARTITION}:iam::{account}:root", account, account, access_key)
    user = backend.users.get(user_name)
    if user is None:
        raise UnknownKey(access_key)
    return Principal("user", user.arn, account, user.id, access_key, tags=_tags(user.tags))


def _role_session(account: str, access_key: str, backend: Any) -> Principal:
    session = assumed_role(account, access_key)
    if epoch(session.expiration) <= time.time():
        raise TokenExpired(access_key)
    role = role_of(account, session.role_arn)
    if role is None:
        raise UnknownKey(access_key)
    documents = list(getattr(session, "policy_documents", ()))
    documents += [_managed(backend, arn) or _NOTHING for arn in getattr(session, "policy_arns", ())]
    if session.policy:
        documents.append(session.policy)
    return Principal(
        kind="role",
        arn=role.arn,
        account=account,
        id=f"{role.id}:{session.session_name}",
        access_key=access_key,
        session_name=session.session_name,
        tags=role_tags(role) | dict(getattr(session, "tags", {})),
        transitive={name: session.tags[name] for name in getattr(session, "transitive", ())},
        session_policy=tuple(documents) or None,
        source_identity=getattr(session, "source_identity", None),
        issued=getattr(session, "issued", None),
    )


def role_of(account: str, arn: str) -> Any | None:
    """moto's role by ARN, or None."""
    found = role_named(account, arn.rsplit("/", 1)[-1])
    return found if found is not None and found.arn == arn else None


def role_named(account: str, name: str) -> Any | None:
    """moto's role by its name, or None."""
    roles = iam_backend(account).roles
    found = _roles.get((account, name))
    if found is None or found.name != name or roles.get(found.id) is not found:
        found = next((role for role in list(roles.values()) if role.name == name), None)
        if found is not None:
            _roles[account, name] = found
    return found


_roles: dict[tuple[str, str], Any] = {}
"""moto's roles by account and name: moto itself has them by id only. Each is asked for again by its id."""


def role_tags(role: Any) -> dict[str, str]:
    return _tags(list(role.tags.values()) if isinstance(role.tags, dict) else role.tags)


def _tags(items: Any) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in items or ()}


def _managed(backend: Any, arn: str) -> str | None:
    policy = backend.managed_policies.get(arn)
    return None if policy is None else default_document(policy)


def default_document(policy: Any) -> str:
    """The text of a managed policy's default version."""
    return str(
        next(
            version.document for version in policy.versions if version.version_id == policy.default_version_id
        )
    )


_NOTHING = '{"Version": "2012-10-17", "Statement": []}'


def _attached(holder: Any) -> list[Document]:
    """Inline and attached policies of a user, group or role."""
    documents = [parse(text, name) for name, text in list(holder.policies.items())]
    return documents + [
        parse(default_document(item), item.arn) for item in list(holder.managed_policies.values())
    ]


def policies_of(principal: Principal) -> PolicySet:
    """Identity policies (inline, attached, of groups), boundary and session policies of a requester."""
    backend = iam_backend(principal.account)
    session = principal.session_policy
    sessions = None if session is None else tuple(parse(text, "session") for text in session)
    if principal.arn.endswith(":root"):
        return PolicySet(forms=principal.forms, root=True, session=sessions)
    if principal.kind == "service":
        return PolicySet(forms=principal.forms, must_grant=True)
    if principal.kind in ("user", "federated"):
        holder = backend.users.get(principal.arn.rsplit("/", 1)[-1])
        groups = [group for group in list(backend.groups.values()) if holder in group.users]
    else:
        holder, groups = role_of(principal.account, principal.arn), []
    if holder is None:
        return PolicySet(forms=principal.forms)
    identity = _attached(holder)
    for group in groups:
        identity += _attached(group)
    boundary_arn = getattr(holder, "permissions_boundary_arn", None)
    return PolicySet(
        identity=tuple(identity),
        boundary=parse(_managed(backend, boundary_arn) or _NOTHING, boundary_arn) if boundary_arn else None,
        session=sessions,
        forms=principal.forms,
    )
