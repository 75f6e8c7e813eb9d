"""What happens inside a build's container: sources, the buildspec's phases, artifacts.

Phase transitions: https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sandbox.engine.clients import Session
from sandbox.services.codebuild import images
from sandbox.services.codebuild.artifacts import Uploader
from sandbox.services.codebuild.buildspec import PHASES, Buildspec, Output, Phase, parse
from sandbox.services.codebuild.environment import (
    ParameterError,
    codebuild_variables,
    prepare_home,
    project_variables,
)
from sandbox.services.codebuild.files import ClientError, collect
from sandbox.services.codebuild.record import BuildRecord, process_key
from sandbox.services.codebuild.shell import BuildEnded, Shell, ShellSettings
from sandbox.services.codebuild.source import Downloader, Stopped
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


class Log(Protocol):
    def write(self, line: str) -> None: ...


@dataclass(frozen=True)
class Container:
    """What a build runs in. `deadline`: epoch seconds at which the build times out."""

    session: Session
    folder: Path
    image: images.Image
    log: Log
    deadline: float


class Agent:
    def __init__(self, build: BuildRecord, container: Container) -> None:
        self.build = build
        self.engine = build.engine
        self.shape = build.shape
        self.session = container.session
        self.folder = container.folder
        self.image = container.image
        self.deadline = container.deadline
        self.source = container.folder / "output" / "src"
        self.line = container.log.write
        self.spec = Buildspec()
        self.sources: dict[str, Path] = {}
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
        home, tools = self.folder / "root", self.folder / "tools"
        try:
            prepare_home(home, tools, self.engine.endpoint_url, self.build.region, git_credentials=True)
            self._download_sources(home, tools)
            self.say("Phase is DOWNLOAD_SOURCE")
            self.say(f"CODEBUILD_SRC_DIR={self.source}")
            self.spec = parse(self._buildspec())
            self.say("Processing environment variables")
            settings = self._shell_settings(home, tools)
            self.say(f"Moving to directory {self.source}")
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

    def _download_sources(self, home: Path, tools: Path) -> None:
        downloader = Downloader(
            self.session, self.engine.processes, process_key(self.build.id), home, tools, self.line
        )
        primary = downloader.get(self.shape["source"], self.shape.get("sourceVersion"), self.source)
        self.sources[""] = primary.folder
        if primary.version:
            self.shape["resolvedSourceVersion"] = primary.version
            self.build.save()
        versions = {
            v["sourceIdentifier"]: v["sourceVersion"] for v in self.shape.get("secondarySourceVersions", [])
        }
        for index, source in enumerate(self.shape.get("secondarySources", [])):
            identifier = source["sourceIdentifier"]
            folder = self.folder / "output" / f"src{index}"
            self.sources[identifier] = downloader.get(source, versions.get(identifier), folder).folder

    def _buildspec(self) -> str:
        """Inline, at a path in the source, or an object in S3."""
        given = self.shape["source"].get("buildspec") or "buildspec.yml"
        if "\n" in given:
            self.say(f"YAML location is {self.folder / 'readonly' / 'buildspec.yml'}")
            return str(given)
        if given.startswith("arn:aws:s3:::"):
            target = self.folder / "buildspec"
            downloader = Downloader(
                self.session,
                self.engine.processes,
                process_key(self.build.id),
                self.folder,
                self.folder,
                self.line,
            )
            downloader.get({"type": "S3", "location": given}, None, target)
            path = next(target.iterdir())
        else:
            path = (self.source / given).resolve()
            if not path.is_relative_to(self.source.resolve()) or not path.is_file():
                raise YamlFileError(f"stat {self.source / given}: no such file or directory")
        self.say(f"YAML location is {path}")
        return path.read_text(errors="replace")

    def _shell_settings(self, home: Path, tools: Path) -> ShellSettings:
        from sandbox.runtimes.build import build_environment

        defined = self.shape["environment"].get("environmentVariables", [])
        variables = project_variables(defined, self.spec, self.session)
        version = images.python_version(self.image, self.spec.runtime_versions)
        if "python" in self.spec.runtime_versions:
            self.say(f"Selecting 'python' runtime version '{version}' based on manual selections...")
        else:
            self.say("No runtime version selected in buildspec.")
        python = build_environment(self.folder / "python", version)
        prepare_home(
            home,
            tools,
            self.engine.endpoint_url,
            self.build.region,
            git_credentials=self.spec.git_credential_helper,
        )
        path = f"{python.bin}:/usr/local/bin:/usr/bin:/bin:{tools}"
        environment = {"PATH": path, "VIRTUAL_ENV": str(python.path)}
        environment |= variables
        environment |= codebuild_variables(self.shape, self.sources)
        environment |= self.session.environment() | {"HOME": str(home)}
        return ShellSettings(
            program=self.spec.shell,
            tmp=self.folder / "output" / "tmp",
            cwd=self.source,
            env=environment,
            timeout=max(self.deadline - self.engine.clock.now(), 1.0),
            log=self.line,
        )

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
        files = collect(expanded, self.source)
        self.say(f"Found {len(files)} file(s)")
        name = _expand(shell, output.name) if output.name else None
        return Uploader(self.session, self.shape["encryptionKey"], self.shape).upload(target, files, name)

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
