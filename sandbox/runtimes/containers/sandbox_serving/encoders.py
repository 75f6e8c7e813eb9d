"""The containers' default encodings: JSON, CSV, NPY (sagemaker-containers, _encoders.py)."""

import csv
import io
import json

import numpy as np
from sandbox_serving.transformer import CSV, JSON, NPY, UnsupportedFormatError


def _json_default(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _to_json(prediction):
    return json.dumps(prediction, default=_json_default)


def _to_csv(prediction):
    array = np.array(prediction)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", strict=True).writerows(array)
    return text.getvalue()


def _to_npy(prediction):
    buffer = io.BytesIO()
    np.save(buffer, prediction)
    return buffer.getvalue()


def _from_csv(content):
    rows = list(csv.reader(io.StringIO(content), strict=True))
    return np.array(rows).squeeze().astype(None)


def _from_json(content):
    return np.array(json.loads(content))


def _from_npy(content):
    # Never a pickle: what a client sends is data.
    return np.load(io.BytesIO(content), allow_pickle=False)


ENCODERS = {JSON: _to_json, CSV: _to_csv, NPY: _to_npy}
DECODERS = {JSON: _from_json, CSV: _from_csv, NPY: _from_npy}


def encode(prediction, accept):
    try:
        encoder = ENCODERS[accept]
    except KeyError:
        raise UnsupportedFormatError(accept) from None
    return encoder(prediction)


def decode(content, content_type):
    try:
        decoder = DECODERS[content_type]
    except KeyError:
        raise UnsupportedFormatError(content_type) from None
    return decoder(content)
