"""A stop reaches the phase that its request saw, and no phase that begins after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engine.engine import Engine, Settings
from sandbox.services.cloudformation.deploy.operation import Operation, stop_phase
from sandbox.services.cloudformation.stack.records import Stacks

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/stopped/1"


@pytest.fixture
def operation(tmp_path: Path) -> Iterator[Operation]:
    engine = Engine(Settings(tmp_path))
    stacks = Stacks(engine, engine.account, "us-east-1")
    stacks.insert({"StackId": STACK, "StackName": "stopped", "StackStatus": "CREATE_IN_PROGRESS"})
    operation = Operation(engine, stacks, STACK)
    yield operation
    operation.close()
    engine.store.close()


def test_a_deletion_stops_the_creation_and_not_itself(operation: Operation) -> None:
    assert operation.next_phase() == "CREATE_IN_PROGRESS"
    creation = operation.stop
    with operation.engine.store.transaction():
        operation.stacks.set_status(STACK, "DELETE_IN_PROGRESS")
        stop_phase(operation.engine, STACK)
        assert not creation.is_set()
    assert creation.is_set()
    assert operation.next_phase() == "DELETE_IN_PROGRESS"
    assert not operation.stop.is_set()


def test_a_request_that_is_refused_stops_nothing(operation: Operation) -> None:
    operation.next_phase()
    with pytest.raises(RuntimeError), operation.engine.store.transaction():
        stop_phase(operation.engine, STACK)
        raise RuntimeError
    assert not operation.stop.is_set()
