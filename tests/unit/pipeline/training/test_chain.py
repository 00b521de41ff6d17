from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact, LockTimeout, UsageError
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.digests import content_digest
from pipeline.training.chain import Chain

D = [Day.of(2024, 2, 27).plus(number) for number in range(12)]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


@pytest.fixture
def chain(store: ArtifactStore) -> Chain:
    return Chain(store, "ads", "din", None)


def put(store: ArtifactStore, ref: Ref, *inputs: Artifact | None, digest: str = "", state: str = "done") -> Artifact:
    with store.draft(ref) as draft:
        (draft.path / "payload").write_text("0123456789")
        named = [each.as_input() for each in inputs if each is not None]
        text = digest or content_digest({"ref": str(ref), "of": [each.digest for each in named]})
        return draft.commit(key=text, digest=text, inputs=[*named, Input("settings", "s")], state=state)  # type: ignore[arg-type]


def features(store: ArtifactStore, day: Day, digest: str = "") -> Artifact:
    return put(store, Ref("features", "ads", day), digest=digest)


def train(store: ArtifactStore, chain: Chain, day: Day, *inputs: Artifact) -> Artifact:
    chain.begin(day)
    return put(store, Ref("checkpoint", "ads", day, "din"), chain.parent(day), *inputs)


def skip(store: ArtifactStore, day: Day) -> None:
    put(store, Ref("day", "ads", day), state="skipped")


def test_the_first_day_has_no_parent_and_is_recorded_as_the_start(store: ArtifactStore, chain: Chain) -> None:
    assert chain.parent(D[3]) is None
    chain.begin(D[3])
    assert chain.start == D[3]
    assert Chain(store, "ads", "din", None).start == D[3]
    assert Chain(store, "ads", "other", None).start is None
    assert chain.parent(D[3]) is None


def test_the_parent_is_the_day_before_over_skipped_days(store: ArtifactStore, chain: Chain) -> None:
    first = train(store, chain, D[0])
    assert chain.parent(D[1]) == first
    skip(store, D[1])
    skip(store, D[2])
    assert chain.parent(D[3]) == first
    third = train(store, chain, D[3])
    assert chain.parent(D[4]) == third
    assert chain.parent(D[3]) == first, "the parent of a trained day stays its parent"
    assert chain.days() == [D[0], D[3]]
    assert list(chain.states(D[0], D[4]).values()) == ["trained", "skipped", "skipped", "trained", "missing"]


def test_a_hole_is_named_with_the_command_that_fills_it(store: ArtifactStore, chain: Chain) -> None:
    train(store, chain, D[0])
    skip(store, D[1])
    put(store, Ref("day", "ads", D[2]), state="done")
    with pytest.raises(ChainError) as caught:
        chain.parent(D[4])
    assert f"day {D[2]} has no checkpoint and no skip marker" in str(caught.value)
    assert f"`python -m pipeline backfill --job ads --from {D[2]} --to {D[4]}`" in str(caught.value)


def test_nothing_grows_before_the_start(store: ArtifactStore, chain: Chain) -> None:
    train(store, chain, D[3])
    for step in (chain.begin, chain.parent):
        with pytest.raises(ChainError, match=f"day {D[1]} is before the chain's start, {D[3]}"):
            step(D[1])


def test_a_configured_start(store: ArtifactStore) -> None:
    chain = Chain(store, "ads", "din", D[2])
    assert chain.start == D[2]
    with pytest.raises(ChainError, match="before the chain's start"):
        chain.begin(D[1])
    assert chain.parent(D[2]) is None
    with pytest.raises(ChainError, match=f"day {D[2]} has no checkpoint"):
        chain.parent(D[4])
    skip(store, D[2])
    skip(store, D[3])
    assert chain.parent(D[4]) is None, "every day since the start is skipped"
    chain.begin(D[4])
    assert Chain(store, "ads", "din", D[4]).start == D[2], "what was recorded holds"


