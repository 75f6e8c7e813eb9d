"""What the gateway adds to moto: the same requests, to the sandbox and to moto's own server, in turns.

The gateway verifies the signature, holds the request against its model, decides it by IAM and records the
decision; moto's server does none of it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.machine import machine
from bench.measure import Measure, Result, Turns, seconds

GOAL_RATIO = 1.15
BATCH = 50


def run(*, quick: bool) -> list[Result]:
    with machine() as here, _moto() as url:
        ours, bare = here.access().client, _clients(url)
        for client in (ours, bare):
            client("s3").create_bucket(Bucket="bench")
            client("s3").put_object(Bucket="bench", Key="object", Body=b"x" * 1000)
            client("ssm").put_parameter(Name="bench", Value="x", Type="String")
        results: list[Result] = []
        for name, ask in REQUESTS.items():
            turns = Turns().take(
                4 if quick else 12, ours=_per_request(ask, ours), bare=_per_request(ask, bare)
            )
            ratios = turns.ratio("ours", "bare")
            results.append(Measure(f"{name} through the gateway", "ms", turns.samples["ours"]))
            results.append(Measure(f"{name}, gateway against bare moto", "×", ratios, GOAL_RATIO))
    return results


REQUESTS: dict[str, Callable[[Any], object]] = {
    "s3 GetObject": lambda client: client("s3").get_object(Bucket="bench", Key="object")["Body"].read(),
    "s3 PutObject": lambda client: client("s3").put_object(Bucket="bench", Key="object", Body=b"x" * 1000),
    "ssm GetParameter": lambda client: client("ssm").get_parameter(Name="bench"),
}


def _per_request(ask: Callable[[Any], object], client: Any) -> Callable[[], float]:
    """Milliseconds of one request, boto3's own included, over a batch."""

    def batch() -> None:
        for _ in range(BATCH):
            ask(client)

    batch()
    return lambda: seconds(batch) * 1000 / BATCH


@contextmanager
def _moto() -> Iterator[str]:
    """moto's server, as `moto_server` starts it."""
    command = [sys.executable, "-u", "-m", "bench.bare_moto"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def _clients(url: str) -> Callable[[str], Any]:
    import boto3

    session = boto3.Session("key", "secret", region_name="us-east-1")
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=url)
        return made[service]

    return client
