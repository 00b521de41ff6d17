"""A day's work as text, for another process that reads the same artefacts."""

from __future__ import annotations

from typing import Any

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact, parse_id
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training.day_training import Work
from pipeline.training.overrides import Overrides


def written(work: Work) -> dict[str, Any]:
    """The work as JSON holds it."""
    return {
        "experiment": work.experiment, "features": work.features.id, "maps": work.maps.id,
        "parent": work.parent.id if work.parent is not None else None,
        "replays": {str(day): name for day, name in work.replays.items()},
        "earlier": [each.id for each in work.earlier], "overrides": work.overrides.as_dict(),
        "at_base_rate": work.at_base_rate,
    }  # fmt: skip


def read(store: ArtifactStore, told: dict[str, Any]) -> Work:
    """What :func:`written` gave.

    Raises:
        CorruptArtifact: an artefact is not under this root.
    """

    def found(artifact_id: str) -> Artifact:
        artifact = store.load(artifact_id)
        if artifact is None:
            raise CorruptArtifact(
                f"{store.root}: holds no {artifact_id}; all trainers need the same root (`DAYSPRING_ROOT`)"
            )
        return artifact

    return Work(
        parse_id(told["features"])[0].day, told["experiment"], found(told["features"]), found(told["maps"]),
        found(told["parent"]) if told["parent"] is not None else None,
        {Day.parse(day): name for day, name in told["replays"].items()},
        [found(each) for each in told["earlier"]], Overrides(**told["overrides"]), told["at_base_rate"],
    )  # fmt: skip
