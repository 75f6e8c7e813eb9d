"""Amazon SQS: standard and FIFO queues whose messages survive a stop or a kill."""

from sandbox.services.sqs import moves, permissions, queues, receiving, sending

__all__ = ["moves", "permissions", "queues", "receiving", "sending"]
