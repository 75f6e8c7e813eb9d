"""Model Monitor's schedules and job definitions: kept. No monitoring job is started.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMonitoringSchedule.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker.kept.kinds import INVALID, Kind, Record, change, find, serve

SUBJECTS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


def _definition(subject: str) -> Kind:
    def made(call: Call, record: Record) -> Record:
        given = record[f"{subject}JobInput"]
        endpoint = (given.get("EndpointInput") or {}).get("EndpointName")
        return {
            "MonitoringJobDefinitionName": record["JobDefinitionName"],
            "MonitoringJobDefinitionArn": record["JobDefinitionArn"],
            "EndpointName": endpoint,
        }

    return Kind(
        f"{subject}JobDefinition",
        {
            "DataQuality": "data-quality-job-definition",
            "ModelQuality": "model-quality-job-definition",
            "ModelBias": "model-bias-job-definition",
            "ModelExplainability": "model-explainability-job-definition",
        }[subject],
        f"{subject}JobDefinitions",
        "JobDefinitionSummaries",
        name="JobDefinitionName",
        arn="JobDefinitionArn",
        equals={"EndpointName": "EndpointName"},
        made=made,
        changes=False,
    )


DEFINITIONS = {subject: _definition(subject) for subject in SUBJECTS}
for _kind in DEFINITIONS.values():
    serve(_kind)


def _told(call: Call, record: Record) -> Record:
    """What a schedule's configuration says of it: type and definition; the definition must exist."""
    config = record["MonitoringScheduleConfig"]
    named, own = config.get("MonitoringJobDefinitionName"), config.get("MonitoringJobDefinition")
    if bool(named) == bool(own):
        raise AwsError(
            INVALID, "Specify either MonitoringJobDefinitionName or MonitoringJobDefinition, but not both."
        )
    kind = config.get("MonitoringType") or "DataQuality"
    if named:
        definition = find(call, DEFINITIONS[kind], named, INVALID)
        endpoint = definition["EndpointName"]
    else:
        inputs = own["MonitoringInputs"]
        endpoint = (inputs[0].get("EndpointInput") or {}).get("EndpointName")
    told = {"MonitoringType": kind, "MonitoringJobDefinitionName": named, "EndpointName": endpoint}
    return {member: value for member, value in told.items() if value}


def _made(call: Call, record: Record) -> Record:
    return {"MonitoringScheduleStatus": "Scheduled", **_told(call, record)}


SCHEDULE = Kind(
    "MonitoringSchedule",
    "monitoring-schedule",
    "MonitoringSchedules",
    "MonitoringScheduleSummaries",
    equals={
        "EndpointName": "EndpointName",
        "StatusEquals": "MonitoringScheduleStatus",
        "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
        "MonitoringTypeEquals": "MonitoringType",
    },
    made=_made,
    changed=_told,
)
serve(SCHEDULE)


@operation("sagemaker", "StartMonitoringSchedule", record_only=True)
def start_monitoring_schedule(call: Call, MonitoringScheduleName: str) -> None:
    name = {"MonitoringScheduleName": MonitoringScheduleName}
    change(call, SCHEDULE, name | {"MonitoringScheduleStatus": "Scheduled"})


@operation("sagemaker", "StopMonitoringSchedule", record_only=True)
def stop_monitoring_schedule(call: Call, MonitoringScheduleName: str) -> None:
    name = {"MonitoringScheduleName": MonitoringScheduleName}
    change(call, SCHEDULE, name | {"MonitoringScheduleStatus": "Stopped"})


@operation("sagemaker", "ListMonitoringExecutions", record_only=True)
def list_monitoring_executions(call: Call, **request: Any) -> Record:
    """There are none: nothing starts them."""
    return {"MonitoringExecutionSummaries": []}
