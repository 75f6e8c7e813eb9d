"""Which fields a state may have, by its type and query language.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html
"""

from __future__ import annotations

COMMON = frozenset({"Type", "Comment", "QueryLanguage"})
FLOW = frozenset({"Next", "End"})
PATHS = frozenset({"InputPath", "OutputPath"})
ERRORS = frozenset({"Retry", "Catch"})
RESULT = frozenset({"Parameters", "ResultSelector", "ResultPath"})

STATES: dict[str, frozenset[str]] = {
    "Pass": COMMON | FLOW | PATHS | {"Result", "ResultPath", "Parameters", "Assign", "Output"},
    "Task": COMMON
    | FLOW
    | PATHS
    | ERRORS
    | RESULT
    | {"Resource", "Arguments", "Output", "Assign", "TimeoutSeconds", "TimeoutSecondsPath"}
    | {"HeartbeatSeconds", "HeartbeatSecondsPath", "Credentials"},
    "Choice": COMMON | PATHS | {"Choices", "Default", "Assign", "Output"},
    "Wait": COMMON
    | FLOW
    | PATHS
    | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Assign", "Output"},
    "Succeed": COMMON | PATHS | {"Output"},
    "Fail": COMMON | {"Error", "Cause", "ErrorPath", "CausePath"},
    "Parallel": COMMON | FLOW | PATHS | ERRORS | RESULT | {"Branches", "Arguments", "Output", "Assign"},
    "Map": COMMON
    | FLOW
    | PATHS
    | ERRORS
    | RESULT
    | {"ItemProcessor", "Iterator", "ItemsPath", "Items", "ItemSelector", "ItemReader", "ItemBatcher"}
    | {"ResultWriter", "MaxConcurrency", "MaxConcurrencyPath", "Label", "Output", "Assign"}
    | {"ToleratedFailureCount", "ToleratedFailureCountPath"}
    | {"ToleratedFailurePercentage", "ToleratedFailurePercentagePath"},
}

JSONPATH_ONLY = frozenset(
    {
        "InputPath",
        "OutputPath",
        "ResultPath",
        "ResultSelector",
        "Parameters",
        "Result",
        "ItemsPath",
        "SecondsPath",
        "TimestampPath",
        "TimeoutSecondsPath",
        "HeartbeatSecondsPath",
        "MaxConcurrencyPath",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentagePath",
        "ErrorPath",
        "CausePath",
        "MaxItemsPath",
        "MaxItemsPerBatchPath",
        "MaxInputBytesPerBatchPath",
        "Variable",
    }
)
JSONATA_ONLY = frozenset({"Arguments", "Output", "Items", "Condition"})

REFERENCE = frozenset(
    {"ItemsPath", "SecondsPath", "TimestampPath", *(n for n in JSONPATH_ONLY if n.endswith("sPath"))}
)
"""Fields that hold a reference path."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
}

EITHER: tuple[tuple[str, ...], ...] = (
    ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("ItemProcessor", "Iterator"),
)
"""Fields of which only one may be given."""

DISTRIBUTED_ONLY = frozenset(
    {
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "Label",
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
    }
)

RETRIER = frozenset(
    {
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
        "Comment",
    }
)
CATCHER = frozenset({"ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment"})
