"""A day of a blend: made of its members' checkpoints, again where one of them is another."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.experiment import Experiment
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training import checkpoint_file, train
from pipeline.training.records import CheckpointRecord
from tests.unit.pipeline.release.days import FIRST, commit, context

SECOND = FIRST.next()


def member(here: JobContext, name: str, digest: str = "") -> Artifact:
    return commit(here, "checkpoint", SECOND, name, digest=digest or name, sizes={"ad": 7, name: 3})


def test_a_day_is_made_of_its_members_and_made_again_with_them(tmp_path: Path) -> None:
    job = context(tmp_path)
    both = Experiment(model="blend", options={"of": ["b", "a"]})
    here = JobContext(job.config.model_copy(update={"experiments": {**job.config.experiments, "all": both}}), tmp_path)
    for kind in ("features", "maps"):
        commit(here, kind, SECOND)
    features, parent = here.needed("features", SECOND), commit(here, "checkpoint", FIRST, "all", trained_days=4)
    members = [member(here, name) for name in "ab"]
    made, new = train.train(here, SECOND, "all", features, parent)
    said = CheckpointRecord.of(made)
    assert new
    assert (said.parent, said.trained_days, said.batches, said.loss) == (parent.id, 5, 0, None)
    assert said.sizes == {"ad": 7, "a": 3, "b": 3}
    assert said.architecture is not None
    assert {name: each.model for name, each in said.architecture.members.items()} == {"a": "pooled", "b": "pooled"}
    assert [each.id for each in made.manifest.inputs] == [each.id for each in (features, parent, *members)]
    ((name, weights),) = checkpoint_file.read(made).items()
    assert (name, weights.tolist()) == ("weights.label", [0.5, 0.5, 0])
    assert train.stands(here, SECOND, "all", features, parent) == made
    assert train.train(here, SECOND, "all", features, parent) == (made, False)
    member(here, "b", "another")
    assert train.stands(here, SECOND, "all", features, parent) is None
    again, new = train.train(here, SECOND, "all", features, parent)
    assert new
    assert again.manifest.digest != made.manifest.digest, "the weights are the same, what they weigh is not"
