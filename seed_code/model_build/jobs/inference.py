"""What the endpoint runs, in SageMaker's XGBoost container (SAGEMAKER_PROGRAM=inference.py).

Requests: `text/csv`, rows of the raw features without header, or `application/json`,
`{"instances": [row, ...]}` where a row is a list in the same order or an object by feature name.
Answers: `text/csv`, a prediction a line, or `application/json`, `{"predictions": [...]}`.

The container wraps whatever `input_fn` raises into a 500; only `transform_fn` may answer with a
status of its own, and a bad request must be a 4xx: it would otherwise count as an error of the model
in the alarms that guard a deployment.
https://github.com/aws/sagemaker-containers/blob/master/src/sagemaker_containers/_transformer.py
"""

from __future__ import annotations

import csv
import http
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import bikeshare
import numpy

# XGBoost imports scikit-learn and pandas, where present, for wrappers unused here: seconds of start.
sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]

import xgboost  # noqa: E402

MODEL_FILE = "xgboost-model.ubj"
CSV, JSON = "text/csv", "application/json"


class Refusal:
    """A response with a 4xx status and the reason as JSON: a small WSGI application.

    The container's web framework, Flask, takes one from a view; no need to import Flask here.
    """

    content_type = JSON

    def __init__(self, status: int, reason: str):
        self.status_code = status
        self._body = json.dumps({"error": reason}).encode()

    def get_data(self) -> bytes:
        """The body."""
        return self._body

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = [("Content-Type", self.content_type), ("Content-Length", str(len(self._body)))]
        start_response(f"{self.status_code} {http.HTTPStatus(self.status_code).phrase}", headers)
        return [self._body]


def model_fn(model_dir: str) -> xgboost.Booster:
    """The booster of the model folder. One thread: the container runs a worker per CPU."""
    booster = xgboost.Booster(model_file=os.path.join(model_dir, MODEL_FILE))
    booster.set_param({"nthread": 1})
    return booster


def transform_fn(
    model: xgboost.Booster, body: str | bytes, content_type: str, accept: str
) -> tuple[str, str] | Refusal:
    """Answer one request: `(text, mime type)`, or why it cannot be answered."""
    answer_type = media_type(accept) or CSV
    if answer_type in ("*/*", "application/*", "text/*"):
        answer_type = JSON if answer_type == "application/*" else CSV
    if answer_type not in (CSV, JSON):
        return Refusal(406, f"Accept {accept!r} is not supported: ask for {CSV} or {JSON}")
    parse = {CSV: parse_csv, JSON: parse_json}.get(media_type(content_type))
    if parse is None:
        return Refusal(415, f"Content-Type {content_type!r} is not supported: send {CSV} or {JSON}")
    try:
        features = parse(body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body)
    except UnicodeDecodeError as error:
        return Refusal(400, f"not UTF-8 text: {error}")
    except bikeshare.DataError as error:
        return Refusal(400, str(error))
    return encode(predict(model, features), answer_type), answer_type


def predict(model: xgboost.Booster, features: list[list[float]]) -> list[float]:
    """Predicted bikers an hour, one for each row of numbers."""
    matrix = numpy.asarray(features, dtype=numpy.float32)
    return model.inplace_predict(matrix, validate_features=False).tolist()


def parse_csv(text: str) -> list[list[float]]:
    """Numbers of CSV rows without header."""
    try:
        rows = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise bikeshare.DataError(f"not CSV: {error}") from None
    return encode_rows(rows)


def parse_json(text: str) -> list[list[float]]:
    """Numbers of `{"instances": [...]}`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bikeshare.DataError(f"not JSON: {type(error).__name__}: {error}") from None
    rows = document.get("instances") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(rows, list):
        raise bikeshare.DataError('expected {"instances": [row, ...]}')
    return encode_rows([in_order(row, number) for number, row in enumerate(rows, start=1)])


def in_order(row: Any, number: int) -> list[Any]:
    """Values of a JSON row in the order of the features."""
    if isinstance(row, dict):
        missing = [name for name in bikeshare.FEATURE_NAMES if name not in row]
        unknown = [name for name in row if name not in bikeshare.FEATURE_NAMES]
        if missing or unknown:
            problem = f"missing column '{missing[0]}'" if missing else f"unknown column {unknown[0]!r}"
            raise bikeshare.DataError(f"{problem}, row {number}")
        return [row[name] for name in bikeshare.FEATURE_NAMES]
    if not isinstance(row, list):
        raise bikeshare.DataError(f"row {number}: expected a list or an object")
    return row


def encode_rows(rows: list[list[Any]]) -> list[list[float]]:
    """Numbers of all rows; at least one row."""
    if not rows:
        raise bikeshare.DataError("no rows in the request")
    return [bikeshare.encode_features(row, number) for number, row in enumerate(rows, start=1)]


def encode(predictions: list[float], answer_type: str) -> str:
    """The answer's text."""
    if answer_type == JSON:
        return json.dumps({"predictions": predictions})
    return "\n".join(map(repr, predictions)) + "\n"


def media_type(header: str | None) -> str:
    """A header's media type without its parameters."""
    return (header or "").partition(";")[0].strip().lower()
