"""Amazon EventBridge: buses and their rules, delivered to targets as roles or under the targets' policies."""

from sandbox.services.events import bus, delivery, putting, rules, tags, targets

__all__ = ["bus", "delivery", "putting", "rules", "tags", "targets"]
