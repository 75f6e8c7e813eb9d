"""From a request to an answer by the user's functions, as sagemaker-containers' Transformer and Worker do.

https://github.com/aws/sagemaker-containers (_transformer.py, _worker.py)
"""

import json
import sys
import traceback
from wsgiref.util import setup_testing_defaults

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
UTF8_TYPES = (JSON, CSV)
INTERNAL_ERROR = (
    b"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n"
    b"<h1>Internal Server Error</h1>\n<p>The server encountered an internal error and was unable to complete "
    b"your request. Either the server is overloaded or there is an error in the application.</p>\n"
)


class UnsupportedFormatError(Exception):
    """A content type that the default functions do not know."""

    def __init__(self, content_type):
        super().__init__(
            f"Content type {content_type} is not supported by this framework.\n\n"
            "Please implement input_fn to to deserialize the request data or an output_fn to\n"
            "serialize the response. For more information, see the SageMaker Python SDK README."
        )


class Defaults:
    """The functions a framework's container has for what the user's module leaves out."""

    def __init__(self, input_fn, predict_fn, output_fn):
        self.input_fn = input_fn
        self.predict_fn = predict_fn
        self.output_fn = output_fn


class Transformer:
    """The user's module with the framework's defaults around a loaded model."""

    def __init__(self, module, defaults, model_dir, default_accept):
        functions = ("input_fn", "predict_fn", "output_fn")
        model_fn = getattr(module, "model_fn", None)
        self.transform_fn = getattr(module, "transform_fn", None)
        if self.transform_fn and any(getattr(module, name, None) for name in functions):
            raise ValueError(
                "Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn"
            )
        if model_fn is None:
            raise NotImplementedError(
                "\nPlease provide a model_fn implementation.\n"
                "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk\n"
            )
        self.input_fn, self.predict_fn, self.output_fn = (
            getattr(module, name, None) or getattr(defaults, name) for name in functions
        )
        self.default_accept = default_accept
        self.model = model_fn(model_dir)

    def __call__(self, request):
        if request.path == "/invocations":
            if request.method != "POST":
                return 405, "text/html; charset=utf-8", b""
            return self.invoke(request)
        if request.path == "/ping":
            return 200, JSON, b""
        return 404, "text/html; charset=utf-8", b""

    def invoke(self, request):
        headers = request.headers
        content_type = headers.get("contenttype") or headers.get("content-type") or JSON
        accept = headers.get("accept")
        if not accept or accept == "*/*":
            accept = self.default_accept
        try:
            content = request.body.decode("utf-8") if content_type in UTF8_TYPES else request.body
            return answer(self.transform(content, content_type, accept))
        except Exception:  # noqa: BLE001
            # Any error of the user's code: the container's server logs it and answers 500.
            sys.stderr.write("Exception on /invocations [POST]\n" + traceback.format_exc())
            return 500, "text/html; charset=utf-8", INTERNAL_ERROR

    def transform(self, content, content_type, accept):
        if self.transform_fn is not None:
            return self.transform_fn(self.model, content, content_type, accept)
        try:
            data = self.input_fn(content, content_type)
        except UnsupportedFormatError as error:
            return format_error(error, 415)
        prediction = self.predict_fn(data, self.model)
        try:
            return self.output_fn(prediction, accept)
        except UnsupportedFormatError as error:
            return format_error(error, 406)


class Answer:
    """What a transform returns when it decides the status too."""

    def __init__(self, status, content_type, body):
        self.status = status
        self.content_type = content_type
        self.body = body


def format_error(error, status):
    body = {
        "error": type(error).__name__,
        "error-message": str(error),
        "stack-trace": traceback.format_exc(),
    }
    return Answer(status, JSON, json.dumps(body).encode())


def answer(result):
    """(status, content type, body) of what a user's function returned."""
    if isinstance(result, Answer):
        return result.status, result.content_type, result.body
    if isinstance(result, tuple):
        body, mimetype = result[0], result[1]
        return 200, with_charset(mimetype), as_bytes(body)
    if isinstance(result, (dict, list)):
        return 200, JSON, json.dumps(result).encode() + b"\n"
    if callable(result):
        return wsgi_answer(result)
    return 200, "text/html; charset=utf-8", as_bytes(result)


def wsgi_answer(application):
    """What a WSGI application answers: Flask takes one from a view, and its own responses are such."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/invocations"}
    setup_testing_defaults(environ)
    started = []

    def start_response(status, headers, exc_info=None):
        started[:] = [int(status.partition(" ")[0]), {name.lower(): value for name, value in headers}]

    body = b"".join(application(environ, start_response))
    status, headers = started
    return status, headers.get("content-type", "text/html; charset=utf-8"), body


def as_bytes(body):
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    what = type(body).__name__
    raise TypeError(
        "The view function did not return a valid response. The return type must be a string, dict, "
        f"list, tuple with headers or status, Response instance, or WSGI callable, but it was a {what}."
    )


def with_charset(mimetype):
    text = mimetype.startswith("text/") or mimetype.endswith("+xml")
    text = text or mimetype in ("application/xml", "application/javascript", "application/xml-dtd")
    return mimetype + "; charset=utf-8" if text and "charset" not in mimetype else mimetype
