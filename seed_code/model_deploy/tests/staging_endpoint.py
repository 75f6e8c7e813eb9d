"""Test of the staging endpoint, run by the deployment pipeline: `python tests/staging_endpoint.py`.

Sends the rows that were held out of training and checks that the endpoint serves the version that was
deployed, predicts as well as the registry says, answers in the formats it promises and refuses what it
cannot read. Ends with exit code 1 and the reasons if anything differs.
"""

import csv
import json
import math
import os
import sys
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TARGET = "bikers"
ROWS_PER_REQUEST = 400
# The endpoint runs the model that was measured on these very rows: only float32 arithmetic may differ.
RMSE_TOLERANCE = 0.01
PREDICTION_TOLERANCE = 1e-4
# A serverless endpoint that was idle takes its time for the first answer.
PATIENT = Config(read_timeout=90, retries={"mode": "standard", "total_max_attempts": 5})


class CheckFailed(Exception):
    """The endpoint does not do what it must; the message says what differs."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out rows: the text of the features, by row, with their names, and the true values."""

    names: list
    rows: list
    labels: list

    @classmethod
    def parse(cls, text):
        """Read holdout.csv, whose first column is the true value."""
        reader = csv.reader(text.splitlines())
        header = next(reader)
        rows = list(reader)
        if header[0] != TARGET or not rows:
            raise CheckFailed(
                f"holdout.csv: expected rows and '{TARGET}' first, found {header[0]!r}, {len(rows)} rows"
            )
        return cls(header[1:], [row[1:] for row in rows], [float(row[0]) for row in rows])


class StagingEndpoint:
    """The endpoint under test."""

    def __init__(self, runtime, name):
        self._runtime, self.name = runtime, name

    def ask(self, body, content_type, accept):
        """The text of an answer, and its content type."""
        response = self._runtime.invoke_endpoint(
            EndpointName=self.name, Body=body, ContentType=content_type, Accept=accept
        )
        return response["Body"].read().decode(), response["ContentType"]

    def predict_csv(self, rows):
        """Predictions for rows sent as CSV."""
        text, content_type = self.ask("".join(",".join(row) + "\n" for row in rows), "text/csv", "text/csv")
        expect(content_type.startswith("text/csv"), f"asked for text/csv, got {content_type}")
        return finite([float(line) for line in text.split()], len(rows))

    def predict_json(self, instances):
        """Predictions for rows sent as JSON."""
        body = json.dumps({"instances": instances})
        text, content_type = self.ask(body, "application/json", "application/json")
        expect(content_type.startswith("application/json"), f"asked for application/json, got {content_type}")
        return finite(json.loads(text)["predictions"], len(instances))

    def refuses(self, body, content_type, accept="text/csv"):
        """Check that a request is answered with a 4xx, and that the endpoint says why."""
        try:
            answer, _ = self.ask(body, content_type, accept)
        except ClientError as error:
            status = error.response.get("OriginalStatusCode")
            expect(error.response["Error"]["Code"] == "ModelError", f"{body!r}: {error}")
            expect(
                status is not None and 400 <= status < 500,
                f"{body!r}: status {status}, expected 4xx: {error}",
            )
            expect(bool(error.response.get("OriginalMessage")), f"{body!r}: refused without a reason")
        else:
            raise CheckFailed(f"{body!r} ({content_type}) was answered with {answer!r}, expected a 4xx")


def expect(holds, otherwise):
    """Raise CheckFailed with the text unless the condition holds."""
    if not holds:
        raise CheckFailed(otherwise)


def finite(values, count):
    """The values, which must be `count` finite numbers."""
    expect(len(values) == count, f"{len(values)} predictions for {count} rows")
    expect(all(map(math.isfinite, values)), "a prediction is not finite")
    return values


def close(left, right):
    """Whether two lists of predictions are the same but for rounding."""
    return all(math.isclose(a, b, rel_tol=PREDICTION_TOLERANCE) for a, b in zip(left, right, strict=True))


