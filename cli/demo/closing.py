"""How the loop ends: a prediction, and what to try next."""

from __future__ import annotations

import csv
from typing import Any

from cli import endpoints
from cli.access import Access
from cli.errors import CliError


def predict_held_out(access: Access, endpoint: str, package: dict[str, Any]) -> dict[str, Any]:
    """Ask the endpoint about a row that the model has never seen; the answer beside the true value.

    The held-out file starts with a header; its first column is the true value.
    """
    uri = package.get("CustomerMetadataProperties", {}).get("HeldOutDataUrl")
    if not uri:
        raise CliError(
            f"{package['ModelPackageArn']} does not say where its held-out rows are (HeldOutDataUrl)"
        )
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    text = access.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    header, *rows = list(csv.reader(text.splitlines()))
    row = rows[len(rows) // 2]
    answer = endpoints.invoke(access, endpoint, (",".join(row[1:]) + "\n").encode(), "text/csv", "text/csv")
    return {
        "endpoint": endpoint,
        "features": dict(zip(header[1:], row[1:], strict=True)),
        "prediction": float(answer["Body"].split(",")[0]),
        "true_value": float(row[0]),
        "target": header[0],
    }


def page(result: dict[str, Any]) -> str:
    """Commands to try next."""
    name = result["project"]["name"]
    prediction = result["prediction"]
    row = ",".join(prediction["features"].values())
    build, deploy = result["repositories"]["model_build"], result["repositories"]["model_deploy"]
    execution = result["pipeline_execution_arn"]
    said = f"{prediction['prediction']:.1f} {prediction['target']}; there were {prediction['true_value']:g}"
    return f"""\
{prediction["endpoint"]} predicts {said}.

Everything is up: the sandbox answers AWS's own clients. Point a shell at it as one of
admin, team, engineer, approver:

  eval "$({result["program"]} sandbox env --principal engineer{result["state"]})"

See what the project is made of, in our words or in AWS's:

  mlops project describe {name}
  mlops model list {name}
  mlops pipeline list {name}
  mlops pipeline logs {name} --pipeline modelbuild
  aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {execution}
  aws codepipeline get-pipeline-state --name {deploy.rpartition("/")[2]}

Ask production:

  mlops endpoint invoke {name} --body '{row}'

Change the model: clone, edit pipelines/definition.py, commit, push, watch, approve.

  git clone {build}
  mlops pipeline logs {name} "$(git rev-parse HEAD)" --follow
  eval "$(mlops sandbox env --principal approver{result["state"]})"
  mlops model approve {name}
  mlops pipeline approve {name} --comment 'staging is fine'

Clean up:

  eval "$(mlops sandbox env --principal team{result["state"]})"
  mlops project delete {name} --yes
  mlops sandbox stop{result["state"]}
"""
