"""UpdateProvisionedProductProperties: another launch role or owner for what stands already."""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.servicecatalog.idempotency import once
from sandbox.services.servicecatalog.provisioning import free, require

_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/.+")
_PRINCIPAL = re.compile(r"arn:aws:(iam|sts)::\d{12}:(user|role|assumed-role|root).*")


@operation("servicecatalog", "UpdateProvisionedProductProperties")
def update_properties(
    call: Call,
    ProvisionedProductId: str,
    ProvisionedProductProperties: dict[str, str],
    IdempotencyToken: str,
    **_: Any,
) -> dict[str, Any]:
    """Updates and terminations to come run as the role given here."""
    require(call, ProvisionedProductId, None)
    unknown = set(ProvisionedProductProperties) - {"LAUNCH_ROLE", "OWNER"}
    if unknown:
        raise AwsError("InvalidParametersException", f"Property {sorted(unknown)[0]} is not known.")
    role, owner = (ProvisionedProductProperties.get(name) for name in ("LAUNCH_ROLE", "OWNER"))
    if role is not None and not _ROLE.fullmatch(role):
        raise AwsError("InvalidParametersException", f"LAUNCH_ROLE must be the ARN of a role, not {role}.")
    if owner is not None and not _PRINCIPAL.fullmatch(owner):
        raise AwsError("InvalidParametersException", f"OWNER must be the ARN of a user or role, not {owner}.")

    def make() -> dict[str, Any]:
        product = free(call, ProvisionedProductId)
        product |= {"LaunchRoleArn": role} if role else {}
        product |= {"UserArn": owner, "UserArnSession": owner} if owner else {}
        call.records("provisioned").put(product["Id"], product)
        return {
            "ProvisionedProductId": ProvisionedProductId,
            "ProvisionedProductProperties": ProvisionedProductProperties,
            "RecordId": random_id(prefix="rec-"),
            "Status": "SUCCEEDED",
        }

    return once(call, IdempotencyToken, ProvisionedProductId, make)
