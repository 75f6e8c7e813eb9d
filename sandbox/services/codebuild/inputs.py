"""What a build starts from: its sources, its buildspec, and the variables of its shell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.clients import Session
from sandbox.services.codebuild import images
from sandbox.services.codebuild.buildspec import Buildspec
from sandbox.services.codebuild.environment import (
    codebuild_variables,
    prepare_home,
    project_variables,
)
from sandbox.services.codebuild.masking import MaskedLog
from sandbox.services.codebuild.record import BuildRecord, process_key
from sandbox.services.codebuild.shell import ShellSettings
from sandbox.services.codebuild.source import Downloader
from sandbox.services.codebuild.yaml_file import YamlFileError


@dataclass(frozen=True)
class Container:
    """What a build runs in. `deadline`: epoch seconds at which the build times out."""

    session: Session
    folder: Path
    image: images.Image
    log: MaskedLog
    deadline: float


class Inputs:
    """`source`: the folder of the primary source, in `folder`, all that is the build's own. `say`: writes a
    line of CodeBuild's own to the log."""

    def __init__(self, build: BuildRecord, container: Container, say: Callable[[str], None]) -> None:
        self.source = container.folder / "output" / "src"
        self._build = build
        self._container = container
        self.folder = container.folder
        self._say = say
        self._home, self._tools = container.folder / "root", container.folder / "tools"
        self._sources: dict[str, Path] = {}
        self._downloader = Downloader(
            container.session,
            build.engine.processes,
            process_key(build.id),
            self._home,
            self._tools,
            container.log.write,
        )

    def download(self) -> None:
        """Gets every source; files.ClientError for one that cannot be had, source.Stopped if interrupted."""
        self._prepare_home(git_credentials=True)
        shape = self._build.shape
        primary = self._downloader.get(shape["source"], shape.get("sourceVersion"), self.source)
        self._sources[""] = primary.folder
        if primary.version:
            shape["resolvedSourceVersion"] = primary.version
            self._build.save()
        versions = {
            v["sourceIdentifier"]: v["sourceVersion"] for v in shape.get("secondarySourceVersions", [])
        }
        for index, source in enumerate(shape.get("secondarySources", [])):
            identifier = source["sourceIdentifier"]
            folder = self.folder / "output" / f"src{index}"
            self._sources[identifier] = self._downloader.get(source, versions.get(identifier), folder).folder

    def buildspec(self) -> str:
        """Inline, at a path in the source, or an object in S3."""
        given = self._build.shape["source"].get("buildspec") or "buildspec.yml"
        if "\n" in given:
            self._say(f"YAML location is {self.folder / 'readonly' / 'buildspec.yml'}")
            return str(given)
        if given.startswith("arn:aws:s3:::"):
            target = self.folder / "buildspec"
            self._downloader.get({"type": "S3", "location": given}, None, target)
            path = next(target.iterdir())
        else:
            path = (self.source / given).resolve()
            if not path.is_relative_to(self.source.resolve()) or not path.is_file():
                raise YamlFileError(f"stat {self.source / given}: no such file or directory")
        self._say(f"YAML location is {path}")
        return path.read_text(errors="replace")

    def shell_settings(self, spec: Buildspec) -> ShellSettings:
        """What the shell starts with; environment.ParameterError, YamlFileError for an unknown runtime."""
        from sandbox.runtimes.build import build_environment

        build, session, image = self._build, self._container.session, self._container.image
        defined = build.shape["environment"].get("environmentVariables", [])
        variables, secrets = project_variables(defined, spec, session)
        self._container.log.hide(secrets.values())
        version = images.python_version(image, spec.runtime_versions)
        if "python" in spec.runtime_versions:
            self._say(f"Selecting 'python' runtime version '{version}' based on manual selections...")
        else:
            self._say("No runtime version selected in buildspec.")
        python = build_environment(self.folder / "python", version)
        self._prepare_home(git_credentials=spec.git_credential_helper)
        path = f"{python.bin}:/usr/local/bin:/usr/bin:/bin:{self._tools}"
        environment = {"PATH": path, "VIRTUAL_ENV": str(python.path)}
        environment |= variables | secrets
        environment |= codebuild_variables(build.shape, self._sources)
        environment |= session.environment() | {"HOME": str(self._home)}
        return ShellSettings(
            program=spec.shell,
            folder=self.folder,
            tmp=self.folder / "output" / "tmp",
            cwd=self.source,
            env=environment,
            timeout=max(self._container.deadline - build.engine.clock.now(), 1.0),
            log=self._container.log.write,
        )

    def _prepare_home(self, *, git_credentials: bool) -> None:
        build = self._build
        prepare_home(
            self._home,
            self._tools,
            build.engine.endpoint_url,
            build.region,
            git_credentials=git_credentials,
        )
