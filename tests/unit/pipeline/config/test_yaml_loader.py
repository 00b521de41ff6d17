"""Merge keys by YAML's own rules, keys that stand once, a place for what is shared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config import yaml_loader
from pipeline.config.load import parse_job
from pipeline.config.yaml_loader import read
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]
ADS = (ROOT / "conf" / "ads.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{<<: *a, y1: 3}", {"x": 1, "y1": 3}),
        ("{y1: 3, <<: *a}", {"x": 1, "y1": 3}),  # own keys stand, wherever the merge does
        ("{<<: [*a, *b]}", {"x": 1, "y1": 2, "z": 9}),  # an earlier one stands before a later one
        ("{<<: [*b, *a]}", {"x": 7, "y1": 2, "z": 9}),
        ("{<<: *c}", {"x": 5, "y1": 2, "w": {"x": 1, "y1": 2}}),  # what was merged is merged on
        ("{<<: {x: 0}}", {"x": 0}),
        ("{w: {v: 1}, <<: *c}", {"x": 5, "y1": 2, "w": {"v": 1}}),  # mappings in it are not merged
        ("{'<<': 1}", {"<<": 1}),
    ],
)
def test_merge_keys(text: str, expected: dict[str, Any]) -> None:
    anchors = "a: &a {x: 1, y1: 2}\nb: &b {x: 7, z: 9}\nc: &c {<<: *a, x: 5, w: *a}\n"
    assert read(f"{anchors}d: {text}")["d"] == expected
    assert read(anchors + "d: {e: [{<<: *a}, {<<: *a, x: 2}]}")["d"] == {"e": [{"x": 1, "y1": 2}, {"x": 2, "y1": 2}]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: {x: 1, x: 2}", "the key 'x' stands twice"),
        ("a: &a {x: 1}\nb: {<<: *a, z: 1, z: 2}", "the key 'z' stands twice"),
        ("a: &a {x: 1, x: 2}\nb: {<<: *a}", "the key 'x' stands twice"),
        ("a: &a {x: 1}\nb: &b {z: 1}\nc: {<<: *a, <<: *b}", "'<<' stands twice; merge several by a list"),
        ("a: &a [1]\nb: {<<: *a}", "'<<' merges a mapping"),
        ("a: &a {x: 1}\nb: {<<: [*a, 3]}", "'<<' merges a mapping"),
        ("a: &a {<<: *a}", "recursive"),
        ("{[1]: 2}", "a list or mapping is no key"),
    ],
)
def test_what_cannot_be_merged_is_told(text: str, told: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        read(text)
    assert told in str(caught.value)


def test_settings_are_shared_without_copying_them() -> None:
    """The same job: by an anchor in place, and by a section of one's own for what is shared."""
    settings = yaml.safe_load(ADS)
    shared = {"batch": 128, "dim": 4}
    for each in settings["experiments"].values():
        each.update(shared)
    expected = parse_job(yaml.safe_dump(settings, sort_keys=False), Path("ads.yaml"))
    experiments = {name: {"<<": 0, **each} for name, each in yaml.safe_load(ADS)["experiments"].items()}
    for each in experiments.values():
        for name in shared:
            each.pop(name, None)
    text = yaml.safe_dump({**settings, "experiments": experiments}, sort_keys=False)
    text = "x-small: &small {batch: 128, dim: 4}\n" + text.replace("'<<': 0", "<<: *small")
    found = parse_job(text, Path("ads.yaml"))
    assert found == expected
    assert found.stage_settings("train", "din") == expected.stage_settings("train", "din")
    with pytest.raises(ConfigError, match="small: no such setting"):
        parse_job(text.replace("x-small:", "small:"), Path("ads.yaml"))


def test_a_piece_that_is_shared_is_checked_where_it_is_used() -> None:
    text = "x-countries: &countries [SE, NO]\n" + ADS.replace("timezone:", "dirty_days: *countries\ntimezone:", 1)
    with pytest.raises(ConfigError, match="dirty_days: NO is read as false by YAML; write it in quotes"):
        parse_job(text, Path("ads.yaml"))


@pytest.mark.parametrize("path", sorted((ROOT / "conf").rglob("*.yaml")), ids=lambda path: path.parent.name + path.stem)
def test_what_libyaml_reads_is_what_is_read_without_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    slow = yaml.load(text, Loader=yaml_loader._Loader)
    assert slow == read(text)
    assert list(map(type, _leaves(slow))) == list(map(type, _leaves(read(text))))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each[1])
    else:
        yield value


def test_a_mistake_is_told_with_the_character_and_the_name() -> None:
    for text, told in (("a:\n\t- b", r"found character '\\t'"), ("a: *x", "undefined alias 'x'")):
        with pytest.raises(yaml.YAMLError, match=told):
            read(text)
