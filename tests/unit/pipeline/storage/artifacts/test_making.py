"""The frame of a stage: what stands, what is made anew, and what is left behind."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.making import making
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore

DAY = Day.of(2024, 3, 4)
REF = Ref("features", "tiny", DAY)
TABLES = Input(f"validated/tiny/day={DAY}/gen=0001", "abc")


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def stage(
    store: ArtifactStore, ref: Ref = REF, *, digest: str = "abc", settings: str = "s", by: str = "",
    experiments: tuple[str, ...] = (), reprocess: bool = False,
) -> Artifact:  # fmt: skip
    """A stage with one input: what stands, or a new generation."""
    inputs = [Input(TABLES.id, digest)]
    with making(store, experiments, ref, inputs, settings, by=by, reprocess=reprocess) as made:
        if made.stands is not None:
            return made.stands
        (made.path / "rows.txt").write_text("3")
        return made.commit("content", rows={"rows": 3}, timings={"build": made.seconds})


def trained(store: ArtifactStore, experiment: str) -> None:
    with store.draft(Ref("checkpoint", "tiny", DAY, experiment)) as draft:
        draft.commit(key="k", digest="d", inputs=[])


def test_what_is_committed_says_what_it_was_made_of(store: ArtifactStore):
    manifest = stage(store).manifest
    assert (manifest.digest, manifest.settings, manifest.inputs) == ("content", "s", [TABLES])
    assert (manifest.rows, list(manifest.timings), list(manifest.files)) == ({"rows": 3}, ["build"], ["rows.txt"])
    text = f"s\nvalidated/tiny/day={DAY} abc"
    assert manifest.key == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_equal_inputs_and_settings_leave_nothing_to_do(store: ArtifactStore):
    assert [stage(store).generation for _ in range(2)] == [1, 1]
    assert stage(store, digest="other").generation == 2


def test_a_day_is_made_anew_on_demand_and_where_it_is_tainted(store: ArtifactStore):
    stage(store)
    assert stage(store, reprocess=True).generation == 2
    store.taint(REF, "wrong rows")
    assert stage(store).generation == 3
    assert stage(store).generation == 3


def test_changed_settings_apply_to_days_that_no_experiment_has_trained(store: ArtifactStore):
    stage(store)
    assert stage(store, settings="t", experiments=("a", "b")).generation == 2
    trained(store, "b")
    assert stage(store, settings="u", experiments=("a", "b")).generation == 2
    assert stage(store, settings="u", experiments=("a",)).generation == 3
    assert stage(store, settings="v", digest="other", experiments=("a", "b")).generation == 4


def test_an_experiments_artefact_is_kept_by_its_own_checkpoint_only(store: ArtifactStore):
    trained(store, "b")
    for experiment, generation in (("a", 2), ("b", 1)):
        own = Ref("test", "tiny", DAY, experiment)
        stage(store, own, experiments=("a", "b"))
        assert stage(store, own, settings="t", experiments=("a", "b")).generation == generation


def test_what_else_decides_is_part_of_the_key_and_of_no_other_field(store: ArtifactStore):
    first = stage(store, by="gate")
    assert stage(store, by="gate").generation == 1
    second = stage(store, by="promote")
    assert (second.generation, second.manifest.settings) == (2, "s")
    text = f"s gate\nvalidated/tiny/day={DAY} abc"
    assert first.manifest.key == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_inputs_that_the_work_finds_are_part_of_the_key(store: ArtifactStore):
    more = Input("replay of 2023-03-04", "replay")
    with making(store, (), REF, [TABLES], "s") as made:
        made.inputs = [TABLES, more]
        first = made.commit("content")
    assert first.manifest.inputs == [TABLES, more]
    with making(store, (), REF, [TABLES, more], "s") as made:
        assert made.stands == first


def test_nothing_is_left_of_work_that_fails(store: ArtifactStore):
    first = stage(store)
    folder = store.root / "features" / "tiny"

    def fail() -> None:
        with making(store, (), REF, [TABLES], "t") as made:
            assert len(list(folder.iterdir())) == 1
            (made.path / "rows.txt").write_text("3")
            assert len(list(folder.iterdir())) == 2
            raise ValueError("no rows")

    with pytest.raises(ValueError, match="no rows"):
        fail()
    assert [path.name for path in folder.iterdir()] == [f"day={DAY}"]
    assert store.current(REF) == first
