"""The buildspec parser: what the reference allows is read as written, everything else is refused with its line."""

from __future__ import annotations

import string
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.codebuild.buildspec import PHASES, parse
from sandbox.services.codebuild.yaml_file import YamlFileError

names = st.text(string.ascii_letters + "_", min_size=1, max_size=12).filter(
    lambda n: not n.startswith("CODEBUILD_")
)
commands = st.lists(
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\x85\u2028\u2029\ufeff"
        ),
        min_size=1,
    ),
    min_size=1,
    max_size=4,
)
phases = st.dictionaries(
    st.sampled_from(PHASES),
    st.fixed_dictionaries(
        {"commands": commands},
        optional={"finally": commands, "on-failure": st.sampled_from(["ABORT", "CONTINUE"])},
    ),
    min_size=1,
)
files = st.lists(st.sampled_from(["**/*", "a.txt", "dist/*", "*.json"]), min_size=1)
output = st.fixed_dictionaries(
    {"files": files},
    optional={"name": names, "discard-paths": st.booleans(), "base-directory": names, "exclude-paths": files},
)
specs = st.fixed_dictionaries(
    {"version": st.just(0.2), "phases": phases},
    optional={
        "env": st.fixed_dictionaries(
            {},
            optional={
                "variables": st.dictionaries(names, st.text(string.printable.strip())),
                "parameter-store": st.dictionaries(names, names),
                "exported-variables": st.lists(names),
                "shell": st.sampled_from(["sh", "bash"]),
                "git-credential-helper": st.booleans(),
            },
        ),
        "artifacts": output,
        "cache": st.fixed_dictionaries({"paths": files}),
    },
)


@given(specs)
def test_what_is_written_is_what_is_read(spec: dict[str, Any]) -> None:
    read = parse(yaml.safe_dump(spec, allow_unicode=True))
    assert set(read.phases) == set(spec["phases"])
    for name, phase in spec["phases"].items():
        assert list(read.phases[name].commands) == phase["commands"]
        assert list(read.phases[name].finally_commands) == phase.get("finally", [])
        assert read.phases[name].on_failure == phase.get("on-failure")
    env = spec.get("env", {})
    assert read.variables == env.get("variables", {})
    assert list(read.exported_variables) == env.get("exported-variables", [])
    assert read.shell == env.get("shell", "sh")
    if "artifacts" in spec:
        assert read.artifacts
        assert list(read.artifacts.files) == spec["artifacts"]["files"]
        assert read.artifacts.discard_paths == spec["artifacts"].get("discard-paths", False)
    else:
        assert read.artifacts is None


def mappings(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of the mappings whose keys are fixed."""
    if not isinstance(value, dict) or (path and path[-1] in ("variables", "parameter-store")):
        return []
    return [path, *(p for name, child in value.items() for p in mappings(child, (*path, name)))]


@given(specs, st.data())
def test_an_unknown_key_anywhere_is_refused_with_its_line(spec: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(mappings(spec)))
    target = spec
    for name in path:
        target = target[name]
    target["no-such-key"] = "x"
    text = yaml.safe_dump(spec, allow_unicode=True)
    line = next(n for n, content in enumerate(text.splitlines(), 1) if "no-such-key:" in content)
    with pytest.raises(YamlFileError, match=f"Unknown key 'no-such-key'.* at line {line}"):
        parse(text)


@given(st.text())
def test_any_text_is_read_or_refused_never_a_crash(text: str) -> None:
    try:
        parse(text)
    except YamlFileError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'version: 0.2\nphases:\n  build:\n    commands:\n      - echo "Hello: world"\n',
            "Expected Commands[0] to be of string type: found subkeys instead at line 5, "
            "value of the key tag on line 4 might be empty",
        ),
        (
            "version: 0.2\nphases:\n\tbuild: x\n",
            "found character '\\t' that cannot start any token at line 3",
        ),
        (
            "version: 0.2\nphases:\n  build: {commands: [a]}\n  build: {commands: [b]}\n",
            'mapping key "build" already defined at line 3, again at line 4',
        ),
        (
            "version: 0.3\nphases: {build: {commands: [a]}}\n",
            "Unsupported buildspec version '0.3', expected 0.2 at line 1",
        ),
        ("version: 0.2\n", "Missing phases: a buildspec needs at least one phase"),
        ("version: 0.2\nphases: {build: {finally: [a]}}\n", "Missing commands of phases.build at line 2"),
        (
            "version: 0.2\nphases:\n  build:\n    runtime-versions: {python: 3.11}\n    commands: [a]\n",
            "Unknown key 'runtime-versions' of phases.build at line 4. The following keys are known: run-as, on-failure, commands, finally",
        ),
        (
            "version: 0.2\nenv:\n  secrets-manager: {A: b}\nphases: {build: {commands: [a]}}\n",
            "The key 'env.secrets-manager' is not implemented in the sandbox at line 3",
        ),
        (
            "version: 0.2\nphases: {build: {commands: [a]}}\nreports: {x: {files: [a]}}\n",
            "The key 'reports' is not implemented in the sandbox at line 3",
        ),
        (
            "version: 0.2\nphases: {build: {commands: [a], on-failure: RETRY-2}}\n",
            "on-failure RETRY-2 is not implemented in the sandbox at line 2",
        ),
        (
            "version: 0.2\nenv: {variables: {CODEBUILD_X: 1}}\nphases: {build: {commands: [a]}}\n",
            "The prefix CODEBUILD_ is reserved: 'CODEBUILD_X' of env.variables at line 2",
        ),
        (
            "version: 0.2\nphases: {build: {commands: [a]}}\nartifacts: {name: x}\n",
            "Missing files of artifacts at line 3",
        ),
        ("", "YAML file is empty"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(YamlFileError) as refusal:
        parse(text)
    assert str(refusal.value) == message


def test_anchors_and_numbers_are_read_as_written() -> None:
    spec = parse(
        "version: 0.2\nenv:\n  variables: {A: 1.10, B: yes}\n"
        "phases:\n  build: &same\n    commands: [echo, 1]\n  post_build: *same\n"
    )
    assert spec.variables == {"A": "1.10", "B": "yes"}
    assert spec.phases["post_build"].commands == ("echo", "1")
