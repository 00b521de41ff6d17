"""A blend's checkpoint stands on those of its members: of its day, by content, and as long as they are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.experiment import Experiment
from pipeline.errors import ChainError
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training.chain import Chain
from pipeline.training.members import members_of, members_on, pruned_parts
from tests.unit.pipeline.release.days import FIRST, commit, context


@pytest.fixture
def here(tmp_path: Path) -> JobContext:
    """Experiments ``a`` and ``b``, and ``both``."""
    job = context(tmp_path)
    both = Experiment.model_validate({"model": "blend", "options": {"of": ["b", "a"]}})
    config = job.config.model_copy(update={"experiments": {**job.config.experiments, "both": both}})
    return JobContext(config, tmp_path)


def blended(here: JobContext) -> tuple[Artifact, dict[str, Artifact]]:
    members = {name: commit(here, "checkpoint", FIRST, name, digest=name) for name in "ab"}
    return commit(here, "checkpoint", FIRST, "both", inputs=[each.as_input() for each in members.values()]), members


def test_the_members_of_a_day_are_those_that_were_trained_on_it(here: JobContext) -> None:
    commit(here, "checkpoint", FIRST, "a")
    with pytest.raises(ChainError, match=r"tiny/both 2\S+: its member 'b' has no checkpoint of this day: it was left"):
        members_on(here, FIRST, "both")
    commit(here, "checkpoint", FIRST, "b")
    assert [each.ref.experiment for each in members_on(here, FIRST, "both")] == ["a", "b"]
    assert members_on(here, FIRST, "a") == []


def test_a_member_made_again_to_the_same_bits_stands_for_the_pruned_one(here: JobContext) -> None:
    whole, members = blended(here)
    assert members_of(here.store, whole) == members
    assert members_of(here.store, members["a"]) == {}
    here.store.prune(members["a"])
    assert [each.id for each in pruned_parts(here.store, whole)] == [members["a"].id]
    again = commit(here, "checkpoint", FIRST, "a", digest="a")
    assert members_of(here.store, whole)["a"] == again
    assert pruned_parts(here.store, whole) == []
    assert Chain.of(here, "both").tainted() == []


def test_a_member_trained_again_to_other_bits_taints_the_blend(here: JobContext) -> None:
    whole, members = blended(here)
    other = commit(here, "checkpoint", FIRST, "a", digest="other")
    ((day, reason),) = Chain.of(here, "both").tainted()
    assert (day, reason) == (FIRST, f"made from {members['a'].id}, but {other.id} is another")
    assert members_of(here.store, whole)["a"].id == members["a"].id
