"""What happens inside a build's container: sources, the buildspec's phases, artifacts.

Phase transitions: https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.services.codebuild.artifacts import Uploader
from sandbox.services.codebuild.buildspec import PHASES, Buildspec, Output, Phase, parse
from sandbox.services.codebuild.environment import ParameterError
from sandbox.services.codebuild.files import ClientError, collect
from sandbox.services.codebuild.inputs import Container, Inputs
from sandbox.services.codebuild.record import BuildRecord, process_key
from sandbox.services.codebuild.shell import BuildEnded, Shell, ShellSettings
from sandbox.services.codebuild.source import Stopped
from sandbox.services.codebuild.yaml_file import YamlFileError


class Interrupted(Exception):
    """The sandbox stops while the build runs; its task runs again at the next start."""


class PhaseFailed(Exception):
    """The current phase ended otherwise than SUCCEEDED, and no further one follows."""

    def __init__(self, status: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Agent:
    def __init__(self, build: BuildRecord, container: Container) -> None:
        self.build = build
        self.engine = build.engine
        self.shape = build.shape
        self.session = container.session
        self.line = container.log.write
        self.inputs = Inputs(build, container, self.say)
        self.spec = Buildspec()
        self.status = "SUCCEEDED"

    def run(self) -> str:
        """From DOWNLOAD_SOURCE to FINALIZING; the build's status."""
        try:
            self._build()
        except PhaseFailed as failure:
            self._end_phase(failure.status, failure.code, failure.message)
        self.build.begin("FINALIZING")
        self._end_phase("SUCCEEDED")
        return self.status

    def say(self, text: str) -> None:
        """A line of CodeBuild's own in the log."""
        now = datetime.fromtimestamp(self.engine.clock.now(), UTC)
        self.line(f"[Container] {now:%Y/%m/%d %H:%M:%S.%f} {text}")

    def _build(self) -> None:
        settings = self._download()
        try:
            with Shell(self.engine.processes, process_key(self.build.id), settings) as shell:
                check_stop(self.build)
                if self._run_phases(shell):
                    self._upload(shell)
                self._export(shell)
        except BuildEnded as ended:
            raise self._ended(ended) from ended

    def _ended(self, ended: BuildEnded) -> Exception:
        if ended.exit.timed_out:
            return PhaseFailed("TIMED_OUT", "BUILD_TIMED_OUT", "Build has timed out. ")
        check_stop(self.build)
        if ended.exit.stopped:
            return Interrupted(self.build.id)
        return PhaseFailed(
            "FAILED", "CLIENT_ERROR", f"The build's shell ended with exit status {ended.exit.code}"
        )

    # DOWNLOAD_SOURCE

    def _download(self) -> ShellSettings:
        self.build.begin("DOWNLOAD_SOURCE")
        self.say("Running on CodeBuild On-demand")
        self.say("Waiting for DOWNLOAD_SOURCE")
        try:
            self.inputs.download()
            self.say("Phase is DOWNLOAD_SOURCE")
            self.say(f"CODEBUILD_SRC_DIR={self.inputs.source}")
            self.spec = parse(self.inputs.buildspec())
            self.say("Processing environment variables")
            settings = self.inputs.shell_settings(self.spec)
            self.say(f"Moving to directory {self.inputs.source}")
        except YamlFileError as error:
            raise PhaseFailed("FAILED", "YAML_FILE_ERROR", str(error)) from error
        except ClientError as error:
            raise PhaseFailed("FAILED", "CLIENT_ERROR", str(error)) from error
        except Stopped as stopped:
            check_stop(self.build)
            raise Interrupted(self.build.id) from stopped
        except ParameterError as error:
            raise PhaseFailed("FAILED", "Decrypted Variables Error", str(error)) from error
        self._end_phase("SUCCEEDED")
        return settings

    # INSTALL to POST_BUILD

    def _run_phases(self, shell: Shell) -> bool:
        """Whether the build goes on to its artifacts."""
        for name in PHASES:
            phase = self.spec.phases.get(name, Phase())
            self.build.begin(name.upper())
            self.say(f"Entering phase {name.upper()}")
            failed = self._run_commands(shell, phase)
            if failed is None:
                self._end_phase("SUCCEEDED")
                continue
            command, code = failed
            shell.set("CODEBUILD_BUILD_SUCCEEDING", "0")
            message = f"Error while executing command: {command}. Reason: exit status {code}"
            self._end_phase("FAILED", "COMMAND_EXECUTION_ERROR", message)
            if phase.on_failure == "ABORT":
                return False
            if phase.on_failure is None and name in ("install", "pre_build"):
                return False
        return True

    def _run_commands(self, shell: Shell, phase: Phase) -> tuple[str, int] | None:
        """The first command that failed and its exit status; `finally` commands run in any case."""
        failed = None
        for block in (phase.commands, phase.finally_commands):
            for command in block:
                self.say(f"Running command {command}")
                code = shell.run(command)
                if code:
                    self.line("")
                    self.say(f"Command did not exit successfully {command} exit status {code}")
                    failed = failed or (command, code)
                    shell.set("CODEBUILD_BUILD_SUCCEEDING", "0")
                    break
        return failed

    # UPLOAD_ARTIFACTS

    def _upload(self, shell: Shell) -> None:
        self.build.begin("UPLOAD_ARTIFACTS")
        targets = self._targets()
        try:
            for identifier, (output, target) in targets.items():
                shape = self._upload_one(shell, output, target)
                if identifier:
                    self.shape["secondaryArtifacts"].append(shape)
                else:
                    self.shape["artifacts"] = shape
        except ClientError as error:
            self._end_phase("FAILED", "CLIENT_ERROR", str(error))
        else:
            self._end_phase("SUCCEEDED")

    def _targets(self) -> dict[str, tuple[Output, dict[str, Any]]]:
        """What to upload where, by artifact identifier ("" for the primary one)."""
        targets: dict[str, tuple[Output, dict[str, Any]]] = {}
        primary = self.build.settings["artifacts"]
        # A pipeline's artifacts of several outputs are all secondary: the primary one has no place to go to.
        if self.spec.artifacts and primary["type"] != "NO_ARTIFACTS" and primary.get("location"):
            targets[""] = (self.spec.artifacts, primary)
        self.shape["secondaryArtifacts"] = []
        secondary = {t["artifactIdentifier"]: t for t in self.build.settings["secondaryArtifacts"]}
        for identifier, output in self.spec.secondary_artifacts.items():
            if identifier in secondary:
                targets[identifier] = (output, secondary[identifier])
        return targets

    def _upload_one(self, shell: Shell, output: Output, target: dict[str, Any]) -> dict[str, Any]:
        base = output.base_directory
        self.say(f"Expanding base directory path: {base or '.'}")
        expanded = Output(
            files=tuple(_expand(shell, pattern) for pattern in output.files),
            discard_paths=output.discard_paths,
            base_directory=_expand(shell, base) if base else None,
            exclude_paths=output.exclude_paths,
        )
        self.say("Assembling file list")
        files = collect(expanded, self.inputs.source, self.inputs.folder)
        self.say(f"Found {len(files)} file(s)")
        name = _expand(shell, output.name) if output.name else None
        uploader = Uploader(self.session, self.inputs.folder, self.shape["encryptionKey"], self.shape)
        return uploader.upload(target, files, name)

    def _export(self, shell: Shell) -> None:
        values = shell.values(self.spec.exported_variables)
        self.shape["exportedEnvironmentVariables"] = [{"name": n, "value": v} for n, v in values.items()]

    def _end_phase(self, status: str, code: str = "", message: str = "") -> None:
        self.say(f"Phase complete: {self.shape['currentPhase']} State: {status}")
        self.say(f"Phase context status code: {code} Message: {message}")
        self.build.complete(status, code, message)
        if status != "SUCCEEDED" and self.status in ("SUCCEEDED", "FAILED"):
            self.status = status


def check_stop(build: BuildRecord) -> None:
    """PhaseFailed if StopBuild was called."""
    if build.stop_requested:
        raise PhaseFailed("STOPPED", "BUILD_STOPPED", "Build was stopped")


def _expand(shell: Shell, text: str) -> str:
    return shell.expand(text) if any(mark in text for mark in "$`") else text
