"""A key policy's Deny counts with its conditions, also for DescribeKey."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


def test_a_deny_under_a_condition_that_does_not_hold_denies_nothing(sandbox: SandboxProcess) -> None:
    kms = sandbox.client("kms")
    everything = {"Principal": {"AWS": "*"}, "Action": ["kms:*"], "Resource": "*"}
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    deny = everything | {"Effect": "Deny", "Condition": plain}
    allow = everything | {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{sandbox.client('sts').get_caller_identity()['Account']}:root"},
    }
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny, allow]}))
    identifier = key["KeyMetadata"]["KeyId"]
    assert kms.describe_key(KeyId=identifier)["KeyMetadata"]["KeyState"] == "Enabled"
    described = everything | {"Effect": "Deny", "Action": ["kms:DescribeKey"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [described, allow]})
    kms.put_key_policy(KeyId=identifier, PolicyName="default", Policy=policy)
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        kms.describe_key(KeyId=identifier)
