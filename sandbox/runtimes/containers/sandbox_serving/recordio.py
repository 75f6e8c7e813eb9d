"""RecordIO-protobuf as SageMaker's built-in algorithms write it: a stream of framed `Record` messages.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

import struct

import numpy as np

MAGIC = 0xCED7230A
FEATURES, LABEL = 1, 2  # fields of Record: map<string, Value>
FLOAT32, FLOAT64, INT32 = 2, 3, 7  # fields of Value
VALUES, KEYS, SHAPE = 1, 2, 3  # fields of the tensors
TYPES = {FLOAT32: ("<f4", 5), FLOAT64: ("<f8", 1), INT32: (None, 0)}


def read(content):
    """(features as a matrix, labels or None). ValueError when the bytes are no such stream."""
    rows, labels = [], []
    for record in _records(content):
        for field, entry in _fields(record):
            if field in (FEATURES, LABEL):
                values = _row(dict(_fields(entry))[2])
                (rows if field == FEATURES else labels).append(values)
    if not rows:
        raise ValueError("no record with features")
    width = max(len(row) for row in rows)
    matrix = np.full((len(rows), width), np.nan)
    for number, row in enumerate(rows):
        matrix[number, : len(row)] = row
    return matrix, np.array([label[0] for label in labels]) if len(labels) == len(rows) else None


def _records(content):
    position = 0
    while position < len(content):
        if len(content) - position < 8:
            raise ValueError("truncated RecordIO frame")
        magic, length = struct.unpack_from("<II", content, position)
        if magic != MAGIC:
            raise ValueError("not RecordIO: wrong magic number")
        length &= (1 << 29) - 1
        start = position + 8
        if start + length > len(content):
            raise ValueError("truncated RecordIO frame")
        yield content[start : start + length]
        position = start + (length + 3) // 4 * 4


def _varint(data, position):
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("malformed protobuf number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _fields(data):
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(data, position)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if kind == 2:
                size, position = _varint(data, position)
            if size is None or position + size > len(data):
                raise ValueError("malformed protobuf field")
            value = data[position : position + size]
            position += size
        yield number, value


def _row(value):
    for kind, tensor in _fields(value):
        if kind not in TYPES:
            raise ValueError("unsupported tensor in record")
        values, keys, shape = [], [], []
        for field, part in _fields(tensor):
            if field == VALUES:
                values.extend(_numbers(kind, part))
            elif field in (KEYS, SHAPE):
                (keys if field == KEYS else shape).extend(_numbers(INT32, part))
        if not keys:
            return values
        row = np.zeros(int(shape[0]) if shape else max(keys) + 1)
        row[keys] = values
        return row
    return []


def _numbers(kind, part):
    """Packed or single numbers of a repeated field."""
    if isinstance(part, int):
        return [part]
    dtype = TYPES[kind][0]
    if dtype:
        return np.frombuffer(part, dtype).tolist()
    numbers, position = [], 0
    while position < len(part):
        number, position = _varint(part, position)
        numbers.append(number)
    return numbers
