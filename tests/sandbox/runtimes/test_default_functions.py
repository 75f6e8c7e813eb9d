"""The containers' default functions, run with the runtimes' own libraries."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import sandbox.runtimes
from sandbox.runtimes import ensure, runtime_of

CONTAINERS = Path(sandbox.runtimes.__file__).parent / "containers"
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.9-0-cpu-py3"
PRELUDE = f"import json, struct, sys\nsys.path.insert(0, {str(CONTAINERS)!r})\n"
RECORD = """
def varint(field, data):
    return bytes([field << 3 | 2, len(data)]) + data

def stream(*rows):
    result = b""
    for row in rows:
        tensor = varint(1, struct.pack(f"<{len(row)}f", *row))
        record = varint(1, varint(1, b"values") + varint(2, varint(2, tensor)))
        result += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    return result
"""


def run(image: str, code: str) -> Any:
    python = str(ensure(runtime_of(image)).python)
    result = subprocess.run([python, "-c", PRELUDE + code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


READ = {
    "text/csv": "'1,2.5\\n3,4'",
    "text/csv; charset=utf-8": "'1;2.5\\n3;4'",
    "text/libsvm": "b'0 1:1 2:2.5\\n0 1:3 2:4'",
    "text/x-libsvm": "b'0:1 1:2.5\\n0:3 1:4'",
    "application/x-recordio-protobuf": "stream([1, 2.5], [3, 4])",
}
"""Content type → the same two rows in it, as Python writes them."""
NOT_READ = {
    "application/json": ("'[]'", "UnsupportedFormatError"),
    "application/x-recordio-protobuf ": ("b'\\0' * 9", "ValueError"),
}


@pytest.fixture(scope="module")
def xgboost_read() -> dict[str, Any]:
    """Rows, or the error's name, by content type; by one process, since to import XGBoost takes seconds."""
    given = READ | {kind: content for kind, (content, _) in NOT_READ.items()}
    cases = "".join(f"({kind!r}, {content}), " for kind, content in given.items())
    code = RECORD + (
        "from sandbox_serving import xgboost_defaults\n"
        "from sandbox_serving.transformer import UnsupportedFormatError\n"
        "found = {}\n"
        f"for kind, body in ({cases}):\n"
        "    try:\n"
        "        matrix = xgboost_defaults.input_fn(body, kind.strip())\n"
        "        found[kind] = matrix.get_data().toarray().tolist()\n"
        "    except (UnsupportedFormatError, ValueError) as error:\n"
        "        found[kind] = type(error).__name__\n"
        "print(json.dumps(found))\n"
    )
    found: dict[str, Any] = run(XGBOOST, code)
    return found


@pytest.mark.parametrize("content_type", READ)
def test_what_the_xgboost_container_reads(xgboost_read: dict[str, Any], content_type: str) -> None:
    assert xgboost_read[content_type] == [[1.0, 2.5], [3.0, 4.0]]


def test_what_the_xgboost_container_does_not_read(xgboost_read: dict[str, Any]) -> None:
    assert {kind: xgboost_read[kind] for kind in NOT_READ} == {
        kind: error for kind, (_, error) in NOT_READ.items()
    }


@pytest.mark.parametrize(
    ("content", "content_type"), [("'[[1, 2], [3, 4]]'", "application/json"), ("'1,2\\n3,4'", "text/csv")]
)
def test_what_the_sklearn_container_reads_and_writes(content: str, content_type: str) -> None:
    code = (
        "from sandbox_serving import sklearn_defaults\n"
        f"array = sklearn_defaults.input_fn({content}, {content_type!r})\n"
        "csv, kind = sklearn_defaults.output_fn(array[:, 0], 'text/csv')\n"
        "text, _ = sklearn_defaults.output_fn(array, 'application/json')\n"
        "print(json.dumps([csv, kind, json.loads(text), str(array.dtype)]))\n"
    )
    assert run(SKLEARN, code) == ["1.0\n3.0\n", "text/csv", [[1.0, 2.0], [3.0, 4.0]], "float32"]
