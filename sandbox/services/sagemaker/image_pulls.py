"""Images: SageMaker pulls a container's image with its execution role, which ECR must let.

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html ("CreateTrainingJob API: Execution Role
Permissions"); the repository's own policy matters too, where the repository is the account's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.engine.clients import Session

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)"
)
LAYERS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def check_pull(session: Session, image: str) -> None:
    """AwsError (AccessDenied, naming the action) where `session` may not pull an image of ECR."""
    match = _IMAGE.match(image)
    if match is None:  # what has no runtime is refused elsewhere, with the images there are
        return
    repository = f"arn:aws:ecr:{match['region']}:{match['account']}:repository/{match['repository']}"
    session.authorize("ecr:GetAuthorizationToken", "*")
    for action in LAYERS:
        session.authorize(action, repository)
