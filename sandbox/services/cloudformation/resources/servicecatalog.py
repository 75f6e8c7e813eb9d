"""AWS::ServiceCatalog: portfolios, products, their associations, launch constraints."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.services.cloudformation.resources import convert, provisioned_product
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    left_behind,
    resource_type,
)

__all__ = ["provisioned_product"]

_SERVICE = "servicecatalog"


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _own(tags: dict[str, str]) -> dict[str, str]:
    """Service Catalog hands a product's tags on to what it provisions: CloudFormation's own stay out."""
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def _language(request: Request) -> dict[str, str]:
    language = request.properties.get("AcceptLanguage")
    return {"AcceptLanguage": language} if language else {}


@resource_type("AWS::ServiceCatalog::Portfolio")
class Portfolio(Handler):
    def create(self, request: Request) -> Made:
        client = request.client(_SERVICE)
        plain = {key: item for key, item in request.properties.items() if key != "Tags"}
        answer = client.create_portfolio(
            **convert.parameters(client, "CreatePortfolio", plain),
            Tags=_pairs(_own(request.tags)),
            IdempotencyToken=request.token,
        )
        identifier = answer["PortfolioDetail"]["Id"]
        return Made(identifier, {"Id": identifier, "PortfolioName": request.properties["DisplayName"]})

    def update(self, request: Request) -> Made:
        client = request.client(_SERVICE)
        plain = {key: item for key, item in request.properties.items() if key != "Tags"}
        client.update_portfolio(
            Id=request.physical_id,
            **convert.parameters(client, "UpdatePortfolio", plain),
            AddTags=_pairs(_own(request.tags_added)),
            RemoveTags=request.tags_removed,
        )
        name = request.properties["DisplayName"]
        return Made(request.physical_id, {"Id": request.physical_id, "PortfolioName": name})

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client(_SERVICE).delete_portfolio(Id=request.physical_id)


@resource_type("AWS::ServiceCatalog::CloudFormationProduct")
class CloudFormationProduct(Handler):
    refused = frozenset({"SourceConnection"})

    def create(self, request: Request) -> Made:
        client, artifacts = request.client(_SERVICE), _artifacts(request.properties)
        if not artifacts:
            raise ResourceFailed("ProvisioningArtifactParameters must name at least one artifact")
        plain = {"ProductType": "CLOUD_FORMATION_TEMPLATE"} | _plain(request)
        answer = client.create_product(
            **convert.parameters(client, "CreateProduct", plain),
            ProvisioningArtifactParameters=_artifact(client, artifacts[0]),
            Tags=_pairs(_own(request.tags)),
            IdempotencyToken=request.token,
        )
        identifier = answer["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
        first = answer["ProvisioningArtifactDetail"]
        made = [(first["Id"], first.get("Name", ""))]
        with left_behind(_product(request, identifier, made)):
            for index, item in enumerate(artifacts[1:], 1):
                made.append(self._add(request, identifier, item, index))
        return _product(request, identifier, made)

    def update(self, request: Request) -> Made:
        client, identifier = request.client(_SERVICE), request.physical_id
        if request.changed("ProductType"):
            raise ResourceFailed("The ProductType of a product cannot be changed")
        plain = {key: item for key, item in _plain(request).items() if key != "ProductType"}
        client.update_product(
            Id=identifier,
            **convert.parameters(client, "UpdateProduct", plain),
            AddTags=_pairs(_own(request.tags_added)),
            RemoveTags=request.tags_removed,
        )
        ids = request.attributes["ProvisioningArtifactIds"].split(",")
        names = request.attributes["ProvisioningArtifactNames"].split(",")
        made = self._artifacts(request, list(zip(ids, names, strict=True)))
        return _product(request, identifier, made)

    def _artifacts(self, request: Request, made: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Versions of the product: by position, as CloudFormation holds them.

        A version whose template changed is replaced where ReplaceProvisioningArtifacts says so; otherwise a
        new version is made and the old one deleted, which is what AWS does to a changed artifact, too.
        """
        client = request.client(_SERVICE)
        had, wanted = _artifacts(request.previous), _artifacts(request.properties)
        result: list[tuple[str, str]] = []
        gone = made[len(wanted) :]
        for index, item in enumerate(wanted):
            if index >= len(made):
                result.append(self._add(request, request.physical_id, item, index))
            elif item == had[index]:
                result.append(made[index])
            elif item["Info"] == had[index]["Info"] and not request.properties.get(
                "ReplaceProvisioningArtifacts"
            ):
                changed = {key: item[key] for key in ("Name", "Description") if key in item}
                client.update_provisioning_artifact(
                    ProductId=request.physical_id, ProvisioningArtifactId=made[index][0], **changed
                )
                result.append((made[index][0], item.get("Name", made[index][1])))
            else:
                result.append(self._add(request, request.physical_id, item, index))
                gone.append(made[index])
        for identifier, _ in gone:
            with unless_missing():
                client.delete_provisioning_artifact(
                    ProductId=request.physical_id, ProvisioningArtifactId=identifier
                )
        return result

    def _add(self, request: Request, product: str, item: dict[str, Any], index: int) -> tuple[str, str]:
        client = request.client(_SERVICE)
        detail = client.create_provisioning_artifact(
            ProductId=product,
            Parameters=_artifact(client, item),
            IdempotencyToken=f"{request.token}-{index}-{_digest(item)}",
        )["ProvisioningArtifactDetail"]
        return detail["Id"], detail.get("Name", "")

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client(_SERVICE).delete_product(Id=request.physical_id)


