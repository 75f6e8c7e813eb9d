"""IAM, what moto lacks of it: users' permissions boundaries, and the policy simulator."""

from __future__ import annotations

from sandbox.services.iam import boundaries, context_keys, simulate

__all__ = ["boundaries", "context_keys", "simulate"]
