"""A training container's entrypoint: `train.py --root OPT_ML [-- ENTRYPOINT…]`.

Three contracts:
- the SageMaker SDK's version 3: channel `sm_drivers` with sourcecode.json and sm_train.sh, channel `code`.
  Its plain script driver is done here, in one process less; anything else (a command, a distribution) is
  left to the SDK's own sm_train.sh;
- script mode of version 2: hyperparameters sagemaker_program and sagemaker_submit_directory;
- a ContainerEntrypoint of the job's own: run as it is.

A failing script leaves the toolkit's message in /opt/ml/output/failure, unless it wrote one itself.
Standard library only (boto3 for a submit directory in S3), Python 3.9 or later.
"""

import json
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
import threading

TAIL = 40
BASIC_DRIVER = "basic_script_driver.py"
CODE_CHANNEL = "code"
DRIVERS_CHANNEL = "sm_drivers"
CONTAINER_PREFIX = "sagemaker_"


class UserError(Exception):
    """What the person who made the job must change; goes to the failure file as it is."""


def read_json(path):
    with open(path) as file:
        return json.load(file)


def decoded(value):
    """A hyperparameter as the toolkits decode it: JSON if it is JSON, else the text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def encoded(value):
    return value if isinstance(value, str) else json.dumps(value)


class Container:
    """What stands under /opt/ml, and the variables every contract sets from it."""

    def __init__(self, root):
        self.root = root
        self.config = os.path.join(root, "input", "config")
        self.data = os.path.join(root, "input", "data")
        self.failure = os.path.join(root, "output", "failure")
        self.hyperparameters = read_json(os.path.join(self.config, "hyperparameters.json"))
        self.channels = read_json(os.path.join(self.config, "inputdataconfig.json"))
        self.resources = read_json(os.path.join(self.config, "resourceconfig.json"))

    def channel(self, name):
        return os.path.join(self.data, name)

    def user_hyperparameters(self):
        items = self.hyperparameters.items()
        return {key: decoded(value) for key, value in items if not key.startswith(CONTAINER_PREFIX)}

    def variables(self, hyperparameters):
        root, resources = self.root, self.resources
        channels = {name: self.channel(name) for name in self.channels}
        values = {
            "SM_MODEL_DIR": os.path.join(root, "model"),
            "SM_INPUT_DIR": os.path.join(root, "input"),
            "SM_INPUT_DATA_DIR": self.data,
            "SM_INPUT_CONFIG_DIR": self.config,
            "SM_OUTPUT_DIR": os.path.join(root, "output"),
            "SM_OUTPUT_FAILURE": self.failure,
            "SM_OUTPUT_DATA_DIR": os.path.join(root, "output", "data"),
            "SM_LOG_LEVEL": "20",
            "SM_MASTER_ADDR": resources["current_host"],
            "SM_MASTER_PORT": "7777",
            "SM_CHANNELS": list(channels),
            "SM_HPS": hyperparameters,
            "SM_CURRENT_HOST": resources["current_host"],
            "SM_CURRENT_INSTANCE_TYPE": resources["current_instance_type"],
            "SM_HOSTS": resources["hosts"],
            "SM_HOST_COUNT": len(resources["hosts"]),
            "SM_CURRENT_HOST_RANK": resources["hosts"].index(resources["current_host"]),
            "SM_NETWORK_INTERFACE_NAME": resources["network_interface_name"],
            "SM_NUM_CPUS": os.cpu_count() or 1,
            "SM_NUM_GPUS": 0,
            "SM_NUM_NEURONS": 0,
            "SM_RESOURCE_CONFIG": resources,
            "SM_INPUT_DATA_CONFIG": self.channels,
        }
        for name, path in channels.items():
            values["SM_CHANNEL_" + name.upper()] = path
        for name, value in hyperparameters.items():
            values["SM_HP_" + name.upper().replace("-", "_")] = value
        values["SM_TRAINING_ENV"] = {
            "channel_input_dirs": channels,
            "current_host": values["SM_CURRENT_HOST"],
            "current_instance_type": values["SM_CURRENT_INSTANCE_TYPE"],
            "hosts": values["SM_HOSTS"],
            "hyperparameters": hyperparameters,
            "input_config_dir": self.config,
            "input_data_config": self.channels,
            "input_data_dir": self.data,
            "input_dir": values["SM_INPUT_DIR"],
            "job_name": os.environ["TRAINING_JOB_NAME"],
            "log_level": 20,
            "master_addr": values["SM_MASTER_ADDR"],
            "master_port": 7777,
            "model_dir": values["SM_MODEL_DIR"],
            "network_interface_name": values["SM_NETWORK_INTERFACE_NAME"],
            "num_cpus": values["SM_NUM_CPUS"],
            "num_gpus": 0,
            "num_neurons": 0,
            "output_data_dir": values["SM_OUTPUT_DATA_DIR"],
            "resource_config": resources,
        }
        return {name: encoded(value) for name, value in values.items()}


def driver_script(container):
    """The SDK's sm_train.sh if the job has one, else None."""
    script = os.path.join(container.channel(DRIVERS_CHANNEL), "sm_train.sh")
    return script if os.path.isfile(script) else None


