"""Application Auto Scaling: scalable targets and policies of endpoint variants, kept as records.

No policy scales anything here: a policy's place is known and shown, its alarms are not made.
"""

from sandbox.services.application_autoscaling import policies, tags, targets  # noqa: F401
