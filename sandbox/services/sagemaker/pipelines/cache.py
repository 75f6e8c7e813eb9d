"""Step caching by signature: which arguments count, and for how long a result may be used again.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html and pipelines-default-keys.html
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

SIGNATURE = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
}
"""The arguments that decide, by step type; steps of other types are never cached."""

_DURATION = re.compile(
    r"P?(?:(?P<y>\d+)y)?(?:(?P<mo>\d+)m)?(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?"
    r"(?:T(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?)?",
    re.IGNORECASE,
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SECONDS = {"y": 365 * _DAY, "mo": 30 * _DAY, "w": 7 * _DAY, "d": _DAY, "h": _HOUR, "m": _MINUTE, "s": 1}


def seconds_of(duration: str) -> int:
    """Seconds of a loose ISO 8601 duration: `30d`, `P30D`, `T12H`, `30dT5h`. ValueError for anything else."""
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groupdict().values()):
        raise ValueError(f"'{duration}' is not an ISO 8601 duration such as P30D, 30d, T16m or 30dT5h")
    return sum(_SECONDS[unit] * int(amount) for unit, amount in match.groupdict().items() if amount)


def signature(step_type: str, arguments: dict[str, Any]) -> str:
    """The digest of what decides whether an earlier result of a step is its result now."""
    deciding = {name: arguments.get(name) for name in SIGNATURE[step_type]}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
