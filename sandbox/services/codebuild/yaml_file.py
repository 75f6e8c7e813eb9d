"""A YAML file read with the line of each value, so that a mistake is refused where it stands."""

from __future__ import annotations

from collections.abc import Collection

import yaml


class YamlFileError(Exception):
    """What CodeBuild reports as phase context `YAML_FILE_ERROR`."""


class _Loader(yaml.SafeLoader):
    pass


def read(text: str) -> Value:
    """The document's root. YamlFileError for text that is no single YAML document."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" at line {mark.line + 1}" if mark else ""
        raise YamlFileError(f"{error.problem or error.context}{line}") from error
    except yaml.YAMLError as error:
        raise YamlFileError(str(error).splitlines()[0]) from error
    except RecursionError as error:
        raise YamlFileError("YAML file is nested too deeply") from error
    if node is None:
        raise YamlFileError("YAML file is empty")
    return Value(node, "", loader)


class Value:
    """One node: `path` is the way of keys to it, `line` counts from 1."""

    def __init__(self, node: yaml.Node, path: str, loader: _Loader) -> None:
        self.node = node
        self.path = path
        self.line: int = node.start_mark.line + 1
        self._loader = loader

    def error(self, problem: str) -> YamlFileError:
        return YamlFileError(f"{problem} at line {self.line}")

    @property
    def empty(self) -> bool:
        return self.node.tag == "tag:yaml.org,2002:null"

    def mapping(self, known: Collection[str] | None = None) -> dict[str, Value]:
        """The entries of a mapping. `known`: the keys that may stand here, None for any."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(
                f"Expected {self.path or 'the file'} to be a mapping: found {self._kind()} instead"
            )
        self._refuse_duplicates(self.node)
        self._loader.flatten_mapping(self.node)
        entries: dict[str, Value] = {}
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlFileError(f"Expected a key of string type at line {key.start_mark.line + 1}")
            name = key.value
            if known is not None and name not in known:
                where = f" of {self.path}" if self.path else ""
                raise YamlFileError(
                    f"Unknown key '{name}'{where} at line {key.start_mark.line + 1}. "
                    f"The following keys are known: {', '.join(known)}"
                )
            entries[name] = Value(value, f"{self.path}.{name}" if self.path else name, self._loader)
        return entries

    def sequence(self) -> list[Value]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"Expected {self.path} to be a sequence: found {self._kind()} instead")
        return [
            Value(node, f"{self.path}[{index}]", self._loader) for index, node in enumerate(self.node.value)
        ]

    def string(self) -> str:
        """A scalar as it is written; numbers and booleans are not reinterpreted."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"Expected {self.path} to be of string type: found {self._kind()} instead")
        return "" if self.empty else str(self.node.value)

    def strings(self) -> list[str]:
        return [value.string() for value in self.sequence()]

    def string_map(self) -> dict[str, str]:
        return {name: value.string() for name, value in self.mapping().items()}

    def boolean(self) -> bool:
        text = self.string().lower()
        if text not in ("yes", "true", "no", "false"):
            raise self.error(f"Expected {self.path} to be yes or no: found '{text}'")
        return text in ("yes", "true")

    def one_of(self, choices: Collection[str]) -> str:
        text = self.string()
        if text not in choices:
            raise self.error(f"Invalid value '{text}' of {self.path}, expected one of {', '.join(choices)}")
        return text

    def _kind(self) -> str:
        if self.empty:
            return "nothing"
        if isinstance(self.node, yaml.MappingNode):
            return "subkeys"
        return "a list" if isinstance(self.node, yaml.SequenceNode) else "a scalar"

    @staticmethod
    def _refuse_duplicates(node: yaml.MappingNode) -> None:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in lines:
                    first = f"already defined at line {lines[key.value]}"
                    raise YamlFileError(f'mapping key "{key.value}" {first}, again at line {line}')
                lines[key.value] = line
