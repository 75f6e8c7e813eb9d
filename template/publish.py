"""Publishing: from these sources to a portfolio that offers the templates, with boto3 alone.

Killed at any point, a rerun finishes: nothing that exists is overwritten but by the same bytes, and the
portfolio's stack, which is what users see, changes last and at once.
"""

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from template import hub, versions
from template.hub_bucket import HubBucket, HubError
from template.seeds import Seed, seed
from template.stack import StackDeployer, StackError
from template.synthesis import SEEDS, Assembly, SynthesisError, sources_digest, synthesise

MODEL = "model"
PORTFOLIO_STACK = "sagemaker-templates-portfolio"
PROVISIONING = "servicecatalog:provisioning=true"
"""Tag of objects that Service Catalog's launch roles may read."""
STUDIO = "sagemaker:studio-visibility=true"
"""Tag of S3 templates that Studio lists."""
URL_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}

Progress = Callable[[str], None]


class PublishError(Exception):
    """Nothing or only a part was published; the message is one line that names the cause."""


def publish(
    session: Any,
    *,
    principals: Sequence[str] = (),
    development: bool = False,
    on_progress: Progress = lambda message: None,
) -> dict[str, Any]:
    """Publish template `model` to the session's account and region.

    session      a boto3 session; its identity needs S3, CloudFormation, IAM and Service Catalog
    principals   ARNs of the users and roles that may launch, such as Studio's execution roles: all of them,
                 as who is left out loses access
    development  publish as a version named by the sources' hash: never refused, and the next publication
                 takes it out of the product again
    on_progress  is told each step, one line each

    Returns what it takes to create a project: version, ids of product, portfolio and artifact, URLs.
    Raises PublishError; the current version published with other bytes is one cause.
    """
    try:
        return _publish(session, sorted(set(principals)), development, on_progress)
    except ClientError as error:
        details = error.response["Error"]
        text = f"{error.operation_name}: {details.get('Code')}: {details.get('Message')}"
        raise PublishError(" ".join(text.split())) from error
    except (
        BotoCoreError,
        FileNotFoundError,
        HubError,
        StackError,
        SynthesisError,
        versions.VersionConflict,
    ) as error:
        raise PublishError(" ".join(str(error).split())) from error


def _publish(session: Any, principals: list[str], development: bool, on_progress: Progress) -> dict[str, Any]:
    account, region, partition = _place(session)
    sources = sources_digest()
    version = versions.development_version(MODEL, sources) if development else versions.CURRENT[MODEL]
    bucket = HubBucket(session, account=account, region=region, partition=partition)
    created = bucket.ensure()
    on_progress(f"hub {bucket.name} {'created' if created else 'is in place'}")
    offered = versions.offered_versions(_published_versions(bucket), version)
    assembly = synthesise(versions=offered, principals=principals, sources=sources)
    on_progress(f"{MODEL} {version} synthesised, sha256 {versions.digest(assembly.model)}")

    def url(key: str) -> str:
        return hub.https_url(bucket.name, region, URL_SUFFIXES.get(partition, "amazonaws.com"), key)

    seeds = _upload_seeds(bucket, on_progress)
    _upload_template(bucket, version, assembly, on_progress)
    portfolio_key = _upload_portfolio(bucket, assembly)
    cloudformation = session.client("cloudformation", region_name=region)
    deployer = StackDeployer(cloudformation, PORTFOLIO_STACK, on_progress)
    outputs = deployer.deploy(url(portfolio_key), {"sagemaker:templates": "portfolio"})
    artifact_id = _artifact_id(session, region, outputs["ModelProductId"], version)
    on_progress(f"{MODEL} {version} is offered to {len(principals)} principal(s)")
    return {
        "account": account,
        "region": region,
        "template": MODEL,
        "version": version,
        "versions": offered,
        "templateSha256": versions.digest(assembly.model),
        "templateUrl": url(hub.template_key(MODEL, version)),
        "studioTemplateUrl": url(hub.studio_template_key(MODEL)),
        "hubBucket": bucket.name,
        "seeds": seeds,
        "stack": PORTFOLIO_STACK,
        "portfolioId": outputs["PortfolioId"],
        "productId": outputs["ModelProductId"],
        "provisioningArtifactId": artifact_id,
        "launchRoleArn": outputs["LaunchRoleArn"],
        "boundaryArn": outputs["BoundaryArn"],
        "principals": principals,
    }


def _place(session: Any) -> tuple[str, str, str]:
    """Account, region and partition of a session."""
    region = session.region_name
    if not region:
        raise PublishError("no region: set AWS_REGION or give the profile one")
    identity = session.client("sts", region_name=region).get_caller_identity()
    return identity["Account"], region, identity["Arn"].split(":")[1]


def _published_versions(bucket: HubBucket) -> list[str]:
    prefix, suffix = hub.template_key(MODEL, "\0").split("\0")
    return [
        key.removeprefix(prefix).removesuffix(suffix) for key in bucket.keys(prefix) if key.endswith(suffix)
    ]


def _upload_seeds(bucket: HubBucket, on_progress: Progress) -> dict[str, str]:
    """Upload the seeds that are not there yet; key by content, so one that is there is the same."""
    there = set(bucket.keys("seeds/"))
    keys = {}
    for folder in map(seed, SEEDS):
        keys[folder.name] = folder.key
        if folder.key not in there:
            _upload_seed(bucket, folder)
            on_progress(f"seed {folder.name} uploaded, {len(folder.content)} bytes")
    return keys


def _upload_seed(bucket: HubBucket, folder: Seed) -> None:
    bucket.write(folder.key, folder.content, content_type="application/zip", tags=PROVISIONING)


def _upload_template(bucket: HubBucket, version: str, assembly: Assembly, on_progress: Progress) -> None:
    """Upload the version's template once and for all, and the newest one for Studio."""
    key = hub.template_key(MODEL, version)
    published = bucket.write_once(key, assembly.model, content_type="application/json", tags=PROVISIONING)
    if published is not None:
        versions.refuse_changed(MODEL, version, published, assembly.model)
    for_studio = hub.studio_template_key(MODEL)
    body = assembly.model_for_studio
    if bucket.read_if_there(for_studio) != body:
        tags = f"{STUDIO}&{PROVISIONING}"
        bucket.write(for_studio, body, content_type="application/yaml", tags=tags)
    on_progress(f"template {key} {'uploaded' if published is None else 'is in place'}")


def _upload_portfolio(bucket: HubBucket, assembly: Assembly) -> str:
    """Upload the portfolio's template under its content's hash and return the key."""
    key = f"portfolio/{versions.digest(assembly.portfolio)}.template.json"
    bucket.write_once(key, assembly.portfolio, content_type="application/json")
    return key


def _artifact_id(session: Any, region: str, product_id: str, version: str) -> str:
    """Id of the version in the product, which CreateProject takes as ProvisioningArtifactId."""
    catalog = session.client("servicecatalog", region_name=region)
    answer = catalog.list_provisioning_artifacts(ProductId=product_id)
    for artifact in answer["ProvisioningArtifactDetails"]:
        if artifact["Name"] == version:
            return artifact["Id"]
    raise PublishError(f"product {product_id} does not offer version {version}")