def _digest(item: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:16]


def _plain(request: Request) -> dict[str, Any]:
    apart = ("Tags", "ProvisioningArtifactParameters", "ReplaceProvisioningArtifacts")
    return {key: item for key, item in request.properties.items() if key not in apart}


def _artifacts(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return properties.get("ProvisioningArtifactParameters", [])


def _artifact(client: Any, item: dict[str, Any]) -> dict[str, Any]:
    info = item["Info"]
    info = json.loads(info) if isinstance(info, str) else info
    shape = convert.member_shape(client, "CreateProduct", "ProvisioningArtifactParameters")
    return convert.value(shape, {"Type": "CLOUD_FORMATION_TEMPLATE"} | item | {"Info": info})


def _product(request: Request, identifier: str, made: list[tuple[str, str]]) -> Made:
    return Made(
        identifier,
        {
            "Id": identifier,
            "ProductName": request.properties["Name"],
            "ProvisioningArtifactIds": ",".join(key for key, _ in made),
            "ProvisioningArtifactNames": ",".join(name for _, name in made),
        },
    )


class Association(Handler):
    """Associations: every property is create-only, the keys together are the physical id."""

    keys: tuple[str, ...]
    associate: str
    disassociate: str

    def create(self, request: Request) -> Made:
        client = request.client(_SERVICE)
        convert.call(client, self.associate, convert.parameters(client, self.associate, request.properties))
        return Made("|".join(request.properties[key] for key in self.keys))

    def update(self, request: Request) -> Made:
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        client = request.client(_SERVICE)
        shape = client.meta.service_model.operation_model(self.disassociate).input_shape
        plain = {key: item for key, item in request.properties.items() if key in shape.members}
        with unless_missing():
            convert.call(client, self.disassociate, plain)


@resource_type("AWS::ServiceCatalog::PortfolioProductAssociation")
class PortfolioProductAssociation(Association):
    keys = ("PortfolioId", "ProductId")
    associate, disassociate = "AssociateProductWithPortfolio", "DisassociateProductFromPortfolio"


@resource_type("AWS::ServiceCatalog::PortfolioPrincipalAssociation")
class PortfolioPrincipalAssociation(Association):
    keys = ("PortfolioId", "PrincipalARN")
    associate, disassociate = "AssociatePrincipalWithPortfolio", "DisassociatePrincipalFromPortfolio"


@resource_type("AWS::ServiceCatalog::LaunchRoleConstraint")
class LaunchRoleConstraint(Handler):
    def create(self, request: Request) -> Made:
        answer = request.client(_SERVICE).create_constraint(
            PortfolioId=request.properties["PortfolioId"],
            ProductId=request.properties["ProductId"],
            Type="LAUNCH",
            IdempotencyToken=request.token,
            **self._content(request),
        )
        identifier = answer["ConstraintDetail"]["ConstraintId"]
        return Made(identifier, {"Id": identifier})

    def update(self, request: Request) -> Made:
        request.client(_SERVICE).update_constraint(Id=request.physical_id, **self._content(request))
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client(_SERVICE).delete_constraint(Id=request.physical_id)

    def _content(self, request: Request) -> dict[str, Any]:
        names = [name for name in ("RoleArn", "LocalRoleName") if name in request.properties]
        role = {name: request.properties[name] for name in names}
        described = request.properties.get("Description")
        return {
            "Parameters": json.dumps(role),
            **({"Description": described} if described else {}),
            **_language(request),
        }


@resource_type("AWS::ServiceCatalog::TagOption")
class TagOption(Handler):
    def create(self, request: Request) -> Made:
        client, wanted = request.client(_SERVICE), request.properties
        pair = {"Key": wanted["Key"], "Value": wanted["Value"]}
        found = client.list_tag_options(Filters=pair)["TagOptionDetails"] if request.resumed else []
        detail = found[0] if found else client.create_tag_option(**pair)["TagOptionDetail"]
        if wanted.get("Active") is False:
            client.update_tag_option(Id=detail["Id"], Active=False)
        return Made(detail["Id"], {"Id": detail["Id"]})

    def update(self, request: Request) -> Made:
        active = request.properties.get("Active", True)
        request.client(_SERVICE).update_tag_option(Id=request.physical_id, Active=active)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client(_SERVICE).delete_tag_option(Id=request.physical_id)


@resource_type("AWS::ServiceCatalog::TagOptionAssociation")
class TagOptionAssociation(Association):
    keys = ("TagOptionId", "ResourceId")
    associate, disassociate = "AssociateTagOptionWithResource", "DisassociateTagOptionFromResource"

    def create(self, request: Request) -> Made:
        with unless_resumed(request.resumed):
            return super().create(request)
        return Made("|".join(request.properties[key] for key in self.keys))
