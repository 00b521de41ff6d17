"""What was made from what no longer stands is tainted, with the cause at the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.lineage import Lineage
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore

D = [Day.of(2024, 3, 1).plus(number) for number in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def put(store: ArtifactStore, kind: str, day: Day, *made_from: Artifact, digest: str = "d") -> Artifact:
    with store.draft(Ref(kind, "ads", day)) as draft:
        inputs = [*(each.as_input() for each in made_from), Input("settings", "s")]
        return draft.commit(key=digest, digest=digest, inputs=inputs)


def chain(store: ArtifactStore) -> list[Artifact]:
    """Four days, each made from its features and the day before."""
    found: list[Artifact] = []
    for day in D:
        found.append(put(store, "checkpoint", day, put(store, "features", day), *found[-1:]))
    return found


def test_a_chain_that_stands_has_no_reason(store: ArtifactStore) -> None:
    assert [Lineage(store).reason(each) for each in chain(store)] == [None] * 4


def test_another_content_of_an_input_taints_what_follows_and_equal_content_does_not(store: ArtifactStore) -> None:
    checkpoints = chain(store)
    put(store, "features", D[1], digest="d")
    assert Lineage(store).reason(checkpoints[3]) is None
    put(store, "features", D[1], digest="other")
    lineage = Lineage(store)
    assert lineage.reason(checkpoints[0]) is None
    root = f"made from features/ads/day={D[1]}/gen=0001, but features/ads/day={D[1]}/gen=0003 is another"
    assert lineage.reason(checkpoints[1]) == root
    # However long the chain, the cause stands in one pair of brackets.
    assert lineage.reason(checkpoints[3]) == f"its input checkpoint/ads/day={D[2]} is tainted ({root})"


def test_what_is_made_of_a_part_of_a_content_stands_as_long_as_that_part_does(store: ArtifactStore) -> None:
    def features(whole: str, part: str) -> Artifact:
        with store.draft(Ref("features", "ads", D[0])) as draft:
            return draft.commit(key=whole, digest=whole, inputs=[], extra={"parts": {"prompt": part}})

    of_part = Input(features("whole", "part").id, "part")
    with store.draft(Ref("checkpoint", "ads", D[0])) as draft:
        made = draft.commit(key="k", digest="d", inputs=[of_part])
    assert Lineage(store).reason(made) is None
    features("another whole", "part")
    assert Lineage(store).reason(made) is None
    features("another whole", "another part")
    assert "is another" in str(Lineage(store).reason(made))


def test_a_taint_by_hand_and_its_end(store: ArtifactStore) -> None:
    checkpoints = chain(store)
    store.taint(checkpoints[2].ref, "half of the log")
    assert Lineage(store).reason(checkpoints[2]) == "tainted by hand: half of the log"
    assert Lineage(store).reason(checkpoints[3]) == (
        f"its input checkpoint/ads/day={D[2]} is tainted (tainted by hand: half of the log)"
    )
    assert Lineage(store).reason(checkpoints[1]) is None


def test_a_day_that_is_skipped_now(store: ArtifactStore) -> None:
    checkpoints = chain(store)
    store.withdraw(Ref("features", "ads", D[0]))
    assert Lineage(store).reason(checkpoints[0]) == (
        f"made from features/ads/day={D[0]}/gen=0001, but {D[0]} is skipped now"
    )


def test_a_long_history_and_a_circle_come_to_an_end(store: ArtifactStore) -> None:
    newest = put(store, "state", D[0])
    for number in range(1, 1500):
        newest = put(store, "state", D[0].plus(number), newest)
    assert Lineage(store).reason(newest) is None
    one = put(store, "checkpoint", D[0])
    two = put(store, "checkpoint", D[1], one)
    again = put(store, "checkpoint", D[0], two)
    assert Lineage(store).reason(again) is None
