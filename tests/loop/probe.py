"""Runs inside a build of one project and reaches for another one: prints what each call was answered.

Committed by a test as part of a repository; its one argument is JSON: what the other project's things are
called.
"""

import json
import os
import sys

import boto3
from botocore.exceptions import ClientError


def main() -> None:
    other = json.loads(sys.argv[1])
    mine = os.environ
    s3, sagemaker, codecommit = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("codecommit")
    codepipeline, kms, iam, sts = (boto3.client(name) for name in ("codepipeline", "kms", "iam", "sts"))
    container = {"Image": other["image"], "ModelDataUrl": f"s3://{mine['ARTIFACT_BUCKET']}/model.tar.gz"}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }

    def register(group: str) -> object:
        return sagemaker.create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification=specification,
            ModelApprovalStatus="Approved",
        )

    calls = {
        "list own bucket": lambda: s3.list_objects_v2(Bucket=mine["ARTIFACT_BUCKET"]),
        "list bucket": lambda: s3.list_objects_v2(Bucket=other["bucket"]),
        "read object": lambda: s3.get_object(Bucket=other["bucket"], Key=other["object"]),
        "write object": lambda: s3.put_object(Bucket=other["bucket"], Key="probe", Body=b""),
        "use key": lambda: kms.generate_data_key(KeyId=other["key"], KeySpec="AES_256"),
        "read branch": lambda: codecommit.get_branch(repositoryName=other["repository"], branchName="main"),
        "start build": lambda: codepipeline.start_pipeline_execution(name=other["repository"]),
        "start pipeline": lambda: sagemaker.start_pipeline_execution(PipelineName=other["pipeline"]),
        "read group": lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=other["group"]),
        "register approved": lambda: register(mine["MODEL_PACKAGE_GROUP_NAME"]),
        "register there": lambda: register(other["group"]),
        "take role": lambda: sts.assume_role(RoleArn=other["role"], RoleSessionName="probe"),
        "make role": lambda: iam.create_role(RoleName="sagemaker-p-probe", AssumeRolePolicyDocument="{}"),
    }
    for name, call in calls.items():
        try:
            call()
        except ClientError as error:
            answer = error.response["Error"]["Code"]
        else:
            answer = "allowed"
        print(f"PROBE {name}: {answer}", flush=True)


if __name__ == "__main__":
    main()
