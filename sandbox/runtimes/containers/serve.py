"""A serving container's entrypoint: `serve.py FRAMEWORK OPT_ML READY [SOCKET]`.

Loads the user's module (SAGEMAKER_PROGRAM in SAGEMAKER_SUBMIT_DIRECTORY) and its model, listens on a free
port of 127.0.0.1 (or on the file SOCKET) and prints `READY <port or file>`. Whatever goes wrong before that
ends the process with the error.
"""

import importlib
import os
import shutil
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# A little above InvokeEndpoint's own limit of 6,291,456 bytes, which its caller enforces.
MAXIMUM_BODY = 8 * 2**20


def fetch_code(uri, code):
    """Puts the submit directory (S3 archive, folder, archive or file) where the container has its code."""
    uri = uri[len("file://") :] if uri.startswith("file://") else uri
    if os.path.isdir(uri):
        return uri
    os.makedirs(code, exist_ok=True)
    if uri.startswith("s3://"):
        import boto3

        bucket, _, key = uri[5:].partition("/")
        with tempfile.TemporaryFile() as archive:
            boto3.client("s3").download_fileobj(bucket, key, archive)
            archive.seek(0)
            with tarfile.open(fileobj=archive, mode="r:gz") as tar:
                tar.extractall(code, filter="data")
    elif tarfile.is_tarfile(uri):
        with tarfile.open(uri, "r:gz") as tar:
            tar.extractall(code, filter="data")
    else:
        shutil.copy2(uri, code)
    return code


def install_requirements(code):
    """What the code needs beside the runtime goes into a folder of this process's own."""
    requirements = os.path.join(code, "requirements.txt")
    if not os.path.isfile(requirements):
        return
    import subprocess

    result = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-r", requirements], cwd=code, check=False
    )
    if result.returncode:
        raise SystemExit(f"InstallModuleError: {requirements} could not be installed")
    importlib.invalidate_caches()


def load_module(opt_ml):
    program = os.environ.get("SAGEMAKER_PROGRAM")
    if not program:
        raise SystemExit(
            "SAGEMAKER_PROGRAM is not set: the sandbox does not implement the built-in algorithm's server"
        )
    submit = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or os.path.join(opt_ml, "model", "code")
    code = fetch_code(submit, os.path.join(opt_ml, "code"))
    install_requirements(code)
    sys.path.insert(0, code)
    return importlib.import_module(program[: -len(".py")] if program.endswith(".py") else program)


def main(framework, opt_ml, ready, path=None):
    # One thread a prediction, as the container sets it: small requests lose more to switching than they win.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from sandbox_serving.server import Server
    from sandbox_serving.transformer import JSON, Transformer

    defaults = importlib.import_module(f"sandbox_serving.{framework}_defaults").DEFAULTS
    # Not a place for the user's imports: a module of theirs may be called as one of ours.
    sys.path.remove(HERE)
    module = load_module(opt_ml)
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
    transformer = Transformer(module, defaults, os.path.join(opt_ml, "model"), accept)
    server = Server(transformer, MAXIMUM_BODY, path)
    print(f"{ready} {server.address}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
