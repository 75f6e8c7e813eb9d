"""The tables of docs/sandbox.md say what the code does."""

from __future__ import annotations

from sandbox import coverage


def test_the_tables_are_those_of_the_code() -> None:
    page = coverage.PAGE.read_text()
    assert coverage.written(page) == page, f"docs/sandbox.md is stale: run `{coverage.COMMAND}`"


def test_what_has_no_effect_is_not_said_to_run() -> None:
    from sandbox.gateway import services

    services.load()
    scaling = coverage.covered("application-autoscaling")
    assert "PutScalingPolicy" in scaling.kept
    assert "CreateVpc" in coverage.covered("ec2").kept
    assert "RunInstances" in coverage.covered("ec2").refused
    logs = coverage.covered("logs")
    assert "PutSubscriptionFilter" in logs.refused and "PutLogEvents" in logs.runs
    storage = coverage.covered("s3")
    assert "PutBucketReplication" in storage.refused and "PutBucketLifecycleConfiguration" in storage.kept
    assert {"PutObject", "CompleteMultipartUpload", "PutBucketPolicy"} <= set(storage.runs)
