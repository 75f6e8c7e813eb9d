"""Functions through the door: what runs, as whom, for how long, and what is said when it does not."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.messaging import ACCOUNT, Queue, arn, make_role, zipped
from tests.sandbox_process import SandboxProcess

CODE = """
import logging, os, time
import shared
calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("got", sorted(event))
    logging.getLogger().warning("careful")
    if "raise" in event:
        raise ValueError(event["raise"])
    if "exit" in event:
        os._exit(event["exit"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "fill" in event:
        return len(bytearray(event["fill"] * 2**20))
    if "set" in event:
        return {1}
    who = ""
    if "who" in event:
        import boto3
        who = boto3.client("sts").get_caller_identity()["Arn"]
    return {
        "calls": calls,
        "who": who,
        "variable": os.environ["COLOUR"],
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(),
        "shared": shared.NAME,
        "echo": event,
    }
"""
SHARED = "NAME = 'of the package'\n"


class Function:
    """A function of a test, active."""

    def __init__(self, sandbox: SandboxProcess, name: str, code: str = CODE, **members: Any) -> None:
        self.client = sandbox.client("lambda", read_timeout=60)
        self.name = name
        self.role = make_role(
            sandbox, name, ["logs:*", "sqs:*", "sns:Publish", "events:PutEvents"], "lambda.amazonaws.com"
        )
        members = {"Environment": {"Variables": {"COLOUR": "blue"}}, "Timeout": 20} | members
        created = self.client.create_function(
            FunctionName=name,
            Role=self.role,
            Runtime="python3.12",
            Handler="index.handler",
            Code={"ZipFile": zipped(index=code, shared=SHARED)},
            **members,
        )
        self.arn: str = created["FunctionArn"]
        assert created["State"] == "Pending"
        self.settle()

    def settle(self) -> None:
        for waiter in ("function_active_v2", "function_updated_v2"):
            self.client.get_waiter(waiter).wait(FunctionName=self.name, WaiterConfig={"Delay": 0.1})

    def __call__(self, event: Any = None, **members: Any) -> Any:
        """The answer, or `(error document, log)` of a function that failed."""
        answer = self.client.invoke(
            FunctionName=members.pop("FunctionName", self.name),
            Payload=json.dumps(event or {}),
            LogType="Tail",
            **members,
        )
        payload = json.loads(answer["Payload"].read())
        log = base64.b64decode(answer["LogResult"]).decode()
        assert "REPORT RequestId:" in log
        return (payload, log) if "FunctionError" in answer else payload


@pytest.fixture(scope="module")
def function(sandbox: SandboxProcess) -> Function:
    return Function(sandbox, "fn-main")


def test_it_runs_as_its_role_and_stays_warm(function: Function, sandbox: SandboxProcess) -> None:
    first, second = function({"who": 1}), function({"a": 2})
    assert first["who"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/fn-main/fn-main"
    assert (first["variable"], first["shared"], first["version"]) == ("blue", "of the package", "$LATEST")
    assert (first["arn"], first["echo"]) == (function.arn, {"who": 1})
    assert 0 < second["left"] <= 20_000
    assert second["calls"] == first["calls"] + 1
    logs = sandbox.client("logs")
    [group] = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/fn-main")["logGroups"]
    assert logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"]


def test_what_a_handler_raises_is_the_answer(function: Function) -> None:
    document, log = function({"raise": "no"})
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no")
    assert "in handler" in document["stackTrace"][0]
    assert "[ERROR] ValueError: no" in log
    assert "[WARNING]" in log
    assert "got ['raise']" in log
    assert function({"set": 1})[0]["errorType"] == "Runtime.MarshalError"


def test_a_process_that_ends_is_replaced(function: Function) -> None:
    ends = {"exit": (3, "exit status 3"), "fill": (900, "signal: killed")}
    for name, (value, reason) in ends.items():
        document, _ = function({name: value})
        assert document["errorType"] == "Runtime.ExitError"
        assert document["errorMessage"].endswith(f"Runtime exited with error: {reason}")
    # Memory that the process could have and the function may not: AWS would have ended it, too.
    assert function({"fill": 160})[0]["errorMessage"].endswith("signal: killed")
    assert function()["calls"] == 1


def test_time_is_limited(sandbox: SandboxProcess) -> None:
    function = Function(sandbox, "fn-slow", "import time\ndef handler(e, c): time.sleep(e['s'])\n", Timeout=1)
    document, log = function({"s": 20})
    assert document["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in document["errorMessage"]
    assert "Task timed out after 1.00 seconds" in log


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import nowhere\n", "Runtime.ImportModuleError"),
        ("def handler(:\n", "Runtime.UserCodeSyntaxError"),
        ("x = 1\n", "Runtime.HandlerNotFound"),
        ("raise KeyError('k')\n", "KeyError"),
    ],
)
def test_code_that_does_not_load_says_why(function: Function, code: str, kind: str) -> None:
    name = f"fn-broken-{len(code)}"
    function.client.create_function(
        FunctionName=name,
        Role=function.role,
        Runtime="python3.11",
        Handler="index.handler",
        Timeout=20,
        Code={"ZipFile": zipped(index=code)},
    )
    function.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    assert function(FunctionName=name)[0]["errorType"] == kind


def test_versions_aliases_and_layers(sandbox: SandboxProcess) -> None:
    code = "import extra\ndef handler(e, c): return [extra.WORD, 1, c.function_version]\n"
    client = sandbox.client("lambda")
    layer = client.publish_layer_version(
        LayerName="fn-extra", Content={"ZipFile": zipped(**{"python/extra": "WORD = 'layered'"})}
    )["LayerVersionArn"]
    function = Function(sandbox, "fn-versions", code, Layers=[layer], Publish=True)
    assert function() == ["layered", 1, "$LATEST"]
    assert client.publish_version(FunctionName=function.name)["Version"] == "1"  # nothing has changed since
    package = zipped(index=code.replace("1", "2"))
    client.update_function_code(FunctionName=function.name, ZipFile=package, Publish=True)
    function.settle()
    alias = client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")["AliasArn"]
    assert function(FunctionName=alias) == ["layered", 1, "1"]
    client.update_alias(
        FunctionName=function.name,
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}},
    )
    assert function(FunctionName=alias) == ["layered", 2, "2"]
    versions = client.list_versions_by_function(FunctionName=function.name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    with pytest.raises(ClientError, match="referenced by the following aliases"):
        client.delete_function(FunctionName=function.name, Qualifier="1")
    client.update_function_configuration(FunctionName=function.name, Layers=[])
    function.settle()
    assert function()[0]["errorType"] == "Runtime.ImportModuleError"
    assert function(Qualifier="2") == ["layered", 2, "2"]
    client.delete_function(FunctionName=function.name)
    with pytest.raises(ClientError, match="Function not found"):
        function()


def test_events_are_retried_survive_a_kill_and_end_at_their_destination(sandbox: SandboxProcess) -> None:
    done, letters = Queue(sandbox, "fn-done"), Queue(sandbox, "fn-dead")
    code = (
        "def handler(event, context):\n"
        "    if event['fail']: raise RuntimeError('always')\n"
        "    return 'fine'\n"
    )
    function = Function(sandbox, "fn-events", code, DeadLetterConfig={"TargetArn": letters.arn})
    destinations = {"OnSuccess": {"Destination": done.arn}, "OnFailure": {"Destination": done.arn}}
    function.client.put_function_event_invoke_config(
        FunctionName=function.name, DestinationConfig=destinations
    )
    for fail in (False, True):
        payload = json.dumps({"fail": fail})
        answer = function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=payload)
        assert answer["StatusCode"] == 202
    sandbox.kill()
    sandbox.start_again()
    told = [json.loads(text) for text in done.take(2)]
    by_condition = {one["requestContext"]["condition"]: one for one in told}
    assert by_condition["Success"]["responsePayload"] == "fine"
    failed = by_condition["RetriesExhausted"]
    assert failed["requestContext"]["approximateInvokeCount"] == 3
    assert failed["responsePayload"]["errorType"] == "RuntimeError"
    [dead] = letters.receive(MessageAttributeNames=["All"])
    assert json.loads(dead["Body"]) == {"fail": True}
    assert dead["MessageAttributes"]["ErrorMessage"]["StringValue"] == "always"


def test_a_queue_feeds_a_function(sandbox: SandboxProcess) -> None:
    source, out = Queue(sandbox, "fn-source", VisibilityTimeout="30"), Queue(sandbox, "fn-out")
    code = f"""
import json
import boto3
def handler(event, context):
    bodies = [json.loads(record["body"])["n"] for record in event["Records"]]
    boto3.client("sqs").send_message(QueueUrl={out.url!r}, MessageBody=json.dumps(bodies))
    bad = [r for r in event["Records"] if json.loads(r["body"])["n"] == 13]
    return {{"batchItemFailures": [{{"itemIdentifier": r["messageId"]}} for r in bad]}}
"""
    function = Function(sandbox, "fn-reader", code)
    mapping = function.client.create_event_source_mapping(
        FunctionName=function.name,
        EventSourceArn=source.arn,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        FilterCriteria={"Filters": [{"Pattern": '{"body": {"n": [{"numeric": [">", 0]}]}}'}]},
    )
    entries = [{"Id": str(n), "MessageBody": json.dumps({"n": n})} for n in (-1, 1, 13)]
    source.sqs.send_message_batch(QueueUrl=source.url, Entries=entries)
    seen: list[int] = []
    while len(seen) < 2:
        seen += json.loads(out.take()[0])
    assert sorted(seen) == [1, 13]
    function.client.delete_event_source_mapping(UUID=mapping["UUID"])
    # The one that failed waits for its visibility to end; the others, and what no filter wants, are gone.
    wanted = {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1"}
    names = list(wanted)
    for _ in range(100):
        found = source.sqs.get_queue_attributes(QueueUrl=source.url, AttributeNames=names)["Attributes"]
        if found == wanted:
            break
    assert found == wanted


def test_reserved_concurrency_throttles(sandbox: SandboxProcess) -> None:
    go = Queue(sandbox, "fn-go")
    began = Queue(sandbox, "fn-began")
    code = f"""
import boto3
def handler(event, context):
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl={began.url!r}, MessageBody="began")
    sqs.receive_message(QueueUrl={go.url!r}, WaitTimeSeconds=15)
"""
    function = Function(sandbox, "fn-single", code, Timeout=30)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    running = threading.Thread(target=function)
    running.start()
    began.take()
    with pytest.raises(function.client.exceptions.TooManyRequestsException, match="Rate Exceeded"):
        function()
    go.send("go")
    running.join()
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(function.client.exceptions.TooManyRequestsException):
        function()


def create(function: Function, **changed: Any) -> Any:
    members = {
        "FunctionName": "fn-refused",
        "Role": function.role,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Code": {"ZipFile": zipped(index=CODE)},
    }
    return function.client.create_function(**(members | changed))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: create(f, Role=f"arn:aws:iam::{ACCOUNT}:role/none"),
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            lambda f: create(f, Runtime="python3.8"),
            "The runtime parameter of python3.8 is no longer supported",
        ),
        (lambda f: create(f, Runtime="nodejs22.x"), "Runtime nodejs22.x is not implemented in the sandbox"),
        (lambda f: create(f, Code={"ZipFile": b"no zip"}), "Could not unzip uploaded file"),
        (lambda f: create(f, Code={"ZipFile": zipped(**{"../up": ""})}), "Could not unzip uploaded file"),
        (lambda f: create(f, Code={"S3Bucket": "no-such-bucket-x", "S3Key": "k"}), "S3 Error Code: NoSuchB"),
        (
            lambda f: create(f, Environment={"Variables": {"AWS_REGION": "x"}}),
            "Reserved keys used in this request: AWS_REGION",
        ),
        (lambda f: create(f, Environment={"Variables": {"BIG": "x" * 4096}}), "exceeded the 4KB limit"),
        (lambda f: create(f, FunctionName=f.name), "Function already exist: fn-main"),
        (lambda f: create(f, Timeout=901), "less than or equal to 900"),
        (
            lambda f: f.client.invoke(FunctionName=f.name, Payload=b"{"),
            "Could not parse request body into json",
        ),
        (
            lambda f: f.client.invoke(FunctionName=f.name, Payload=b'"' + b"x" * 6_291_456 + b'"'),
            "Request must be smaller than 6291456 bytes",
        ),
        (
            lambda f: f.client.create_function_url_config(FunctionName=f.name, AuthType="NONE"),
            "does not implement lambda CreateFunctionUrlConfig",
        ),
        (
            lambda f: f.client.create_event_source_mapping(
                FunctionName=f.name,
                EventSourceArn=arn("kinesis", "stream/s"),
                StartingPosition="LATEST",
            ),
            "is not implemented in the sandbox",
        ),
    ],
)
def test_refusals(function: Function, call: Callable[[Function], Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        call(function)


def test_passing_a_role_and_invoking_need_permission(function: Function, sandbox: SandboxProcess) -> None:
    engineer = sandbox.client("lambda", "engineer")
    with pytest.raises(ClientError, match="not authorized to perform: lambda:InvokeFunction"):
        engineer.invoke(FunctionName=function.name)
    policy = function.client.add_permission(
        FunctionName=function.name,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=arn("sns", "t"),
    )
    assert json.loads(policy["Statement"])["Condition"] == {"ArnLike": {"AWS:SourceArn": arn("sns", "t")}}
    function.client.remove_permission(FunctionName=function.name, StatementId="topic")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        function.client.get_policy(FunctionName=function.name)
