"""KMS grants as what they are to the evaluation: statements on the key that name their grantee.

Source: "Grants in AWS KMS" in the KMS Developer Guide.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.iam.documents import Document, parse
from sandbox.iam.principals.principal import Principal


def documents(key: Any, principal: Principal) -> tuple[Document, ...]:
    """Policies equivalent to the grants on a key whose grantee is this requester."""
    return tuple(
        parse(json.dumps(_policy(grant)), f"grant {grant.id}")
        for grant in list(key.grants.values())
        if ("AWS", grant.grantee_principal) in principal.forms
        or ("Service", grant.grantee_principal) in principal.forms
    )


def _policy(grant: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": [f"kms:{name}" for name in grant.operations],
        "Resource": "*",
    }
    conditions: dict[str, Any] = {}
    constraints = grant.constraints or {}
    for name, subset in (("EncryptionContextSubset", True), ("EncryptionContextEquals", False)):
        pairs = constraints.get(name) or {}
        if pairs:
            conditions.setdefault("StringEquals", {}).update(
                {f"kms:EncryptionContext:{key}": value for key, value in pairs.items()}
            )
            if not subset:
                conditions["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": list(pairs)}
    if conditions:
        statement["Condition"] = conditions
    return {"Version": "2012-10-17", "Statement": [statement]}
