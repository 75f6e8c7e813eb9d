"""Amazon EventBridge: rules on the default bus, delivered to pipelines and builds as their roles."""

from sandbox.services.events import bus, delivery, rules, targets

__all__ = ["bus", "delivery", "rules", "targets"]
