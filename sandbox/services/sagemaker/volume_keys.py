"""Keys of volumes: SageMaker encrypts an instance's volume through a grant, which its principal must be able
to give (kms:CreateGrant).

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.iam.actions.check import Asked
from sandbox.iam.actions.kms import key_arn

if TYPE_CHECKING:
    from sandbox.engine.clients import Session


def check_grant(session: Session, account: str, key: str | None) -> None:
    """AwsError where `session` may not give SageMaker a grant for a volume's key (id, alias or ARN)."""
    if not key:
        return
    arn = key_arn(Asked("kms", "CreateGrant", {}, session.region, account), key)
    context = {
        "kms:GrantIsForAWSResource": "true",
        "kms:ViaService": f"sagemaker.{session.region}.amazonaws.com",
    }
    session.authorize("kms:CreateGrant", arn, **context)
