from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DayspringError
from pipeline.serving.meta import Meta
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.serving.released import DAYS, lived, released


def test_a_release_of_an_earlier_version_is_refused_where_last_year_is_kept_in_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = released(lived(tmp_path, monkeypatch, lessons.config(), DAYS))
    assert parts.meta.config.history.last_year is not None
    fields = {name: text for name, text in parts.of("meta").items() if name != "encoding"}
    with pytest.raises(DayspringError, match=r"published by an earlier version, .* stage publish --job lessons"):
        Meta(fields)
