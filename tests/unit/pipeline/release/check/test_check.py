"""The check of a day's exports: what is asked of each, when it may be released, and why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.experiment import Release
from pipeline.errors import ChainError, DayspringError
from pipeline.job import JobContext
from pipeline.release.check import check as module
from pipeline.release.check.check import check_day, check_exports, judged, load_whole
from pipeline.release.check.checker import Checker
from pipeline.storage.artifacts.artifact import Artifact, Ref
from tests.unit.pipeline.release.days import FIRST, commit, context
from tests.unit.pipeline.said import CHECKPOINT

GOOD: dict[str, Any] = {
    "rows": 40, "probability_difference": 1e-6, "logit_difference": 1e-5, "trainer_spread": 2.0, "spread": 0.02,
    "unknown": {"ad": 0.25}, "made_of": CHECKPOINT, "loaded": "variables",
}  # fmt: skip


def reasons(**changed: Any) -> list[str]:
    settings = Release(champion="a", unknown_share_max=0.25, score_spread_min=1e-6)
    return judged({**GOOD, **changed}, settings, CHECKPOINT)


def test_figures_at_their_limits_pass() -> None:
    assert reasons() == []
    assert reasons(spread=200.0) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"rows": 0}, "it has no golden rows to compare with"),
        ({"probability_difference": 1.1e-6}, "its probability differs from the trainer's by 1.1e-06, more than 1e-06"),
        ({"logit_difference": float("nan")}, "its logit differs from the trainer's by nan"),
        ({"unknown": {"ad": 0.26, "user": 0.1}}, "26.0% of the ids of 'ad' over all candidates are unknown to it"),
        ({"spread": 0.019}, "its scores over all candidates vary by 0.019, outside 0.02 … 200"),
        ({"spread": 201.0}, "its scores over all candidates vary by 201, outside 0.02 … 200"),
        (
            {"made_of": "checkpoint/tiny/a/day=2024-02-27/gen=0001"},
            f"it says that it was made of checkpoint/tiny/a/day=2024-02-27/gen=0001, not of {CHECKPOINT}",
        ),
        ({"made_of": None}, f"it says that it was made of None, not of {CHECKPOINT}"),
        ({"spread": 0.0, "trainer_spread": 0.0}, "vary by 0, outside 1e-06 … 1e-06"),
    ],
)
def test_a_figure_beyond_its_limit_blocks(changed: dict[str, Any], reason: str) -> None:
    (found,) = reasons(**changed)
    assert reason in found


def test_a_model_that_cannot_be_called_has_no_other_reason() -> None:
    assert judged({"error": "ValueError: no such op"}, Release(champion="a"), CHECKPOINT) == [
        "it cannot be loaded and called without the project: ValueError: no such op"
    ]


def test_a_job_without_candidates_is_judged_by_its_golden_rows_alone() -> None:
    figures = {name: value for name, value in GOOD.items() if name not in ("spread", "unknown")}
    assert judged(figures, Release(champion="a"), CHECKPOINT) == []


class Answers(Checker):
    """In place of the clean process: gives the figures that it was made with, and keeps what it was asked."""

    def __init__(self, **figures: Any) -> None:
        super().__init__()
        self.figures, self.asked = figures, list[dict[str, Any]]()
        self.started = 0

    def start(self) -> Any:
        self.started += 1

    def check(self, job: Any) -> dict[str, Any]:
        candidates = np.load(job["candidates"]) if "candidates" in job else {}
        self.asked.append({**job, "candidates": {name: values.tolist() for name, values in candidates.items()}})
        return dict(self.figures)


@pytest.fixture
def job(tmp_path: Path) -> JobContext:
    return context(tmp_path, unknown_share_max=0.25)


def answering(here: JobContext, **figures: Any) -> Answers:
    return here.kept(Checker, lambda: Answers(**figures))  # type: ignore[return-value]


def export(here: JobContext, experiment: str = "a") -> Artifact:
    """Two golden rows of the first day, of which the second is made up."""
    with here.store.draft(Ref("export", here.job, FIRST, experiment)) as draft:
        np.savez(draft.path / "golden_inputs.npz", user=np.array([4, 5]), ad=np.array([[7], [8]]))
        np.savez(draft.path / "golden_outputs.npz", special=np.array([False, True]))
        (draft.path / "model").mkdir()
        (draft.path / "model" / "saved_model.pb").write_bytes(b"graph")
        return draft.commit(key="k", digest="d", inputs=[], extra={"checkpoint": CHECKPOINT, "golden_rows": 2})


@pytest.fixture
def two_candidates(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Of 300; how often they were made."""
    made: list[Any] = []

    def items(_: JobContext, day: Any) -> tuple[dict[str, Any], int]:
        made.append(day)
        return {"ad": np.array([70, 71])}, 300

    monkeypatch.setattr(module, "day_items", items)
    return made


