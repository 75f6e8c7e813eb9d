"""Amazon S3: moto keeps buckets and objects; what they tell others of is ours."""

from sandbox.services.s3 import notifications, telling

__all__ = ["notifications", "telling"]
