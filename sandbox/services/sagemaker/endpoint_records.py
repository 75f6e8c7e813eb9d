"""The record of an endpoint, its place, and the events that tell of its status.

A record holds DescribeEndpoint's members and two of its own: `Fleet`, what serves, and `Deployment`, the
change under way (None when there is none).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.services.sagemaker import resource_tags

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.store import Records

KIND = "endpoint"
DEPLOY = "sagemaker.endpoint.deploy"
RESTORE = "sagemaker.endpoint.restore"
KEEP = "sagemaker.endpoint.keep"
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True)
class Place:
    """Where an endpoint lives."""

    engine: Engine
    account: str
    region: str
    name: str

    @classmethod
    def parse(cls, engine: Engine, key: str) -> Place:
        return cls(engine, *key.split("/", 2))

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:{self.region}:{self.account}:endpoint/{self.name}"

    @property
    def key(self) -> str:
        """Of its tasks."""
        return f"{self.account}/{self.region}/{self.name}"

    @property
    def route_key(self) -> tuple[str, str, str]:
        return self.account, self.region, self.name

    @property
    def records(self) -> Records:
        return self.engine.records(self.account, self.region, "sagemaker", KIND)

    def read(self) -> dict[str, Any] | None:
        return self.records.get(self.name)

    def change(self, **members: Any) -> dict[str, Any]:
        """Writes members of the record (None removes one); an event tells of a changed status."""
        with self.engine.store.transaction():
            record = self.records.get(self.name)
            assert record is not None
            before = record["EndpointStatus"]
            record |= members | {"LastModifiedTime": self.engine.clock.now()}
            record = {name: value for name, value in record.items() if value is not None}
            self.records.put(self.name, record)
            if record["EndpointStatus"] != before:
                self.tell(record)
        return record

    def tell(self, record: dict[str, Any]) -> None:
        """Publishes "SageMaker Endpoint State Change"."""
        arn = record["EndpointArn"]
        tags = self.engine.records(self.account, self.region, "sagemaker", resource_tags.KIND).get(arn)
        detail = {
            "EndpointName": self.name,
            "EndpointArn": arn,
            "EndpointConfigName": record["EndpointConfigName"],
            # As events spell it: IN_SERVICE.
            "EndpointStatus": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", record["EndpointStatus"]).upper(),
            "CreationTime": record["CreationTime"] * 1000,
            "LastModifiedTime": record["LastModifiedTime"] * 1000,
            "Tags": (tags or {"Tags": {}})["Tags"],
        }
        if record.get("FailureReason"):
            detail["FailureReason"] = record["FailureReason"]
        self.engine.events.put(
            self.account,
            self.region,
            source="aws.sagemaker",
            detail_type="SageMaker Endpoint State Change",
            resources=[arn],
            detail=detail,
        )


def all_places(engine: Engine) -> Iterator[Place]:
    """Every endpoint of the sandbox."""
    for collection in engine.store.collections(f"/sagemaker/{KIND}"):
        account, region, _, _ = collection.split("/")
        records = engine.records(account, region, "sagemaker", KIND)
        for name in records.keys():  # noqa: SIM118 (records are no dict)
            yield Place(engine, account, region, name)
