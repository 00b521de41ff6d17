"""A day counts as skipped by its marker alone, and nothing is reached over a day that is neither made nor skipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.manifest import State
from pipeline.storage.artifacts.skipped_days import check_no_hole, skip_marker
from pipeline.storage.artifacts.store import ArtifactStore

D = [Day.of(2024, 2, 28).plus(number) for number in range(5)]


@pytest.mark.parametrize(("state", "skipped"), [("skipped", True), ("done", False)])
def test_only_a_marker_that_says_so_skips_a_day(tmp_path: Path, state: State, skipped: bool) -> None:
    store = ArtifactStore(tmp_path)
    assert skip_marker(store, "ads", D[0]) is None
    with store.draft(Ref("day", "ads", D[0])) as draft:
        made = draft.commit(key="k", digest="d", inputs=[], state=state, reason="no rows" if skipped else "")
    found = skip_marker(store, "ads", D[0])
    assert (found is not None and found.id == made.id) is skipped
    assert skip_marker(store, "ads", D[1]) is None


def test_the_walk_ends_at_the_first_day_that_is_not_skipped(tmp_path: Path) -> None:
    skipped = {D[0], D[1], D[3]}

    def walk(first: Day, until: Day) -> None:
        check_no_hole(first, until, skipped.__contains__, job="ads", name="ads", lacks="feature state", wanted=D[4])

    walk(D[0], D[2])
    walk(D[2], D[2])
    with pytest.raises(ChainError, match=re.escape(
        "ads: day 2024-03-01 has no feature state and no skip marker, so day 2024-03-03 cannot be reached; run "
        "`python -m pipeline backfill --job ads --from 2024-03-01 --to 2024-03-03`"
    )):  # fmt: skip
        walk(D[0], D[4])
