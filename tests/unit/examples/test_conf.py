"""The settings without counters differ from the job's own in the counters alone, so that figures can be compared."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.load import load_job

CONF = Path(__file__).resolve().parents[3] / "examples" / "conf"


def test_the_job_without_counters_is_the_job_less_its_counters() -> None:
    whole, without = load_job("homework", CONF), load_job("homework", CONF / "no-counters")
    counters = [name for name, feature in whole.features.items() if feature.counter is not None]
    assert counters
    rest = {name: feature for name, feature in whole.features.items() if name not in counters}
    assert without.model_dump() == whole.model_copy(update={"features": rest}).model_dump()


def test_the_job_of_quality_is_the_job_and_what_is_made_of_bags() -> None:
    whole, more = load_job("homework", CONF), load_job("homework", CONF / "quality")
    added = {name: f for name, f in more.features.items() if f.bag_counter is not None or f.collaborative is not None}
    rest = {name: feature for name, feature in more.features.items() if name not in added}
    assert rest == whole.features
    assert more.inputs("counters") == whole.inputs("din")
    assert more.inputs("wide") == more.inputs("counters") | set(added)
    assert (more.tables, more.ranking, more.history, more.spaces) == (
        whole.tables, whole.ranking, whole.history, whole.spaces,
    )  # fmt: skip
