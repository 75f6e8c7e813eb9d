"""Notebook instances, their lifecycle configurations and code repositories: kept. No notebook runs.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.sagemaker.kept.kinds import INVALID, Kind, Record, find, serve

SETTLED = ("Stopped", "Failed")
_RENAMED = {
    "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
    "SecurityGroupIds": "SecurityGroups",
}
"""Members that are asked for under one name and described under another."""
_DISSOCIATED = {
    "DisassociateLifecycleConfig": "NotebookInstanceLifecycleConfigName",
    "DisassociateAcceleratorTypes": "AcceleratorTypes",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
}
LIFECYCLE = Kind(
    "NotebookInstanceLifecycleConfig",
    "notebook-instance-lifecycle-config",
    "NotebookInstanceLifecycleConfigs",
    "NotebookInstanceLifecycleConfigs",
    missing=INVALID,
    exists=INVALID,
)
serve(LIFECYCLE)
REPOSITORY = Kind(
    "CodeRepository",
    "code-repository",
    "CodeRepositories",
    "CodeRepositorySummaryList",
    missing=INVALID,
    exists=INVALID,
)
serve(REPOSITORY)


def _described(call: Call, record: Record) -> Record:
    members = {its: record[asked] for asked, its in _RENAMED.items() if record.get(asked)}
    if record.get("LifecycleConfigName"):
        find(call, LIFECYCLE, record["LifecycleConfigName"])
    return members


def _made(call: Call, record: Record) -> Record:
    name = record["NotebookInstanceName"].lower()
    defaults = {
        "DirectInternetAccess": "Enabled",
        "VolumeSizeInGB": 5,
        "RootAccess": "Enabled",
        "PlatformIdentifier": "notebook-al2-v3",
    }
    return {
        **{member: value for member, value in defaults.items() if record.get(member) is None},
        "NotebookInstanceStatus": "InService",
        "Url": f"{name}.notebook.{call.region}.sagemaker.aws",
        **_described(call, record),
    }


def _changed(call: Call, record: Record) -> Record:
    _check_settled(record, "Updating")
    gone = {member: None for asked, member in _DISSOCIATED.items() if record.pop(asked, False)}
    return _described(call, record) | gone


def _check_settled(record: Record, wanted: str) -> None:
    status = record["NotebookInstanceStatus"]
    if status not in SETTLED:
        raise AwsError(
            INVALID,
            f"Status ({status}) not in ([Stopped, Failed]). Unable to transition to ({wanted}) for Notebook "
            f"Instance ({record['NotebookInstanceArn']})",
        )


INSTANCE = Kind(
    "NotebookInstance",
    "notebook-instance",
    "NotebookInstances",
    "NotebookInstances",
    missing=INVALID,
    exists=INVALID,
    equals={"StatusEquals": "NotebookInstanceStatus"},
    made=_made,
    changed=_changed,
    deletable=lambda call, record: _check_settled(record, "Deleting"),
)
serve(INSTANCE)


def _turn(call: Call, name: str, status: str) -> None:
    with call.engine.store.transaction():
        record = find(call, INSTANCE, name)
        if status == "InService":
            _check_settled(record, "Pending")
        elif record["NotebookInstanceStatus"] != "InService":
            raise AwsError(
                INVALID,
                f"Status ({record['NotebookInstanceStatus']}) not in ([InService]). Unable to transition to "
                f"(Stopping) for Notebook Instance ({record['NotebookInstanceArn']})",
            )
        record["NotebookInstanceStatus"] = status
        INSTANCE.records(call).put(name, record)


@operation("sagemaker", "StartNotebookInstance", record_only=True)
def start_notebook_instance(call: Call, NotebookInstanceName: str) -> None:
    _turn(call, NotebookInstanceName, "InService")


@operation("sagemaker", "StopNotebookInstance", record_only=True)
def stop_notebook_instance(call: Call, NotebookInstanceName: str) -> None:
    _turn(call, NotebookInstanceName, "Stopped")
