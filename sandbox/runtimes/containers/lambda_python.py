"""The Python runtime of a Lambda function: loads its handler once, then handles one event after the other.

`lambda_python.py REQUESTS RESPONSES MARK`: two named pipes that carry a line of JSON each way, and the line
that ends the output of one event. Error documents and log lines have the form of AWS's runtime interface
client. Standard library only, since the function's own packages come first.
Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html, …/python-context.html,
…/python-logging.html and …/python-exceptions.html
"""

import functools
import importlib
import json
import logging
import os
import signal
import sys
import time
import traceback

OWN = os.path.abspath(__file__)
ENDPOINT = os.environ.get("AWS_ENDPOINT_URL", "")


class Fault(Exception):
    """An error that the runtime itself finds: its type is not a Python class."""

    def __init__(self, kind, message, lines=()):
        super().__init__(message)
        self.kind = kind
        self.lines = list(lines)


class Identity:
    """Of the Amazon Cognito user that authorized a request."""

    def __init__(self, given):
        self.cognito_identity_id = given.get("cognitoIdentityId")
        self.cognito_identity_pool_id = given.get("cognitoIdentityPoolId")


class Client:
    def __init__(self, given):
        for name in (
            "installation_id",
            "app_title",
            "app_version_name",
            "app_version_code",
            "app_package_name",
        ):
            setattr(self, name, given.get(name))


class ClientContext:
    """What the caller passed as ClientContext."""

    def __init__(self, given):
        self.custom = given.get("custom")
        self.env = given.get("env")
        self.client = Client(given["client"]) if given.get("client") else None


class Context:
    """The second argument of a handler."""

    def __init__(self, request):
        self.aws_request_id = request["id"]
        self.invoked_function_arn = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = Identity({})
        self.tenant_id = None
        given = request.get("client_context")
        self.client_context = ClientContext(json.loads(given)) if given else None
        self._deadline = request["deadline"]

    def get_remaining_time_in_millis(self):
        return max(0, int((self._deadline - time.time()) * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class _Handler(logging.Handler):
    """What `logging` gets in a function: tab-separated level, time, request and message."""

    def __init__(self):
        super().__init__()
        self.request_id = ""
        form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)

    def emit(self, record):
        record.aws_request_id = self.request_id
        sys.stdout.write(self.format(record) + "\n")


def load(name):
    """The handler that `module.function` names. Raises Fault."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from None
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from None
    except SyntaxError as error:
        lines = [f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, lines) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", message) from None


@functools.cache
def lead_tls_home():
    """HTTPS to the sandbox's host goes to the sandbox's port where no other is named: on AWS a ResponseURL is
    answered on port 443, and many providers of custom resources take only the host of it."""
    from http.client import HTTPSConnection  # slow to load, and few functions are such providers
    from urllib.parse import urlsplit

    own = urlsplit(ENDPOINT)
    begin = HTTPSConnection.__init__

    def init(self, host, port=None, *args, **kwargs):
        begin(self, host, port or (own.port if host == own.hostname else None), *args, **kwargs)

    HTTPSConnection.__init__ = init


def call(handler, request):
    """What the handler answers, as JSON. Raises Fault, or whatever the handler does."""
    if "ResponseURL" in request["payload"]:
        lead_tls_home()
    try:
        event = json.loads(request["payload"])
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None
    result = handler(event, Context(request))
    try:
        return json.dumps(result, ensure_ascii=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def fault(error, request_id):
    """(the error document, its log text)."""
    if isinstance(error, Fault):
        kind, lines = error.kind, error.lines
    else:
        kind = type(error).__name__
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != OWN]
        frames = [frame for frame in frames if not frame.filename.startswith("<frozen importlib")]
        lines = traceback.format_list(frames)
    document = {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": lines}
    text = f"[ERROR] {kind}: {error}"
    if lines:
        text += "\nTraceback (most recent call last):\n" + "".join(lines).rstrip("\n")
    return document, text


def memory():
    """The most memory that the process has had in use, in bytes."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Pipes:
    def __init__(self, requests, responses, mark):
        self._requests = open(requests, encoding="utf-8")  # noqa: SIM115 - as long as the process
        self._responses = open(responses, "w", encoding="utf-8")  # noqa: SIM115
        self._mark = mark

    def read(self):
        line = self._requests.readline()
        return json.loads(line) if line else None

    def write(self, answer):
        # The mark travels the way of the output: who sees it has seen all that was printed before.
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(1, f"\n{self._mark}\n".encode())
        self._responses.write(json.dumps(answer | {"memory": memory()}) + "\n")
        self._responses.flush()


def out_of_memory():
    """Ends the process as AWS does when a function needs more memory than it has."""
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    pipes = Pipes(*sys.argv[1:4])
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sys.argv = [""]
    records = _Handler()
    logging.getLogger().addHandler(records)
    try:
        handler = load(os.environ["_HANDLER"])
    except MemoryError:
        out_of_memory()
    except Exception as error:  # noqa: BLE001 - whatever the code raises is the function's error
        document, text = fault(error, "")
        pipes.write({"failed": document, "log": text})
        sys.exit(1)
    pipes.write({"ready": True})
    while request := pipes.read():
        records.request_id = request["id"]
        os.environ["_X_AMZN_TRACE_ID"] = request.get("trace", "")
        try:
            pipes.write({"result": call(handler, request)})
        except MemoryError:
            out_of_memory()
        except Exception as error:  # noqa: BLE001
            document, text = fault(error, request["id"])
            pipes.write({"error": document, "log": text})


if __name__ == "__main__":
    main()
