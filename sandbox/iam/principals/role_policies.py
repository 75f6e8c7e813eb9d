"""The policies of a role as texts, its trust policy among them, for the permissions report."""

from __future__ import annotations

from sandbox.iam.principals.records import default_document, iam_backend, role_of


def role_policies(arn: str) -> list[dict[str, str]] | None:
    """Identity policies, boundary and trust of a role by `kind`; None for what is no role, or is gone."""
    pieces = arn.split(":", 5)
    if len(pieces) != 6 or not pieces[5].startswith("role/"):
        return None
    role = role_of(pieces[4], arn)
    if role is None:
        return None
    found = [
        {"name": name, "kind": "identity", "document": text} for name, text in list(role.policies.items())
    ]
    found += [
        {"name": policy.arn, "kind": "identity", "document": default_document(policy)}
        for policy in list(role.managed_policies.values())
    ]
    boundary = iam_backend(pieces[4]).managed_policies.get(getattr(role, "permissions_boundary_arn", None))
    if boundary is not None:
        found.append({"name": boundary.arn, "kind": "boundary", "document": default_document(boundary)})
    found.append({"name": "trust", "kind": "trust", "document": str(role.assume_role_policy_document)})
    return found
