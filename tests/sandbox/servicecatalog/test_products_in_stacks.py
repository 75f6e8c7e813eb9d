"""A catalog and what is launched from it in one template; tags, levels, owners of provisioned products."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.sandbox.cloudformation.stacks import Stacks, new_name, outputs, parameter, refusal
from tests.sandbox_process import SandboxProcess
from tests.waiting import until


@pytest.fixture
def launcher(sandbox: SandboxProcess) -> Callable[[str], Any]:
    """Clients of a user who may do everything: root itself can be given no portfolio."""
    iam, name = sandbox.client("iam"), new_name()
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=sandbox.url)


INNER = {
    "Parameters": {"V": {"Type": "String"}},
    "Resources": {"P": parameter({"Ref": "V"}), "Q": parameter({"Ref": "V"})},
    "Outputs": {"Name": {"Value": {"Ref": "P"}}},
}


def _catalog(url: str, user: str, mark: str, value: str) -> dict[str, Any]:
    prefix = "AWS::ServiceCatalog::"

    def resource(kind: str, *after: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"{prefix}{kind}", "Properties": properties} | (
            {"DependsOn": list(after)} if after else {}
        )

    portfolio, product = {"Ref": "Portfolio"}, {"Ref": "Product"}
    version = {"Name": "1", "Info": {"LoadTemplateFromURL": url}}
    tags = [{"Key": "of-portfolio", "Value": "p"}]
    return {
        "Portfolio": resource("Portfolio", DisplayName=mark, ProviderName="tests", Tags=tags),
        "Product": resource(
            "CloudFormationProduct", Name=mark, Owner="tests", ProvisioningArtifactParameters=[version]
        ),
        "In": resource("PortfolioProductAssociation", PortfolioId=portfolio, ProductId=product),
        "Open": resource(
            "PortfolioPrincipalAssociation", PortfolioId=portfolio, PrincipalARN=user, PrincipalType="IAM"
        ),
        "Option": resource("TagOption", Key=f"option-{mark}", Value="only"),
        "Chosen": resource("TagOptionAssociation", TagOptionId={"Ref": "Option"}, ResourceId=product),
        "Launched": resource(
            "CloudFormationProvisionedProduct",
            *("In", "Open", "Chosen"),
            ProductId=product,
            ProvisioningArtifactName="1",
            ProvisionedProductName=mark,
            ProvisioningParameters=[{"Key": "V", "Value": value}],
        ),
    }


def test_a_product_is_launched_by_a_stack(launcher: Callable[[str], Any], sandbox: SandboxProcess) -> None:
    name, s3, catalog = new_name(), sandbox.client("s3"), launcher("servicecatalog")
    stacks, user = Stacks(launcher("cloudformation")), launcher("sts").get_caller_identity()["Arn"]
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="t.json", Body=json.dumps(INNER).encode())
    url = f"https://{name}.s3.us-east-1.amazonaws.com/t.json"
    shown = {
        "Name": {"Value": {"Fn::GetAtt": "Launched.Outputs.Name"}},
        "Stack": {"Value": {"Fn::GetAtt": "Launched.CloudformationStackArn"}},
    }

    def template(value: str) -> dict[str, Any]:
        return {"Resources": _catalog(url, user, name, value), "Outputs": shown}

    stack = stacks.create(template("one"), name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    launched = outputs(stack)
    ssm, physical = sandbox.client("ssm"), stacks.physical(name)
    assert ssm.get_parameter(Name=launched["Name"])["Parameter"]["Value"] == "one"
    (inner,) = stacks.client.describe_stacks(StackName=launched["Stack"])["Stacks"]
    tags = {tag["Key"]: tag["Value"] for tag in inner["Tags"]}
    product = catalog.describe_provisioned_product(Id=physical["Launched"])["ProvisionedProductDetail"]
    assert tags.items() >= {"of-portfolio": "p", f"option-{name}": "only"}.items()
    assert {key for key in tags if key.startswith("aws:servicecatalog:")} == {
        "aws:servicecatalog:productArn",
        "aws:servicecatalog:portfolioArn",
        "aws:servicecatalog:provisioningPrincipalArn",
        "aws:servicecatalog:provisionedProductArn",
        "aws:servicecatalog:provisioningArtifactIdentifier",
    }
    assert tags["aws:servicecatalog:provisionedProductArn"] == product["Arn"]
    assert tags["aws:servicecatalog:provisioningPrincipalArn"] == user
    found = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=launched["Name"])["TagList"]
    assert {"Key": "aws:servicecatalog:productArn", "Value": tags["aws:servicecatalog:productArn"]} in found
    mine = {"Key": "aws:own", "Value": "x"}
    assert "aws: prefixed tag key names are not allowed" in refusal(stacks.create, INNER, Tags=[mine])[1]

    updated = stacks.update(name, template("two"))
    assert updated["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    assert ssm.get_parameter(Name=launched["Name"])["Parameter"]["Value"] == "two"
    _levels(catalog, sandbox, name, physical)
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE", stacks.reasons(stack["StackId"])
    (inner,) = stacks.client.describe_stacks(StackName=launched["Stack"])["Stacks"]
    assert inner["StackStatus"] == "DELETE_COMPLETE"


def _levels(mine: Any, sandbox: SandboxProcess, name: str, physical: dict[str, str]) -> None:
    """Who sees what, in which order; a provisioned product can be given another role and owner."""
    others = sandbox.client("servicecatalog", "admin")
    mine.provision_product(
        ProductId=physical["Product"],
        ProvisioningArtifactName="1",
        ProvisionedProductName=f"a-{name}",
        ProvisioningParameters=[{"Key": "V", "Value": "v"}],
        ProvisionToken=f"a-{name}",
    )

    def names(client: Any, level: str | None = None, **more: Any) -> list[str]:
        asked = {"AccessLevelFilter": {"Key": level, "Value": "self"}} if level else {}
        query = {"Filters": {"SearchQuery": [f"productId:{physical['Product']}"]}}
        answer = client.search_provisioned_products(**query, **asked, **more)
        return [item["Name"] for item in answer["ProvisionedProducts"]]

    identifier = until(lambda: _available(mine, f"a-{name}"))["Id"]
    assert names(others) == names(others, "Role") == []
    assert set(names(others, "Account")) == set(names(mine)) == {name, f"a-{name}"}
    assert names(mine, SortBy="name") == [f"a-{name}", name]
    assert names(mine, SortBy="name", SortOrder="DESCENDING") == [name, f"a-{name}"]
    assert refusal(names, mine, SortBy="colour")[0] == "InvalidParametersException"
    scanned = others.scan_provisioned_products(AccessLevelFilter={"Key": "User", "Value": "self"})
    assert identifier not in {item["Id"] for item in scanned["ProvisionedProducts"]}
    owner = sandbox.client("sts", "admin").get_caller_identity()["Arn"]
    change = mine.update_provisioned_product_properties
    wrong = {"LAUNCH_ROLE": owner}
    given = {"ProvisionedProductId": identifier, "IdempotencyToken": f"o-{name}"}
    assert refusal(change, ProvisionedProductProperties=wrong, **given)[0] == "InvalidParametersException"
    assert change(ProvisionedProductProperties={"OWNER": owner}, **given)["Status"] == "SUCCEEDED"
    assert names(others) == [f"a-{name}"]
    assert names(mine) == [name]
    mine.terminate_provisioned_product(ProvisionedProductId=identifier, TerminateToken=f"t-{name}")
    until(lambda: None if _there(mine, identifier) else True)


def _available(client: Any, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] = client.describe_provisioned_product(Name=name)["ProvisionedProductDetail"]
    return None if found["Status"] == "UNDER_CHANGE" else found


def _there(client: Any, identifier: str) -> bool:
    found = client.scan_provisioned_products(AccessLevelFilter={"Key": "Account", "Value": "self"})
    return identifier in {item["Id"] for item in found["ProvisionedProducts"]}
