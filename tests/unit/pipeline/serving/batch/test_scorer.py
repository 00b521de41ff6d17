"""What a release's rows can be asked; the scores themselves: `tests/integration/test_labelled_rows.py`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.tasks import ONLY
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.plan.plan import Plan
from pipeline.serving.batch.posed_rows import PosedImpressions
from pipeline.serving.batch.scorer import POSED, Scorer
from tests.unit.pipeline.features import shows

DAY = Day.of(2024, 3, 4)


class Nothing:
    """A kind of rows that asks nothing."""

    needed = PosedImpressions.needed

    def __init__(self, meta: Any) -> None:
        self.meta = meta


def scorer(config: JobConfig, monkeypatch: pytest.MonkeyPatch, day: Day | None = None) -> Scorer:
    monkeypatch.setitem(POSED, "impressions", Nothing)  # type: ignore[arg-type]
    meta: Any = SimpleNamespace(config=config, plan=Plan(config), day=DAY)
    release: Any = SimpleNamespace(found=SimpleNamespace(pointer=SimpleNamespace(experiment="pooled")), meta=meta)
    return Scorer(release, day)


def test_a_day_that_the_release_knows_of_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no feature counts anything: means and bins are learnt of all days up to the release's."""
    with pytest.raises(UsageError, match=r"--day 2024-03-04: the release stands at the end of 2024-03-04"):
        scorer(shows.config(), monkeypatch, DAY)
    features = shows.config().model_dump(mode="json")["features"]
    own = {name: each for name, each in features.items() if each.get("counter") is None}
    own = {name: each for name, each in own.items() if not str(each["source"]).startswith("history")}
    with pytest.raises(UsageError, match=r"--day 2024-03-04: the release stands at the end of 2024-03-04"):
        scorer(shows.config(features=own), monkeypatch, DAY)
    without = scorer(shows.config(features=own), monkeypatch, DAY.next())
    assert without.needed == ["user", "ad", "place", "seconds", "recent"]
    assert without.tasks == [ONLY]
    assert without.written == ["logit", "probability"]


def test_features_over_whole_bags_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="is made of whole bags"):
        scorer(shows.with_bags(), monkeypatch)


def test_rows_of_none_have_no_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    found = scorer(shows.config(), monkeypatch).scores(pa.table({"user": []}))
    assert [(name, each.tolist()) for name, each in found.columns.items()] == [("logit", []), ("probability", [])]
    assert all(each.dtype == np.float32 for each in found.logits.values())
