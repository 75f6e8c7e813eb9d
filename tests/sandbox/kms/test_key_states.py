"""Keys that are disabled, or wait for their deletion, are used by nobody: not by KMS's callers, not by S3."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


def refused(code: str, call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == code
    return str(error.value.response["Error"]["Message"])


def test_a_disabled_key_is_used_by_nobody(sandbox: SandboxProcess) -> None:
    kms, s3 = sandbox.client("kms"), sandbox.client("s3")
    key = kms.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]
    bucket = f"states-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    sealed = {"Bucket": bucket, "Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key["Arn"]}
    s3.put_object(Body=b"secret", **sealed)

    kms.disable_key(KeyId=key["Arn"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    assert refused("DisabledException", kms.decrypt, CiphertextBlob=blob) == f"{key['Arn']} is disabled."
    refused("DisabledException", kms.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256")
    refused("KMS.DisabledException", s3.get_object, Bucket=bucket, Key="k")
    refused("KMS.DisabledException", s3.put_object, Body=b"more", **sealed)

    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"secret"


def test_a_key_that_waits_for_its_deletion_is_neither_used_nor_disabled(sandbox: SandboxProcess) -> None:
    kms = sandbox.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    message = refused("KMSInvalidStateException", kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x")
    assert message == f"{key['Arn']} is pending deletion."
    refused("KMSInvalidStateException", kms.disable_key, KeyId=key["KeyId"])
    refused("NotFoundException", kms.enable_key, KeyId=str(uuid.uuid4()))