def is_plain_driver(script):
    """Whether sm_train.sh does no more than run the entry script."""
    with open(script) as file:
        text = file.read()
    return BASIC_DRIVER in text and "tar -xzf" not in text and "cat requirements.txt" not in text


def run_driver(container):
    """What sm_train.sh and basic_script_driver.py do: the entry script, hyperparameters as arguments."""
    source = read_json(os.path.join(container.channel(DRIVERS_CHANNEL), "sourcecode.json"))
    entry = source["entry_script"]
    # Not filtered: this contract passes every hyperparameter.
    hyperparameters = {key: decoded(value) for key, value in container.hyperparameters.items()}
    arguments = []
    for name, value in hyperparameters.items():
        arguments += ["--" + name, encoded(value)]
    code = container.channel(CODE_CHANNEL)
    variables = container.variables(hyperparameters)
    variables.update(SM_SOURCE_DIR=code, SM_ENTRY_SCRIPT=entry)
    if source.get("requirements"):
        install_requirements(code, source["requirements"])
    return run_script(container, script_command(entry, arguments), code, variables)


def run_script_mode(container):
    """Script mode of the SageMaker training toolkit."""
    program = decoded(container.hyperparameters.get("sagemaker_program") or os.environ["SAGEMAKER_PROGRAM"])
    submit = container.hyperparameters.get("sagemaker_submit_directory")
    submit = decoded(submit) if submit else os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY")
    code = os.path.join(container.root, "code")
    if submit:
        fetch_code(submit, code)
    hyperparameters = container.user_hyperparameters()
    arguments = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        arguments += [
            ("--" if len(name) > 1 else "-") + name,
            value if isinstance(value, str) else str(value),
        ]
    variables = container.variables(hyperparameters)
    variables.update(
        SM_USER_ENTRY_POINT=program,
        SM_MODULE_NAME=os.path.splitext(program)[0],
        SM_MODULE_DIR=submit or code,
        SM_USER_ARGS=json.dumps(arguments),
        SM_OUTPUT_INTERMEDIATE_DIR=os.path.join(container.root, "output", "intermediate"),
        PYTHONPATH=os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")])),
    )
    if os.path.isfile(os.path.join(code, "requirements.txt")):
        install_requirements(code, "requirements.txt")
    return run_script(container, script_command(program, arguments), code, variables)


def script_command(entry, arguments):
    if entry.endswith(".py"):
        return [sys.executable, entry, *arguments]
    if entry.endswith(".sh"):
        quoted = " ".join(shlex.quote(argument) for argument in arguments)
        return ["/bin/sh", "-c", "chmod +x {0} && ./{0} {1}".format(shlex.quote(entry), quoted)]
    raise UserError(f"Unsupported entry script type: {entry}. Only .py and .sh are supported.")


