"""KMS, what moto gets wrong of it: keys are enabled and disabled by ARN as well as by id."""

from __future__ import annotations

from sandbox.services.kms import key_states

__all__ = ["key_states"]