def test_each_export_is_asked_with_its_golden_rows_and_the_candidates(
    job: JobContext, two_candidates: list[Any]
) -> None:
    checker = answering(job, **GOOD)
    made = [export(job, name) for name in ("a", "b")]
    done = check_day(job, FIRST)
    assert checker.asked == [
        {
            "model": str(each.path.resolve() / "model"), "inputs": str(each.path.resolve() / "golden_inputs.npz"),
            "outputs": str(each.path.resolve() / "golden_outputs.npz"),
            "candidates": {"user": [4], "ad": [[70, 71]]}, "fields": ["ad"], "count": 300,
        }
        for each in made
    ]  # fmt: skip
    assert two_candidates == [FIRST]
    assert checker.started
    assert [each.ref for each in done] == [Ref("check", job.job, FIRST, name) for name in ("a", "b")]
    assert done[0].manifest.extra == {
        "verdict": "ok", "reasons": [], "figures": GOOD, "export": made[0].id, "checkpoint": CHECKPOINT,
    }  # fmt: skip
    assert [each.id for each in done[0].manifest.inputs] == [made[0].id]


def test_without_candidates_its_golden_rows_are_all(job: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "day_items", lambda *_: ({}, 0))
    checker = answering(job, **GOOD)
    export(job)
    check_day(job, FIRST)
    assert [sorted(name for name, value in asked.items() if value) for asked in checker.asked] == [
        ["inputs", "model", "outputs"]
    ]


def test_what_was_checked_stands_until_a_limit_or_the_export_is_another(
    job: JobContext, two_candidates: list[Any]
) -> None:
    checker = answering(job, **GOOD)
    export(job)
    first = check_day(job, FIRST)
    assert [each.id for each in check_day(job, FIRST)] == [first[0].id]
    assert len(checker.asked) == 1
    commit(job, "state", FIRST)
    assert [each.generation for each in check_day(job, FIRST)] == [2]
    job.config.release.__dict__["unknown_share_max"] = 0.2
    again = check_day(job, FIRST)
    assert [each.generation for each in again] == [3]
    assert again[0].manifest.extra["verdict"] == "block"


def test_what_is_pruned_is_passed_over_and_a_day_without_exports_refused(
    job: JobContext, two_candidates: list[Any]
) -> None:
    with pytest.raises(ChainError, match=r"2024-03-01: no experiment exported a model of this day; run .*--day 2024"):
        check_day(job, FIRST)
    answering(job, **GOOD)
    job.store.prune(export(job))
    second = export(job, "b")
    assert [each.manifest.extra["export"] for each in check_day(job, FIRST)] == [second.id]


def test_a_block_is_recorded_with_figures_that_json_can_hold_and_told(
    job: JobContext, two_candidates: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    answering(job, **{**GOOD, "logit_difference": float("inf")})
    export(job)
    (done,) = check_exports(job, FIRST)
    assert done.manifest.extra["verdict"] == "block"
    assert done.manifest.extra["figures"] == {**GOOD, "logit_difference": 1e308}
    reason = "its logit differs from the trainer's by 1e+308, more than 1e-05"
    assert done.manifest.extra["reasons"] == [reason]
    assert capsys.readouterr().err == f"2024-03-01 a: the check blocks the release: {reason}\n"


def test_a_pass_is_not_told(job: JobContext, two_candidates: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    answering(job, **GOOD)
    export(job)
    assert len(check_exports(job, FIRST)) == 1
    assert capsys.readouterr().err == ""


def test_an_export_is_loaded_whole_with_its_golden_rows_alone(job: JobContext) -> None:
    checker = answering(job, **{**GOOD, "loaded": "whole"})
    made = export(job)
    load_whole(job, made)
    (asked,) = checker.asked
    assert (asked["whole"], asked["model"]) == (True, str(made.path.resolve() / "model"))
    assert asked["candidates"] == {}


def test_one_that_scores_otherwise_when_it_is_loaded_whole_is_refused(job: JobContext) -> None:
    answering(job, **{**GOOD, "logit_difference": 0.5})
    made = export(job)
    with pytest.raises(
        DayspringError, match=r"its check passed, but loaded whole its logit differs .* by 0\.5"
    ) as told:
        load_whole(job, made)
    assert str(told.value).startswith(f"{made.path}: ")
    assert "backfill --job tiny --from 2024-03-01 --to 2024-03-01 --experiment a`" in str(told.value)
