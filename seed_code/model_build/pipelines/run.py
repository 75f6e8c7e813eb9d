"""Build the pipeline from this commit, run it, and fail if it fails: `python -m pipelines.run`.

`python -m pipelines.run --definition` only prints the definition.
"""

import argparse
import gc
import json
import logging
import os
import sys

import boto3
from botocore.config import Config

from pipelines import execution
from pipelines.settings import Settings
from pipelines.staging import Staging

RETRIES = Config(retries={"mode": "standard", "max_attempts": 10})


def main() -> None:
    """Define, put, start, follow. Exit code 1 if the execution did not succeed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--definition", action="store_true", help="print the pipeline's definition and stop")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    session = boto3.Session(region_name=settings.region)
    definition = define(settings, session)
    if arguments.definition:
        print(json.dumps(json.loads(definition), indent=2))
        return
    sagemaker = session.client("sagemaker", config=RETRIES)
    show(f"pipeline {execution.put_pipeline(sagemaker, settings, definition)}")
    arn = execution.start(sagemaker, settings)
    show(f"execution {arn} ({settings.execution_name})")
    try:
        steps = execution.follow(sagemaker, arn, show)
    except execution.ExecutionFailed as error:
        sys.exit(str(error))
    show(f"registered {execution.registered(steps) or 'no model'}")


def define(settings: Settings, session: boto3.Session) -> str:
    """The pipeline's definition, made once: the SDK's upsert would make it, and upload, twice."""
    # The SDK makes a client while it loads, which asks for the region under this name.
    os.environ.setdefault("AWS_DEFAULT_REGION", settings.region)
    # It also tells, line by line, where it looked for defaults.
    logging.disable(logging.WARNING)
    # The SDK allocates objects by the hundred thousand while it loads and works, hardly any of them garbage:
    # looking for it takes a quarter of the time, and again at the end of this process.
    gc.disable()
    from pipelines.definition import build
    from pipelines.session import ArtifactSession

    staging = Staging(session.client("s3"), settings.bucket, settings.kms_key_arn, settings.account)
    definition = build(settings, ArtifactSession(session, settings.bucket), staging).definition()
    gc.freeze()
    gc.enable()
    return definition


def show(line: str) -> None:
    """Print at once: build logs are read live."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
