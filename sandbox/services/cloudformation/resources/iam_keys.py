"""AWS::IAM::AccessKey, AWS::IAM::InstanceProfile."""

from __future__ import annotations

from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type


@resource_type("AWS::IAM::AccessKey")
class AccessKey(Handler):
    def create(self, request: Request) -> Made:
        iam, user = request.client("iam"), request.properties["UserName"]
        key = iam.create_access_key(UserName=user)["AccessKey"]
        if request.properties.get("Status") == "Inactive":
            iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
        return Made(key["AccessKeyId"], {"SecretAccessKey": key["SecretAccessKey"], "Id": key["AccessKeyId"]})

    def update(self, request: Request) -> Made:
        request.client("iam").update_access_key(
            UserName=request.properties["UserName"],
            AccessKeyId=request.physical_id,
            Status=request.properties.get("Status", "Active"),
        )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("iam").delete_access_key(
                UserName=request.properties["UserName"], AccessKeyId=request.physical_id
            )


@resource_type("AWS::IAM::InstanceProfile")
class InstanceProfile(Handler):
    """Kept: no instance runs that would use it."""

    record_only = True

    def create(self, request: Request) -> Made:
        iam, name = request.client("iam"), request.name("InstanceProfileName", limit=128)
        path = request.properties.get("Path", "/")
        with unless_resumed(request.resumed):
            iam.create_instance_profile(InstanceProfileName=name, Path=path)
        self._set_roles(request, name)
        arn = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
        return Made(name, {"Arn": arn})

    def update(self, request: Request) -> Made:
        self._set_roles(request, request.physical_id)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        iam, name = request.client("iam"), request.physical_id
        with unless_missing():
            for role in iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]:
                iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role["RoleName"])
            iam.delete_instance_profile(InstanceProfileName=name)

    def _set_roles(self, request: Request, name: str) -> None:
        iam = request.client("iam")
        profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        had, wanted = [role["RoleName"] for role in profile["Roles"]], request.properties["Roles"]
        for role in (item for item in had if item not in wanted):
            iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
        for role in (item for item in wanted if item not in had):
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
