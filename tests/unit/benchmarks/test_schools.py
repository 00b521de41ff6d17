"""Experiments on generated schools: what is printed of them."""

from __future__ import annotations

from benchmarks.schools import PROJECT, reading_only, told
from pipeline.config.load import load_job
from pipeline.evaluation.compare import Standing


def test_a_standing_in_words() -> None:
    assert told(Standing("replay", 9, 0.45, 0.42, 0.03, 0.01, 0.05), "hit_3") == (
        "hit_3 0.420 -> 0.450, +0.0300 [+0.0100, +0.0500] over 9 days: better"
    )
    assert told(Standing("replay", 0), "hit_3") == "no day to compare"


def test_counters_and_histories_that_nobody_reads_are_left_out() -> None:
    config = load_job("homework", PROJECT / "conf")
    read = ("weekday", "chapters", "chapter_history", "own_taken")
    experiments = {"din": config.experiments["din"].model_copy(update={"only": read})}
    found = reading_only(config.model_copy(update={"experiments": experiments})).features
    assert {"teacher", "package", *read, "last_year_chapters"} <= set(found), "keys, what is ranked, and a stand-in"
    assert not {"section_history", "study", "taken", "rank"} & set(found)
    assert list(found) == [name for name in config.features if name in found]
