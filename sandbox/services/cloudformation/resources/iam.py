"""AWS::IAM::Role, AWS::IAM::Policy, AWS::IAM::ManagedPolicy, AWS::IAM::User."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any, ClassVar

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)

_MAX_VERSIONS = 5


class Identity(Handler):
    """What roles and users share: inline policies, attached policies, a boundary, tags."""

    noun: ClassVar[str]
    key: ClassVar[str]

    def call(self, request: Request, method: str, **parameters: Any) -> Any:
        """`put_{noun}_policy` and the like, for the identity of the request."""
        name = request.physical_id or parameters.pop("_name")
        parameters.pop("_name", None)
        return getattr(request.client("iam"), method.format(self.noun))(**{self.key: name}, **parameters)

    def set_policies(self, request: Request, name: str) -> None:
        had = {item["PolicyName"]: item["PolicyDocument"] for item in request.previous.get("Policies", [])}
        wanted = {
            item["PolicyName"]: item["PolicyDocument"] for item in request.properties.get("Policies", [])
        }
        for policy, document in wanted.items():
            if had.get(policy) != document:
                self.call(
                    request, "put_{}_policy", _name=name, PolicyName=policy, PolicyDocument=_text(document)
                )
        for policy in had.keys() - wanted.keys():
            with unless_missing():
                self.call(request, "delete_{}_policy", _name=name, PolicyName=policy)
        had_arns = set(request.previous.get("ManagedPolicyArns", []))
        arns = set(request.properties.get("ManagedPolicyArns", []))
        for arn in sorted(arns - had_arns):
            self.call(request, "attach_{}_policy", _name=name, PolicyArn=arn)
        for arn in sorted(had_arns - arns):
            with unless_missing():
                self.call(request, "detach_{}_policy", _name=name, PolicyArn=arn)

    def set_tags(self, request: Request) -> None:
        if request.tags_removed:
            self.call(request, "untag_{}", TagKeys=request.tags_removed)
        if request.tags_added:
            tags = [{"Key": key, "Value": value} for key, value in request.tags_added.items()]
            self.call(request, "tag_{}", Tags=tags)

    def set_boundary(self, request: Request) -> None:
        if not request.changed("PermissionsBoundary"):
            return
        if "PermissionsBoundary" in request.properties:
            boundary = request.properties["PermissionsBoundary"]
            self.call(request, "put_{}_permissions_boundary", PermissionsBoundary=boundary)
        else:
            self.call(request, "delete_{}_permissions_boundary")

    def strip(self, request: Request) -> None:
        """Takes off what IAM wants gone before it deletes."""
        with unless_missing():
            for policy in request.properties.get("Policies", []):
                with unless_missing():
                    self.call(request, "delete_{}_policy", PolicyName=policy["PolicyName"])
            for arn in request.properties.get("ManagedPolicyArns", []):
                with unless_missing():
                    self.call(request, "detach_{}_policy", PolicyArn=arn)


@resource_type("AWS::IAM::Role")
class Role(Identity):
    noun, key = "role", "RoleName"

    def create(self, request: Request) -> Made:
        iam, name = request.client("iam"), request.name("RoleName", limit=64)
        plain = {
            key: item
            for key, item in request.properties.items()
            if key not in ("Tags", "Policies", "ManagedPolicyArns", "RoleName")
        }
        parameters = convert.parameters(iam, "CreateRole", plain)
        tags = convert.tags(convert.member_shape(iam, "CreateRole", "Tags"), request.tags)
        with unless_resumed(request.resumed):
            iam.create_role(RoleName=name, Tags=tags, **parameters)
        role = iam.get_role(RoleName=name)["Role"]
        made = Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})
        with left_behind(made):
            self.set_policies(request, name)
        return made

    def update(self, request: Request) -> Made:
        iam, name = request.client("iam"), request.physical_id
        if request.changed("AssumeRolePolicyDocument"):
            document = _text(request.properties["AssumeRolePolicyDocument"])
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        if request.changed("Description", "MaxSessionDuration"):
            iam.update_role(
                RoleName=name,
                Description=request.properties.get("Description", ""),
                MaxSessionDuration=request.properties.get("MaxSessionDuration", 3600),
            )
        self.set_boundary(request)
        self.set_policies(request, name)
        self.set_tags(request)
        return Made(name, request.attributes)

    def delete(self, request: Request) -> None:
        self.strip(request)
        with unless_missing():
            request.client("iam").delete_role(RoleName=request.physical_id)


@resource_type("AWS::IAM::User")
class User(Identity):
    noun, key = "user", "UserName"
    refused = frozenset({"LoginProfile"})

    def create(self, request: Request) -> Made:
        iam, name = request.client("iam"), request.name("UserName", limit=64)
        plain = {
            key: request.properties[key]
            for key in ("Path", "PermissionsBoundary")
            if key in request.properties
        }
        tags = convert.tags(convert.member_shape(iam, "CreateUser", "Tags"), request.tags)
        with unless_resumed(request.resumed):
            iam.create_user(UserName=name, Tags=tags, **plain)
        user = iam.get_user(UserName=name)["User"]
        made = Made(name, {"Arn": user["Arn"]})
        with left_behind(made):
            self.set_policies(request, name)
            self._set_groups(request, name)
        return made

    def update(self, request: Request) -> Made:
        if request.changed("Path"):
            request.client("iam").update_user(
                UserName=request.physical_id, NewPath=request.properties.get("Path", "/")
            )
        self.set_boundary(request)
        self.set_policies(request, request.physical_id)
        self._set_groups(request, request.physical_id)
        self.set_tags(request)
        arn = request.client("iam").get_user(UserName=request.physical_id)["User"]["Arn"]
        return Made(request.physical_id, {"Arn": arn})

    def delete(self, request: Request) -> None:
        self.strip(request)
        for group in request.properties.get("Groups", []):
            with unless_missing():
                request.client("iam").remove_user_from_group(GroupName=group, UserName=request.physical_id)
        with unless_missing():
            request.client("iam").delete_user(UserName=request.physical_id)

    def _set_groups(self, request: Request, name: str) -> None:
        iam = request.client("iam")
        had, wanted = request.previous.get("Groups", []), request.properties.get("Groups", [])
        for group in (item for item in wanted if item not in had):
            iam.add_user_to_group(GroupName=group, UserName=name)
        for group in (item for item in had if item not in wanted):
            with unless_missing():
                iam.remove_user_from_group(GroupName=group, UserName=name)


@resource_type("AWS::IAM::Policy")
class Policy(Handler):
    """An inline policy on roles, users and groups. Its physical id is made up, as AWS's is."""

    def create(self, request: Request) -> Made:
        made = Made(request.name("Id", limit=128), {"Id": request.name("Id", limit=128)})
        _inline(request, request.properties["PolicyName"], {}, made)
        return made

    def update(self, request: Request) -> Made:
        if request.changed("PolicyName"):
            _inline(request, request.properties["PolicyName"], {})
            _remove_inline(request, request.previous, request.previous["PolicyName"])
        else:
            _inline(request, request.properties["PolicyName"], request.previous)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        _remove_inline(request, request.properties, request.properties["PolicyName"])


