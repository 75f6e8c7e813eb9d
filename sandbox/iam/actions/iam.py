"""IAM and STS: names to ARNs with their paths, and the roles that are passed or assumed."""

from __future__ import annotations

from sandbox.iam.actions import generic
from sandbox.iam.actions.check import Asked, Check

_SELF = frozenset(
    [
        "GetUser",
        "ChangePassword",
        "CreateAccessKey",
        "DeleteAccessKey",
        "UpdateAccessKey",
        "ListAccessKeys",
        "ListSigningCertificates",
        "DeleteSigningCertificate",
        "UpdateSigningCertificate",
        "UploadSigningCertificate",
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
        "CreateLoginProfile",
        "GetLoginProfile",
    ]
)
"""Operations that mean the caller where no user is named."""

_NAMED = {
    "UserName": "user",
    "RoleName": "role",
    "GroupName": "group",
    "InstanceProfileName": "instance-profile",
}
_CREATES = {
    "CreateUser": ("user", "UserName"),
    "CreateRole": ("role", "RoleName"),
    "CreateGroup": ("group", "GroupName"),
    "CreatePolicy": ("policy", "PolicyName"),
    "CreateInstanceProfile": ("instance-profile", "InstanceProfileName"),
}
SERVICE_LINKED = {
    "sagemaker.application-autoscaling.amazonaws.com": (
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    ),
    "events.amazonaws.com": "AWSServiceRoleForCloudWatchEvents",
    "servicecatalog.amazonaws.com": "AWSServiceRoleForServiceCatalogSync",
}
"""Names of service-linked roles, by service."""


def checks(asked: Asked) -> list[Check]:
    operation = asked.operation
    action = f"iam:{operation}"
    if operation in _CREATES:
        kind, member = _CREATES[operation]
        path = asked.params.get("Path") or "/"
        return [Check(action, (_arn(asked, f"{kind}{path}{asked.params.get(member)}"),))]
    if operation == "CreateServiceLinkedRole":
        service = str(asked.params.get("AWSServiceName"))
        name = SERVICE_LINKED.get(service, "AWSServiceRoleFor*")
        return [Check(action, (_arn(asked, f"role/aws-service-role/{service}/{name}"),))]
    if (
        asked.params.get("PolicyArn")
        and "Role" not in operation
        and "User" not in operation
        and "Group" not in operation
    ):
        return [Check(action, (str(asked.params["PolicyArn"]),))]
    found = [
        _existing(asked, kind, str(asked.params[member]))
        for member, kind in _NAMED.items()
        if asked.params.get(member)
    ]
    if operation == "AddRoleToInstanceProfile":
        role = _existing(asked, "role", str(asked.params.get("RoleName")))
        profile = _existing(asked, "instance-profile", str(asked.params.get("InstanceProfileName")))
        return [
            Check(action, (profile,)),
            Check("iam:PassRole", (role,), {"iam:PassedToService": "ec2.amazonaws.com"}),
        ]
    if operation == "RemoveRoleFromInstanceProfile":
        found = found[-1:]
    if operation in ("AddUserToGroup", "RemoveUserFromGroup"):
        found = [_existing(asked, "group", str(asked.params.get("GroupName")))]
    if found:
        return [Check(action, tuple(found))]
    if operation == "GetAccessKeyLastUsed":
        return [Check(action, (_owner(asked),))]
    if operation == "CreateOpenIDConnectProvider":
        host = str(asked.params.get("Url", "")).split("://", 1)[-1]
        return [Check(action, (_arn(asked, f"oidc-provider/{host}"),))]
    if operation == "GetServiceLinkedRoleDeletionStatus":
        return [Check(action, (_arn(asked, "role/aws-service-role/*"),))]
    if operation in _SELF and asked.caller:
        return [Check(action, (_existing(asked, "user", asked.caller),))]
    return [Check(action, generic.resources(asked, "iam", operation))]


def _arn(asked: Asked, resource: str) -> str:
    return asked.arn("iam", resource, regional=False)


def _owner(asked: Asked) -> str:
    """ARN of the user whose access key a request names."""
    from sandbox.iam.principals.records import iam_backend

    key = iam_backend(asked.account).access_keys.get(asked.params.get("AccessKeyId"))
    return _existing(asked, "user", key.user_name) if key and key.user_name else _arn(asked, "user/*")


def _existing(asked: Asked, kind: str, name: str) -> str:
    """ARN with the path of a user, role, group or instance profile; on `/` where there is none."""
    from sandbox.iam.principals.records import iam_backend, role_named

    if kind == "role":
        role = role_named(asked.account, name)
        return str(role.arn) if role is not None else _arn(asked, f"role/{name}")
    backend = iam_backend(asked.account)
    holders = {
        "user": backend.users,
        "group": backend.groups,
        "instance-profile": backend.instance_profiles,
    }[kind]
    for holder in list(holders.values()):
        if holder.name == name:
            return str(holder.arn)
    return _arn(asked, f"{kind}/{name}")


def sts_checks(asked: Asked) -> list[Check]:
    """STS: GetCallerIdentity and its like need no permission (no check at all)."""
    operation = asked.operation
    if operation in (
        "GetCallerIdentity",
        "GetSessionToken",
        "GetAccessKeyInfo",
        "DecodeAuthorizationMessage",
    ):
        needs = operation == "DecodeAuthorizationMessage"
        return [Check(f"sts:{operation}", ("*",))] if needs else []
    if operation == "GetFederationToken":
        user = (asked.arn("sts", f"federated-user/{asked.params.get('Name')}", regional=False),)
        tagged = [Check("sts:TagSession", user)] if asked.params.get("Tags") else []
        return [Check("sts:GetFederationToken", user), *tagged]
    found = [Check(f"sts:{operation}", generic.resources(asked, "sts", operation))]
    if operation == "AssumeRole":
        role = found[0].resources
        if asked.params.get("Tags"):
            found.append(Check("sts:TagSession", role))
        if asked.params.get("SourceIdentity"):
            found.append(Check("sts:SetSourceIdentity", role))
    return found
