"""Types that make nothing: AWS::CDK::Metadata."""

from __future__ import annotations

import hashlib

from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type


class Inert(Handler):
    def create(self, request: Request) -> Made:
        digest = hashlib.sha256(f"{request.place.stack_id}{request.logical_id}{request.token}".encode())
        i = digest.hexdigest()
        return Made(f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:32]}")

    def update(self, request: Request) -> Made:
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        """There is nothing to delete."""


@resource_type("AWS::CDK::Metadata")
class Metadata(Inert):
    """The usage record that the CDK adds to a stack."""
