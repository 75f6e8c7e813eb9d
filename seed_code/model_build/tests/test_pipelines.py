"""The build's own logic, without the SDK: settings, staging, following an execution."""

import datetime
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from pipelines import execution, staging  # noqa: E402
from pipelines.settings import Settings  # noqa: E402

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
SETTINGS = Settings(
    project_name="bikes",
    project_id="p-1",
    pipeline_name="sagemaker-bikes-p-1",
    role_arn="arn:aws:iam::123456789012:role/execution",
    model_package_group_name="bikes-p-1",
    bucket="artifacts",
    kms_key_arn=KEY,
    region="eu-west-1",
    commit="0123456789abcdef0123456789abcdef01234567",
)


class SettingsTest(unittest.TestCase):
    def test_all_missing_variables_are_named(self):
        with self.assertRaisesRegex(SystemExit, "SAGEMAKER_PROJECT_NAME.*CODEBUILD_RESOLVED_SOURCE_VERSION"):
            Settings.from_environment({"AWS_REGION": "eu-west-1"})

    def test_account_and_names(self):
        self.assertEqual("123456789012", SETTINGS.account)
        self.assertEqual("commit-0123456789ab", SETTINGS.execution_name)
        tokens = {SETTINGS.request_token(attempt) for attempt in (0, 0, 1)}
        self.assertEqual(2, len(tokens))
        self.assertTrue(all(32 <= len(token) <= 128 for token in tokens))


class Bucket:
    """Stands for the S3 client: keeps what is put."""

    def __init__(self):
        self.objects, self.requests = {}, []

    def list_objects_v2(self, Prefix, **request):
        self.requests.append(request)
        return {
            "Contents": [{"Key": k, "Size": len(v)} for k, v in self.objects.items() if k.startswith(Prefix)]
        }

    def put_object(self, Key, Body, **request):
        self.requests.append(request)
        self.objects[Key] = Body


class StagingTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "__pycache__").mkdir()
        (self.folder / "__pycache__" / "a.pyc").write_bytes(b"1")
        (self.folder / "a.py").write_bytes(b"a")
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "b.py").write_bytes(b"b")
        self.bucket = Bucket()
        self.staging = staging.Staging(self.bucket, "artifacts", KEY, "123456789012")

    def test_equal_content_has_one_uri_and_is_sent_once(self):
        uri = self.staging.code("train", staging.tree(self.folder))
        self.assertRegex(uri, "^s3://artifacts/code/train/[0-9a-f]{64}/$")
        (self.folder / "__pycache__" / "a.pyc").write_bytes(b"2")
        self.assertEqual(uri, self.staging.code("train", staging.tree(self.folder)))
        puts = [request for request in self.bucket.requests if "SSEKMSKeyId" in request]
        self.assertEqual(2, len(puts))
        self.assertEqual(
            {("aws:kms", KEY)}, {(put["ServerSideEncryption"], put["SSEKMSKeyId"]) for put in puts}
        )
        self.assertEqual(
            {"123456789012"}, {request["ExpectedBucketOwner"] for request in self.bucket.requests}
        )

    def test_other_content_or_name_has_another_uri(self):
        first = self.staging.code("train", staging.tree(self.folder))
        (self.folder / "a.py").rename(self.folder / "c.py")
        second = self.staging.code("train", staging.tree(self.folder))
        (self.folder / "c.py").write_bytes(b"changed")
        self.assertEqual(3, len({first, second, self.staging.code("train", staging.tree(self.folder))}))

    def test_an_upload_that_was_cut_short_is_completed(self):
        self.staging.code("train", staging.tree(self.folder))
        key = next(iter(self.bucket.objects))
        del self.bucket.objects[key]
        self.staging.code("train", staging.tree(self.folder))
        self.assertIn(key, self.bucket.objects)

    def test_data(self):
        uri, sha256 = self.staging.data(self.folder / "a.py")
        self.assertEqual(f"s3://artifacts/data/{sha256}/a.py", uri)


