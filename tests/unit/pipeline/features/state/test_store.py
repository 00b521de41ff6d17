from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact
from pipeline.features.state.events import Events
from pipeline.features.state.state import FeatureState
from pipeline.features.state.store import StateStore
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import SNAPSHOT, STATE
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore
from tests.unit.pipeline.features.state_jobs import FIRST_DAY, random_events, ranking

CONFIG = ranking()
SKIPPED = 5
"""Number of the day in ``grown`` that has no data."""


def events_of(number: int, salt: int = 0) -> Events:
    return random_events(CONFIG, FIRST_DAY.plus(number), np.random.default_rng([number, salt]))


def skip(store: ArtifactStore, day: Day) -> None:
    with store.draft(Ref("day", CONFIG.job, day)) as draft:
        draft.commit(key="", digest="", inputs=[], state="skipped", reason="a holiday")


def grown(root: Path, days: int, snapshot_every: int = 30) -> StateStore:
    """A store of so many days, one of which was skipped."""
    store = ArtifactStore(root)
    states = StateStore(store, CONFIG, snapshot_every=snapshot_every)
    for number in range(days):
        if number == SKIPPED:
            skip(store, FIRST_DAY.plus(number))
        else:
            states.commit(FIRST_DAY.plus(number), events_of(number), key="k", inputs=[])
    return states


def rolled(days: int, salts: dict[int, int] | None = None) -> FeatureState:
    state = FeatureState.empty(CONFIG)
    for number in range(days):
        if number != SKIPPED:
            state = state.apply(events_of(number, (salts or {}).get(number, 0)))
    return state


def same(one: FeatureState, other: FeatureState) -> bool:
    first, second = one.arrays(), other.arrays()
    return list(first) == list(second) and all(first[name].tobytes() == second[name].tobytes() for name in first)


@settings(deadline=None, max_examples=4)
@given(every=st.integers(1, 9), asked=st.lists(st.integers(0, 11), min_size=1, max_size=6))
def test_any_spacing_of_snapshots_and_any_order_of_asking_give_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, every: int, asked: list[int]
) -> None:
    root = tmp_path_factory.mktemp("root")
    kept = grown(root, 12, every)
    for number in asked:
        expected = rolled(number + 1)
        day = FIRST_DAY.plus(number)
        assert same(kept.as_of(day), expected.at(day))
        assert same(StateStore(ArtifactStore(root), CONFIG).as_of(day), expected.at(day))
    assert ArtifactStore(root).days(SNAPSHOT, CONFIG.job) != [] or every > 8


def test_days_before_the_first_are_empty_and_skipped_ones_change_nothing(tmp_path: Path) -> None:
    states = grown(tmp_path, 7)
    assert states.as_of(None).day is None
    assert len(states.as_of(FIRST_DAY.previous()).counters["package",]) == 0
    skipped = states.as_of(FIRST_DAY.plus(SKIPPED))
    assert skipped.day == FIRST_DAY.plus(SKIPPED)
    assert same(skipped.at(FIRST_DAY.plus(4)), states.as_of(FIRST_DAY.plus(4)))


def test_a_missing_day_is_named_with_the_command_that_fills_it(tmp_path: Path) -> None:
    states = grown(tmp_path, 3)
    states.commit(FIRST_DAY.plus(4), events_of(4), key="k", inputs=[])
    for states_again in (states, StateStore(ArtifactStore(tmp_path), CONFIG)):
        with pytest.raises(ChainError, match=r"2024-02-23 has no feature state .* --from 2024-02-23 --to 2024-02-24"):
            states_again.as_of(FIRST_DAY.plus(4))


def test_the_same_day_committed_again_changes_nothing(tmp_path: Path) -> None:
    states = grown(tmp_path, 3)
    first = ArtifactStore(tmp_path).current(Ref(STATE, CONFIG.job, FIRST_DAY.plus(1)))
    again = states.commit(FIRST_DAY.plus(1), events_of(1), key="k", inputs=[])
    assert first is not None
    assert again.id == first.id
    assert ArtifactStore(tmp_path).taint_reason(Ref(STATE, CONFIG.job, FIRST_DAY.plus(2))) is None


