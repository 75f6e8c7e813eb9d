"""Pick the newest approved model version and write what CloudFormation needs to deploy it.

Writes into --output: endpoint.yaml, and staging-config.json and prod-config.json (the files of this
repository plus the resolved parameters and tags, as CodePipeline's TemplateConfiguration reads them), and
the shell file --exports with MODEL_PACKAGE_ARN and MODEL_PACKAGE_VERSION, both `none` when no version is
approved: the pipeline then skips its stages.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STAGES = ("staging", "prod")
TEMPLATE = "endpoint.yaml"
NONE = "none"


@dataclass(frozen=True)
class Project:
    """The project as CodeBuild's environment describes it."""

    name: str
    id: str
    model_package_group: str
    execution_role_arn: str
    bucket: str
    kms_key_arn: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Project":
        """Read all settings.

        Raises:
            SystemExit: naming every variable that is missing.
        """
        names = {
            "name": "SAGEMAKER_PROJECT_NAME",
            "id": "SAGEMAKER_PROJECT_ID",
            "model_package_group": "MODEL_PACKAGE_GROUP_NAME",
            "execution_role_arn": "MODEL_EXECUTION_ROLE_ARN",
            "bucket": "ARTIFACT_BUCKET",
            "kms_key_arn": "ARTIFACT_KMS_KEY_ARN",
        }
        missing = [name for name in names.values() if not environment.get(name)]
        if missing:
            raise SystemExit(f"missing environment variables: {', '.join(missing)}")
        return cls(**{field: environment[name] for field, name in names.items()})

    @property
    def tags(self) -> dict[str, str]:
        """Tags by which a SageMaker project finds what belongs to it."""
        return {"sagemaker:project-name": self.name, "sagemaker:project-id": self.id}


@dataclass(frozen=True)
class Version:
    """A version of the model in the registry."""

    arn: str
    number: str


def newest_approved(sagemaker: Any, group: str) -> Version | None:
    """The approved version with the highest number, or None. A page may be empty though more follow."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    packages = [package for page in pages for package in page["ModelPackageSummaryList"]]
    completed = [package for package in packages if package["ModelPackageStatus"] == "Completed"]
    if not completed:
        return None
    newest = max(completed, key=lambda package: package["ModelPackageVersion"])
    return Version(newest["ModelPackageArn"], str(newest["ModelPackageVersion"]))


def stage_config(
    stage: str, settings: dict[str, Any], template: str, project: Project, version: Version | None
) -> dict[str, Any]:
    """The stage's TemplateConfiguration.

    Args:
        settings: the stage's file of this repository, parsed.
        template: text of endpoint.yaml.
        version: what to deploy; None leaves the parameters about it out.
    """
    parameters = {name: str(value) for name, value in settings.get("Parameters", {}).items()} | {
        "ProjectName": project.name,
        "ProjectId": project.id,
        "Stage": stage,
        "ModelExecutionRoleArn": project.execution_role_arn,
        "KmsKeyArn": project.kms_key_arn,
        "DataCaptureS3Uri": f"s3://{project.bucket}/data-capture",
    }
    if version:
        parameters |= {"ModelPackageArn": version.arn, "ModelVersion": version.number}
        parameters["ConfigHash"] = config_hash(template, parameters)
    return {"Parameters": parameters, "Tags": settings.get("Tags", {}) | project.tags}


def config_hash(template: str, parameters: dict[str, str]) -> str:
    """Eight digits that differ whenever Model or EndpointConfig do.

    Covers their text in the template, the conditions, and the parameters (with defaults) these name.
    """
    sections = [
        section(template, r"Conditions:\n(?:(?:  .*)?\n)+"),
        *(section(template, rf"  {name}:\n(?:(?:    .*)?\n)+") for name in ("Model", "EndpointConfig")),
    ]
    pairs = re.findall(r"!Ref\s+(\w+)|\$\{(\w+)\}", "\n".join(sections))
    used = {name for pair in pairs for name in pair if name} - {"ConfigHash"}
    declared = {name: section(template, rf"  {name}:(?: .*\n|\n(?:    .*\n)+)") for name in used}
    values = {name: parameters.get(name, default) for name, default in declared.items()}
    content = json.dumps([sections, values], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def section(template: str, pattern: str) -> str:
    """The part of the template that matches.

    Raises:
        SystemExit: if the template is laid out differently, for the hash would miss a change.
    """
    match = re.search(rf"^{pattern}", template, re.MULTILINE)
    if not match:
        raise SystemExit(
            f"{TEMPLATE}: nothing matches {pattern!r}: keep its layout or change select_model.py"
        )
    return match.group()


def exports(version: Version | None) -> str:
    """Shell lines that export what was selected."""
    variables = {
        "MODEL_PACKAGE_ARN": version.arn if version else NONE,
        "MODEL_PACKAGE_VERSION": version.number if version else NONE,
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def main() -> None:
    """Select, then write all files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the pipeline's artifact")
    parser.add_argument("--exports", type=Path, required=True, help="shell file to source")
    arguments = parser.parse_args()
    import boto3

    repository = Path(__file__).resolve().parent
    project = Project.from_environment()
    version = newest_approved(boto3.client("sagemaker"), project.model_package_group)
    template = (repository / TEMPLATE).read_text(encoding="utf-8")
    arguments.output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(repository / TEMPLATE, arguments.output / TEMPLATE)
    for stage in STAGES:
        name = f"{stage}-config.json"
        settings = json.loads((repository / name).read_text(encoding="utf-8"))
        config = stage_config(stage, settings, template, project, version)
        (arguments.output / name).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    arguments.exports.write_text(exports(version), encoding="utf-8")
    print(f"version {version.number}: {version.arn}" if version else "no approved version: nothing to deploy")


if __name__ == "__main__":
    main()