def check_version(sagemaker, endpoint, package):
    """The endpoint is in service with a configuration made for the deployed version."""
    description = sagemaker.describe_endpoint(EndpointName=endpoint.name)
    expect(description["EndpointStatus"] == "InService", f"endpoint is {description['EndpointStatus']}")
    version, config = package["ModelPackageVersion"], description["EndpointConfigName"]
    expect(f"-v{version}-" in config, f"endpoint serves {config}, expected version {version}")


def check_quality(endpoint, held_out, registered_rmse):
    """All held-out rows, sent in batches, are predicted as well as the registry says."""
    predictions = []
    for start in range(0, len(held_out.rows), ROWS_PER_REQUEST):
        predictions += endpoint.predict_csv(held_out.rows[start : start + ROWS_PER_REQUEST])
    squares = [
        (prediction - label) ** 2 for prediction, label in zip(predictions, held_out.labels, strict=True)
    ]
    rmse = math.sqrt(math.fsum(squares) / len(squares))
    print(f"RMSE {rmse:.4f} on {len(squares)} held-out rows; registered {registered_rmse:.4f}")
    expect(
        math.isclose(rmse, registered_rmse, rel_tol=RMSE_TOLERANCE),
        f"RMSE {rmse:.4f}, registered {registered_rmse:.4f}: they differ by more than {RMSE_TOLERANCE:.0%}",
    )


def check_formats(endpoint, held_out):
    """One row or several, CSV or JSON, by position or by name: the same predictions."""
    rows = held_out.rows[:3]
    expected = endpoint.predict_csv(rows)
    expect(
        close(endpoint.predict_csv(rows[:1]), expected[:1]),
        "one CSV row is predicted otherwise than in a batch",
    )
    expect(close(endpoint.predict_json(rows), expected), "JSON lists are predicted otherwise than CSV")
    objects = [dict(zip(held_out.names, row, strict=True)) for row in rows]
    expect(close(endpoint.predict_json(objects), expected), "JSON objects are predicted otherwise than CSV")


def check_refusals(endpoint, held_out):
    """Requests that cannot be right are refused, and the endpoint lives on."""
    good = held_out.rows[0]
    number = held_out.names.index("temp")

    def row(value):
        return ",".join([*good[:number], value, *good[number + 1 :]])

    for value in ("warm", "NaN", "inf", ""):
        endpoint.refuses(row(value), "text/csv")
    endpoint.refuses(",".join(good[:-1]), "text/csv")
    endpoint.refuses("\n", "text/csv")
    endpoint.refuses("{", "application/json")
    endpoint.refuses(json.dumps({"instances": "all"}), "application/json")
    endpoint.refuses(row("0.5"), "application/octet-stream")
    endpoint.refuses(row("0.5"), "text/csv", accept="image/png")
    endpoint.predict_csv([good])


def read_object(s3, uri):
    """Text of the object at an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def main():
    """Run all checks; report every one that fails."""
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    package = sagemaker.describe_model_package(ModelPackageName=os.environ["MODEL_PACKAGE_ARN"])
    held_out = HeldOut.parse(read_object(s3, package["CustomerMetadataProperties"]["HeldOutDataUrl"]))
    report = json.loads(read_object(s3, package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]))
    registered_rmse = report["regression_metrics"]["rmse"]["value"]
    endpoint = StagingEndpoint(boto3.client("sagemaker-runtime", config=PATIENT), os.environ["ENDPOINT_NAME"])
    checks = {
        "serves the deployed version": lambda: check_version(sagemaker, endpoint, package),
        "predicts as well as registered": lambda: check_quality(endpoint, held_out, registered_rmse),
        "answers in all formats alike": lambda: check_formats(endpoint, held_out),
        "refuses what it cannot read": lambda: check_refusals(endpoint, held_out),
    }
    failed = 0
    for name, check in checks.items():
        try:
            check()
        except (CheckFailed, ClientError) as error:
            failed += 1
            print(f"FAILED  {name}: {error}", flush=True)
        else:
            print(f"ok      {name}", flush=True)
    if failed:
        sys.exit(f"{failed} of {len(checks)} checks of {endpoint.name} failed")


if __name__ == "__main__":
    main()
