"""YAML with merge keys, keys that stand once, and scalars that keep their text where they are not what it says."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from pipeline.config.scalars import kept

_MERGE = "tag:yaml.org,2002:merge"
_VALUE = "tag:yaml.org,2002:value"


class _Loader(yaml.SafeLoader):
    """As ``yaml.SafeLoader``, but nothing is taken for something else, and no key overwrites another, in silence."""


class _QuickLoader(yaml.CSafeLoader):
    """The same by libyaml, in a seventh of the time; of mistakes it says less: not which character, nor which alias."""


def read(text: str) -> Any:
    """What one document says; raises ``yaml.YAMLError``."""
    try:
        return yaml.load(text, Loader=_QuickLoader)
    except yaml.YAMLError:
        return yaml.load(text, Loader=_Loader)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    """A mapping; of merged ones its own keys stand before theirs, and an earlier one of a list before a later one."""
    own: dict[Any, Any] = {}
    merged: list[yaml.MappingNode] | None = None
    for key_node, value_node in node.value:
        if key_node.tag == _MERGE:
            if merged is not None:
                raise _error("the key '<<' stands twice; merge several by a list: <<: [*one, *other]", key_node)
            merged = _merged(value_node)
            continue
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise _error("a list or mapping is no key", key_node)
        if key in own:
            raise _error(f"the key '{key}' stands twice", key_node)
        own[key] = loader.construct_object(value_node, deep=True)
    found: dict[Any, Any] = {}
    for each in reversed(merged or []):
        found.update(loader.construct_object(each, deep=True))
    # An own key that overrides stands where the merged one did.
    return {**found, **own}


def _merged(node: yaml.Node) -> list[yaml.MappingNode]:
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for each in nodes:
        if not isinstance(each, yaml.MappingNode):
            raise _error("'<<' merges a mapping, or a list of mappings", each)
    return list(nodes)


def _error(problem: str, node: yaml.Node) -> ConstructorError:
    return ConstructorError(None, None, problem, node.start_mark)


def _scalar(read: Callable[[Any, Any], Any]) -> Callable[[_Loader, yaml.ScalarNode], Any]:
    def construct(loader: _Loader, node: yaml.ScalarNode) -> Any:
        try:
            meaning = read(loader, node)
        except ValueError:  # such as the day 2024-02-30
            meaning = node.value
        return kept(node.value, meaning) if not node.style else meaning

    return construct


for _loader in (_Loader, _QuickLoader):
    _loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
    for _kind in ("null", "bool", "int", "float", "timestamp", "str"):
        _tag = f"tag:yaml.org,2002:{_kind}"
        _loader.add_constructor(_tag, _scalar(yaml.SafeLoader.yaml_constructors[_tag]))
    # The text "=", which PyYAML cannot read.
    _loader.add_constructor(_VALUE, lambda loader, node: str(node.value))
