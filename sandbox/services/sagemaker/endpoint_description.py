"""DescribeEndpoint's answer from an endpoint's record. Members that are not set are left out, as AWS does."""

from __future__ import annotations

from typing import Any

from sandbox.services.sagemaker.listing import keep

Record = dict[str, Any]


def describe(record: Record) -> Record:
    deployment = record.get("Deployment")
    plan = record.get("Fleet") or (deployment or {}).get("Fleet")
    answer = keep(
        record,
        "EndpointName",
        "EndpointArn",
        "EndpointConfigName",
        "EndpointStatus",
        "FailureReason",
        "CreationTime",
        "LastModifiedTime",
        "LastDeploymentConfig",
    )
    if record.get("Fleet"):
        answer["ProductionVariants"] = [_variant(variant) for variant in record["Fleet"]["Variants"]]
    capture = plan.get("Capture") if plan else None
    if capture:
        answer["DataCaptureConfig"] = {
            "EnableCapture": capture["EnableCapture"],
            "CaptureStatus": "Started" if capture["EnableCapture"] else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    if deployment and deployment["Kind"] == "Update" and record.get("Fleet"):
        status = [{"Status": deployment.get("VariantStatus", "Creating")}]
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": deployment["EndpointConfigName"],
            "StartTime": deployment["Started"],
            "ProductionVariants": [
                _variant(variant) | {"VariantStatus": status} for variant in deployment["Fleet"]["Variants"]
            ],
        }
    return answer


def _variant(variant: Record) -> Record:
    image = variant["Container"]["Image"]
    common = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": variant["ResolutionTime"]}
        ],
        "CurrentWeight": variant["Weight"],
        "DesiredWeight": variant.get("DesiredWeight", variant["Weight"]),
    }
    if "Serverless" in variant:
        return common | {"CurrentInstanceCount": 0, "CurrentServerlessConfig": variant["Serverless"]}
    return common | {
        "CurrentInstanceCount": variant["Count"],
        "DesiredInstanceCount": variant.get("DesiredCount", variant["Count"]),
    }
