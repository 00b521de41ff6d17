"""Whether a challenger beats the champion: on rows that both were tested on, the whole interval above zero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.evaluation.superiority import Comparison, superior
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.training import logits
from pipeline.training.logits import LOGITS
from tests.unit.pipeline.judged import USERS, impressions
from tests.unit.pipeline.release.days import FIRST, commit, context


def put_test(here: JobContext, experiment: str, logits: list[float]) -> None:
    with here.store.draft(Ref("test", here.job, FIRST, experiment)) as draft:
        np.save(draft.path / LOGITS, np.array(logits, np.float32))
        draft.commit(key=experiment, digest=experiment, inputs=[])


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """Of 80 rows ``a`` has the better scores, ``b`` the worse: AUC 1 and 1/2 for each user."""
    here = context(tmp_path)
    rows, good, bad = impressions()
    monkeypatch.setattr(day_arrays, "read", lambda artifact: rows)
    monkeypatch.setattr(day_arrays, "key_rank", lambda artifact: np.arange(4 * USERS, dtype=np.int32))
    commit(here, "features", FIRST)
    put_test(here, "a", good)
    put_test(here, "b", bad)
    return here


def test_the_better_one_is_and_the_worse_one_is_not(job: JobContext) -> None:
    # Every user's rows are alike, so that no draw of users changes the difference.
    assert superior(job, FIRST, "a", "b") == Comparison(True, 0.5, f"auc +0.5000 [+0.5000, +0.5000] on {FIRST}")
    assert superior(job, FIRST, "b", "a") == Comparison(False, -0.5, f"auc -0.5000 [-0.5000, -0.5000] on {FIRST}")


def test_equal_ones_are_not_superior(job: JobContext) -> None:
    assert not superior(job, FIRST, "a", "a").better


def test_who_was_not_tested_on_the_day_is_not_compared(job: JobContext) -> None:
    told = superior(job, FIRST.next(), "a", "b")
    assert told == Comparison(False, None, f"'a' and 'b' were not both tested on {FIRST.next()}")
    job.store.withdraw(Ref("test", job.job, FIRST, "b"))
    assert superior(job, FIRST, "a", "b").told == f"'a' and 'b' were not both tested on {FIRST}"


def test_who_is_not_asked_what_the_job_is_judged_by_is_not_compared(
    job: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logits, "read", lambda test: {"label" if test.ref.experiment == "a" else "view": np.zeros(1)})
    told = superior(job, FIRST, "b", "a")
    assert told == Comparison(False, None, "'b' is not asked 'label', which auc is of")