_HOLDERS = {"Roles": ("role", "RoleName"), "Users": ("user", "UserName"), "Groups": ("group", "GroupName")}
"""Property → noun of the operation and member that names the holder."""


def _inline(request: Request, name: str, previous: dict[str, Any], made: Made | None = None) -> None:
    """`made`: what is there from the first holder on that has the policy."""
    iam, document = request.client("iam"), _text(request.properties["PolicyDocument"])
    with ExitStack() as rest:
        for key, (noun, member) in _HOLDERS.items():
            for holder in request.properties.get(key, []):
                put = getattr(iam, f"put_{noun}_policy")
                put(**{member: holder}, PolicyName=name, PolicyDocument=document)
                if made is not None:
                    rest.enter_context(left_behind(made))
    _remove_inline(request, _gone(request, previous), name)


def _gone(request: Request, previous: dict[str, Any]) -> dict[str, list[str]]:
    """The holders that a policy had and has no more."""
    return {
        key: [item for item in previous.get(key, []) if item not in request.properties.get(key, [])]
        for key in _HOLDERS
    }


def _remove_inline(request: Request, holders: dict[str, Any], name: str) -> None:
    iam = request.client("iam")
    for key, (noun, member) in _HOLDERS.items():
        for holder in holders.get(key, []):
            with unless_missing():
                getattr(iam, f"delete_{noun}_policy")(**{member: holder}, PolicyName=name)


@resource_type("AWS::IAM::ManagedPolicy")
class ManagedPolicy(Handler):
    def create(self, request: Request) -> Made:
        iam, name = request.client("iam"), request.name("ManagedPolicyName", limit=128)
        path = request.properties.get("Path", "/")
        arn = f"arn:aws:iam::{request.place.account}:policy{path}{name}"
        attributes: dict[str, Any] = {"PolicyArn": arn}
        with unless_resumed(request.resumed):
            policy = iam.create_policy(
                PolicyName=name,
                Path=path,
                PolicyDocument=_text(request.properties["PolicyDocument"]),
                Description=request.properties.get("Description", ""),
            )["Policy"]
            attributes |= {key: policy[key] for key in ("DefaultVersionId", "PolicyId") if key in policy}
        made = Made(arn, attributes)
        with left_behind(made):
            _attach(request, arn, {})
        return made

    def update(self, request: Request) -> Made:
        iam, arn = request.client("iam"), request.physical_id
        if request.changed("PolicyDocument"):
            versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
            old = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
            if len(versions) >= _MAX_VERSIONS:
                oldest = min(old, key=lambda version: int(version[1:]))
                iam.delete_policy_version(PolicyArn=arn, VersionId=oldest)
            document = _text(request.properties["PolicyDocument"])
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        _attach(request, arn, request.previous)
        return Made(arn, request.attributes)

    def delete(self, request: Request) -> None:
        iam, arn = request.client("iam"), request.physical_id
        with unless_missing():
            _detach(request, arn, request.properties)
            for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
            iam.delete_policy(PolicyArn=arn)


def _attach(request: Request, arn: str, previous: dict[str, Any]) -> None:
    iam = request.client("iam")
    for key, (noun, member) in _HOLDERS.items():
        for holder in request.properties.get(key, []):
            if holder not in previous.get(key, []):
                getattr(iam, f"attach_{noun}_policy")(**{member: holder}, PolicyArn=arn)
    _detach(request, arn, _gone(request, previous))


def _detach(request: Request, arn: str, holders: dict[str, Any]) -> None:
    iam = request.client("iam")
    for key, (noun, member) in _HOLDERS.items():
        for holder in holders.get(key, []):
            with unless_missing():
                getattr(iam, f"detach_{noun}_policy")(**{member: holder}, PolicyArn=arn)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
