"""Reading log streams on."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from cli.access import Access
from cli.logs import Reader, Stream, tail

STREAM = Stream("Build/Build", "/aws/codebuild/x", "1")


class Logs:
    """GetLogEvents as CloudWatch Logs pages it: two events an answer, and the same token again at the end."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.there = True

    def get_log_events(self, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if not self.there:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "no stream"}}
            raise ClientError(error, "GetLogEvents")
        start = int(nextToken)
        events = [{"message": line + "\n"} for line in self.written[start : start + 2]]
        return {"events": events, "nextForwardToken": str(start + len(events))}


def access(logs: Logs) -> Access:
    found = Access()
    found._clients["logs"] = logs
    return found


def test_each_line_is_read_once_also_those_that_come_later() -> None:
    logs = Logs()
    reader = Reader(access(logs), STREAM)
    logs.there = False
    assert list(reader.lines()) == []
    logs.there = True
    logs.written += ["a", "b", "c"]
    assert list(reader.lines()) == ["a", "b", "c"]
    assert list(reader.lines()) == []
    logs.written += ["d"]
    assert list(reader.lines()) == ["d"]


def test_the_tail_names_its_stream() -> None:
    logs = Logs()
    logs.written = [str(number) for number in range(100)]
    lines = tail(access(logs), [STREAM], count=3).splitlines()
    assert lines == ["--- Build/Build: /aws/codebuild/x 1", "97", "98", "99"]
