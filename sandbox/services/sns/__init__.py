"""Amazon SNS: topics whose messages reach queues and functions, under the policies of those."""

from sandbox.services.sns import delivery, permissions, publishing, subscriptions, topics

__all__ = ["delivery", "permissions", "publishing", "subscriptions", "topics"]
