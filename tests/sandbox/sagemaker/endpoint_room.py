"""Models and endpoints for tests: a model is a text file that its server answers with."""

from __future__ import annotations

import io
import tarfile
from typing import Any

from tests.sandbox.sagemaker.conftest import Room

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
INFERENCE = """
import os, time

def model_fn(model_dir):
    with open(os.path.join(model_dir, "word.txt")) as file:
        return file.read()

def input_fn(body, content_type):
    if body == "raise":
        raise ValueError("the input is bad")
    if body == "die":
        os._exit(1)
    if body.startswith("sleep"):
        time.sleep(float(body[5:]))
    return body

def predict_fn(data, model):
    return {"word": model, "input": data, "role": os.environ.get("AWS_ACCESS_KEY_ID", "")[:4]}
"""


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


class EndpointRoom:
    def __init__(self, room: Room) -> None:
        self.room = room
        self.sagemaker = room.sagemaker
        self.runtime = room.sandbox.client("sagemaker-runtime")

    def model(self, name: str, word: str, *, data: bytes | None = None, image: str = IMAGE) -> str:
        name = f"{self.room.name}-{name}"
        body = archive({"word.txt": word, "code/inference.py": INFERENCE}) if data is None else data
        uri = self.room.put(f"{name}/model.tar.gz", body)
        environment = {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        }
        container = {"Image": image, "ModelDataUrl": uri, "Environment": environment}
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.room.role
        )
        return name

    def config(self, name: str, model: str, *, count: int = 1, **members: Any) -> str:
        name = f"{self.room.name}-{name}"
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
        }
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], **members
        )
        return name

    def create(self, name: str, config: str) -> str:
        name = f"{self.room.name}-{name}"
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    def settled(self, name: str) -> dict[str, Any]:
        """The description once nothing is under way."""
        return self.room.until(
            lambda: self.sagemaker.describe_endpoint(EndpointName=name),
            lambda answer: (
                not answer["EndpointStatus"].endswith("ing") and answer["EndpointStatus"] != "RollingBack"
            ),
        )

    def serving(self, name: str, word: str, *, count: int = 1) -> str:
        """An endpoint in service that answers `word`."""
        config = self.config(f"{name}-config", self.model(f"{name}-model", word), count=count)
        endpoint = self.create(name, config)
        description = self.settled(endpoint)
        assert description["EndpointStatus"] == "InService", description
        return endpoint

    def invoke(self, endpoint: str, body: str = "x", **request: Any) -> Any:
        return self.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=body, **({"ContentType": "text/csv"} | request)
        )
