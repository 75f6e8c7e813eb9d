"""CodeConnections under its two names: the action takes the prefix of the API that is called, the resource is
the ARN that the request names.

Source: "Permissions and examples for AWS CodeConnections" in the developer tools console's user guide.
"""

from __future__ import annotations

from sandbox.iam.actions.check import Asked, Check


def checks(asked: Asked) -> list[Check]:
    prefix = asked.service
    named = asked.first("ConnectionArn", "ResourceArn", "HostArn")
    resources = (named,) if named and not asked.operation.startswith("List") else ("*",)
    if asked.operation == "ListTagsForResource" and named:
        resources = (named,)
    return [Check(f"{prefix}:{asked.operation}", resources)]
