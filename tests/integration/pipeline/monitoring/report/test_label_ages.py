"""A task that waits for its labels, through the line: what it is taught when, and its calibration by labels of then and
now."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.monitoring.report.label_ages import label_ages
from pipeline.storage.artifacts.artifact import Artifact, parse_id
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.storage.files import write_atomic
from pipeline.training.chain import Chain
from pipeline.training.records import CheckpointRecord
from tests import tiny
from tests.tiny import FIRST, LAST, SECOND, Place

pytestmark = pytest.mark.slow
WAIT = 2
"""Days; of the day of the outage nothing is trained, so that the next one has what that would have had."""


def with_watched(rows: pa.Table, every: int) -> pa.Table:
    """Impressions with a second label: of the clicked ones every so many is watched."""
    clicked, watched = 0, []
    for click in rows["is_click"].to_pylist():
        clicked += str(click) == "1"
        watched.append(int(str(click) == "1" and clicked % every == 0))
    return rows.append_column("watched", pa.array(watched))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A job whose second task waits for two days; of the second day half of what is watched has not come."""
    tiny.generate(tmp_path)
    place, found = Place(tmp_path), tiny.settings("ads")
    found["tables"]["impressions"]["columns"]["watched"] = {
        "type": "int", "required": True, "allowed": [0, 1], "change": "outcome"
    }  # fmt: skip
    found["tasks"] = {
        "click": {"label": "is_click"},
        "watched": {"label": "watched", "given": "click", "late": {"wait_days": WAIT}},
    }
    found["labels"] = {"delay_days": WAIT}
    pooled = found["experiments"]["pooled"]
    pooled.pop("loss")
    found["experiments"], found["release"]["champion"] = {"pooled": pooled}, "pooled"
    found.pop("measures", None)
    place.configure("ads", found)
    return place


def _features_of(checkpoint: Artifact) -> set[Day]:
    """The days whose rows a checkpoint was trained on."""
    refs = (parse_id(each.id)[0] for each in checkpoint.manifest.inputs)
    return {ref.day for ref in refs if ref.kind == FEATURES}


def test_a_day_teaches_what_waits_when_its_labels_have_come_and_nothing_twice(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {day: place.shows(day) for day in (FIRST, SECOND, LAST)}
    for day, rows in shown.items():
        place.show(day, with_watched(rows, 4 if day == SECOND else 2))
    place.good("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")
    trained = {day: place.artifact("checkpoint", day, "pooled") for day in (FIRST, SECOND, LAST)}
    read = {day: _features_of(each) for day, each in trained.items()}
    assert read == {FIRST: {FIRST}, SECOND: {SECOND}, LAST: {FIRST, SECOND, LAST}}
    losses = {day: CheckpointRecord.of(each).losses or {} for day, each in trained.items()}
    assert (losses[FIRST]["watched"], losses[SECOND]["watched"]) == (0.0, 0.0)
    assert losses[LAST]["watched"] > 0

    # As if the day had been read on the next one.
    early = place.artifact("extract", SECOND)
    early.manifest.extra["read_at"] = (SECOND.end("Asia/Shanghai") + timedelta(hours=1)).isoformat()
    write_atomic(early.path / "manifest.json", early.manifest.to_json())
    place.show(SECOND, with_watched(shown[SECOND], 2))
    place.good("mature", "--job", "ads")
    place.good("stage", "validate", "--job", "ads", "--day", SECOND)
    place.good("stage", "update_id_maps", "--job", "ads", "--day", SECOND)
    place.good("stage", "build_features", "--job", "ads", "--day", SECOND)
    for name, value in place.variables().items():
        monkeypatch.setenv(name, value)
    tainted = dict(Chain.of(JobContext.open("ads"), "pooled").tainted())
    assert list(tainted) == [LAST], "the day itself was taught nothing of what has come"
    (told,) = [each for each in label_ages(JobContext.open("ads"), LAST) if each.day == SECOND]
    assert (told.task, told.tested_at) == ("watched", 1)
    assert told.now_at > 100
    assert told.tested is not None
    assert told.now is not None
    assert told.tested / told.now == pytest.approx(2, rel=0.1), "half of what is watched had not come"

    place.good("rechain", "--job", "ads", "--publish", "none")
    again = {day: place.artifact("checkpoint", day, "pooled") for day in trained}
    assert again[SECOND].id == trained[SECOND].id, "it was not taught what has come since"
    assert again[LAST].manifest.digest != trained[LAST].manifest.digest
    assert _features_of(again[LAST]) == {FIRST, SECOND, LAST}
    assert not Chain.of(JobContext.open("ads"), "pooled").tainted()
    assert place.good("audit", "--job", "ads").code == 0
