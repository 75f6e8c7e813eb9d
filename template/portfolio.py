"""`PortfolioStack`: the portfolio, its products, who sees them, and what launching them may do."""

import hashlib
from collections.abc import Sequence

from aws_cdk import Aws, CfnOutput, CfnTag, LegacyStackSynthesizer, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

from project.arns import Arns
from project.boundary import boundary_name, boundary_statements
from project.hub import hub_bucket_name
from template.hub import https_url, template_key
from template.launch_role import launch_activities, launch_role_name
from template.products.model import DESCRIPTION

STACK_NAME = "sagemaker-templates-portfolio"
OWNER = "SageMaker MLOps templates"
STUDIO_VISIBILITY = "sagemaker:studio-visibility"
"""Tag of products and S3 templates that Studio shows."""


class PortfolioStack(Stack):
    """What an account needs, once a region, to offer the templates in Studio."""

    def __init__(
        self, scope: Construct, construct_id: str, *, versions: Sequence[str], principals: Sequence[str]
    ) -> None:
        """`versions` of template `model` to offer, oldest first; `principals`: ARNs of who may launch."""
        super().__init__(
            scope,
            construct_id,
            stack_name=STACK_NAME,
            description="Portfolio of SageMaker project templates",
            # Who runs `cdk deploy` does it under their own name: no bootstrap, and no role but theirs.
            synthesizer=LegacyStackSynthesizer(),
            analytics_reporting=False,
        )
        self.arns = Arns(partition=Aws.PARTITION, region=Aws.REGION, account=Aws.ACCOUNT_ID)
        boundary = self._boundary()
        launch_role = self._launch_role(boundary)
        portfolio = servicecatalog.CfnPortfolio(
            self,
            "Portfolio",
            display_name="SageMaker project templates",
            provider_name=OWNER,
            description="Projects that build, train and deploy models",
        )
        product = self._product("model", DESCRIPTION, versions)
        self._offer(portfolio, product, launch_role)
        self._give_access(portfolio, principals)
        self._output("PortfolioId", portfolio.ref)
        self._output("ModelProductId", product.ref)
        self._output("LaunchRoleArn", launch_role.attr_arn)
        self._output("BoundaryArn", boundary.attr_policy_arn)

    def _boundary(self) -> iam.CfnManagedPolicy:
        return iam.CfnManagedPolicy(
            self,
            "Boundary",
            managed_policy_name=boundary_name(Aws.REGION),
            description="The most that a role of a SageMaker project may do",
            policy_document={"Version": "2012-10-17", "Statement": boundary_statements(self.arns)},
        )

    def _launch_role(self, boundary: iam.CfnManagedPolicy) -> iam.CfnRole:
        """Service Catalog assumes it; for templates in S3, SageMaker hands it to CloudFormation.

        Neither is documented to tell a source account when it assumes the role, so the trust asks for none;
        who names the role in a constraint or a stack needs iam:PassRole on it.
        """
        services = ["cloudformation.amazonaws.com", "servicecatalog.amazonaws.com"]
        statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        role = iam.CfnRole(
            self,
            "LaunchRole",
            role_name=launch_role_name(Aws.REGION),
            description="Brings up, changes and deletes SageMaker projects",
            assume_role_policy_document=trust,
            policies=[
                iam.CfnRole.PolicyProperty(policy_name=activity.name, policy_document=activity.document)
                for activity in launch_activities(self.arns)
            ],
        )
        role.add_resource_dependency(boundary)
        return role

    def _product(
        self, template: str, description: str, versions: Sequence[str]
    ) -> servicecatalog.CfnCloudFormationProduct:
        bucket = hub_bucket_name(Aws.ACCOUNT_ID, Aws.REGION)
        artifacts = [
            servicecatalog.CfnCloudFormationProduct.ProvisioningArtifactPropertiesProperty(
                name=version,
                description=f"{template} {version}",
                info={
                    "LoadTemplateFromURL": https_url(
                        bucket, Aws.REGION, Aws.URL_SUFFIX, template_key(template, version)
                    )
                },
            )
            for version in versions
        ]
        return servicecatalog.CfnCloudFormationProduct(
            self,
            "ModelProduct",
            name=f"sagemaker-{template}",
            owner=OWNER,
            description=description,
            provisioning_artifact_parameters=artifacts,
            tags=[CfnTag(key=STUDIO_VISIBILITY, value="true")],
        )

    def _offer(
        self,
        portfolio: servicecatalog.CfnPortfolio,
        product: servicecatalog.CfnCloudFormationProduct,
        launch_role: iam.CfnRole,
    ) -> None:
        association = servicecatalog.CfnPortfolioProductAssociation(
            self, "ModelInPortfolio", portfolio_id=portfolio.ref, product_id=product.ref
        )
        constraint = servicecatalog.CfnLaunchRoleConstraint(
            self,
            "ModelLaunch",
            portfolio_id=portfolio.ref,
            product_id=product.ref,
            role_arn=launch_role.attr_arn,
            description="Projects are launched by the launch role, not by their users",
        )
        constraint.add_resource_dependency(association)

    def _give_access(self, portfolio: servicecatalog.CfnPortfolio, principals: Sequence[str]) -> None:
        """Named by the principal's hash: another order, or another principal more, replaces none."""
        for principal in sorted(set(principals)):
            digest = hashlib.sha256(principal.encode()).hexdigest()[:16]
            servicecatalog.CfnPortfolioPrincipalAssociation(
                self,
                f"Principal{digest}",
                portfolio_id=portfolio.ref,
                principal_arn=principal,
                principal_type="IAM",
            )

    def _output(self, logical_id: str, value: str) -> None:
        CfnOutput(self, f"Output{logical_id}", value=value).override_logical_id(logical_id)