def test_a_damaged_record_is_told(store: ArtifactStore, chain: Chain) -> None:
    chain.begin(D[0])
    path = store.root / "checkpoint" / "ads" / "din" / "chain.json"
    path.write_text('{"start": "2024')
    with pytest.raises(CorruptArtifact, match=f"{path}: the chain's record is damaged .* write"):
        chain.parent(D[1])
    path.unlink()
    train(store, chain, D[0])
    path.unlink()
    assert chain.start == D[0], "the first checkpoint tells it too"


def test_an_experiment_may_skip_a_day_of_its_own(store: ArtifactStore, chain: Chain) -> None:
    first = train(store, chain, D[0])
    put(store, Ref("day", "ads", D[1]), state="done")
    put(store, Ref("checkpoint", "ads", D[1], "din"), state="skipped")
    assert chain.parent(D[2]) == first
    assert chain.trained(D[1]) is None
    assert chain.states(D[1], D[1]) == {D[1]: "skipped"}


def test_taint_by_hand_takes_the_descendants_along(store: ArtifactStore, chain: Chain) -> None:
    for day in D[:4]:
        train(store, chain, day)
    assert chain.tainted() == []
    store.taint(Ref("checkpoint", "ads", D[1], "din"), "wrong labels")
    assert [day for day, _ in chain.tainted()] == D[1:4]
    assert chain.tainted()[0][1] == "tainted by hand: wrong labels"
    assert chain.tainted()[2][1].count("tainted by hand: wrong labels") == 1
    assert chain.states(D[0], D[4]) == dict(
        zip(D[:5], ["trained", "tainted", "tainted", "tainted", "missing"], strict=True)
    )


def test_a_changed_input_taints_until_the_days_are_trained_again(store: ArtifactStore, chain: Chain) -> None:
    made = [features(store, day) for day in D[:3]]
    for day, each in zip(D[:3], made, strict=True):
        train(store, chain, day, each)
    features(store, D[0])
    assert chain.tainted() == [], "a new generation of the same content changes nothing"
    changed = features(store, D[1], "late labels")
    assert [day for day, _ in chain.tainted()] == D[1:3]
    assert f"made from {made[1].id}, but {changed.id} is another" in chain.tainted()[0][1]
    train(store, chain, D[1], changed)
    assert [day for day, _ in chain.tainted()] == [D[2]]
    train(store, chain, D[2], made[2])
    assert chain.tainted() == []


def test_taint_passes_through_what_lies_between(store: ArtifactStore, chain: Chain) -> None:
    extract = put(store, Ref("extract", "ads", D[0]))
    train(store, chain, D[0], put(store, Ref("features", "ads", D[0]), extract))
    put(store, Ref("extract", "ads", D[0]), digest="read again")
    assert [day for day, _ in chain.tainted()] == [D[0]]
    assert "features/ads/day=2024-02-27" in chain.tainted()[0][1]


def test_a_long_lineage_is_followed_to_its_end(store: ArtifactStore, chain: Chain) -> None:
    state = put(store, Ref("state", "ads", D[0].plus(-1200)))
    first = state
    for day in D[0].plus(-1199).through(D[0]):
        state = put(store, Ref("state", "ads", day), state)
    train(store, chain, D[0], state)
    assert chain.tainted() == []
    store.taint(first.ref, "bad")
    assert [(day, reason.count("bad"), len(reason) < 200) for day, reason in chain.tainted()] == [(D[0], 1, True)]


def test_a_day_trained_in_between_later_taints_what_jumped_over_it(store: ArtifactStore, chain: Chain) -> None:
    train(store, chain, D[0])
    skip(store, D[1])
    train(store, chain, D[2])
    train(store, chain, D[3])
    put(store, Ref("day", "ads", D[1]), state="done")
    train(store, chain, D[1])
    assert [day for day, _ in chain.tainted()] == [D[2], D[3]]
    assert chain.tainted()[0][1] == f"trained from {D[0]}, but {D[1]} has been trained since"


