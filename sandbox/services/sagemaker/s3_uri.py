"""`s3://bucket/key` taken apart."""

from __future__ import annotations

from typing import NamedTuple


class S3Uri(NamedTuple):
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def below(self, *names: str) -> S3Uri:
        """The URI of `names` joined to this one as folders."""
        parts = [self.key.rstrip("/"), *names]
        return S3Uri(self.bucket, "/".join(part for part in parts if part))


def parse_s3_uri(text: str) -> S3Uri:
    """ValueError for anything but `s3://bucket[/key]`."""
    scheme, separator, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not separator or not bucket:
        raise ValueError(f"{text} is not an S3 URI")
    return S3Uri(bucket, key)
