"""Amazon EventBridge Scheduler: schedules that call any API as the role of their target."""

from sandbox.services.scheduler import firing, groups, invocation, operations, tags

__all__ = ["firing", "groups", "invocation", "operations", "tags"]
