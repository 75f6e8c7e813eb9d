import re

import pytest

from project.names import PROJECT_ID_PATTERN, PROJECT_NAME_PATTERN, STAGES, Names
from tests.template.synthesised import ACCOUNT, LONGEST_ID, LONGEST_NAME, NAME_OF, filled, model

LONGEST = Names(project=LONGEST_NAME, project_id=LONGEST_ID, account=ACCOUNT)

# https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
LIMITS = {
    "AWS::CodeBuild::Project": 150,
    "AWS::CodeCommit::Repository": 100,
    "AWS::CodePipeline::Pipeline": 100,
    "AWS::Events::Rule": 64,
    "AWS::IAM::Role": 64,
    "AWS::KMS::Alias": 256,
    "AWS::Logs::LogGroup": 512,
    "AWS::S3::Bucket": 63,
    "AWS::SageMaker::ModelPackageGroup": 63,
}


def test_the_longest_names_are_the_longest() -> None:
    assert (len(LONGEST_NAME), len(LONGEST_ID)) == (32, 20)
    assert re.match(PROJECT_NAME_PATTERN, LONGEST_NAME)
    assert re.match(PROJECT_ID_PATTERN, LONGEST_ID)


def test_every_name_in_the_template_keeps_its_limit() -> None:
    named = [resource for resource in filled(model()).values() if resource["Type"] in NAME_OF]
    assert {resource["Type"] for resource in named} == set(LIMITS)
    for resource in named:
        name = resource["Properties"][NAME_OF[resource["Type"]]]
        assert len(name) <= LIMITS[resource["Type"]], name


def test_names_that_pipelines_create_keep_their_limits() -> None:
    assert len(LONGEST.sagemaker_pipeline) <= 256
    for stage in STAGES:
        assert len(LONGEST.endpoint(stage)) <= 63
        assert len(LONGEST.endpoint_stack(stage)) <= 128
        assert len(f"{LONGEST.endpoint_parts}{stage}-v99999-0123abcd") <= 63


def test_names_of_two_projects_never_meet() -> None:
    resources = filled(model(), "movies", "p-1"), filled(model(), "movies", "p-12")
    first, second = (
        {r["Properties"][NAME_OF[r["Type"]]] for r in some.values() if r["Type"] in NAME_OF}
        for some in resources
    )
    assert not first & second


@pytest.mark.parametrize("name", ["Movies", "9lives", "a_b", "a--", "-a", "a-", "", "a.b", "a\n"])
def test_names_that_aws_would_refuse_later_are_refused_at_once(name: str) -> None:
    assert not re.fullmatch(PROJECT_NAME_PATTERN, name)


@pytest.mark.parametrize("name", ["a", "movies", "movie-ratings-2", "a--b"])
def test_names_that_are_fine(name: str) -> None:
    assert re.fullmatch(PROJECT_NAME_PATTERN, name)
