"""Tests of the selection step: which version is picked, and what is written for CloudFormation."""

import json
import re
import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import select_model  # noqa: E402

TEMPLATE = (REPOSITORY / "endpoint.yaml").read_text(encoding="utf-8")
GROUP_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/bikes-p-1"
PROJECT = select_model.Project(
    name="bikes",
    id="p-1",
    model_package_group="bikes-p-1",
    execution_role_arn="arn:aws:iam::123456789012:role/execution",
    bucket="artifacts",
    kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/1",
)


def package(version, status="Completed"):
    return {
        "ModelPackageArn": f"{GROUP_ARN}/{version}",
        "ModelPackageVersion": version,
        "ModelPackageStatus": status,
    }


class Registry:
    """Stands for the SageMaker client: answers with the given pages and keeps the request."""

    def __init__(self, *pages):
        self.pages = pages

    def get_paginator(self, operation):
        assert operation == "list_model_packages"
        return self

    def paginate(self, **request):
        self.request = request
        return [{"ModelPackageSummaryList": list(page)} for page in self.pages]


def config(stage="prod", version=7, template=TEMPLATE, **settings):
    path = REPOSITORY / f"{stage}-config.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["Parameters"] |= settings
    document["Parameters"] = {k: value for k, value in document["Parameters"].items() if value is not None}
    chosen = select_model.Version(f"{GROUP_ARN}/{version}", str(version)) if version else None
    return select_model.stage_config(stage, document, template, PROJECT, chosen)


class NewestApproved(unittest.TestCase):
    def test_highest_version_of_all_pages(self):
        registry = Registry([], [package(9)], [package(10), package(2)])
        self.assertEqual("10", select_model.newest_approved(registry, "bikes-p-1").number)
        self.assertEqual("Approved", registry.request["ModelApprovalStatus"])
        self.assertEqual("bikes-p-1", registry.request["ModelPackageGroupName"])

    def test_none_approved(self):
        self.assertIsNone(select_model.newest_approved(Registry([], []), "bikes-p-1"))

    def test_a_package_that_is_not_complete_is_passed_over(self):
        registry = Registry([package(3, "Failed"), package(2)])
        self.assertEqual("2", select_model.newest_approved(registry, "bikes-p-1").number)

    def test_exports(self):
        version = select_model.Version(f"{GROUP_ARN}/3", "3")
        self.assertIn(f"export MODEL_PACKAGE_ARN={GROUP_ARN}/3\n", select_model.exports(version))
        self.assertIn("export MODEL_PACKAGE_VERSION=none\n", select_model.exports(None))


class StageConfig(unittest.TestCase):
    def test_every_parameter_of_the_template_is_known_and_required_ones_are_given(self):
        declared = dict(re.findall(r"^  (\w+):(.*\n(?:    .*\n)*)", section("Parameters"), re.MULTILINE))
        required = {name for name, body in declared.items() if "Default" not in body}
        for stage in select_model.STAGES:
            given = config(stage)["Parameters"]
            self.assertLessEqual(set(given), set(declared))
            self.assertLessEqual(required, set(given))
            self.assertTrue(all(isinstance(value, str) for value in given.values()))

    def test_names_fit_the_longest_project(self):
        name = f"sagemaker-{'p' * 20}-staging-v{10**6}-{config()['Parameters']['ConfigHash']}"
        self.assertLessEqual(len(name), 63)
        self.assertLessEqual(len(f"{'n' * 32}-{'p' * 20}-staging"), 63)

    def test_without_a_version(self):
        written = config(version=None)
        self.assertNotIn("ModelPackageArn", written["Parameters"])
        self.assertEqual("bikes", written["Tags"]["sagemaker:project-name"])


class ConfigHash(unittest.TestCase):
    def digest(self, **options):
        return config(**options)["Parameters"]["ConfigHash"]

    def test_the_same_settings_have_the_same_name(self):
        self.assertEqual(self.digest(), self.digest())
        self.assertRegex(self.digest(), "^[0-9a-f]{8}$")

    def test_changes_with_whatever_the_configuration_holds(self):
        changed = [
            self.digest(version=8),
            self.digest(stage="staging"),
            self.digest(InstanceType="ml.c5.large"),
            self.digest(MinCapacity="3"),
            self.digest(EnableNetworkIsolation="false"),
            self.digest(DataCaptureSamplingPercentage="10"),
            self.digest(template=TEMPLATE.replace("VariantName: AllTraffic", "VariantName: All", 1)),
            self.digest(InstanceType=None),
            self.digest(
                template=TEMPLATE.replace("Default: ml.m5.large", "Default: ml.m5.xlarge"), InstanceType=None
            ),
        ]
        self.assertEqual(len(changed) + 1, len({self.digest(), *changed}))

    def test_does_not_change_with_what_is_updated_in_place(self):
        same = [
            self.digest(MaxCapacity="9"),
            self.digest(CanaryWaitInSeconds="0"),
            self.digest(ModelLatencyP99Microseconds="100"),
            self.digest(template=TEMPLATE.replace("ScaleInCooldown: 300", "ScaleInCooldown: 30")),
        ]
        self.assertEqual({self.digest()}, set(same))

    def test_a_template_of_another_layout_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "EndpointConfig"):
            self.digest(template=TEMPLATE.replace("\n  EndpointConfig:\n", "\n  Config:\n"))


def section(name):
    return select_model.section(TEMPLATE, rf"{name}:\n(?:(?:  .*)?\n)+")


if __name__ == "__main__":
    unittest.main()
