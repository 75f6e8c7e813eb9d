"""The hub: one bucket an account and region, from which projects come and to which their access logs go."""

ACCESS_LOGS_PREFIX = "access-logs/"
"""Where S3 delivers the access logs of the projects' buckets; each record names its bucket."""


def hub_bucket_name(account: str, region: str) -> str:
    return f"sagemaker-templates-hub-{account}-{region}"