class SageMaker:
    """Stands for the SageMaker client: plays the given polls, each a status and steps."""

    class exceptions:
        class ResourceNotFound(Exception):
            pass

    def __init__(self, polls=(), exists=True, executions=()):
        self.polls, self.exists, self.executions = list(polls), exists, executions
        self.calls = []

    def update_pipeline(self, **request):
        self.calls.append(("update", request))
        if not self.exists:
            raise self.exceptions.ResourceNotFound
        return {"PipelineArn": "arn"}

    def create_pipeline(self, **request):
        self.calls.append(("create", request))
        return {"PipelineArn": "arn"}

    def list_pipeline_executions(self, **request):
        return {"PipelineExecutionSummaries": self.executions}

    def start_pipeline_execution(self, **request):
        self.calls.append(("start", request))
        return {"PipelineExecutionArn": "execution"}

    def describe_pipeline_execution(self, **request):
        self.status, self.steps = self.polls.pop(0)
        return {"PipelineExecutionArn": "execution", "PipelineExecutionStatus": self.status}

    def get_paginator(self, operation):
        assert operation == "list_pipeline_execution_steps"
        return self

    def paginate(self, **request):
        return [{"PipelineExecutionSteps": [step]} for step in self.steps]


def step(name, status, **more):
    return {"StepName": name, "StepStatus": status, **more}


class ExecutionTest(unittest.TestCase):
    def test_put(self):
        client = SageMaker()
        execution.put_pipeline(client, SETTINGS, "{}")
        self.assertEqual(["update"], [name for name, _ in client.calls])
        client = SageMaker(exists=False)
        execution.put_pipeline(client, SETTINGS, "{}")
        self.assertEqual(["update", "create"], [name for name, _ in client.calls])
        self.assertEqual(SETTINGS.tags, client.calls[1][1]["Tags"])

    def token(self, *statuses, name=SETTINGS.execution_name):
        summaries = [{"PipelineExecutionDisplayName": name, "PipelineExecutionStatus": s} for s in statuses]
        client = SageMaker(executions=summaries)
        execution.start(client, SETTINGS)
        return client.calls[0][1]["ClientRequestToken"]

    def test_a_commit_starts_once_but_may_be_retried_after_a_failure(self):
        first = self.token()
        self.assertEqual(first, self.token("Executing"))
        self.assertEqual(first, self.token("Succeeded"))
        self.assertEqual(first, self.token("Failed", name="commit-other"))
        self.assertNotEqual(first, self.token("Failed"))
        self.assertNotEqual(self.token("Failed"), self.token("Stopped", "Failed"))

    def test_follow_shows_each_change_once(self):
        start = datetime.datetime(2026, 1, 1)
        ended = {"StartTime": start, "EndTime": start + datetime.timedelta(seconds=2)}
        registered = step("Register", "Succeeded", Metadata={"RegisterModel": {"Arn": "package/1"}})
        polls = [
            ("Executing", [step("Preprocess", "Executing")]),
            ("Executing", [step("Preprocess", "Executing")]),
            ("Succeeded", [step("Preprocess", "Succeeded", **ended, CacheHitResult={}), registered]),
        ]
        lines, waits = [], []
        steps = execution.follow(SageMaker(polls), "execution", lines.append, waits.append)
        self.assertEqual("package/1", execution.registered(steps))
        expected = "Preprocess: Succeeded after 2.0 s (unchanged: taken from an earlier execution)"
        self.assertEqual(["Preprocess: Executing", expected, "Register: Succeeded"], lines)
        shortest = execution.SHORTEST_POLL_SECONDS
        self.assertEqual([shortest, shortest * execution.POLL_GROWTH], waits)

    def test_polling_slows_down_to_its_limit(self):
        waits = []
        polls = [("Executing", [])] * 40 + [("Succeeded", [])]
        execution.follow(SageMaker(polls), "execution", print, waits.append)
        self.assertEqual(30.0, max(waits))
        self.assertEqual(sorted(waits), waits)

    def test_failure_names_step_reason_and_logs(self):
        job = {"TrainingJob": {"Arn": "job-arn"}}
        failed = step("Train", "Failed", FailureReason="eta must be positive", Metadata=job)
        with self.assertRaises(execution.ExecutionFailed) as caught:
            execution.follow(SageMaker([("Failed", [failed])]), "execution", lambda line: None)
        self.assertIn("step Train: eta must be positive", str(caught.exception))
        self.assertIn("/aws/sagemaker/TrainingJobs, job job-arn", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