def fetch_code(uri, code):
    """Puts sourcedir.tar.gz (in S3 or a path of the container) where script mode has it."""
    os.makedirs(code, exist_ok=True)
    if os.path.isdir(uri):
        os.rmdir(code)
        os.symlink(uri, code)
        return
    with tempfile.NamedTemporaryFile(suffix=".tar.gz") as archive:
        path = uri
        if uri.startswith("s3://"):
            import boto3

            bucket, _, key = uri[5:].partition("/")
            boto3.client("s3").download_fileobj(bucket, key, archive)
            archive.flush()
            path = archive.name
        with tarfile.open(path, "r:gz") as tar:
            tar.extractall(code, filter="data")


def install_requirements(code, name):
    """Installs what the code needs beside the runtime (into the job's own folder, see installer/pip)."""
    if not os.path.isfile(os.path.join(code, name)):
        raise UserError(f"InstallRequirementsError: there is no {name} in the source")
    print("Installing requirements", flush=True)
    result = subprocess.run([sys.executable, "-m", "pip", "install", "-r", name], cwd=code)
    if result.returncode:
        raise UserError(f"InstallRequirementsError: {name} could not be installed")


def run_script(container, command, directory, variables):
    print(f"Invoking script with the following command:\n\n{shlex.join(command)}\n", flush=True)
    process = subprocess.Popen(
        command, cwd=directory, env={**os.environ, **variables}, stderr=subprocess.PIPE, bufsize=0
    )
    tail = []
    reader = threading.Thread(target=pass_on, args=(process.stderr, tail))
    reader.start()
    code = process.wait()
    reader.join()
    if code:
        code = code if code > 0 else 128 - code
        message = 'ExecuteUserScriptError:\nExitCode {}\nErrorMessage "{}"\nCommand "{}"'
        report_failure(container, message.format(code, error_message(tail), shlex.join(command)))
    return code


def pass_on(stream, tail):
    for line in stream:
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        tail.append(line.decode(errors="replace").rstrip("\n"))
        del tail[:-TAIL]


def error_message(tail):
    """The exception's own line first (a failure reason is cut at 1,024 characters), then its traceback."""
    start = next((i for i in range(len(tail) - 1, -1, -1) if tail[i].startswith("Traceback")), None)
    if start is None:
        return "\n".join(tail[-5:])
    last = next(
        (i for i in range(start + 1, len(tail)) if tail[i] and not tail[i].startswith(" ")), len(tail)
    )
    return "\n".join(tail[last:] + tail[start + 1 : last])


def report_failure(container, message):
    if not os.path.exists(container.failure):
        os.makedirs(os.path.dirname(container.failure), exist_ok=True)
        with open(container.failure, "w") as file:
            file.write(message)


def run_entrypoint(container, entrypoint):
    """The job's own entrypoint, and the SDK's drivers where they do more than run a script."""
    if container.root != "/opt/ml" and driver_script(container):
        rewrite_drivers(container)
    os.execvp(entrypoint[0], entrypoint)


def rewrite_drivers(container):
    """The SDK's drivers name /opt/ml in code: where it cannot be mounted they are given the real folder."""
    for folder, _, names in os.walk(container.channel(DRIVERS_CHANNEL)):
        for name in names:
            if not name.endswith((".py", ".sh")):
                continue
            path = os.path.join(folder, name)
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace("/opt/ml", container.root))


def main(arguments):
    container = Container(arguments[1])
    entrypoint = arguments[3:]
    try:
        script = driver_script(container)
        if script and is_plain_driver(script) and "sm_train.sh" in " ".join(entrypoint):
            return run_driver(container)
        if entrypoint:
            return run_entrypoint(container, entrypoint)
        if "sagemaker_program" in container.hyperparameters or "SAGEMAKER_PROGRAM" in os.environ:
            return run_script_mode(container)
        raise UserError(
            "the sandbox does not implement the image's built-in algorithm: give the job an entry script "
            "(sagemaker_program) or a ContainerEntrypoint"
        )
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        report_failure(container, str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
