"""The pipeline definition that the locked SDK makes of the seed: its shape, its calls, its cache keys."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.seed_code.bucket import Bucket
from tests.seed_code.conftest import MODEL_BUILD

GOLDEN = Path(__file__).with_name("definition.json")
BUCKET = "sagemaker-project-p-1-123456789012"
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAGEMAKER_PROJECT_NAME": "bikes",
    "SAGEMAKER_PROJECT_ID": "p-1",
    "SAGEMAKER_PIPELINE_NAME": "sagemaker-bikes-p-1",
    "SAGEMAKER_PIPELINE_ROLE_ARN": "arn:aws:iam::123456789012:role/sagemaker-p-1-execution",
    "MODEL_PACKAGE_GROUP_NAME": "bikes-p-1",
    "ARTIFACT_BUCKET": BUCKET,
    "ARTIFACT_KMS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": "0123456789abcdef0123456789abcdef01234567",
}
OPERATIONS = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "RegisterModel": ("CreateModelPackage", None),
}


def define(python, bucket, repository=MODEL_BUILD, **environment) -> dict:
    # The bucket is the proxy too: whatever else is asked for, telemetry for one, is seen there and refused.
    base = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": bucket.url, "HTTPS_PROXY": bucket.url}
    ended = subprocess.run(
        [python, "-W", "ignore", "-m", "pipelines.run", "--definition"],
        cwd=repository,
        env=base | ENVIRONMENT | environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def built(sdk_python):
    """The definition of the seed, and the bucket after it."""
    with Bucket() as bucket:
        definition = define(sdk_python, bucket)
        yield definition, bucket


def all_steps(steps):
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            yield from all_steps(step["Arguments"]["IfSteps"])
            yield from all_steps(step["Arguments"]["ElseSteps"])


def resolved(value):
    """Arguments with something of the right type for every reference."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) & {"Get", "Std:Join", "Std:JsonGet"}:
        return "Approved" if value.get("Get") == "Parameters.ModelApprovalStatus" else "s3://bucket/key"
    return {name: resolved(item) for name, item in value.items()}


def outside_enum(value, shape, path=""):
    """Values that the API's enumerations do not know; botocore leaves that check to the service."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from outside_enum(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for position, item in enumerate(value):
            yield from outside_enum(item, shape.member, f"{path}[{position}]")
    elif shape.metadata.get("enum") and value not in shape.metadata["enum"] and not value.startswith("s3://"):
        yield path, value


def test_golden(built):
    """A change of the definition, ours or the SDK's, is seen: delete the golden file to accept it."""
    text = json.dumps(built[0], indent=1)
    # The digests of the job's code change with every edit of it; that of the data does not.
    seen = re.sub(r"(/code/[a-z_]+/)[0-9a-f]{64}/", r"\1<digest>/", text) + "\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(seen)
        pytest.fail(f"{GOLDEN.name} was missing and has been written: review it, and run the tests again")
    assert json.loads(seen) == json.loads(GOLDEN.read_text())


def test_only_lists_and_puts_in_its_bucket(built):
    _, bucket = built
    assert set(bucket.calls) == {"ListObjectsV2", "PutObject"}
    assert {header.get("x-amz-expected-bucket-owner") for header in bucket.headers} == {"123456789012"}
    encryption = {h.get("x-amz-server-side-encryption-aws-kms-key-id") for h in bucket.headers}
    assert encryption == {None, ENVIRONMENT["ARTIFACT_KMS_KEY_ARN"]}


def test_arguments_are_what_the_apis_take(built):
    model = botocore.session.get_session().get_service_model("sagemaker")
    checked = set()
    for step in all_steps(built[0]["Steps"]):
        if step["Type"] in OPERATIONS:
            operation, name = OPERATIONS[step["Type"]]
            arguments = resolved(step["Arguments"]) | ({name: "job"} if name else {})
            shape = model.operation_model(operation).input_shape
            assert ParamValidator().validate(arguments, shape).generate_report() == ""
            assert list(outside_enum(arguments, shape)) == []
            checked.add(step["Name"])
    assert checked == {"Preprocess", "Train", "Evaluate", "Register"}


def test_jobs_are_tagged_isolated_cached_and_retried(built):
    for step in all_steps(built[0]["Steps"]):
        if step["Type"] in ("Processing", "Training"):
            arguments = step["Arguments"]
            tags = {tag["Key"]: tag["Value"] for tag in arguments["Tags"]}
            assert tags == {"sagemaker:project-name": "bikes", "sagemaker:project-id": "p-1"}
            assert {**arguments, **arguments.get("NetworkConfig", {})}["EnableNetworkIsolation"] is True
            assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
            assert {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]} >= {
                "Step.THROTTLING",
                "SageMaker.CAPACITY_ERROR",
            }


def test_an_unchanged_rebuild_elsewhere_meets_the_cache(built, sdk_python, tmp_path):
    """Another checkout, another commit: the same definition but for the commit, and nothing sent again."""
    definition, bucket = built
    sent = bucket.calls["PutObject"]
    ignored = shutil.ignore_patterns("__pycache__", ".git")
    repository = shutil.copytree(MODEL_BUILD, tmp_path / "src" / "other", ignore=ignored)
    again = define(sdk_python, bucket, repository, CODEBUILD_RESOLVED_SOURCE_VERSION="f" * 40)
    assert bucket.calls["PutObject"] == sent
    assert again["Steps"] == definition["Steps"]
    differing = [
        p["Name"] for p, q in zip(again["Parameters"], definition["Parameters"], strict=True) if p != q
    ]
    assert differing == ["GitCommit"]


def test_a_change_reaches_only_the_steps_it_concerns(built, sdk_python, tmp_path):
    """Another training script leaves Preprocess as it was: only training and what follows runs again."""
    definition, bucket = built
    repository = shutil.copytree(
        MODEL_BUILD, tmp_path / "other", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (repository / "jobs" / "train.py").open("a") as file:
        file.write("\n# changed\n")
    again = define(sdk_python, bucket, repository)
    changed = [
        step["Name"]
        for step, before in zip(all_steps(again["Steps"]), all_steps(definition["Steps"]), strict=True)
        if step != before
    ]
    assert changed == ["Train"]


def test_code_of_every_step_is_staged_whole(built):
    definition, bucket = built
    prefixes = set(re.findall(rf"s3://{BUCKET}/(code/[^\"]+/)", json.dumps(definition)))
    names = {
        prefix.split("/")[1]: {key.removeprefix(prefix) for key in bucket.objects if key.startswith(prefix)}
        for prefix in prefixes
    }
    assert names["preprocess"] == {"preprocess.py", "bikeshare.py", "baseline.py", "outcome.py"}
    assert names["train"] == {"train.py", "inference.py", "bikeshare.py", "outcome.py"}
    assert names["evaluate"] == {"evaluate.py", "outcome.py"}
    assert {"sm_train.sh", "sourcecode.json", "scripts/environment.py"} <= names["sm_drivers"]
    assert not [name for files in names.values() for name in files if name.endswith(".pyc")]


def test_missing_settings_are_named(sdk_python):
    ended = subprocess.run(
        [sdk_python, "-m", "pipelines.run"],
        cwd=MODEL_BUILD,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "missing environment variables: SAGEMAKER_PROJECT_NAME" in ended.stderr
