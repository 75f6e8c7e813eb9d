"""Experiments and trials: kept. Jobs are not associated with them.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateExperiment.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call
from sandbox.services.sagemaker.kept.kinds import INVALID, Kind, Record, find, serve


def _without_trials(call: Call, record: Record) -> None:
    name = record["ExperimentName"]
    if any(trial["ExperimentName"] == name for trial in TRIAL.records(call).list()):
        raise AwsError(INVALID, f"Experiment {record['ExperimentArn']} still has trials.")


def _in_experiment(call: Call, record: Record) -> Record:
    find(call, EXPERIMENT, record["ExperimentName"])
    return {"DisplayName": record.get("DisplayName") or record["TrialName"]}


EXPERIMENT = Kind(
    "Experiment",
    "experiment",
    "Experiments",
    "ExperimentSummaries",
    exists=INVALID,
    made=lambda call, record: {"DisplayName": record.get("DisplayName") or record["ExperimentName"]},
    deletable=_without_trials,
    context=True,
)
TRIAL = Kind(
    "Trial",
    "experiment-trial",
    "Trials",
    "TrialSummaries",
    exists=INVALID,
    equals={"ExperimentName": "ExperimentName"},
    made=_in_experiment,
    context=True,
)
serve(EXPERIMENT)
serve(TRIAL)
