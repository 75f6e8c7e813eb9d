"""Models: from a model package, without a network, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.runtimes.mounts import mounts_supported
from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.endpoint_room import IMAGE, INFERENCE, EndpointRoom, archive

NETWORK = """
import socket

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    return len(socket.if_nameindex())
"""


@pytest.fixture(scope="module")
def endpoints(room: Room) -> EndpointRoom:
    return EndpointRoom(room)


def test_a_model_package_gives_image_data_and_environment(endpoints: EndpointRoom) -> None:
    room, sagemaker = endpoints.room, endpoints.sagemaker
    group = f"{room.name}-group"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    data = archive({"word.txt": "registered", "code/inference.py": INFERENCE})
    container = {
        "Image": IMAGE,
        "ModelDataUrl": room.put("package/model.tar.gz", data),
        "Environment": {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        },
    }
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    model = f"{room.name}-from-package"
    primary = {"ModelPackageName": package}
    sagemaker.create_model(ModelName=model, PrimaryContainer=primary, ExecutionRoleArn=room.role)
    assert sagemaker.describe_model(ModelName=model)["PrimaryContainer"] == primary
    endpoint = endpoints.create("from-package", endpoints.config("from-package", model))
    assert endpoints.settled(endpoint)["EndpointStatus"] == "InService"
    assert json.loads(endpoints.invoke(endpoint)["Body"].read())["word"] == "registered"


@pytest.mark.skipif(not mounts_supported(), reason="this kernel lets no ordinary user isolate a process")
def test_an_isolated_model_has_no_network(endpoints: EndpointRoom) -> None:
    room = endpoints.room
    uri = room.put("isolated/model.tar.gz", archive({"code/inference.py": NETWORK}))
    model = f"{room.name}-isolated"
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    endpoints.sagemaker.create_model(
        ModelName=model,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri, "Environment": environment},
        ExecutionRoleArn=room.role,
        EnableNetworkIsolation=True,
    )
    endpoint = endpoints.create("isolated", endpoints.config("isolated", model))
    assert endpoints.settled(endpoint)["EndpointStatus"] == "InService"
    # Only the loopback device, which is down.
    assert endpoints.invoke(endpoint)["Body"].read() == b"1"


def test_one_container_may_stand_in_the_list(endpoints: EndpointRoom) -> None:
    room, name = endpoints.room, f"{endpoints.room.name}-listed"
    endpoints.sagemaker.create_model(
        ModelName=name, Containers=[{"Image": IMAGE}], ExecutionRoleArn=room.role
    )
    shown = endpoints.sagemaker.describe_model(ModelName=name)
    assert [item["Image"] for item in shown["Containers"]] == [IMAGE]
    assert "PrimaryContainer" not in shown
    endpoints.sagemaker.delete_model(ModelName=name)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://{bucket}/none.tar.gz"}}, "Could not find model data"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "Mode=MultiModel"),
        ({"Containers": [{"Image": IMAGE}, {"Image": IMAGE}]}, "not implemented by the sandbox"),
        ({"PrimaryContainer": {}}, "Specify either Image or ModelPackageName"),
        ({}, "Specify either PrimaryContainer or Containers"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_model_is_refused(
    endpoints: EndpointRoom, members: dict[str, Any], message: str
) -> None:
    room = endpoints.room
    members = json.loads(json.dumps(members).replace("{bucket}", room.bucket))
    with pytest.raises(ClientError) as error:
        endpoints.sagemaker.create_model(
            ModelName=f"{room.name}-refused", ExecutionRoleArn=room.role, **members
        )
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert message in error.value.response["Error"]["Message"]


def test_a_role_that_may_not_pull_the_image_is_named(endpoints: EndpointRoom) -> None:
    role = endpoints.room.make_role("no-images", "logs:*", "s3:*")
    with pytest.raises(ClientError) as error:
        endpoints.sagemaker.create_model(
            ModelName=f"{endpoints.room.name}-no-images",
            PrimaryContainer={"Image": IMAGE},
            ExecutionRoleArn=role,
        )
    message = error.value.response["Error"]["Message"]
    assert f'The role "{role}" does not have BatchGetImage permission for the image: "{IMAGE}"' in message


def test_a_role_that_may_not_read_the_data_is_named(endpoints: EndpointRoom) -> None:
    room = endpoints.room
    role = room.make_role("blind", "logs:*", "ecr:*")
    uri = room.put("blind/model.tar.gz", archive({}))
    with pytest.raises(ClientError) as error:
        endpoints.sagemaker.create_model(
            ModelName=f"{room.name}-blind",
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri},
            ExecutionRoleArn=role,
        )
    assert f'the role "{role}"' in error.value.response["Error"]["Message"]


def test_models_are_listed_and_deleted(endpoints: EndpointRoom) -> None:
    model = endpoints.model("listed", "x")
    sagemaker = endpoints.sagemaker
    assert [item["ModelName"] for item in sagemaker.list_models(NameContains=model)["Models"]] == [model]
    sagemaker.delete_model(ModelName=model)
    with pytest.raises(ClientError) as error:
        sagemaker.describe_model(ModelName=model)
    assert f'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/{model}".' in str(
        error.value
    )
