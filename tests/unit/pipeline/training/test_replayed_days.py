from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.experiment import Experiment
from pipeline.config.last_year import Replay
from pipeline.days import Day
from pipeline.features.rows.replay import days_to_replay
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training.chain import Chain
from pipeline.training.replayed_days import replay_input, replayed_now, replayed_on

MONDAY = Day.of(2024, 3, 4)


def settings(replay: str) -> Experiment:
    return Experiment.model_validate({"model": "pooled", "loss": "softmax", "replay": replay})


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def trained(store: ArtifactStore, day: Day, replayed: list[Day]) -> Artifact:
    with store.draft(Ref("checkpoint", "homework", day, "din")) as draft:
        (draft.path / "tensors").write_bytes(b"")
        inputs = [replay_input(past, f"replay-{past}") for past in replayed]
        return draft.commit(key=str(day), digest=str(day), inputs=inputs, settings="")


def chain(store: ArtifactStore) -> Chain:
    return Chain(store, "homework", "din", None)


def train_through(
    store: ArtifactStore, first: Day, last: Day, window: str, replay: str = "new"
) -> dict[Day, list[Day]]:
    """What each day of a range has replayed, the days trained one after the other."""
    rule = Replay.model_validate({"match": ("row.grade",), "window": window})
    found = {}
    for day in first.through(last):
        found[day] = replayed_now(chain(store), day, settings(replay), days_to_replay(rule, day))
        trained(store, day, found[day])
    return found


def test_a_week_is_replayed_once_by_the_first_of_its_days(store: ArtifactStore) -> None:
    """4 March 2024 is a Monday; 4 March 2023 a Saturday, its week 27 February to 5 March; 6 March 2023 a Monday."""
    found = train_through(store, MONDAY, MONDAY.plus(7), "week")
    week = list(Day.of(2023, 2, 27).through(Day.of(2023, 3, 5)))
    next_week = list(Day.of(2023, 3, 6).through(Day.of(2023, 3, 12)))
    assert found[MONDAY] == week
    assert found[MONDAY.plus(1)] == []
    assert found[Day.of(2024, 3, 6)] == next_week
    assert [day for day, past in found.items() if past] == [MONDAY, Day.of(2024, 3, 6)]


def test_the_28th_of_february_is_replayed_once_in_a_leap_year(store: ArtifactStore) -> None:
    found = train_through(store, Day.of(2024, 2, 28), Day.of(2024, 3, 1), "day")
    assert list(found.values()) == [[Day.of(2023, 2, 28)], [], [Day.of(2023, 3, 1)]]


def test_always_replays_a_day_as_often_as_it_is_offered(store: ArtifactStore) -> None:
    found = train_through(store, MONDAY, MONDAY.plus(1), "week", "always")
    assert [len(past) for past in found.values()] == [7, 7]


def test_a_day_of_the_chain_is_not_replayed_and_off_replays_none(store: ArtifactStore) -> None:
    past = Day.of(2023, 3, 4)
    trained(store, past, [])
    assert replayed_now(chain(store), MONDAY, settings("new"), [past, past.next()]) == [past.next()]
    assert replayed_now(chain(store), MONDAY, settings("always"), [past]) == [past]
    assert replayed_now(chain(store), MONDAY, settings("off"), [past.next()]) == []


def test_a_day_that_is_trained_again_replays_what_it_did_whatever_later_days_have(store: ArtifactStore) -> None:
    found = train_through(store, MONDAY, MONDAY.plus(6), "week")
    rule = Replay.model_validate({"match": ("row.grade",), "window": "week"})
    for day, past in found.items():
        assert replayed_now(chain(store), day, settings("new"), days_to_replay(rule, day)) == past


def test_a_checkpoint_records_what_it_replayed(store: ArtifactStore) -> None:
    past = Day.of(2023, 3, 4)
    assert list(replayed_on(trained(store, MONDAY, [past]))) == [past]
    assert replayed_on(trained(store, MONDAY.next(), [])) == {}
