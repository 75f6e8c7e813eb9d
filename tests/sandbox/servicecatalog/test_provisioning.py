"""A product published by admin, launched by team as the launch role, seen by nobody else."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess
from tests.waiting import until

TEMPLATE = {
    "Parameters": {
        "SageMakerProjectName": {"Type": "String", "AllowedPattern": "^[a-z](-*[a-z0-9])*$"},
        "SageMakerProjectId": {"Type": "String"},
    },
    "Resources": {
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {
                "ModelPackageGroupName": {"Fn::Sub": "${SageMakerProjectName}-${SageMakerProjectId}"}
            },
        }
    },
    "Outputs": {"GroupName": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}}},
}
LAUNCH = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["cloudformation:*"],
            "Resource": "arn:aws:cloudformation:*:*:stack/SC-*",
        },
        {"Effect": "Allow", "Action": ["cloudformation:GetTemplateSummary"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "*",
            "Condition": {"StringEquals": {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}},
        },
        {
            "Effect": "Allow",
            "Action": "sagemaker:*",
            "Resource": "arn:aws:sagemaker:*:*:model-package-group/*",
        },
    ],
}


class Catalog:
    """A portfolio with one product, opened to `team`."""

    def __init__(self, sandbox: SandboxProcess, policy: dict[str, Any] | None = None) -> None:
        self.mark = uuid.uuid4().hex[:8]
        self.admin = sandbox.client("servicecatalog")
        self.team = sandbox.client("servicecatalog", "team")
        self.projects = sandbox.client("sagemaker", "team")
        self.sandbox = sandbox
        self.bucket = f"catalog-{self.mark}"
        self.s3 = sandbox.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.role = self._role(policy or LAUNCH)
        portfolio = self.admin.create_portfolio(
            DisplayName=self.mark, ProviderName="tests", IdempotencyToken=self.mark
        )
        self.portfolio = portfolio["PortfolioDetail"]["Id"]
        made = self.admin.create_product(
            Name=f"product-{self.mark}",
            Owner="tests",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters=self.version("1.0.0", TEMPLATE),
            IdempotencyToken=self.mark,
        )
        self.product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
        self.artifact = made["ProvisioningArtifactDetail"]["Id"]
        self.admin.associate_product_with_portfolio(ProductId=self.product, PortfolioId=self.portfolio)
        self.admin.create_constraint(
            PortfolioId=self.portfolio,
            ProductId=self.product,
            Type="LAUNCH",
            Parameters=json.dumps({"RoleArn": self.role}),
            IdempotencyToken=self.mark,
        )

    def _role(self, policy: dict[str, Any]) -> str:
        iam = self.sandbox.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "servicecatalog.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=f"launch-{self.mark}", AssumeRolePolicyDocument=document)["Role"]
        iam.put_role_policy(RoleName=role["RoleName"], PolicyName="launch", PolicyDocument=json.dumps(policy))
        return role["Arn"]  # type: ignore[no-any-return]

    def version(self, name: str, template: dict[str, Any]) -> dict[str, Any]:
        self.s3.put_object(Bucket=self.bucket, Key=f"{name}.json", Body=json.dumps(template).encode())
        url = f"https://{self.bucket}.s3.us-east-1.amazonaws.com/{name}.json"
        return {"Name": name, "Info": {"LoadTemplateFromURL": url}, "Type": "CLOUD_FORMATION_TEMPLATE"}

    def open(self) -> None:
        arn = self.sandbox.client("sts", "team").get_caller_identity()["Arn"]
        self.admin.associate_principal_with_portfolio(
            PortfolioId=self.portfolio, PrincipalARN=arn, PrincipalType="IAM"
        )

    def create(self, name: str) -> dict[str, Any]:
        """Creates a project and waits for its end."""
        details = {"ProductId": self.product, "ProvisioningArtifactId": self.artifact}
        self.projects.create_project(ProjectName=name, ServiceCatalogProvisioningDetails=details)
        return self.ended(name)

    def ended(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            project = self.projects.describe_project(ProjectName=name)
            return (
                None
                if project["ProjectStatus"] in ("Pending", "CreateInProgress", "UpdateInProgress")
                else project
            )

        return until(look)


@pytest.fixture(scope="module")
def catalog(sandbox: SandboxProcess) -> Catalog:
    made = Catalog(sandbox)
    made.open()
    return made


def test_a_product_is_seen_only_by_those_its_portfolio_is_opened_to(sandbox: SandboxProcess) -> None:
    hidden = Catalog(sandbox)
    names = [item["Name"] for item in hidden.team.search_products()["ProductViewSummaries"]]
    assert f"product-{hidden.mark}" not in names
    with pytest.raises(hidden.team.exceptions.ResourceNotFoundException):
        hidden.team.describe_product(Id=hidden.product)
    hidden.open()
    assert hidden.team.describe_product(Id=hidden.product)["ProvisioningArtifacts"][0]["Name"] == "1.0.0"
    assert len(hidden.team.list_launch_paths(ProductId=hidden.product)["LaunchPathSummaries"]) == 1


def test_a_project_is_a_product_provisioned_as_the_launch_role(catalog: Catalog) -> None:
    name = f"one-{catalog.mark}"
    project = catalog.create(name)
    assert project["ProjectStatus"] == "CreateCompleted", project
    provisioned = project["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductId"]
    product = catalog.team.describe_provisioned_product(Id=provisioned)["ProvisionedProductDetail"]
    assert product["Status"] == "AVAILABLE" and product["Name"] == f"{name}-{project['ProjectId']}"
    record = catalog.team.describe_record(Id=product["LastRecordId"])
    assert (
        record["RecordDetail"]["Status"] == "SUCCEEDED"
        and record["RecordDetail"]["LaunchRoleArn"] == catalog.role
    )
    outputs = {output["OutputKey"]: output["OutputValue"] for output in record["RecordOutputs"]}
    assert outputs["GroupName"].endswith(f"model-package-group/{name}-{project['ProjectId']}")
    tags = catalog.sandbox.client("sagemaker").list_tags(ResourceArn=outputs["GroupName"])["Tags"]
    assert {"Key": "sagemaker:project-name", "Value": name} in tags

    catalog.projects.delete_project(ProjectName=name)

    def gone() -> bool | None:
        try:
            catalog.projects.describe_project(ProjectName=name)
        except ClientError as error:
            assert "does not exist" in error.response["Error"]["Message"]
            return True
        return None

    assert until(gone)
    with pytest.raises(catalog.team.exceptions.ResourceNotFoundException):
        catalog.team.describe_provisioned_product(Id=provisioned)


def test_names_that_are_taken_upper_case_or_too_long_leave_nothing(catalog: Catalog) -> None:
    name = f"two-{catalog.mark}"
    assert catalog.create(name)["ProjectStatus"] == "CreateCompleted"
    details = {"ProductId": catalog.product, "ProvisioningArtifactId": catalog.artifact}
    with pytest.raises(ClientError, match="already exists"):
        catalog.projects.create_project(ProjectName=name, ServiceCatalogProvisioningDetails=details)
    with pytest.raises(ClientError, match="less than or equal to 32"):
        catalog.projects.create_project(ProjectName="a" * 33, ServiceCatalogProvisioningDetails=details)
    failed = catalog.create(f"Upper-{catalog.mark}")
    assert failed["ProjectStatus"] == "CreateFailed"
    message = failed["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductStatusMessage"]
    assert "SageMakerProjectName" in message and "must match pattern" in message
    groups = catalog.sandbox.client("sagemaker").list_model_package_groups(NameContains="Upper")
    assert groups["ModelPackageGroupSummaryList"] == []


def test_a_launch_role_that_lacks_an_action_is_named_and_rolled_back(sandbox: SandboxProcess) -> None:
    lacking = Catalog(sandbox, LAUNCH | {"Statement": LAUNCH["Statement"][:3]})  # type: ignore[index]
    lacking.open()
    failed = lacking.create(f"three-{lacking.mark}")
    message = failed["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductStatusMessage"]
    assert (
        "sagemaker:CreateModelPackageGroup" in message
        and "Group (AWS::SageMaker::ModelPackageGroup)" in message
    )


def test_an_update_brings_a_new_version(catalog: Catalog) -> None:
    name = f"four-{catalog.mark}"
    assert catalog.create(name)["ProjectStatus"] == "CreateCompleted"
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Outputs"]["Version"] = {"Value": "2"}
    artifact = catalog.admin.create_provisioning_artifact(
        ProductId=catalog.product, Parameters=catalog.version("2.0.0", changed), IdempotencyToken="two"
    )["ProvisioningArtifactDetail"]["Id"]
    catalog.projects.update_project(
        ProjectName=name, ServiceCatalogProvisioningUpdateDetails={"ProvisioningArtifactId": artifact}
    )
    project = catalog.ended(name)
    assert project["ProjectStatus"] == "UpdateCompleted", project
    provisioned = project["ServiceCatalogProvisionedProductDetails"]["ProvisionedProductId"]
    outputs = catalog.team.get_provisioned_product_outputs(
        ProvisionedProductId=provisioned, OutputKeys=["Version"]
    )
    assert outputs["Outputs"][0]["OutputValue"] == "2"


def test_what_is_in_use_cannot_be_deleted(catalog: Catalog) -> None:
    for call, arguments in (
        ("delete_portfolio", {"Id": catalog.portfolio}),
        ("delete_product", {"Id": catalog.product}),
        (
            "disassociate_product_from_portfolio",
            {"ProductId": catalog.product, "PortfolioId": catalog.portfolio},
        ),
    ):
        with pytest.raises(catalog.admin.exceptions.ResourceInUseException):
            getattr(catalog.admin, call)(**arguments)


def test_the_same_token_makes_one_thing(catalog: Catalog) -> None:
    first = catalog.admin.create_portfolio(DisplayName="t", ProviderName="p", IdempotencyToken="same")
    again = catalog.admin.create_portfolio(DisplayName="t", ProviderName="p", IdempotencyToken="same")
    assert first["PortfolioDetail"]["Id"] == again["PortfolioDetail"]["Id"]
    with pytest.raises(catalog.admin.exceptions.InvalidParametersException):
        catalog.admin.create_portfolio(DisplayName="other", ProviderName="p", IdempotencyToken="same")


def test_a_template_that_cannot_be_read_makes_no_product(catalog: Catalog) -> None:
    info = {"LoadTemplateFromURL": f"https://{catalog.bucket}.s3.us-east-1.amazonaws.com/nothing.json"}
    with pytest.raises(catalog.admin.exceptions.InvalidParametersException, match="nothing.json"):
        catalog.admin.create_product(
            Name="no",
            Owner="o",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters={"Info": info},
            IdempotencyToken="no",
        )
    assert "no" not in [
        item["ProductViewSummary"]["Name"]
        for item in catalog.admin.search_products_as_admin()["ProductViewDetails"]
    ]
