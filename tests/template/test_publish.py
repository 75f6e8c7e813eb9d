import io
import json
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

import template.publish as publishing
from template import seeds, synthesis, versions
from template.publish import PublishError, publish
from tests.template.catalog import Session
from tests.template.conftest import REGION

PRINCIPAL = "arn:aws:iam::123456789012:role/studio"


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Small seeds and a cache of this test's own; templates that hold the seeds' keys, made without the CDK."""
    for name in synthesis.SEEDS:
        (tmp_path / "seed_code" / name).mkdir(parents=True)
        (tmp_path / "seed_code" / name / "README.md").write_text(name)
    monkeypatch.setattr(seeds, "SEED_CODE", tmp_path / "seed_code")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(synthesis, "_run_app", write_assembly)
    return tmp_path / "seed_code"


def write_assembly(outdir: Path, context: str) -> None:
    outdir.mkdir(parents=True)
    model = {"Resources": {}, "Seeds": [seeds.seed(name).key for name in synthesis.SEEDS]}
    (outdir / "model.template.json").write_text(json.dumps(model))
    names = [{"Name": version} for version in json.loads(context)["versions"]]
    portfolio = {
        "Resources": {
            "ModelProduct": {"Type": "Product", "Properties": {"ProvisioningArtifactParameters": names}},
            "Access": {"Type": "Access", "Properties": {"Principals": json.loads(context)["principals"]}},
        },
        "Outputs": dict.fromkeys(("PortfolioId", "ModelProductId", "LaunchRoleArn", "BoundaryArn")),
    }
    (outdir / "sagemaker-templates-portfolio.template.json").write_text(json.dumps(portfolio))


def objects(bucket: str) -> dict[str, bytes]:
    s3 = boto3.client("s3", region_name=REGION)
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed}


def tags(bucket: str, key: str) -> dict[str, str]:
    answer = boto3.client("s3", region_name=REGION).get_object_tagging(Bucket=bucket, Key=key)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def test_everything_a_project_needs_is_in_the_hub(session: Session) -> None:
    lines: list[str] = []
    answer = publish(session, principals=[PRINCIPAL], on_progress=lines.append)
    stored = objects(answer["hubBucket"])
    version = versions.CURRENT["model"]
    key = f"products/model/{version}.template.json"
    assert versions.digest(stored[key]) == answer["templateSha256"]
    assert yaml.safe_load(stored["studio/model.yaml"]) == json.loads(stored[key])
    for name, seed_key in answer["seeds"].items():
        archive = zipfile.ZipFile(io.BytesIO(stored[seed_key]))
        assert archive.read("README.md").decode() == name
        assert tags(answer["hubBucket"], seed_key) == {"servicecatalog:provisioning": "true"}
    assert tags(answer["hubBucket"], key) == {"servicecatalog:provisioning": "true"}
    assert tags(answer["hubBucket"], "studio/model.yaml")["sagemaker:studio-visibility"] == "true"
    assert answer["provisioningArtifactId"] == f"pa-{version}"
    assert answer["productId"] == "the-ModelProductId"
    assert any("CREATE_IN_PROGRESS ModelProduct" in line for line in lines)


def test_publishing_again_changes_nothing(session: Session) -> None:
    first = publish(session, principals=[PRINCIPAL])
    before = objects(first["hubBucket"])
    assert publish(session, principals=[PRINCIPAL]) == first
    assert objects(first["hubBucket"]) == before
    assert session.cloudformation.calls == ["CreateStack", "UpdateStack"]


def test_a_changed_seed_under_the_same_version_is_refused_with_both_hashes(
    session: Session, sources: Path
) -> None:
    answer = publish(session)
    before = objects(answer["hubBucket"])
    (sources / "model_build" / "README.md").write_text("changed")
    with pytest.raises(PublishError, match=answer["templateSha256"]) as refusal:
        publish(session)
    assert "\n" not in str(refusal.value)
    after = objects(answer["hubBucket"])
    key = f"products/model/{answer['version']}.template.json"
    assert after[key] == before[key]
    assert after["studio/model.yaml"] == before["studio/model.yaml"]
    assert session.cloudformation.calls == ["CreateStack"]


def test_a_raised_version_is_offered_beside_the_old_one(
    session: Session, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(session)
    (sources / "model_build" / "README.md").write_text("changed")
    monkeypatch.setitem(versions.CURRENT, "model", "9.0.0")
    answer = publish(session)
    assert answer["versions"] == ["1.0.0", "9.0.0"]
    assert answer["provisioningArtifactId"] == "pa-9.0.0"


def test_work_in_progress_is_never_refused_and_not_kept(session: Session, sources: Path) -> None:
    first = publish(session, development=True)
    (sources / "model_build" / "README.md").write_text("changed")
    second = publish(session, development=True)
    assert first["version"] != second["version"]
    assert second["versions"] == [second["version"]]


def test_a_killed_publication_is_finished_by_the_next(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session.cloudformation, "create_stack", killed)
        with pytest.raises(KeyboardInterrupt):
            publish(session)
    assert publish(session)["productId"] == "the-ModelProductId"


def killed(**_: Any) -> None:
    raise KeyboardInterrupt


def test_a_failed_stack_names_resource_and_reason_in_one_line(session: Session) -> None:
    session.cloudformation.fails = "no such template"
    with pytest.raises(PublishError) as failure:
        publish(session)
    assert str(failure.value) == (
        "stack sagemaker-templates-portfolio ended in ROLLBACK_COMPLETE: "
        "ModelProduct (AWS::ServiceCatalog::CloudFormationProduct): no such template"
    )


def test_a_stack_that_never_came_up_is_replaced(session: Session) -> None:
    session.cloudformation.fails = "no such template"
    with pytest.raises(PublishError):
        publish(session)
    session.cloudformation.fails = None
    calls = session.cloudformation.calls
    replace = session.cloudformation.delete_stack

    def delete_stack(StackName: str) -> None:
        replace(StackName)
        assert calls[-1] == "DeleteStack"

    session.cloudformation.delete_stack = delete_stack  # type: ignore[method-assign]
    assert publish(session)["productId"] == "the-ModelProductId"
    assert calls == ["CreateStack", "DeleteStack", "CreateStack"]


def test_without_a_region_nothing_is_asked(session: Session) -> None:
    session.region_name = None
    with pytest.raises(PublishError, match="no region"):
        publish(session)


def test_a_refusal_of_aws_becomes_one_line(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any) -> bool:
        from botocore.exceptions import ClientError

        error = {"Error": {"Code": "AccessDenied", "Message": "not\nauthorized"}}
        raise ClientError(error, "PutBucketPolicy")

    monkeypatch.setattr(publishing.HubBucket, "ensure", refuse)
    with pytest.raises(PublishError, match="^PutBucketPolicy: AccessDenied: not authorized$"):
        publish(session)
