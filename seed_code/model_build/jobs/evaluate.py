"""Processing step `Evaluate`: quality of the model on held-out rows, through the code it will serve with.

Opens model.tar.gz, checks that it holds what an endpoint needs, predicts the held-out rows with the
archive's own `code/inference.py` and writes evaluation.json and quality_constraints.json in the format
of Model Monitor's model quality. Anything not finite fails the step: no model without a measure.
"""

import argparse
import importlib
import json
import math
import os
import shutil
import sys
import tarfile
import tempfile
from typing import Any

import outcome

NEEDED = ("xgboost-model.ubj", "code/inference.py", "code/bikeshare.py")
LARGEST_MEMBER = 1 << 30


class ModelError(ValueError):
    """A model that must not be registered."""


def main() -> None:
    """Parse the arguments, then run with failures reported to --message."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="folder with model.tar.gz")
    parser.add_argument("--holdout", required=True, help="folder with holdout.csv")
    parser.add_argument("--output", required=True)
    parser.add_argument("--message", required=True, help="file for the reason of a failure")
    parser.add_argument("--rmse-threshold", type=float, required=True)
    arguments = parser.parse_args()
    with outcome.reported_to(arguments.message, expected=ModelError), tempfile.TemporaryDirectory() as folder:
        extract(os.path.join(arguments.model, "model.tar.gz"), folder)
        report = evaluate(folder, os.path.join(arguments.holdout, "holdout.csv"))
        os.makedirs(arguments.output, exist_ok=True)
        write(arguments.output, "evaluation.json", report)
        write(arguments.output, "quality_constraints.json", quality_constraints(arguments.rmse_threshold))
        print(json.dumps(report))


def extract(archive: str | os.PathLike[str], folder: str) -> None:
    """Write the needed files of the archive, and nothing else of it, into `folder`.

    Raises:
        ModelError: if the archive cannot be read or a file is missing, not regular or too large.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = {os.path.normpath(member.name): member for member in tar.getmembers()}
            for name in NEEDED:
                member = members.get(name)
                if member is None or not member.isfile() or not 0 < member.size <= LARGEST_MEMBER:
                    raise ModelError(f"model.tar.gz has no usable file {name}")
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with tar.extractfile(member) as content, open(path, "wb") as file:
                    shutil.copyfileobj(content, file)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ModelError(f"model.tar.gz cannot be read: {error}") from error


def evaluate(folder: str, holdout: str) -> dict[str, Any]:
    """Regression metrics of the model in `folder` on the rows of the file `holdout`."""
    sys.path.insert(0, os.path.join(folder, "code"))
    inference, bikeshare = importlib.import_module("inference"), importlib.import_module("bikeshare")
    with open(holdout, newline="", encoding="utf-8") as file:
        rows = bikeshare.read_rows(file, "holdout.csv")
    predictions = inference.predict(inference.model_fn(folder), [row.features for row in rows])
    return regression_metrics([row.label for row in rows], predictions)


def regression_metrics(labels: list[float], predictions: list[float]) -> dict[str, Any]:
    """RMSE, MAE, MSE and R² with standard deviations of what is averaged.

    Raises:
        ModelError: if there is nothing to measure, or a measure is not finite.
    """
    if not labels or len(labels) != len(predictions):
        raise ModelError(f"{len(predictions)} predictions for {len(labels)} held-out rows")
    errors = [prediction - label for prediction, label in zip(predictions, labels, strict=True)]
    mean_label = math.fsum(labels) / len(labels)
    spread = math.fsum((label - mean_label) ** 2 for label in labels)
    mse, mse_deviation = mean_and_deviation([error * error for error in errors])
    mae, mae_deviation = mean_and_deviation([abs(error) for error in errors])
    rmse = math.sqrt(mse)
    metrics = {
        "mae": (mae, mae_deviation),
        "mse": (mse, mse_deviation),
        # By the delta method from the deviation of the squared error.
        "rmse": (rmse, mse_deviation / (2 * rmse) if rmse else 0.0),
        "r2": (1 - mse * len(labels) / spread if spread else math.nan, 0.0),
    }
    for name, values in metrics.items():
        if not all(map(math.isfinite, values)):
            raise ModelError(f"{name} on the held-out rows is not finite: {values[0]}")
    return {
        "version": 0.0,
        "dataset": {"item_count": len(labels)},
        "regression_metrics": {
            name: {"value": value, "standard_deviation": deviation}
            for name, (value, deviation) in metrics.items()
        },
    }


def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Mean, and the standard deviation of that mean."""
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
    return mean, math.sqrt(variance / len(values))


def quality_constraints(rmse_threshold: float) -> dict[str, Any]:
    """Model-quality constraints: what the model in production must keep to."""
    return {
        "version": 0.0,
        "regression_constraints": {
            "rmse": {"threshold": rmse_threshold, "comparison_operator": "GreaterThanThreshold"}
        },
    }


def write(folder: str, name: str, document: Any) -> None:
    """Write a JSON document that holds no NaN and no infinity."""
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, allow_nan=False)


if __name__ == "__main__":
    main()
