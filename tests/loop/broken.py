"""Models that nobody can serve."""

from __future__ import annotations

import io
import tarfile

from tests.loop.project import Project

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"


def register_empty_model(project: Project) -> int:
    """Registers, past the pipeline and as the admin, an archive without a model; the version."""
    archive, bucket = io.BytesIO(), project.names.bucket
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("readme.txt"))
    project.client("s3", "admin").put_object(
        Bucket=bucket, Key="uploads/model.tar.gz", Body=archive.getvalue()
    )
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{bucket}/uploads/model.tar.gz",
        "Environment": {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        },
    }
    arn = project.client("sagemaker", "admin").create_model_package(
        ModelPackageGroupName=project.names.model_package_group,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelApprovalStatus="PendingManualApproval",
    )["ModelPackageArn"]
    return int(arn.rpartition("/")[2])
