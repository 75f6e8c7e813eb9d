"""What the gateway lets in, what it refuses, and in which words."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


def ask(sandbox: SandboxProcess, method: str, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.running.port, timeout=30)
    connection.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


@pytest.mark.parametrize("path", ["/", "/moto-api/reset", "/moto-api/data.json", "/bucket/key"])
def test_unsigned_requests_get_nothing(sandbox: SandboxProcess, path: str) -> None:
    for method in ("GET", "POST"):
        status, body = ask(sandbox, method, path)
        assert status == 403 and "AccessDenied" in body


def test_a_foreign_host_or_origin_is_refused(sandbox: SandboxProcess) -> None:
    assert ask(sandbox, "GET", "/", Host="evil.example")[0] == 403
    status, body = ask(sandbox, "POST", "/", Origin="https://evil.example")
    assert status == 403 and "origin" in body
    assert ask(sandbox, "GET", "/", Sec_Fetch_Site="cross-site")[0] == 403


def test_it_listens_on_the_loopback_alone(sandbox: SandboxProcess) -> None:
    wanted = f":{sandbox.running.port:04X}"
    listening = [
        line.split()[1]
        for name in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(name).read_text().splitlines()[1:]
        if line.split()[1].endswith(wanted) and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F{wanted}"]


def test_a_wrong_secret_and_an_unknown_key_are_told_apart(sandbox: SandboxProcess) -> None:
    key = sandbox._keys("engineer")["aws_access_key_id"]
    for access_key, code in (
        (key, "SignatureDoesNotMatch"),
        ("AKIAIOSFODNN7EXAMPLE", "InvalidClientTokenId"),
    ):
        client = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=sandbox.url,
            aws_access_key_id=access_key,
            aws_secret_access_key="wrong",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(ClientError) as caught:
            client.get_caller_identity()
        assert caught.value.response["Error"]["Code"] == code


def test_what_is_not_implemented_is_named_and_not_retried(sandbox: SandboxProcess) -> None:
    for service, call, arguments, name in (
        ("dynamodb", "list_tables", {}, "dynamodb ListTables"),
        ("kinesis", "list_streams", {}, "kinesis ListStreams"),
        ("codecommit", "list_pull_requests", {"repositoryName": "r"}, "codecommit ListPullRequests"),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(sandbox.client(service), call)(**arguments)
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400, response
        assert response["Error"]["Code"] == "UnsupportedOperation" and name in response["Error"]["Message"]


def test_requests_are_held_against_the_model(sandbox: SandboxProcess) -> None:
    client = sandbox.client("codecommit", parameter_validation=False)
    with pytest.raises(ClientError) as caught:
        client.create_repository(repositoryName="with space")
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert (
        "at 'repositoryName' failed to satisfy constraint: Member must satisfy regular expression"
        in error["Message"]
    )
    with pytest.raises(ClientError) as caught:
        client.create_repository()
    assert "Value null at 'repositoryName'" in caught.value.response["Error"]["Message"]


def test_a_body_that_is_no_json_is_refused(sandbox: SandboxProcess) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    headers = {"X-Amz-Target": "CodeCommit_20150413.GetBranch", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", sandbox.url + "/", data=b'{"repositoryName": ', headers=headers)
    SigV4Auth(sandbox.session("root").get_credentials(), "codecommit", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.running.port, timeout=30)
    connection.request("POST", "/", body=b'{"repositoryName": ', headers=dict(request.headers))
    response = connection.getresponse()
    assert response.status == 400
    assert json.loads(response.read())["__type"].endswith("SerializationException")


def test_large_and_odd_s3_objects_come_back_whole(sandbox: SandboxProcess) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="door-objects")
    body = bytes(range(256)) * 40_000
    for key in ("plain", "with space/ünï+code", "/leading//slashes", "q?a=b&c#d"):
        s3.put_object(
            Bucket="door-objects", Key=key, Body=body, Metadata={"under_score": "1", "dash-ed": "2"}
        )
        answer = s3.get_object(Bucket="door-objects", Key=key)
        assert answer["Body"].read() == body
        assert answer["Metadata"] == {"under_score": "1", "dash-ed": "2"}
    assert s3.head_object(Bucket="door-objects", Key="plain")["ContentLength"] == len(body)


def test_what_moto_would_only_note_is_refused(sandbox: SandboxProcess) -> None:
    s3, bucket = sandbox.client("s3"), "door-notes"
    s3.create_bucket(Bucket=bucket)
    inventory = {
        "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{bucket}", "Format": "CSV"}},
        "IsEnabled": True,
        "Id": "i",
        "IncludedObjectVersions": "All",
        "Schedule": {"Frequency": "Daily"},
    }
    with pytest.raises(ClientError, match="does not implement s3 PutBucketInventoryConfiguration"):
        s3.put_bucket_inventory_configuration(Bucket=bucket, Id="i", InventoryConfiguration=inventory)
    with pytest.raises(ClientError, match="does not implement logs PutMetricFilter"):
        sandbox.client("logs").put_metric_filter(
            logGroupName="group",
            filterName="filter",
            filterPattern="ERROR",
            metricTransformations=[{"metricName": "M", "metricNamespace": "N", "metricValue": "1"}],
        )
