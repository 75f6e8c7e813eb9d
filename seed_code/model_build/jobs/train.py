"""Training step `Train`: XGBoost in script mode.

Reads the channels `train` and `validation` (CSV, label first), writes the model folder that the
endpoint gets as model.tar.gz: `xgboost-model.ubj` (XGBoost's own format, no pickle) and `code/` with
what the container needs to serve it, so that no repacking is needed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import TYPE_CHECKING

import bikeshare
import outcome

if TYPE_CHECKING:
    import xgboost

# XGBoost imports scikit-learn and pandas, where present, for wrappers unused here: seconds of start.
sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]

MODEL_FILE = "xgboost-model.ubj"
SERVING_CODE = ("inference.py", "bikeshare.py")
ROUNDS_PER_LINE = 20


def main() -> None:
    """Train with the hyperparameters of the job; failures go to SageMaker's failure file."""
    with outcome.reported_to(
        os.environ.get("SM_OUTPUT_FAILURE", "/opt/ml/output/failure"), expected=bikeshare.DataError
    ):
        # SageMaker passes every hyperparameter of the job as an argument, also ones not meant for us.
        train(hyperparameters().parse_known_args()[0])


def hyperparameters() -> argparse.ArgumentParser:
    """Command line of the script: hyperparameters, and folders from SageMaker's environment."""
    parser = argparse.ArgumentParser(exit_on_error=False)  # raises: the reason is then reported
    parser.add_argument("--max_depth", type=int, default=6)
    parser.add_argument("--eta", type=float, default=0.1)
    parser.add_argument("--num_round", type=int, default=200)
    parser.add_argument("--subsample", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=2011)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--validation", default=os.environ.get("SM_CHANNEL_VALIDATION"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    return parser


def train(arguments: argparse.Namespace) -> None:
    """Fit, then write the model folder."""
    import xgboost

    training, validation = matrix(arguments.train), matrix(arguments.validation)
    booster = xgboost.train(
        {
            "objective": "count:poisson",
            "eval_metric": "rmse",
            "max_depth": arguments.max_depth,
            "eta": arguments.eta,
            "subsample": arguments.subsample,
            "seed": arguments.seed,
            "nthread": int(os.environ.get("SM_NUM_CPUS", os.cpu_count() or 1)),
        },
        training,
        num_boost_round=arguments.num_round,
        evals=[(training, "train"), (validation, "validation")],
        verbose_eval=ROUNDS_PER_LINE,
    )
    booster.save_model(os.path.join(arguments.model_dir, MODEL_FILE))
    code = os.path.join(arguments.model_dir, "code")
    os.makedirs(code, exist_ok=True)
    here = os.path.dirname(os.path.abspath(__file__))
    for name in SERVING_CODE:
        shutil.copyfile(os.path.join(here, name), os.path.join(code, name))


def matrix(folder: str) -> xgboost.DMatrix:
    """The DMatrix of all CSV files of a channel.

    Raises:
        DataError: if the channel is empty, or not made of finite numbers in the expected columns.
    """
    import numpy
    import xgboost

    channel = os.path.basename(folder)
    names = sorted(name for name in os.listdir(folder) if name.endswith(".csv"))
    if not names:
        raise bikeshare.DataError(f"no .csv file in the channel {channel}")
    try:
        parts = [numpy.loadtxt(os.path.join(folder, name), delimiter=",", ndmin=2) for name in names]
        values = numpy.concatenate(parts)
    except ValueError as error:
        raise bikeshare.DataError(f"channel {channel}: {error}") from None
    expected = 1 + len(bikeshare.FEATURES)
    if values.shape[1] != expected:
        raise bikeshare.DataError(f"channel {channel}: {values.shape[1]} columns, not {expected}")
    if not numpy.isfinite(values).all():
        row, column = map(int, numpy.argwhere(~numpy.isfinite(values))[0])
        raise bikeshare.DataError(f"channel {channel}: row {row + 1}, column {column + 1} is not finite")
    return xgboost.DMatrix(values[:, 1:], label=values[:, 0], feature_names=list(bikeshare.FEATURE_NAMES))


if __name__ == "__main__":
    main()