@pytest.mark.parametrize("snapshot_every", [1, 3, 30])
def test_a_day_committed_again_with_other_content_reaches_every_later_state(
    tmp_path: Path, snapshot_every: int
) -> None:
    states = grown(tmp_path, 10, snapshot_every)
    last = FIRST_DAY.plus(9)
    before = states.as_of(last)
    StateStore(ArtifactStore(tmp_path), CONFIG).commit(FIRST_DAY.plus(2), events_of(2, salt=1), key="l", inputs=[])
    expected = rolled(10, {2: 1})
    assert not same(before, expected)
    for after in (states, StateStore(ArtifactStore(tmp_path), CONFIG)):
        assert same(after.as_of(last), expected)
        assert same(after.as_of(FIRST_DAY.plus(1)), rolled(2))
    reason = ArtifactStore(tmp_path).taint_reason(Ref(STATE, CONFIG.job, last))
    assert reason == "the feature state of 2024-02-22 was committed after it"


def test_digests_cover_the_days_before_and_no_more(tmp_path: Path) -> None:
    def digest(root: Path, salt: int, every: int) -> list[str]:
        store = ArtifactStore(root)
        states = StateStore(store, CONFIG, snapshot_every=every)
        return [
            states.commit(FIRST_DAY.plus(n), events_of(n, salt if n == 1 else 0), key="k", inputs=[]).manifest.digest
            for n in range(4)
        ]

    first, same_data, other = digest(tmp_path / "a", 0, 30), digest(tmp_path / "b", 0, 1), digest(tmp_path / "c", 7, 30)
    assert first == same_data
    assert first[0] == other[0]
    assert all(one != two for one, two in zip(first[1:], other[1:], strict=True))


def test_inputs_are_recorded_with_the_state_before(tmp_path: Path) -> None:
    states = grown(tmp_path, 1)
    given = Input("validated/tiny/day=2024-02-21/gen=0001", "d")
    artifact = states.commit(FIRST_DAY.next(), events_of(1), key="k", inputs=[given])
    assert [each.id for each in artifact.manifest.inputs] == [given.id, "state/tiny/day=2024-02-20/gen=0001"]
    assert artifact.manifest.rows == {"events": 12, "history": 12, "catalogue": 12, "study": 6}


def test_other_settings_do_not_read_these_snapshots(tmp_path: Path) -> None:
    grown(tmp_path, 4, snapshot_every=1)
    features = CONFIG.model_dump(mode="json", by_alias=True)["features"]
    features["lately"]["counter"]["half_life"] = 5
    wider = ranking(features=features)
    states = StateStore(ArtifactStore(tmp_path), wider)
    expected = FeatureState.empty(wider)
    for number in range(4):
        expected = expected.apply(events_of(number))
    assert same(states.as_of(FIRST_DAY.plus(3)), expected)


def test_older_snapshots_are_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.features.state.store._KEEP_EVERY_DAYS", 4)
    grown(tmp_path, 12, snapshot_every=1)
    store = ArtifactStore(tmp_path)
    kept = [
        day - FIRST_DAY
        for day in store.days(SNAPSHOT, CONFIG.job)
        if (artifact := store.current(Ref(SNAPSHOT, CONFIG.job, day))) is not None and not artifact.manifest.pruned
    ]
    assert kept == [0, 4, 8, 10, 11]
    assert same(StateStore(store, CONFIG).as_of(FIRST_DAY.plus(7)), rolled(8))


def test_a_damaged_delta_is_an_error_and_not_a_guess(tmp_path: Path) -> None:
    grown(tmp_path, 3)
    artifact = ArtifactStore(tmp_path).current(Ref(STATE, CONFIG.job, FIRST_DAY.next()))
    assert artifact is not None
    file = artifact.file("arrays.bin")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptArtifact, match=r"arrays\.bin"):
        StateStore(ArtifactStore(tmp_path), CONFIG).as_of(FIRST_DAY.plus(2))


def test_history_rows_are_the_days_own(tmp_path: Path) -> None:
    states = grown(tmp_path, 7)
    rows = states.history_rows(FIRST_DAY.plus(3))
    assert rows is not None
    assert [each.tolist() for each in rows.owner] == [each.tolist() for each in events_of(3).history.owner]
    assert rows.parts["sections"].values.tolist() == events_of(3).history.parts["sections"].values.tolist()
    assert states.history_rows(FIRST_DAY.plus(SKIPPED)) is None
    assert states.history_rows(FIRST_DAY.previous()) is None
