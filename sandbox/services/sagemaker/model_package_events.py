"""The event by which a model's approval or rejection starts its deployment.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html#eventbridge-model-package
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Record

DETAIL_TYPE = "SageMaker Model Package State Change"
_LEFT_OUT = ("CreatedBy", "LastModifiedBy", "ModelCard", "SecurityConfig")


def publish(call: Call, package: Record, updated: list[str] | None = None) -> None:
    """Tells of a package's new state. `updated`: the members that an update changed."""
    detail: dict[str, Any] = {name: value for name, value in package.items() if name not in _LEFT_OUT}
    detail |= {name: iso(package[name]) for name in ("CreationTime", "LastModifiedTime")}
    if updated:
        detail["UpdatedModelPackageFields"] = updated
    call.engine.events.put(
        call.account,
        call.region,
        source="aws.sagemaker",
        detail_type=DETAIL_TYPE,
        resources=[package["ModelPackageArn"]],
        detail=detail,
    )


def iso(moment: float) -> str:
    """Epoch seconds as SageMaker's events write them."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
