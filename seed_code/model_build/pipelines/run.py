"""Build the pipeline from this commit, run it, and fail if it fails: `python -m pipelines.run`.

`python -m pipelines.run --definition` only prints the definition.
"""

import argparse
import gc
import json
import logging
import sys

# The SDK's modules allocate objects by the hundred thousand while they load, none of them garbage.
gc.disable()

import boto3
from botocore.config import Config

from pipelines import definition, execution
from pipelines.session import ArtifactSession
from pipelines.settings import Settings
from pipelines.staging import Staging

gc.freeze()
gc.enable()
logging.getLogger("sagemaker").setLevel(logging.ERROR)
RETRIES = Config(retries={"mode": "standard", "max_attempts": 10})


def main():
    """Define, put, start, follow. Exit code 1 if the execution did not succeed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--definition", action="store_true", help="print the pipeline's definition and stop")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    session = boto3.Session(region_name=settings.region)
    staging = Staging(session.client("s3"), settings.bucket, settings.kms_key_arn, settings.account)
    pipeline = definition.build(settings, ArtifactSession(session, settings.bucket), staging)
    # Made once: the SDK's upsert would build it twice and upload its code twice.
    document = pipeline.definition()
    if arguments.definition:
        print(json.dumps(json.loads(document), indent=2))
        return
    sagemaker = session.client("sagemaker", config=RETRIES)
    show(f"pipeline {execution.put_pipeline(sagemaker, settings, document)}")
    arn = execution.start(sagemaker, settings)
    show(f"execution {arn} ({settings.execution_name})")
    try:
        steps = execution.follow(sagemaker, arn, show)
    except execution.ExecutionFailed as error:
        sys.exit(str(error))
    show(f"registered {execution.registered(steps) or 'no model'}")


def show(line):
    """Print at once: build logs are read live."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
