"""CloudWatch: metrics, and alarms that really change state."""

from sandbox.services.cloudwatch import alarms, dashboards, evaluation, ingest, metrics, tags  # noqa: F401
