"""Default functions of the XGBoost container (sagemaker-xgboost-container, serving.py and encoder.py)."""

import csv

import numpy as np
import xgboost
from sandbox_serving import encoders, recordio
from sandbox_serving.transformer import CSV, Defaults, UnsupportedFormatError


def _delimiter(sample):
    # Where nothing is quoted the sniffer prefers the comma to whatever else it finds: no need to look.
    if "," in sample and '"' not in sample and "'" not in sample:
        return ","
    delimiter = csv.Sniffer().sniff(sample).delimiter
    return "," if delimiter.isalnum() else delimiter


def _csv(content):
    text = content.decode() if isinstance(content, bytes) else content
    lines = text.split("\n")
    delimiter = _delimiter(lines[0][:512])
    rows = [["nan" if cell == "" else cell for cell in line.split(delimiter)] for line in lines]
    return xgboost.DMatrix(np.array(rows).astype(None))


def _libsvm(content):
    text = content.decode() if isinstance(content, bytes) else content
    rows = []
    for line in text.strip().split("\n"):
        pairs = (token.split(":", 1) for token in line.split() if ":" in token)
        rows.append({int(index): float(value) for index, value in pairs})
    if not any(rows):
        return xgboost.DMatrix(np.empty((0, 0)))
    # Indices from 1 are shifted to columns from 0.
    offset = 1 if min(index for row in rows for index in row) >= 1 else 0
    data = np.zeros((len(rows), max(index for row in rows for index in row) - offset + 1))
    for number, row in enumerate(rows):
        for index, value in row.items():
            data[number, index - offset] = value
    return xgboost.DMatrix(data)


def _recordio(content):
    features, labels = recordio.read(content)
    return xgboost.DMatrix(features, label=labels)


DECODERS = {
    CSV: _csv,
    "text/libsvm": _libsvm,
    "text/x-libsvm": _libsvm,
    "application/x-recordio-protobuf": _recordio,
}


def input_fn(content, content_type):
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in DECODERS:
        raise UnsupportedFormatError(media_type)
    return DECODERS[media_type](content)


def predict_fn(data, model):
    return model.predict(data, validate_features=False)


def output_fn(prediction, accept):
    return encoders.encode(prediction, accept), accept


DEFAULTS = Defaults(input_fn, predict_fn, output_fn)
