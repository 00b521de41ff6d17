from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.features import FeatureSettings
from pipeline.errors import ConfigError
from pipeline.features.plan.declared import columns_of, one_space, split_source
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import shows

FRAMES = ("row", "study")


def columns(source: Any, **settings: Any) -> tuple[tuple[str, str], ...]:
    declared = {"kind": "bag", "side": "request", "space": "tag", "source": source, **settings}
    return columns_of("new", FeatureSettings.model_validate(declared), FRAMES, bare=("study",))


def test_sources_are_frames_and_columns() -> None:
    assert columns(["row.a", "row.b.c"]) == (("row", "a"), ("row", "b.c"))
    assert columns("study", kind="dense", space=None, size=2) == (("study", ""),)
    assert split_source("row.b.c") == ("row", "b.c")


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("user.a", {}, r"'user\.a' is not <frame>.<column> with one of the frames row, study"),
        ("row", {}, "'row' is not <frame>.<column>"),
        (["row.a", "study.b"], {}, "of one frame"),
        (["row.a", "row.b"], {"kind": "dense", "space": None, "size": 3}, "3, but `source` names 2 columns"),
    ],
)
def test_a_source_of_no_frame_or_of_several_is_refused(source: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"features.new.*{message}"):
        columns(source, **settings)


def test_the_space_of_a_column_is_that_of_the_feature_that_is_it_as_it_is() -> None:
    features = Plan(shows.config()).features
    assert features.space_of("row", "place", "some.setting") == "place"
    with pytest.raises(ConfigError, match=r"some\.setting: 'seconds' needs a feature .* source: row\.seconds"):
        features.space_of("row", "seconds", "some.setting")


def test_what_is_mapped_in_two_spaces_is_refused() -> None:
    assert one_space({None, "a"}, "x") == "a"
    assert one_space({None}, "x") is None
    with pytest.raises(ConfigError, match="x is mapped in several id spaces: a, b"):
        one_space({"a", "b"}, "x")
