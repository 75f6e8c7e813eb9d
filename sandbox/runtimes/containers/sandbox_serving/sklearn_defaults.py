"""Default functions of the scikit-learn container (sagemaker-scikit-learn-container, serving.py)."""

import numpy as np
from sandbox_serving import encoders
from sandbox_serving.transformer import UTF8_TYPES, Defaults


def input_fn(content, content_type):
    array = encoders.decode(content, content_type)
    return array.astype(np.float32) if content_type in UTF8_TYPES else array


def predict_fn(data, model):
    return model.predict(data)


def output_fn(prediction, accept):
    return encoders.encode(prediction, accept), accept


DEFAULTS = Defaults(input_fn, predict_fn, output_fn)
