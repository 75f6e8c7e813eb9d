"""Endpoints through the door: model servers that really serve."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.listening import LOOPBACK, listening
from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.endpoint_room import IMAGE, EndpointRoom, archive
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def endpoints(room: Room) -> EndpointRoom:
    return EndpointRoom(room)


@pytest.fixture(scope="module")
def endpoint(endpoints: EndpointRoom) -> str:
    return endpoints.serving("first", "one", count=2)


def code_of(error: Any) -> tuple[str, str]:
    details = error.value.response["Error"]
    return details["Code"], details["Message"]


def answer_of(response: Any) -> Any:
    return json.loads(response["Body"].read())


def test_an_endpoint_answers_under_its_role(endpoints: EndpointRoom, endpoint: str) -> None:
    response = endpoints.invoke(endpoint, "1,2")
    assert response["ContentType"] == "application/json"
    assert response["InvokedProductionVariant"] == "AllTraffic"
    answer = answer_of(response)
    assert (answer["word"], answer["input"]) == ("one", "1,2")
    assert answer["role"] == "ASIA"


def test_its_servers_listen_on_this_machine_alone(sandbox: SandboxProcess, endpoint: str) -> None:
    found = listening(sandbox)
    assert set(found) == {("tcp", LOOPBACK)}
    assert len(found) >= 3  # the sandbox and two instances


def test_a_description_leaves_out_what_is_not_set(endpoints: EndpointRoom, endpoint: str) -> None:
    description = endpoints.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert not {"DataCaptureConfig", "FailureReason", "PendingDeploymentSummary"} & description.keys()
    variant = description["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE


def test_an_error_of_the_model_is_a_model_error(endpoints: EndpointRoom, endpoint: str) -> None:
    with pytest.raises(endpoints.runtime.exceptions.ModelError) as error:
        endpoints.invoke(endpoint, "raise")
    response = error.value.response
    assert response["OriginalStatusCode"] == 500
    assert response["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{endpoint}")
    assert "Received server error (500) from primary" in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("name", "request_members", "message"),
    [
        ("nowhere", {}, "Endpoint nowhere of account 123456789012 not found."),
        (None, {"TargetVariant": "Other"}, "Variant Other not found"),
        (None, {"Body": b"x" * 6_291_457}, "exceeds the limit of 6291456 bytes"),
    ],
)
def test_a_bad_invocation_is_a_validation_error(
    endpoints: EndpointRoom, endpoint: str, name: str | None, request_members: dict[str, Any], message: str
) -> None:
    request = {"EndpointName": name or endpoint, "Body": b"x", "ContentType": "text/csv"} | request_members
    with pytest.raises(ClientError) as error:
        endpoints.runtime.invoke_endpoint(**request)
    code, text = code_of(error)
    assert code == "ValidationError"
    assert message in text


def test_names_are_used_once(endpoints: EndpointRoom, endpoint: str) -> None:
    config = endpoints.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{endpoint}"
    with pytest.raises(ClientError) as error:
        endpoints.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    assert code_of(error) == ("ValidationException", f'Cannot create already existing endpoint "{arn}".')
    with pytest.raises(ClientError) as error:
        endpoints.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    assert "is in use by endpoint" in code_of(error)[1]


def test_what_does_not_exist_is_named(endpoints: EndpointRoom) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:"
    with pytest.raises(ClientError) as error:
        endpoints.config("of-nothing", "no-such-model")
    assert code_of(error) == ("ValidationException", f'Could not find model "{arn}model/no-such-model".')
    with pytest.raises(ClientError) as error:
        endpoints.create("of-nothing", "no-such-config")
    wanted = f'Could not find endpoint configuration "{arn}endpoint-config/no-such-config".'
    assert code_of(error) == ("ValidationException", wanted)


LINK = archive({"word.txt": "x"})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"this is no archive", "Failed to extract model data archive"),
        (archive({"../outside.txt": "x"}), "leads out of its folder"),
        (archive({"code/inference.py": "def model_fn(d):\n    raise RuntimeError('no model here')\n"}),
         "did not pass the ping health check"),
    ],
)  # fmt: skip
def test_a_bad_model_fails_the_endpoint_and_says_why(
    endpoints: EndpointRoom, data: bytes, reason: str, request: pytest.FixtureRequest
) -> None:
    name = f"bad{abs(hash(reason)) % 10000}"
    config = endpoints.config(name, endpoints.model(name, "x", data=data))
    description = endpoints.settled(endpoints.create(name, config))
    assert description["EndpointStatus"] == "Failed"
    assert reason in description["FailureReason"]


def test_an_unknown_image_fails_the_endpoint(endpoints: EndpointRoom) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tensorflow:2.19-cpu"
    config = endpoints.config("tf", endpoints.model("tf", "x", image=image))
    description = endpoints.settled(endpoints.create("tf", config))
    assert description["EndpointStatus"] == "Failed"
    assert image in description["FailureReason"]


def test_an_update_fails_no_request(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("updated", "old")
    config = endpoints.config("updated-2", endpoints.model("updated-2", "new"), count=2)
    stop, words, failures = threading.Event(), [], []

    def ask() -> None:
        runtime = endpoints.room.sandbox.client("sagemaker-runtime")
        while not stop.is_set():
            try:
                response = runtime.invoke_endpoint(EndpointName=endpoint, Body="x", ContentType="text/csv")
                words.append(answer_of(response)["word"])
            except ClientError as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    endpoints.room.until(lambda: len(words), lambda count: count > 10)
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 300,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
    }
    endpoints.sagemaker.update_endpoint(
        EndpointName=endpoint,
        EndpointConfigName=config,
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
    )
    description = endpoints.settled(endpoint)
    last = answer_of(endpoints.invoke(endpoint))["word"]
    stop.set()
    for thread in threads:
        thread.join()
    assert description["EndpointConfigName"] == config
    assert description["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert failures == []
    assert last == "new"
    assert {"old", "new"} == set(words)


def test_an_unhealthy_update_leaves_the_old_fleet_serving(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("kept", "good")
    before = endpoints.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    broken = endpoints.model("kept-2", "x", data=archive({"code/inference.py": "syntax error"}))
    endpoints.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=endpoints.config("kept-2", broken)
    )
    description = endpoints.settled(endpoint)
    assert description["EndpointStatus"] == "InService"
    assert description["EndpointConfigName"] == before
    assert "did not pass the ping health check" in description["FailureReason"]
    assert answer_of(endpoints.invoke(endpoint))["word"] == "good"


def test_a_dead_server_is_replaced(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("mortal", "alive")
    with pytest.raises(ClientError):
        endpoints.invoke(endpoint, "die")
    answer = endpoints.room.until(lambda: _try(endpoints, endpoint), bool)
    assert answer["word"] == "alive"


def _try(endpoints: EndpointRoom, endpoint: str) -> Any:
    try:
        return answer_of(endpoints.invoke(endpoint))
    except ClientError:
        return None


def test_instances_are_added_and_taken_away(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("scaled", "x")
    for count in (2, 1):
        wanted = [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}]
        endpoints.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=wanted
        )
        variant = endpoints.settled(endpoint)["ProductionVariants"][0]
        assert variant["CurrentInstanceCount"] == count
        assert answer_of(endpoints.invoke(endpoint))["word"] == "x"


def test_captured_data_are_json_lines(endpoints: EndpointRoom) -> None:
    room = endpoints.room
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{room.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json"],
        },
    }
    config = endpoints.config("capture", endpoints.model("capture", "seen"), DataCaptureConfig=capture)
    endpoint = endpoints.create("capture", config)
    assert endpoints.settled(endpoint)["DataCaptureConfig"]["CaptureStatus"] == "Started"
    endpoints.invoke(endpoint, "1,2,3", InferenceId="42")
    prefix = f"captured/{endpoint}/AllTraffic/"
    listing = room.until(
        lambda: room.s3.list_objects_v2(Bucket=room.bucket, Prefix=prefix), lambda answer: answer["KeyCount"]
    )
    line = json.loads(room.text(f"s3://{room.bucket}/{listing['Contents'][0]['Key']}").splitlines()[0])
    sent, received = line["captureData"]["endpointInput"], line["captureData"]["endpointOutput"]
    assert (sent["data"], sent["encoding"], sent["mode"]) == ("1,2,3", "CSV", "INPUT")
    assert json.loads(received["data"])["word"] == "seen"
    assert line["eventMetadata"]["inferenceId"] == "42"


def test_a_deleted_endpoint_is_gone(endpoints: EndpointRoom) -> None:
    endpoint = endpoints.serving("gone", "x")
    endpoints.sagemaker.delete_endpoint(EndpointName=endpoint)

    def missing() -> bool:
        try:
            return not endpoints.sagemaker.describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            return "Could not find endpoint" in str(error)

    assert endpoints.room.until(missing, bool)
    with pytest.raises(ClientError) as error:
        endpoints.invoke(endpoint)
    assert code_of(error)[0] == "ValidationError"


def test_serverless_restrictions(endpoints: EndpointRoom) -> None:
    model = endpoints.model("serverless", "small")
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variant = {"VariantName": "AllTraffic", "ModelName": model, "ServerlessConfig": serverless}

    def create(name: str, variants: list[dict[str, Any]], **members: Any) -> None:
        endpoints.sagemaker.create_endpoint_config(
            EndpointConfigName=f"{endpoints.room.name}-{name}", ProductionVariants=variants, **members
        )

    for bad in ({"InstanceType": "ml.m5.large"}, {"ServerlessConfig": serverless | {"MemorySizeInMB": 1500}}):
        with pytest.raises(ClientError) as error:
            create("bad", [variant | bad])
        assert code_of(error)[0] == "ValidationException"
    with pytest.raises(ClientError):
        create("two", [variant, variant | {"VariantName": "Other"}])
    create("good", [variant])
    endpoint = endpoints.create("serverless", f"{endpoints.room.name}-good")
    description = endpoints.settled(endpoint)
    assert description["ProductionVariants"][0]["CurrentServerlessConfig"] == serverless
    assert answer_of(endpoints.invoke(endpoint))["word"] == "small"


def test_tags(endpoints: EndpointRoom, endpoint: str) -> None:
    sagemaker = endpoints.sagemaker
    arn = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
