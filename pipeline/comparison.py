"""Are two chains the same, bit for bit? Payloads are compared where both exist, digests elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import checkpoints
from pipeline.artifacts import Artifact, ArtifactStore, Ref
from pipeline.durable import tensor_digest
from pipeline.errors import CorruptArtifact, UsageError


@dataclass(frozen=True)
class Comparison:
    """What was compared, and the first difference if there is one."""

    days: int
    experiments: int
    tensors: int
    difference: str | None


def compare(root_a: Path, root_b: Path, job: str) -> Comparison:
    """Compare tensors, slots, id maps and feature state of every trained day of ``job`` under two roots."""
    for root in (root_a, root_b):
        if not root.is_dir():
            raise UsageError(f"{root}: no such folder; give two artefact roots (DAYSPRING_ROOT)")
    a, b = ArtifactStore(root_a), ArtifactStore(root_b)
    names_a, names_b = a.experiments("checkpoint", job), b.experiments("checkpoint", job)
    if names_a != names_b:
        return Comparison(0, 0, 0, f"experiments: {_list(names_a)} here, {_list(names_b)} there")
    if not names_a or not any(a.days("checkpoint", job, name) for name in names_a):
        return Comparison(0, len(names_a), 0, "no day is trained in either, so nothing is shown to be equal")
    tensors, trained = 0, 0
    for name in names_a:
        days_a, days_b = a.days("checkpoint", job, name), b.days("checkpoint", job, name)
        if days_a != days_b:
            only = sorted(set(days_a) ^ set(days_b))[0]
            where = "the first" if only in days_a else "the second"
            return Comparison(trained, len(names_a), tensors, f"{name}: {only} is trained in {where} root only")
        for day in days_a:
            ref = Ref("checkpoint", job, day, name)
            pair = _both(a, b, ref)
            found, difference = _tensors(*pair)
            tensors += found
            if difference is not None:
                return Comparison(trained, len(names_a), tensors, f"{name} {day}: {difference}")
            trained += 1
    shared = next((text for text in _shared_differences(a, b, job)), None)
    return Comparison(trained, len(names_a), tensors, shared)


def _both(a: ArtifactStore, b: ArtifactStore, ref: Ref) -> tuple[Artifact, Artifact]:
    first, second = a.current(ref), b.current(ref)
    if first is None or second is None:
        raise CorruptArtifact(f"{ref}: listed a moment ago, now gone; is something pruning or training here?")
    return first, second


def _tensors(a: Artifact, b: Artifact) -> tuple[int, str | None]:
    if a.manifest.pruned or b.manifest.pruned:
        digests_a, digests_b = a.manifest.tensors, b.manifest.tensors
    else:
        digests_a, digests_b = (
            {name: tensor_digest(value) for name, value in checkpoints.read(each).items()} for each in (a, b)
        )
    for name in sorted(set(digests_a) | set(digests_b)):
        if digests_a.get(name) != digests_b.get(name):
            return len(digests_a), f"tensor '{name}' differs{_by_how_much(a, b, name)}"
    return len(digests_a), None


def _by_how_much(a: Artifact, b: Artifact, name: str) -> str:
    if a.manifest.pruned or b.manifest.pruned:
        return " (by its digest; a payload has been pruned)"
    first, second = checkpoints.read(a).get(name), checkpoints.read(b).get(name)
    if first is None or second is None:
        return ": it is in one root only"
    if first.shape != second.shape:
        return f": shape {list(first.shape)} here, {list(second.shape)} there"
    return f": largest difference {np.abs(first - second).max():.3g} in {int((first != second).sum())} values"


def _shared_differences(a: ArtifactStore, b: ArtifactStore, job: str) -> Iterator[str]:
    for kind in ("maps", "state"):
        days_a, days_b = a.days(kind, job), b.days(kind, job)
        if days_a != days_b:
            only = sorted(set(days_a) ^ set(days_b))[0]
            yield f"{kind}: {only} is in one root only"
            return
        for day in days_a:
            first, second = _both(a, b, Ref(kind, job, day))
            if first.manifest.digest != second.manifest.digest:
                yield f"{kind} of {day} differ"
                return
    spaces = sorted({path.name for store in (a, b) for path in (store.root / "idmaps" / job).glob("*.json")})
    for name in spaces:
        texts = []
        for store in (a, b):
            path = store.root / "idmaps" / job / name
            texts.append(json.loads(path.read_text(encoding="utf-8"))["ids"] if path.is_file() else None)
        if texts[0] != texts[1]:
            yield f"id map {name.removesuffix('.json')} differs"
            return


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"
