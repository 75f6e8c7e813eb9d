import json

from tests.template.synthesised import BUILD_SEED, filled, model, named, only

RESOURCES = filled(model(), "movies", "p-1")
PIPELINE = named(RESOURCES, "AWS::CodePipeline::Pipeline", "-modelbuild")


def test_every_commit_is_built_one_after_the_other() -> None:
    assert (PIPELINE["PipelineType"], PIPELINE["ExecutionMode"]) == ("V2", "QUEUED")
    assert [stage["Name"] for stage in PIPELINE["Stages"]] == ["Source", "Build"]


def test_artifacts_are_encrypted_with_the_projects_key() -> None:
    store = PIPELINE["ArtifactStore"]
    assert store["Location"] == "sagemaker-project-p-1-123456789012"
    assert store["EncryptionKey"]["Type"] == "KMS"
    assert store["EncryptionKey"]["Id"].endswith("key/ProjectKey")


def test_the_source_is_the_seeded_repository_and_is_not_polled() -> None:
    repository = named(RESOURCES, "AWS::CodeCommit::Repository", "-modelbuild")
    assert repository["Code"] == {
        "BranchName": "main",
        "S3": {"Bucket": "sagemaker-templates-hub-123456789012-us-east-1", "Key": BUILD_SEED},
    }
    (action,) = PIPELINE["Stages"][0]["Actions"]
    assert action["Configuration"] == {
        "RepositoryName": repository["RepositoryName"],
        "BranchName": "main",
        "PollForSourceChanges": "false",
        "OutputArtifactFormat": "CODE_ZIP",
    }


def test_the_build_knows_what_seed_code_asks_for() -> None:
    project = named(RESOURCES, "AWS::CodeBuild::Project", "-modelbuild")
    assert {v["Name"]: v["Value"] for v in project["Environment"]["EnvironmentVariables"]} == {
        "SAGEMAKER_PROJECT_NAME": "movies",
        "SAGEMAKER_PROJECT_ID": "p-1",
        "SAGEMAKER_PIPELINE_NAME": "sagemaker-movies-p-1",
        "SAGEMAKER_PIPELINE_ROLE_ARN": "arn:aws:iam::123456789012:role/sagemaker-p-1-execution",
        "MODEL_PACKAGE_GROUP_NAME": "movies-p-1",
        "ARTIFACT_BUCKET": "sagemaker-project-p-1-123456789012",
        "ARTIFACT_KMS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/ProjectKey",
    }
    assert project["Environment"]["PrivilegedMode"] is False
    assert project["LogsConfig"]["CloudWatchLogs"] == {
        "GroupName": "/aws/codebuild/sagemaker-movies-p-1-modelbuild",
        "Status": "ENABLED",
    }


def test_a_push_to_main_builds_the_pushed_commit() -> None:
    rule = named(RESOURCES, "AWS::Events::Rule", "build-push")
    assert rule["EventPattern"] == {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": ["arn:aws:codecommit:us-east-1:123456789012:sagemaker-movies-p-1-modelbuild"],
        "detail": {
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": ["main"],
        },
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == "arn:aws:codepipeline:us-east-1:123456789012:sagemaker-movies-p-1-modelbuild"
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {"revisionValue": "$.detail.commitId"}
    assert json.loads(transformer["InputTemplate"].replace("<revisionValue>", "c0ffee")) == {
        "sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "c0ffee"}]
    }


def test_models_are_registered_in_the_projects_group() -> None:
    assert only(RESOURCES, "AWS::SageMaker::ModelPackageGroup")["ModelPackageGroupName"] == "movies-p-1"
