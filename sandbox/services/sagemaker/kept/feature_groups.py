"""Feature groups: kept. No record is stored in them, online or offline.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFeatureGroup.html
"""

from __future__ import annotations

import time

from sandbox.engine.operations import AwsError, Call
from sandbox.services.sagemaker.kept.kinds import INVALID, Kind, Record, serve


def _made(call: Call, record: Record) -> Record:
    definitions = {item.get("FeatureName"): item.get("FeatureType") for item in record["FeatureDefinitions"]}
    if len(definitions) < len(record["FeatureDefinitions"]):
        raise AwsError(INVALID, "Validation Error: FeatureDefinitions hold a feature name twice.")
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if record[member] not in definitions:
            raise AwsError(
                INVALID,
                f"Validation Error: {member} {record[member]} is not among the feature definitions.",
            )
    if definitions[record["EventTimeFeatureName"]] not in ("String", "Fractional"):
        raise AwsError(INVALID, "Validation Error: the event time feature must be Fractional or String.")
    online = record.get("OnlineStoreConfig") or {}
    offline = record.get("OfflineStoreConfig")
    if not offline and not online.get("EnableOnlineStore"):
        raise AwsError(
            INVALID, "Validation Error: either OnlineStoreConfig or OfflineStoreConfig must be specified."
        )
    if offline and not record.get("RoleArn"):
        raise AwsError(INVALID, "Validation Error: RoleArn must be specified with an OfflineStoreConfig.")
    told: Record = {"FeatureGroupStatus": "Created", "NextToken": ""}
    if offline:
        told |= {"OfflineStoreStatus": {"Status": "Active"}, "OfflineStoreConfig": _offline(call, record)}
    return told


def _offline(call: Call, record: Record) -> Record:
    """The configuration with what AWS fills in: where the data will lie, and the table over it."""
    offline = dict(record["OfflineStoreConfig"])
    name = record["FeatureGroupName"]
    stamp = int(record["CreationTime"])
    base = offline["S3StorageConfig"]["S3Uri"].rstrip("/")
    resolved = f"{base}/{call.account}/sagemaker/{call.region}/offline-store/{name.lower()}-{stamp}/data"
    offline["S3StorageConfig"] = offline["S3StorageConfig"] | {"ResolvedOutputS3Uri": resolved}
    if not offline.get("DisableGlueTableCreation") and "DataCatalogConfig" not in offline:
        moment = time.strftime("%Y_%m_%d_%H_%M_%S", time.gmtime(stamp))
        offline["DataCatalogConfig"] = {
            "TableName": f"{name.lower().replace('-', '_')}_{moment}",
            "Catalog": "AwsDataCatalog",
            "Database": "sagemaker_featurestore",
        }
    return offline


def _changed(call: Call, record: Record) -> Record:
    added = record.pop("FeatureAdditions", None) or []
    known = {item["FeatureName"] for item in record["FeatureDefinitions"]}
    if any(item["FeatureName"] in known for item in added):
        raise AwsError(INVALID, "Validation Error: a feature of that name exists in the feature group.")
    return {
        "FeatureDefinitions": record["FeatureDefinitions"] + added,
        "LastUpdateStatus": {"Status": "Successful"},
    }


FEATURE_GROUP = Kind(
    "FeatureGroup",
    "feature-group",
    "FeatureGroups",
    "FeatureGroupSummaries",
    equals={"FeatureGroupStatusEquals": "FeatureGroupStatus"},
    made=_made,
    changed=_changed,
)
serve(FEATURE_GROUP)
