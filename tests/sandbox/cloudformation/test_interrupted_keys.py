"""A key whose creation was cut off before anybody wrote it down is found again, and no other is taken."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox.engine.engine import Engine, Settings
from sandbox.services.cloudformation.resources import handler_of
from sandbox.services.cloudformation.resources.handler import Request
from sandbox.services.cloudformation.template.evaluate import Place

PLACE = Place("123456789012", "us-east-1", "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1", "s")


class Killed(BaseException):
    """The process ends here."""


class Keys:
    """KMS, as far as a handler asks it. `cut`: the answer to the next CreateKey never arrives."""

    def __init__(self) -> None:
        self.meta = boto3.client("kms", region_name="us-east-1").meta
        self.made: dict[str, dict[str, Any]] = {}
        self.cut = False
        self._count = itertools.count()

    def client(self, service: str) -> Keys:
        assert service == "kms"
        return self

    def create_key(self, Tags: list[dict[str, str]], Description: str = "", **_: Any) -> dict[str, Any]:
        identifier = f"key-{next(self._count)}"
        metadata = {"KeyId": identifier, "Arn": f"arn:{identifier}", "KeyState": "Enabled"}
        self.made[identifier] = metadata | {"Description": Description, "Tags": Tags}
        if self.cut:
            raise Killed
        return {"KeyMetadata": metadata}

    def get_paginator(self, _: str) -> Keys:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"Keys": [{"KeyId": name} for name in self.made]}]

    def describe_key(self, KeyId: str) -> dict[str, Any]:
        return {"KeyMetadata": self.made[KeyId]}

    def list_resource_tags(self, KeyId: str) -> dict[str, Any]:
        return {"Tags": self.made[KeyId]["Tags"]}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Settings(tmp_path))
    yield engine
    engine.store.close()


def _request(engine: Engine, keys: Keys, **members: Any) -> Request:
    session: Any = keys
    return Request(
        engine=engine,
        session=session,
        place=PLACE,
        type="AWS::KMS::Key",
        logical_id="K",
        token="once",
        stop=threading.Event(),
        properties={"Description": "ours"},
        tags={"team": "blue"},
        **members,
    )


def test_a_key_is_made_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, handler = Keys(), handler_of("AWS::KMS::Key")
    assert handler is not None
    monkeypatch.setattr(engine.clients, "owner", lambda region: keys)
    tags = [{"TagKey": "team", "TagValue": "blue"}]
    keys.create_key(Tags=tags, Description="ours")  # alike, and somebody's before
    keys.cut = True
    with pytest.raises(Killed):
        handler.create(_request(engine, keys))
    keys.cut = False
    keys.create_key(Tags=[], Description="ours")  # made since, and not alike
    made = handler.create(_request(engine, keys, resumed=True))
    assert made.physical_id == "key-1"
    handler.wait(_request(engine, keys), made)
    assert len(keys.made) == 3
    assert handler.create(_request(engine, keys, resumed=True)).physical_id == "key-3"
