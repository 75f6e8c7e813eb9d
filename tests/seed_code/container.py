"""The XGBoost container's web application around a model folder, and SageMaker Runtime in front of it.

Run in an environment with the container's libraries, with the model's folder and the folder of its
evaluation: `container.py MODEL JOBS`. Serves as sagemaker-containers' Worker and Transformer do (every
exception of the user's code is a 500) and runs the staging test's checks against it.
"""

import importlib
import importlib.util
import io
import json
import sys
from pathlib import Path

import flask
from botocore.exceptions import ClientError

STAGING_TEST = (
    Path(__file__).resolve().parents[2] / "seed_code" / "model_deploy" / "tests" / "staging_endpoint.py"
)


def application(folder):
    """The container's Flask application."""
    sys.path.insert(0, str(folder / "code"))
    module = importlib.import_module("inference")
    model = module.model_fn(str(folder))
    app = flask.Flask("inference")

    @app.post("/invocations")
    def invocations():
        request = flask.request
        content_type = request.headers.get("Content-Type") or "application/json"
        content = request.get_data(as_text=content_type in ("application/json", "text/csv"))
        accept = request.headers.get("Accept") or "application/json"
        result = module.transform_fn(model, content, content_type, accept)
        return flask.Response(result[0], mimetype=result[1]) if isinstance(result, tuple) else result

    return app


class Runtime:
    """SageMaker Runtime's InvokeEndpoint in front of the application."""

    def __init__(self, app):
        self._client = app.test_client()

    def invoke_endpoint(self, EndpointName, Body, ContentType, Accept):  # noqa: N803
        headers = {"Content-Type": ContentType, "Accept": Accept}
        answer = self._client.post("/invocations", data=Body, headers=headers)
        if answer.status_code != 200:
            message = f"Received error ({answer.status_code}) from primary with message: {answer.get_data(as_text=True)}"
            error = {"Error": {"Code": "ModelError", "Message": message}}
            error |= {
                "OriginalStatusCode": answer.status_code,
                "OriginalMessage": answer.get_data(as_text=True),
            }
            raise ClientError(error, "InvokeEndpoint")
        return {"Body": io.BytesIO(answer.get_data()), "ContentType": answer.content_type}


def main(model, jobs):
    """Run all checks; prints the name of each that failed, with its reason."""
    spec = importlib.util.spec_from_file_location("staging_endpoint", STAGING_TEST)
    staging = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = staging
    spec.loader.exec_module(staging)
    endpoint = staging.StagingEndpoint(Runtime(application(model)), "bikes-p-1-staging")
    held_out = staging.HeldOut.parse((jobs / "holdout" / "holdout.csv").read_text())
    report = json.loads((jobs / "evaluation" / "evaluation.json").read_text())
    rmse = report["regression_metrics"]["rmse"]["value"]
    checks = {
        "quality": lambda: staging.check_quality(endpoint, held_out, rmse),
        "formats": lambda: staging.check_formats(endpoint, held_out),
        "refusals": lambda: staging.check_refusals(endpoint, held_out),
    }
    for name, check in checks.items():
        try:
            check()
        except (staging.CheckFailed, ClientError) as error:
            print(f"FAILED {name}: {error}")
        else:
            print(f"ok {name}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
