"""Permissions boundaries of users, which moto notes nowhere.

Source: CreateUser, PutUserPermissionsBoundary and DeleteUserPermissionsBoundary in the IAM API reference.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.iam.principals.changes import changing
from sandbox.iam.principals.records import epoch, iam_backend


def no_user(name: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The user with name {name} cannot be found.", status=404)


@operation("iam", "CreateUser")
def create_user(
    call: Call, UserName: str, Path: str = "/", PermissionsBoundary: str | None = None, **members: Any
) -> dict[str, Any]:
    backend = iam_backend(call.account)
    tags = members.get("Tags") or []
    if PermissionsBoundary:
        _check(call, PermissionsBoundary)
    with changing("iam"):
        if any(name.lower() == UserName.lower() for name in backend.users):
            text = f"User with name {UserName} already exists."
            raise AwsError("EntityAlreadyExists", text, status=409)
        user = backend.create_user(region_name=call.region, user_name=UserName, path=Path, tags=tags)
        if PermissionsBoundary:
            _set(user, PermissionsBoundary)
    answer = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": epoch(user.create_date),
    }
    if PermissionsBoundary:
        answer["PermissionsBoundary"] = user.permissions_boundary
    return {"User": answer | ({"Tags": tags} if tags else {})}


@operation("iam", "PutUserPermissionsBoundary")
def put_user_permissions_boundary(call: Call, UserName: str, PermissionsBoundary: str) -> None:
    user = _user(call, UserName)
    _check(call, PermissionsBoundary)
    with changing("iam", names=(UserName,)):
        _set(user, PermissionsBoundary)


@operation("iam", "DeleteUserPermissionsBoundary")
def delete_user_permissions_boundary(call: Call, UserName: str) -> None:
    user = _user(call, UserName)
    with changing("iam", names=(UserName,)):
        user.permissions_boundary_arn = user.permissions_boundary = None


def _user(call: Call, name: str) -> Any:
    user = iam_backend(call.account).users.get(name)
    if user is None:
        raise no_user(name)
    return user


def _check(call: Call, arn: str) -> None:
    """A boundary is a managed policy of this account, or of AWS."""
    if arn not in iam_backend(call.account).managed_policies:
        text = f"Scope ARN: {arn} does not exist or is not attachable."
        raise AwsError("NoSuchEntity", text, status=404)


def _set(user: Any, arn: str) -> None:
    """`permissions_boundary` is the attribute that moto's GetUser answers with."""
    user.permissions_boundary_arn = arn
    user.permissions_boundary = {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": arn,
    }
