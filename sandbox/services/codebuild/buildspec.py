"""The buildspec file, version 0.2.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
Strict: a key that the reference does not name is refused with its line; a key that is documented but not
implemented here is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from sandbox.services.codebuild.yaml_file import Value, YamlFileError, read

PHASES = ("install", "pre_build", "build", "post_build")
SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash")

_TOP = ("version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache")
_ENV = (
    "shell",
    "variables",
    "parameter-store",
    "secrets-manager",
    "exported-variables",
    "git-credential-helper",
)
_PHASE = ("run-as", "on-failure", "runtime-versions", "commands", "finally")
_OUTPUT = (
    "files",
    "name",
    "discard-paths",
    "base-directory",
    "exclude-paths",
    "enable-symlinks",
    "s3-prefix",
)
_CACHE = ("key", "fallback-keys", "action", "paths")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RUNTIMES = ("android", "docker", "dotnet", "golang", "java", "nodejs", "php", "python", "ruby")


@dataclass(frozen=True)
class Phase:
    """`on_failure`: None follows the documented transitions of phases."""

    commands: tuple[str, ...] = ()
    finally_commands: tuple[str, ...] = ()
    on_failure: str | None = None
    runtime_versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """What one artifact consists of."""

    files: tuple[str, ...]
    name: str | None = None
    discard_paths: bool = False
    base_directory: str | None = None
    exclude_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Buildspec:
    shell: str = "sh"
    variables: dict[str, str] = field(default_factory=dict)
    parameter_store: dict[str, str] = field(default_factory=dict)
    exported_variables: tuple[str, ...] = ()
    git_credential_helper: bool = False
    phases: dict[str, Phase] = field(default_factory=dict)
    artifacts: Output | None = None
    secondary_artifacts: dict[str, Output] = field(default_factory=dict)
    cache_paths: tuple[str, ...] = ()

    @property
    def runtime_versions(self) -> dict[str, str]:
        return self.phases["install"].runtime_versions if "install" in self.phases else {}


def parse(text: str) -> Buildspec:
    """YamlFileError for anything that CodeBuild, or this sandbox, does not take."""
    top = read(text).mapping(_TOP)
    _version(top.get("version"))
    _not_implemented(top, ("run-as", "proxy", "reports"))
    # `batch` is read by StartBuildBatch only; StartBuild runs the same file as one build.
    env = top["env"].mapping(_ENV) if "env" in top and not top["env"].empty else {}
    _not_implemented(env, ("secrets-manager",))
    main, secondary = _artifacts(top.get("artifacts"))
    return Buildspec(
        shell=env["shell"].one_of(SHELLS).removeprefix("/bin/") if "shell" in env else "sh",
        variables=_variables(env.get("variables")),
        parameter_store=_variables(env.get("parameter-store")),
        exported_variables=_exported(env.get("exported-variables")),
        git_credential_helper="git-credential-helper" in env and env["git-credential-helper"].boolean(),
        phases=_phases(top.get("phases")),
        artifacts=main,
        secondary_artifacts=secondary,
        cache_paths=_cache(top.get("cache")),
    )


def _version(value: Value | None) -> None:
    if value is None:
        raise YamlFileError("Missing version: expected version 0.2")
    if value.string() != "0.2":
        raise value.error(f"Unsupported buildspec version '{value.string()}', expected 0.2")


def _not_implemented(entries: dict[str, Value], names: Collection[str]) -> None:
    for name in names:
        if name in entries:
            raise entries[name].error(f"The key '{entries[name].path}' is not implemented in the sandbox")


def _variables(value: Value | None) -> dict[str, str]:
    if value is None or value.empty:
        return {}
    for name, entry in value.mapping().items():
        if not _NAME.match(name):
            raise entry.error(f"Invalid environment variable name '{name}' of {value.path}")
        if name.startswith("CODEBUILD_"):
            raise entry.error(f"The prefix CODEBUILD_ is reserved: '{name}' of {value.path}")
    return value.string_map()


def _exported(value: Value | None) -> tuple[str, ...]:
    if value is None or value.empty:
        return ()
    for entry in value.sequence():
        if not _NAME.match(entry.string()):
            raise entry.error(f"Invalid environment variable name '{entry.string()}' of {value.path}")
    return tuple(value.strings())


def _phases(value: Value | None) -> dict[str, Phase]:
    if value is None:
        raise YamlFileError("Missing phases: a buildspec needs at least one phase")
    entries = value.mapping(PHASES)
    if not entries:
        raise value.error("Expected phases to name at least one phase")
    return {name: _phase(name, entries[name]) for name in PHASES if name in entries}


def _phase(name: str, value: Value) -> Phase:
    known = [key for key in _PHASE if key != "runtime-versions" or name == "install"]
    entries = value.mapping(known)
    _not_implemented(entries, ("run-as",))
    if "commands" not in entries and "runtime-versions" not in entries:
        raise value.error(f"Missing commands of {value.path}")
    on_failure = None
    if "on-failure" in entries:
        on_failure = entries["on-failure"].string()
        if on_failure.startswith("RETRY"):
            raise entries["on-failure"].error(f"on-failure {on_failure} is not implemented in the sandbox")
        on_failure = entries["on-failure"].one_of(("ABORT", "CONTINUE"))
    return Phase(
        _commands("Commands", entries.get("commands")),
        _commands("Finally", entries.get("finally")),
        on_failure,
        _runtimes(entries.get("runtime-versions")),
    )


def _commands(label: str, value: Value | None) -> tuple[str, ...]:
    if value is None or value.empty:
        return ()
    commands = []
    for index, entry in enumerate(value.sequence()):
        try:
            commands.append(entry.string())
        except YamlFileError:
            raise YamlFileError(
                f"Expected {label}[{index}] to be of string type: found subkeys instead at line "
                f"{entry.line}, value of the key tag on line {entry.line - 1} might be empty"
            ) from None
    return tuple(commands)


def _runtimes(value: Value | None) -> dict[str, str]:
    if value is None or value.empty:
        return {}
    for name, entry in value.mapping().items():
        if name not in _RUNTIMES:
            known = ", ".join(_RUNTIMES)
            raise entry.error(
                f"Unknown runtime named '{name}'. This build image has the following runtimes: {known}"
            )
    return value.string_map()


def _artifacts(value: Value | None) -> tuple[Output | None, dict[str, Output]]:
    if value is None or value.empty:
        return None, {}
    entries = value.mapping((*_OUTPUT, "secondary-artifacts"))
    secondary: dict[str, Output] = {}
    if "secondary-artifacts" in entries:
        for name, entry in entries["secondary-artifacts"].mapping().items():
            if not re.fullmatch(r"[A-Za-z0-9_]{1,100}", name):
                raise entry.error(f"Invalid artifact identifier '{name}'")
            secondary[name] = _output(entry, entry.mapping(_OUTPUT))
    if secondary and "files" not in entries:
        return None, secondary
    return _output(value, {name: entry for name, entry in entries.items() if name in _OUTPUT}), secondary


def _output(value: Value, entries: dict[str, Value]) -> Output:
    _not_implemented(entries, ("enable-symlinks", "s3-prefix"))
    if "files" not in entries:
        raise value.error(f"Missing files of {value.path}")
    files = entries["files"].strings()
    if not files:
        raise entries["files"].error(f"Expected {value.path}.files to name at least one file")
    return Output(
        files=tuple(files),
        name=entries["name"].string() if "name" in entries else None,
        discard_paths="discard-paths" in entries and entries["discard-paths"].boolean(),
        base_directory=entries["base-directory"].string() if "base-directory" in entries else None,
        exclude_paths=tuple(entries["exclude-paths"].strings()) if "exclude-paths" in entries else (),
    )


def _cache(value: Value | None) -> tuple[str, ...]:
    if value is None or value.empty:
        return ()
    entries = value.mapping(_CACHE)
    return tuple(entries["paths"].strings()) if "paths" in entries else ()