def test_one_trainer_at_a_time(store: ArtifactStore, chain: Chain) -> None:
    with (
        chain.lock(),
        pytest.raises(LockTimeout, match=r"experiment 'din' of job 'ads' is locked by process \d+ on host"),
        Chain(store, "ads", "din", None).lock(timeout=0),
    ):
        pytest.fail("two trainers of one experiment")
    with chain.lock(timeout=0), Chain(store, "ads", "other", None).lock(timeout=0):
        pass


def test_retention_keeps_the_newest_the_months_firsts_and_the_released(store: ArtifactStore, chain: Chain) -> None:
    made = [train(store, chain, day) for day in D]
    # 27, 28, 29 February, 1 … 9 March
    pruned = [each.ref.day for each in chain.retention(keep_last=3)]
    assert pruned == [*D[1:3], *D[4:9]]
    assert [each.ref.day for each in chain.retention(keep_last=3, monthly=False)] == D[:9]
    protected = chain.protected([made[5].id])
    assert protected == {made[5].id, made[11].id}
    pruned = [each.ref.day for each in chain.retention(keep_last=3, protected=protected)]
    assert pruned == [*D[1:3], D[4], *D[6:9]]
    with pytest.raises(UsageError, match="keep_last is 0"):
        chain.retention(keep_last=0)


def test_superseded_generations_are_pruned_unless_released(store: ArtifactStore, chain: Chain) -> None:
    old = train(store, chain, D[0])
    new = put(store, old.ref, digest="again")
    assert chain.retention() == [old]
    assert chain.retention(protected={old.id}) == []
    store.prune(old)
    assert chain.retention() == []
    assert chain.trained(D[0]) == new


def test_what_a_re_chain_starts_from_is_protected(store: ArtifactStore, chain: Chain) -> None:
    made = [train(store, chain, day) for day in D]
    store.taint(Ref("checkpoint", "ads", D[5], "din"), "bad")
    assert chain.protected() == {made[4].id, made[11].id}
    assert made[4] not in chain.retention(keep_last=1, monthly=False)


def test_a_pruned_parent_is_still_the_parent_and_a_re_chain_starts_earlier(store: ArtifactStore, chain: Chain) -> None:
    made = [train(store, chain, day) for day in D[:4]]
    for each in made[1:3]:
        store.prune(each)
    parent = chain.parent(D[3])
    assert parent is not None
    assert parent.id == made[2].id
    assert parent.manifest.pruned
    kept = chain.kept_ancestor(D[3])
    assert kept is not None
    assert kept.id == made[0].id
    assert chain.kept_ancestor(D[0]) is None
    assert chain.days() == D[:4]


@settings(max_examples=40, deadline=None)
@given(plan=st.lists(st.sampled_from(["train", "skip", "nothing"]), min_size=1, max_size=9))
def test_the_parent_rule_on_any_history(tmp_path_factory: pytest.TempPathFactory, plan: list[str]) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("root"))
    chain = Chain(store, "ads", "din", None)
    chain.begin(D[0])
    for day, what in zip(D, plan, strict=False):
        if what == "train":
            put(store, Ref("checkpoint", "ads", day, "din"))
        elif what == "skip":
            skip(store, day)
    before = plan[: len(plan) - 1]
    asked = D[len(plan) - 1]
    last = max((at for at, what in enumerate(before) if what == "train"), default=-1)
    holes = [at for at in range(last + 1, len(before)) if before[at] == "nothing"]
    if holes:
        with pytest.raises(ChainError, match=f"day {D[holes[0]]} has no checkpoint"):
            chain.parent(asked)
    else:
        parent = chain.parent(asked)
        assert (None if parent is None else parent.ref.day) == (None if last < 0 else D[last])
