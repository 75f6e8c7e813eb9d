import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto.core import DEFAULT_ACCOUNT_ID

from template.hub_bucket import HubBucket, HubError
from tests.template.conftest import REGION

pytestmark = pytest.mark.usefixtures("s3")


def hub(account: str = DEFAULT_ACCOUNT_ID) -> HubBucket:
    return HubBucket(boto3.Session(region_name=REGION), account=account, region=REGION, partition="aws")


def test_a_new_hub_is_private_versioned_encrypted_and_tls_only() -> None:
    bucket = hub()
    assert bucket.ensure() is True
    s3 = boto3.client("s3", region_name=REGION)
    assert set(s3.get_public_access_block(Bucket=bucket.name)["PublicAccessBlockConfiguration"].values()) == {
        True
    }
    assert s3.get_bucket_versioning(Bucket=bucket.name)["Status"] == "Enabled"
    rules = s3.get_bucket_encryption(Bucket=bucket.name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    statement, delivery = json.loads(s3.get_bucket_policy(Bucket=bucket.name)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert delivery["Resource"] == f"arn:aws:s3:::{bucket.name}/access-logs/*"
    assert delivery["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::sagemaker-project-p-*"},
        "StringEquals": {"aws:SourceAccount": DEFAULT_ACCOUNT_ID},
    }
    assert s3.get_bucket_location(Bucket=bucket.name)["LocationConstraint"] == REGION


def test_an_existing_hub_is_kept() -> None:
    hub().ensure()
    hub().write("seeds/a.zip", b"a", content_type="application/zip")
    assert hub().ensure() is False
    assert hub().keys("seeds/") == ["seeds/a.zip"]


def test_a_hub_of_another_account_is_not_written_to() -> None:
    bucket = hub()
    with Stubber(bucket._s3) as answers:
        answers.add_client_error("head_bucket", "403", "Forbidden", http_status_code=403)
        with pytest.raises(HubError, match="belongs to another account"):
            bucket.ensure()
        answers.assert_no_pending_responses()


def test_a_name_that_is_taken_meanwhile_is_refused() -> None:
    bucket = hub()
    with Stubber(bucket._s3) as answers:
        answers.add_client_error("head_bucket", "404", http_status_code=404)
        answers.add_client_error("create_bucket", "BucketAlreadyExists", http_status_code=409)
        with pytest.raises(HubError, match="is taken by another account"):
            bucket.ensure()


def test_every_request_names_the_expected_owner() -> None:
    bucket = hub()
    asked: dict[str, Any] = {}
    bucket._s3.meta.events.register(
        "before-parameter-build.s3", lambda params, model, **_: asked.update({model.name: dict(params)})
    )
    bucket.ensure()
    bucket.write("a", b"a", content_type="text/plain")
    bucket.write_once("b", b"b", content_type="text/plain", tags="a=b")
    bucket.read("a")
    bucket.keys("")
    assert len(asked) == 12
    without = {
        name for name, params in asked.items() if params.get("ExpectedBucketOwner") != DEFAULT_ACCOUNT_ID
    }
    assert without == {"CreateBucket"}  # which has no such parameter


def test_what_is_written_once_stays() -> None:
    bucket = hub()
    bucket.ensure()
    tags = "servicecatalog:provisioning=true"
    assert bucket.write_once("products/a", b"first", content_type="text/plain", tags=tags) is None
    assert bucket.write_once("products/a", b"second", content_type="text/plain", tags=tags) == b"first"
    assert bucket.read("products/a") == b"first"
    tagging = boto3.client("s3", region_name=REGION).get_object_tagging(Bucket=bucket.name, Key="products/a")
    assert tagging["TagSet"] == [{"Key": "servicecatalog:provisioning", "Value": "true"}]
