"""A function reaches neither the sandbox's keys nor its processes."""

from __future__ import annotations

import json

import pytest

from sandbox.engine.confinement import supported
from tests.sandbox.lambda_.test_functions import Function
from tests.sandbox_process import SandboxProcess

CODE = """
import os

def reach(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return type(error).__name__
    return "reached"

def handler(event, context):
    state, server = event["state"], event["server"]
    read = lambda path: open(path, "rb").read()
    return {
        "keys": reach(read, f"{state}/aws/credentials"),
        "records": reach(read, f"{state}/records.sqlite"),
        "environment": reach(read, f"/proc/{server}/environ"),
        "signal": reach(os.kill, server, 0),
        "others": sorted(os.listdir(f"{state}/lambda")),
        "unpacked": len(os.listdir(f"{state}/lambda/unpacked")),
        "code": reach(read, __file__),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    }
"""


@pytest.mark.skipif(not supported(), reason="this kernel gives no ordinary user namespaces")
def test_a_function_is_alone(sandbox: SandboxProcess) -> None:
    function = Function(sandbox, "alone", CODE)
    event = {"state": str(sandbox.state), "server": sandbox.running.pid}
    answer = function.client.invoke(FunctionName="alone", Payload=json.dumps(event))
    found = json.loads(answer["Payload"].read())
    assert found == {
        "keys": "FileNotFoundError",
        "records": "FileNotFoundError",
        "environment": "FileNotFoundError",
        "signal": "ProcessLookupError",
        "others": ["environments", "unpacked"],
        "unpacked": 1,
        "code": "reached",
        "processes": 2,
    }
