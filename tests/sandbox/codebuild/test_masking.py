"""Secrets in a build's log."""

from __future__ import annotations

import pytest

from sandbox.services.codebuild.masking import MaskedLog


class Lines(list[str]):
    def write(self, line: str) -> None:
        self.append(line)


@pytest.mark.parametrize(
    ("values", "line", "expected"),
    [
        ([], "plain", "plain"),
        ([""], "plain", "plain"),
        (["s3cret"], "a s3cret, as3cretb", "a ***, a***b"),
        (["ab", "abc"], "abcab", "******"),
        (["a.c"], "abc a.c", "abc ***"),
        (["first\nsecond"], "second", "***"),
        ([], "key AKIAIOSFODNN7EXAMPLE and ASIAIOSFODNN7EXAMPLE.", "key *** and ***."),
        (["x"], "AKIAIOSFODNN7EXAMPLEX", "AKIAIOSFODNN7EXAMPLEX"),
    ],
)
def test_what_is_hidden(values: list[str], line: str, expected: str) -> None:
    lines = Lines()
    log = MaskedLog(lines)
    log.hide(values)
    log.write(line)
    assert lines == [expected]
